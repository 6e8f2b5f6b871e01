# containerd with and without batten-runtime, where AppArmor is: by ctr, and by
# the CRI as a kubelet speaks it.
. vm-test
. "${0%/*}/engines/claims"

image=docker.io/library/busybox:latest
hold_policy
given apparmor_parser --replace --skip-cache "${0%/*}/profiles/fence"
given start-daemon containerd "containerd successfully booted" containerd --config "${0%/*}/engines/containerd.toml"
given ctr --namespace default images import /opt/images/busybox.tar
given ctr --namespace k8s.io images import /opt/images/busybox.tar
given ctr --namespace k8s.io images import /opt/images/pause.tar

claim "ctr leaves a container unconfined, unless a profile is named"
run ctr run --rm "$image" unnamed sh -c "$what"
exits 0
says unconfined
run ctr run --rm --apparmor-profile fence "$image" fenced sh -c "$what"
says "fence (enforce)"
says "can't open '/etc/secret': Permission denied"

for runtime in runc crun; do
    claim "ctr through batten-runtime and $runtime: the policy's profile and capabilities hold"
    behind "$runtime"
    run ctr run --rm --runc-binary "$BATTEN_RUNTIME" "$image" "through-$runtime" sh -c "$what"
    within_policy
    says "can't open '/etc/secret': Permission denied"
done
behind runc

claim "what ctr executes in a container stays within the policy"
given ctr run --detach --runc-binary "$BATTEN_RUNTIME" "$image" sleeper sleep 1000
run ctr task exec --exec-id e sleeper sh -c "$what"
within_policy

claim "containerd stops a container under batten's own profile by the signal that it is asked for"
policy <<<'apparmor = { profile = "builtin:default", own = "replace" }'
ctr run --rm --runc-binary "$BATTEN_RUNTIME" "$image" own \
    sh -c 'trap "exit 7" TERM; cat /proc/self/attr/current; sleep 1000 & wait' >/run/own 2>&1 </dev/null &
confined() { grep -q '^batten-default-.* (enforce)$' /run/own; }
soon confined
run ctr task kill --signal SIGTERM own
exits 0
run wait $!
exits 7
hold_policy

# A pod on the host's network with one container, and what is called with it.
pod() { # NAME RUNTIME-HANDLER SECURITY-CONTEXT SHELL-COMMAND [METHOD REQUEST]
    local sandbox privileged=false
    # Only in such a sandbox may a container be so.
    [[ $3 != *'"privileged": true'* ]] || privileged=true
    sandbox='{"metadata": {"name": "'$1'", "uid": "'$1'", "namespace": "default"}, "log_directory": "/run/pods",
        "linux": {"security_context": {"privileged": '$privileged', "namespace_options": {"network": "NODE"}}}}'
    cri RunPodSandbox '{"config": '"$sandbox"', "runtime_handler": "'"$2"'"}' \
        CreateContainer '{"pod_sandbox_id": "$pod_sandbox_id", "sandbox_config": '"$sandbox"', "config": {
            "metadata": {"name": "c"}, "image": {"image": "'$image'"}, "log_path": "'"$1"'.log",
            "command": ["sh", "-c", "'"${4//\"/\\\"}"'"], "linux": {"security_context": '"$3"'}}}' \
        StartContainer '{"container_id": "$container_id"}' "${@:5}"
}

# What such a container says before it ends.
pod_says() { # NAME RUNTIME-HANDLER SECURITY-CONTEXT
    pod "$1" "$2" "$3" "$what; echo ended" || return
    soon grep -q ended "/run/pods/$1.log"
    cat "/run/pods/$1.log"
}

claim "a pod's container runs under containerd's default profile"
run pod_says default runc '{"apparmor": {"profile_type": "RuntimeDefault"}}'
exits 0
says "cri-containerd.apparmor.d (enforce)"
says "a secret"

claim "a pod with a profile that is not loaded is refused"
run pod_says absent runc '{"apparmor": {"profile_type": "Localhost", "localhost_ref": "absent"}}'
exits 1
says "apparmor profile not found"

everything='{"apparmor": {"profile_type": "Unconfined"}, "capabilities": {"add_capabilities": ["ALL"]}}'

claim "a pod's container that asks for everything, through batten-runtime, is within the policy"
run pod_says within batten "$everything"
within_policy
says "can't open '/etc/secret': Permission denied"

claim "what a kubelet executes in such a container stays within the policy"
run pod exec batten "$everything" "sleep 1000" \
    ExecSync '{"container_id": "$container_id", "cmd": ["sh", "-c", "'"${what//\"/\\\"}"'"]}'
output=$(tail -n 1 <<<"$output" | jq -r '.stdout | @base64d')
within_policy

claim "a privileged pod, through batten-runtime, is within the policy, and so is what is executed in it"
privileged='{"privileged": true}'
run pod exec-privileged batten "$privileged" "sleep 1000" \
    ExecSync '{"container_id": "$container_id", "cmd": ["sh", "-c", "'"${what//\"/\\\"}"'"]}'
output=$(tail -n 1 <<<"$output" | jq -r '.stdout | @base64d')
within_policy

claim "what the policy denies, a kubelet is told"
policy <<<'capabilities = { ceiling = ["CAP_CHOWN"], violation = "deny" }'
run pod denied batten "$privileged" "sleep 1000"
exits 1
says "the policy denies"
says "hint: "

claim "what the policy denies, ctr says"
run ctr run --rm --runc-binary "$BATTEN_RUNTIME" "$image" denied true
fails
says "the policy denies"
