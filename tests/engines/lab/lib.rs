//! What the claims about engines are made with: rooms, the engines of Debian in them, and what a container says of
//! itself.
#![allow(clippy::disallowed_methods, reason = "fixtures are written whole, nobody reads them meanwhile")]

mod bundles;
mod containerd;
mod cri;
mod docker;
mod image;
mod podman;
mod room;
mod said;
mod status;
mod traces;

pub use bundles::Bundles;
pub use containerd::Containerd;
pub use cri::{Cri, Pod};
pub use docker::Docker;
pub use image::IMAGE;
pub use podman::Podman;
pub use room::{Kind, Room, SHIM, host_lacks, on_every_runtime, process_of, soon, times, unique};
pub use said::Said;
pub use status::{CEILING, STATUS, Status, own_bounding_set};
pub use traces::Traces;
