//! What may stand still for ever, such as reading a file below the root of a container that has a
//! mount which hangs there, is done aside: on a thread of its own, with a time limit. A thread that
//! hangs is left behind; where too many are, nothing more is tried.
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

const STACK_BYTES: usize = 256 << 10;

/// Threads that are under way, or were left behind.
pub struct Aside {
    under_way: AtomicUsize,
    max: usize,
}

impl Aside {
    pub const fn new(max: usize) -> Self {
        Self { under_way: AtomicUsize::new(0), max }
    }

    /// What `work` gives within the time; nothing where it does not, or as many hang already.
    pub fn within<T: Send + 'static>(
        &'static self,
        limit: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        if self.under_way.fetch_add(1, Ordering::Relaxed) >= self.max {
            self.under_way.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        let (sender, receiver) = sync_channel(1);
        let started = thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
            let result = work();
            self.under_way.fetch_sub(1, Ordering::Relaxed);
            // Whoever asked may have gone on without it.
            let _ = sender.send(result);
        });
        if started.is_err() {
            self.under_way.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        receiver.recv_timeout(limit).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    const LONG: Duration = Duration::from_secs(59);
    const SHORT: Duration = Duration::from_millis(5);

    #[test]
    fn what_hangs_is_left_behind_and_bounded_and_what_comes_back_makes_room() {
        static ASIDE: Aside = Aside::new(2);
        assert_eq!(ASIDE.within(LONG, || 7), Some(7));
        let releases: Vec<_> = (0..2)
            .map(|_| {
                let (release, held) = channel::<()>();
                assert_eq!(ASIDE.within(SHORT, move || held.recv().is_ok()), None);
                release
            })
            .collect();
        assert_eq!(ASIDE.within(LONG, || 7), None, "two hang");
        drop(releases);
        while ASIDE.within(LONG, || 7).is_none() {
            thread::yield_now();
        }
    }
}
