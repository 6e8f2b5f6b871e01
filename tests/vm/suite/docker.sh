# Docker with and without batten-runtime, where AppArmor is.
# limit: 600
. vm-test
. "${0%/*}/engines/claims"

hold_policy
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

through() { # VERB ARGUMENT...
    local verb=$1
    shift
    [[ $verb != run ]] || set -- --network none --runtime batten "$@"
    docker "$verb" "$@"
}
claims_of_a_command_line docker busybox

claim "what a bare container may do, batten's may not: its own wishes for capabilities and filters count for nothing"
wishes=(--cap-add ALL --security-opt seccomp=unconfined --security-opt apparmor=unconfined)
run docker run --rm --network none "${wishes[@]}" busybox grep -E "^(CapBnd|Seccomp:)" /proc/self/status
omits $'CapBnd:\t0000000000000021'
says $'Seccomp:\t0'
run through run --rm "${wishes[@]}" busybox sh -c "$what; grep Seccomp: /proc/self/status"
within_policy
says $'Seccomp:\t2'

is_default() { [[ $(docker info --format '{{.DefaultRuntime}}') == "$1" ]]; }

claim "batten install makes it the default of a running Docker, and so of the classic builder"
given batten install docker --default
given kill -HUP "$(</var/run/docker.pid)"
soon is_default batten
run docker run --rm --network none --privileged busybox sh -c "$what"
within_policy
mkdir -p /run/build
printf 'FROM busybox\nRUN cat /proc/self/attr/current /proc/self/status\n' >/run/build/Dockerfile
DOCKER_BUILDKIT=0 run docker build --network none /run/build
exits 0
within_policy

claim "batten uninstall gives Docker back the very file"
given batten uninstall docker
that cmp "${0%/*}/engines/docker.json" /etc/docker/daemon.json
