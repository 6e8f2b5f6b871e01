#!/bin/bash
# `apparmor.profile = "builtin:default"`: the shim names and loads the profile for the capabilities that it leaves.
. vm-test

mkdir -p /etc/batten
for runtime in runc crun; do
    echo "runtime = \"$(command -v "$runtime")\"" >/etc/batten/runtime.toml
    for ceiling in @docker CAP_SYS_ADMIN; do
        claim "$runtime: a container with at most $ceiling mounts as its capabilities say"
        printf '[capabilities]\nceiling = ["%s"]\n[apparmor]\nprofile = "builtin:default"\nown = "replace"\n' "$ceiling" >/etc/batten/policy.toml
        rm -rf /run/b
        given make-bundle /run/b '.process.capabilities |= map_values(["CAP_SYS_ADMIN", "CAP_CHOWN"]) | del(.linux.seccomp)' -- \
            sh -c 'cat /proc/self/attr/current; mount -t tmpfs none /tmp && echo mounted'
        run batten-runtime run --bundle /run/b "p-$runtime"
        says "batten-default-"
        says "(enforce)"
        if [[ $ceiling == CAP_SYS_ADMIN ]]; then says mounted; else omits mounted; fi
        run batten apparmor list
        says "batten-default-"
    done
done

claim "once loaded, the profile is not loaded again"
for profile in $(batten apparmor list | sed -n 's/.*\t\(batten-default-\)/\1/p'); do given batten apparmor unload "$profile"; done
run batten-runtime run --bundle /run/b first
says "(enforce)"
run strace -f -e trace=execve -o /run/trace batten-runtime run --bundle /run/b second
says "(enforce)"
that test "$(grep -c apparmor_parser /run/trace)" = 0
