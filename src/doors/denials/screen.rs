//! What is shown while following: a table on a terminal, lines elsewhere.

use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use super::Denials;
use crate::denials::report::{json_row, line, table};
use crate::denials::{Ledger, Limit};
use crate::doors::format::Format;
use crate::doors::{Exit, say};

/// Where rows go while following.
pub(super) struct Screen {
    format: Format,
    is_terminal: bool,
    limit: Limit,
    /// Rows that were counted on since they were last printed.
    touched: BTreeSet<usize>,
    lost: u64,
    drawn: usize,
    /// The table as it stands there.
    shown: Option<String>,
}

impl Screen {
    pub(super) fn new(door: &Denials) -> Self {
        Self {
            format: door.format,
            is_terminal: std::io::stdout().is_terminal() && door.format == Format::Text,
            limit: Limit::new(Duration::from_secs(door.every), Instant::now()),
            touched: BTreeSet::new(),
            lost: 0,
            drawn: 0,
            shown: None,
        }
    }

    /// Rows that were counted on.
    pub(super) fn touch(&mut self, rows: Vec<usize>) {
        self.touched.extend(rows);
    }

    /// Prints what is due; everything that is left, at the end. The exit code when that cannot be done.
    pub(super) fn show(&mut self, ledger: &Ledger, is_last: bool) -> Option<Exit> {
        if self.is_terminal {
            return self.draw(ledger);
        }
        if ledger.lost_notices > self.lost {
            self.lost = ledger.lost_notices;
            let messages = ledger.lost_messages;
            eprintln!("warning: the logs say that messages were lost ({messages} that they count)");
        }
        let mut out = String::new();
        let now = Instant::now();
        let rows = std::mem::take(&mut self.touched);
        for index in rows {
            let row = &ledger.rows()[index];
            let due = if is_last { self.limit.rest(index, row.count) } else { self.limit.due(index, row.count, now) };
            match due {
                Some(new) if self.format == Format::Json => {
                    let mut value = json_row(row);
                    value["new"] = new.into();
                    out.push_str(&value.to_string());
                    out.push('\n');
                }
                Some(new) => out.push_str(&line(row, new)),
                None => {
                    self.touched.insert(index);
                }
            }
        }
        if out.is_empty() { None } else { say(&out) }
    }

    /// Draws the table over the last one.
    fn draw(&mut self, ledger: &Ledger) -> Option<Exit> {
        let (width, height) = match rustix::termios::tcgetwinsize(std::io::stdout()) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
            _ => (80, 24),
        };
        let text = table(ledger, width, height);
        if self.shown.as_ref() == Some(&text) {
            return None;
        }
        let up = if self.drawn > 0 { format!("\x1b[{}A", self.drawn) } else { String::new() };
        self.drawn = text.lines().count();
        let mut out = std::io::stdout().lock();
        let drawn = write!(out, "{up}\x1b[J{text}").and_then(|()| out.flush());
        self.shown = Some(text);
        drawn.err().map(|_| Exit::Clean)
    }
}
