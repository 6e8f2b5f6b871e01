//! Waivers over a whole run: which let something pass, which nothing needed. A single start cannot tell.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Judged;
use crate::enforce::expired;
use crate::finding::{Disposition, Finding, Severity};
use crate::policy::Policy;
use crate::rules::UNUSED_WAIVER;
use crate::settings::{Day, Waiver};
use crate::spec::Pointer;

/// The waivers that let something pass so far, by their place in [`Policy::waivers`].
#[derive(Debug, Default)]
pub struct WaiverUse {
    used: Vec<bool>,
}

impl WaiverUse {
    /// Counts those of one document.
    pub fn add(&mut self, used: &[usize]) {
        for &index in used {
            if self.used.len() <= index {
                self.used.resize(index + 1, false);
            }
            self.used[index] = true;
        }
    }

    /// What there is to say of the waivers in the policy's files, one report per file: each that has expired by `today`,
    /// and each that nothing of this run needed.
    pub fn reports(&self, policy: &Policy, today: Day) -> Vec<Judged> {
        let mut files: BTreeMap<PathBuf, Vec<(Finding, usize)>> = BTreeMap::new();
        let mut of_file: BTreeMap<PathBuf, usize> = BTreeMap::new();
        for (index, waiver) in policy.waivers().iter().enumerate() {
            let Some((path, line)) = policy.locate(waiver.origin()) else { continue };
            let number = of_file.entry(path.to_owned()).or_default();
            let pointer = Pointer::new("/waiver").child(&number.to_string());
            *number += 1;
            let is_used = self.used.get(index).copied().unwrap_or_default();
            let finding = match (waiver.is_expired(today), is_used) {
                (true, _) => expired(waiver),
                (false, false) => unused(waiver),
                (false, true) => continue,
            };
            files.entry(path.to_owned()).or_default().push((Finding { pointer, ..finding }, line));
        }
        files.into_iter().map(|(path, findings)| Judged::of_policy(path.display().to_string(), findings)).collect()
    }
}

fn unused(waiver: &Waiver) -> Finding {
    Finding {
        rule: UNUSED_WAIVER,
        severity: Severity::Low,
        disposition: Disposition::Reported,
        message: format!("nothing in this run needed the waiver for {}", waiver.rule()),
        hint: "remove it if this run saw all that the policy is for; else look at its match and values".into(),
        ..expired(waiver)
    }
}
