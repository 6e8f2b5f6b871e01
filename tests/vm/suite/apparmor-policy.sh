#!/bin/bash
# `apparmor.profile = "builtin:default"`: the shim names and loads the profile for the capabilities that it leaves.
. vm-test

for runtime in runc crun; do
    behind "$runtime"
    for ceiling in @docker CAP_SYS_ADMIN; do
        claim "$runtime: a container with at most $ceiling mounts as its capabilities say"
        policy <<-TOML
		capabilities.ceiling = ["$ceiling"]
		apparmor = { profile = "builtin:default", own = "replace" }
	TOML
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

apparmor_policy() { printf '[seccomp]\nviolation = "off"\n[apparmor]\n%b' "$1" | policy; }
bundle() { # JQ-FILTER
    rm -rf /run/b
    given make-bundle /run/b "$1" -- sh -c 'cat /proc/self/attr/current; cat /etc/secret'
}
given batten apparmor load "${0%/*}/profiles/fence" "${0%/*}/profiles/watch"

for runtime in runc crun; do
    behind "$runtime"

    claim "$runtime: a profile that is not loaded is refused, in batten's words"
    apparmor_policy ''
    bundle '.process.apparmorProfile = "nowhere"'
    run batten-runtime run --bundle /run/b "m-$runtime"
    fails
    says 'the profile "nowhere" is not loaded'

    claim "$runtime: where the policy names a fallback, it takes the place of a missing profile"
    apparmor_policy 'fallback = { when = "missing", profile = "fence" }\n'
    run batten-runtime run --bundle /run/b "f-$runtime"
    says "fence (enforce)"
    says "Permission denied"

    claim "$runtime: a profile in complain mode is refused where the policy does not let it through"
    apparmor_policy 'complain = false\n'
    bundle '.process.apparmorProfile = "watch"'
    run batten-runtime run --bundle /run/b "c-$runtime"
    fails
    says "is in complain mode"

    claim "$runtime: a profile that is not allowed gives way to the policy's"
    apparmor_policy 'profile = "fence"\nallowed = ["f*"]\n'
    run batten-runtime run --bundle /run/b "a-$runtime"
    says "fence (enforce)"

    claim "$runtime: no blank makes unconfined another name"
    apparmor_policy ''
    bundle '.process.apparmorProfile = "unconfined "'
    run batten-runtime run --bundle /run/b "u-$runtime"
    fails
    says "asks to run unconfined"

    claim "$runtime: a container that names no profile is refused where one is required"
    apparmor_policy 'required = true\n'
    bundle 'del(.process.apparmorProfile)'
    run batten-runtime run --bundle /run/b "r-$runtime"
    fails
    says "no AppArmor profile is named"
done
