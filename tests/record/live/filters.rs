//! Bundles that bring a filter of their own.

use std::fs;

use super::{BACKENDS, on_every_runtime, record_run, recorded};
use crate::lab::ran;

#[test]
fn what_the_bundle_s_own_filter_refuses_is_seen_as_refused_and_let_through_only_where_asked() {
    const FILTER: &str = r#"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
        "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]}"#;
    on_every_runtime(|lab, runtime| {
        let program = ["/bin/busybox", "mkdir", "/tmp/made"];
        lab.bundle(&program, Some(FILTER), true);
        let config = lab.read("config.json");
        let (run, seen) = recorded(lab, runtime, &["--backend", "bpf"]);
        assert_eq!(run.code, 1, "mkdir failed: {}", run.stderr);
        assert!(seen.has("mkdir") && run.stderr.contains("mkdir was refused with EPERM"), "{}", run.stderr);
        assert!(!lab.path("rootfs/tmp/made").exists());
        let refused = ran(record_run(lab, runtime, &["--backend", "notify"]).output().unwrap());
        assert!(refused.code == 3 && refused.stderr.contains("--without-filter"), "{}", refused.stderr);
        for backend in BACKENDS {
            let _ = fs::remove_dir(lab.path("rootfs/tmp/made"));
            let (run, seen) = recorded(lab, runtime, &["--backend", backend, "--without-filter"]);
            assert_eq!(run.code, 0, "{}", run.stderr);
            assert!(seen.has("mkdir") && lab.path("rootfs/tmp/made").exists(), "{backend}");
        }
        assert_eq!(lab.read("config.json"), config, "the user's bundle is untouched");
    });
}
