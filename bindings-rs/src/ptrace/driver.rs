//! The tracer as a driver of whole events (probe-rs/src/run.rs). In: what its sieve has, finished
//! events. Out: events in the queue, or kept back; counts.
use std::slice::from_raw_parts;

use probe::event::Event;
use probe::lane::CRITICAL;
use probe::long;
use probe::run::Driver;
use probe::sieve::ask::{ASK, keeps_message, note_facts, numbers_admit};
use probe::sieve::effect::TRANSFER;
use probe::sieve::tables::Sifter;
use probe::sieve::{Guard, Names};

use super::kernel::Tracee;
use super::names;

impl Sifter for Tracee {
    fn guard(&self, code: u16) -> Option<&Guard> {
        self.sieve.asked.as_ref()?.guards.get(usize::from(code))
    }

    fn names(&self) -> Option<&Names> {
        self.sieve.asked.as_ref().map(|sieve| &sieve.names)
    }

    fn count_sifted(&self, code: u16) {
        if let Some(count) = self.out.counts().sifted.get_mut(usize::from(code)) {
            *count += 1;
        }
    }

    fn seen(&self, inode: u64) -> Option<*mut u8> {
        Some(self.sieve.seen(inode))
    }
}

impl Driver for Tracee {
    fn emit(&self, e: &mut Event<Self>, own: u32) {
        self.hand_over(e, |e, sequence| {
            // SAFETY: the block has the bytes that `finish` returns, behind the place that it says.
            unsafe {
                let bytes = e.finish(own, sequence, 0);
                from_raw_parts(e.block(), bytes)
            }
        });
    }

    fn emit_long(&self, e: &mut Event<Self>) {
        self.hand_over(e, |e, sequence| {
            // SAFETY: as above, of the room for long ones.
            unsafe {
                let bytes = long::finish(e, self.long.0, sequence, 0);
                from_raw_parts(self.long.0.add(long::BLOCK_AT), bytes)
            }
        });
    }

    fn count_lost(&self, lane: u8, code: u16, events: u64) {
        self.out.count_lost(usize::from(lane != CRITICAL), code, events);
    }

    fn count_names(&self, named: u64, unresolved: u64) {
        let mut counts = self.out.counts();
        counts.named += named;
        counts.unresolved += unresolved;
    }

    /// The first message tells of the descriptor; where the others went, their own events alone
    /// tell: what moves data is kept.
    fn keeps_message(&self, e: &mut Event<Self>) -> bool {
        let Some(guard) = self.guard(e.state().code) else { return true };
        if guard.verdict != ASK || guard.effect != TRANSFER {
            return keeps_message(e);
        }
        // For its lane.
        let _ = note_facts(e, guard) && numbers_admit(e, guard);
        true
    }

    fn look_up(&self, e: &mut Event<Self>) -> (u32, usize) {
        names::look_up(self, e)
    }
}

impl Tracee {
    /// Ends an event, which `finish` does, and hands it over.
    fn hand_over<'b>(
        &self,
        e: &mut Event<Self>,
        finish: impl FnOnce(&mut Event<Self>, u64) -> &'b [u8],
    ) {
        let lane = usize::from(e.state().lane != CRITICAL);
        let block = finish(e, self.out.next(lane));
        let (code, truncated) = (e.state().code, e.state().truncated != 0);
        self.out.put(lane, code, truncated, block);
    }
}
