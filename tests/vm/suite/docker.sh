# Docker with and without batten-runtime, where AppArmor is.
# limit: 600
. vm-test

what='cat /proc/self/attr/current /etc/plain /etc/secret; grep -E "^(Cap|NoNew)" /proc/self/status'
mkdir -p /etc/batten
given apparmor_parser --replace --skip-cache "${0%/*}/profiles/fence"
mkdir -p /etc/docker
cp "${0%/*}/engines/docker.json" /etc/docker/daemon.json
given start-daemon dockerd "API listen on" dockerd
given docker load --input /opt/images/busybox.tar

claim "Docker confines a container by its own default profile"
run docker run --rm --network none busybox sh -c "$what"
exits 0
says "docker-default (enforce)"

claim "a profile that is not loaded fails the start"
run docker run --rm --network none --security-opt apparmor=absent busybox true
exits 127
says "unable to apply apparmor profile"

for runtime in runc crun; do
    echo "runtime = \"$(command -v $runtime)\"" >/etc/batten/runtime.toml
    cp "${0%/*}/engines/policy.toml" /etc/batten/policy.toml

    claim "Docker through batten-runtime and $runtime: the policy's profile and capabilities hold"
    run docker run --rm --network none --runtime batten busybox sh -c "$what"
    says "fence (enforce)"
    says "can't open '/etc/secret': Permission denied"
    says $'CapBnd:\t0000000000000021'
    says $'NoNewPrivs:\t1'

    claim "Docker through batten-runtime and $runtime: --privileged changes nothing about it"
    run docker run --rm --network none --runtime batten --privileged busybox sh -c "$what"
    says "fence (enforce)"
    says $'CapBnd:\t0000000000000021'
    says $'NoNewPrivs:\t1'
done

claim "docker exec --privileged stays within the policy"
given docker run --detach --name sleeper --network none --runtime batten busybox sleep 1000
run docker exec --privileged sleeper sh -c "$what"
says "fence (enforce)"
says "can't open '/etc/secret': Permission denied"
says $'CapBnd:\t0000000000000021'
says $'NoNewPrivs:\t1'

claim "what a bare container may do, batten's may not: its own wishes for capabilities and filters count for nothing"
wishes=(--cap-add ALL --security-opt seccomp=unconfined --security-opt apparmor=unconfined)
run docker run --rm --network none "${wishes[@]}" busybox grep -E "^(CapBnd|Seccomp:)" /proc/self/status
omits $'CapBnd:\t0000000000000021'
says $'Seccomp:\t0'
run docker run --rm --network none --runtime batten "${wishes[@]}" busybox sh -c "$what; grep Seccomp: /proc/self/status"
says "fence (enforce)"
says $'CapBnd:\t0000000000000021'
says $'Seccomp:\t2'

claim "Docker stops a container under batten's own profile by the signal that it sends first"
echo 'apparmor = { profile = "builtin:default", own = "replace" }' >/etc/batten/policy.toml
given docker run --detach --name own --network none --runtime batten busybox \
    sh -c 'trap "exit 7" TERM; cat /proc/self/attr/current; sleep 1000 & wait'
confined() { docker logs own | grep -q '^batten-default-.* (enforce)$'; }
soon confined
given docker stop --time 120 own
run docker inspect --format '{{.State.ExitCode}}' own
says 7
cp "${0%/*}/engines/policy.toml" /etc/batten/policy.toml

is_default() { [[ $(docker info --format '{{.DefaultRuntime}}') == "$1" ]]; }

claim "batten install makes it the default of a running Docker, and so of the classic builder"
given batten install docker --default
given kill -HUP "$(</var/run/docker.pid)"
soon is_default batten
run docker run --rm --network none --privileged busybox sh -c "$what"
says "fence (enforce)"
says $'CapBnd:\t0000000000000021'
mkdir -p /run/build
printf 'FROM busybox\nRUN cat /proc/self/attr/current /proc/self/status\n' >/run/build/Dockerfile
DOCKER_BUILDKIT=0 run docker build --network none /run/build
exits 0
says "fence (enforce)"
says $'CapBnd:\t0000000000000021'
says $'NoNewPrivs:\t1'

claim "batten uninstall gives Docker back the very file"
given batten uninstall docker
that cmp "${0%/*}/engines/docker.json" /etc/docker/daemon.json

claim "what the policy denies, docker run says"
echo 'capabilities = { ceiling = ["CAP_CHOWN"], violation = "deny" }' >/etc/batten/policy.toml
run docker run --rm --network none --runtime batten busybox true
fails
says "the policy denies"
says "hint: "
