//! What a profile says that its author hardly meant.
//!
//! The text is looked at first: names, conditions, numbers, whatever machine they are for. Then what it comes to on one
//! machine for one container: rules that never count, calls that are open by another way, calls that nothing can do without.

mod codes;
mod effect;
mod groups;
mod rules;
mod text;

pub use codes::{CODES, Code};

use super::docker::{Dialect, DockerProfile, Fidelity};
use super::format::Format;
use super::groups::GroupProfile;
use super::resolve::Facts;
use super::target::Target;
use crate::remark::Remark;
use crate::spec::{Document, Place, Value};

/// What a profile is looked at for.
#[derive(Debug, Clone, Copy)]
pub struct Purpose {
    /// The container and the machine.
    pub target: Target,
    /// Whether the container's capabilities are known: only then do they and the calls have to fit.
    pub fits_capabilities: bool,
    /// Who will read the file; none for whoever its format is for.
    pub engine: Option<Dialect>,
}

/// Remarks so far.
pub(super) struct Remarks {
    list: Vec<Remark>,
}

/// How many names a message lists.
const NAMED: usize = 6;

impl Remarks {
    fn add(&mut self, code: &'static str, line: usize, message: impl Into<String>) {
        if let Some(code) = codes::find(code) {
            let message = message.into();
            self.list.push(Remark { code: code.name, level: code.level, line, message, hint: code.hint });
        }
    }

    fn at(&mut self, code: &'static str, value: Value<'_>, message: impl Into<String>) {
        self.add(code, value.place().line, message);
    }

    fn sorted(mut self) -> Vec<Remark> {
        self.list.sort_by_key(|remark| remark.line);
        self.list
    }
}

/// `a, b and 3 more`.
fn names<'n>(all: impl IntoIterator<Item = &'n str>) -> String {
    let all: Vec<&str> = all.into_iter().collect();
    let shown = all.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    if all.len() > NAMED { format!("{shown} and {} more", all.len() - NAMED) } else { shown }
}

/// Looks at a profile in OCI's, Docker's or container-libs' format.
pub fn lint(document: &Document, purpose: &Purpose) -> Vec<Remark> {
    let root = document.root();
    let format = Format::of(root);
    let engine = purpose.engine.unwrap_or(format.dialect());
    let mut remarks = Remarks { list: Vec::new() };
    text::check(&mut remarks, root, engine);
    let fidelity = if purpose.engine.is_some() { Fidelity::Exact } else { Fidelity::Safe };
    let Some(facts) = Facts::of(&purpose.target) else { return remarks.sorted() };
    let resolved =
        DockerProfile::read(root, engine, fidelity).map_err(Into::into).and_then(|profile| profile.resolve_for(&facts));
    match resolved {
        Ok(None) => remarks.at("switched-off", root, "neither a default action nor rules"),
        Ok(Some(resolved)) => match resolved.profile() {
            Ok(profile) => {
                let lines: Vec<usize> = resolved.places().map(|place| place.line).collect();
                rules::check(&mut remarks, &profile, &lines, &purpose.target);
                effect::check(&mut remarks, &profile, purpose, format == Format::Oci, &|rule, _| {
                    lines.get(rule).copied().unwrap_or(1)
                });
            }
            Err(error) => refused(&mut remarks, error.place, error.to_string()),
        },
        Err(error) => {
            let place = error.place().unwrap_or_else(|| root.place());
            refused(&mut remarks, place, error.to_string());
        }
    }
    remarks.sorted()
}

/// Unless the line's own remark says why.
fn refused(remarks: &mut Remarks, place: Place, message: String) {
    let said = |remark: &Remark| remark.line == place.line && matches!(remark.code, "unknown-arch" | "notify-default");
    if !remarks.list.iter().any(said) {
        remarks.add("refused", place.line, message);
    }
}

/// Looks at a profile that is written in groups.
pub fn lint_groups(profile: &GroupProfile, purpose: &Purpose) -> Vec<Remark> {
    let mut remarks = Remarks { list: Vec::new() };
    groups::check(&mut remarks, profile);
    let resolved = profile.resolve(&purpose.target);
    effect::check(&mut remarks, &resolved, purpose, false, &|_, call| call.map_or(1, |call| profile.line_of(call)));
    remarks.sorted()
}
