//! A recording as lines of a policy.

use std::fmt::Write;

use super::profile::Made;
use crate::count::counted;
use crate::escape::escape;
use crate::record::recording::Recording;

/// The `[[override]]` that gives one container what it was seen to need. `profile` is where the profile will be.
pub fn snippet(recording: &Recording, made: &Made, name: &str, profile: &str, no_new_privs: bool) -> String {
    let calls = counted(recording.syscalls().len() as u64, "system call");
    let runs = counted(recording.runs.len() as u64, "run");
    let of = recording.runs.first().map_or_else(String::new, |run| format!(" of {}", one_line(run)));
    let mut out = format!("# {calls}, seen in {runs}{of} by `batten record`.\n");
    for note in &made.notes {
        let _ = writeln!(out, "# {}", one_line(note));
    }
    let _ = write!(
        out,
        "[[override]]\nname = {}\n# The containers that this is for: container, image, namespace, pod or annotations, as far as [subject] trusts them.\nmatch = {{ container = {} }}\n",
        quoted(&format!("recorded: {name}")),
        quoted(name),
    );
    let _ = writeln!(out, "seccomp.profile = {}", quoted(profile));
    if made.profile.architectures.len() > 1 {
        out.push_str("seccomp.abis = \"compat\"\n");
    }
    if let Some(capabilities) = recording.capabilities {
        let names: Vec<String> = capabilities.iter().map(|cap| quoted(cap.name())).collect();
        let _ = writeln!(out, "capabilities.ceiling = [{}]", names.join(", "));
    }
    if no_new_privs {
        out.push_str("no_new_privs.required = true\n");
    }
    out
}

fn one_line(text: &str) -> String {
    escape(text).replace('\n', " ")
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::{Making, Refused, make};
    use super::*;
    use crate::record::Runtime;
    use crate::seccomp::Arch;

    #[test]
    fn a_policy_takes_the_snippet_whatever_the_names_are() {
        let mut recording = Recording::empty(Arch::X86_64);
        recording.runs = vec!["a\n\"b\"".to_owned()];
        recording.capabilities = Some(crate::capability::CapSet::DOCKER);
        let making = Making {
            runtime: Runtime::Any,
            no_new_privs: true,
            arguments: false,
            refused: Refused::Allow,
            compat: true,
        };
        let made = make(&recording, making);
        for name in ["web", "we\"b\n", "\u{7f}"] {
            let text = snippet(&recording, &made, name, "/etc/batten/profiles/web.json", true);
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("policy.toml");
            let trusting = format!("[subject]\nengine = \"containerd\"\n\n{text}");
            crate::record::output::write_new(&path, trusting.as_bytes()).unwrap();
            let read = crate::policy::Policy::load_files(&[path]);
            assert!(read.is_ok(), "{text}\n{:?}", read.err().map(|error| error.to_string()));
        }
    }
}
