//! Events and decisions, added up: one row for all that say the same of the same container.

use std::collections::HashMap;

use super::containers::Who;
use super::decision::Decision;
use super::event::{Event, Fate, What};
use super::moment::Moment;
use super::reason::Reason;

/// Rows at most: paths are the workload's to choose, so that it must not fill the memory.
const MOST: usize = 10_000;

/// Records whose numbers are remembered, to know one again that comes by another way.
const REMEMBERED: usize = 65_536;

/// Who refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A seccomp filter, while it ran.
    Seccomp,
    /// An AppArmor profile, while it ran.
    AppArmor,
    /// batten, before it ran.
    Start,
}

impl Kind {
    /// The word that reports use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Seccomp => "seccomp",
            Self::AppArmor => "apparmor",
            Self::Start => "start",
        }
    }
}

/// What makes two records the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    kind: Kind,
    container: Option<String>,
    /// A process of the host's and one that nobody knows of any more both have no container.
    is_found: bool,
    what: String,
    fate: Fate,
    comm: String,
    profile: String,
}

/// The same thing, however often.
#[derive(Debug, Clone)]
pub struct Row {
    /// Who refused.
    pub kind: Kind,
    /// What became of it.
    pub fate: Fate,
    /// The system call, the access, or the finding of a rule.
    pub what: String,
    /// The kernel's own terms; none for a start.
    pub detail: Option<What>,
    /// To whom.
    pub who: Who,
    /// The program, as far as the last record names it.
    pub comm: String,
    /// Its file.
    pub exe: String,
    /// Its process, last time.
    pub pid: Option<i32>,
    /// The rule of batten's and the policy's line.
    pub reason: Reason,
    /// How often.
    pub count: u64,
    /// When first.
    pub first: Option<Moment>,
    /// When last.
    pub last: Option<Moment>,
}

/// All rows, in the order in which they came up.
#[derive(Debug, Default)]
pub struct Ledger {
    rows: Vec<Row>,
    index: HashMap<Key, usize>,
    /// Records of this generation and the one before.
    known: [std::collections::HashSet<(Moment, u64)>; 2],
    /// Records for which there was no row any more.
    pub unshown: u64,
    /// Lines that say that messages were lost.
    pub lost_notices: u64,
    /// Messages that they say were lost; more where some did not say how many.
    pub lost_messages: u64,
}

impl Ledger {
    /// Whether a record is here already, by another way.
    pub fn knows(&mut self, event: &Event) -> bool {
        let (Some(at), Some(serial)) = (event.at, event.serial) else { return false };
        if self.known.iter().any(|known| known.contains(&(at, serial))) {
            return true;
        }
        if self.known[0].len() >= REMEMBERED {
            self.known.swap(0, 1);
            self.known[0].clear();
        }
        self.known[0].insert((at, serial));
        false
    }

    /// Adds a record of the kernel's; the row that it is in. `reason` is asked for a new row only.
    pub fn add(&mut self, event: &Event, who: Who, reason: impl FnOnce(&Who) -> Reason) -> Option<usize> {
        let (kind, profile) = match &event.what {
            What::Call { .. } => (Kind::Seccomp, String::new()),
            What::Access { profile, .. } => (Kind::AppArmor, profile.clone()),
        };
        let (what, fate) = (event.what.name(), event.what.fate());
        let arch = match &event.what {
            What::Call { arch: Some(arch), .. } => arch.name(),
            _ => "",
        };
        let key = Key {
            kind,
            container: who.id.clone(),
            is_found: who.is_found,
            what: format!("{arch} {what}"),
            fate,
            comm: event.comm.clone(),
            profile,
        };
        let detail = Some(event.what.clone());
        let row = self.row(key, || Row {
            kind,
            fate,
            what,
            detail,
            reason: reason(&who),
            who,
            comm: event.comm.clone(),
            exe: event.exe.clone(),
            pid: event.pid,
            count: 0,
            first: event.at,
            last: event.at,
        })?;
        self.rows[row].count(event.at);
        self.rows[row].pid = event.pid;
        Some(row)
    }

    /// Adds what a decision refused or changed; the rows that it is in.
    pub fn decide(&mut self, decision: &Decision, who: &Who) -> Vec<usize> {
        let mut rows = Vec::new();
        for matter in &decision.matters {
            let key = Key {
                kind: Kind::Start,
                container: who.id.clone(),
                is_found: who.is_found,
                what: format!("{} {}", matter.rule.as_deref().unwrap_or_default(), matter.message),
                fate: matter.fate,
                comm: decision.command.clone(),
                profile: String::new(),
            };
            let row = self.row(key, || Row {
                kind: Kind::Start,
                fate: matter.fate,
                what: matter.message.clone(),
                detail: None,
                who: who.clone(),
                comm: decision.command.clone(),
                exe: String::new(),
                pid: None,
                reason: Reason::logged(matter.rule.clone(), matter.policy.clone()),
                count: 0,
                first: decision.at,
                last: decision.at,
            });
            if let Some(row) = row {
                self.rows[row].count(decision.at);
                rows.push(row);
            }
        }
        rows
    }

    fn row(&mut self, key: Key, new: impl FnOnce() -> Row) -> Option<usize> {
        if let Some(row) = self.index.get(&key) {
            return Some(*row);
        }
        if self.rows.len() >= MOST {
            self.unshown += 1;
            return None;
        }
        self.rows.push(new());
        self.index.insert(key, self.rows.len() - 1);
        Some(self.rows.len() - 1)
    }

    /// Notes that messages were lost, how many if that is known.
    pub fn lose(&mut self, messages: u64) {
        self.lost_notices += 1;
        // A log may claim any number.
        self.lost_messages = self.lost_messages.saturating_add(messages);
    }

    /// All rows.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The rows of what did not happen though it was asked for.
    pub fn denials(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.fate.is_denial())
    }
}

impl Row {
    fn count(&mut self, at: Option<Moment>) {
        self.count += 1;
        self.first = [self.first, at].into_iter().flatten().min();
        self.last = [self.last, at].into_iter().flatten().max();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seccomp::Arch;

    fn event(at: u64, serial: u64, number: u32) -> Event {
        Event {
            at: Some(Moment(at)),
            serial: Some(serial),
            pid: Some(7),
            comm: "app".to_owned(),
            exe: "/app".to_owned(),
            what: What::Call { arch: Some(Arch::X86_64), number, fate: Fate::Refused },
            access: None,
        }
    }

    #[test]
    fn the_same_thing_is_one_row_with_its_first_and_its_last_time() {
        let mut ledger = Ledger::default();
        for (at, number) in [(30, 83), (10, 83), (20, 84)] {
            ledger.add(&event(at, at, number), Who::default(), |_| Reason::default());
        }
        let who = Who { id: Some("web".to_owned()), ..Who::default() };
        ledger.add(&event(40, 40, 83), who, |_| Reason::default());
        let rows: Vec<_> = ledger.rows().iter().map(|row| (row.count, row.first, row.last)).collect();
        let at = |at| Some(Moment(at));
        assert_eq!(rows, [(2, at(10), at(30)), (1, at(20), at(20)), (1, at(40), at(40))]);
        assert_eq!(ledger.denials().count(), 3);
    }

    #[test]
    fn a_process_that_nobody_knows_of_is_not_added_to_those_of_the_host() {
        let mut ledger = Ledger::default();
        let host = Who { is_found: true, ..Who::default() };
        ledger.add(&event(10, 10, 83), host, |_| Reason::default());
        ledger.add(&event(20, 20, 83), Who::default(), |_| Reason::default());
        let rows: Vec<_> = ledger.rows().iter().map(|row| (row.who.is_found, row.count)).collect();
        assert_eq!(rows, [(true, 1), (false, 1)]);
    }

    #[test]
    fn a_record_that_comes_by_two_ways_is_known_again() {
        let mut ledger = Ledger::default();
        assert!(!ledger.knows(&event(10, 1, 83)));
        assert!(ledger.knows(&event(10, 1, 83)));
        assert!(!ledger.knows(&event(10, 2, 83)));
        let unstamped = Event { serial: None, ..event(10, 1, 83) };
        assert!(!ledger.knows(&unstamped) && !ledger.knows(&unstamped));
    }

    #[test]
    fn a_log_that_claims_any_number_of_lost_messages_is_counted_on() {
        let mut ledger = Ledger::default();
        (0..2).for_each(|_| ledger.lose(u64::MAX));
        assert_eq!((ledger.lost_notices, ledger.lost_messages), (2, u64::MAX));
    }

    #[test]
    fn a_workload_that_makes_up_names_fills_no_memory() {
        let mut ledger = Ledger::default();
        for number in 0..20_000 {
            ledger.add(&event(1, 1, number + 5000), Who::default(), |_| Reason::default());
        }
        assert_eq!((ledger.rows().len(), ledger.unshown), (MOST, 10_000));
    }
}
