//! batten in front of real engines: Podman, Docker and containerd as Debian packages them, started here, each in a room
//! of its own. What counts is what a container's own /proc/self/status says.
//!
//! Needs root and the packages that `make test-engines` installs. What a host cannot do is skipped with a loud line, or
//! fails where `CI` or `BATTEN_TEST_REQUIRE` is set.

mod containerd;
mod cri;
mod crowd;
mod docker;
mod fleet;
mod kills;
mod podman;
mod registration;
