//! Words beside each other, in a profile that is written in groups.

use super::Remarks;
use crate::seccomp::groups::{GroupProfile, Word};
use crate::seccomp::syscalls::Syscall;

pub(super) fn check(remarks: &mut Remarks, profile: &GroupProfile) {
    let words = profile.words();
    for (position, written) in words.iter().enumerate() {
        let mut calls = Syscall::all().filter(|call| covers(written.word, *call)).peekable();
        if calls.peek().is_none() {
            continue;
        }
        let calls: Vec<Syscall> = calls.collect();
        let by = |other: &&crate::seccomp::groups::Written| calls.iter().all(|call| covers(other.word, *call));
        if !written.is_limit
            && let Some(deny) = words.iter().filter(|other| other.is_limit).find(by)
        {
            let message = format!("{} is closed by {} at line {}", written.word, deny.word, deny.place.line);
            remarks.add("void-word", written.place.line, message);
            continue;
        }
        let same = |other: &&crate::seccomp::groups::Written| {
            other.is_limit == written.is_limit && other.verdict == written.verdict
        };
        if let Some(other) = words[..position].iter().filter(same).find(by) {
            let message = format!("{} is said by {} at line {}", written.word, other.word, other.place.line);
            remarks.add("repeated-word", written.place.line, message);
        }
    }
}

/// `@default` stands for what it opens to everybody.
fn covers(word: Word, call: Syscall) -> bool {
    match word {
        Word::Default => {
            crate::seccomp::groups::Group::of(call).any(|group| group.capabilities().is_empty() && !group.is_closed())
        }
        other => other.covers(call),
    }
}
