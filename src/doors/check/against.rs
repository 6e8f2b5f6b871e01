//! `--against`: would the policy have broken that run?

use std::fmt::Write;
use std::path::PathBuf;

use crate::doors::Exit;
use crate::doors::record::source::recordings;
use crate::finding::{Finding, Severity};
use crate::fleet::{Item, Labels, Text};
use crate::fleet::{Judged, Unreadable};
use crate::host::Host;
use crate::policy::Policy;
use crate::record::Recording;
use crate::record::against::findings;
use crate::record::strace::Options;
use crate::seccomp::Arch;
use crate::settings::Subject;
use crate::spec::Document;

/// What a report calls the container that no bundle describes.
const ANY: &str = "any container";

/// The run that documents are held against.
pub(super) struct Against(Recording);

impl Against {
    /// Reads the run; none where no file is named.
    pub(super) fn read(files: &[PathBuf]) -> Result<Option<Self>, Exit> {
        if files.is_empty() {
            return Ok(None);
        }
        recordings(files, Options { arch: Arch::NATIVE, arguments: true }).map(|recording| Some(Self(recording)))
    }

    /// Adds to the report what would have failed under the document as it would have been started; whether that breaks
    /// the run.
    pub(super) fn add(&self, judged: &mut Judged, policy: &Policy, host: &Host) -> bool {
        let Ok(outcome) = &mut judged.result else { return false };
        if judged.name == ANY {
            // What would be fixed in a bundle that nobody wrote is of no interest.
            outcome.findings.clear();
            judged.breaches.clear();
        }
        let Ok(document) = Document::parse_spec(outcome.text.as_str()) else { return false };
        match findings(&self.0, &document, &policy.resolve(&judged.subject), host) {
            Ok(found) => {
                let breaks = found.iter().any(is_breaking);
                outcome.findings.extend(found);
                breaks
            }
            Err(error) => {
                judged.result = Err(Unreadable { message: error.to_string(), hint: error.hint().to_owned() });
                false
            }
        }
    }
}

fn is_breaking(finding: &Finding) -> bool {
    finding.severity > Severity::Low
}

/// A container that asks for every capability that the policy permits, and leaves its filter to the policy.
pub(super) fn any_container(policy: &Policy) -> Item {
    let ceiling = policy.resolve(&Subject::default()).capabilities.ceiling.value;
    let names: Vec<String> = ceiling.iter().map(|capability| format!("\"{}\"", capability.name())).collect();
    let names = names.join(",");
    let mut text = String::from(r#"{"ociVersion":"1.0.2","process":{"cwd":"/","args":["sh"],"capabilities":{"#);
    for (position, set) in ["bounding", "effective", "permitted", "inheritable", "ambient"].iter().enumerate() {
        let comma = if position > 0 { "," } else { "" };
        let _ = write!(text, "{comma}\"{set}\":[{}]", if *set == "ambient" { "" } else { &names });
    }
    text.push_str("}}}");
    Item { name: ANY.to_owned(), labels: Labels::default(), text: Text::Read(text.into_bytes()) }
}
