//! Whether a document is one by the runtime-spec: its own examples, its own schema, and each MUST of its text.

use std::fs;
use std::path::{Path, PathBuf};

use batten::rules::DocumentKind;
use batten::spec::Document;
use batten::validity::{Breach, Force, breaches, is_valid};
use serde_json::{Value, json};

use crate::batten::{batten, batten_reading};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/runtime-spec").join(name)
}

fn examples(kind: &str) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder(kind)).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn judge(text: &str) -> Option<Vec<Breach>> {
    Document::parse(text).ok().map(|document| breaches(&document, DocumentKind::Spec))
}

fn everything() -> Value {
    serde_json::from_str(&fs::read_to_string(folder("everything.json")).unwrap()).unwrap()
}

#[test]
fn every_good_example_of_every_release_is_valid() {
    let paths = examples("good");
    assert!(paths.len() > 8);
    for path in paths {
        let found = judge(&fs::read_to_string(&path).unwrap()).unwrap();
        assert!(is_valid(&found), "{}: {found:#?}", path.display());
    }
}

#[test]
fn every_bad_example_of_every_release_is_not() {
    let paths = examples("bad");
    assert!(paths.len() > 4);
    for path in paths {
        let found = judge(&fs::read_to_string(&path).unwrap());
        assert!(found.is_none_or(|found| !is_valid(&found)), "{}", path.display());
    }
}

#[test]
fn what_real_engines_write_is_valid_and_gives_no_note() {
    for path in ["containerd-cri", "docker-26", "docker-26-privileged", "docker-26-many-variables", "podman-4"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/specs").join(path).with_extension("json");
        let found = judge(&fs::read_to_string(&path).unwrap()).unwrap();
        assert!(found.is_empty(), "{}: {found:#?}", path.display());
    }
}

#[test]
fn a_document_with_every_member_of_1_3_0_is_valid_and_gives_no_note() {
    let found = judge(&everything().to_string()).unwrap();
    assert!(found.is_empty(), "{found:#?}");
}

/// Every place in `value`.
fn places(value: &Value, at: String, out: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(key, child)| places(child, format!("{at}/{}", key.replace('/', "~1")), out));
        }
        Value::Array(items) => items.iter().enumerate().for_each(|(n, child)| places(child, format!("{at}/{n}"), out)),
        _ => {}
    }
    out.push(at);
}

fn without(document: &Value, place: &str) -> Option<Value> {
    let (parent, last) = place.rsplit_once('/')?;
    let mut changed = document.clone();
    match changed.pointer_mut(parent)? {
        Value::Object(members) => members.shift_remove(&last.replace("~1", "/")).map(drop)?,
        Value::Array(items) => drop(items.remove(last.parse().ok()?)),
        _ => return None,
    }
    Some(changed)
}

/// What a member may wrongly hold: each kind of JSON, numbers beyond each width, strings near the right ones.
fn wrong_values() -> Vec<Value> {
    let mut values = vec![json!(null), json!(true), json!([]), json!({}), json!([{}]), json!({"a": 1})];
    values.extend([-1, 0, 8, 512, 65_536, 4_294_967_296, i64::MAX].map(|number| json!(number)));
    values.extend([json!(u64::MAX), json!(1.5), json!([""])]);
    values.extend(["x", "SCMP_ACT_ALLOWED", "64kB"].map(|text| json!(text)));
    values
}

#[test]
fn where_the_specification_s_schema_says_invalid_so_does_batten() {
    let schema: Value = serde_json::from_str(&fs::read_to_string(folder("config-1.3.0.schema.json")).unwrap()).unwrap();
    let schema = jsonschema::draft4::new(&schema).unwrap();
    let full = everything();
    assert!(schema.is_valid(&full), "{:?}", schema.iter_errors(&full).map(|e| e.to_string()).collect::<Vec<_>>());
    let mut starts = vec![full];
    // The specification's long examples say nothing that the document with everything does not.
    for path in examples("good").iter().filter(|path| !path.to_string_lossy().contains("spec-example")) {
        starts.push(serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap());
    }
    let (mut tried, mut refused) = (0, 0);
    for start in &starts {
        let mut all = Vec::new();
        places(start, String::new(), &mut all);
        for place in &all {
            let replaced = wrong_values().into_iter().map(|value| {
                let mut changed = start.clone();
                *changed.pointer_mut(place).unwrap() = value;
                changed
            });
            for changed in replaced.chain(without(start, place)) {
                tried += 1;
                if schema.is_valid(&changed) {
                    continue;
                }
                refused += 1;
                let found = judge(&changed.to_string());
                let by_schema = || schema.iter_errors(&changed).map(|error| error.to_string()).collect::<Vec<_>>();
                assert!(
                    found.is_none_or(|found| !is_valid(&found)),
                    "{place} = {:?}: the schema says {:?}",
                    changed.pointer(place),
                    by_schema()
                );
            }
        }
    }
    assert!(tried > 5_000 && refused > 3_000, "{tried} tried, {refused} refused by the schema");
}

/// One change to the document with everything, and the place and force of what is said then.
type Case = (&'static str, Value, &'static str, Force);

#[allow(clippy::too_many_lines, reason = "a table")]
fn cases() -> Vec<Case> {
    use Force::{Must, Note};
    vec![
        ("/ociVersion", json!("1.0"), "/ociVersion", Must),
        ("/ociVersion", json!("1.4.0"), "/ociVersion", Note),
        ("/ociVersion", json!("2.0.0"), "/ociVersion", Note),
        ("/root", json!({"path": ""}), "/root/path", Must),
        ("/unheardOf", json!({}), "/unheardOf", Note),
        ("/process/unheardOf", json!(1), "/process/unheardOf", Note),
        ("/annotations", json!({"": "x"}), "/annotations/", Must),
        ("/mounts/0/destination", json!("proc"), "/mounts/0/destination", Note),
        ("/mounts/1/gidMappings", json!(null), "/mounts/1/gidMappings", Must),
        ("/mounts/0/options", json!(["idmap"]), "", Note),
        ("/mounts/1/options", json!(["rbind"]), "/mounts/1", Note),
        ("/process/cwd", json!("srv"), "/process/cwd", Must),
        ("/process/args", json!([]), "/process/args", Must),
        ("/process/user", json!({"uid": 1}), "/process/user", Must),
        ("/process/env/1", json!("EMPTY"), "/process/env/1", Note),
        ("/process/rlimits/1/type", json!("RLIMIT_NOFILE"), "/process/rlimits/1", Must),
        ("/process/rlimits/1/type", json!("RLIMIT_VMEM"), "/process/rlimits/1/type", Must),
        ("/process/rlimits/0/soft", json!(5000), "/process/rlimits/0", Must),
        ("/process/capabilities/bounding", json!(["CAP_KILLER"]), "/process/capabilities/bounding/0", Note),
        ("/process/capabilities/bounding", json!(["cap_kill"]), "/process/capabilities/bounding/0", Note),
        ("/process/oomScoreAdj", json!(1001), "/process/oomScoreAdj", Must),
        ("/process/scheduler/policy", json!("SCHED_FAIR"), "/process/scheduler/policy", Must),
        ("/process/scheduler/nice", json!(20), "/process/scheduler/nice", Must),
        ("/process/scheduler/flags", json!(["SCHED_FLAG_X"]), "/process/scheduler/flags/0", Must),
        ("/process/ioPriority/priority", json!(8), "/process/ioPriority/priority", Must),
        ("/process/ioPriority", json!({"class": "IOPRIO_CLASS_BE"}), "/process/ioPriority", Must),
        ("/process/execCPUAffinity/final", json!("3-1"), "/process/execCPUAffinity/final", Must),
        ("/hooks/poststop/0/path", json!("hook"), "/hooks/poststop/0/path", Must),
        ("/hooks/createRuntime/0/timeout", json!(0), "/hooks/createRuntime/0/timeout", Must),
        ("/hooks/createRuntime/0/env", json!(["=x"]), "/hooks/createRuntime/0/env/0", Note),
        ("/linux/namespaces/1/type", json!("mount"), "/linux/namespaces/1", Must),
        ("/linux/namespaces/2/path", json!("run/netns/web"), "/linux/namespaces/2/path", Must),
        ("/linux/namespaces/0/type", json!("mnt"), "/linux/namespaces/0/type", Must),
        ("/linux/uidMappings/0/size", json!(0), "/linux/uidMappings/0", Must),
        ("/linux/uidMappings/0/hostID", json!(4_294_967_000_u32), "/linux/uidMappings/0", Must),
        ("/linux/gidMappings/1", json!({"containerID": 5, "hostID": 7, "size": 1}), "/linux/gidMappings/1", Must),
        (
            "/linux/gidMappings/1",
            json!({"containerID": 70_000, "hostID": 100_001, "size": 1}),
            "/linux/gidMappings/1",
            Must,
        ),
        ("/linux/namespaces", json!([{"type": "time"}]), "/linux/uidMappings", Note),
        ("/linux/namespaces", json!([{"type": "user"}]), "/linux/timeOffsets", Note),
        ("/linux/namespaces", json!([{"type": "user"}]), "/linux/netDevices", Note),
        ("/linux/timeOffsets/monotonic/nanosecs", json!(1_000_000_000), "/linux/timeOffsets/monotonic/nanosecs", Must),
        ("/linux/timeOffsets/realtime", json!({"secs": 1}), "/linux/timeOffsets/realtime", Note),
        ("/linux/devices/0/path", json!("dev/fuse"), "/linux/devices/0/path", Must),
        ("/linux/devices/1/type", json!("b"), "/linux/devices/1", Must),
        (
            "/linux/devices/2",
            json!({"type": "c", "path": "/dev/f2", "major": 10, "minor": 229}),
            "/linux/devices/2",
            Note,
        ),
        ("/linux/netDevices/eth0/name", json!("sixteen-letters-"), "/linux/netDevices/eth0", Must),
        ("/linux/resources/devices/1/type", json!("d"), "/linux/resources/devices/1/type", Must),
        ("/linux/resources/devices/1/access", json!("rx"), "/linux/resources/devices/1/access", Must),
        ("/linux/resources/memory/swappiness", json!(101), "/linux/resources/memory/swappiness", Must),
        ("/linux/resources/cpu/burst", json!(1_000_001), "/linux/resources/cpu/burst", Must),
        ("/linux/resources/cpu/cpus", json!("all"), "/linux/resources/cpu/cpus", Note),
        (
            "/linux/resources/blockIO/weightDevice/0",
            json!({"major": 8, "minor": 0}),
            "/linux/resources/blockIO/weightDevice/0",
            Must,
        ),
        (
            "/linux/resources/blockIO/throttleReadBpsDevice/0",
            json!({"major": 8, "minor": 0}),
            "/linux/resources/blockIO/throttleReadBpsDevice/0",
            Must,
        ),
        (
            "/linux/resources/hugepageLimits/1",
            json!({"pageSize": "2MB", "limit": 1}),
            "/linux/resources/hugepageLimits/1",
            Must,
        ),
        ("/linux/resources/rdma/mlx5_1", json!({}), "/linux/resources/rdma/mlx5_1", Must),
        ("/linux/resources/unified", json!({"../memory.high": "1"}), "/linux/resources/unified/..~1memory.high", Must),
        ("/linux/intelRdt/memBwSchema", json!("L3:0=1"), "/linux/intelRdt/memBwSchema", Must),
        ("/linux/intelRdt/l3CacheSchema", json!("MB:0=1"), "/linux/intelRdt/l3CacheSchema", Note),
        ("/linux/intelRdt/schemata", json!(["a\nb"]), "/linux/intelRdt/schemata/0", Must),
        ("/linux/intelRdt/closID", json!("../a"), "/linux/intelRdt/closID", Must),
        ("/linux/memoryPolicy", json!({"nodes": "0"}), "/linux/memoryPolicy", Must),
        ("/linux/personality", json!({"flags": []}), "/linux/personality", Must),
        ("/linux/personality/flags", json!(["ADDR_NO_RANDOMIZE"]), "/linux/personality/flags/0", Must),
        ("/linux/rootfsPropagation", json!("rslave"), "/linux/rootfsPropagation", Must),
        ("/linux/maskedPaths", json!(["proc/kcore"]), "/linux/maskedPaths/0", Must),
        ("/linux/readonlyPaths", json!(["proc/sys"]), "/linux/readonlyPaths/0", Must),
        ("/linux/seccomp/defaultAction", json!("SCMP_ACT_ALLOW"), "/linux/seccomp/defaultErrnoRet", Must),
        ("/linux/seccomp/syscalls/0/action", json!("SCMP_ACT_KILL"), "/linux/seccomp/syscalls/0/errnoRet", Must),
        ("/linux/seccomp/syscalls/0/names", json!([]), "/linux/seccomp/syscalls/0/names", Must),
        ("/linux/seccomp/syscalls/0/args/0/index", json!(6), "/linux/seccomp/syscalls/0/args/0/index", Must),
        ("/linux/seccomp/syscalls/0/args/0/op", json!("SCMP_CMP_NEQ"), "/linux/seccomp/syscalls/0/args/0/op", Must),
        ("/linux/seccomp/listenerPath", json!(""), "/linux/seccomp/listenerMetadata", Must),
        ("/windows", json!({}), "/windows", Must),
        ("/vm", json!({"kernel": {"path": "vmlinuz"}}), "/vm/kernel/path", Must),
        ("/zos", json!({"namespaces": [{"type": "user"}]}), "/zos/namespaces/0/type", Must),
        ("/freebsd", json!({"jail": {"vnet": "disable"}}), "/freebsd/jail/vnet", Must),
    ]
}

/// `document` with `value` at `place`, which is there or one step below what is there.
fn with(document: &Value, place: &str, value: Value) -> Value {
    let mut changed = document.clone();
    let (parent, last) = place.rsplit_once('/').unwrap();
    match changed.pointer_mut(parent).unwrap() {
        Value::Object(members) => drop(members.insert(last.to_owned(), value)),
        Value::Array(items) => match items.get_mut(last.parse::<usize>().unwrap()) {
            Some(item) => *item = value,
            None => items.push(value),
        },
        other => panic!("{other} at {parent}"),
    }
    changed
}

#[test]
fn each_must_is_said_at_its_place_and_allowed_oddities_are_notes() {
    let full = everything();
    for (place, value, at, force) in cases() {
        let found = judge(&with(&full, place, value.clone()).to_string()).unwrap();
        if at.is_empty() {
            assert!(found.is_empty(), "{place} = {value}: {found:#?}");
            continue;
        }
        let said = found.iter().find(|breach| breach.pointer.as_str() == at);
        assert!(said.is_some_and(|breach| breach.force == force), "{place} = {value}: {found:#?}");
        assert_eq!(is_valid(&found), force == Force::Note, "{place} = {value}: {found:#?}");
    }
}

#[test]
fn an_id_mapped_mount_needs_mappings_from_somewhere() {
    let spec = |linux: &str| {
        let mount = r#"{"destination":"/d","source":"/s","options":["rbind","idmap"]}"#;
        format!(r#"{{"ociVersion":"1.2.0","root":{{"path":"r"}},"mounts":[{mount}],"linux":{linux}}}"#)
    };
    let pointers = |text: &str| judge(text).unwrap().iter().map(|one| one.pointer.to_string()).collect::<Vec<_>>();
    assert_eq!(pointers(&spec("{}")), ["/mounts/0/options/1"]);
    assert!(pointers(&spec(r#"{"namespaces":[{"type":"user"}]}"#)).is_empty());
}

#[test]
fn other_platforms_have_rules_of_their_own() {
    let invalid = |text: &str, at: &str| {
        let found = judge(text).unwrap();
        assert!(found.iter().any(|one| one.force == Force::Must && one.pointer.as_str() == at), "{text}: {found:#?}");
    };
    invalid(r#"{"ociVersion":"1.0.0"}"#, "");
    let windows = |rest: &str| format!(r#"{{"ociVersion":"1.0.0","windows":{{"layerFolders":["C:\\l"]{rest}"#);
    invalid(&windows(r#"},"root":{"path":"C:\\r"}}"#), "/root/path");
    invalid(&windows(r#","hyperv":{}},"root":{"path":"\\\\?\\Volume{a}\\"}}"#), "/root");
    invalid(&windows(r#"},"root":{"path":"\\\\?\\Volume{a}\\","readonly":true}}"#), "/root/readonly");
    invalid(
        &windows(
            r#"},"root":{"path":"\\\\?\\Volume{a}\\"},"mounts":[{"destination":"c:\\a"},{"destination":"C:\\a\\b"}]}"#,
        ),
        "/mounts/1",
    );
    invalid(
        r#"{"ociVersion":"1.0.0","root":{"path":"r"},"zos":{},"mounts":[{"destination":"a"}]}"#,
        "/mounts/0/destination",
    );
    let shell = windows(r#"},"root":{"path":"\\\\?\\Volume{a}\\"},"process":{"cwd":"C:\\","commandLine":"cmd"}}"#);
    assert!(is_valid(&judge(&shell).unwrap()), "{:#?}", judge(&shell));
}

#[test]
fn a_process_file_is_judged_as_the_process_of_a_config_is() {
    let document = Document::parse(r#"{"cwd":"x","args":["sh"],"user":{"uid":0,"gid":0}}"#).unwrap();
    let found = breaches(&document, DocumentKind::Process);
    assert!(found.len() == 1 && found[0].pointer.as_str() == "/cwd", "{found:#?}");
}

const BROKEN: &str = r#"{"ociVersion":"1.0.2","root":{"path":"r"},"process":{"cwd":"x","args":["a"],"user":{"uid":0,"gid":0},"noNewPrivileges":true,
"capabilities":{"bounding":[],"effective":[],"inheritable":[],"permitted":[],"ambient":[]}},"hooks":{"poststop":[{"path":"h"}]}}"#;

#[test]
fn the_specification_is_reported_apart_from_the_policy_and_decides_the_exit_code_only_when_asked() {
    let run = |args: &[&str]| batten_reading(&[&["check"], args, &["-"]].concat(), BROKEN);
    let plain = run(&["--format", "json"]);
    let report: Value = serde_json::from_str(&plain.stdout).unwrap();
    let said = report["documents"][0]["spec"].as_array().unwrap();
    assert_eq!(said.len(), 2, "{report:#}");
    assert_eq!((said[0]["pointer"].as_str(), said[0]["line"].as_u64()), (Some("/hooks/poststop/0/path"), Some(2)));
    assert_eq!(said[0]["section"], "config.md#configHooks");
    assert_eq!(report["summary"]["spec_invalid"], 1);
    assert!(!plain.stdout.contains(r#""rule":"spec""#));
    let by_policy = run(&["--no-spec"]);
    assert!(!by_policy.stdout.contains("config.md"), "{}", by_policy.stdout);
    assert_eq!(plain.code, by_policy.code);
    assert_eq!(run(&["--fail-on", "spec"]).code, 1);
    assert_eq!(run(&["--fail-on", "spec", "--no-spec"]).code, 4, "asking for what is switched off");
    let note = BROKEN.replace(r#""cwd":"x""#, r#""cwd":"/","x":1"#).replace(r#""path":"h""#, r#""path":"/h""#);
    assert_eq!(batten_reading(&["check", "--fail-on", "spec", "-"], &note).code, 0, "a note fails nothing");
}

#[test]
fn a_document_that_is_refused_for_a_type_is_still_looked_through() {
    let text = r#"{"ociVersion":1,"root":{"path":"r"},"process":{"cwd":"x","args":[],"noNewPrivileges":"yes"}}"#;
    let run = batten_reading(&["check", "--format", "jsonl", "-"], text);
    let line: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((run.code, line["verdict"].as_str()), (3, Some("unreadable")));
    assert!(line["spec"].as_array().unwrap().len() >= 4, "{line:#}");
}

#[test]
fn the_specification_can_be_explained() {
    let run = batten(&["explain", "spec"]);
    assert!(run.code == 0 && run.stdout.contains("1.3.0"), "{}", run.stderr);
}
