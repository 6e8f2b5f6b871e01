//! Waivers: one rule lets some containers pass, for a reason, until a day. Expiry is decided here and nowhere else.

use std::fmt;

use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::origin::Origin;
use super::subject::{Match, Subject};

/// A calendar day in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    /// The year, as in 2026.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

impl Day {
    /// Today, by the system's clock.
    pub fn today() -> Self {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self::from_epoch_days(now.as_secs() / 86_400)
    }

    /// The day `days` after 1970-01-01, by the proleptic Gregorian calendar (Hinnant's `civil_from_days`).
    #[allow(clippy::cast_possible_truncation, reason = "a day of this era fits")]
    pub const fn from_epoch_days(days: u64) -> Self {
        let z = days + 719_468;
        let era = z / 146_097;
        let of_era = z % 146_097;
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
        Self { year: year as u16, month: month as u8, day: day as u8 }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// `[[waiver]]`: one rule lets some containers pass, for a reason and for a time.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WaiverLayer {
    pub(crate) rule: Spanned<String>,
    #[serde(rename = "match")]
    pub(crate) matches: Match,
    /// Only these values of the rule (capability names, annotation keys, …); all of them when absent.
    pub(crate) values: Option<Vec<String>>,
    pub(crate) reason: String,
    pub(crate) owner: String,
    pub(crate) expires: Spanned<Datetime>,
}

/// One waiver of a policy.
#[derive(Debug)]
pub struct Waiver {
    pub(crate) layer: usize,
    pub(crate) offset: usize,
    pub(crate) expires: Day,
    pub(crate) body: WaiverLayer,
}

impl Waiver {
    /// The rule that it silences.
    pub fn rule(&self) -> &str {
        self.body.rule.get_ref()
    }

    /// The last day on which it holds.
    pub const fn expires(&self) -> Day {
        self.expires
    }

    /// Whether its last day is over.
    pub fn is_expired(&self, today: Day) -> bool {
        today > self.expires
    }

    /// Where it stands.
    pub const fn origin(&self) -> Origin {
        Origin::layer("waiver", self.layer, self.offset)
    }

    /// Why, who and until when, in one clause.
    pub fn describe(&self) -> String {
        format!("{} (owner {}, until {})", self.body.reason, self.body.owner, self.expires)
    }

    fn names(&self, rule: &str, value: Option<&str>) -> bool {
        self.rule() == rule
            && match (&self.body.values, value) {
                (None, _) => true,
                (Some(values), Some(value)) => values.iter().any(|own| own == value),
                (Some(_), None) => false,
            }
    }
}

/// The waivers that match one container, with what is expired and what was used told apart.
#[derive(Debug)]
pub struct Waivers<'p> {
    valid: Vec<(usize, &'p Waiver)>,
    expired: Vec<&'p Waiver>,
    used: std::cell::RefCell<Vec<usize>>,
}

impl<'p> Waivers<'p> {
    /// Those of `all` that match `subject`; `today` is asked where there is one.
    pub fn matching(all: &'p [Waiver], subject: &Subject, today: impl Fn() -> Day) -> Self {
        let matching = all.iter().enumerate().filter(|(_, waiver)| waiver.body.matches.covers(subject));
        let (expired, valid): (Vec<_>, Vec<_>) = matching.partition(|(_, waiver)| waiver.is_expired(today()));
        let expired = expired.into_iter().map(|(_, waiver)| waiver).collect();
        Self { valid, expired, used: std::cell::RefCell::default() }
    }

    /// The waiver that lets `value` of `rule` pass today, if there is one.
    pub fn find(&self, rule: &str, value: Option<&str>) -> Option<&'p Waiver> {
        let (index, waiver) = self.valid.iter().find(|(_, waiver)| waiver.names(rule, value))?;
        self.used.borrow_mut().push(*index);
        Some(waiver)
    }

    /// Those that would match but whose last day is over.
    pub fn expired(&self) -> impl Iterator<Item = &'p Waiver> {
        self.expired.iter().copied()
    }

    /// The positions in the policy of those that let something pass.
    pub fn into_used(self) -> Vec<usize> {
        let mut used = self.used.into_inner();
        used.sort_unstable();
        used.dedup();
        used
    }
}

#[cfg(test)]
mod tests {
    use super::Day;

    #[test]
    fn days_since_the_epoch_become_the_calendar_s() {
        for (days, shown) in [(0, "1970-01-01"), (58, "1970-02-28"), (11_016, "2000-02-29"), (20_781, "2026-11-24")] {
            assert_eq!(Day::from_epoch_days(days).to_string(), shown);
        }
    }
}
