//! Points in time, as logs write them.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::settings::Day;

/// Milliseconds since 1970, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub u64);

/// The year 10000: what a record says beyond is no time.
const END: u64 = 253_402_300_800_000;

impl Moment {
    /// Now.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(0))
    }

    /// From whole seconds and up to three digits after the point, as in `1763980000.123`.
    pub fn from_seconds(text: &str) -> Option<Self> {
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
        let seconds: u64 = seconds.parse().ok()?;
        Self::of(seconds.checked_mul(1000)?.checked_add(millis(fraction)?)?)
    }

    /// From microseconds since 1970, as the journal counts.
    pub fn from_micros(text: &str) -> Option<Self> {
        Self::of(text.parse::<u64>().ok()? / 1000)
    }

    /// From RFC 3339 in UTC: `2026-11-24T11:00:00Z`, `2026-11-24T11:00:00.123Z`.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
        let numbers = |text: &str, by: char| -> Option<[u64; 3]> {
            let parts: Vec<u64> = text.split(by).map(|part| part.parse().ok()).collect::<Option<_>>()?;
            parts.try_into().ok()
        };
        let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
        let ([year, month, day], [hour, minute, second]) = (numbers(date, '-')?, numbers(clock, ':')?);
        let is_date = (1970..10_000).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
        if !is_date || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
        Self::of(seconds * 1000 + millis(fraction)?)
    }

    fn of(millis: u64) -> Option<Self> {
        (millis < END).then_some(Self(millis))
    }

    /// The time of day: `11:00:00`.
    pub fn clock(self) -> String {
        let of_day = self.0 / 1000 % 86_400;
        format!("{:02}:{:02}:{:02}", of_day / 3600, of_day / 60 % 60, of_day % 60)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = Day::from_epoch_days(self.0 / 86_400_000);
        write!(f, "{day}T{}.{:03}Z", self.clock(), self.0 % 1000)
    }
}

/// Digits after a decimal point, as milliseconds.
fn millis(fraction: &str) -> Option<u64> {
    if !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    format!("{fraction:0<3}").get(..3)?.parse().ok()
}

/// Days since 1970-01-01 by the proleptic Gregorian calendar (Hinnant's `days_from_civil`).
const fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year / 400;
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_read_and_written_back() {
        for text in ["1970-01-01T00:00:00.000Z", "2000-02-29T23:59:59.999Z", "2026-11-25T15:51:46.661Z"] {
            assert_eq!(Moment::from_rfc3339(text).unwrap().to_string(), text);
        }
        let same = Moment(1_795_621_906_661);
        assert_eq!(same.to_string(), "2026-11-25T15:51:46.661Z");
        assert_eq!(Moment::from_seconds("1795621906.661"), Some(same));
        assert_eq!(Moment::from_micros("1795621906661999"), Some(same));
        assert_eq!(Moment::from_rfc3339("2026-11-25T15:51:46Z"), Some(Moment(1_795_621_906_000)));
        for wrong in ["", "2026-11-25", "2026-13-01T00:00:00Z", "2026-11-25T24:00:00Z", "99999-01-01T00:00:00Z"] {
            assert_eq!(Moment::from_rfc3339(wrong), None, "{wrong}");
        }
        assert_eq!(Moment::from_seconds("99999999999999999999"), None);
        assert_eq!(Moment::from_seconds("12.x"), None);
    }
}
