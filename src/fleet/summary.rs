//! What many documents come to.

use std::collections::BTreeMap;

use super::{Judged, Verdict};
use crate::finding::Disposition;
use crate::validity::{Force, is_valid};

/// Counts per verdict, rule and image. Its size depends on how many rules and images there are, not documents.
#[derive(Debug, Default)]
pub struct Summary {
    /// Documents per verdict.
    pub verdicts: BTreeMap<Verdict, usize>,
    /// Those among the clean ones of which the policy wants something reported.
    pub reported_only: usize,
    /// Findings per rule and disposition.
    pub rules: BTreeMap<(&'static str, Disposition), usize>,
    /// Documents and findings per image, where it is known.
    pub images: BTreeMap<String, (usize, usize)>,
    /// Documents that break a MUST of the runtime-spec.
    pub invalid: usize,
    /// Places that are not as the runtime-spec says, by how much that matters.
    pub breaches: BTreeMap<Force, usize>,
    /// Findings and breaches that a baseline knew and took out.
    pub known: usize,
    /// Bytes judged.
    pub bytes: u64,
}

impl Summary {
    /// Counts one document.
    pub fn add(&mut self, judged: &Judged) {
        if !judged.is_policy() {
            let verdict = judged.verdict();
            *self.verdicts.entry(verdict).or_default() += 1;
            self.reported_only += usize::from(verdict == Verdict::Clean && judged.is_reported_on());
        }
        self.bytes += judged.before().len() as u64;
        self.known += judged.known;
        self.invalid += usize::from(!is_valid(&judged.breaches));
        for breach in &judged.breaches {
            *self.breaches.entry(breach.force).or_default() += 1;
        }
        let findings = judged.findings();
        for finding in findings {
            *self.rules.entry((finding.rule.0, finding.disposition)).or_default() += 1;
        }
        if let Some(image) = &judged.labels.image {
            let (documents, found) = self.images.entry(image.clone()).or_default();
            *documents += 1;
            *found += findings.len();
        }
    }

    /// Adds what another part came to.
    pub fn merge(&mut self, other: Self) {
        for (verdict, count) in other.verdicts {
            *self.verdicts.entry(verdict).or_default() += count;
        }
        for (rule, count) in other.rules {
            *self.rules.entry(rule).or_default() += count;
        }
        for (image, (documents, found)) in other.images {
            let counts = self.images.entry(image).or_default();
            *counts = (counts.0 + documents, counts.1 + found);
        }
        for (force, count) in other.breaches {
            *self.breaches.entry(force).or_default() += count;
        }
        self.invalid += other.invalid;
        self.bytes += other.bytes;
        self.known += other.known;
        self.reported_only += other.reported_only;
    }

    /// How many documents came to `verdict`.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.verdicts.get(&verdict).copied().unwrap_or_default()
    }

    /// How many documents there were.
    pub fn documents(&self) -> usize {
        self.verdicts.values().sum()
    }

    /// The worst verdict; `None` without documents.
    pub fn worst(&self) -> Option<Verdict> {
        self.verdicts.keys().next_back().copied()
    }

    /// Findings per rule, over all dispositions.
    pub fn by_rule(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for ((rule, _), count) in &self.rules {
            *counts.entry(*rule).or_default() += count;
        }
        counts
    }
}
