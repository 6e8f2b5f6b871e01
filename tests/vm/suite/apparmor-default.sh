#!/bin/bash
# batten's own profile for containers: it follows the capabilities, and lets in the signals of those who may stop one.
. vm-test

# Prints the name of the profile for these capabilities, loaded.
default_for() { # CAP,...
    batten apparmor generate --default --caps "$1" >"/run/default.$1" || return
    batten apparmor load "/run/default.$1" >&2 || return
    sed -n 's/^# \(batten-default-.*\)/\1/p' "/run/default.$1"
}
# A bundle whose process holds @docker's capabilities and CAP_SYS_ADMIN, whatever the profile says.
bundle() { # DIR PROFILE COMMAND...
    local dir=$1 profile=$2
    shift 2
    rm -rf "$dir"
    make-bundle "$dir" ".process.apparmorProfile = \"$profile\"
        | .process.capabilities |= map_values(. + [\"CAP_SYS_ADMIN\"] | unique) | del(.linux.seccomp)
        | .linux.readonlyPaths = [] | .linux.maskedPaths = []" -- "$@"
}

claim "the profile for every set loads on this parser and kernel"
for caps in '' @docker @all CAP_SYS_ADMIN CAP_NET_ADMIN,CAP_BPF; do
    run default_for "$caps"
    exits 0
    says "batten-default-"
done
without=$(default_for @docker 2>/dev/null) with=$(default_for @docker,CAP_SYS_ADMIN 2>/dev/null)

for runtime in runc crun; do
    claim "$runtime: with CAP_SYS_ADMIN granted, mount follows"
    given bundle /run/b "$with" sh -c 'cat /proc/self/attr/current && mount -t tmpfs none /mnt && echo mounted && umount /mnt && echo unmounted'
    mkdir -p /run/b/rootfs/mnt
    run "$runtime" run --bundle /run/b "m-$runtime"
    exits 0
    says "$with (enforce)"
    says "mounted"
    says "unmounted"

    claim "$runtime: with CAP_SYS_ADMIN dropped, mount is denied, even by who holds it"
    given bundle /run/b "$without" sh -c 'mount -t tmpfs none /mnt && echo mounted'
    mkdir -p /run/b/rootfs/mnt
    given dmesg --clear
    run "$runtime" run --bundle /run/b "n-$runtime"
    fails
    says "Permission denied"
    omits "mounted"
    logs 'apparmor="DENIED" operation="mount"'

    claim "$runtime: the kernel's files are closed, IPC's own and /proc of processes are open"
    given bundle /run/b "$without" sh -c 'for f in /proc/sys/kernel/core_pattern /proc/sys/vm/swappiness /proc/sysrq-trigger /proc/sys/kernel/shmmax /proc/self/oom_score_adj; do
        if echo 0 >$f; then echo "wrote $f"; fi; done; cat /proc/kcore | head -c 1; ls /sys/kernel/security/apparmor'
    run "$runtime" run --bundle /run/b "k-$runtime"
    for file in /proc/sys/kernel/core_pattern /proc/sys/vm/swappiness /proc/sysrq-trigger; do omits "wrote $file"; done
    says "wrote /proc/sys/kernel/shmmax"
    says "wrote /proc/self/oom_score_adj"
    says "can't open '/proc/kcore': Permission denied"

    claim "$runtime: processes of a container signal and trace each other"
    given bundle /run/b "$without" sh -c 'sleep 100 & cat /proc/$!/environ >/dev/null && kill -TERM $! && echo "read and signalled"'
    run "$runtime" run --bundle /run/b "s-$runtime"
    says "read and signalled"

    claim "$runtime: what is executed into a container with fewer capabilities signals the others in it"
    given bundle /run/b "$with" sleep 100
    given "$runtime" run --detach --bundle /run/b "e-$runtime"
    run "$runtime" exec --apparmor "$without" "e-$runtime" sh -c 'cat /proc/self/attr/current; kill -0 1 && echo reached'
    says "$without (enforce)"
    says "reached"

    claim "$runtime: the runtime stops the container"
    run "$runtime" kill "e-$runtime" KILL
    exits 0
    stopped() { "$runtime" state "e-$runtime" | grep -q '"status": "stopped"'; }
    soon stopped
    "$runtime" delete --force "e-$runtime"
done

# The unconfined profiles that distributions load for the runtimes: their processes have another label than unconfined.
for runtime in runc crun; do
    claim "$runtime under the distribution's profile of its name stops containers"
    given apparmor_parser --replace --skip-cache "/etc/apparmor.d/$runtime"
    given bundle /run/b "$without" sleep 100
    given confined "$runtime" "$runtime" run --detach --bundle /run/b "d-$runtime"
    run confined "$runtime" cat /proc/self/attr/current
    says "$runtime (unconfined)"
    run confined "$runtime" "$runtime" kill "d-$runtime" TERM
    exits 0
    run confined "$runtime" "$runtime" kill "d-$runtime" KILL
    exits 0
    stopped() { "$runtime" state "d-$runtime" | grep -q '"status": "stopped"'; }
    soon stopped
    "$runtime" delete --force "d-$runtime"
done

claim "an engine under a stack of profiles stops the containers that were made for it, and a stranger does not"
for name in engine layer stranger; do
    printf 'abi <abi/4.0>,\nprofile %s {\n  capability,\n  file,\n  network,\n  unix,\n  signal,\n  ptrace,\n  mount,\n  change_profile,\n}\n' "$name" >"/run/$name"
    given apparmor_parser --replace --skip-cache "/run/$name"
done
stacked() { # COMMAND... under engine and layer at once
    bash -c 'echo "exec engine" >/proc/self/attr/exec && exec "$0" "$@"' bash -c 'echo "stack layer" >/proc/self/attr/exec && exec "$0" "$@"' "$@"
}
run stacked cat /proc/self/attr/current
says "engine"
says "//&"
says "layer"
run stacked batten apparmor generate --default --caps @docker
says 'signal (receive) peer="engine",'
says 'signal (receive) peer="layer",'
printf '%s' "$output" >/run/stacked-default
given batten apparmor load /run/stacked-default
stacked_name=$(sed -n 's/^# \(batten-default-.*\)/\1/p' /run/stacked-default)
bash -c 'echo "exec $0" >/proc/self/attr/exec && exec sleep 100' "$stacked_name" &
sleeper=$!
under() { [[ $(cat "/proc/$sleeper/attr/current") == "$stacked_name (enforce)" && $(cat "/proc/$sleeper/comm") == sleep ]]; }
soon under
run confined stranger kill -TERM "$sleeper"
fails
says "Permission denied"
run stacked kill -TERM "$sleeper"
exits 0
gone() { ! kill -0 "$sleeper" 2>/dev/null; }
soon gone

claim "sockets follow CAP_NET_RAW, and the kernel's cryptography stays closed"
raw=$(default_for CAP_NET_RAW 2>/dev/null) plain=$(default_for '' 2>/dev/null)
sockets='
import socket
for name, make in [("tcp", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM)), ("unix", lambda: socket.socketpair()),
                   ("netlink", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)),
                   ("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)), ("raw6", lambda: socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58)),
                   ("packet", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)), ("alg", lambda: socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET))]:
    try:
        make()
        print("opened", name)
    except OSError as error:
        print("refused", name, error.errno)
'
run confined "$raw" python3 -c "$sockets"
for kind in tcp unix netlink raw raw6 packet; do says "opened $kind"; done
says "refused alg 13"
run confined "$plain" python3 -c "$sockets"
for kind in tcp unix netlink; do says "opened $kind"; done
for kind in raw raw6 packet alg; do says "refused $kind 13"; done

claim "user namespaces follow CAP_SYS_ADMIN"
run confined "$with" unshare --user true
exits 0
given dmesg --clear
run confined "$without" unshare --user true
fails
logs 'operation="userns_create"'

claim "a loaded profile is not loaded again, and its file is kept"
given batten apparmor unload "$without"
policy <<<'apparmor = { profile = "builtin:default" }'
run batten apparmor load --needed
exits 0
says "is loaded (enforce)"
that test -e "/var/cache/batten/apparmor/$without"
written=$(stat -c %Y.%i "/var/cache/batten/apparmor/$without")
run batten apparmor load --needed
exits 0
that test "$(stat -c %Y.%i "/var/cache/batten/apparmor/$without")" = "$written"
