# Live recordings on Debian's kernel: version 2 of the control groups, no lockdown, so that BPF programs can be put behind
# cap_capable and see which questions are in earnest.
# limit: 600
. vm-test

many='.process.capabilities |= map_values(["CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_KILL"]) | del(.linux.seccomp)'
touch_programs() { test "$(bpftool prog show | grep -c "name sys_e")" -eq 0; }

for runtime in runc crun; do
    for backend in bpf notify ptrace; do
        claim "$runtime: $backend records a container from its first instruction on, and leaves nothing"
        given make-bundle "/run/$backend-$runtime" "$many" -- sh -c 'ls / > /dev/null; chown 5:5 /tmp; id'
        run batten record run --backend "$backend" --runtime "$runtime" --no-new-privs --args \
            --save "/run/$backend-$runtime.json" -- "/run/$backend-$runtime"
        exits 0
        says 'different system calls'
        that jq -e '[.calls[].name] | (contains(["chown"]) or contains(["fchownat"])) and contains(["getdents64"])' \
            "/run/$backend-$runtime.json"
        that jq -e '[.calls[].name] | contains(["mount"]) or contains(["capset"]) | not' "/run/$backend-$runtime.json"
        that touch_programs
    done

    claim "$runtime: of the capabilities only those that were used are recorded, not what the kernel asks itself"
    run batten record run --backend bpf --runtime "$runtime" --no-new-privs -- "/run/bpf-$runtime"
    says $'capabilities used: CAP_CHOWN\n'
    omits 'may be more than are needed'
    omits 'were not recorded'
done
