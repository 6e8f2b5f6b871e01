//! What a profile says that its author hardly meant.
//!
//! Every remark is about a rule that opens more than it seems to, that another rule makes void, or that will keep a
//! container from running or stopping. Rules in included files are not seen.

mod files;
mod others;

use super::language::Written;
use super::profile::Rule;

pub use crate::remark::{Level, Remark};

/// The codes, for the reference: each with the sentence that explains it.
pub const CODES: &[(&str, &str)] = &[
    ("everything", "a rule allows everything with every file, so the other file rules allow nothing more"),
    ("write-execute", "what can be written can be executed or mapped as code"),
    ("unconfined-exec", "a program is executed without any profile"),
    ("kernel-file", "a file of the kernel's can be written that controls the host"),
    ("engine-socket", "the socket of a container engine can be written"),
    ("void-rule", "a deny rule makes an allow rule void"),
    ("repeated-rule", "a rule allows what another one allows already"),
    ("missing-tunables", "a variable is named and no tunables are included"),
    ("disconnected", "files below the container's mounts can be refused as disconnected"),
    ("all-capabilities", "every capability is allowed"),
    ("powerful-capability", "a capability reaches beyond the container"),
    ("mount-capability", "CAP_SYS_ADMIN and the mount rules do not fit each other"),
    ("all-network", "every address family is allowed"),
    ("netlink-denied", "netlink's raw sockets are denied along with IP's"),
    ("cannot-be-stopped", "no rule lets the engine's signals in"),
    ("traces-anyone", "processes under any label may be traced"),
    ("leaves-profile", "the process may change to any profile, or to none"),
    ("not-enforced", "the profile refuses nothing"),
    ("attaches", "the profile attaches to programs of the host"),
    ("no-abi", "the profile names no ABI"),
    ("not-understood", "a rule that batten does not know was not looked at"),
];

/// Looks at a profile. `is_text` says that it was written in the parser's language, where more can be forgotten.
pub fn lint(written: &Written, is_text: bool) -> Vec<Remark> {
    let mut remarks = Remarks { written, list: Vec::new() };
    others::head(&mut remarks, is_text);
    others::capabilities(&mut remarks);
    others::network(&mut remarks);
    others::peers(&mut remarks);
    others::transitions(&mut remarks);
    files::rules(&mut remarks);
    files::repeated(&mut remarks);
    files::probes(&mut remarks);
    for (line, words) in &written.unknown {
        let is_everything = words == "all" || words == "allow all";
        let (level, code) = if is_everything { (Level::Error, "everything") } else { (Level::Note, "not-understood") };
        let hint = if is_everything { "list what the container needs" } else { "look at it yourself" };
        remarks.list.push(Remark { code, level, line: *line, message: format!("{words:?}"), hint });
    }
    let mut list = remarks.list;
    list.sort_by_key(|remark| remark.line);
    list
}

struct Remarks<'w> {
    written: &'w Written,
    list: Vec<Remark>,
}

impl Remarks<'_> {
    fn at_rule(&mut self, at: usize, level: Level, code: &'static str, message: impl Into<String>, hint: &'static str) {
        let line = self.written.lines.get(at).copied().unwrap_or(self.written.line);
        self.list.push(Remark { code, level, line, message: message.into(), hint });
    }

    fn at_head(&mut self, level: Level, code: &'static str, message: impl Into<String>, hint: &'static str) {
        let line = self.written.line;
        self.list.push(Remark { code, level, line, message: message.into(), hint });
    }

    fn rules(&self) -> impl Iterator<Item = (usize, &Rule)> {
        self.written.profile.rules.iter().enumerate()
    }
}

#[cfg(test)]
mod tests;
