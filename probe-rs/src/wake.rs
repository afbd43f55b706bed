//! When the reader is woken. Waking it for each event would cost more than the event: it is woken
//! at most so often, and for some time after it has read something it looks by itself
//! (READER_LOOKS in bindings-rs, which must be longer), so what comes meanwhile is not forgotten.

/// Nanoseconds between two wake-ups.
pub const WAKE_NS: u64 = 10_000_000;
/// Much that waits is a reason to wake it earlier.
pub const WAKE_SOON_NS: u64 = 1_000_000;
pub const WAKE_SOON_BYTES: u64 = 256 * 1024;

/// Whether an event wakes the reader that was woken `since` nanoseconds ago; `waiting`: the bytes
/// that wait in its ring, asked where that decides.
#[inline(always)]
pub fn is_due(since: u64, waiting: impl FnOnce() -> u64) -> bool {
    since > WAKE_NS || since > WAKE_SOON_NS && waiting() > WAKE_SOON_BYTES
}
