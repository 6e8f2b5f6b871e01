//! What a log says of one AppArmor profile, for `batten apparmor learn`: heard by the same reader, so that only the kernel's own
//! lines teach anything.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufRead};

use super::heard::Heard;
use super::reader::read_all;
use crate::apparmor::learn;

/// What was heard of a profile so far.
#[derive(Debug)]
pub struct Accesses {
    profile: String,
    heard: learn::Heard,
    /// What reached the log by two ways, the kernel's buffer and its audit socket, counts once.
    known: HashSet<u64>,
}

impl Accesses {
    /// Nothing yet, of the profile called `profile`.
    pub fn of(profile: &str) -> Self {
        Self { profile: profile.to_owned(), heard: learn::Heard::default(), known: HashSet::new() }
    }

    /// Takes what a line says.
    pub fn take(&mut self, heard: Heard) {
        match heard {
            Heard::Lost(_) => self.heard.is_incomplete = true,
            Heard::Event(event) | Heard::Allowed(event) => {
                let Some(record) = event.access else { return };
                let mut hasher = DefaultHasher::new();
                (event.at, event.serial, &record).hash(&mut hasher);
                if event.serial.is_none() || self.known.insert(hasher.finish()) {
                    self.heard.add(&record, &self.profile);
                }
            }
            Heard::Decision(_) | Heard::Nothing => {}
        }
    }

    /// All of it.
    pub fn finish(self) -> learn::Heard {
        self.heard
    }
}

/// Reads a whole log for what concerns the profile called `name`.
///
/// # Errors
/// An [`io::Error`] of the log's reader.
pub fn hear(log: impl BufRead, name: &str) -> io::Result<learn::Heard> {
    let mut accesses = Accesses::of(name);
    read_all(log, |heard| accesses.take(heard))?;
    Ok(accesses.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &str = r#"apparmor="ALLOWED" operation="open" profile="web" name="/etc/hosts" pid=7 comm="cat" requested_mask="r" denied_mask="r" fsuid=0 ouid=0"#;

    #[test]
    fn only_the_kernel_s_own_lines_teach_and_each_of_them_once() {
        let events = |log: &str| hear(log.as_bytes(), "web").unwrap().events.len();
        let kernel = format!("Nov 24 11:00:00 host kernel: [   12.3] audit: type=1400 audit(1.2:3): {FIELDS}\n");
        let audit = format!("type=AVC msg=audit(1.2:3): {FIELDS}\n");
        assert_eq!((events(&kernel), events(&audit)), (1, 1));
        assert_eq!(events(&(kernel + &audit)), 1, "two ways, one access");
        for forged in [
            format!("Nov 24 11:00:00 host web[7]: audit: type=1400 audit(1.2:3): {FIELDS}"),
            format!("13,1,2,-;audit: type=1400 audit(1.2:3): {FIELDS}"),
            FIELDS.to_owned(),
        ] {
            assert_eq!(events(&forged), 0, "{forged}");
        }
    }
}
