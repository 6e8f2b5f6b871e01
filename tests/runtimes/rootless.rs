//! An ordinary user's containers.

use serde_json::{Value, json};

use crate::lab::{CEILING, Kind, Lab, status_of};

/// A user that no package creates.
const USER: u32 = 54_321;

fn rootless(lab: &Lab, host_id: u32) -> Value {
    let mut config = lab.privileged(&["cat", "/proc/self/status"]);
    let mapping = json!([{ "containerID": 0, "hostID": host_id, "size": 1 }]);
    config["linux"]["uidMappings"] = mapping.clone();
    config["linux"]["gidMappings"] = mapping;
    config["linux"]["namespaces"].as_array_mut().unwrap().push(json!({ "type": "user" }));
    config
}

#[test]
fn an_ordinary_user_s_container_runs_within_the_ceiling() {
    for kind in [Kind::Runc, Kind::Crun] {
        let Some(mut lab) = Lab::new(kind) else { continue };
        lab.owned_by(USER);
        let bundle = lab.bundle("b", &rootless(&lab, USER));
        let line = ["run", "--bundle", bundle.to_str().unwrap(), &lab.id];
        let bare = lab.bare(&line).output().unwrap();
        if !bare.status.success() {
            eprintln!("\n*** SKIPPED: {} runs no rootless container here: {bare:?} ***\n", kind.name());
            continue;
        }
        assert_ne!(status_of(&bare).caps("CapEff") & !CEILING, 0, "the bare runtime gives what is asked for");
        let status = status_of(&lab.run(&bundle));
        status.assert_within(CEILING, kind.name());
        assert_ne!(status.caps("CapEff"), 0);
    }
}

/// Podman without root calls its runtime inside a user namespace, where root's files belong to nobody that is known.
#[test]
fn in_a_user_namespace_without_host_root_the_shim_trusts_what_root_owns() {
    let Some(mut lab) = Lab::new(Kind::Runc) else { return };
    lab.owned_by(USER);
    let bundle = lab.bundle("b", &rootless(&lab, 0));
    let inner = |program: &str| {
        let id = USER.to_string();
        std::process::Command::new("setpriv")
            .args(["--reuid", &id, "--regid", &id, "--clear-groups", "unshare", "-Ur", program, "--root"])
            .arg(lab.path("state"))
            .args(["run", "--bundle", bundle.to_str().unwrap(), &lab.id])
            .env("BATTEN_RUNTIME_CONFIG", lab.path("runtime.toml"))
            .env("BATTEN_POLICY", lab.path("policy.toml"))
            .output()
            .unwrap()
    };
    let bare = inner("runc");
    if !bare.status.success() {
        eprintln!("\n*** SKIPPED: runc runs nothing in a nested user namespace here: {bare:?} ***\n");
        return;
    }
    let status = status_of(&inner(lab.path("batten-runtime").to_str().unwrap()));
    status.assert_within(CEILING, "runc in a user namespace");
}
