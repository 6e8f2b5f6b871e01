//! What all logs go on to say, in an order in which it can be understood.

use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Instant;

use super::heard::Heard;
use super::source::{Source, SourceError};
use super::tail::Tail;

/// Logs that are followed.
///
/// A start is logged before it is one: what the kernel says of a container comes after what batten said of it. So each time
/// that the kernel has said something, the logs of decisions are read to their ends first.
pub struct News {
    decisions: Vec<Tail>,
    told: Receiver<Told>,
    /// Keeps the channel open when the others have ended: logs of decisions have no end.
    _tell: Sender<Told>,
    open: usize,
}

enum Told {
    Heard(Heard),
    Ended(Result<(), SourceError>),
}

impl News {
    /// Of batten's own logs and of the others, from their starts.
    ///
    /// # Errors
    /// [`SourceError`] of a log of decisions; those of others come as their end.
    pub fn of(decisions: Vec<Source>, mut others: Vec<Source>) -> Result<Self, SourceError> {
        let mut tails = Vec::new();
        for source in decisions {
            match source.tail() {
                Some(tail) => tails.push(tail?),
                None => others.push(source),
            }
        }
        let (tell, told) = mpsc::channel();
        let open = others.len();
        for source in others {
            let tell = tell.clone();
            std::thread::spawn(move || read_on(&source, &tell));
        }
        Ok(Self { decisions: tails, told, _tell: tell, open })
    }

    /// Waits until `until` for something to be said, and hands it on. How it went, when all logs have ended or one cannot be
    /// read any more.
    pub fn hear(&mut self, until: Instant, mut take: impl FnMut(Heard)) -> Option<Result<(), SourceError>> {
        let told = self.told.recv_timeout(until.saturating_duration_since(Instant::now()));
        for log in &mut self.decisions {
            if let Err(error) = log.read(&mut take) {
                return Some(Err(error));
            }
        }
        match told {
            Ok(Told::Heard(heard)) => take(heard),
            Ok(Told::Ended(Ok(()))) => self.open -= 1,
            Ok(Told::Ended(Err(error))) => return Some(Err(error)),
            Err(_) => {}
        }
        (self.open == 0 && self.decisions.is_empty()).then_some(Ok(()))
    }
}

fn read_on(source: &Source, tell: &Sender<Told>) {
    let result = source.follow(|heard| {
        if heard != Heard::Nothing {
            // Nobody listens any more once the door has closed.
            let _ = tell.send(Told::Heard(heard));
        }
    });
    let _ = tell.send(Told::Ended(result));
}
