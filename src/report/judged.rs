//! One document and what became of it.

use std::cell::OnceCell;

use crate::enforce::{Outcome, enforce};
use crate::finding::Disposition;
use crate::fleet::Labels;
use crate::host::Host;
use crate::policy::{Policy, Subject};
use crate::rules::DocumentKind;
use crate::spec::Document;

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
    /// The text as it was read; empty when it could not be.
    pub before: String,
    /// What became of it, or why nothing did, with a hint.
    pub result: Result<Outcome, Unreadable>,
    places: OnceCell<Option<Document>>,
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
        let parsed = match kind {
            DocumentKind::Spec => Document::parse_spec(text),
            DocumentKind::Process => Document::parse_process(text),
        };
        match parsed {
            Ok(document) => {
                let subject =
                    if kind == DocumentKind::Spec { policy.subject_of(&document) } else { Subject::default() };
                let before = document.text().to_owned();
                let labels = Labels::default().or_annotated(&document);
                let result = enforce(document, kind, &subject, policy, host);
                let result =
                    result.map_err(|error| Unreadable { message: error.to_string(), hint: error.hint().to_owned() });
                Self { name, subject, labels, before, result, places: OnceCell::new() }
            }
            Err(error) => Self::unreadable(name, error.to_string(), error.hint().to_owned()),
        }
    }

    /// A document that could not even be opened.
    pub fn unreadable(name: String, message: String, hint: String) -> Self {
        let result = Err(Unreadable { message, hint });
        let (subject, labels) = (Subject::default(), Labels::default());
        Self { name, subject, labels, before: String::new(), result, places: OnceCell::new() }
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

    /// The line (from 1) in the text as it was read that a pointer stands on: the nearest place above it that exists.
    pub fn line(&self, pointer: &crate::spec::Pointer) -> Option<usize> {
        let document = self.places.get_or_init(|| Document::parse(self.before.as_str()).ok()).as_ref()?;
        let mut here = document.root();
        for token in pointer.tokens() {
            let Some(next) = here.step(&token) else { break };
            here = next;
        }
        Some(here.place().line)
    }
}
