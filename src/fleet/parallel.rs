//! The same work for many things, on every core, its results in the order of the things.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

/// How many things a worker takes at a time: enough that handing them over is nothing beside the work.
const PIECE: usize = 16;

/// How many pieces may be under way per worker, with those whose turn has not come: what bounds the memory.
const AHEAD: usize = 4;

/// Does `work` for each of `things` on every core and gives the results to `sink` in order, until it says stop. No more
/// than a few hundred things and results are held at a time, however many there are.
pub fn in_order<T: Send, R: Send>(
    things: impl Iterator<Item = T>,
    work: impl Fn(T) -> R + Sync,
    mut sink: impl FnMut(R) -> bool,
) {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let mut things = things.peekable();
    let first = things.next();
    if workers == 1 || things.peek().is_none() {
        first.into_iter().chain(things).all(|thing| sink(work(thing)));
        return;
    }
    let (give, given) = mpsc::sync_channel(workers * AHEAD);
    let (done, results) = mpsc::channel();
    let given = Mutex::new(given);
    thread::scope(|scope| {
        for _ in 0..workers {
            let done = done.clone();
            scope.spawn(|| worker(&given, done, &work));
        }
        drop(done);
        hand_out(first.into_iter().chain(things), give, &results, workers * AHEAD, &mut sink);
    });
}

type Numbered<T> = (usize, Vec<T>);

/// What a worker leaves when the work panics: no result, and word of it, since the others go on and wait for more.
struct Farewell<'d, R>(&'d mpsc::Sender<Option<Numbered<R>>>);

impl<R> Drop for Farewell<'_, R> {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = self.0.send(None);
        }
    }
}

/// Ends when there is nothing more to take, or nobody who wants a result.
fn worker<T, R>(
    given: &Mutex<Receiver<Numbered<T>>>,
    done: mpsc::Sender<Option<Numbered<R>>>,
    work: &(impl Fn(T) -> R + Sync),
) {
    let _farewell = Farewell(&done);
    loop {
        let next = given.lock().ok().and_then(|given| given.recv().ok());
        let Some((number, piece)) = next else { return };
        if done.send(Some((number, piece.into_iter().map(work).collect()))).is_err() {
            return;
        }
    }
}

/// Keeps `ahead` pieces under way and puts their results into the order of the things. Dropping `give` ends the workers.
fn hand_out<T, R>(
    mut things: impl Iterator<Item = T>,
    give: SyncSender<Numbered<T>>,
    results: &Receiver<Option<Numbered<R>>>,
    ahead: usize,
    sink: &mut impl FnMut(R) -> bool,
) {
    // The results that wait for their turn; the first is that of piece `turn`.
    let mut waiting: VecDeque<Option<Vec<R>>> = VecDeque::new();
    let (mut number, mut turn, mut more) = (0, 0, true);
    loop {
        while more && number - turn < ahead {
            let piece: Vec<T> = things.by_ref().take(PIECE).collect();
            more = !piece.is_empty();
            if more && give.send((number, piece)).is_err() {
                return;
            }
            number += usize::from(more);
        }
        if turn == number {
            return;
        }
        // The scope passes a worker's panic on.
        let Ok(Some((done, piece))) = results.recv() else { return };
        let place = done - turn;
        if waiting.len() <= place {
            waiting.resize_with(place + 1, || None);
        }
        waiting[place] = Some(piece);
        while let Some(Some(_)) = waiting.front() {
            let piece = waiting.pop_front().flatten().unwrap_or_default();
            turn += 1;
            if !piece.into_iter().all(&mut *sink) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn results_come_in_the_order_of_the_things_and_stop_when_told() {
        let mut seen = Vec::new();
        super::in_order(
            0..1000,
            |n| {
                // The first of each hundred is the last to be ready.
                if n % 100 == 0 {
                    std::thread::sleep(std::time::Duration::from_millis(2));
                }
                n * 2
            },
            |n| {
                seen.push(n);
                n < 1400
            },
        );
        assert_eq!(seen, (0..=700).map(|n| n * 2).collect::<Vec<_>>());
    }

    #[test]
    fn no_more_than_a_few_are_under_way() {
        let (taken, mut most, mut shown) = (AtomicUsize::new(0), 0, 0);
        let things = (0..20_000).inspect(|_| {
            taken.fetch_add(1, Ordering::Relaxed);
        });
        super::in_order(
            things,
            |n: i32| n,
            |_| {
                shown += 1;
                most = most.max(taken.load(Ordering::Relaxed) - shown);
                true
            },
        );
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        assert!(shown == 20_000 && most <= cores * super::AHEAD * super::PIECE + super::PIECE, "{most} at a time");
    }

    /// On a machine of one core it is the work's own, on others that of the threads that did it.
    #[test]
    fn a_panic_in_the_work_is_not_swallowed() {
        let work = || super::in_order(0..100, |n| assert!(n != 50, "no"), |()| true);
        assert!(std::panic::catch_unwind(work).is_err());
    }
}
