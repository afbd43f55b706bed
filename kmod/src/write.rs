//! How a finished event gets into its lane's ring, and what is counted where it does not.
use probe::budget::cost;
use probe::counters::row;
use probe::event::Event;
use probe::lane::{self, CRITICAL};
use probe::long::{BLOCK_AT, finish};
use probe::run::Driver;
use probe::{event::BLOCK_HEAD, wake};

use crate::cpu::Cpu;
use crate::glue;
use crate::here::Here;

/// A block and its bytes (0: it outgrew its room), and the event's time.
type Finished = (*const u8, usize, u64);

impl Driver for Here {
    #[inline(never)]
    fn emit(&self, e: &mut Event<Self>, own: u32) {
        self.emit_as(e, |e, sequence, cpu| {
            let bytes = e.finish(own, sequence, cpu);
            (e.block().cast_const(), bytes, e.time())
        });
    }

    #[inline(never)]
    fn emit_long(&self, e: &mut Event<Self>) {
        // SAFETY: this CPU's, and only starts of programs come here.
        let room = unsafe { (&raw mut (*self.cpu).long).cast::<u8>() };
        self.emit_as(e, |e, sequence, cpu| {
            // SAFETY: the room has LONG_BYTES and is this event's alone.
            unsafe {
                let bytes = finish(e, room, sequence, cpu);
                let block = room.add(BLOCK_AT);
                (block.cast_const(), bytes, block.add(BLOCK_HEAD).cast::<u64>().read_unaligned())
            }
        });
    }

    fn count_lost(&self, lane: u8, code: u16, events: u64) {
        // SAFETY: this CPU's.
        unsafe { count_lost(&mut *self.cpu, self.row, lane, code, events) };
    }

    fn count_names(&self, named: u64, unresolved: u64) {
        // SAFETY: this CPU's.
        let cpu = unsafe { &mut *self.cpu };
        if let Some(counters) = cpu.counters.get_mut(self.row as usize) {
            counters.named += named;
            counters.unresolved += unresolved;
        }
    }
}

/// Counts events of a row, lane and code that the reader will not get.
pub fn count_lost(cpu: &mut Cpu, row: u32, lane: u8, code: u16, events: u64) {
    if let Some(counters) = cpu.counters.get_mut(row as usize) {
        let lane = usize::from(lane != CRITICAL);
        counters.lost[lane] += events;
        counters.sequence[lane] += events;
    }
    if let Some(lost) = cpu.lost.get_mut(usize::from(code)) {
        *lost += events;
    }
}

impl Here {
    #[inline(always)]
    fn emit_as(
        &self,
        e: &mut Event<Self>,
        finish: impl FnOnce(&mut Event<Self>, u64, u32) -> Finished,
    ) {
        // SAFETY: this CPU's. What comes between this (a fault, a signal) has a row of its own, and
        // the rings are written with interrupts off.
        let cpu = unsafe { &mut *self.cpu };
        let (code, critical) = (e.state().code, e.state().lane == CRITICAL);
        let lane = usize::from(!critical);
        let Some(counters) = cpu.counters.get_mut(self.row as usize) else { return };
        let sequence = counters.sequence[lane] + 1;
        counters.sequence[lane] = sequence;
        if e.state().truncated != 0 {
            counters.truncated += 1;
        }
        let number = sequence | u64::from(self.row) << row::AT;
        let (block, bytes, time) = finish(e, number, cpu.number);
        let is_excess = bytes != 0 && critical && !lane::is_life(code) && self.refuses(cpu, time);
        let put = bytes != 0 && !is_excess && put(cpu, lane, block, bytes);
        if let Some(counters) = cpu.counters.get_mut(self.row as usize) {
            counters.excess += u64::from(is_excess);
            counters.events += u64::from(put);
            counters.lost[lane] += u64::from(!put);
        }
        if !put {
            if let Some(lost) = cpu.lost.get_mut(usize::from(code)) {
                *lost += 1;
            }
            return;
        }
        let since = time.wrapping_sub(cpu.last_wake);
        let ring = &cpu.rings[lane];
        if wake::is_due(since, wake::WAKE_NS, || wake::is_much(ring.waiting(), ring.bytes)) {
            cpu.last_wake = time;
            // SAFETY: the reader lives as long as this event.
            unsafe { glue::saker_wake(self.reader.cast()) };
        }
    }

    /// Whether the critical ring has no room for an event of this process.
    fn refuses(&self, cpu: &mut Cpu, time: u64) -> bool {
        let ring = &cpu.rings[0];
        let cost = cost(ring.waiting(), ring.bytes);
        if cost == 0 {
            return false;
        }
        let process = (self.id >> 32) as u32;
        !cpu.purses.pay(process, &self.comm(), cost, time)
    }
}

/// Copies a block into the lane's ring of this CPU; whether there was room.
fn put(cpu: &mut Cpu, lane: usize, block: *const u8, bytes: usize) -> bool {
    // SAFETY: the block holds these bytes; with interrupts off nothing else of this CPU writes.
    unsafe {
        if glue::saker_is_unmaskable() {
            return false;
        }
        let before = glue::saker_interrupts_off();
        let put = cpu.rings[lane & 1].put(block, bytes);
        glue::saker_interrupts_back(before);
        put
    }
}
