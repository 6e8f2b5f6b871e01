# batten-runtime before runc and crun, where AppArmor is: the policy's profile is
# what the kernel enforces, whatever the bundle asked for.
. vm-test

what='cat /proc/self/attr/current /etc/plain /etc/secret; grep -E "^(Cap|NoNew|Seccomp)" /proc/self/status'
given apparmor_parser --replace --skip-cache "${0%/*}/profiles/fence" "${0%/*}/profiles/watch"

# A bundle that asks for everything that the policy does not give.
bundle() { # DIR APPARMOR-PROFILE (null: none named)
    rm -rf "$1"
    make-bundle "$1" ".process.apparmorProfile = $2
        | .process.noNewPrivileges = false
        | .process.capabilities |= map_values([\"CAP_SYS_ADMIN\", \"CAP_SYS_PTRACE\", \"CAP_CHOWN\"])
        | del(.linux.seccomp)" -- sh -c "$what"
}

for runtime in runc crun; do
    given behind "$runtime"

    policy <<-'TOML'
	[apparmor]
	profile = "fence"
	own = "replace"
	[no_new_privs]
	required = true
	TOML
    for asked in '"unconfined"' '"watch"' null; do
        claim "$runtime: a bundle that asks for profile $asked runs under the policy's"
        given bundle /run/b "$asked"
        run batten-runtime run --bundle /run/b "b-$runtime"
        says "fence (enforce)"
        says "can't open '/etc/secret': Permission denied"
        says $'NoNewPrivs:\t1'
        that grep -q '"apparmorProfile": *"fence"' /run/b/config.json
    done

    claim "$runtime: what a bundle asks for above the ceiling, the process does not get"
    given bundle /run/b null
    run batten-runtime run --bundle /run/b "b-$runtime"
    says $'CapEff:\t0000000000000001'
    says $'CapBnd:\t0000000000000001'

    claim "$runtime: a policy's profile that is not loaded starts nothing"
    policy <<<'apparmor = { profile = "absent", own = "replace" }'
    given bundle /run/b null
    run batten-runtime run --bundle /run/b "b-$runtime"
    fails
    omits "nothing special"

    claim "$runtime: an unconfined container is refused where the policy names no profile"
    policy <<<'apparmor = { violation = "deny" }'
    given bundle /run/b '"unconfined"'
    run batten-runtime run --bundle /run/b "b-$runtime"
    fails
    says "asks to run unconfined"
    omits "nothing special"
done
