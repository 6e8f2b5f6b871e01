//! What holds for every reading of every text; what fuzzing and the property test call.

use super::arch::Arch;
use super::docker::{Dialect, DockerProfile, Fidelity};
use super::format::read_any;
use super::profile::Profile;
use super::resolve::{Facts, ResolveError};
use super::resolved::Resolved;
use super::target::{Abis, KernelVersion, Target};
use crate::capability::CapSet;
use crate::spec::Document;

/// Reads `text` in every dialect.
///
/// # Panics
/// When a refusal has no message or hint, when a resolved profile does not resolve to itself, or when a loadable one is
/// not read as it was written.
#[doc(hidden)]
#[allow(clippy::missing_panics_doc, reason = "it panics for a living")]
pub fn check_readings(text: &[u8]) {
    let Ok(document) = Document::parse(text) else { return };
    let kernel = KernelVersion { major: 6, minor: 1 };
    let target = Target { arch: Arch::X86_64, kernel, caps: CapSet::DOCKER, abis: Abis::Compat };
    for dialect in [Dialect::Moby, Dialect::Containers, Dialect::Containerd] {
        for fidelity in [Fidelity::Exact, Fidelity::Safe] {
            check_reading(&document, dialect, fidelity, &target);
        }
    }
    if let Ok((_, profile)) = read_any(document.root(), &target) {
        check_writing(&profile);
    }
}

fn check_reading(document: &Document, dialect: Dialect, fidelity: Fidelity, target: &Target) {
    let Some(facts) = Facts::of(target) else { return };
    let resolved = match resolve(document, dialect, fidelity, &facts) {
        Ok(resolved) => resolved,
        Err(error) => return assert!(!error.to_string().is_empty() && !error.hint().is_empty()),
    };
    let Some(resolved) = resolved else { return };
    let text = resolved.to_json();
    // Rules that fell away may leave what counts as "no seccomp" when it is read again.
    let may_vanish = resolved.is_blank();
    let again = Document::parse(text.as_str()).map(|again| {
        let again = resolve(&again, dialect, fidelity, &facts).map(|again| again.map(|again| again.to_json()));
        assert!(
            again == Ok(Some(text.clone())) || again == Ok(None) && may_vanish,
            "{dialect:?} {fidelity:?}: {text} resolves to {again:?}"
        );
    });
    assert!(again.is_ok(), "{text}");
    if let Ok(profile) = resolved.profile() {
        check_writing(&profile);
    }
}

fn resolve<'d>(
    document: &'d Document,
    dialect: Dialect,
    fidelity: Fidelity,
    facts: &Facts<'_>,
) -> Result<Option<Resolved<'d>>, ResolveError> {
    DockerProfile::read(document.root(), dialect, fidelity)?.resolve_for(facts)
}

fn check_writing(profile: &Profile) {
    let text = profile.to_json();
    let again = Document::parse(text.as_str()).map(|again| Profile::read(again.root()));
    assert_eq!(again.as_ref().map(Result::as_ref), Ok(Ok(profile)), "{text}");
}
