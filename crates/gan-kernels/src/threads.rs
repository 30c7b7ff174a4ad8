//! The threads that everything computes with.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Starts rayon's global pool, the one that all kernels run on, with `threads` threads. A program calls this once.
///
/// Fails where a pool was started already.
pub fn start_threads(threads: usize) -> Result<(), rayon::ThreadPoolBuildError> {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()
}

/// Runs `body` on a thread of the pool while the others stay awake and look for its parallel parts, until it returns.
///
/// Left to itself a thread without work soon sleeps. Waking it takes 30 to 50 µs on a virtual machine, at each of the
/// hundred parallel parts of a training step: as long as a small layer takes to compute. Between two of them other
/// threads of the machine get the core if they want it. Of several bodies at once one has the threads kept awake.
pub fn awake<R: Send>(body: impl FnOnce() -> R + Send) -> R {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if rayon::current_num_threads() == 1 || TAKEN.swap(true, Ordering::Acquire) {
        return rayon::join(body, || ()).0;
    }
    let _free = Finally(|| TAKEN.store(false, Ordering::Release));
    let watch = &Watch::default();
    rayon::scope(|scope| {
        let this = rayon::current_thread_index();
        scope.spawn_broadcast(move |_, context| {
            if Some(context.index()) != this {
                watch.keep();
            }
        });
        let _over = Finally(|| watch.over.store(true, Ordering::Release));
        watch.begin(rayon::current_num_threads() - 1);
        body()
    })
}

/// Threads that look for work until it is over.
#[derive(Default)]
struct Watch {
    /// How many there are, and whether no more may come.
    keepers: AtomicUsize,
    over: AtomicBool,
}

impl Watch {
    const CLOSED: usize = 1 << (usize::BITS - 1);

    /// Waits until `expected` threads are there, but not long for those that do something else. Who comes later is not
    /// let in: it might already be inside a part of the body, which would then wait for the end of the body.
    fn begin(&self, expected: usize) {
        const PATIENCE: Duration = Duration::from_micros(200);
        let start = Instant::now();
        while self.keepers.load(Ordering::Acquire) < expected && start.elapsed() < PATIENCE {
            std::hint::spin_loop();
        }
        self.keepers.fetch_or(Self::CLOSED, Ordering::AcqRel);
    }

    /// Executes what the pool has to do, until it is over.
    fn keep(&self) {
        const SPINS: u32 = 64;
        if self.keepers.fetch_add(1, Ordering::AcqRel) & Self::CLOSED != 0 {
            return;
        }
        let mut idle = 0;
        while !self.over.load(Ordering::Acquire) {
            if rayon::yield_now() == Some(rayon::Yield::Executed) {
                idle = 0;
            } else if idle < SPINS {
                idle += 1;
                std::hint::spin_loop();
            } else {
                std::thread::yield_now();
            }
        }
    }
}

/// Runs its function when it is dropped, by a panic too.
struct Finally<F: FnMut()>(F);

impl<F: FnMut()> Drop for Finally<F> {
    fn drop(&mut self) {
        self.0();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use rayon::prelude::*;

    use super::awake;

    fn sum_of_squares(n: u64) -> u64 {
        (0..n).into_par_iter().map(|i| i * i).sum()
    }

    #[test]
    fn bodies_beside_and_inside_each_other_all_end() {
        let expected: u64 = (0..1000).map(|i| i * i).sum();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let inner = || awake(|| sum_of_squares(1000));
                        let (a, b) = awake(|| rayon::join(inner, || sum_of_squares(1000)));
                        assert_eq!((a, b), (expected, expected));
                    }
                });
            }
        });
    }

    #[test]
    fn a_panic_comes_out_and_the_next_body_is_kept_awake_again() {
        for _ in 0..3 {
            std::panic::catch_unwind(|| awake(|| panic!("inside"))).unwrap_err();
        }
        assert_eq!(awake(|| sum_of_squares(3)), 5);
    }
}
