//! What it costs to read and resolve a profile, from the bytes of the file to what a runtime can load, to combine it with
//! the built-in one, and to lint it: medians of processor time.
//!
//! `cargo bench --bench seccomp_resolve [PROFILE…]`; without arguments, a profile of the size and build of Docker's
//! default, Docker's and Podman's own (`testdata/seccomp/published`), and container-libs' where a package has put it.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use std::fmt::Write;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use batten::capability::CapSet;
use batten::seccomp::lint::{Purpose, lint};
use batten::seccomp::{
    Abis, Arch, Dialect, DockerProfile, Facts, Fidelity, KernelVersion, Syscall, Target, builtin, intersect, is_subset,
    read_any,
};
use batten::spec::Document;
use nix::time::{ClockId, clock_gettime};

const ROUNDS: usize = 2000;
const CONTAINERS: &str = "/usr/share/containers/seccomp.json";

fn main() {
    let named: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    println!(
        "{:<36}{:>8}{:>12}{:>14}{:>14}{:>12}{:>14}{:>12}{:>12}",
        "profile", "bytes", "parse µs", "to enforce µs", "to print µs", "all µs", "compare µs", "combine µs", "lint/s"
    );
    if named.is_empty() {
        measure("as large as Docker's default", &docker_like());
        for name in ["docker-27", "podman-5"] {
            let path = format!("{}/testdata/seccomp/published/{name}.json", env!("CARGO_MANIFEST_DIR"));
            measure(name, &std::fs::read_to_string(path).unwrap());
        }
    }
    let installed = named.is_empty() && Path::new(CONTAINERS).exists();
    for path in named.iter().map(String::as_str).chain(installed.then_some(CONTAINERS)) {
        measure(path, &std::fs::read_to_string(path).unwrap());
    }
}

fn measure(name: &str, text: &str) {
    let target = Target {
        arch: Arch::X86_64,
        kernel: KernelVersion { major: 6, minor: 1 },
        caps: CapSet::DOCKER,
        abis: Abis::Compat,
    };
    let facts = Facts::of(&target).unwrap();
    let document = Document::parse(text).unwrap();
    let parse = median(|| drop(black_box(Document::parse(black_box(text)).unwrap())));
    let enforce = median(|| drop(black_box(read_any(document.root(), &target).unwrap())));
    let print = median(|| {
        let profile = DockerProfile::read(document.root(), Dialect::Moby, Fidelity::Exact).unwrap();
        black_box(profile.resolve_for(&facts).unwrap().unwrap().to_json());
    });
    let all = median(|| {
        let document = Document::parse(black_box(text)).unwrap();
        black_box(read_any(document.root(), &target).unwrap());
    });
    let (policy, own) = (builtin(&target), read_any(document.root(), &target).unwrap().1);
    let compare = median(|| drop(black_box(is_subset(black_box(&own), &policy, target.arch))));
    let combine = median(|| drop(black_box(intersect(black_box(&own), &policy, target.arch))));
    let purpose = Purpose { target, fits_capabilities: true, engine: None };
    let linted = median(|| drop(black_box(lint(&Document::parse(black_box(text)).unwrap(), &purpose))));
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    println!(
        "{name:<36}{:>8}{:>12.1}{:>14.1}{:>14.1}{:>12.1}{:>14.1}{:>12.1}{:>12.0}",
        text.len(),
        micros(parse),
        micros(enforce),
        micros(print),
        micros(all),
        micros(compare),
        micros(combine),
        1.0 / linted.as_secs_f64()
    );
}

/// The median of the processor time that `work` takes, over as many rounds as half a second holds: another process on the
/// same core does not count.
fn median(mut work: impl FnMut()) -> Duration {
    let until = Instant::now() + Duration::from_millis(500);
    let mut times = Vec::with_capacity(ROUNDS);
    while times.len() < ROUNDS && (times.len() < 20 || Instant::now() < until) {
        let start = processor_time();
        work();
        times.push(processor_time().saturating_sub(start));
    }
    times.sort_unstable();
    times[times.len() / 2]
}

fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().into()
}

/// 370 calls without conditions, thirty rules with them, nine architectures, indented with tabs.
fn docker_like() -> String {
    let mut out =
        String::from("{\n\t\"defaultAction\": \"SCMP_ACT_ERRNO\",\n\t\"defaultErrnoRet\": 1,\n\t\"archMap\": [\n");
    let machines = [Arch::X86_64, Arch::Aarch64, Arch::Mips64, Arch::Mipsel64, Arch::S390x, Arch::Riscv64];
    for (position, arch) in machines.into_iter().enumerate() {
        let comma = if position == 0 { "" } else { ",\n" };
        let compat: Vec<_> = arch.compat().iter().map(|arch| format!("\n\t\t\t\t\"{}\"", arch.name())).collect();
        let (name, compat) = (arch.name(), compat.join(","));
        write!(
            out,
            "{comma}\t\t{{\n\t\t\t\"architecture\": \"{name}\",\n\t\t\t\"subArchitectures\": [{compat}\n\t\t\t]\n\t\t}}"
        )
        .unwrap();
    }
    out.push_str("\n\t],\n\t\"syscalls\": [\n");
    let names: Vec<_> = Syscall::all().map(|call| format!("\n\t\t\t\t\"{}\"", call.name())).collect();
    let rule = |names: &[String], rest: &str| {
        let names = names.join(",");
        format!("\t\t{{\n\t\t\t\"names\": [{names}\n\t\t\t],\n\t\t\t\"action\": \"SCMP_ACT_ALLOW\"{rest}\n\t\t}}")
    };
    let mut rules = vec![rule(&names[..370], "")];
    for (position, names) in names[370..].chunks(3).take(30).enumerate() {
        let rest = match position % 4 {
            0 => ",\n\t\t\t\"includes\": {\n\t\t\t\t\"caps\": [\n\t\t\t\t\t\"CAP_SYS_CHROOT\"\n\t\t\t\t]\n\t\t\t}",
            1 => ",\n\t\t\t\"excludes\": {\n\t\t\t\t\"caps\": [\n\t\t\t\t\t\"CAP_SYS_ADMIN\"\n\t\t\t\t]\n\t\t\t}",
            2 => {
                ",\n\t\t\t\"includes\": {\n\t\t\t\t\"minKernel\": \"4.8\",\n\t\t\t\t\"arches\": [\n\t\t\t\t\t\"amd64\"\n\t\t\t\t]\n\t\t\t}"
            }
            _ => {
                ",\n\t\t\t\"args\": [\n\t\t\t\t{\n\t\t\t\t\t\"index\": 0,\n\t\t\t\t\t\"value\": 8,\n\t\t\t\t\t\"op\": \"SCMP_CMP_EQ\"\n\t\t\t\t}\n\t\t\t]"
            }
        };
        rules.push(rule(names, rest));
    }
    out.push_str(&rules.join(",\n"));
    out.push_str("\n\t]\n}\n");
    out
}
