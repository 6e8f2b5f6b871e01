//! One document and what became of it.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;

use crate::enforce::{Outcome, enforce};
use crate::finding::{Disposition, Finding};
use crate::host::Host;
use crate::policy::Policy;
use crate::rules::DocumentKind;
use crate::settings::{Subject, SubjectKeys};
use crate::spec::{Document, Pointer, Value};
use crate::validity::{Breach, breaches};

use super::Labels;

/// What a document comes to, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Within the policy.
    Clean,
    /// Would be changed before it starts.
    WouldFix,
    /// Would not start.
    Denied,
    /// Cannot be read, or two runtimes would read it differently; would not start.
    Unreadable,
}

impl Verdict {
    /// The word that reports use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::WouldFix => "would-fix",
            Self::Denied => "denied",
            Self::Unreadable => "unreadable",
        }
    }

    /// The words that people read. Beside a baseline, what has nothing new need not be within the policy.
    pub const fn words(self, beside_baseline: bool) -> &'static str {
        match self {
            Self::Clean if beside_baseline => "nothing new",
            Self::Clean => "within the policy",
            Self::WouldFix => "would be fixed",
            Self::Denied => "denied",
            Self::Unreadable => "unreadable",
        }
    }
}

/// A document that was judged, or could not be.
#[derive(Debug)]
pub struct Judged {
    /// What messages call it: its path, or `-`.
    pub name: String,
    /// The container it describes.
    pub subject: Subject,
    /// What people call the container; no rule reads it.
    pub labels: Labels,
    /// Where it is not as the runtime-spec says; nothing unless that was asked ([`Judged::with_spec`]).
    pub breaches: Vec<Breach>,
    /// How many findings and breaches a baseline knew and took out.
    pub known: usize,
    /// What became of it, or why nothing did, with a hint.
    pub result: Result<Outcome, Unreadable>,
    /// As it was read; nothing when it could not be.
    document: Option<Document>,
    is_one_line: OnceCell<bool>,
    /// The file that the document is a line of, and which.
    line_of: Option<(String, usize)>,
    /// For a policy's own file: where the findings about it stand. No container is judged then.
    policy_lines: Option<BTreeMap<Pointer, usize>>,
}

/// Why a document could not be judged.
#[derive(Debug, Clone)]
pub struct Unreadable {
    /// One sentence, with pointer and line where there are any.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl Judged {
    /// Judges `text` as `enforce` does before a start.
    pub fn of(name: String, text: Vec<u8>, kind: DocumentKind, policy: &Policy, host: &Host) -> Self {
        Self::judge(name, text, kind, policy, host, false)
    }

    /// As [`Judged::of`], and says besides where the document is not as the runtime-spec has it. A document that is
    /// refused for a member's type or spelling is looked through all the same.
    pub fn with_spec(name: String, text: Vec<u8>, kind: DocumentKind, policy: &Policy, host: &Host) -> Self {
        Self::judge(name, text, kind, policy, host, true)
    }

    fn judge(name: String, text: Vec<u8>, kind: DocumentKind, policy: &Policy, host: &Host, spec: bool) -> Self {
        let document = match Document::parse(text) {
            Ok(document) => document,
            Err(error) => return Self::unreadable(name, error.to_string(), error.hint().to_owned()),
        };
        let breaches = if spec { breaches(&document, kind) } else { Vec::new() };
        let labels = Labels::default().or_annotated(&document);
        let checked = match kind {
            // The table of the specification is stricter (shown in validity/grammar.rs): nothing is left to refuse.
            _ if spec && breaches.is_empty() => Ok(()),
            DocumentKind::Spec => document.check_spec(),
            DocumentKind::Process => document.check_process(),
        };
        if let Err(error) = checked {
            let unreadable = Self::unreadable(name, error.to_string(), error.hint().to_owned());
            return Self { labels, breaches, document: Some(document), ..unreadable };
        }
        let subject = if kind == DocumentKind::Spec { policy.subject_of(&document) } else { Subject::default() };
        let result = enforce(document.clone(), kind, &subject, policy, host);
        let result = result.map_err(|error| Unreadable { message: error.to_string(), hint: error.hint().to_owned() });
        let judged = Self::bare(name, result);
        Self { subject, labels, breaches, document: Some(document), ..judged }
    }

    /// What a whole run has to say about a policy's file: each finding with the line of the file that it is about.
    pub fn of_policy(name: String, findings: Vec<(Finding, usize)>) -> Self {
        let lines = findings.iter().map(|(finding, line)| (finding.pointer.clone(), *line)).collect();
        let findings = findings.into_iter().map(|(finding, _)| finding).collect();
        let outcome = Outcome { text: String::new(), changed: false, findings, used_waivers: Vec::new() };
        Self { policy_lines: Some(lines), ..Self::bare(name, Ok(outcome)) }
    }

    /// Whether this is about a policy's file ([`Judged::of_policy`]), not about a container.
    pub const fn is_policy(&self) -> bool {
        self.policy_lines.is_some()
    }

    /// A document that could not even be opened.
    pub fn unreadable(name: String, message: String, hint: String) -> Self {
        Self::bare(name, Err(Unreadable { message, hint }))
    }

    fn bare(name: String, result: Result<Outcome, Unreadable>) -> Self {
        let (subject, labels, is_one_line) = (Subject::default(), Labels::default(), OnceCell::new());
        let (breaches, known, document, line_of, policy_lines) = (Vec::new(), 0, None, None, None);
        Self { name, subject, labels, breaches, known, result, document, is_one_line, line_of, policy_lines }
    }

    /// The same, with what the place it was found at says of it.
    #[must_use]
    pub fn labelled(mut self, known: Labels) -> Self {
        let own = std::mem::take(&mut self.labels);
        let engine =
            known.engine.map(|engine| if own.engine.is_some() { own.engine.unwrap_or(engine) } else { engine });
        self.labels =
            Labels { engine, id: known.id.or(own.id), name: known.name.or(own.name), image: known.image.or(own.image) };
        self
    }

    /// The same, as line `number` (from 1) of `file`.
    #[must_use]
    pub fn on_line(mut self, file: String, number: usize) -> Self {
        self.line_of = Some((file, number));
        self
    }

    /// The file that it stands in.
    pub fn file(&self) -> &str {
        self.line_of.as_ref().map_or(&self.name, |(file, _)| file)
    }

    /// For a line of a file: the file, and what the document itself names its container. Nothing where it names none.
    pub fn known_as(&self) -> Option<String> {
        let (file, _) = self.line_of.as_ref()?;
        let document = self.document.as_ref()?;
        let name = of_pod(document).or_else(|| self.labels.name.clone()).or_else(|| cgroups_path(document))?;
        Some(format!("{file}#{name}"))
    }

    /// The text as it was read; empty when it could not be.
    pub fn before(&self) -> &str {
        self.document.as_ref().map_or("", Document::text)
    }

    /// What the rules found; nothing where it could not be judged.
    pub fn findings(&self) -> &[Finding] {
        self.result.as_ref().map_or(&[][..], |outcome| &outcome.findings)
    }

    /// What it comes to, for people.
    pub fn words(&self) -> &'static str {
        match self.verdict() {
            _ if self.is_policy() => "waivers to look at",
            Verdict::Clean if self.is_reported_on() => "reported only",
            verdict => verdict.words(self.known > 0),
        }
    }

    /// Whether something is out of policy, and the policy only wants it reported.
    pub fn is_reported_on(&self) -> bool {
        self.findings().iter().any(|finding| finding.disposition == Disposition::Reported)
    }

    /// What it comes to.
    pub fn verdict(&self) -> Verdict {
        let Ok(outcome) = &self.result else { return Verdict::Unreadable };
        let worst = outcome.findings.iter().map(|finding| finding.disposition).max();
        match worst {
            Some(Disposition::Denied) => Verdict::Denied,
            Some(Disposition::Fixed) => Verdict::WouldFix,
            _ => Verdict::Clean,
        }
    }

    /// The line (from 1) of the file that a pointer stands on: the nearest place above it that exists.
    pub fn line(&self, pointer: &Pointer) -> Option<usize> {
        if let Some((_, number)) = &self.line_of {
            return Some(*number);
        }
        if let Some(lines) = &self.policy_lines {
            return lines.get(pointer).copied();
        }
        let document = self.document.as_ref()?;
        // As engines write them: nothing to count for each finding.
        if *self.is_one_line.get_or_init(|| memchr::memchr(b'\n', document.root().raw_bytes()).is_none()) {
            return Some(document.root().line());
        }
        let mut here = document.root();
        for token in pointer.tokens() {
            let Some(next) = here.step(&token) else { break };
            here = next;
        }
        Some(here.line())
    }
}

/// `NAMESPACE/POD/CONTAINER`, as an engine of Kubernetes writes them.
fn of_pod(document: &Document) -> Option<String> {
    let subjects = ["containerd", "cri-o"].into_iter().filter_map(SubjectKeys::of_engine);
    let subject = subjects.map(|keys| Subject::of(document, &keys)).find(|subject| subject.pod.is_some())?;
    Some([subject.namespace, subject.pod, subject.container].map(Option::unwrap_or_default).join("/"))
}

/// Engines put the container's id at its end.
fn cgroups_path(document: &Document) -> Option<String> {
    document.at(&Pointer::new("/linux/cgroupsPath")).and_then(Value::as_str).map(Cow::into_owned)
}
