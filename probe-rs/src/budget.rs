//! Who may still write into a critical ring when it fills up. In: how much of it waits, and the
//! purse of the event's process. Out: whether there is room for the event.
//!
//! While the ring is less than half full nobody is asked. From there on each process has a purse
//! on each CPU: so many events at once, and as many again with time; where only a quarter of the
//! ring is left, an event costs more. A process that floods thus pays with its own events only,
//! and one that does a single thing is told. Starts and ends of processes are never refused.

/// Events of one process on one CPU that a filling ring takes at once.
const PURSE: u64 = 512;
/// Nanoseconds in which an event more may be written.
const REFILL_NS: u64 = 100_000;
/// What an event costs where little room is left: 32 of a process fit then.
const DEAR: u64 = 16;

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Purse {
    tokens: u64,
    at_ns: u64,
}

/// What an event costs while `waiting` bytes of a ring of `bytes` are not read yet; 0: nothing,
/// nobody is asked.
#[inline(always)]
pub fn cost(waiting: u64, bytes: u64) -> u64 {
    if waiting < bytes / 2 {
        return 0;
    }
    if waiting < bytes / 4 * 3 { 1 } else { DEAR }
}

impl Purse {
    /// That of a process which pays for the first time.
    #[inline(always)]
    pub fn full(cost: u64, now: u64) -> Self {
        Self { tokens: PURSE - cost, at_ns: now }
    }

    /// Whether the purse has enough, which is then taken out.
    #[inline(always)]
    pub fn pay(&mut self, cost: u64, now: u64) -> bool {
        let refill = now.wrapping_sub(self.at_ns) / REFILL_NS;
        if refill > 0 {
            self.tokens = if refill >= PURSE { PURSE } else { (self.tokens + refill).min(PURSE) };
            self.at_ns = now;
        }
        if self.tokens < cost {
            return false;
        }
        self.tokens -= cost;
        true
    }
}
