#!/bin/bash
# What the kernel refuses to real containers, and what batten denials makes of
# it: filters with the log flag, AppArmor, a runtime that takes no flags. The
# kernel's news of processes come in the first network namespace only.
# network: first
. vm-test

policy <<'TOML'
seccomp = { log_denials = true, deny = ["mkdir"] }
TOML
given apparmor_parser --replace --skip-cache "${0%/*}/profiles/fence"

behind crun
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
behind runc 'log = "/run/decisions"'
touch /run/decisions
given make-bundle /run/r 'del(.linux.seccomp)' -- sh -c 'mkdir /x; echo end'
run batten-runtime run --bundle /run/r unlogged
says "end"
says "Operation not permitted"
that grep -q '"id":"unlogged".*calls that the filter refuses leave no record' /run/decisions

claim "a workload that is refused a thousand times is one row, and what the kernel dropped is said"
behind crun
echo 5 >/proc/sys/kernel/printk_ratelimit
# By one process: that many of them may take longer than the kernel's five seconds, in which it drops what is too much.
given dmesg --clear
given make-bundle /run/m 'del(.linux.seccomp)' -- sh -c 'mkdir $(seq 200) 2>/dev/null; sleep 6; mkdir /y; sleep 1'
run batten-runtime run --bundle /run/m many
logs "callbacks suppressed"
run batten denials --kmsg
says "incomplete: the logs say that at least"
echo 0 >/proc/sys/kernel/printk_ratelimit # as the other scripts of this machine expect it

rust_suite denials
