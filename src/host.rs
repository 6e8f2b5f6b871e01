//! What the machine can do, as a plain value: tests and dry runs judge for another host than the one they run on.

use std::path::Path;

use crate::policy::Day;

/// The host a document is judged for.
#[derive(Debug, Clone)]
pub struct Host {
    /// Whether AppArmor enforces profiles here.
    pub apparmor: bool,
    /// The day it is there: what decides whether a waiver still holds.
    pub today: Day,
}

impl Host {
    /// The machine batten runs on.
    pub fn detect() -> Self {
        Self { apparmor: apparmor_enabled(Path::new("/")), today: Day::today() }
    }
}

/// `Y` in the module's parameter is what runc and crun ask as well.
fn apparmor_enabled(root: &Path) -> bool {
    std::fs::read(root.join("sys/module/apparmor/parameters/enabled")).is_ok_and(|text| text.first() == Some(&b'Y'))
}
