#!/bin/bash
# What the kernel refuses, out of a real journal: systemd-journald by itself,
# which hears the kernel's buffer, its audit socket (which speaks in the first
# network namespace only), and the shim's decisions.
# network: first
. vm-test

claim "where there is no journal, that is said"
for asked in "denials --journal" "apparmor learn --journal --profile x"; do
    # shellcheck disable=SC2086
    run batten $asked
    exits 3
    says "cannot read the journal: this machine keeps none"
    says "hint: "
done

given systemd-machine-id-setup
/usr/lib/systemd/systemd-journald >/run/journald.log 2>&1 &
policy <<'TOML'
seccomp = { log_denials = true, deny = ["mkdir"] }
TOML
behind crun 'log = "syslog"'
given apparmor_parser --replace --skip-cache "${0%/*}/profiles/fence"

# What denials knows by now, and whether FILTER holds of it.
denials_show() { # FILTER
    output=$(batten denials --journal --since "$since" --format json 2>&1)
    jq -e "$1" <<<"$output" >/dev/null
}

claim "journald runs, and keeps the kernel's messages"
soon test -S /run/systemd/journal/socket
soon test -S /run/systemd/journal/dev-log
given ln -sfn /run/systemd/journal/dev-log /dev/log
echo 'something to keep' >/dev/kmsg
soon bash -c "journalctl --boot --output=cat | grep -q 'something to keep'"

came_by() { # TRANSPORT
    journalctl --boot --output=cat "_TRANSPORT=$1" | grep -q 'comm="mkdir"'
}

claim "a refused call is read from the journal once, with its container's policy, though two ways lead there"
since=$(date -u +%Y-%m-%dT%H:%M:%SZ)
given make-bundle /run/b 'del(.linux.seccomp)' -- sh -c 'mkdir /x; mkdir /y; sleep 1; echo end'
run batten-runtime run --bundle /run/b logged
says "end"
says "Operation not permitted"
soon denials_show '[.denials[] | select(.kind == "seccomp" and .what == "mkdir" and .count == 2)] | length == 1'
for way in kernel audit; do
    soon came_by "$way"
done

claim "what AppArmor refuses is a row of its own"
given make-bundle /run/f '.process.apparmorProfile = "fence"' -- cat /etc/secret
run batten-runtime run --bundle /run/f fenced
fails
soon denials_show '[.denials[] | select(.what == "open /etc/secret" and .count == 1)] | length == 1'

claim "the shim's own refusal comes from the journal as well, and no other program's words do"
given make-bundle /run/p '.process.apparmorProfile = "absent"' -- true
run batten-runtime run --bundle /run/p refused
fails
setpriv --reuid=1000 --regid=1000 --clear-groups logger --tag batten-runtime \
    '{"time":"2026-11-25T00:00:00Z","command":"create","id":"by-a-user","verdict":"refused","error":"no"}'
setpriv --reuid=1000 --regid=1000 --clear-groups logger --tag kernel \
    'audit: type=1400 audit(1.2:3): apparmor="DENIED" operation="open" profile="fence" name="/etc/forged" pid=1 comm="x"'
given journalctl --sync
soon denials_show 'any(.denials[]; .container.id == "refused")'
omits by-a-user
omits /etc/forged

claim "it is followed"
batten denials --journal --follow --format json --since "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >/run/found 2>/run/said &
follower=$!
soon pgrep -f 'journalctl.*--follow'
# It goes on until it is found, however long the way through the journal is.
given make-bundle /run/n 'del(.linux.seccomp)' -- sh -c 'mkdir /x; while [ ! -e /found ]; do sleep 0.1; done; echo end'
batten-runtime run --bundle /run/n followed >/run/followed 2>&1 </dev/null &
container=$!
soon jq -es 'any(.kind == "seccomp" and .what == "mkdir" and .container.id == "followed")' /run/found
touch /run/n/rootfs/found
run wait "$container"
exits 0
kill "$follower"

mkdir -p /run/l && cd /run/l || exit
# runc before 1.2 hands its own signals on to the container, now and then the SIGURG with which Go's scheduler wakes a
# thread: without the last rule, each run could teach something new.
cat >job.toml <<'TOML'
name = "job"
mode = "complain"

[[files]]
paths = ["/etc/passwd"]
access = ["read"]

[[signal]]
access = ["receive"]
peers = ["unconfined"]
TOML
job() { # ID
    make-bundle "/run/$1" '.process.apparmorProfile = "job" | del(.linux.seccomp)' -- \
        sh -c 'cat /etc/passwd /etc/plain >/dev/null && echo x >/tmp/made && echo the workload passed' || return
    runc run --bundle "/run/$1" "$1"
}

claim "apparmor learn reads a complaining profile's log from the journal"
given batten apparmor load job.toml
run job complaining
says "the workload passed"
logger --tag kernel 'audit: type=1400 audit(1.2:3): apparmor="ALLOWED" operation="open" profile="job" name="/etc/forged" pid=1 comm="x" requested_mask="r" denied_mask="r"'
given all_logged
given journalctl --sync
run batten apparmor learn --journal --profile job job.toml
exits 2
says '"/etc/plain"'
says '/tmp/made'
omits /etc/forged

claim "under what it learnt the workload passes, enforced"
run batten apparmor learn --journal --profile job job.toml --write
exits 2
given sed -i 's/^mode = "complain"/mode = "enforce"/' job.toml
given batten apparmor load job.toml
run job enforced
says "the workload passed"
given all_logged
given journalctl --sync
run batten apparmor learn --journal --profile job job.toml
exits 0
omits "+++"
