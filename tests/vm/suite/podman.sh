# Podman with and without batten-runtime, where AppArmor is.
. vm-test

what='cat /proc/self/attr/current /etc/plain /etc/secret; grep -E "^(Cap|NoNew)" /proc/self/status'
image=docker.io/library/busybox:latest
mkdir -p /etc/batten
given apparmor_parser --replace --skip-cache "${0%/*}/profiles/fence"
given podman load --quiet --input /opt/images/busybox.tar

claim "Podman confines a container by its own default profile"
run podman run --rm --network none "$image" sh -c "$what"
exits 0
says containers-default
says "(enforce)"

claim "Podman refuses a profile that is not loaded, before any runtime runs"
run podman run --rm --network none --security-opt apparmor=absent "$image" true
exits 126
says "AppArmor profile \"absent\" specified but not loaded"

for runtime in runc crun; do
    echo "runtime = \"$(command -v $runtime)\"" >/etc/batten/runtime.toml
    cp "${0%/*}/engines/policy.toml" /etc/batten/policy.toml

    claim "Podman through batten-runtime and $runtime: the policy's profile and capabilities hold"
    run podman --runtime "$BATTEN_RUNTIME" run --rm --network none "$image" sh -c "$what"
    says "fence (enforce)"
    says "can't open '/etc/secret': Permission denied"
    says $'CapBnd:\t0000000000000021'
    says $'NoNewPrivs:\t1'

    claim "Podman through batten-runtime and $runtime: --privileged changes nothing about it"
    run podman --runtime "$BATTEN_RUNTIME" run --rm --network none --privileged "$image" sh -c "$what"
    says "fence (enforce)"
    says $'CapBnd:\t0000000000000021'
    says $'NoNewPrivs:\t1'
done

claim "podman exec --privileged stays within the policy"
given podman --runtime "$BATTEN_RUNTIME" run --detach --name sleeper --network none "$image" sleep 1000
run podman --runtime "$BATTEN_RUNTIME" exec --privileged sleeper sh -c "$what"
says "fence (enforce)"
says "can't open '/etc/secret': Permission denied"
says $'CapBnd:\t0000000000000021'
says $'NoNewPrivs:\t1'

claim "a build's RUN stays within the policy, whatever capabilities the build is given"
mkdir -p /run/build
printf 'FROM %s\nRUN cat /proc/self/attr/current /proc/self/status\n' "$image" >/run/build/Dockerfile
run podman --runtime "$BATTEN_RUNTIME" build --no-cache --network none --cap-add ALL /run/build
exits 0
says "fence (enforce)"
says $'CapBnd:\t0000000000000021'
says $'NoNewPrivs:\t1'

claim "Podman stops a container under batten's own profile by the signal that it sends first"
echo 'apparmor = { profile = "builtin:default", own = "replace" }' >/etc/batten/policy.toml
given podman --runtime "$BATTEN_RUNTIME" run --detach --name own --network none "$image" \
    sh -c 'trap "exit 7" TERM; cat /proc/self/attr/current; sleep 1000 & wait'
confined() { podman logs own | grep -q '^batten-default-.* (enforce)$'; }
soon confined
given podman stop --time 120 own
run podman inspect --format '{{.State.ExitCode}}' own
says 7
cp "${0%/*}/engines/policy.toml" /etc/batten/policy.toml

claim "batten install makes it Podman's default"
given batten install podman --default
run podman run --rm --network none --privileged "$image" sh -c "$what"
says "fence (enforce)"
says $'CapBnd:\t0000000000000021'
given batten uninstall podman

claim "a precreate hook does the same without a wrapper"
given batten install podman --no-runtime --hook precreate
run podman run --rm --network none --privileged "$image" sh -c "$what"
says "fence (enforce)"
says $'CapBnd:\t0000000000000021'
says $'NoNewPrivs:\t1'

claim "what the hook refuses does not start"
echo 'capabilities = { ceiling = ["CAP_CHOWN"], violation = "deny" }' >/etc/batten/policy.toml
run podman run --rm --network none --privileged "$image" true
fails
given batten uninstall podman

claim "what the policy denies, podman run says"
run podman --runtime "$BATTEN_RUNTIME" run --rm --network none "$image" true
fails
says "the policy denies"
says "hint: "

claim "denials names a container that Podman keeps in a storage of its own, and its image"
own=(podman --root /var/lib/containers/own --runroot /run/own)
given "${own[@]}" load --quiet --input /opt/images/busybox.tar
given dmesg --clear
given "${own[@]}" run --detach --rm --name private --network none --security-opt apparmor=fence "$image" \
    sh -c 'read -r line </etc/secret; sleep 1000'
logs 'profile="fence" name="/etc/secret"'
run batten denials --kmsg --format json
that jq -e --arg image "$image" \
    'any(.denials[].container; .name == "private" and .engine == "podman" and .image == $image)' <<<"$output"
