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
says 'loaded "hand" from hand.bin'
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
says 'no profile called "web one" is loaded'

claim "the boot-time unit's command loads what lies in batten's folder, and misses what the policy names and nobody has"
run batten apparmor load --needed
exits 0
says 'loaded "web one"'
policy <<<'apparmor = { profile = "nowhere" }'
run batten apparmor load --needed
exits 1
says 'the policy names the profile "nowhere", which is not loaded'

claim "of a file with two profiles the one that was asked for changes its mode, and a file changes all of its own"
printf 'profile first {\n  file,\n}\nprofile second {\n  file,\n}\n' >/etc/batten/apparmor.d/pair
given batten apparmor load /etc/batten/apparmor.d/pair
both() { # MODE-OF-FIRST MODE-OF-SECOND
    run batten apparmor list
    says "$1"$'\tfirst'
    says "$2"$'\tsecond'
}
given batten apparmor complain first
both complain enforce
given batten apparmor complain second
both complain complain
given batten apparmor enforce first
both enforce complain
given batten apparmor enforce /etc/batten/apparmor.d/pair
both enforce enforce
given batten apparmor complain ./../../etc/batten/apparmor.d/pair
both complain complain
given batten apparmor unload first
run batten apparmor enforce second
exits 0
says '"first" is in the same file, and was loaded with it'

claim "a profile takes its children along, and a child can be named"
printf 'profile parent {\n  file,\n  profile child {\n    file,\n  }\n  hat inner {\n    file,\n  }\n}\n' >/etc/batten/apparmor.d/family
given batten apparmor load /etc/batten/apparmor.d/family
given batten apparmor complain parent
for name in parent parent//child parent//inner; do
    run batten apparmor status "$name"
    says complain
done
given batten apparmor enforce parent//child
run batten apparmor list
says $'enforce\tparent//child'
says $'complain\tparent//inner'
given batten apparmor unload parent
run batten apparmor list
omits parent

claim "a profile that is called after a program is meant by the program's path, and a program without one is no profile"
printf 'profile /usr/bin/cat flags=(attach_disconnected) {\n  file,\n}\n' >/etc/batten/apparmor.d/cat
run batten apparmor complain /usr/bin/cat
exits 0
says '"/usr/bin/cat" was not loaded before, and is in complain mode'
run batten apparmor complain /usr/bin/strace
exits 4
says 'no file has a profile called "/usr/bin/strace"'

claim "who enforces a profile that is unconfined by its file is warned"
run batten apparmor enforce runc
exits 0
says '"runc" is unconfined in /etc/apparmor.d/runc'
given batten apparmor unload runc

claim "who may not is told so, and so is who has not mounted securityfs"
as_user() { setpriv --reuid=1000 --regid=1000 --clear-groups batten apparmor "$@"; }
for words in "load hand" "unload first" "list" "status first" "complain first"; do
    # shellcheck disable=SC2086
    run as_user $words
    fails
    says "hint: run as root on the host"
done
unmounted() { unshare --mount bash -c 'umount --lazy /sys/kernel/security && exec batten apparmor "$@"' batten "$@"; }
for words in "load hand" "unload first" "list" "status" "complain first"; do
    # shellcheck disable=SC2086
    run unmounted $words
    fails
    says "mount securityfs"
done

claim "what is no profile is refused for what it is"
run batten apparmor load /etc/batten
exits 3
says "hint: name the files in it"
run batten apparmor load /usr/bin/true
exits 3
says "is it a profile at all?"
head -c 60 hand.bin >cut.bin
run batten apparmor load cut.bin
exits 1
says "the kernel refused to load cut.bin"
run batten apparmor complain ./hand.bin
exits 3
says "name the text that it was compiled from"

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
run batten apparmor status killer
exits 0
says kill
given batten apparmor complain ./killer.toml
run confined killer bash -c 'echo x >/etc/other; echo survived'
says survived
