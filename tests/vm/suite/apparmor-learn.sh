#!/bin/bash
# From complain to enforce: a workload's log becomes a profile under which the workload passes, and nothing much else.
. vm-test

mkdir -p /run/l && cd /run/l || exit
cat >job.toml <<'TOML'
# What we know of it so far.
name = "job"
mode = "complain"

[[files]]
paths = ["/etc/passwd"]
access = ["read"]

[[files]]
paths = ["/etc/plain"]
access = ["read"]
deny = true
audit = true
TOML
# Reads, writes, executes, signals, mounts, listens; its files have quotes, spaces and random names.
work='set -e
cat /etc/passwd >/dev/null
cat "/etc/hosts file" >/dev/null
f=$(mktemp); echo x >$f; cat $f >/dev/null; mv $f "/tmp/say \"hi\""
cat /proc/$$/status >/dev/null
ls / >/dev/null
sleep 100 & kill -TERM $!
chown 1 "/tmp/say \"hi\""
mount -t tmpfs none /mnt; umount /mnt
nc -l -p 7777 127.0.0.1 </dev/null &
tries=0; until cat /proc/net/tcp /proc/net/tcp6 | grep -q :1E61; do tries=$((tries + 1)); [ $tries -lt 100 ]; sleep 0.1; done; kill $!
echo the workload passed'

bundle() {
    rm -rf /run/b
    make-bundle /run/b '.process.apparmorProfile = "job" | del(.linux.seccomp)
        | .process.capabilities |= map_values(["CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_KILL", "CAP_DAC_OVERRIDE"])' -- sh -c "$1" || return
    mkdir -p /run/b/rootfs/mnt
    echo x >'/run/b/rootfs/etc/hosts file'
}

# Nothing of the kernel's is lost while we learn.
echo 0 >/proc/sys/kernel/printk_ratelimit
given dmesg --clear

claim "in complain mode the workload passes and is logged"
given batten apparmor load job.toml
given bundle "$work"
run runc run --bundle /run/b one
says "the workload passed"
given all_logged
that in_kernel_log 'apparmor="ALLOWED"'

claim "learn shows the rules as a diff, and changes nothing"
dmesg >log
cp job.toml before.toml
run batten apparmor learn --log log --profile job job.toml
exits 2
says "--- job.toml"
says '+    "/etc/hosts file",'
says '/tmp/tmp.??????'
says 'warning: capability sys_admin: the capability reaches beyond the container'
says "made wider than /tmp/tmp."
that cmp job.toml before.toml

claim "under what was learned the workload passes, enforced"
run batten apparmor learn --log log --profile job job.toml --write
exits 2
that grep -q '^# What we know of it so far.$' job.toml
given sed -i 's/^mode = "complain"/mode = "enforce"/' job.toml
given batten apparmor load job.toml
run batten apparmor status job
says enforce
given bundle "$work"
given dmesg --clear
run runc run --bundle /run/b two
says "the workload passed"
exits 0

claim "the same log teaches nothing more"
run batten apparmor learn --log log --profile job job.toml
exits 0
omits "+++"

claim "what the workload did not do stays denied, and so does what was denied by name"
given bundle 'cat /etc/secret; cat /etc/plain; echo x >/etc/new; nc -u -l -p 7778; echo end'
run runc run --bundle /run/b three
says "can't open '/etc/secret': Permission denied"
says "can't open '/etc/plain': Permission denied"
says "can't create /etc/new: Permission denied"

claim "a denial by name is not unlearned"
given all_logged
dmesg >log2
run batten apparmor learn --log log2 --profile job job.toml
says "/etc/plain is not proposed: denied by a rule"
says '/etc/secret'
