# The kernel has what the other scripts stand on: if one of these fails, the
# fault is the machine's.
. vm-test

claim "AppArmor is on, next to the BPF LSM"
run cat /sys/module/apparmor/parameters/enabled /sys/kernel/security/lsm
says Y
says apparmor
says bpf

claim "control groups are version 2, with their controllers"
run stat -f -c %T /sys/fs/cgroup
says cgroup2fs
run cat /sys/fs/cgroup/cgroup.subtree_control
says memory
says pids
says cpu

claim "root has every capability that the kernel knows"
run capsh --has-b=cap_sys_admin,cap_sys_resource,cap_checkpoint_restore,cap_bpf,cap_mac_admin
exits 0
run bash -c 'printf "%x\n" $(((2 << $(cat /proc/sys/kernel/cap_last_cap)) - 1)); grep CapBnd /proc/self/status'
that test "$(head -n 1 <<<"$output" | sed 's/^0*//')" = "$(sed -n 's/^CapBnd:\t0*//p' <<<"$output")"

claim "seccomp notifies and logs"
run cat /proc/sys/kernel/seccomp/actions_avail
says user_notif
says log

claim "system calls can be traced: BTF, tracepoints, strace"
that test -s /sys/kernel/btf/vmlinux
that test -d /sys/kernel/tracing/events/syscalls/sys_enter_openat
run bpftool feature probe kernel
says "eBPF program_type tracing is available"
run strace -f -e trace=mkdir mkdir /tmp/traced
says 'mkdir("/tmp/traced"'

claim "this script has the clean disk to itself"
that test ! -e /etc/left-by-another-script
that test -w /etc
