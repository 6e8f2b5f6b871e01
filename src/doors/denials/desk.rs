//! What was heard, to the container that it is about and into the ledger.

use std::time::Instant;

use super::Denials;
use crate::count::counted;
use crate::denials::{Containers, Event, Heard, Ledger, Moment, Reasons, Trace, Who};
use crate::escape::escape;

/// Everything that is kept.
pub(super) struct Desk<'d> {
    door: &'d Denials,
    containers: Containers,
    reasons: Reasons<'d>,
    pub(super) ledger: Ledger,
    waiting: Vec<Waiting>,
    /// Records and decisions that are not of the container that was asked for.
    passed_over: u64,
}

/// A record whose container may be one that has just started.
struct Waiting {
    event: Event,
    trace: Trace,
    since: Instant,
}

impl<'d> Desk<'d> {
    pub(super) fn new(door: &'d Denials, containers: Containers, reasons: Reasons<'d>) -> Self {
        Self { door, containers, reasons, ledger: Ledger::default(), waiting: Vec::new(), passed_over: 0 }
    }

    /// Adds what was heard; the rows that it is in.
    pub(super) fn take(&mut self, heard: Heard) -> Vec<usize> {
        let is_new = |at: Option<Moment>| at >= self.door.since;
        match heard {
            Heard::Event(event) if is_new(event.at) => self.event(event).into_iter().collect(),
            Heard::Decision(decision) => {
                let who = self.containers.decided(&decision);
                // batten's own log counts whole seconds.
                let end = decision.at.map(|at| Moment(at.0 + 999));
                if is_new(end) && !decision.matters.is_empty() && self.covers(&who) {
                    self.ledger.decide(&decision, &who)
                } else {
                    Vec::new()
                }
            }
            Heard::Lost(messages) => {
                self.ledger.lose(messages);
                Vec::new()
            }
            Heard::Event(_) | Heard::Allowed(_) | Heard::Nothing => Vec::new(),
        }
    }

    /// Whether it is the container that was asked for.
    fn covers(&mut self, who: &Who) -> bool {
        let Some(wanted) = &self.door.container else { return true };
        let is_it = who.id.as_ref().is_some_and(|id| id.starts_with(wanted)) || who.name.as_ref() == Some(wanted);
        self.passed_over += u64::from(!is_it);
        is_it
    }

    /// A container's name that was mistyped must not look like a container that was refused nothing.
    pub(super) fn say_passed_over(&self) {
        if let (Some(wanted), true) = (&self.door.container, self.ledger.rows().is_empty() && self.passed_over > 0) {
            let others = counted(self.passed_over, "record");
            let note = format!("no record is of a container {wanted:?}; {others} of others, or of nobody knows whom");
            eprintln!("note: {}", escape(&note));
        }
    }

    fn event(&mut self, event: Event) -> Option<usize> {
        if self.ledger.knows(&event) {
            return None;
        }
        // At once: in a moment the process may be gone.
        let trace = self.containers.trace(event.pid, event.at);
        self.place(Waiting { event, trace, since: Instant::now() }, !self.door.follow)
    }

    /// Adds the records that waited, as far as their containers are known now; all of them at the end. The rows that they
    /// are in.
    pub(super) fn settle(&mut self, is_last: bool) -> Vec<usize> {
        let waiting = std::mem::take(&mut self.waiting);
        waiting.into_iter().filter_map(|record| self.place(record, is_last)).collect()
    }

    fn place(&mut self, record: Waiting, is_last: bool) -> Option<usize> {
        let who = self.containers.of(&record.trace);
        if !is_last && !self.containers.knows(&who, record.since) {
            self.waiting.push(record);
            return None;
        }
        if !self.covers(&who) {
            return None;
        }
        let (reasons, containers, event) = (&mut self.reasons, &self.containers, &record.event);
        self.ledger.add(event, who, |who| reasons.of(event, who, containers))
    }
}
