//! `batten apparmor unit`: the systemd unit that loads profiles before any engine starts.

use clap::Args;

use crate::doors::{Exit, say};

/// The unit, as it is for `make install`.
const UNIT: &str = include_str!("../../../hooks/systemd/batten-apparmor.service");

/// Where that has batten.
const INSTALLED: &str = "/usr/local/bin/batten";

/// Prints the systemd unit that loads what the policy needs when the machine boots
#[derive(Debug, Args)]
#[command(after_help = "Example:
  batten apparmor unit > /etc/systemd/system/batten-apparmor.service
  systemctl enable --now batten-apparmor.service

Exit codes: 0 printed, 4 wrong usage.")]
pub(super) struct Unit {}

impl Unit {
    #[allow(clippy::unused_self, reason = "every door has one")]
    pub(super) fn run(&self) -> Exit {
        let own = std::env::current_exe().ok().and_then(|path| path.to_str().map(str::to_owned));
        // systemd's own quoting is not worth it for a path that nobody has.
        let own = own.filter(|path| path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._+-".contains(&byte)));
        say(&UNIT.replace(INSTALLED, own.as_deref().unwrap_or(INSTALLED))).unwrap_or(Exit::Clean)
    }
}
