# The same kernel, started without AppArmor: the policy says what becomes of a
# container then, not the runtime.
# kernel: apparmor=0
. vm-test

bundle() { # JQ-FILTER
    rm -rf /run/b
    make-bundle /run/b "$1" -- cat /etc/plain
}

claim "AppArmor is off"
run cat /sys/module/apparmor/parameters/enabled
says N

claim "runc refuses a profile, crun runs without it and says nothing"
given bundle '.process.apparmorProfile = "fence"'
run runc run --bundle /run/b bare-runc
fails
says apparmor
run crun run --bundle /run/b bare-crun
exits 0
says "nothing special"

for runtime in runc crun; do
    given behind "$runtime"

    claim "$runtime: a policy that wants a profile starts nothing"
    policy <<<'apparmor = { profile = "fence", absent = "deny" }'
    given bundle .
    run batten-runtime run --bundle /run/b "b-$runtime"
    fails
    says "this host has no AppArmor"
    omits "nothing special"

    claim "$runtime: a policy that does without a profile here starts the container"
    policy <<<'apparmor = { profile = "fence", absent = "skip" }'
    given bundle .
    run batten-runtime run --bundle /run/b "b-$runtime"
    exits 0
    says "nothing special"
done
