//! `kill -9` of the shim, at moments that nobody chose.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant, UNIX_EPOCH};

use lab::{Bundles, Said, Status, on_every_runtime, process_of, soon, times};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// splitmix64: a run is told again by its seed.
struct Moments(u64);

impl Moments {
    /// `BATTEN_SEED`, or another one each time; printed in either case.
    fn seeded() -> Self {
        let chosen = std::env::var("BATTEN_SEED").ok().map(|seed| seed.parse().unwrap());
        let seed = chosen.unwrap_or_else(|| UNIX_EPOCH.elapsed().unwrap().subsec_nanos().into());
        println!("BATTEN_SEED={seed}");
        Self(seed)
    }

    /// One in part `number` of `parts` of the time between two: where they are few, they still lie early and late.
    fn between(&mut self, from: Duration, to: Duration, number: u32, parts: u32) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let part = to.saturating_sub(from) / parts;
        let some = u128::from(z ^ (z >> 31)) % part.as_micros().max(1);
        from + part * number + Duration::from_micros(some.try_into().unwrap())
    }
}

/// How long the shim takes until the judged config.json is in place, and all of a start: the medians of a few.
fn time_of_start(bundles: &Bundles<'_>) -> (Duration, Duration) {
    let (mut judged, mut ended) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let config = bundles.write("timed", "true");
        let before = inode(&config);
        let mut child = bundles.run("timed").stdout(Stdio::null()).spawn().unwrap();
        process_of(&mut child);
        let began = Instant::now();
        while inode(&config) == before {
            std::thread::sleep(Duration::from_micros(50));
        }
        judged.push(began.elapsed());
        assert!(child.wait().unwrap().success());
        ended.push(began.elapsed());
    }
    judged.sort();
    ended.sort();
    (judged[2], ended[2])
}

/// Whether the container has written its status; not yet up to the end, perhaps.
fn has_told(status: &Path) -> bool {
    std::fs::read_to_string(status).is_ok_and(|text| text.contains("Seccomp:"))
}

fn inode(path: &Path) -> u64 {
    path.metadata().unwrap().ino()
}

#[test]
fn a_killed_shim_leaves_the_old_bundle_or_the_judged_one_and_no_container_unrestricted() {
    on_every_runtime(|room| {
        let bundles = Bundles::of(room);
        let mut moments = Moments::seeded();
        let config = bundles.write("b", "cat /proc/self/status >/tmp/status");
        let asked = std::fs::read(&config).unwrap();
        Said::of(bundles.run("b")).assert_done();
        let judged = std::fs::read(&config).unwrap();
        assert_ne!(asked, judged);
        let status = bundles.inside("/tmp/status");
        let (judging, whole) = time_of_start(&bundles);

        let tries = times(200, 30);
        let (mut before, mut after, mut ran) = (0, 0, 0);
        for number in 0..tries {
            bundles.write("b", "cat /proc/self/status >/tmp/status");
            let _ = std::fs::remove_file(&status);
            // Mostly around the judgement, now and then while the runtime is at work, and sometimes when the container is.
            let moment = if number % 20 == 0 {
                None
            } else if number % 4 == 0 {
                Some(moments.between(Duration::ZERO, whole * 5 / 4, number / 4, tries / 4))
            } else {
                Some(moments.between(Duration::ZERO, judging * 2, number, tries))
            };
            let mut shim = bundles.run("b").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let process = process_of(&mut shim);
            match moment {
                Some(moment) => std::thread::sleep(moment),
                None => assert!(soon(|| has_told(&status)), "the container says nothing"),
            }
            if let Some(process) = process {
                let _ = kill(Pid::from_raw(process.try_into().unwrap()), Signal::SIGKILL);
            }
            let _ = shim.wait();

            let left = std::fs::read(&config).unwrap();
            assert!(left == asked || left == judged, "after {moment:?}: half a bundle: {left:?}");
            bundles.delete("b");
            let said = std::fs::read_to_string(&status).unwrap_or_default();
            // Written up to where the container was killed, if at all.
            if said.contains("Seccomp:") {
                Status::parse(&said).assert_within(&format!("after {moment:?}"));
                ran += 1;
            }
            if left == judged { after += 1 } else { before += 1 }
        }
        println!("{}: judged after {judging:?}; {before} killed before, {after} after, {ran} ran", room.kind.name());
        assert!(before > 0 && after > 0 && ran > 0, "the moments tell nothing: {before}, {after}, {ran}");

        Said::of(bundles.run("b")).assert_done();
        Status::parse(&std::fs::read_to_string(&status).unwrap()).assert_within("the next start");
    });
}
