//! Whether a config.json is one by the runtime-spec's own words, up to version 1.3.0. No policy is asked, no file but
//! the document is looked at, nothing is fetched: what the specification says of the text itself.
//!
//! `grammar` walks the document along `members`: names, types, required members, ranges, enumerations, as the
//! specification's tables and its JSON schema have them. The other files hold what only prose says, one per chapter: what
//! must be absolute, what must not stand twice, what asks for something else to be there.
//!
//! A breach is no finding: policies cannot fix, waive or deny it, and a start does not look for any. Runtimes do, each for
//! some of them.

mod grammar;
mod hooks;
mod linux;
mod members;
mod mounts;
mod platform;
mod process;
mod resources;
mod seccomp;
mod version;

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::rules::DocumentKind;
use crate::spec::{Document, Pointer, Value};

/// The newest version of the specification that is known here.
pub const VERSION: &str = "1.3.0";

/// What reports call the specification where policy findings have a rule's name.
pub const NAME: &str = "spec";

/// How much of a promise was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Force {
    /// Allowed, and worth knowing: a SHOULD, an unknown member, a newer version.
    Note,
    /// A MUST, a REQUIRED or a type: the document is not valid.
    Must,
}

impl Force {
    /// The word that reports use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Must => "invalid",
        }
    }
}

/// One place where a document is not what the specification says.
#[derive(Debug, Clone)]
pub struct Breach {
    /// Whether the document is invalid for it.
    pub force: Force,
    /// The file and anchor in the specification, such as `config.md#configHooks`.
    pub section: &'static str,
    /// Where in the document; the object that lacks it, when something is absent.
    pub pointer: Pointer,
    /// What is there, in one clause without a full stop.
    pub message: String,
    /// What to write instead.
    pub hint: Cow<'static, str>,
}

/// Everything in `document` that is not as the specification says, in the order of its chapters.
///
/// The document need not have passed [`Document::parse_spec`]: what that refuses at once is a breach like others here.
pub fn breaches(document: &Document, kind: DocumentKind) -> Vec<Breach> {
    let mut found = Found::default();
    let root = document.root();
    match kind {
        DocumentKind::Spec => {
            grammar::walk(&members::SPEC, root, "config.md", &mut found);
            let platform = platform::Platform::of(root);
            version::judge(root, &mut found);
            platform::judge(root, platform, &mut found);
            mounts::judge(root, platform, &mut found);
            hooks::judge(root, &mut found);
            if let Some(process) = root.get("process") {
                process::judge(process, platform, &mut found);
            }
            if let Some(linux) = root.get("linux") {
                linux::judge(linux, &mut found);
                resources::judge(linux, &mut found);
                seccomp::judge(linux, &mut found);
            }
        }
        DocumentKind::Process => {
            grammar::walk(&members::PROCESS_FILE, root, "config.md#configProcess", &mut found);
            process::judge(root, platform::Platform::Linux, &mut found);
        }
    }
    found.all()
}

/// Whether none of `breaches` makes the document invalid.
pub fn is_valid(breaches: &[Breach]) -> bool {
    breaches.iter().all(|breach| breach.force == Force::Note)
}

/// So many are listed of one document, the others counted: whoever writes documents must not be able to keep batten busy.
const MOST: usize = 500;

/// What was found so far.
#[derive(Debug, Default)]
struct Found {
    listed: Vec<Breach>,
    /// How many more there are, and the worst of them.
    more: Option<(usize, Force)>,
}

impl Found {
    fn must(
        &mut self,
        section: &'static str,
        at: Value<'_>,
        message: impl Into<String>,
        hint: impl Into<Cow<'static, str>>,
    ) {
        self.add(Force::Must, section, at, message.into(), hint.into());
    }

    fn note(
        &mut self,
        section: &'static str,
        at: Value<'_>,
        message: impl Into<String>,
        hint: impl Into<Cow<'static, str>>,
    ) {
        self.add(Force::Note, section, at, message.into(), hint.into());
    }

    fn add(&mut self, force: Force, section: &'static str, at: Value<'_>, message: String, hint: Cow<'static, str>) {
        if self.listed.len() < MOST {
            return self.listed.push(Breach { force, section, pointer: at.pointer(), message, hint });
        }
        let (count, worst) = self.more.unwrap_or((0, force));
        self.more = Some((count + 1, worst.max(force)));
    }

    fn all(mut self) -> Vec<Breach> {
        if let Some((count, force)) = self.more {
            self.listed.push(Breach {
                force,
                section: "config.md",
                pointer: Pointer::root(),
                message: format!("{count} more places are not as the specification says"),
                hint: "no engine writes such a document; look at where it comes from".into(),
            });
        }
        self.listed
    }

    /// Says of the string `at` that it must start at the root.
    fn absolute(&mut self, section: &'static str, at: Option<Value<'_>>, what: &str) {
        let Some((value, path)) = at.and_then(|value| Some((value, value.as_str()?))) else { return };
        if !path.starts_with('/') {
            self.must(
                section,
                value,
                format!("{what} {path:?} is not absolute"),
                "write the path from the root, with a leading /",
            );
        }
    }

    /// Says of each item after the first with the same name that it stands twice. Items without a name are left out.
    fn once<'d>(
        &mut self,
        section: &'static str,
        items: impl Iterator<Item = Value<'d>>,
        name: impl Fn(Value<'d>) -> Option<Cow<'d, str>>,
        what: &str,
    ) {
        let mut seen: BTreeSet<Cow<'d, str>> = BTreeSet::new();
        for item in items {
            let Some(name) = name(item) else { continue };
            if seen.contains(&name) {
                self.must(section, item, format!("{what} {name:?} stands twice"), "keep one of them");
            } else {
                seen.insert(name);
            }
        }
    }
}

/// A list of CPUs or memory nodes, `0-3,7`; empty is a list.
fn is_cpu_list(text: &str) -> bool {
    let number = |text: &str| -> Option<u32> {
        let digits = text.trim();
        (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
    };
    let range = |part: &str| match part.split_once('-') {
        Some((from, to)) => number(from).zip(number(to)).is_some_and(|(from, to)| from <= to),
        None => number(part).is_some(),
    };
    text.trim().is_empty() || text.split(',').all(range)
}
