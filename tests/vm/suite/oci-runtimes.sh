# runc and crun by themselves on bundles with an AppArmor profile: what
# batten-runtime hands over to, and what they say when it is not there.
. vm-test

what='cat /proc/self/attr/current /etc/plain /etc/secret'
given apparmor_parser --replace --skip-cache "${0%/*}/profiles/fence" "${0%/*}/profiles/watch"
given make-bundle /run/unnamed -- sh -c "$what"
for profile in fence watch absent; do
    given make-bundle "/run/$profile" ".process.apparmorProfile = \"$profile\"" -- sh -c "$what"
done

for runtime in runc crun; do
    claim "$runtime without a profile inherits no confinement"
    run "$runtime" run --bundle /run/unnamed unnamed
    exits 0
    says unconfined
    says "a secret"

    claim "$runtime under an enforced profile: the denied file is denied"
    run "$runtime" run --bundle /run/fence fence
    exits 1
    says "fence (enforce)"
    says "nothing special"
    says "can't open '/etc/secret': Permission denied"

    claim "$runtime under a complaining profile: the file is read, and the kernel says so"
    given dmesg --clear
    run "$runtime" run --bundle /run/watch watch
    exits 0
    says "watch (complain)"
    says "a secret"
    logs 'apparmor="ALLOWED" operation="open"'

    claim "$runtime refuses a profile that is not loaded"
    run "$runtime" run --bundle /run/absent absent
    fails
    says "o such file or directory" # crun: No, runc: no
    omits "nothing special"
done
