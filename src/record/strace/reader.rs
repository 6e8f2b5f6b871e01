//! Lines into a recording. What it holds grows with the number of different calls and of living threads, never with the
//! length of the text.

use std::collections::{BTreeMap, HashMap};

use memchr::{memchr, memchr_iter};

use super::interfaces::Interfaces;
use super::line::{CallLine, Line, before_note, classify, decimal, without_colours};
use super::notes::{Notes, place};
use super::outcome::{Outcome, is_unfinished, outcome};
use super::table::{Columns, Row};
use super::tally::Tally;
use crate::record::{Call, First, Recording, Values};
use crate::seccomp::{Arch, Syscall};

/// How to read.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The machine that strace ran on; the text does not say.
    pub arch: Arch,
    /// Whether to keep the arguments that are worth a condition.
    pub arguments: bool,
}

/// A thread: the interface that it calls through, and the call that it is in.
#[derive(Debug, Clone, Copy, Default)]
struct Thread {
    slot: u8,
    pending: Option<Syscall>,
}

/// Reads strace's text.
pub struct Reader {
    interfaces: Interfaces,
    tallies: Vec<Tally>,
    threads: HashMap<u32, Thread>,
    current: (u32, Thread),
    table: Option<Columns>,
    table_slot: u8,
    unknown: BTreeMap<(Arch, u32), u64>,
    sources: Vec<String>,
    line: u64,
    notes: Notes,
    scratch: Vec<u8>,
    split: Vec<u8>,
    split_line: u64,
}

impl Reader {
    /// A reader that has read nothing.
    pub fn new(options: Options) -> Self {
        Self {
            interfaces: Interfaces::new(options.arch, options.arguments),
            tallies: vec![Tally::default(); 3 * Syscall::COUNT],
            threads: HashMap::new(),
            current: (0, Thread::default()),
            table: None,
            table_slot: 0,
            unknown: BTreeMap::new(),
            sources: Vec::new(),
            line: 0,
            notes: Notes::default(),
            scratch: Vec::new(),
            split: Vec::new(),
            split_line: 0,
        }
    }

    /// Begins the next file.
    pub fn begin(&mut self, name: &str) {
        self.end_of_file();
        self.sources.push(name.to_owned());
        self.line = 0;
    }

    /// Reads whole lines, each with its end of line.
    pub fn feed(&mut self, text: &[u8]) {
        let colours = memchr(0x1b, text).is_some();
        let mut start = 0;
        for end in memchr_iter(b'\n', text) {
            self.read_line(&text[start..end], colours, true);
            start = end + 1;
        }
        if start < text.len() {
            self.read_line(&text[start..], colours, true);
        }
    }

    /// Reads the last line of a file that does not end in an end of line.
    pub fn feed_last(&mut self, text: &[u8]) {
        self.read_line(text, memchr(0x1b, text).is_some(), false);
    }

    /// What was read. `None` of the calls may be there: the notes say why.
    pub fn finish(mut self) -> (Recording, Notes) {
        self.end_of_file();
        let native = self.interfaces.archs[0];
        let mut recording = Recording::empty(native);
        recording.runs = vec![run_name(&self.sources)];
        for (index, tally) in self.tallies.into_iter().enumerate() {
            let (slot, call) = (index / Syscall::COUNT, Syscall::from_index(index % Syscall::COUNT));
            if let (Some(syscall), true) = (call, tally.count > 0) {
                recording.calls.insert(Call { arch: self.interfaces.archs[slot], syscall }, tally.into_seen());
            }
        }
        recording.unknown = self.unknown;
        (recording, self.notes)
    }

    fn end_of_file(&mut self) {
        self.settle_split();
        for tally in &mut self.tallies {
            tally.settle();
        }
        self.threads.clear();
        self.current = (0, Thread::default());
        self.table = None;
        self.table_slot = 0;
    }

    fn read_line(&mut self, line: &[u8], colours: bool, whole: bool) {
        self.line += 1;
        self.notes.lines += 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if colours && memchr(0x1b, line).is_some() {
            let mut plain = std::mem::take(&mut self.scratch);
            without_colours(line, &mut plain);
            self.read_joined(&plain, whole);
            self.scratch = plain;
        } else {
            self.read_joined(line, whole);
        }
    }

    /// Without `-o`, other text falls into the middle of lines: strace's own notes (`clone(…strace: Process 7 attached`)
    /// and what the program writes to the same terminal. The rest of the line then comes in a line of its own.
    fn read_joined(&mut self, line: &[u8], whole: bool) {
        if self.split.is_empty() {
            return self.read_plain(line, whole, false);
        }
        match classify(line) {
            Line::Unreadable => {}
            Line::Silent => return self.read_plain(line, whole, false),
            _ => {
                self.settle_split();
                return self.read_plain(line, whole, false);
            }
        }
        let joined = [self.split.as_slice(), line].concat();
        match classify(&joined) {
            Line::Call(call) | Line::Resumed(call) if outcome(call.rest) != Outcome::Cut => {
                self.split.clear();
                let here = std::mem::replace(&mut self.line, self.split_line);
                self.read_plain(&joined, true, true);
                self.line = here;
            }
            _ => self.read_plain(line, whole, true),
        }
    }

    /// Takes a line that stops short as it is.
    fn settle_split(&mut self) {
        if !self.split.is_empty() {
            let head = std::mem::take(&mut self.split);
            let here = std::mem::replace(&mut self.line, self.split_line);
            self.read_plain(&head, true, true);
            self.line = here;
        }
    }

    /// Puts a line that stops short aside, until the next one shows whether that is its rest.
    fn put_aside(&mut self, line: &[u8]) {
        self.split_line = self.line;
        self.split.extend_from_slice(before_note(line).unwrap_or(line));
    }

    /// `settled`: the line is all there is of it.
    fn read_plain(&mut self, line: &[u8], whole: bool, settled: bool) {
        match classify(line) {
            Line::Call(call) => self.call(line, call, settled),
            Line::Resumed(call) => self.resumed(line, call, settled),
            Line::Exit { pid } => {
                self.thread(pid.unwrap_or(0));
                self.current.1.pending = None;
                self.threads.remove(&pid.unwrap_or(0));
            }
            Line::Mode { pid, mode } => match self.interfaces.by_mode(mode) {
                Some(slot) => self.mode(pid, slot),
                None => self.unreadable(line),
            },
            Line::SummaryMode(mode) => match self.interfaces.by_mode(mode) {
                Some(slot) => self.table_slot = slot,
                None => self.unreadable(line),
            },
            Line::Silent => {}
            Line::Unreadable if self.table_line(line) => {}
            Line::Unreadable if !whole && line.iter().all(|b| *b == 0) => self.notes.lines -= 1,
            Line::Unreadable => self.unreadable(line),
        }
    }

    /// Without `-f` lines carry no process, and the note's is the only one.
    fn mode(&mut self, pid: u32, slot: u8) {
        let pid = if self.current.0 == 0 && !self.threads.contains_key(&pid) { 0 } else { pid };
        self.thread(pid);
        self.current.1.slot = slot;
    }

    /// Makes `pid` the current thread. A new one begins with the interface of the one before it, as in strace.
    fn thread(&mut self, pid: u32) {
        if self.current.0 != pid {
            let (last, state) = self.current;
            if last != 0 || state.pending.is_some() {
                self.threads.insert(last, state);
            }
            let fresh = Thread { slot: state.slot, pending: None };
            self.current = (pid, self.threads.get(&pid).copied().unwrap_or(fresh));
        }
    }

    fn call(&mut self, line: &[u8], call: CallLine<'_>, settled: bool) {
        let Some(syscall) = self.name(line, &call) else { return };
        self.thread(call.pid.unwrap_or(0));
        let slot = self.slot(&call, syscall);
        let unfinished = is_unfinished(call.rest);
        let ended = if unfinished { Outcome::Open } else { outcome(call.rest) };
        if ended == Outcome::Cut && !settled {
            return self.put_aside(line);
        }
        let tally = self.tally(slot, syscall);
        tally.traced += 1;
        if tally.first.is_none() {
            let first = self.place(line);
            self.tally(slot, syscall).first = Some(Box::new(first));
        }
        self.keep_argument(slot, syscall, call.rest);
        self.current.1.pending = unfinished.then_some(syscall);
        self.ended(slot, syscall, ended, line);
    }

    fn resumed(&mut self, line: &[u8], call: CallLine<'_>, settled: bool) {
        let Some(syscall) = self.name(line, &call) else { return };
        self.thread(call.pid.unwrap_or(0));
        if self.current.1.pending.take() != Some(syscall) {
            // Its beginning is not in this text.
            return self.call(line, call, settled);
        }
        let slot = self.slot(&call, syscall);
        let ended = outcome(call.rest);
        if ended == Outcome::Cut && !settled {
            self.current.1.pending = Some(syscall);
            return self.put_aside(line);
        }
        self.ended(slot, syscall, ended, line);
    }

    fn slot(&mut self, call: &CallLine<'_>, syscall: Syscall) -> u8 {
        let before = self.current.1.slot;
        let slot = match call.number {
            Some(number) => self.interfaces.by_number(before, syscall, number),
            None if call.wide_on_x32 => self.interfaces.by_mode(b"x32").unwrap_or(before),
            None => self.interfaces.settle(before, syscall),
        };
        self.current.1.slot = slot;
        slot
    }

    fn ended(&mut self, slot: u8, syscall: Syscall, outcome: Outcome, line: &[u8]) {
        let tally = self.tally(slot, syscall);
        match outcome {
            Outcome::Returned(Some(child)) if child > 0 => {
                if matches!(syscall.name(), "clone" | "clone3" | "fork" | "vfork") {
                    self.threads.entry(child).or_insert(Thread { slot, pending: None });
                }
                return;
            }
            Outcome::Returned(_) | Outcome::Open => return,
            Outcome::Cut => {
                let first = self.place(line);
                return self.notes.cut.push(|| first);
            }
            Outcome::NotPermitted => tally.not_permitted += 1,
            Outcome::NotImplemented => tally.not_implemented += 1,
            Outcome::Failed => {}
        }
        tally.traced_failed += 1;
    }

    fn keep_argument(&mut self, slot: u8, syscall: Syscall, rest: &[u8]) {
        let Some(kept) = self.interfaces.kept[syscall.index()] else { return };
        let value = kept.read(rest);
        let place = (self.sources.last().cloned(), self.line);
        let values = self.tally(slot, syscall).values.get_or_insert_with(|| Box::new(Values::Few(BTreeMap::new())));
        match value {
            Ok(value) => values.insert(value, 0),
            Err(why) => {
                values.give_up(|| format!("{why} ({}:{})", place.0.unwrap_or_default(), place.1));
            }
        }
    }

    /// The call of that name. What has only a number, and none that is known, is counted by it.
    fn name(&mut self, line: &[u8], call: &CallLine<'_>) -> Option<Syscall> {
        let name = std::str::from_utf8(call.name).ok()?;
        if let Some(syscall) = Syscall::from_name(name) {
            return Some(syscall);
        }
        let Some(number) = number_of(name) else {
            self.unreadable(line);
            return None;
        };
        self.thread(call.pid.unwrap_or(0));
        let arch = self.interfaces.archs[usize::from(self.current.1.slot)];
        let known = Syscall::from_number(arch, number);
        if known.is_none() {
            *self.unknown.entry((arch, number)).or_default() += 1;
        }
        known
    }

    /// Whether the line is a part of a table.
    fn table_line(&mut self, line: &[u8]) -> bool {
        match self.table.and_then(|columns| columns.row(line)) {
            Some(Row::Rule) => true,
            Some(Row::Total) => {
                self.table = None;
                self.table_slot = 0;
                true
            }
            Some(Row::Call { name, calls, errors }) => self.table_row(line, name, calls, errors),
            None => {
                let header = Columns::header(line);
                let is_header = header.is_some();
                self.table = header;
                is_header
            }
        }
    }

    fn table_row(&mut self, line: &[u8], name: &[u8], calls: u64, errors: u64) -> bool {
        let Ok(name) = std::str::from_utf8(name) else { return false };
        let plain = name.strip_suffix("#64").unwrap_or(name);
        let Some(syscall) = Syscall::from_name(plain) else {
            let arch = self.interfaces.archs[usize::from(self.table_slot)];
            let Some(number) = number_of(name) else { return false };
            *self.unknown.entry((arch, number)).or_default() += calls;
            return true;
        };
        let slot = self.interfaces.settle(self.table_slot, syscall);
        let tally = self.tally(slot, syscall);
        tally.summed += calls;
        tally.summed_failed += errors;
        if tally.first.is_none() {
            let first = self.place(line);
            self.tally(slot, syscall).first = Some(Box::new(first));
        }
        if self.interfaces.kept[syscall.index()].is_some() {
            let tally = self.tally(slot, syscall);
            if tally.traced == 0 && tally.count == 0 {
                let values = tally.values.get_or_insert_with(|| Box::new(Values::Few(BTreeMap::new())));
                values.give_up(|| "a table of counts shows no arguments".to_owned());
            }
        }
        true
    }

    fn tally(&mut self, slot: u8, syscall: Syscall) -> &mut Tally {
        &mut self.tallies[usize::from(slot) * Syscall::COUNT + syscall.index()]
    }

    fn unreadable(&mut self, line: &[u8]) {
        let (source, number) = (self.sources.last(), self.line);
        self.notes.unreadable.push(|| place(source, number, line));
    }

    fn place(&self, line: &[u8]) -> First {
        place(self.sources.last(), self.line, line)
    }
}

fn run_name(sources: &[String]) -> String {
    match sources {
        [] => String::new(),
        [one] => one.clone(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    }
}

/// `syscall_0x1d6`, and `SYS_470` of versions before 4.21.
fn number_of(name: &str) -> Option<u32> {
    if let Some(hex) = name.strip_prefix("syscall_0x") {
        return u32::from_str_radix(hex, 16).ok();
    }
    decimal(name.strip_prefix("SYS_")?.as_bytes())
}
