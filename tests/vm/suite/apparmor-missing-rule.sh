#!/bin/bash
# A profile that lacks one rule: the kernel refuses, batten reads the refusal, learn writes the rule, the access passes.
. vm-test

mkdir -p /run/m/{mnt,mounted,new/old} && cd /run/m || exit
cat >base.toml <<'TOML'
name = "lacking"
[capabilities]
allow = ["CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_KILL", "CAP_DAC_OVERRIDE"]
[[files]]
paths = ["/**"]
access = ["read", "write", "map"]
exec = "inherit"
TOML
printf 'profile other {\n  capability,\n  file,\n  signal,\n  ptrace,\n}\n' >other
given batten apparmor load other
bash -c 'echo "exec other" >/proc/self/attr/exec && exec sleep 1000' &
other=$!
is_confined() { [[ $(cat "/proc/$other/attr/current") == "other (enforce)" && $(cat "/proc/$other/comm") == sleep ]]; }
soon is_confined
given mount -t tmpfs none mounted
readonly MS_NOSUID=2 CLONE_NEWUSER=0x10000000 SYS_PIVOT_ROOT=155 PTRACE_SEIZE=0x4206

refused() { [[ $output == *"ermission denied"* || $output == *"not permitted"* ]]; }

# KIND is refused without the rule that LINES of TOML make, and passes with it; learn and denials read just that.
lacks() { # KIND WHAT-DENIALS-SAYS LINES COMMAND...
    local kind=$1 seen=$2 lines=$3
    shift 3
    claim "$kind is refused, learned from the refusal, and then passes"
    cp base.toml lacking.toml
    given batten apparmor load lacking.toml
    given dmesg --clear
    run confined lacking "$@"
    that refused
    given all_logged
    dmesg >log
    run batten denials --log log
    says "$seen"
    run batten apparmor learn --log log --profile lacking lacking.toml
    exits 2
    that [ "$(sed -n 's/^+\([^+]\)/\1/p' <<<"$output")" == "$lines" ]
    given bash -c 'batten apparmor learn --log log --profile lacking lacking.toml --write; (($? == 2))'
    given batten apparmor load lacking.toml
    run confined lacking "$@"
    that not refused
}
not() { ! "$@"; }

lacks "reading another process" "ptrace" $'[[ptrace]]\naccess = ["read"]\npeers = ["other"]' cat "/proc/$other/environ"
lacks "tracing" "ptrace" $'[[ptrace]]\naccess = ["trace"]\npeers = ["other"]' call ptrace $PTRACE_SEIZE "$other" 0 0
lacks "a signal" "signal" $'[[signal]]\naccess = ["send"]\nsignals = ["cont"]\npeers = ["other"]' kill -CONT "$other"
lacks "a mount" "mount" $'[[mount]]\noperation = "mount"\nfstypes = ["tmpfs"]\noptions = ["rw", "nosuid"]\nsource = "none"\ntarget = "/run/m/mnt/"' \
    call mount none /run/m/mnt tmpfs $MS_NOSUID -
lacks "an umount" "umount" $'[[mount]]\noperation = "umount"\ntarget = "/run/m/mounted/"' call umount2 /run/m/mounted 0
# Once allowed it fails otherwise: these are no mounts.
lacks "a change of the root" "pivotroot" $'[[mount]]\noperation = "pivot_root"\nsource = "/run/m/new/old/"\ntarget = "/run/m/new/"' \
    call syscall $SYS_PIVOT_ROOT /run/m/new /run/m/new/old
lacks "a change of profile" "change_profile" $'[[change_profile]]\nto = "other"' \
    busybox sh -c 'echo changeprofile other >/proc/self/attr/current'
lacks "a user namespace" "userns_create" 'userns = "allow"' call unshare $CLONE_NEWUSER

claim "this kernel does not mediate message queues: their rules are shown by the parser only"
that [ ! -e /sys/kernel/security/apparmor/features/ipc/posix_mqueue ]
