//! What two profiles answer differently, call by call.

use super::arch::Arch;
use super::domain::Width;
use super::filter::{Decision, Filter};
use super::said::Named;
use super::subset::first_looser;
use super::syscalls::Syscall;
use super::verdict::Verdict;

/// A call on which two profiles differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The interfaces on which they do, all in the same way.
    pub archs: Vec<Arch>,
    /// The call; none for every number that no known call has.
    pub call: Option<String>,
    /// What the first says of it, in words.
    pub first: String,
    /// What the second says of it.
    pub second: String,
    /// Arguments of a call on which they differ.
    pub example: [u64; 6],
}

/// How two profiles differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// Interfaces that only the first answers; the second kills there.
    pub archs_of_first: Vec<Arch>,
    /// Interfaces that only the second answers.
    pub archs_of_second: Vec<Arch>,
    /// What the first lets further.
    pub first_lets_further: Vec<Gap>,
    /// What the second lets further.
    pub second_lets_further: Vec<Gap>,
    /// What neither lets further, and they refuse with different numbers.
    pub otherwise: Vec<Gap>,
    /// Calls whose conditions are too intricate to compare.
    pub undecided: Vec<String>,
}

impl Differences {
    /// Between two filters for one machine.
    pub fn between(first: &Filter<'_>, second: &Filter<'_>) -> Self {
        let missing = |of: &Filter<'_>, from: &Filter<'_>| {
            of.archs().iter().copied().filter(|arch| !from.archs().contains(arch)).collect()
        };
        let mut found =
            Self { archs_of_first: missing(first, second), archs_of_second: missing(second, first), ..Self::default() };
        for arch in first.archs().iter().filter(|arch| second.archs().contains(arch)) {
            found.compare_on(first, second, *arch);
        }
        found
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn compare_on(&mut self, first: &Filter<'_>, second: &Filter<'_>, arch: Arch) {
        let defaults = (first.default_verdict(), second.default_verdict());
        let nothing = Decision::default();
        self.compare(None, &nothing, &nothing, defaults, arch);
        for call in Syscall::all().filter(|call| call.number(arch).is_some()) {
            let (mine, theirs) = (first.decision_on(call, arch), second.decision_on(call, arch));
            self.compare(Some(call.name()), &mine, &theirs, defaults, arch);
        }
        let known = |name: &&str| first.stranger_decision(name).is_none();
        for name in first.strangers().chain(second.strangers().filter(known)) {
            let mine = first.stranger_decision(name).unwrap_or(&nothing);
            let theirs = second.stranger_decision(name).unwrap_or(&nothing);
            self.compare(Some(name), mine, theirs, defaults, arch);
        }
    }

    fn compare(
        &mut self,
        call: Option<&str>,
        mine: &Decision<'_>,
        theirs: &Decision<'_>,
        (left, right): (Verdict, Verdict),
        arch: Arch,
    ) {
        let width = Width::of(arch);
        let gap = |example| {
            let named = Named { call: call.unwrap_or_default(), arch };
            let (first, second) = (mine.words(named, left), theirs.words(named, right));
            Gap { archs: vec![arch], call: call.map(str::to_owned), first, second, example }
        };
        let (further, decided) = first_looser(mine, left, theirs, right, width);
        let (closer, decided_too) = first_looser(theirs, right, mine, left, width);
        if further.is_none() && !decided || closer.is_none() && !decided_too {
            self.undecided.extend(call.map(|call| format!("{call} on {}", arch.name())));
        }
        let same = further.is_none() && closer.is_none();
        if let Some((args, ..)) = further {
            add(&mut self.first_lets_further, gap(args));
        }
        if let Some((args, ..)) = closer {
            add(&mut self.second_lets_further, gap(args));
        }
        let plain = mine.live().is_empty() && theirs.live().is_empty();
        if same && plain && mine.otherwise(left) != theirs.otherwise(right) {
            add(&mut self.otherwise, gap([0; 6]));
        }
    }
}

/// The same difference on another interface is no other difference.
fn add(gaps: &mut Vec<Gap>, gap: Gap) {
    let twin = gaps.iter_mut().find(|known| {
        known.call == gap.call && known.first == gap.first && known.second == gap.second && known.example == gap.example
    });
    match twin {
        Some(known) => known.archs.extend(gap.archs),
        None => gaps.push(gap),
    }
}
