//! A profile in the format of Docker, Podman and Kubernetes' localhost files.

use serde_json::{Value, json};

use crate::seccomp::{Arch, Profile};

/// The profile with its architectures as an `archMap`, as Docker's own has them.
pub fn docker(profile: &Profile, comment: &str) -> String {
    // What batten wrote itself parses.
    let mut value: Value = serde_json::from_str(&profile.to_json()).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.shift_remove("architectures");
        let native = profile.architectures.first().copied().unwrap_or(Arch::NATIVE);
        let others: Vec<&str> = profile.architectures.iter().skip(1).map(|arch| arch.name()).collect();
        object.shift_insert(
            2,
            "archMap".to_owned(),
            json!([{"architecture": native.name(), "subArchitectures": others}]),
        );
        let rules = object.get_mut("syscalls").and_then(Value::as_array_mut);
        if let Some(first) = rules.and_then(|rules| rules.first_mut()).and_then(Value::as_object_mut) {
            first.insert("comment".to_owned(), comment.into());
        }
    }
    format!("{value:#}\n")
}

#[cfg(test)]
mod tests {
    use crate::record::{Recording, Runtime, output};
    use crate::seccomp::{Abis, Arch, Dialect, DockerProfile, Fidelity, KernelVersion, Target};
    use crate::spec::Document;

    #[test]
    fn docker_s_format_resolves_to_the_same_profile() {
        let making = output::Making {
            runtime: Runtime::Any,
            no_new_privs: false,
            arguments: false,
            refused: output::Refused::Allow,
            compat: true,
        };
        let made = output::make(&Recording::empty(Arch::X86_64), making);
        let document = Document::parse(super::docker(&made.profile, "recorded")).unwrap();
        let read = DockerProfile::read(document.root(), Dialect::Moby, Fidelity::Exact).unwrap();
        let kernel = KernelVersion { major: 6, minor: 1 };
        let target = Target { arch: Arch::X86_64, kernel, caps: crate::capability::CapSet::EMPTY, abis: Abis::Compat };
        let resolved = read.resolve(&target).unwrap().unwrap();
        assert_eq!(resolved.architectures, made.profile.architectures);
        let names = |profile: &crate::seccomp::Profile| -> Vec<String> {
            let mut names: Vec<String> =
                profile.syscalls.iter().flat_map(|rule| rule.names.iter().map(ToString::to_string)).collect();
            names.sort();
            names
        };
        assert_eq!(names(&resolved), names(&made.profile));
    }
}
