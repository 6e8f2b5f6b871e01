//! The invariants of ARCHITECTURE.md, for documents that nobody thought of.

use std::fmt::Write;

use batten::apparmor::Kernel;
use batten::capability::{CapSet, Capability};
use batten::enforce::{Outcome, enforce};
use batten::finding::Disposition;
use batten::host::Host;
use batten::policy::Policy;
use batten::rules::{DocumentKind, RULES};
use batten::settings::{Day, Subject};
use batten::spec::{Document, Edit, Kind, Pointer, Value, apply};
use proptest::prelude::*;

fn host() -> Host {
    Host {
        apparmor: true,
        kernel_profiles: Kernel::below("/nonexistent"),
        today: Some(Day { year: 2026, month: 11, day: 24 }),
        ..Host::detect()
    }
}

fn judge(policy: &Policy, text: &str) -> Outcome {
    let document = Document::parse_spec(text).unwrap();
    enforce(document, DocumentKind::Spec, &Subject::default(), policy, &host()).unwrap()
}

/// Some unknown JSON, with numbers and escapes that a careless writer would change.
fn unknown() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("1.50".to_owned()),
        Just("1E2".to_owned()),
        Just("18446744073709551615".to_owned()),
        Just(r#""\u0041\/""#.to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        "[a-z]{0,5}".prop_map(|text| format!("{text:?}")),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[ {} ]", items.join(" , "))),
            prop::collection::btree_map("[a-z]{1,4}", inner, 0..4).prop_map(|members| {
                let members: Vec<_> = members.iter().map(|(key, value)| format!("\"{key}\" :{value}")).collect();
                format!("{{{}}}", members.join(",\n"))
            }),
        ]
    })
}

fn capability_list() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        6 => (0_u8..41).prop_map(|number| Capability::from_number(number).unwrap().name().to_owned()),
        1 => prop::sample::select(vec!["KILL", "21", "cap_sys_admin zz", "CAP_X", ""]).prop_map(str::to_owned),
    ];
    prop::collection::vec(name, 0..6).prop_map(|names| format!("{names:?}"))
}

fn capabilities() -> impl Strategy<Value = String> {
    let sets = prop::sample::subsequence(vec!["bounding", "effective", "inheritable", "permitted", "ambient"], 0..=5);
    (sets, prop::collection::vec(capability_list(), 5), unknown()).prop_map(|(sets, lists, unknown)| {
        let mut members: Vec<_> = sets.iter().zip(lists).map(|(set, list)| format!("\"{set}\": {list}")).collect();
        members.push(format!("\"x\":{unknown}"));
        format!("{{{}}}", members.join(","))
    })
}

/// One of `values`, or none.
fn maybe(values: &'static [&'static str]) -> impl Strategy<Value = Option<&'static str>> {
    prop::option::of(prop::sample::select(values))
}

/// Some of `items`, in any order and number, as an array.
fn array(items: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    let some = prop::collection::vec(prop::sample::select(items), 0..4);
    prop::option::of(some.prop_map(|items| format!("[{}]", items.join(" ,"))))
}

fn object(members: &[(&str, Option<String>)]) -> String {
    let members: Vec<_> =
        members.iter().filter_map(|(key, value)| Some(format!("\"{key}\": {}", value.as_ref()?))).collect();
    format!("{{{}}}", members.join(","))
}

const MOUNTS: &[&str] = &[
    r#"{"destination":"/proc","type":"proc","source":"proc"}"#,
    r#"{"destination":"/p","type":"proc","x":1}"#,
    r#"{"destination":"/run/d.sock","type":"bind","source":"/var/run/docker.sock","options":["bind"]}"#,
    r#"{"destination":"/h","type":"none","source":"/srv/..//etc/","options":["rbind","rshared","suid"]}"#,
    r#"{"destination":"\/d\u0061ta","source":"../../x","options":["rbind","ro","nodev"]}"#,
    r#"{"destination":"/t","type":"tmpfs","options":["nosuid","suid","shared"]}"#,
    r#"{"destination":"/o","type":"overlay","options":["lowerdir=/"],"uidMappings":[{"containerID":0,"hostID":0,"size":1}]}"#,
    "{}",
];
const NAMESPACES: &[&str] = &[
    r#"{"type":"pid"}"#,
    r#"{"type":"pid","path":"/proc/1/ns/pid"}"#,
    r#"{"type":"network","path":"/proc/77/ns/net"}"#,
    r#"{"type":"ipc","path":""}"#,
    r#"{"type":"user"}"#,
    r#"{"type":"mount","x":[1.50]}"#,
    "{}",
];
const DEVICES: &[&str] = &[
    r#"{"path":"/dev/null","type":"c","major":1,"minor":3}"#,
    r#"{"path":"/dev/null","type":"b","major":8,"minor":0}"#,
    r#"{"path":"/f","type":"p"}"#,
    "{}",
];
const DEVICE_RULES: &[&str] = &[
    r#"{"allow":false,"access":"rwm"}"#,
    r#"{"allow":true,"access":"rwm"}"#,
    r#"{"allow":true,"type":"a"}"#,
    r#"{"allow":true,"type":"c","major":1,"minor":3,"access":"rw"}"#,
    r#"{"allow":true,"type":"b","major":8,"minor":-1,"access":"r"}"#,
    r#"{"allow":false,"type":"c","major":10,"minor":229,"access":"rwm"}"#,
    "{}",
];
const RLIMITS: &[&str] = &[
    r#"{"type":"RLIMIT_NOFILE","hard":18446744073709551615,"soft":1}"#,
    r#"{"type":"RLIMIT_NOFILE","hard":9,"soft":9}"#,
    r#"{"type":"RLIMIT_CORE","hard":0,"soft":0}"#,
    "{}",
];
const HOOKS: &[&str] = &[
    r#"{"path":"/nonexistent/h"}"#,
    r#"{"path":"/nonexistent/h","env":["A=1","LD_PRELOAD=/x"]}"#,
    r#"{"path":"h","env":[]}"#,
    "{}",
];
const PATHS: &[&str] = &[r#""/proc/kcore""#, r#""/proc""#, r#""""#, r#""/sys/\u0066irmware/""#, r#""/proc/sys""#];

/// What the runtime makes of the machine for the container.
fn linux() -> impl Strategy<Value = Option<String>> {
    let resources = (
        array(DEVICE_RULES),
        maybe(&[r#"{"limit":-1}"#, r#"{"limit":9000000000000000000,"x":2E1}"#, r#"{"limit":5}"#, "null"]),
        maybe(&[
            r#"{"quota":1,"period":18446744073709551615}"#,
            r#"{"period":1}"#,
            r#"{"shares":2}"#,
            r#"{"quota":-1,"period":50000}"#,
        ]),
        maybe(&[r#"{"limit":0}"#, r#"{"limit":7}"#, "{}"]),
        maybe(&[r#"{"memory.max":"max","a~b/c":"1"}"#, r#"{"cpu.max":"max 5","pids.max":" 3 "}"#, "{}"]),
    );
    let resources = resources.prop_map(|(devices, memory, cpu, pids, unified)| {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let (memory, cpu, pids, unified) = (owned(memory), owned(cpu), owned(pids), owned(unified));
        object(&[("devices", devices), ("memory", memory), ("cpu", cpu), ("pids", pids), ("unified", unified)])
    });
    let lists = (array(NAMESPACES), array(DEVICES), array(PATHS), array(PATHS));
    let words = (
        maybe(&[r#"{"kernel.core_pattern":"|x","net/ipv4/tcp_syncookies":"1","a~/b":"2"}"#, "{}", "null"]),
        maybe(&[r#""shared""#, r#""rslave""#, r#""x""#]),
        maybe(&[r#""/""#, r#""/docker/../x""#, r#""a:b:c""#]),
        maybe(&[
            r#"{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/run/x"}"#,
            r#"{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_S390X"]}"#,
        ]),
    );
    let all = (prop::option::of(resources), lists, words, unknown()).prop_map(|(resources, lists, words, unknown)| {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        object(&[
            ("u", Some(unknown)),
            ("resources", resources),
            ("namespaces", lists.0),
            ("devices", lists.1),
            ("maskedPaths", lists.2),
            ("readonlyPaths", lists.3),
            ("sysctl", owned(words.0)),
            ("rootfsPropagation", owned(words.1)),
            ("cgroupsPath", owned(words.2)),
            ("seccomp", owned(words.3)),
            ("uidMappings", Some(r#"[{"containerID":0,"hostID":4294967295,"size":4294967295}]"#.to_owned())),
        ])
    });
    prop_oneof![6 => all.prop_map(Some), 1 => Just(None), 1 => Just(Some("null".to_owned()))]
}

fn process() -> impl Strategy<Value = String> {
    let capabilities =
        prop_oneof![4 => capabilities().prop_map(Some), 1 => Just(None), 1 => Just(Some("null".to_owned()))];
    let words = (
        maybe(&[r#""unconfined""#, r#""docker-default""#, r#""""#]),
        maybe(&["true", "false", "null"]),
        maybe(&[r#""/""#, r#""/proc/self/fd/7""#, r#""\/srv/../proc""#, r#""proc/1""#]),
        maybe(&[r#"{"uid":0}"#, r#"{"uid":5,"gid":5,"additionalGids":[0,6]}"#, "null"]),
        maybe(&[r#""system_u:system_r:spc_t:s0""#, r#""x""#, r#""system_u:system_r:container_t:s0""#]),
    );
    (capabilities, words, array(RLIMITS), unknown()).prop_map(|(capabilities, words, rlimits, unknown)| {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        object(&[
            ("y", Some(unknown)),
            ("capabilities", capabilities),
            ("apparmorProfile", owned(words.0)),
            ("noNewPrivileges", owned(words.1)),
            ("cwd", owned(words.2)),
            ("user", owned(words.3)),
            ("selinuxLabel", owned(words.4)),
            ("rlimits", rlimits),
        ])
    })
}

fn spec() -> impl Strategy<Value = String> {
    let annotations =
        prop::collection::vec(prop::sample::select(vec!["run.oci.seccomp_bpf_data", "krun.x", "a/b~c", "ok"]), 0..4);
    let hooks = array(HOOKS).prop_map(|hooks| hooks.map(|hooks| format!("{{\"prestart\":{hooks}}}")));
    let root = maybe(&["{}", r#"{"path":"r","readonly":false}"#, r#"{"readonly":true}"#, "null"]);
    (prop::option::of(process()), linux(), array(MOUNTS), hooks, root, annotations, unknown()).prop_map(
        |(process, linux, mounts, hooks, root, mut annotations, unknown)| {
            annotations.sort_unstable();
            annotations.dedup();
            let annotations: Vec<_> = annotations.iter().map(|key| format!("\"{key}\":\"v\"")).collect();
            object(&[
                ("z", Some(unknown)),
                ("process", process),
                ("root", root.map(str::to_owned)),
                ("mounts", mounts),
                ("hooks", hooks),
                ("linux", linux),
                ("annotations", Some(format!("{{{}}}", annotations.join(",")))),
            ])
        },
    )
}

/// Every control on or off, with a limit to set or none.
fn policy() -> impl Strategy<Value = Policy> {
    let violation = || prop::sample::select(vec!["off", "report", "fix", "fix", "deny"]);
    let declared = prop::collection::vec(violation(), RULES.len());
    let spelled_out = (capability_words(), violation(), any::<bool>(), violation(), violation(), seccomp());
    (spelled_out, declared, any::<bool>()).prop_map(|((ceiling, caps, required, nnp, notes, seccomp), declared, limits)| {
        let mut text = String::new();
        if limits {
            text.push_str("memory.most = 4096\ncpu.most = 1\npids.most = 9\npropagation.allowed = []\n");
        }
        for (rule, violation) in RULES.iter().zip(declared) {
            if let Some(section) = rule.section {
                let _ = writeln!(text, "{} = \"{violation}\"", section.violation);
            }
        }
        let _ = write!(
            text,
            "[capabilities]\nceiling = {ceiling:?}\nviolation = \"{caps}\"\n[no_new_privs]\nrequired = {required}\n\
             violation = \"{nnp}\"\n[annotations]\nviolation = \"{notes}\"\n[apparmor]\nprofile = \"strict\"\nown = \"replace\"\n{seccomp}"
        );
        Policy::parse("p.toml".as_ref(), &text).unwrap()
    })
}

/// What is let through, what is closed, and which interfaces are answered.
fn seccomp() -> impl Strategy<Value = String> {
    let words = vec!["@default", "@io-uring", "@mount", "keyctl", "socket"];
    let denied = vec!["@network-families", "@namespaces", "@debug", "connect", "bpf"];
    let allow = prop::option::of(prop::sample::subsequence(words, 0..=5));
    let abis = prop::sample::select(vec!["native", "compat"]);
    (allow, prop::sample::subsequence(denied, 0..=5), abis).prop_map(|(allow, deny, abis)| {
        let allow = allow.map_or_else(String::new, |words| format!("allow = {words:?}\n"));
        format!("[seccomp]\n{allow}deny = {deny:?}\nabis = {abis:?}\n")
    })
}

fn capability_words() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec((0_u8..41).prop_map(|n| Capability::from_number(n).unwrap().name().to_owned()), 0..8)
}

/// Every leaf with its pointer, as written.
fn leaves(value: Value<'_>, at: &Pointer, out: &mut Vec<(Pointer, String)>) {
    match value.kind() {
        Kind::Object => value.members().for_each(|(key, inner)| leaves(inner, &at.child(&key), out)),
        Kind::Array => value.items().enumerate().for_each(|(n, inner)| leaves(inner, &at.child(&n.to_string()), out)),
        _ => out.push((at.clone(), value.raw().to_owned())),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_edit_without_a_finding_that_was_fixed(policy in policy(), spec in spec()) {
        let outcome = judge(&policy, &spec);
        let fixed = outcome.findings.iter().any(|finding| finding.disposition == Disposition::Fixed);
        prop_assert_eq!(outcome.changed, fixed);
        prop_assert!(outcome.changed || outcome.text == spec);
        for finding in &outcome.findings {
            prop_assert_eq!(finding.edits.is_empty(), finding.disposition != Disposition::Fixed);
            prop_assert!(!policy.cite(finding.origin).is_empty());
        }
    }

    #[test]
    fn what_no_edit_names_keeps_its_bytes_and_order(policy in policy(), spec in spec()) {
        let outcome = judge(&policy, &spec);
        let edited: Vec<Pointer> =
            outcome.findings.iter().flat_map(|finding| &finding.edits).map(|edit| edit.pointer.clone()).collect();
        let untouched = |text: &str| {
            let document = Document::parse(text).unwrap();
            let mut all = Vec::new();
            leaves(document.root(), &Pointer::root(), &mut all);
            // A null is an absent member to every runtime: an edit below it makes it one.
            let is_edited = |pointer: &Pointer, raw: &str| {
                edited.iter().any(|place| place.strip(pointer).is_some() || (raw == "null" && pointer.strip(place).is_some()))
            };
            all.retain(|(pointer, raw)| !is_edited(pointer, raw));
            all
        };
        prop_assert_eq!(untouched(&spec), untouched(&outcome.text));
    }

    #[test]
    fn judging_again_changes_nothing(policy in policy(), spec in spec()) {
        let first = judge(&policy, &spec);
        if first.may_start() {
            let second = judge(&policy, &first.text);
            prop_assert!(!second.changed, "{}", second.text);
            prop_assert_eq!(first.text, second.text);
        }
    }

    #[test]
    fn after_enforcement_all_five_sets_exist_and_are_within_the_ceiling(ceiling in capability_words(), spec in spec()) {
        let policy = Policy::parse("p.toml".as_ref(), &format!("[capabilities]\nceiling = {ceiling:?}\n")).unwrap();
        let ceiling: CapSet = ceiling.iter().map(|name| Capability::from_name(name).unwrap()).collect();
        let outcome = judge(&policy, &spec);
        let document = Document::parse_spec(outcome.text.as_str()).unwrap();
        let Some(process) = document.root().get("process") else { return Ok(()) };
        for set in ["bounding", "effective", "inheritable", "permitted", "ambient"] {
            let array = process.get("capabilities").and_then(|sets| sets.get(set));
            prop_assert!(array.is_some(), "{set} in {}", outcome.text);
            for name in array.into_iter().flat_map(Value::items) {
                let known = Capability::from_name(&name.as_str().unwrap());
                prop_assert!(known.is_some_and(|capability| ceiling.contains(capability)), "{name:?}");
            }
        }
    }

    #[test]
    fn audit_mode_changes_and_denies_nothing(spec in spec()) {
        let policy = Policy::parse("p.toml".as_ref(), "mode = 'audit'\ncapabilities.ceiling = []\n").unwrap();
        let outcome = judge(&policy, &spec);
        prop_assert!(outcome.may_start());
        prop_assert_eq!(outcome.text, spec);
    }

    #[test]
    fn reading_gives_back_every_byte(text in unknown()) {
        prop_assert_eq!(Document::parse(text.as_str()).unwrap().into_text(), text);
    }

    /// Splices agree with the same edits made on a tree.
    #[test]
    fn edits_by_splices_are_edits_on_the_tree(text in unknown(), edits in prop::collection::vec((pointer(), prop::option::of(unknown())), 0..5)) {
        let text = format!("{{\"a\":{text},\"b\":{{\"c\":[1,2]}}}}");
        let document = Document::parse(text.as_str()).unwrap();
        let edits: Vec<Edit> = edits
            .into_iter()
            .map(|(pointer, json)| match json {
                Some(json) => Edit::set(pointer, json),
                None => Edit::remove(pointer),
            })
            .collect();
        let mut tree: serde_json::Value = serde_json::from_str(&text).unwrap();
        let on_tree = edits.iter().try_for_each(|edit| tree_edit(&mut tree, edit));
        match apply(&document, &edits) {
            Ok(spliced) => {
                prop_assert!(on_tree.is_some());
                prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&spliced).unwrap(), tree);
            }
            Err(_) => prop_assert!(on_tree.is_none()),
        }
    }
}

fn pointer() -> impl Strategy<Value = Pointer> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "d", "x"]), 1..4)
        .prop_map(|tokens| tokens.iter().fold(Pointer::root(), |pointer, token| pointer.child(token)))
}

/// The same edit the plain way; `None` where something that is no object stands on the way.
fn tree_edit(tree: &mut serde_json::Value, edit: &Edit) -> Option<()> {
    let tokens: Vec<_> = edit.pointer.tokens().collect();
    let (last, above) = tokens.split_last()?;
    match &edit.change {
        batten::spec::Change::Remove => {
            let parent = above.iter().try_fold(tree, |here, token| here.get_mut(&**token));
            if let Some(serde_json::Value::Object(members)) = parent {
                members.shift_remove(&**last);
            }
        }
        batten::spec::Change::Set(fragment) => {
            let mut here = tree;
            for token in above {
                if here.is_null() {
                    *here = serde_json::json!({});
                }
                here = here.as_object_mut()?.entry(&**token).or_insert(serde_json::Value::Null);
            }
            if here.is_null() {
                *here = serde_json::json!({});
            }
            let value = serde_json::from_str(fragment.json()).unwrap();
            here.as_object_mut()?.insert(last.to_string(), value);
        }
    }
    Some(())
}
