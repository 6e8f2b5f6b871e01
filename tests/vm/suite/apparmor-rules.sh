#!/bin/bash
# Each setting of a profile's TOML does in the kernel what docs/apparmor.md says of it.
. vm-test

mkdir -p /run/r/{mnt,other,new/old,gone} && cd /run/r || exit
cat >rules.toml <<'TOML'
name = "rules"
local = true
includes = ["abstractions/hosts_access"]
userns = "deny"
mqueue = "deny"

[capabilities]
allow = ["CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE", "CAP_FOWNER"]
audit = ["CAP_CHOWN"]
deny = ["CAP_MKNOD"]

[[network]]
families = ["inet"]
types = ["stream"]
[[network]]
families = ["inet6"]
types = ["udp"]
[[network]]
families = ["unix"]
types = ["seqpacket"]
[[network]]
families = ["netlink"]
deny = true
audit = true

[[files]]
paths = ["/usr/**", "/vm/guest/bin/call"]
access = ["read", "map"]
exec = "inherit"
[[files]]
paths = ["/", "/etc/ld.so.cache", "@{PROC}/@{pid}/{attr/current,stat,status,maps,environ,mounts}", "@{PROC}/filesystems", "/run/r/"]
access = ["read"]
[[files]]
paths = ["/dev/null", "@{PROC}/@{pid}/attr/{current,exec}", "/run/r/write"]
access = ["write"]
[[files]]
paths = ["/run/r/{read,deleted,denied}", "/file"]
access = ["read"]
[[files]]
paths = ["/run/r/append"]
access = ["append"]
[[files]]
paths = ["/run/r/lock"]
access = ["read", "lock"]
[[files]]
paths = ["/run/r/link"]
access = ["read", "link"]
[[files]]
paths = ["/run/r/map"]
access = ["read", "map"]
[[files]]
paths = ["/run/r/owned-*"]
access = ["read"]
owner = true
[[files]]
paths = ["/run/r/denied"]
access = ["all"]
deny = true
audit = true

[[files]]
paths = ["/run/r/inherit"]
access = ["read", "map"]
exec = "inherit"
[[files]]
paths = ["/run/r/profile"]
exec = "profile"
[[files]]
paths = ["/run/r/target"]
exec = "profile"
target = "worker"
[[files]]
paths = ["/run/r/child"]
exec = "child"
[[files]]
paths = ["/run/r/unconfined"]
exec = "unconfined"
[[files]]
paths = ["/run/r/kept"]
exec = "unconfined"
environment = "keep"
[[files]]
paths = ["/run/r/profile-or-inherit"]
access = ["read", "map"]
exec = "profile-or-inherit"
[[files]]
paths = ["/run/r/child-or-inherit"]
access = ["read", "map"]
exec = "child-or-inherit"
[[files]]
paths = ["/run/r/profile-or-unconfined"]
exec = "profile-or-unconfined"
[[files]]
paths = ["/run/r/child-or-unconfined"]
exec = "child-or-unconfined"

[[signal]]
access = ["send"]
signals = ["cont", "exists", "usr1"]
peers = ["work*"]
[[signal]]
signals = ["usr1"]
peers = ["worker"]
deny = true
audit = true
[[ptrace]]
access = ["read"]
peers = ["worker"]

[[mount]]
operation = "mount"
fstypes = ["tmpfs"]
options = ["rw", "nosuid"]
source = "none"
target = "/run/r/mnt/"
[[mount]]
operation = "remount"
options = ["ro"]
target = "/run/r/mnt/"
[[mount]]
operation = "umount"
target = "/run/r/mnt/"
[[mount]]
operation = "pivot_root"
source = "/run/r/new/old/"
target = "/run/r/new/"

[[change_profile]]
to = "worker"
[[change_profile]]
to = "stranger"
exec = "/run/r/inherit"
TOML
everything='  capability,\n  file,\n  network,\n  unix,\n  signal,\n  ptrace,\n  change_profile,\n'
for name in worker stranger another /run/r/profile; do printf "profile %s {\n$everything}\n" "$name"; done >others
printf '/run/r/local r,\nprofile /run/r/child {\n  file,\n}\n' >/etc/apparmor.d/local/rules
for program in inherit profile target child unconfined kept {profile,child}-or-{inherit,unconfined}; do cp /usr/bin/cat "$program"; done
for file in read write append lock denied local map link-target owned-0 owned-1000 deleted; do echo "words" >"$file"; done
chown 1000 owned-1000
given batten apparmor load rules.toml others

# What the profile allows, and what it refuses.
may() { run confined rules "$@"; exits 0; }
may_not() {
    run confined rules "$@"
    fails
    that grep -Eiq 'permission denied|not permitted' <<<"$output"
}
readonly MS_RDONLY=1 MS_NOSUID=2 MS_REMOUNT=32 CLONE_NEWUSER=0x10000000 SYS_PIVOT_ROOT=155 PTRACE_SEIZE=0x4206

locked='import fcntl, sys; fcntl.flock(open(sys.argv[1]), getattr(fcntl, "LOCK_" + sys.argv[2]) | fcntl.LOCK_NB)'
claim "files are read, written, appended to, locked, linked and mapped by those that may"
may cat read
may_not cat write
may bash -c 'echo x >write'
may_not bash -c 'echo x >read'
may dd if=read count=0 of=append oflag=append conv=notrunc,nocreat
may_not dd if=read count=0 of=append conv=notrunc,nocreat
may_not bash -c 'echo x >>append' # which would create it
may_not dd if=read of=append oflag=append conv=notrunc,nocreat # the open passes, the write does not: docs/apparmor.md
may python3 -Ic "$locked" lock SH
may_not python3 -Ic "$locked" lock EX
may_not python3 -Ic "$locked" read SH
may ln read link
may_not ln read link2
mapped='import mmap, sys; file = open(sys.argv[1]); mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC)'
may python3 -Ic "$mapped" map
may_not python3 -Ic "$mapped" read
may_not /run/r/map

claim "an owner's rule is for the files of the process's own user"
may cat owned-0
may_not cat owned-1000

claim "a denial beats what is allowed, and is logged where that is asked for"
given dmesg --clear
may_not cat denied
logs 'apparmor="DENIED" operation="open"'
says 'name="/run/r/denied"'

claim "included rules and this host's additions count"
echo words >/etc/hosts.allow
may cat /etc/hosts.allow
may cat local
may_not cat /etc/passwd

claim "a program changes its profile as its transition says"
label_of() { # PROGRAM LABEL
    may env "/run/r/$1" /proc/self/attr/current
    says "$2"
}
label_of inherit "rules (enforce)"
label_of profile "/run/r/profile (enforce)"
label_of target "worker (enforce)"
label_of child "rules///run/r/child (enforce)"
label_of unconfined "unconfined"
label_of profile-or-inherit "rules (enforce)"
label_of child-or-inherit "rules (enforce)"
label_of profile-or-unconfined "unconfined"
label_of child-or-unconfined "unconfined"

claim "its environment is scrubbed unless it is kept"
for program in kept unconfined; do
    may env LD_SHOW_AUXV=1 "/run/r/$program" /dev/null
    if [[ $program == kept ]]; then says "AT_SECURE"; else omits "AT_SECURE"; fi
done

claim "capabilities are held, logged and refused"
given dmesg --clear
may chown 1 write
logs 'apparmor="AUDIT" operation="capable"'
says 'capname="chown"'
may_not mknod node c 1 3
may_not setpriv --reuid=1000 true

claim "sockets are opened by family and type"
sockets='
import socket
for family, kind in [("INET", "STREAM"), ("INET", "DGRAM"), ("INET6", "DGRAM"), ("INET6", "STREAM"),
                     ("UNIX", "SEQPACKET"), ("UNIX", "STREAM"), ("NETLINK", "RAW")]:
    try:
        socket.socket(getattr(socket, "AF_" + family), getattr(socket, "SOCK_" + kind))
        print("opened", family, kind)
    except OSError as error:
        print("refused", family, kind, error.errno)
'
given dmesg --clear
may python3 -Ic "$sockets"
for socket in "INET STREAM" "INET6 DGRAM" "UNIX SEQPACKET"; do says "opened $socket"; done
for socket in "INET DGRAM" "INET6 STREAM" "UNIX STREAM" "NETLINK RAW"; do says "refused $socket 13"; done
logs 'family="netlink"'

claim "signals go to the peers that are named, and no others"
for profile in worker stranger; do
    bash -c 'echo "exec $0" >/proc/self/attr/exec && exec sleep 1000' "$profile" &
    declare "$profile=$!"
    under() { [[ $(cat "/proc/$!/attr/current") == "$profile (enforce)" && $(cat "/proc/$!/comm") == sleep ]]; }
    soon under
done
# shellcheck disable=SC2154
may kill -CONT "$worker"
may kill -0 "$worker"
may_not kill -TERM "$worker"
given dmesg --clear
may_not kill -USR1 "$worker"
logs 'operation="signal"'
says 'signal=usr1'
# shellcheck disable=SC2154
may_not kill -CONT "$stranger"

claim "who may read of another process may not trace it"
may cat "/proc/$worker/environ"
may_not cat "/proc/$stranger/environ"
may_not call ptrace $PTRACE_SEIZE "$worker" 0 0

claim "mounts go by type, options, source and target; and so do their ends"
may call mount none /run/r/mnt tmpfs $MS_NOSUID -
may call mount - /run/r/mnt - $((MS_REMOUNT | MS_RDONLY)) -
may_not call mount - /run/r/mnt - $MS_REMOUNT -
may call umount2 /run/r/mnt 0
may_not call mount none /run/r/mnt tmpfs 0 -
may_not call mount none /run/r/mnt ramfs $MS_NOSUID -
may_not call mount other /run/r/mnt tmpfs $MS_NOSUID -
may_not call mount none /run/r/other tmpfs $MS_NOSUID -
given mount -t tmpfs none /run/r/other
may_not call umount2 /run/r/other 0
# It asks AppArmor before it looks whether these are mounts, which they are not.
run confined rules call syscall $SYS_PIVOT_ROOT /run/r/new /run/r/new/old
says "Invalid argument"
may_not call syscall $SYS_PIVOT_ROOT /run/r/other /run/r/other

claim "profiles are changed to those that are named, for the programs that are named"
# Writes WORDS into its own attr/FILE, then executes PROGRAM.
changes() { # FILE WORDS PROGRAM
    run confined rules bash -c 'echo "$1" >"/proc/self/attr/$0" && exec "$2" /proc/self/attr/current' "$@"
}
changes current "changeprofile worker" /run/r/inherit
says "worker (enforce)"
changes exec "exec stranger" /run/r/inherit
says "stranger (enforce)"
changes current "changeprofile another" /run/r/inherit
says "Permission denied"
changes exec "exec stranger" /usr/bin/cat
omits "stranger (enforce)"

claim "user namespaces are as the profile says, where the ABI has a word for them"
may_not call unshare $CLONE_NEWUSER
sed '/^userns/s/deny/allow/' rules.toml >allow.toml
given batten apparmor load allow.toml
may call unshare $CLONE_NEWUSER
sed 's/^local.*/&\nabi = "3.0"/' rules.toml >old.toml
run batten apparmor generate old.toml
says "abi <abi/3.0>,"
says "warning: this parser or ABI has no rule for userns: it stays allowed, whatever the profile says"
given batten apparmor load old.toml
may call unshare $CLONE_NEWUSER

# A file on a mount that is gone, and one that was deleted, by descriptors that the profile's process inherits.
given mount -t tmpfs none gone
echo words >gone/file
exec 7<gone/file 8<deleted
given umount --lazy gone
rm deleted
claim "files that are out of reach have paths, unless the profile says otherwise"
given batten apparmor load rules.toml
may cat /proc/self/fd/7
may cat /proc/self/fd/8
sed 's/^local.*/&\nattach_disconnected = false/' rules.toml >connected.toml
given batten apparmor load connected.toml
run confined rules cat /proc/self/fd/7
fails
