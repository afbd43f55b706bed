//! When the reader is woken. Waking it for each event would cost more than the event: it is woken
//! at most so often, and for some time after it has read something it looks by itself
//! (bindings-rs/src/pace.rs), so what comes meanwhile is not forgotten.
//!
//! What hurries is told soon: a rule may match it, or it is critical otherwise. Of the life of
//! threads and programs there is much, which waits a little longer, so that it is read together.
use crate::lane::{CRITICAL, is_life};

/// Nanoseconds between two wake-ups for what hurries.
pub const WAKE_NS: u64 = 10_000_000;
/// And since the reader was last woken, or last read, for all else. It is as long as Falco's reader
/// sleeps at the most.
pub const PATIENT_NS: u64 = 30_000_000;
/// Much that waits is a reason to wake it earlier.
pub const WAKE_SOON_NS: u64 = 1_000_000;
pub const WAKE_SOON_BYTES: u64 = 256 * 1024;

/// Whether an event of this lane and code hurries.
#[inline(always)]
pub const fn hurries(lane: u8, code: u16) -> bool {
    lane == CRITICAL && !is_life(code)
}

/// Whether an event wakes the reader that was woken `since` nanoseconds ago, where it waits for
/// `patience` of them; `waits_much`: whether much waits in its ring, asked where that decides.
#[inline(always)]
pub fn is_due(since: u64, patience: u64, waits_much: impl FnOnce() -> bool) -> bool {
    since > patience || since > WAKE_SOON_NS && waits_much()
}

/// Whether that is much in a ring of so many bytes.
#[inline(always)]
pub const fn is_much(waiting: u64, ring_bytes: u64) -> bool {
    waiting > WAKE_SOON_BYTES || waiting > ring_bytes / 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lane::BULK;
    use crate::table;

    #[test]
    fn what_is_critical_hurries_but_for_the_life_of_processes() {
        assert!(hurries(CRITICAL, table::SYSCALL_OPENAT_2_X));
        assert!(hurries(CRITICAL, table::SYSCALL_DUP2_X));
        assert!(!hurries(BULK, table::SYSCALL_OPENAT_2_X));
        for code in [table::SYSCALL_CLONE3_X, table::SYSCALL_EXECVE_19_X, table::PROCEXIT_1_E] {
            assert!(!hurries(CRITICAL, code));
        }
    }

    #[test]
    fn an_event_wakes_once_patience_is_over_or_much_waits() {
        let never = || unreachable!("nothing is asked");
        assert!(is_due(PATIENT_NS + 1, PATIENT_NS, never));
        assert!(!is_due(WAKE_SOON_NS, PATIENT_NS, never));
        assert!(!is_due(PATIENT_NS, PATIENT_NS, || false));
        assert!(is_due(WAKE_SOON_NS + 1, PATIENT_NS, || true));
    }

    #[test]
    fn a_quarter_of_a_small_ring_is_much() {
        assert!(!is_much(1024, 4096) && is_much(1025, 4096));
        assert!(!is_much(WAKE_SOON_BYTES, 8 << 20) && is_much(WAKE_SOON_BYTES + 1, 8 << 20));
    }
}
