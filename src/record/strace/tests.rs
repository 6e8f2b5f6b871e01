//! Whole texts, as strace prints them.

use super::Notes;
use super::reader::{Options, Reader};
use crate::record::{Call, Recording, Seen, Values};
use crate::seccomp::{Arch, Syscall};

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
