//! What a line of a log says.

use super::decision::Decision;
use super::event::Event;

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A record of the kernel's about something that was refused, or that a filter logs.
    Event(Event),
    /// One about an access that a profile in complain mode let pass.
    Allowed(Event),
    /// A decision of the shim's.
    Decision(Box<Decision>),
    /// Messages were lost before it; how many, or 0 where it does not say.
    Lost(u64),
    /// Nothing of interest.
    Nothing,
}

impl Heard {
    pub(super) fn decision(decision: Decision) -> Self {
        Self::Decision(Box::new(decision))
    }
}
