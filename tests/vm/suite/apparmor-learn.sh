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

# One of each kind of line that the kernel writes. What stands here already is only what every program needs.
cat >kinds.toml <<'TOML'
name = "kinds"
mode = "complain"
[[files]]
paths = ["/usr/**", "/vm/guest/bin/call"]
access = ["read", "map"]
exec = "inherit"
TOML
mkdir -p /run/k/{mnt,new/old} && echo x >/run/k/file && echo x >/run/k/appended && cp /usr/bin/cat /run/k/program
printf 'profile other {\n  capability,\n  file,\n  signal,\n  ptrace,\n}\n' >other
given batten apparmor load kinds.toml other
bash -c 'echo "exec other" >/proc/self/attr/exec && exec sleep 1000' &
other=$!
is_confined() { [[ $(cat "/proc/$other/attr/current") == "other (enforce)" && $(cat "/proc/$other/comm") == sleep ]]; }
soon is_confined
sockets='import socket
for family, kind in [("INET", "STREAM"), ("INET6", "DGRAM"), ("UNIX", "SEQPACKET"), ("NETLINK", "RAW")]:
    socket.socket(getattr(socket, "AF_" + family), getattr(socket, "SOCK_" + kind))'
mapped='import mmap; file = open("/run/k/program"); mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC)'
readonly MS_RDONLY=1 MS_NOSUID=2 MS_REMOUNT=32 CLONE_NEWUSER=0x10000000 SYS_PIVOT_ROOT=155

# Does one of each; says what failed.
each_kind() {
    try() { confined kinds "$@" >/run/k/said 2>&1 || echo "refused: $*: $(</run/k/said)"; }
    try /run/k/program /run/k/file
    try bash -c 'echo x >/run/k/written && dd if=/dev/null of=/run/k/appended oflag=append conv=notrunc,nocreat'
    try bash -c 'exec 9</run/k/file && flock --nonblock 9'
    try ln -f /run/k/file /run/k/linked
    try mv /run/k/linked /run/k/moved
    try rm /run/k/moved
    try mknod /run/k/node c 1 3
    rm -f /run/k/node
    try python3 -Ic "$mapped"
    try setpriv --reuid=1000 true
    try python3 -Ic "$sockets"
    try kill -CONT "$other"
    try cat "/proc/$other/environ"
    try call mount none /run/k/mnt tmpfs $MS_NOSUID -
    try call mount - /run/k/mnt - $((MS_REMOUNT | MS_RDONLY)) -
    try call umount2 /run/k/mnt 0
    # EINVAL comes after AppArmor's word: these are no mounts.
    confined kinds call syscall $SYS_PIVOT_ROOT /run/k/new /run/k/new/old 2>&1 | grep -v "Invalid argument"
    try call unshare $CLONE_NEWUSER
    try bash -c 'echo "changeprofile other" >/proc/self/attr/current'
}

claim "each kind of line becomes the rule under which the access passes"
given dmesg --clear
run each_kind
omits "refused"
given all_logged
dmesg >log3
run batten apparmor learn --log log3 --profile kinds kinds.toml --write
exits 2
omits "not proposed"
given sed -i 's/^mode = "complain"/mode = "enforce"/' kinds.toml
given batten apparmor load kinds.toml
run each_kind
omits "refused"
omits "ermission denied"
# The rules are those of the kinds, and none stands for everything.
run cat kinds.toml
for words in '"lock"' '"link"' '"append"' '"map"' 'CAP_MKNOD' 'CAP_SETUID' '"netlink"' 'signals = ["cont"]' '[[ptrace]]' \
    'operation = "mount"' 'operation = "remount"' 'operation = "umount"' 'operation = "pivot_root"' 'userns = "allow"' \
    '[[change_profile]]'; do says "$words"; done

claim "what enforcement refuses teaches as well"
sed -i '/^\[\[ptrace\]\]/,/^$/d' kinds.toml
given batten apparmor load kinds.toml
given dmesg --clear
run confined kinds cat "/proc/$other/environ"
fails
given all_logged
dmesg >log4
run batten apparmor learn --log log4 --profile kinds kinds.toml
exits 2
says "+[[ptrace]]"
