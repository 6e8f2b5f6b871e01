//! The time as logs write it.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::settings::Day;

/// Now, in UTC, as RFC 3339 writes it with seconds: containerd parses the time of an error strictly.
pub(super) fn rfc3339() -> String {
    format(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

fn format(seconds: u64) -> String {
    let day = Day::from_epoch_days(seconds / 86_400);
    let of_day = seconds % 86_400;
    format!("{day}T{:02}:{:02}:{:02}Z", of_day / 3_600, of_day / 60 % 60, of_day % 60)
}

#[cfg(test)]
mod tests {
    #[test]
    fn seconds_since_the_epoch_become_a_date_and_a_time() {
        assert_eq!(super::format(0), "1970-01-01T00:00:00Z");
        assert_eq!(super::format(1_795_518_245), "2026-11-24T11:04:05Z");
    }
}
