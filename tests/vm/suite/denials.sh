#!/bin/bash
# What the kernel refuses to real containers, and what batten denials makes of
# it: filters with the log flag, AppArmor, a runtime that takes no flags.
. vm-test

mkdir -p /etc/batten
cat >/etc/batten/policy.toml <<'TOML'
[seccomp]
log_denials = true
deny = ["mkdir"]
TOML
behind() { printf 'runtime = "%s"\nlog = "/run/decisions"\n' "$(command -v "$1")" >/etc/batten/runtime.toml; }
given apparmor_parser --replace --skip-cache "${0%/*}/profiles/fence"

# The kernel's news of processes come in the first network namespace only.
follow() {
    : >/run/found
    nsenter --net=/proc/1/ns/net batten denials --kmsg --decisions /run/decisions --follow --format json \
        --since "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >/run/found 2>/run/said &
    follower=$!
    soon listens
}
listens() { # to the kernel's log and to its news
    local open
    open=$(readlink "/proc/$follower/fd/"*)
    [[ $open == */dev/kmsg* && $open == *socket:* ]]
}

claim "crun: a refused call is named with its container and the policy's line, though its process is gone"
given behind crun
touch /run/decisions
given make-bundle /run/b 'del(.linux.seccomp)' -- sh -c 'mkdir /x; sleep 2; echo end'
follow
run batten-runtime run --bundle /run/b logged
says "end"
says "Operation not permitted"
soon jq -es 'any(.kind == "seccomp" and .what == "mkdir" and .container.id == "logged")' /run/found
run jq -s '.[] | select(.kind == "seccomp")' /run/found
says 'policy.toml:3 (seccomp.deny)'
says '"outcome": "refused"'
kill "$follower"

claim "what AppArmor refuses is a row beside it"
given dmesg --clear
given make-bundle /run/f '.process.apparmorProfile = "fence"' -- cat /etc/secret
run batten-runtime run --bundle /run/f fenced
fails
logs 'apparmor="DENIED"'
run batten denials --kmsg --fail-on-any
exits 1
says "refused open /etc/secret [apparmor]"
says "policy: profile fence"

claim "runc without flags starts the container all the same, and the log of decisions says what is missing"
given behind runc
given make-bundle /run/r 'del(.linux.seccomp)' -- sh -c 'mkdir /x; echo end'
run batten-runtime run --bundle /run/r unlogged
says "end"
says "Operation not permitted"
that grep -q '"id":"unlogged".*calls that the filter refuses leave no record' /run/decisions

claim "a workload that is refused a thousand times is one row, and what the kernel dropped is said"
given behind crun
echo 5 >/proc/sys/kernel/printk_ratelimit
given dmesg --clear
given make-bundle /run/m 'del(.linux.seccomp)' -- sh -c 'for i in $(seq 200); do mkdir /x 2>/dev/null; done; sleep 6; mkdir /y; sleep 1'
run batten-runtime run --bundle /run/m many
logs "callbacks suppressed"
run batten denials --kmsg
says "incomplete: the logs say that at least"
echo 0 >/proc/sys/kernel/printk_ratelimit # as the other scripts of this machine expect it

# Its last test needs the first network namespace; the first claim above is the same.
rust_suite denials --skip a_refused_call_is_named
