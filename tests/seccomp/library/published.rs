//! The profiles that engines ship, and the built-in one: the same laws, on every machine, for few capabilities and for all.

use batten::capability::CapSet;
use batten::seccomp::{Abis, Arch, Filter, KernelVersion, Profile, Target, builtin, canonical, intersect, read_any};
use batten::spec::Document;

use super::laws::{explained, intersection, rewritten, subset, union};

const PUBLISHED: [&str; 4] = ["docker-1.12", "docker-20.10", "docker-27", "podman-5"];

/// Machines that Docker and Podman have profiles for, and whose programs libseccomp 2.5.4 writes; not s390x, for which
/// it writes long programs on s390x only.
const MACHINES: [Arch; 5] = [Arch::X86_64, Arch::Aarch64, Arch::Riscv64, Arch::Ppc64le, Arch::Mipsel64];

fn targets() -> impl Iterator<Item = Target> {
    let kernel = KernelVersion { major: 6, minor: 1 };
    let caps = [CapSet::EMPTY, CapSet::DOCKER, CapSet::ALL];
    let with = move |arch| caps.into_iter().map(move |caps| Target { arch, kernel, caps, abis: Abis::Compat });
    MACHINES.into_iter().flat_map(with)
}

fn published(name: &str, target: &Target) -> Profile {
    let path = format!("{}/testdata/seccomp/published/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let document = Document::parse(std::fs::read(path).unwrap()).unwrap();
    read_any(document.root(), target).unwrap().1
}

#[test]
fn no_call_s_comparisons_are_mistaken_for_another_s() {
    for target in targets() {
        let policy = builtin(&target);
        assert_eq!(Filter::new(&policy, target.arch).mistaken(), []);
        for name in PUBLISHED {
            let own = published(name, &target);
            assert_eq!(Filter::new(&own, target.arch).mistaken(), [], "{name}");
            assert_eq!(Filter::new(&intersect(&own, &policy, target.arch), target.arch).mistaken(), [], "{name}");
        }
    }
}

#[test]
fn what_is_said_of_a_call_is_what_the_program_returns() {
    for target in targets() {
        explained(target.arch, &builtin(&target), false).unwrap();
        for name in PUBLISHED {
            explained(target.arch, &published(name, &target), false).unwrap();
        }
    }
}

#[test]
fn what_a_policy_makes_of_an_engine_s_profile_is_just_the_stricter_of_both() {
    for target in targets() {
        let policy = builtin(&target);
        for name in PUBLISHED {
            let own = published(name, &target);
            intersection(target.arch, &own, &policy, false, true).unwrap();
            subset(target.arch, &own, &policy, false).unwrap();
        }
    }
}

#[test]
fn engines_profiles_combine_with_each_other_just_as_they_say() {
    for target in targets().filter(|target| target.caps == CapSet::DOCKER) {
        for (one, two) in [("docker-27", "podman-5"), ("docker-1.12", "docker-27"), ("podman-5", "docker-20.10")] {
            let (one, two) = (published(one, &target), published(two, &target));
            intersection(target.arch, &one, &two, false, true).unwrap();
            union(target.arch, &one, &two, false, true).unwrap();
            subset(target.arch, &one, &two, false).unwrap();
            subset(target.arch, &two, &one, false).unwrap();
        }
    }
}

#[test]
fn an_engine_s_profile_written_anew_says_what_it_said_in_fewer_instructions() {
    use batten::seccomp::compiled::Compiled;
    for target in targets() {
        for name in PUBLISHED {
            let own = published(name, &target);
            rewritten(target.arch, &own, false).unwrap();
            let length =
                |profile: &Profile| Compiled::new(profile, target.arch).map(|compiled| compiled.instructions());
            // Docker 1.12 lists x86's interfaces whatever the machine; a big-endian one refuses them.
            let Ok(before) = length(&own) else { continue };
            let after = length(&canonical(&own, target.arch, Abis::Native)).unwrap();
            assert!(after <= before, "{name} on {:?}: {before} became {after}", target.arch);
        }
    }
}
