//! The same work for many things, on every core, its results in the order of the things.

use std::sync::Mutex;
use std::thread;

/// How many things are taken at a time: enough to keep every core busy, few enough to be nothing in memory.
const BATCH: usize = 128;

/// Does `work` for each of `things` on every core and gives the results to `sink` in order, until it says stop. At most
/// one batch of things and results is held at a time.
pub fn in_order<T: Send, R: Send>(
    things: impl Iterator<Item = T>,
    work: impl Fn(T) -> R + Sync,
    mut sink: impl FnMut(R) -> bool,
) {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let mut things = things.peekable();
    while things.peek().is_some() {
        let batch: Vec<T> = things.by_ref().take(BATCH).collect();
        let done = if batch.len() == 1 || workers == 1 {
            batch.into_iter().map(&work).collect()
        } else {
            shared(batch, workers, &work)
        };
        if !done.into_iter().all(&mut sink) {
            return;
        }
    }
}

fn shared<T: Send, R: Send>(batch: Vec<T>, workers: usize, work: &(impl Fn(T) -> R + Sync)) -> Vec<R> {
    let mut done: Vec<Option<R>> = batch.iter().map(|_| None).collect();
    let queue = Mutex::new(batch.into_iter().zip(done.iter_mut()));
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().ok().and_then(|mut queue| queue.next());
                    let Some((thing, place)) = next else { return };
                    *place = Some(work(thing));
                }
            });
        }
    });
    drop(queue);
    done.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_come_in_the_order_of_the_things_and_stop_when_told() {
        let mut seen = Vec::new();
        super::in_order(
            0..1000,
            |n| n * 2,
            |n| {
                seen.push(n);
                n < 1400
            },
        );
        assert_eq!(seen, (0..=700).map(|n| n * 2).collect::<Vec<_>>());
    }
}
