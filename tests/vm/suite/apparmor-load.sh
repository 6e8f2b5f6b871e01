#!/bin/bash
# `batten apparmor`: profiles from TOML into the kernel, through their modes, and out again.
. vm-test

mkdir -p /run/p && cd /run/p || exit
cat >web.toml <<'TOML'
name = "web one"
[[files]]
paths = ["/**"]
access = ["read", "map", "execute"]
[[files]]
paths = ["/etc/secret"]
access = ["all"]
deny = true
[[files]]
paths = ["/etc/a\"b", "/etc/c*d"]
access = ["write"]
[[signal]]
TOML
sed -i 's|"/etc/c\*d"|"/etc/c\\\\*d"|' web.toml
for file in secret plain; do echo "$file" >"/etc/$file"; done

confined() { # PROFILE COMMAND...
    bash -c 'echo "exec $0" >/proc/self/attr/exec && exec "$@"' "$@"
}

claim "status says that AppArmor is on, and what there is to work with"
run batten apparmor status
exits 0
says "AppArmor is on"
says "parser: 4."
says "newest ABI: 4.0"
says "this process: unconfined"

claim "what is written for this host is what its parser takes"
run batten apparmor generate --check web.toml
exits 0
says "abi <abi/4.0>,"
says '"/etc/a\042b" w,'

claim "a TOML file is loaded and enforced"
run batten apparmor load web.toml
exits 0
says 'loaded "web one"'
run batten apparmor status "web one"
exits 0
says "enforce"
run batten apparmor list
says $'enforce\tweb one'
run confined "web one" cat /etc/plain /proc/self/attr/current
exits 0
says "web one (enforce)"
run confined "web one" cat /etc/secret
exits 1
says "Permission denied"

claim "a quote or an escaped star in a path is a character of that path"
run confined "web one" bash -c 'echo x >"/etc/a\"b" && echo x >"/etc/c*d"'
exits 0
run confined "web one" bash -c 'echo x >"/etc/cxd"'
fails
says "Permission denied"

claim "a profile is put into complain mode and back by its name"
mkdir -p /etc/batten/apparmor.d
cp web.toml /etc/batten/apparmor.d/whatever.toml
run batten apparmor complain "web one"
exits 0
run batten apparmor status "web one"
exits 1
says "complain"
run confined "web one" bash -c 'echo x >/etc/cxd'
exits 0
run batten apparmor enforce "web one"
exits 0
run batten apparmor list --mode enforce --format json
says '"name": "web one"'
run confined "web one" bash -c 'echo x >/etc/cxd'
fails

claim "loading again replaces"
run batten apparmor load web.toml
exits 0
says 'replaced "web one"'

claim "the mode of a profile in a hand-written file is set in its flags"
printf 'profile hand flags=(attach_disconnected) {\n  file,\n  # complain\n}\n' >hand
run batten apparmor load hand
exits 0
run batten apparmor complain ./hand
exits 0
run batten apparmor status hand
says "complain"

claim "a compiled profile goes to the kernel without a parser"
given batten apparmor unload hand
given apparmor_parser --skip-cache --ofile hand.bin hand
run batten apparmor load hand.bin
exits 0
run batten apparmor status hand
exits 0
says "enforce"

claim "what was unloaded is gone, and cannot be unloaded again"
run batten apparmor unload "web one" hand
exits 0
run batten apparmor status "web one"
exits 1
says 'no profile called "web one" is loaded'
run batten apparmor unload "web one"
exits 1
says "No such file"

claim "the boot-time unit's command loads what lies in batten's folder, and misses what the policy names and nobody has"
run batten apparmor load --needed
exits 0
says 'loaded "web one"'
echo 'apparmor = { profile = "nowhere" }' >/etc/batten/policy.toml
run batten apparmor load --needed
exits 1
says 'the policy names the profile "nowhere", which is not loaded'

claim "what the parser refuses is refused with its words"
echo 'profile broken { /etc/passwd zz, }' >broken
run batten apparmor load broken
exits 1
says "apparmor_parser cannot load broken"

claim "a kill-mode profile kills"
sed 's/web one/killer/; 1a mode = "kill"' web.toml >killer.toml
given batten apparmor load killer.toml
run confined killer bash -c 'echo x >/etc/other; echo survived'
fails
omits survived
