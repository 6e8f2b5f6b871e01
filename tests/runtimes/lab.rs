//! One runtime, one folder, one bundle: the smallest setting in which a container starts.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// What the containers' rootfs has to offer.
const APPLETS: [&str; 10] = ["sh", "unshare", "cat", "echo", "grep", "id", "ls", "mkdir", "sleep", "touch"];

/// The capabilities of the policy below: Docker's, as the built-in policy has them.
pub const CEILING: u64 = batten::capability::CapSet::DOCKER.bits();

/// A runtime that is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Runc,
    Crun,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Runc => "runc",
            Self::Crun => "crun",
        }
    }
}

/// A folder of its own for one test, and the runtime that stands behind the shim there.
pub struct Lab {
    pub kind: Kind,
    /// An id that no other test uses: cgroups are named after it.
    pub id: String,
    folder: TempDir,
    user: Option<u32>,
}

impl Drop for Lab {
    fn drop(&mut self) {
        // runc 1.1 forgets the v2 half of a hybrid tree.
        let _ = fs::remove_dir(Path::new("/sys/fs/cgroup/unified").join(&self.id));
    }
}

/// What /proc/self/status says inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status(BTreeMap<String, String>);

impl Status {
    pub fn parse(text: &str) -> Self {
        let line = |line: &str| line.split_once(':').map(|(key, value)| (key.to_owned(), value.trim().to_owned()));
        Self(text.lines().filter_map(line).collect())
    }

    pub fn caps(&self, set: &str) -> u64 {
        u64::from_str_radix(self.field(set), 16).expect("a mask")
    }

    pub fn no_new_privs(&self) -> bool {
        self.field("NoNewPrivs") == "1"
    }

    /// Whether a system call filter is in force.
    pub fn is_filtered(&self) -> bool {
        self.field("Seccomp") == "2"
    }

    fn field(&self, name: &str) -> &str {
        self.0.get(name).unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    /// The claim of the whole project.
    pub fn assert_within(&self, ceiling: u64, what: &str) {
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            assert_eq!(self.caps(set) & !ceiling, 0, "{what}: {set} is above the ceiling: {self:?}");
        }
    }
}

/// Runs `test` on every runtime that is there.
pub fn on_every_runtime(test: impl Fn(Lab)) {
    for kind in [Kind::Runc, Kind::Crun] {
        if let Some(lab) = Lab::new(kind) {
            test(lab);
        }
    }
}

/// The static release build where `make test` names one, else what cargo has built beside this test.
fn built_shim() -> PathBuf {
    std::env::var_os("BATTEN_RUNTIME").map_or_else(|| env!("CARGO_BIN_EXE_batten-runtime").into(), PathBuf::from)
}

fn unique_id() -> String {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let next = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    format!("batten-{}-{next}", std::process::id())
}

fn missing(what: &str) -> bool {
    assert!(std::env::var_os("BATTEN_TEST_REQUIRE").is_none(), "BATTEN_TEST_REQUIRE is set, and {what}");
    eprintln!("\n*** SKIPPED: {what} ***\n");
    true
}

impl Lab {
    /// `None`, with a loud line, where this machine cannot run it.
    pub fn new(kind: Kind) -> Option<Self> {
        let lacks = |what: &str| missing(&format!("{} is not tested: {what}", kind.name()));
        if !nix::unistd::geteuid().is_root() && lacks("only root may start these containers") {
            return None;
        }
        if !Path::new("/bin/busybox").exists() && lacks("/bin/busybox (busybox-static) is not installed") {
            return None;
        }
        if which(kind.name()).is_none() && lacks("it is not installed") {
            return None;
        }
        let lab = Self { kind, id: unique_id(), folder: tempfile::tempdir().unwrap(), user: None };
        fs::set_permissions(lab.path("."), fs::Permissions::from_mode(0o755)).unwrap();
        lab.write("runtime.toml", &format!("runtime = '{}'\n", which(kind.name()).unwrap().display()));
        lab.policy("");
        lab.make_rootfs();
        // As cargo's folders may be closed to other users.
        install(&built_shim(), &lab.path("batten-runtime"));
        Some(lab)
    }

    /// The same lab, as seen by an ordinary user.
    pub fn owned_by(&mut self, user: u32) {
        self.user = Some(user);
        let status = Command::new("chown").arg("-R").arg(format!("{user}:{user}")).arg(self.path(".")).status();
        assert!(status.unwrap().success());
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Lays `text` over the built-in policy.
    pub fn policy(&self, text: &str) {
        self.write("policy.toml", text);
    }

    fn make_rootfs(&self) {
        for folder in ["bin", "proc", "dev", "sys", "tmp"] {
            fs::create_dir_all(self.path("rootfs").join(folder)).unwrap();
        }
        install(Path::new("/bin/busybox"), &self.path("rootfs/bin/busybox"));
        for applet in APPLETS {
            symlink("busybox", self.path("rootfs/bin").join(applet)).unwrap();
        }
    }

    /// A bundle that asks for everything: every capability the kernel has, new privileges, no seccomp, no AppArmor.
    pub fn privileged(&self, args: &[&str]) -> Value {
        let all = every_capability();
        json!({
            "ociVersion": "1.0.2",
            "process": {
                "user": { "uid": 0, "gid": 0 },
                "args": args,
                "env": ["PATH=/bin"],
                "cwd": "/",
                "noNewPrivileges": false,
                "capabilities": {
                    "bounding": all, "effective": all, "inheritable": all, "permitted": all, "ambient": all
                },
            },
            "root": { "path": self.path("rootfs") },
            "mounts": [
                { "destination": "/proc", "type": "proc", "source": "proc" },
                { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"] },
            ],
            "linux": { "namespaces": [
                { "type": "pid" }, { "type": "mount" }, { "type": "ipc" }, { "type": "uts" }
            ] },
        })
    }

    /// Writes a bundle and gives its folder.
    pub fn bundle(&self, name: &str, config: &Value) -> PathBuf {
        let file = self.write(&format!("{name}/config.json"), &config.to_string());
        if let Some(user) = self.user {
            let owner = Some(nix::unistd::Uid::from_raw(user));
            nix::unistd::chown(&file, owner, None).unwrap();
            nix::unistd::chown(&self.path(name), owner, None).unwrap();
        }
        self.path(name)
    }

    pub fn config(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.path(name).join("config.json")).unwrap()).unwrap()
    }

    /// The shim, with `line` behind its global options.
    pub fn shim<S: AsRef<std::ffi::OsStr>>(&self, line: &[S]) -> Command {
        self.start(&self.path("batten-runtime"), line)
    }

    /// The runtime itself.
    pub fn bare<S: AsRef<std::ffi::OsStr>>(&self, line: &[S]) -> Command {
        self.start(&which(self.kind.name()).unwrap(), line)
    }

    fn start<S: AsRef<std::ffi::OsStr>>(&self, program: &Path, line: &[S]) -> Command {
        let mut words: Vec<std::ffi::OsString> = Vec::new();
        if self.kind == Kind::Crun && Path::new("/sys/fs/cgroup/unified").exists() {
            // crun 1.8 refuses a hybrid cgroup tree; without its v2 half it takes it for v1.
            let script = "umount /sys/fs/cgroup/unified; exec \"$0\" \"$@\"";
            words.extend(["unshare", "-m", "sh", "-c", script].map(Into::into));
        }
        if let Some(user) = self.user {
            let id = user.to_string();
            words.extend(["setpriv", "--reuid", &*id, "--regid", &*id, "--clear-groups"].map(Into::into));
        }
        words.push(program.into());
        words.push("--root".into());
        words.push(self.path("state").into());
        words.extend(line.iter().map(|word| word.as_ref().to_owned()));
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("XDG_RUNTIME_DIR", self.path("."))
            .env("BATTEN_RUNTIME_CONFIG", self.path("runtime.toml"))
            .env("BATTEN_POLICY", self.path("policy.toml"))
            .stdin(Stdio::null());
        command
    }

    /// `run`s a bundle through the shim and gives what it printed.
    pub fn run(&self, bundle: &Path) -> Output {
        self.shim(&["run", "--bundle", bundle.to_str().unwrap(), &self.id]).output().unwrap()
    }

    /// A container that sleeps, created by `program` (the shim, or the runtime itself) and started.
    pub fn sleeper(&self, config: &Value) -> Sleeper<'_> {
        let mut config = config.clone();
        config["process"]["args"] = json!(["sleep", "1000"]);
        let bundle = self.bundle("sleeper", &config);
        let line = ["create", "--bundle", bundle.to_str().unwrap(), &self.id];
        quiet(self.shim(&line));
        quiet(self.shim(&["start", &self.id]));
        Sleeper { lab: self }
    }
}

/// A running container; gone at the end of the test.
pub struct Sleeper<'l> {
    lab: &'l Lab,
}

impl Sleeper<'_> {
    /// What an exec of `cat /proc/self/status` with these options prints.
    pub fn exec(&self, options: &[&str], command: &[&str]) -> Output {
        let mut line = vec!["exec"];
        line.extend(options);
        line.push(&self.lab.id);
        line.extend(command);
        self.lab.shim(&line).output().unwrap()
    }

    pub fn status(&self, options: &[&str]) -> Status {
        status_of(&self.exec(options, &["cat", "/proc/self/status"]))
    }
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        let _ = self.lab.bare(&["delete", "--force", &self.lab.id]).output();
    }
}

/// Copies what is to be executed. By another process: a child that some other test forks while the copy is open for writing would
/// keep it busy (ETXTBSY).
pub fn install(from: &Path, to: &Path) {
    assert!(Command::new("install").arg("-m755").arg(from).arg(to).status().unwrap().success(), "{}", to.display());
}

/// Runs a command that must succeed, its output away: what a created container inherits would hold a pipe open.
pub fn quiet(mut command: Command) {
    let log = tempfile::NamedTempFile::new().unwrap();
    let status = command.stdout(Stdio::null()).stderr(log.reopen().unwrap()).status().unwrap();
    assert!(status.success(), "{command:?}: {}", fs::read_to_string(log.path()).unwrap());
}

pub fn status_of(output: &Output) -> Status {
    assert!(output.status.success(), "{output:?}");
    Status::parse(std::str::from_utf8(&output.stdout).unwrap())
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Waits until `check` gives something, as long as an emulated machine may need for it.
pub fn wait_for<T>(what: &str, check: impl Fn() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = check() {
            return found;
        }
        assert!(Instant::now() < end, "{what} did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What this process may hold itself; a runtime cannot give more.
pub fn own_bounding_set() -> u64 {
    Status::parse(&fs::read_to_string("/proc/self/status").unwrap()).caps("CapBnd")
}

fn every_capability() -> Vec<String> {
    let own = own_bounding_set();
    batten::capability::CapSet::from_bits(own).iter().map(|capability| capability.name().to_owned()).collect()
}

pub fn which(name: &str) -> Option<PathBuf> {
    let folders = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];
    folders.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists())
}
