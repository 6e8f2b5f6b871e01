#!/bin/bash
# What runc and crun call between loading a container's seccomp filter and starting its program: what any filter must
# allow besides the program's own calls. Measured with strace, as root.
#
#   tests/measure-runtime-needs.sh [RUNS [UID...]]      prints the lines of src/record/runtime-needs.txt for the runtimes here
#
# Each runtime starts a container RUNS times (50 unless told) with and without no_new_privs, as root and as another user
# with further groups, or as each UID; a Go runtime's threads make the set vary from run to run, so the lines are the union.
set -euo pipefail
runs=${1:-50}; shift || true
uids=${*:-0 1000}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
mkdir -p "$work/b/rootfs/bin" "$work/b/rootfs/proc" "$work/b/rootfs/dev" "$work/b/rootfs/sys"
cp /bin/busybox "$work/b/rootfs/bin/busybox"; ln -s busybox "$work/b/rootfs/bin/true"
# crun refuses a hybrid cgroup tree: give it the version 1 part of it.
cat >"$work/crun" <<'EOF'
#!/bin/sh
if [ -d /sys/fs/cgroup/unified ]; then
    exec unshare -m sh -c 'umount /sys/fs/cgroup/unified; exec crun "$@"' crun "$@"
fi
exec crun "$@"
EOF
chmod +x "$work/crun"

bundle() { # no_new_privs uid
    (cd "$work/b" && rm -f config.json && runc spec)
    jq --argjson nnp "$1" --argjson uid "$2" '
        .process.terminal=false | .process.args=["/bin/true"] | .process.noNewPrivileges=$nnp | del(.process.rlimits)
        | .process.user={uid:$uid,gid:$uid,additionalGids:(if $uid>0 then [5,6] else [] end)} | del(.linux.resources)
        | .linux.seccomp={defaultAction:"SCMP_ACT_ALLOW",syscalls:[{names:["acct"],action:"SCMP_ACT_ERRNO"}]}' \
        "$work/b/config.json" >"$work/edited" && mv "$work/edited" "$work/b/config.json"
}

for runtime in runc crun; do
    command -v $runtime >/dev/null || continue
    program=$runtime; [ $runtime = crun ] && program=$work/crun
    for nnp in true false; do
        : >"$work/calls"
        for uid in $uids; do
            bundle $nnp $uid
            for ((run = 0; run < runs; run++)); do
                rm -rf "$work/t"; mkdir "$work/t"
                strace -f -ff -o "$work/t/t" "$program" --root "$work/state" run -b "$work/b" needs$$ >/dev/null 2>&1 ||
                    { echo "$runtime cannot run a container here" >&2; exit 1; }
                # The thread that loads the filter, from there to execve. Its siblings are unfiltered, unless TSYNC.
                awk '/^(seccomp\(SECCOMP_SET_MODE_FILTER, .*\{len|prctl\(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, \{).* = [0-9]/ {on=1; next}
                     on && /^[a-z_0-9]+\(/ {split($0, word, "("); print word[1]}
                     /^execve\(/ {on=0}' "$work"/t/t.* >>"$work/calls"
            done
        done
        kind=$([ $nnp = true ] && echo no_new_privs || echo privileges)
        echo "$runtime $kind $(sort -u "$work/calls" | tr '\n' ' ' | sed 's/ $//')"
    done
done
