//! Routines of plugins that listen to captures: functions that are called over and over on a thread
//! of the owner, until they say that they are done or are unsubscribed. In: subscriptions. Out:
//! threads, few.
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::abi::{Plugin, Routine, RoutineState, RoutineStep};

/// Of one plugin at the same time.
const ROUTINES_MAX: usize = 16;
/// Between two calls of one: a function that returns at once would take a CPU.
const PAUSE: Duration = Duration::from_millis(1);

struct Running {
    id: usize,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
pub struct Routines {
    running: Mutex<(usize, Vec<Running>)>,
    pub refused: AtomicU64,
}

/// What the function is called with: only the plugin looks at it.
struct Call {
    step: RoutineStep,
    plugin: *mut Plugin,
    state: *mut RoutineState,
}

// SAFETY: the interface says that routines run on other threads.
unsafe impl Send for Call {}

impl Call {
    fn again(&self) -> bool {
        // SAFETY: the plugin gave the function for these arguments; it outlives its routines, which
        // are ended before it is.
        unsafe { (self.step)(self.plugin, self.state) != 0 }
    }
}

impl Routines {
    /// A routine that runs from now on; NULL where there are too many.
    pub fn subscribe(
        &self,
        step: RoutineStep,
        plugin: *mut Plugin,
        state: *mut RoutineState,
    ) -> Result<*mut Routine, String> {
        let mut running = self.running();
        running.1.retain(|routine| !routine.thread.is_finished());
        if running.1.len() >= ROUTINES_MAX {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Err(format!("a plugin has {ROUTINES_MAX} routines at the most"));
        }
        let call = Call { step, plugin, state };
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::Builder::new()
            .name("plugin-routine".into())
            .spawn(move || {
                let call = call;
                while !stopped.load(Ordering::Acquire) && call.again() {
                    std::thread::sleep(PAUSE);
                }
            })
            .map_err(|error| format!("no thread for a routine: {error}"))?;
        running.0 += 1;
        let id = running.0;
        running.1.push(Running { id, stop, thread });
        Ok(null_mut::<Routine>().wrapping_byte_add(id))
    }

    /// Ends a routine, and waits for the call of it that is under way.
    pub fn unsubscribe(&self, routine: *mut Routine) -> Result<(), String> {
        let mut running = self.running();
        let place = running.1.iter().position(|one| one.id == routine.addr());
        let Some(place) = place else { return Err("no such routine".into()) };
        let one = running.1.swap_remove(place);
        drop(running);
        one.end();
        Ok(())
    }

    /// Ends all.
    pub fn end(&self) {
        let all = std::mem::take(&mut self.running().1);
        for one in &all {
            one.stop.store(true, Ordering::Release);
        }
        all.into_iter().for_each(Running::end);
    }

    pub fn count(&self) -> usize {
        self.running().1.iter().filter(|one| !one.thread.is_finished()).count()
    }

    fn running(&self) -> MutexGuard<'_, (usize, Vec<Running>)> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    fn end(self) {
        self.stop.store(true, Ordering::Release);
        // A routine may unsubscribe itself: it ends when it returns.
        if self.thread.thread().id() != std::thread::current().id() {
            self.thread.join().ok();
        }
    }
}

impl Drop for Routines {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::Bool;

    unsafe extern "C" fn count_to_five(plugin: *mut Plugin, state: *mut RoutineState) -> Bool {
        // SAFETY: both are counters of the test.
        let (calls, others) =
            unsafe { (&*plugin.cast::<AtomicU64>(), &*state.cast::<AtomicU64>()) };
        others.fetch_add(1, Ordering::Relaxed);
        Bool::from(calls.fetch_add(1, Ordering::Relaxed) < 4)
    }

    unsafe extern "C" fn for_ever(_: *mut Plugin, state: *mut RoutineState) -> Bool {
        // SAFETY: a counter of the test.
        unsafe { &*state.cast::<AtomicU64>() }.fetch_add(1, Ordering::Relaxed);
        1
    }

    fn pointer(counter: &AtomicU64) -> *mut std::ffi::c_void {
        std::ptr::from_ref(counter).cast_mut().cast()
    }

    #[test]
    fn a_routine_is_called_until_it_says_that_it_is_done() {
        let (calls, others) = (AtomicU64::new(0), AtomicU64::new(0));
        let routines = Routines::default();
        routines.subscribe(count_to_five, pointer(&calls), pointer(&others)).unwrap();
        while routines.count() > 0 {
            std::thread::yield_now();
        }
        assert_eq!((calls.into_inner(), others.into_inner()), (5, 5));
    }

    #[test]
    fn a_routine_that_is_unsubscribed_is_not_called_again() {
        let calls = AtomicU64::new(0);
        let routines = Routines::default();
        let routine = routines.subscribe(for_ever, null_mut(), pointer(&calls)).unwrap();
        assert!(!routine.is_null());
        while calls.load(Ordering::Relaxed) < 3 {
            std::thread::yield_now();
        }
        routines.unsubscribe(routine).unwrap();
        let seen = calls.load(Ordering::Relaxed);
        std::thread::sleep(PAUSE * 5);
        assert_eq!(calls.load(Ordering::Relaxed), seen);
        assert!(routines.unsubscribe(routine).is_err());
    }

    #[test]
    fn there_are_few_and_all_end_with_their_owner() {
        let calls = AtomicU64::new(0);
        let routines = Routines::default();
        for _ in 0..ROUTINES_MAX {
            routines.subscribe(for_ever, null_mut(), pointer(&calls)).unwrap();
        }
        assert!(routines.subscribe(for_ever, null_mut(), pointer(&calls)).is_err());
        assert_eq!(routines.refused.load(Ordering::Relaxed), 1);
        drop(routines);
        let seen = calls.load(Ordering::Relaxed);
        std::thread::sleep(PAUSE * 5);
        assert_eq!(calls.load(Ordering::Relaxed), seen);
    }
}
