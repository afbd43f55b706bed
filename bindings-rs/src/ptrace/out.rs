//! Hands finished events to the queue, and counts what became of them.
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use probe::counters::row;
use probe::event::{BLOCK_HEAD, Event};
use probe::lane::CRITICAL;
use probe::long;
use probe::table::PARAM_COUNTS;

use super::kernel::Tracee;
use super::queue::Queue;

const CODES: usize = PARAM_COUNTS.len();

/// What is counted, for whoever asks.
#[derive(Clone)]
pub struct Counts {
    pub events: u64,
    pub lost: [u64; 2],
    pub truncated: u64,
    pub named: u64,
    pub unresolved: u64,
    pub lost_by_code: Vec<u64>,
    pub sifted: Vec<u64>,
    /// Objects that the bounds of the arena refused.
    pub arena_refused: u64,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            events: 0,
            lost: [0; 2],
            truncated: 0,
            named: 0,
            unresolved: 0,
            lost_by_code: vec![0; CODES],
            sifted: vec![0; CODES],
            arena_refused: 0,
        }
    }
}

/// Where events go.
pub struct Out {
    pub queue: Arc<Queue>,
    pub counts: Arc<Mutex<Counts>>,
    pub sequence: [u64; 2],
}

impl Out {
    pub fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the event and hands it over; counts it as lost where the reader does not read.
    pub fn emit(&mut self, k: &Tracee, e: &mut Event<Tracee>, own: Option<u32>) {
        let lane = usize::from(e.state().lane != CRITICAL);
        self.sequence[lane] += 1;
        let sequence = self.sequence[lane] | u64::from(row::CALLS) << row::AT;
        // SAFETY: both rooms have the bytes that `finish` returns, behind the places that it says.
        let block = unsafe {
            if let Some(own) = own {
                let bytes = e.finish(own, sequence, 0);
                std::slice::from_raw_parts(e.block(), bytes)
            } else {
                let bytes = long::finish(e, k.long.0, sequence, 0);
                std::slice::from_raw_parts(k.long.0.add(long::BLOCK_AT), bytes)
            }
        };
        let written = block.len() > BLOCK_HEAD && self.queue.push(lane, block);
        let (code, truncated) = (e.state().code as usize, e.state().truncated != 0);
        let mut counts = self.counts();
        counts.truncated += u64::from(truncated);
        if written {
            counts.events += 1;
        } else {
            counts.lost[lane] += 1;
            counts.lost_by_code[code.min(CODES - 1)] += 1;
        }
    }
}
