# Podman with and without batten-runtime, where AppArmor is.
. vm-test
. "${0%/*}/engines/claims"

image=docker.io/library/busybox:latest
hold_policy
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

through() { # VERB ARGUMENT...
    local verb=$1
    shift
    [[ $verb != run ]] || set -- --network none "$@"
    podman --runtime "$BATTEN_RUNTIME" "$verb" "$@"
}
claims_of_a_command_line podman "$image"

claim "a build's RUN stays within the policy, whatever capabilities the build is given"
mkdir -p /run/build
printf 'FROM %s\nRUN cat /proc/self/attr/current /proc/self/status\n' "$image" >/run/build/Dockerfile
run through build --no-cache --network none --cap-add ALL /run/build
exits 0
within_policy

claim "batten install makes it Podman's default"
given batten install podman --default
run podman run --rm --network none --privileged "$image" sh -c "$what"
within_policy
given batten uninstall podman

claim "a precreate hook does the same without a wrapper"
given batten install podman --no-runtime --hook precreate
run podman run --rm --network none --privileged "$image" sh -c "$what"
within_policy

claim "what the hook refuses does not start"
policy <<<'capabilities = { ceiling = ["CAP_CHOWN"], violation = "deny" }'
run podman run --rm --network none --privileged "$image" true
fails
given batten uninstall podman

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
