//! What holds of any log whatever: the entry of the fuzz target, and of the test below.

use super::containers::Who;
use super::heard::Heard;
use super::ledger::Ledger;
use super::reader::read_all;
use super::reason::Reason;
use super::report;

/// Reads `bytes` as a log, and checks what must hold of any.
///
/// # Panics
/// When it does not hold.
pub fn check_reading(bytes: &[u8]) {
    let (mut ledger, mut events) = (Ledger::default(), 0);
    let taken = read_all(bytes, |heard| match heard {
        Heard::Event(event) => {
            events += 1;
            assert!(event.pid.is_none_or(|pid| pid > 0));
            if !ledger.knows(&event) {
                ledger.add(&event, Who::default(), |_| Reason::default());
            }
        }
        Heard::Decision(decision) => {
            ledger.decide(&decision, &Who::default());
        }
        Heard::Lost(messages) => ledger.lose(messages),
        Heard::Allowed(_) | Heard::Nothing => {}
    });
    assert!(taken.is_ok(), "bytes in memory can always be read");
    let lines = bytes.split(|byte| *byte == b'\n').count() as u64;
    let counted: u64 = ledger.rows().iter().filter(|row| row.detail.is_some()).map(|row| row.count).sum();
    assert!(counted <= events && events <= lines, "no line is two records");
    for row in ledger.rows() {
        assert!(row.count > 0 && row.first <= row.last);
    }
    let text = report::text(&ledger);
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "nothing steers the terminal");
    let json = report::json(&ledger, &[]);
    assert_eq!(json["denials"].as_array().map(Vec::len), Some(ledger.rows().len()));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::check_reading;

    /// Words that logs are made of, so that random text is nearly one.
    const WORDS: [&str; 30] = [
        "audit: type=1326 audit(1795621906.661:2): ",
        "type=SECCOMP msg=audit(1795621906.661:2): ",
        "type=AVC msg=audit(1.2:3): apparmor=\"DENIED\" operation=\"open\" ",
        "[  868.354970] ",
        "Nov 25 15:51:46 host kernel: ",
        "5,1234,868354970,-;",
        "pid=7 ",
        "pid=-1 ",
        "comm=\"a\" ",
        "comm=1B5B33 ",
        "exe=\"/a\" ",
        "arch=c000003e ",
        "arch=40000003 ",
        "syscall=83 ",
        "syscall=99999999999 ",
        "code=0x50000 ",
        "code=0x7ffc0000 ",
        "name=\"/etc/x\" profile=\"web\" ",
        "SECCOMP ",
        "{\"_TRANSPORT\":\"kernel\",\"MESSAGE\":\"",
        "{\"_TRANSPORT\":\"audit\",\"_AUDIT_ID\":\"7\",\"MESSAGE\":\"SECCOMP ",
        "{\"time\":\"2026-11-24T11:00:00Z\",\"command\":\"create\",\"id\":\"web\",\"verdict\":\"refused\",\"error\":\"\\u001b[3\"",
        "\"}",
        "}",
        "__CURSOR=x",
        "_TRANSPORT=audit",
        "MESSAGE=SECCOMP pid=7 arch=c000003e syscall=83 code=0x0",
        " 36 callbacks suppressed",
        "\n",
        "\u{1b}[31m",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn whatever_bytes_there_are_the_reading_holds(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            check_reading(&bytes);
        }

        #[test]
        fn whatever_nearly_is_a_log_the_reading_holds(words in proptest::collection::vec(proptest::sample::select(&WORDS[..]), 0..60)) {
            check_reading(words.concat().as_bytes());
        }
    }
}
