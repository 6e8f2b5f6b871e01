//! Podman's precreate stage: the one hook that can change the container it is called for.

use std::path::Path;

use super::{Source, standard_input};
use crate::doors::start::{StartError, decide};
use crate::doors::{Exit, refuse, say};
use crate::rules::DocumentKind;
use crate::spec::Document;

pub(super) fn run(source: &Source) -> Exit {
    let name = Path::new("the spec on standard input");
    let judged = source.decide("precreate", "", |policy, host, entry| {
        let document = Document::parse_spec(standard_input()?)
            .map_err(|error| StartError::Read { path: name.to_owned(), error })?;
        let subject = policy.subject_of(&document);
        decide(document, DocumentKind::Spec, &subject, policy, host, name, entry)
    });
    match judged {
        // Half a spec on standard output must not pass for a whole one.
        Ok(outcome) => say(&outcome.text).map_or(Exit::Clean, |_| Exit::Unreadable),
        Err(error) => refuse(error.exit(), &error, error.hint()),
    }
}
