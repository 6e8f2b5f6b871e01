//! A machine of its own for one test.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::{Containerd, Docker, Podman, Said, Traces};

/// Where batten's programs lie in a room, as `make install` puts them.
pub const SHIM: &str = "/usr/local/bin/batten-runtime";

/// Less than any engine gives (see [`crate::CEILING`]), and no new privileges.
const POLICY: &str = r#"
no_new_privs.required = true

[capabilities]
ceiling = ["CAP_CHOWN", "CAP_KILL"]
"#;

/// The runtime that stands behind the shim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// runc.
    Runc,
    /// crun.
    Crun,
}

impl Kind {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Runc => "runc",
            Self::Crun => "crun",
        }
    }

    /// Its program.
    pub fn path(self) -> PathBuf {
        which(self.name()).unwrap_or_else(|| panic!("{} is not installed", self.name()))
    }
}

/// A machine of its own, as the script `room` makes it: where nothing is shared with the host but the kernel and the
/// installed packages. What runs and lies in it is gone when it is dropped, and when the test is killed.
#[derive(Debug)]
pub struct Room {
    /// The runtime behind the shim here.
    pub kind: Kind,
    keeper: Child,
    first: u32,
}

/// Runs `test` with each runtime behind the shim.
pub fn on_every_runtime(test: impl Fn(&Room)) {
    for kind in [Kind::Runc, Kind::Crun] {
        if let Some(room) = Room::new(kind) {
            test(&room);
        }
    }
}

/// A name that no other test has.
pub fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("batten-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Says loudly what is not tested here; where everything has to be there, that is a failure.
pub fn host_lacks(what: &str) {
    let required = ["CI", "BATTEN_TEST_REQUIRE"].iter().any(|name| std::env::var_os(name).is_some());
    assert!(!required, "nothing may be skipped here (CI or BATTEN_TEST_REQUIRE is set), and {what}");
    println!("\n*** SKIPPED: {what} ***\n");
}

/// How often to do what is done many times; less often on an emulated machine.
pub fn times(usual: u32, emulated: u32) -> u32 {
    if std::env::var_os("BATTEN_TEST_EMULATED").is_some() { emulated } else { usual }
}

impl Room {
    /// An empty one; `None`, with a loud line, where this host cannot.
    pub fn new(kind: Kind) -> Option<Self> {
        const NEEDED: [&str; 10] =
            ["busybox", "containerd", "crun", "ctr", "docker", "dockerd", "nsenter", "podman", "runc", "unshare"];
        if !nix::unistd::geteuid().is_root() {
            host_lacks("only root may start engines");
            return None;
        }
        if let Some(program) = NEEDED.iter().find(|program| which(program).is_none()) {
            host_lacks(&format!("{program} is not installed; `make test-engines` does it"));
            return None;
        }
        let mut keeper = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("room"))
            .arg(unique())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Ok(first) = line.trim().parse() else {
            drop(keeper.stdin.take());
            let _ = keeper.wait();
            host_lacks("this host lets nobody make namespaces, layers and control groups");
            return None;
        };
        let room = Self { kind, keeper, first };
        room.bring(&program("BATTEN_RUNTIME"), "batten-runtime");
        room.bring(&program("BATTEN"), "batten");
        room.write("/etc/batten/runtime.toml", &format!("runtime = '{}'\n", kind.path().display()));
        room.policy(POLICY);
        Some(room)
    }

    /// Copied by another process: a child that some other test forks while the file is open for writing would keep it
    /// busy.
    fn bring(&self, program: &Path, name: &str) {
        let target = self.path("/usr/local/bin").join(name);
        assert!(Command::new("cp").arg(program).arg(target).status().unwrap().success(), "{}", program.display());
    }

    /// A file of the room, for whoever is outside.
    pub fn path(&self, inside: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{inside}", self.first))
    }

    /// Writes a file of the room.
    pub fn write(&self, inside: &str, text: &str) {
        let path = self.path(inside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Reads one.
    pub fn read(&self, inside: &str) -> String {
        fs::read_to_string(self.path(inside)).unwrap_or_else(|error| panic!("{inside}: {error}"))
    }

    /// Writes /etc/batten/policy.toml.
    pub fn policy(&self, text: &str) {
        self.write("/etc/batten/policy.toml", text);
    }

    /// What else is denied where the room's policy would put it right.
    pub fn deny(&self) {
        self.policy(&format!("{POLICY}violation = 'deny'\n"));
    }

    /// A command in the room, as root who has just logged in.
    pub fn command(&self, program: &str) -> Command {
        // The shell joins the room's control groups, which nsenter leaves out. It does so from outside: where they are
        // delegated with their namespace (nsdelegate, as systemd mounts them), nobody comes into them from within.
        const JOIN: &str = r#"groups=/proc/$1/root/sys/fs/cgroup
            if [ -d "$groups/init" ]; then echo 0 >"$groups/init/cgroup.procs"
            else for group in "$groups"/*/cgroup.procs; do echo 0 >"$group"; done; fi
            exec nsenter --target "$@""#;
        let mut command = Command::new("sh");
        command
            .args(["-c", JOIN, "nsenter", &self.first.to_string()])
            .args(["--mount", "--pid", "--net", "--ipc", "--uts", "--cgroup", "--wd=/", "--"])
            .arg(program)
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", "/tmp")
            .stdin(Stdio::null());
        command
    }

    /// Runs a command in the room.
    pub fn run(&self, program: &str, args: &[&str]) -> Said {
        let mut command = self.command(program);
        command.args(args);
        Said::of(command)
    }

    /// Starts a daemon, whose log is /run/NAME.log, and waits until it listens.
    pub fn daemon(&self, mut command: Command, name: &str, socket: &str) {
        let log = fs::File::create(self.path(&format!("/run/{name}.log"))).unwrap();
        let mut child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let end = Instant::now() + Duration::from_mins(2);
        while UnixStream::connect(self.path(socket)).is_err() {
            let ended = child.try_wait().unwrap();
            let log = || self.read(&format!("/run/{name}.log"));
            assert!(ended.is_none() && Instant::now() < end, "{name} does not come up ({ended:?}):\n{}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
        // It ends with the room; this process need not wait for it.
        drop(child);
    }

    /// `batten ARGS`.
    pub fn batten(&self, args: &[&str]) -> Said {
        self.run("/usr/local/bin/batten", args)
    }

    /// `batten install ENGINE OPTIONS`.
    pub(crate) fn install(&self, engine: &str, options: &[&str]) {
        self.batten(&[&["install", engine], options].concat()).assert_done();
    }

    /// The engines' own configuration, and nothing of batten's.
    pub fn configure_all(&self) {
        Docker::configure(self);
        Containerd::configure(self);
        Podman::configure(self);
    }

    /// A Docker daemon, with batten installed so.
    pub fn docker(&self, options: &[&str]) -> Docker<'_> {
        Docker::configure(self);
        self.install("docker", options);
        Docker::start(self)
    }

    /// A Docker daemon without batten.
    pub fn bare_docker(&self) -> Docker<'_> {
        Docker::configure(self);
        Docker::start(self)
    }

    /// A containerd with its CRI, with batten installed so.
    pub fn containerd(&self, options: &[&str]) -> Containerd<'_> {
        Containerd::configure(self);
        self.install("containerd", options);
        Containerd::start(self)
    }

    /// Podman, which has no daemon, with batten installed so.
    pub fn podman(&self, options: &[&str]) -> Podman<'_> {
        let podman = Podman::prepare(self);
        self.install("podman", options);
        podman
    }

    /// What containers leave behind.
    pub fn traces(&self) -> Traces {
        Traces::of(self)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// Whether something comes to hold, within a minute.
pub fn soon(holds: impl Fn() -> bool) -> bool {
    let end = Instant::now() + Duration::from_mins(1);
    while !holds() {
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    true
}

/// The process in the room that a started [`Room::command`] is, as the host counts; what was started itself waits for it.
/// `None` where it has ended already.
pub fn process_of(command: &mut Child) -> Option<u32> {
    let children = format!("/proc/{0}/task/{0}/children", command.id());
    loop {
        if let Ok(child) = fs::read_to_string(&children).unwrap().trim().parse() {
            return Some(child);
        }
        if command.try_wait().unwrap().is_some() {
            return None;
        }
        std::thread::sleep(Duration::from_micros(50));
    }
}

fn program(variable: &str) -> PathBuf {
    std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} is not set; `make test-engines` sets it")).into()
}

fn which(name: &str) -> Option<PathBuf> {
    ["/usr/sbin", "/usr/bin", "/bin"].iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists())
}
