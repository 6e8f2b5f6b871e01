# shellcheck shell=bash disable=SC2034
# What the machine is made of, for every script of this folder. A change to any
# file here makes the machine stale.
set -euo pipefail
export LC_ALL=C
# The host's and, in a chroot, the guest's; an ordinary user's has no sbin.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# Debian's release in the machine, and the size of its disk (sparse: only what
# is written takes room on the host).
suite=trixie
disk_size=6G

# Installed on the host, when missing.
host_packages=(
    mmdebstrap debian-archive-keyring # the root filesystem
    e2fsprogs cpio                    # disks, initrd
    binutils kmod xz-utils zstd       # the kernel and its modules
    jq                                # what cargo has built
)

# The kernel package is what this one depends on. The "cloud" flavour has
# AppArmor, the BPF LSM, BTF, syscall tracepoints and audit built in, and few
# drivers to carry.
kernel_metapackage=linux-image-cloud-amd64

# Modules for hardware that the machine does not have are left out: these
# folders of drivers/ stay.
kept_drivers=(block char md net vhost virtio)

guest_packages=(
    # OCI runtimes, engines, and what the engines need for rootless containers
    runc crun containerd docker.io docker-cli podman netavark
    uidmap passt fuse-overlayfs
    # confinement, and looking at it
    apparmor libseccomp2 seccomp libcap2-bin
    strace bpftool
    # what test scripts are written with
    bash jq python3 procps util-linux mount kmod iproute2 iptables nftables
    busybox-static ca-certificates
    # the journal, without the rest of systemd: nothing starts it but a script
    systemd
    # the CRI client
    python3-grpcio python3-protobuf protobuf-compiler
)

# Only for the api.proto in it: the messages of the CRI.
cri_api_package=golang-github-kubernetes-cri-api-dev

# The folders that the scripts share, under the one that `build` gives them.
#   debian.sources  acquire.conf   how to reach the archive
#   debs/{qemu,kernel,cri}         what was downloaded
#   root/                          the machine's root filesystem
#   new/                           what becomes the machine's folder
work=${1-}
root=$work/root
new=$work/new
