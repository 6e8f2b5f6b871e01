//! In which order the clauses of calls are written.
//!
//! Of two rules with different actions, one of which begins as the other does, libseccomp takes the shorter one first and the
//! longer after it, and refuses the shorter after the longer (`_db_tree_add` in its `src/db.c`). Rules for different calls
//! meet so behind a multiplexer: `semop` under a condition on its first argument is `ipc(1)` there, which must come before
//! `ipc(1, 5)`.

use super::call::Said;
use crate::seccomp::domain::{Width, is_always};
use crate::seccomp::filter::Clause;
use crate::seccomp::syscalls::{Multiplexer, Syscall};

/// Numbers the clauses of each call, in place of the rules that they come from: a clause is written after those with lower
/// numbers. The calls behind a multiplexer, and itself, are numbered together, those with the fewest conditions first.
pub(in crate::seccomp) fn put_in_order(said: &mut [Said<'_>]) {
    let families = Multiplexer::ALL.map(|multiplexer| numbered_together(said, multiplexer));
    said.iter_mut().for_each(Said::number);
    for Place { call, at, number } in families.into_iter().flatten() {
        if let Some(clauses) = said[call].clauses_mut() {
            clauses[at].ruled.rule = number;
        }
    }
}

/// The number of a clause.
struct Place {
    call: usize,
    /// Which of the call's clauses.
    at: usize,
    number: usize,
}

fn numbered_together(said: &[Said<'_>], multiplexer: Multiplexer) -> Vec<Place> {
    let own = multiplexer.syscall().map(Syscall::index);
    let calls = multiplexer.calls().map(|(call, _)| call.index()).chain(own);
    let places = |call: usize| (0..said[call].clauses().len()).map(move |at| Place { call, at, number: 0 });
    let mut places: Vec<Place> = calls.flat_map(places).collect();
    let clause = |place: &Place| &said[place.call].clauses()[place.at];
    places.sort_by_key(|place| {
        let clause = clause(place);
        (lengths(clause, Some(place.call) == own), clause.ruled.rule, place.call, place.at)
    });
    // Neighbours that say the same have one number: they become one rule.
    let mut number = 0;
    for at in 1..places.len() {
        let (before, this) = (clause(&places[at - 1]), clause(&places[at]));
        number += usize::from(before.conditions != this.conditions || before.verdict() != this.verdict());
        places[at].number = number;
    }
    places
}

/// How many conditions the clause comes to behind the multiplexer, where 32 bits are compared and where 64 are.
fn lengths(clause: &Clause<'_>, is_own: bool) -> (usize, usize) {
    let length = |width| {
        let counts = |index: u32| is_own || index != 0;
        let conditions = clause.conditions.iter().filter(|one| counts(one.index) && !is_always(one, width));
        usize::from(!is_own) + conditions.count()
    };
    (length(Width::Half), length(Width::Full))
}
