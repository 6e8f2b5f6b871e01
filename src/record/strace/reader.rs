//! Lines into a recording. What it holds grows with the number of different calls and of living threads, never with the
//! length of the text.

use std::collections::{BTreeMap, HashMap};

use memchr::{memchr, memchr_iter, memmem};

use super::line::{CallLine, Line, classify, decimal};
use super::outcome::{Outcome, is_unfinished, outcome};
use super::scalar::{Kept, kept_argument};
use super::table::{Columns, Row};
use crate::record::{Call, First, Recording, Seen, Values};
use crate::seccomp::{Arch, Syscall, X32_BIT};

/// How to read.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The machine that strace ran on; the text does not say.
    pub arch: Arch,
    /// Whether to keep the arguments that are worth a condition.
    pub arguments: bool,
}

/// What there is to say about the text besides the recording.
#[derive(Debug, Clone, Default)]
pub struct Notes {
    /// Lines read.
    pub lines: u64,
    /// Lines that mean nothing to the reader.
    pub unreadable: Unreadable,
    /// Calls whose line stops short; they count, how they ended is not known.
    pub cut: Unreadable,
}

/// Lines that something is wrong with.
#[derive(Debug, Clone, Default)]
pub struct Unreadable {
    /// How many.
    pub count: u64,
    /// The first few.
    pub first: Vec<First>,
}

impl Unreadable {
    const SHOWN: usize = 5;

    fn push(&mut self, first: impl FnOnce() -> First) {
        self.count += 1;
        if self.first.len() < Self::SHOWN {
            self.first.push(first());
        }
    }
}

/// One interface's and call's numbers, in this file.
#[derive(Debug, Clone, Default)]
struct Tally {
    traced: u64,
    traced_failed: u64,
    summed: u64,
    summed_failed: u64,
    count: u64,
    failed: u64,
    not_permitted: u64,
    not_implemented: u64,
    first: Option<Box<First>>,
    values: Option<Box<Values>>,
}

/// A thread: the interface that it calls through, and the call that it is in.
#[derive(Debug, Clone, Copy, Default)]
struct Thread {
    slot: u8,
    pending: Option<Syscall>,
}

/// The interfaces of one machine, and for each call a bit for each interface that has it.
struct Interfaces {
    archs: [Arch; 3],
    known: Vec<u8>,
    kept: Vec<Option<Kept>>,
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

impl Interfaces {
    fn new(options: Options) -> Self {
        let native = options.arch;
        let compat = |index: usize| *native.compat().get(index).unwrap_or(&native);
        let archs = [native, compat(0), compat(1)];
        let bits = |call: Syscall| {
            (0u8..3)
                .filter(|slot| call.number(archs[usize::from(*slot)]).is_some())
                .fold(0, |bits, slot| bits | 1 << slot)
        };
        let kept = |call: Syscall| options.arguments.then(|| kept_argument(native, call)).flatten();
        Self { archs, known: Syscall::all().map(bits).collect(), kept: Syscall::all().map(kept).collect() }
    }

    fn has(&self, slot: u8, call: Syscall) -> bool {
        self.known[call.index()] & 1 << slot != 0
    }

    /// The interface of a thread that calls `call`, when it was thought to use `slot`: a call that only another one has
    /// gives that other one away.
    fn settle(&self, slot: u8, call: Syscall) -> u8 {
        if self.has(slot, call) { slot } else { (0..3).find(|other| self.has(*other, call)).unwrap_or(slot) }
    }

    /// The interface where `call` has the number that `-n` printed.
    fn by_number(&self, slot: u8, call: Syscall, number: u32) -> u8 {
        let fits = |slot: u8| {
            let known = call.number(self.archs[usize::from(slot)]);
            known == Some(number) || known == Some(number | X32_BIT)
        };
        if fits(slot) { slot } else { (0..3).find(|other| fits(*other)).unwrap_or(slot) }
    }

    /// strace's names: `src/linux/*/personality` and `personality_names`.
    fn by_mode(&self, mode: &[u8]) -> Option<u8> {
        let wanted = match mode {
            b"64 bit" | b"LP64" | b"AArch64" => return Some(0),
            b"x32" => Arch::X32,
            _ => return (self.archs[1] != self.archs[0] && mode != b"x32").then_some(1),
        };
        (0u8..3).find(|slot| self.archs[usize::from(*slot)] == wanted)
    }
}

impl Reader {
    /// A reader that has read nothing.
    pub fn new(options: Options) -> Self {
        Self {
            interfaces: Interfaces::new(options),
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

impl Tally {
    /// `-C` prints the calls and then their table: the larger number of the two counts.
    fn settle(&mut self) {
        self.count += self.traced.max(self.summed);
        self.failed += self.traced_failed.max(self.summed_failed);
        (self.traced, self.traced_failed, self.summed, self.summed_failed) = (0, 0, 0, 0);
    }

    fn into_seen(self) -> Seen {
        Seen {
            count: self.count,
            failed: self.failed,
            not_permitted: self.not_permitted,
            not_implemented: self.not_implemented,
            seen_in: 1,
            first_run: 0,
            first: self.first.map(|first| *first).unwrap_or_default(),
            values: self.values.map(|values| *values),
        }
    }
}

/// What stands before a note of strace's own that ends the line.
fn before_note(line: &[u8]) -> Option<&[u8]> {
    if !line.ends_with(b" attached") && !line.ends_with(b" detached") {
        return None;
    }
    memmem::rfind(line, b"strace: Process ").map(|at| &line[..at])
}

fn place(source: Option<&String>, line: u64, text: &[u8]) -> First {
    const SHOWN: usize = 160;
    let text = String::from_utf8_lossy(&text[..text.len().min(SHOWN)]).into_owned();
    First { source: source.cloned().unwrap_or_default(), line, text }
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

/// Leaves out `ESC [ … m`.
fn without_colours(line: &[u8], plain: &mut Vec<u8>) {
    plain.clear();
    let mut rest = line;
    while let Some(escape) = memchr(0x1b, rest) {
        plain.extend_from_slice(&rest[..escape]);
        rest = &rest[escape + 1..];
        let parameters = rest.iter().skip(1).take_while(|b| b.is_ascii_digit() || **b == b';').count();
        if rest.first() == Some(&b'[') && rest.get(1 + parameters) == Some(&b'm') {
            rest = &rest[parameters + 2..];
        } else {
            plain.push(0x1b);
        }
    }
    plain.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_with(text: &str, arguments: bool) -> (Recording, Notes) {
        let mut reader = Reader::new(Options { arch: Arch::X86_64, arguments });
        reader.begin("trace");
        let (whole, last) = text.rsplit_once('\n').unwrap_or(("", text));
        reader.feed(whole.as_bytes());
        if !last.is_empty() {
            reader.feed_last(last.as_bytes());
        }
        reader.finish()
    }

    fn read(text: &str) -> (Recording, Notes) {
        read_with(text, false)
    }

    fn seen(recording: &Recording, arch: Arch, name: &str) -> Seen {
        let call = Call { arch, syscall: Syscall::from_name(name).unwrap() };
        recording.calls.get(&call).unwrap_or_else(|| panic!("{name} was not seen")).clone()
    }

    #[test]
    fn an_unfinished_call_and_its_end_are_one_call() {
        let (recording, _) = read(
            "7  read(3,  <unfinished ...>\n8  openat(AT_FDCWD, \"/a\", O_RDONLY) = 3\n7  <... read resumed>0x7f, 9) = -1 EPERM (no)\n",
        );
        let read = seen(&recording, Arch::X86_64, "read");
        assert_eq!((read.count, read.failed, read.not_permitted), (1, 1, 1));
        assert!(read.only_refused());
        assert_eq!(read.first.line, 1);
    }

    #[test]
    fn a_note_of_strace_s_own_in_the_middle_of_a_line_costs_nothing() {
        let (recording, notes) = read(
            "clone(child_stack=NULL, flags=SIGCHLDstrace: Process 8 attached\n, child_tidptr=0x7) = 8\n[pid 8] close(3strace: Process 9 attached\n)     = 0\n[pid 8] dup(3strace: Process 10 attached\n[pid 9] getpid() = 9\n",
        );
        assert_eq!((notes.unreadable.count, notes.cut.count), (0, 1), "{notes:?}");
        for name in ["clone", "close", "dup", "getpid"] {
            assert_eq!(seen(&recording, Arch::X86_64, name).count, 1, "{name}");
        }
    }

    #[test]
    fn what_the_program_writes_into_the_middle_of_a_line_costs_only_itself() {
        let (recording, notes) = read(
            "write(2, \"a\\nb\\n\", 4a\nb\n) = 4\nwait4(-1, \nstrace: Process 8 attached\n <unfinished ...>\nread(0, \nclose(3) = 0\n",
        );
        assert_eq!((notes.unreadable.count, notes.cut.count), (1, 1), "{notes:?}");
        assert_eq!(notes.unreadable.first[0].text, "b");
        for (name, line) in [("write", 1), ("wait4", 4), ("read", 7), ("close", 8)] {
            let seen = seen(&recording, Arch::X86_64, name);
            assert_eq!((seen.count, seen.first.line), (1, line), "{name}");
        }
    }

    #[test]
    fn a_call_whose_beginning_is_missing_still_counts() {
        let (recording, _) = read("7  <... futex resumed>) = 0\n");
        assert_eq!(seen(&recording, Arch::X86_64, "futex").count, 1);
    }

    #[test]
    fn modes_and_their_children_are_32_bit() {
        let (recording, notes) = read(
            "7  execve(\"./a\", [\"a\"], 0x7) = 0\n[ Process PID=7 runs in 32 bit mode. ]\n7  fork() = 8\n9  getpid() = 9\n8  write(1, \"\", 0) = 0\n",
        );
        assert_eq!(seen(&recording, Arch::X86, "write").count, 1);
        assert_eq!(seen(&recording, Arch::X86_64, "execve").count, 1);
        assert_eq!(notes.unreadable.count, 0);
    }

    #[test]
    fn without_mode_lines_a_32_bit_call_or_number_gives_the_interface_away() {
        let (recording, _) = read("execve(\"./a\", [\"a\"], 0x7) = 0\nmmap2(NULL, 1) = 0xf7\nclose(3) = 0\n");
        assert_eq!(seen(&recording, Arch::X86, "mmap2").count, 1);
        assert_eq!(seen(&recording, Arch::X86, "close").count, 1);
        let (recording, _) = read("[  59] execve(\"./a\", [\"a\"], 0x7) = 0\n[   4] write(1, \"\", 0) = 0\n");
        assert_eq!(recording.architectures(), [Arch::X86_64, Arch::X86]);
    }

    #[test]
    fn x32_calls_are_told_by_number_and_mark() {
        let (recording, _) = read("[1073742344] execve(\"./a\", [\"a\"], 0x7) = 0\nrt_sigaction#64(SIGINT) = 0\n");
        assert_eq!(recording.architectures(), [Arch::X86_64, Arch::X32]);
    }

    #[test]
    fn numbers_without_a_name_are_counted_by_number_or_named() {
        let (recording, _) = read("syscall_0x1d6(0x1, 0x2) = -1 ENOSYS (no)\nsyscall_0x9999(0) = -1 ENOSYS (no)\n");
        assert_eq!(seen(&recording, Arch::X86_64, "listns").count, 1);
        assert_eq!(recording.unknown.get(&(Arch::X86_64, 0x9999)), Some(&1));
    }

    #[test]
    fn a_table_after_its_own_calls_counts_nothing_twice() {
        let table = "% time     seconds  usecs/call     calls    errors syscall\n------ ----------- ----------- --------- --------- ----------------\n \
            50.00    0.000105           5         2         1 read\n 50.00    0.000105           5         3           mmap\n\
            ------ ----------- ----------- --------- --------- ----------------\n100.00    0.000210           5         5         1 total\n";
        let (recording, notes) = read(&format!("read(0, \"\", 1) = 0\nread(0, \"\", 1) = -1 EBADF (x)\n{table}"));
        assert_eq!(seen(&recording, Arch::X86_64, "read").count, 2);
        assert_eq!(seen(&recording, Arch::X86_64, "read").failed, 1);
        assert_eq!(seen(&recording, Arch::X86_64, "mmap").count, 3);
        assert_eq!(notes.unreadable.count, 0, "{:?}", notes.unreadable);
        let (recording, _) = read(&format!("{table}System call usage summary for 32 bit mode:\n{table}"));
        assert_eq!(seen(&recording, Arch::X86, "read").count, 2);
    }

    #[test]
    fn unreadable_and_cut_lines_are_counted_and_kept() {
        let (recording, notes) = read("hello\nprintf(\"x\") = 1\nread(0, \"\", 1) = 0\nopenat(AT_FDCWD, \"/et");
        assert_eq!(notes.unreadable.count, 2);
        assert_eq!(notes.unreadable.first[1].line, 2);
        assert_eq!(notes.cut.count, 1);
        assert_eq!(seen(&recording, Arch::X86_64, "openat").count, 1);
        assert_eq!(notes.lines, 4);
    }

    #[test]
    fn colours_are_seen_through() {
        let (recording, notes) = read("\u{1b}[1mread\u{1b}[0m(0, \"\", 1) = \u{1b}[32m0\u{1b}[0m\n");
        assert_eq!(seen(&recording, Arch::X86_64, "read").count, 1);
        assert_eq!(notes.unreadable.count + notes.cut.count, 0);
    }

    #[test]
    fn kept_arguments_are_collected_until_one_cannot_be_read() {
        let text = "socket(AF_INET, SOCK_STREAM, 0) = 3\nsocket(AF_UNIX, SOCK_STREAM, 0) = 4\nioctl(0, TCGETS, {}) = 0\nioctl(0, NEWEST, {}) = 0\n";
        let (recording, _) = read_with(text, true);
        let Some(Values::Few(families)) = seen(&recording, Arch::X86_64, "socket").values else { panic!() };
        assert_eq!(families.into_keys().collect::<Vec<_>>(), [1, 2]);
        let Some(Values::Any(why)) = seen(&recording, Arch::X86_64, "ioctl").values else { panic!() };
        assert!(why.contains("NEWEST") && why.contains("trace:4"), "{why}");
    }
}
