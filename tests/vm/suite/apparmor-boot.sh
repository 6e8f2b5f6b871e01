#!/bin/bash
# The unit at boot: a systemd of Debian's, in namespaces of its own, with the engine's own unit.
# limit: 400
. vm-test

given install -D "$BATTEN" /usr/local/bin/batten
mkdir -p /etc/batten/apparmor.d /sys/fs/cgroup/script/booted
cp "${0%/*}/profiles/fence" /etc/batten/apparmor.d/
policy <<<'apparmor = { profile = "builtin:default", fallback = { when = "missing", profile = "fence" } }'
/usr/local/bin/batten apparmor unit >/etc/systemd/system/batten-apparmor.service
given systemd-machine-id-setup
# What a machine without hardware and network has no use for.
given systemctl --root=/ mask docker.service docker.socket getty.target systemd-logind.service remote-fs.target \
    netavark-dhcp-proxy.socket timers.target apparmor.service

claim "systemd takes the unit as it is printed"
run systemd-analyze verify --man=no /etc/systemd/system/batten-apparmor.service
exits 0
run systemctl --root=/ enable batten-apparmor.service
exits 0

boot() {
    (
        echo 0 >/sys/fs/cgroup/script/booted/cgroup.procs
        # The tree as seen from the group that it is in; its own words go to the machine's console.
        exec unshare --pid --fork --kill-child --mount --mount-proc --cgroup sh -c \
            'mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec env -i container=vm PATH="$PATH" /lib/systemd/systemd'
    ) </dev/null >/run/booted 2>&1 &
    unshare=$!
    soon began
    soon is_up
}
began() { first=$(pgrep --parent "$unshare"); }
inside() { nsenter --target "$first" --mount --pid --cgroup "$@"; }
is_up() { [[ $(inside systemctl is-system-running 2>&1) =~ ^(running|degraded)$ ]]; }
property() { inside systemctl show --property "$2" --value "$1"; } # UNIT PROPERTY

claim "at boot, what lies in batten's folder and what the policy needs is loaded before containerd runs"
boot
run inside systemctl status --no-pager batten-apparmor.service containerd.service
says "active (exited)"
says "active (running)"
loaded=$(property batten-apparmor.service ActiveEnterTimestampMonotonic)
started=$(property containerd.service ExecMainStartTimestampMonotonic)
that test "$loaded" -gt 0 -a "$loaded" -lt "$started"
run batten apparmor list
says $'enforce\tfence'
says $'enforce\tbatten-default-'

claim "a profile that the policy names and nobody has fails the unit, which says so"
policy <<<'apparmor = { profile = "nowhere" }'
run inside systemctl restart batten-apparmor.service
fails
run inside systemctl status --no-pager batten-apparmor.service
says "Failed"
run inside journalctl --no-pager --unit batten-apparmor.service
says 'the policy names the profile "nowhere", which is not loaded'
says "hint: "
