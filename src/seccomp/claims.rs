//! What holds for every reading of every text; what fuzzing and the property test call.

use super::arch::Arch;
use super::docker::{Dialect, DockerProfile, Fidelity};
use super::format::read_any;
use super::groups::GroupProfile;
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
    let kernel = KernelVersion { major: 6, minor: 1 };
    let target = Target { arch: Arch::X86_64, kernel, caps: CapSet::DOCKER, abis: Abis::Compat };
    check_groups(text, &target);
    let Ok(document) = Document::parse(text) else { return };
    #[cfg(feature = "cli")]
    by_hand::check(&document, &target);
    for dialect in [Dialect::Moby, Dialect::Containers, Dialect::Containerd] {
        for fidelity in [Fidelity::Exact, Fidelity::Safe] {
            check_reading(&document, dialect, fidelity, &target);
        }
    }
    if let Ok((_, profile)) = read_any(document.root(), &target) {
        check_writing(&profile);
    }
}

/// TOML in groups: refused with a hint, or a profile that is read as it was written.
fn check_groups(text: &[u8], target: &Target) {
    match GroupProfile::from_bytes(text.to_vec()) {
        Ok(profile) => {
            check_writing(&profile.resolve(target));
            #[cfg(feature = "cli")]
            by_hand::check_groups(&profile, target);
        }
        Err(error) => assert!(!error.problem.is_empty() && !error.hint.is_empty()),
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

/// What the commands do with a profile.
#[cfg(feature = "cli")]
mod by_hand {
    use super::{Dialect, DockerProfile, Document, Fidelity, GroupProfile, Target, read_any};
    use crate::seccomp::convert;
    use crate::seccomp::lint::{Purpose, lint, lint_groups};
    use crate::seccomp::{Differences, Filter};

    const ENGINES: [Dialect; 3] = [Dialect::Moby, Dialect::Containers, Dialect::Containerd];

    /// # Panics
    /// When a remark says nothing, or a conversion changes a verdict.
    pub(super) fn check(document: &Document, target: &Target) {
        for engine in [None].into_iter().chain(ENGINES.map(Some)) {
            let purpose = Purpose { target: *target, fits_capabilities: true, engine };
            for remark in lint(document, &purpose) {
                assert!(remark.line > 0 && !remark.message.is_empty(), "{remark:?}");
            }
        }
        let Ok((_, meant)) = read_any(document.root(), target) else { return };
        for to in ENGINES {
            let Ok(text) = convert(document, to, target) else { continue };
            let read = Document::parse(text.as_str()).unwrap_or_else(|error| panic!("{text}: {error}"));
            let profile = DockerProfile::read(read.root(), to, Fidelity::Safe).map(|profile| profile.resolve(target));
            let Ok(Ok(Some(said))) = profile else { panic!("{to:?}: {text}: {profile:?}") };
            let found = Differences::between(&Filter::new(&meant, target.arch), &Filter::new(&said, target.arch));
            assert!(
                found.first_lets_further.is_empty() && found.second_lets_further.is_empty(),
                "{to:?}: {text}: {found:?}"
            );
        }
    }

    /// # Panics
    /// When a remark says nothing.
    pub(super) fn check_groups(profile: &GroupProfile, target: &Target) {
        let purpose = Purpose { target: *target, fits_capabilities: true, engine: None };
        assert!(lint_groups(profile, &purpose).iter().all(|remark| remark.line > 0 && !remark.message.is_empty()));
    }
}
