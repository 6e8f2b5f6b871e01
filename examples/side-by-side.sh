#!/bin/sh
# Runs one privileged container twice, by runc alone and through batten-runtime, and shows what the kernel says of each.
set -eu

shim=${1:?usage: side-by-side.sh BATTEN-RUNTIME}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

bundle() {
    mkdir -p "$1/rootfs/bin" "$1/rootfs/proc" "$1/rootfs/dev" "$1/rootfs/sys" "$1/rootfs/mnt"
    cp /bin/busybox "$1/rootfs/bin/busybox"
    for applet in sh grep mount unshare sed; do ln -s busybox "$1/rootfs/bin/$applet"; done
    # What `docker run --privileged` asks for: every capability, no filter, set-user-ID files at work.
    runc spec --bundle "$1"
    jq --arg script "$script" --argjson names "$names" '
        .process.terminal = false | .process.noNewPrivileges = false | .root.readonly = false
        | .process.args = ["/bin/sh", "-c", $script]
        | .process.capabilities = (["bounding","effective","permitted"] | map({(.): $names}) | add)
        | del(.linux.seccomp)' "$1/config.json" > "$1/config.new"
    mv "$1/config.new" "$1/config.json"
}

# The capabilities that this machine has to give.
names=$(jq -nc --arg bits "$(sed -n 's/^CapBnd:\t//p' /proc/self/status)" --arg all "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE" '
    def digit: . as $c | "0123456789abcdef" | index($c);
    def bit($n): ($bits | explode | reverse | map([.] | implode | digit)) as $d | ($d[$n / 4 | floor] / pow(2; $n % 4) | floor) % 2 == 1;
    [$all | split(" ") | to_entries[] | select(.key as $n | bit($n)) | "CAP_" + .value]')

script='grep -E "^(CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status
mount -t tmpfs none /mnt 2>/dev/null && echo "mount: allowed" || echo "mount: refused"
unshare -U true 2>/dev/null && echo "new user namespace: allowed" || echo "new user namespace: refused"'

bundle "$work/alone"
bundle "$work/batten"
runc --root "$work/state" run --bundle "$work/alone" alone-$$ > "$work/alone.txt"
"$shim" --root "$work/state" run --bundle "$work/batten" batten-$$ > "$work/batten.txt"

printf '%-40s%s\n' 'runc alone' 'through batten-runtime'
printf '%-40s%s\n' '----------' '----------------------'
paste -d '|' "$work/alone.txt" "$work/batten.txt" | tr '\t' ' ' | awk -F '|' '{ printf "%-40s%s\n", $1, $2 }'
