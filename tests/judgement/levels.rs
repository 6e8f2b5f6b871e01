//! Levels: every control of the standards that a bundle shows, on both sides.

use std::fs;
use std::path::Path;

use batten::apparmor::Kernel;
use batten::enforce::{Outcome, enforce};
use batten::finding::Disposition;
use batten::host::Host;
use batten::policy::Policy;
use batten::rules::DocumentKind;
use batten::settings::{Day, Subject};
use batten::spec::Document;
use serde_json::{Value, json};

fn judge_by(policy: &str, spec: &Value) -> Outcome {
    let policy = Policy::parse(Path::new("p.toml"), policy).unwrap_or_else(|error| panic!("{policy}: {error}"));
    let document = Document::parse_spec(spec.to_string()).unwrap();
    let host = Host {
        apparmor: true,
        kernel_profiles: Kernel::below("/nonexistent"),
        today: Some(Day { year: 2026, month: 11, day: 24 }),
        ..Host::detect()
    };
    let subject = policy.subject_of(&document);
    enforce(document, DocumentKind::Spec, &subject, &policy, &host).unwrap()
}

/// The controls that refuse, without the standard's name before them.
fn refused(outcome: &Outcome) -> Vec<String> {
    let denied = outcome.findings.iter().filter(|finding| finding.disposition == Disposition::Denied);
    let mut names: Vec<_> = denied.map(|finding| finding.standard().unwrap_or(finding.rule.0).to_owned()).collect();
    names.dedup();
    names
}

/// As the kubelet and containerd write a container that `restricted` admits.
fn admitted() -> Value {
    let all = ["bounding", "effective", "inheritable", "permitted", "ambient"];
    let capabilities: Value =
        all.iter().map(|set| ((*set).to_owned(), json!([]))).collect::<serde_json::Map<_, _>>().into();
    json!({
        "ociVersion": "1.0.2",
        "process": {
            "user": { "uid": 1000, "gid": 1000 }, "args": ["sh"], "cwd": "/", "noNewPrivileges": true,
            "capabilities": capabilities, "apparmorProfile": "cri-containerd.apparmor.d",
        },
        "root": { "path": "rootfs" },
        "mounts": [
            { "destination": "/proc", "type": "proc", "source": "proc" },
            { "destination": "/etc/hosts", "type": "bind", "options": ["rbind"], "source": "/var/lib/kubelet/pods/u/etc-hosts" },
            { "destination": "/c", "type": "bind", "options": ["rbind", "ro"], "source": "/var/lib/kubelet/pods/u/volumes/kubernetes.io~configmap/c" },
            { "destination": "/etc/resolv.conf", "type": "bind", "options": ["rbind"], "source": "/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/s/resolv.conf" },
        ],
        "linux": {
            "namespaces": [
                { "type": "pid" }, { "type": "mount" },
                { "type": "ipc", "path": "/proc/4242/ns/ipc" }, { "type": "uts", "path": "/proc/4242/ns/uts" },
                { "type": "network", "path": "/proc/4242/ns/net" },
            ],
            "resources": { "devices": [{ "allow": false, "access": "rwm" }] },
            "seccomp": { "defaultAction": "SCMP_ACT_ERRNO" },
            "maskedPaths": ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
    })
}

fn with(pointer: &str, value: Value) -> Value {
    let mut spec = admitted();
    set(&mut spec, pointer, value);
    spec
}

fn set(spec: &mut Value, pointer: &str, value: Value) {
    let (above, key) = pointer.rsplit_once('/').unwrap();
    let parent = spec.pointer_mut(above).unwrap_or_else(|| panic!("{pointer}"));
    match (parent, value) {
        (Value::Object(members), Value::Null) => drop(members.remove(key)),
        (Value::Object(members), value) => drop(members.insert(key.to_owned(), value)),
        (Value::Array(items), value) => items.push(value),
        _ => panic!("{pointer}"),
    }
}

fn bind(source: &str) -> Value {
    json!({ "destination": "/x", "type": "bind", "options": ["rbind"], "source": source })
}

fn capability(name: &str) -> Value {
    let one = json!([name]);
    json!({ "bounding": one, "effective": one, "permitted": one, "inheritable": [], "ambient": [] })
}

fn namespaces(without: &str) -> Value {
    let all = admitted()["linux"]["namespaces"].as_array().unwrap().clone();
    all.into_iter().filter(|entry| entry["type"] != without).collect()
}

#[test]
fn what_restricted_admits_passes_every_level_untouched() {
    for level in ["privileged", "baseline", "restricted"] {
        let outcome = judge_by(&format!("level = '{level}'\n"), &admitted());
        assert!(outcome.findings.is_empty() && !outcome.changed, "{level}: {:#?}", outcome.findings);
    }
}

#[test]
fn each_control_of_baseline_refuses_by_its_name_and_privileged_does_not() {
    let every_device = json!([{ "allow": true, "access": "rwm" }]);
    let label = |label: &str| with("/process/selinuxLabel", json!(label));
    for (control, spec) in [
        ("Privileged Containers", with("/linux/resources/devices", every_device)),
        ("Host Namespaces", with("/linux/namespaces", namespaces("network"))),
        ("Host Namespaces", with("/linux/namespaces", namespaces("pid"))),
        ("Host Namespaces", with("/linux/namespaces", namespaces("ipc"))),
        ("Capabilities", with("/process/capabilities", capability("CAP_SYS_ADMIN"))),
        ("Capabilities", with("/process/capabilities", capability("CAP_NET_ADMIN"))),
        ("HostPath Volumes", with("/mounts/-", bind("/srv/data"))),
        ("HostPath Volumes", with("/mounts/-", bind("/"))),
        ("AppArmor", with("/process/apparmorProfile", json!("unconfined"))),
        ("SELinux", label("system_u:system_r:spc_t:s0")),
        ("SELinux", label("user_u:system_r:container_t:s0")),
        ("SELinux", label("system_u:sysadm_r:container_t:s0")),
        ("/proc Mount Type", with("/linux/maskedPaths", json!([]))),
        ("/proc Mount Type", with("/linux/readonlyPaths", Value::Null)),
        ("Sysctls", with("/linux/sysctl", json!({ "kernel.msgmax": "1" }))),
    ] {
        for level in ["baseline", "restricted"] {
            let found = refused(&judge_by(&format!("level = '{level}'\n"), &spec));
            let named =
                found.iter().any(|name| name.starts_with("Pod Security Standards, ") && name.ends_with(control));
            assert!(named, "{level}, {control}: {found:?}");
        }
        let found = refused(&judge_by("level = 'privileged'\napparmor.violation = 'report'\n", &spec));
        assert!(found.is_empty(), "privileged: {found:?}");
    }
}

#[test]
fn each_control_of_restricted_refuses_by_its_name_and_baseline_does_not() {
    let inline = "/var/lib/kubelet/pods/u/volumes/kubernetes.io~git-repo/g";
    for (control, spec) in [
        ("Volume Types", with("/mounts/-", bind(inline))),
        ("Privilege Escalation", with("/process/noNewPrivileges", Value::Null)),
        ("Running as Non-root", with("/process/user", json!({ "uid": 0, "gid": 0 }))),
        ("Running as Non-root", with("/process/user", Value::Null)),
        ("Seccomp", with("/linux/seccomp", Value::Null)),
        ("Capabilities", with("/process/capabilities", capability("CAP_CHOWN"))),
    ] {
        let found = refused(&judge_by("level = 'restricted'\n", &spec));
        assert_eq!(found, [format!("Pod Security Standards, restricted: {control}")]);
        let found = refused(&judge_by("level = 'baseline'\n", &spec));
        assert!(found.is_empty(), "baseline, {control}: {found:?}");
    }
}

#[test]
fn what_a_control_allows_passes_at_its_level() {
    let label = |label: &str| with("/process/selinuxLabel", json!(label));
    for (level, spec) in [
        ("baseline", with("/process/capabilities", capability("CAP_NET_RAW"))),
        ("baseline", with("/process/capabilities", capability("CAP_SYS_CHROOT"))),
        ("restricted", with("/process/capabilities", capability("CAP_NET_BIND_SERVICE"))),
        (
            "restricted",
            with("/linux/sysctl", json!({ "net.ipv4.tcp_rmem": "1 2 3", "net.ipv4.tcp_notsent_lowat": "1" })),
        ),
        ("restricted", label("system_u:system_r:container_t:s0:c1,c2")),
        ("restricted", label("system_u:system_r:container_engine_t:s0")),
        ("restricted", with("/process/apparmorProfile", Value::Null)),
        ("restricted", with("/mounts/-", bind("/var/lib/kubelet/pods/u/volumes/kubernetes.io~csi/v/mount"))),
        ("restricted", with("/mounts/-", bind("/var/lib/kubelet/pods/u/volumes/kubernetes.io~projected/token"))),
        ("restricted", with("/mounts/-", bind("/var/lib/kubelet/pods/u/volume-subpaths/v/c/0"))),
        ("restricted", with("/process/user/uid", json!(1))),
        ("restricted", with("/linux/namespaces", namespaces("uts"))),
    ] {
        let outcome = judge_by(&format!("level = '{level}'\n"), &spec);
        assert!(outcome.findings.is_empty(), "{level}: {spec} {:#?}", outcome.findings);
    }
}

#[test]
fn a_version_holds_its_own_list() {
    let mut rooted = with("/process/user/uid", json!(0));
    set(&mut rooted, "/linux/namespaces/-", json!({ "type": "user" }));
    let mut unmasked = with("/linux/maskedPaths", json!([]));
    set(&mut unmasked, "/linux/namespaces/-", json!({ "type": "user" }));
    for (level, version, spec, admits) in [
        ("restricted", "v1.34", &rooted, false),
        ("restricted", "v1.35", &rooted, true),
        ("restricted", "latest", &rooted, true),
        ("baseline", "v1.34", &unmasked, false),
        ("baseline", "v1.35", &unmasked, true),
        ("restricted", "v1.35", &unmasked, false),
        ("restricted", "v1.18", &with("/linux/seccomp", Value::Null), true),
        ("restricted", "v1.19", &with("/linux/seccomp", Value::Null), false),
        ("restricted", "v1.21", &with("/process/capabilities", capability("CAP_CHOWN")), true),
        ("restricted", "v1.22", &with("/process/capabilities", capability("CAP_CHOWN")), false),
        ("restricted", "v1.7", &with("/process/noNewPrivileges", Value::Null), true),
        ("restricted", "v1.8", &with("/process/noNewPrivileges", Value::Null), false),
        ("baseline", "v1.30", &with("/process/selinuxLabel", json!("system_u:system_r:container_engine_t:s0")), false),
        ("baseline", "v1.31", &with("/process/selinuxLabel", json!("system_u:system_r:container_engine_t:s0")), true),
        ("baseline", "v1.36", &with("/linux/sysctl", json!({ "net.ipv4.tcp_notsent_lowat": "1" })), false),
        ("baseline", "v1.37", &with("/linux/sysctl", json!({ "net.ipv4.tcp_notsent_lowat": "1" })), true),
    ] {
        let outcome = judge_by(&format!("level = '{level}'\nlevel_version = '{version}'\n"), spec);
        assert_eq!(outcome.may_start(), admits, "{level} {version}: {:#?}", outcome.findings);
    }
}

#[test]
fn a_level_s_controls_do_what_level_violation_says() {
    let spec = with("/linux/sysctl", json!({ "kernel.msgmax": "1" }));
    for (violation, disposition) in
        [("report", Disposition::Reported), ("fix", Disposition::Fixed), ("deny", Disposition::Denied)]
    {
        let outcome = judge_by(&format!("level = 'baseline'\nlevel_violation = '{violation}'\n"), &spec);
        assert_eq!(outcome.findings.iter().map(|finding| finding.disposition).collect::<Vec<_>>(), [disposition]);
    }
}

#[test]
fn an_override_may_choose_another_level_where_the_policy_lets_it() {
    let policy = "level = 'restricted'\nloosenable = ['level']\n[subject]\nengine = 'containerd'\n\
                  [[override]]\nname = 'system'\nmatch = { namespace = 'kube-system' }\nlevel = 'privileged'\n";
    let mut spec = with("/process/user/uid", json!(0));
    assert!(!judge_by(policy, &spec).may_start());
    set(&mut spec, "/annotations", json!({ "io.kubernetes.cri.sandbox-namespace": "kube-system" }));
    assert!(judge_by(policy, &spec).findings.is_empty());
}

#[test]
fn a_pod_s_pause_container_starts_under_restricted() {
    let policy = "level = 'restricted'\n[subject]\nengine = 'containerd'\n";
    let mut spec = with("/process/capabilities", capability("CAP_CHOWN"));
    set(&mut spec, "/process/user/uid", json!(0));
    assert!(!judge_by(policy, &spec).may_start());
    set(&mut spec, "/annotations", json!({ "io.kubernetes.cri.container-type": "sandbox" }));
    let outcome = judge_by(policy, &spec);
    assert!(outcome.may_start() && !outcome.text.contains("CAP_CHOWN"), "{:#?}", outcome.findings);
    set(&mut spec, "/linux/namespaces", namespaces("network"));
    assert!(!judge_by(policy, &spec).may_start(), "hostNetwork is the pod's own wish");
}

#[test]
fn an_exec_is_held_to_the_level_of_its_container() {
    let policy = Policy::parse(Path::new("p.toml"), "level = 'restricted'\n").unwrap();
    let process = |uid: u32| {
        let text = json!({ "args": ["sh"], "cwd": "/", "user": { "uid": uid, "gid": 1 }, "noNewPrivileges": true,
            "capabilities": admitted()["process"]["capabilities"] });
        let document = Document::parse_process(text.to_string()).unwrap();
        let host = Host { apparmor: false, ..Host::detect() };
        enforce(document, DocumentKind::Process, &Subject::default(), &policy, &host).unwrap()
    };
    assert!(process(1000).may_start());
    assert_eq!(refused(&process(0)), ["Pod Security Standards, restricted: Running as Non-root"]);
}

fn real(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/specs").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn the_cis_benchmark_names_the_section_of_what_docker_gives_by_default_and_of_privileged() {
    let sections = |name: &str| {
        let mut spec = real(name);
        spec["process"]["apparmorProfile"] = json!("docker-default");
        let found = refused(&judge_by("level = 'cis-docker'\n", &spec));
        let number =
            |name: &String| name.strip_prefix("CIS Docker Benchmark ").unwrap().split(':').next().unwrap().to_owned();
        let mut found: Vec<String> = found.iter().map(number).collect();
        found.sort_by_key(|section| section[2..].parse::<u32>().unwrap());
        found.dedup();
        found
    };
    assert_eq!(sections("docker-26.json"), ["5.11", "5.12", "5.13", "5.26", "5.29"]);
    assert_eq!(
        sections("docker-26-privileged.json"),
        ["5.4", "5.5", "5.11", "5.12", "5.13", "5.18", "5.22", "5.26", "5.29"]
    );
}

#[test]
fn each_section_of_the_cis_benchmark_that_a_bundle_shows_refuses_by_its_number() {
    let device = json!([{ "path": "/dev/sda", "type": "b", "major": 8, "minor": 0 }]);
    let shared = json!({ "destination": "/x", "type": "bind", "options": ["rbind", "rshared"], "source": "/srv" });
    for (section, spec) in [
        ("5.2", with("/process/apparmorProfile", Value::Null)),
        ("5.3", with("/process/selinuxLabel", json!("system_u:system_r:spc_t:s0"))),
        ("5.4", with("/process/capabilities", capability("CAP_SYS_ADMIN"))),
        ("5.6", with("/mounts/-", bind("/etc"))),
        ("5.10", with("/linux/namespaces", namespaces("network"))),
        ("5.16", with("/linux/namespaces", namespaces("pid"))),
        ("5.17", with("/linux/namespaces", namespaces("ipc"))),
        ("5.18", with("/linux/devices", device)),
        ("5.20", with("/mounts/-", shared)),
        ("5.21", with("/linux/namespaces", namespaces("uts"))),
        ("5.22", with("/linux/seccomp", json!({ "defaultAction": "SCMP_ACT_ALLOW" }))),
        ("5.25", with("/linux/cgroupsPath", json!("/system.slice/x"))),
        ("5.26", with("/process/noNewPrivileges", json!(false))),
        ("5.32", with("/mounts/-", bind("/var/run/docker.sock"))),
    ] {
        let found = refused(&judge_by("level = 'cis-docker'\n", &spec));
        let before = refused(&judge_by("level = 'cis-docker'\n", &admitted()));
        let new: Vec<_> = found.iter().filter(|name| !before.contains(name)).collect();
        assert!(new.iter().any(|name| name.contains(&format!(" {section}: "))), "{section}: {found:?}");
    }
}

#[test]
fn what_docker_gives_by_default_passes_the_built_in_policy_with_no_new_control_speaking_up() {
    for name in ["docker-26.json", "podman-4.json", "containerd-cri.json"] {
        let outcome = judge_by("", &real(name));
        let own = ["capabilities", "seccomp", "apparmor", "annotations", "no-new-privs"];
        let others: Vec<_> = outcome.findings.iter().filter(|finding| !own.contains(&finding.rule.0)).collect();
        assert!(others.is_empty(), "{name}: {others:#?}");
    }
}
