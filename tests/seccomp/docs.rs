//! docs/seccomp.md says what is.

use std::collections::BTreeSet;

use batten::capability::CapSet;
use batten::seccomp::{Abis, Arch, Differences, Filter, GROUPS, Gap, GroupProfile, KernelVersion, Target, builtin};

const DOCS: &str = include_str!("../../docs/seccomp.md");
const DOCKER: &str = include_str!("../../testdata/seccomp/docker-default.toml");

/// The rows of the table below a heading, cell by cell.
fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, below) = DOCS.split_once(heading).unwrap_or_else(|| panic!("docs/seccomp.md has no {heading:?}"));
    let lines = below.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    lines.skip(2).map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

fn names(table: &[Vec<&'static str>]) -> BTreeSet<&'static str> {
    table.iter().flat_map(|row| row[0].split(", ")).map(|name| name.trim_matches('`')).collect()
}

fn targets() -> impl Iterator<Item = Target> {
    let machines = [Arch::X86_64, Arch::Aarch64, Arch::Riscv64, Arch::S390x, Arch::Ppc64le, Arch::Loongarch64];
    let each = CapSet::ALL.iter().map(CapSet::of);
    let sets: Vec<CapSet> = each.chain([CapSet::EMPTY, CapSet::DOCKER, CapSet::ALL]).collect();
    let kernels = [KernelVersion { major: 4, minor: 4 }, KernelVersion { major: 6, minor: 18 }];
    machines.into_iter().flat_map(move |arch| {
        let sets = sets.clone();
        kernels.into_iter().flat_map(move |kernel| {
            let sets = sets.clone();
            [Abis::Native, Abis::Compat]
                .into_iter()
                .flat_map(move |abis| sets.clone().into_iter().map(move |caps| Target { arch, kernel, caps, abis }))
        })
    })
}

#[test]
fn every_difference_from_docker_s_default_is_in_the_docs_and_no_other() {
    let docker = GroupProfile::parse(DOCKER).unwrap();
    let (mut stricter, mut wider) = (BTreeSet::new(), BTreeSet::new());
    let collect = |into: &mut BTreeSet<String>, gaps: &[Gap]| {
        into.extend(gaps.iter().map(|gap| gap.call.clone().unwrap_or_else(|| "unknown".to_owned())));
    };
    for target in targets() {
        let (theirs, ours) = (docker.resolve(&target), builtin(&target));
        let found = Differences::between(&Filter::new(&theirs, target.arch), &Filter::new(&ours, target.arch));
        assert!(found.undecided.is_empty() && found.archs_of_first.is_empty() && found.archs_of_second.is_empty());
        collect(&mut stricter, &found.first_lets_further);
        collect(&mut wider, &found.second_lets_further);
    }
    for (heading, found) in
        [("### Closed here and open in Docker's", stricter), ("### Open here and closed in Docker's", wider)]
    {
        let rows = table(heading);
        assert!(rows.iter().all(|row| row.len() == 2 && row[1].len() > 20), "{heading}: a row has calls and a reason");
        assert_eq!(names(&rows), found.iter().map(String::as_str).collect(), "{heading}");
    }
}

#[test]
fn every_group_is_in_the_docs_with_what_opens_it() {
    let rows = table("## Groups");
    let listed: Vec<(&str, &str, &str)> = rows.iter().map(|row| (row[0], row[1], row[2])).collect();
    for group in &GROUPS {
        let caps = group.capabilities();
        let open = match (group.is_closed(), caps == CapSet::EMPTY) {
            (true, _) => "nobody".to_owned(),
            (false, true) => "everybody".to_owned(),
            (false, false) => caps.iter().map(|cap| cap.name().to_owned()).collect::<Vec<_>>().join(", "),
        };
        let name = format!("`@{}`", group.name);
        assert!(listed.contains(&(name.as_str(), open.as_str(), group.about)), "| {name} | {open} | {} |", group.about);
    }
    assert_eq!(listed.len(), GROUPS.len());
}

/// Messages about a member's type send people there.
#[test]
fn every_member_of_a_profile_is_in_the_docs_with_its_type() {
    let rows = table("The members of the file, with their types.");
    let listed = names(&rows);
    for member in ["defaultAction", "defaultErrnoRet", "defaultErrno", "architectures", "archMap", "flags"] {
        assert!(listed.contains(member), "{member}");
    }
    for member in ["listenerPath", "listenerMetadata", "syscalls"] {
        assert!(listed.contains(member), "{member}");
    }
    for member in ["names", "name", "action", "errnoRet", "errno", "args", "comment", "includes", "excludes"] {
        let known = listed.iter().any(|own| own.trim_start_matches("syscalls[]").trim_start_matches('.') == member);
        assert!(known, "syscalls[].{member}");
    }
}
