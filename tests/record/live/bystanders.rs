//! What is not the container's.

use std::fs;

use super::{BACKENDS, on_every_runtime, recorded, tweak};

#[test]
fn the_runtime_s_own_calls_and_its_hooks_are_not_the_container_s() {
    on_every_runtime(|lab, runtime| {
        lab.bundle(&["/bin/busybox", "true"], None, true);
        tweak(lab, |config| {
            let hook = serde_json::json!({"path": "/bin/mkdir", "args": ["mkdir", "/tmp/made"]});
            config["hooks"] = serde_json::json!({"startContainer": [hook]});
        });
        for backend in BACKENDS {
            let _ = fs::remove_dir(lab.path("rootfs/tmp/made"));
            let (run, seen) = recorded(lab, runtime, &["--backend", backend]);
            assert_eq!(run.code, 0, "{}", run.stderr);
            assert!(lab.path("rootfs/tmp/made").is_dir(), "the hook ran");
            for other in ["mkdir", "execve", "mount", "capset", "futex"] {
                assert!(!seen.has(other), "{backend} on {runtime}: {other}");
            }
        }
    });
}
