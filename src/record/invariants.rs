//! What holds of any text of strace's whatever: the entry of the fuzz target, and of the test below.

use super::output::{Making, Refused, load, make, save};
use super::strace::{Notes, Options, Reader};
use super::{Recording, Runtime};
use crate::seccomp::{Arch, Profile};
use crate::spec::Document;

/// Reads `text` as strace's, and checks what must hold of any.
///
/// # Panics
/// When it does not hold.
pub fn check_reading(text: &[u8]) {
    for arguments in [false, true] {
        let options = Options { arch: Arch::X86_64, arguments };
        let (recording, notes) = read(text, options, usize::MAX);
        let (pieces, _) = read(text, options, 7);
        assert_eq!(recording, pieces, "the pieces that a text comes in make no difference");
        let lines = text.split(|b| *b == b'\n').filter(|line| !line.is_empty()).count() as u64;
        assert!(notes.lines >= notes.unreadable.count && notes.unreadable.count <= lines);
        for seen in recording.calls.values() {
            assert!(seen.count > 0 && seen.first.line > 0 && seen.not_permitted + seen.not_implemented <= seen.failed);
        }
        assert_eq!(
            load("saved", save(&recording).as_bytes()).ok().as_ref(),
            Some(&recording),
            "what is saved comes back"
        );
        check_profile(&recording, arguments);
    }
}

fn check_profile(recording: &Recording, arguments: bool) {
    let making =
        Making { runtime: Runtime::Any, no_new_privs: true, arguments, refused: Refused::Allow, compat: false };
    let made = make(recording, making);
    let named = |name: &str| made.profile.syscalls.iter().any(|rule| rule.names.iter().any(|known| known == name));
    assert!(recording.syscalls().into_iter().all(|syscall| named(syscall.name())), "every call is in the profile");
    let document = Document::parse(made.profile.to_json());
    assert!(document.is_ok_and(|document| Profile::read(document.root()).is_ok_and(|read| read == made.profile)));
}

/// Reads as [`super::strace::Input`] does, with buffers of `step` bytes.
fn read(text: &[u8], options: Options, step: usize) -> (Recording, Notes) {
    let mut reader = Reader::new(options);
    reader.begin("trace");
    let mut held = Vec::new();
    for piece in text.chunks(step.min(text.len().max(1))) {
        held.extend_from_slice(piece);
        if let Some(end) = held.iter().rposition(|b| *b == b'\n') {
            reader.feed(&held[..=end]);
            held.drain(..=end);
        }
    }
    if !held.is_empty() {
        reader.feed_last(&held);
    }
    reader.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::check_reading;

    /// Words that traces are made of, so that random text is nearly one.
    const WORDS: [&str; 44] = [
        "7  ",
        "[pid 8] ",
        "12:34:56.789 ",
        "9<sh> ",
        "[  59] ",
        "[00007f2f3d0b2e0b] ",
        "(+ 0.000001) ",
        "read(",
        "socket(",
        "ioctl(",
        "mmap2(",
        "clone(",
        "syscall_0x1d6(",
        "read#64(",
        "<... read resumed>",
        "AF_INET, ",
        "TCGETS, ",
        "flags=",
        "CLONE_NEWNS|SIGCHLD",
        "\"a \\\" b\"",
        "3</tmp/x>",
        ") = 0",
        ") = -1 EPERM (no)",
        ") = -1 ENOSYS (x)",
        ") = ?",
        ")  = 9 <0.000012>",
        " <unfinished ...>",
        "--- SIGCHLD {} ---",
        "+++ exited with 0 +++",
        " > /lib/a(b+0x1) [0x2]",
        "strace: Process 9 attached",
        "[ Process PID=7 runs in 32 bit mode. ]",
        "System call usage summary for 32 bit mode:",
        "% time     seconds  usecs/call     calls    errors syscall",
        "------ ----------- ----------- --------- --------- ----",
        " 50.00    0.000105           5         2         1 read",
        "100.00    0.000210           5         5           total",
        "\u{1b}[1m",
        "\u{1b}",
        "\n",
        "\n",
        "\n",
        "\r\n",
        "\0",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn whatever_bytes_there_are_the_reading_holds(text in proptest::collection::vec(any::<u8>(), 0..400)) {
            check_reading(&text);
        }

        #[test]
        fn whatever_nearly_is_a_trace_the_reading_holds(words in proptest::collection::vec(proptest::sample::select(&WORDS[..]), 0..60)) {
            check_reading(words.concat().as_bytes());
        }
    }
}
