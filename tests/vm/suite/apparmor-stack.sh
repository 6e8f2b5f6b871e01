#!/bin/bash
# Containers under several profiles at once: batten reads a stack as the kernel does, before the start and afterwards.
. vm-test

# By the shell itself: under a profile that complains, no_new_privs lets nothing be executed.
what='read -r label </proc/self/attr/current; echo "$label"; for f in /etc/secret /etc/plain; do read -r line <$f && echo "read $f"; done'
everything='  capability,\n  file,\n  network,\n  unix,\n  signal,\n  ptrace,\n  mount,\n  umount,\n  pivot_root,\n  change_profile,\n'
printf "abi <abi/4.0>,\nprofile layer flags=(attach_disconnected) {\n$everything  deny /etc/plain r,\n}\n" >/run/layer
sed "s/layer/engine/; /deny/d" /run/layer >/run/engine
given batten apparmor load "${0%/*}/profiles/fence" "${0%/*}/profiles/watch" /run/layer /run/engine

apparmor_policy() { printf '[seccomp]\nviolation = "off"\n[apparmor]\n%s\n' "$1" | policy; }
bundle() { # PROFILE COMMAND...
    rm -rf /run/b
    make-bundle /run/b ".process.apparmorProfile = \"$1\"" -- "${@:2}"
}
starts() { # PROFILE
    given bundle "$1" sh -c "$what"
    run batten-runtime run --bundle /run/b "s-$RANDOM"
}

for runtime in runc crun; do
    behind "$runtime"

    claim "$runtime: a container under a stack is refused what each of its profiles refuses"
    apparmor_policy 'complain = false'
    starts 'layer//&fence'
    says "fence//&layer (enforce)"
    says "can't open /etc/secret: Permission denied"
    says "can't open /etc/plain: Permission denied"

    claim "$runtime: a stack refuses as its strictest profile does, and one of lenient ones is told"
    starts 'fence//&watch'
    says "fence//&watch (mixed)"
    omits "read /etc/secret"
    starts 'watch//&unconfined'
    fails
    says 'the profile "watch//&unconfined" is in complain mode: it refuses nothing'

    claim "$runtime: a profile on top of the runtime's own label is judged by itself"
    starts '&fence'
    says "fence//&unconfined (enforce)"
    omits "read /etc/secret"
    starts '&unconfined'
    fails
    says "the container asks to run unconfined"

    claim "$runtime: one missing profile of a stack refuses the start, in batten's words, unless there is a fallback"
    starts 'fence//&absent'
    fails
    says 'the profile "absent" of the stack "fence//&absent" is not loaded'
    apparmor_policy 'fallback = { when = "missing", profile = "fence" }'
    starts 'fence//&absent'
    says "fence (enforce)"
done

# Which containers under STACK the policy finds to be looser than it is.
attested() { # STACK POLICY
    crun delete --force attested
    apparmor_policy ''
    given bundle "$1" sleep 1000
    given batten-runtime run --detach --bundle /run/b attested
    apparmor_policy "$2"
    run batten attest --container attested
}

claim "a stack attests by the strictest of its profiles, and by the policy's where it is among them"
attested 'fence//&watch' 'complain = false'
exits 0
says "AppArmor fence//&watch (mixed)"
attested 'fence//&layer' $'profile = "layer"\nallowed = ["layer"]'
exits 0
attested 'fence//&watch' $'profile = "layer"\nallowed = ["layer"]'
exits 1
attested 'watch//&unconfined' $'complain = false\nrequired = true'
exits 1
says "refuses nothing"

claim "in a stack, status says what it is in"
run confined 'layer//&fence' batten apparmor status
exits 0
says "this process: fence//&layer"

claim "an engine under a stack starts and stops containers under batten's own profile"
apparmor_policy $'profile = "builtin:default"\nown = "replace"'
given bundle fence sh -c 'trap "exit 7" TERM; cat /proc/self/attr/current; sleep 1000 & wait'
confined 'layer//&engine' batten-runtime run --bundle /run/b stopped >/run/stopped 2>&1 </dev/null &
runtime=$!
is_own() { grep -q '^batten-default-.* (enforce)$' /run/stopped; }
soon is_own
run confined 'layer//&engine' crun kill stopped TERM
exits 0
run wait $runtime
exits 7

claim "processes under a stack with batten's own profile signal and read each other"
given bash -c 'batten apparmor generate --default --caps @docker >/run/own && batten apparmor load /run/own'
own=$(sed -n 's/^# \(batten-default-.*\)/\1/p' /run/own)
run confined "$own//&layer" sh -c 'cat /proc/self/attr/current; sleep 100 & cat /proc/$!/environ >/dev/null && kill -TERM $! && echo reached'
says "$own//&layer (enforce)"
says "reached"

claim "profiles of a namespace of AppArmor's are listed, judged and unloaded by their full names"
given mkdir /sys/kernel/security/apparmor/policy/namespaces/inner
given apparmor_parser --namespace inner --replace --skip-cache /run/layer
run batten apparmor list
says $'enforce\t:inner:layer'
run batten apparmor status :inner:layer
exits 0
apparmor_policy 'complain = false'
starts 'fence//&:inner:layer'
says "can't open /etc/secret: Permission denied"
says "can't open /etc/plain: Permission denied"
run batten apparmor unload :inner:layer
exits 0
run batten apparmor status :inner:layer
exits 1
rmdir /sys/kernel/security/apparmor/policy/namespaces/inner
