//! Many starts at once.

use std::sync::atomic::{AtomicUsize, Ordering};

use lab::{Bundles, Said, on_every_runtime, times};

const AT_ONCE: usize = 8;

#[test]
fn of_many_containers_started_at_once_none_is_unrestricted_and_none_is_lost() {
    on_every_runtime(|room| {
        let bundles = Bundles::of(room);
        let next = AtomicUsize::new(0);
        let starts = times(200, 30) as usize;
        let start = || {
            let mut seen = 0;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= starts {
                    return seen;
                }
                let name = format!("c{number}");
                bundles.write(&name, &format!("echo I am {name}; cat /proc/self/status"));
                let said = Said::of(bundles.run(&name));
                said.status().assert_within(&name);
                assert!(said.all().starts_with(&format!("I am {name}\n")), "{}", said.all());
                seen += 1;
            }
        };
        let seen: usize = std::thread::scope(|scope| {
            let starters: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(start)).collect();
            starters.into_iter().map(|starter| starter.join().unwrap()).sum()
        });
        assert_eq!(seen, starts);
        assert_eq!(bundles.known(), [""; 0], "none is left");
    });
}
