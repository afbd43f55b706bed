//! Hands finished events to the queue, and counts what became of them.
use std::cell::Cell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use probe::counters::row;
use probe::event::BLOCK_HEAD;
use probe::table::PARAM_COUNTS;

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

impl Counts {
    fn lose(&mut self, lane: usize, code: u16, events: u64) {
        self.lost[lane] += events;
        self.lost_by_code[usize::from(code).min(CODES - 1)] += events;
    }
}

/// Where events go.
pub struct Out {
    pub queue: Arc<Queue>,
    pub counts: Arc<Mutex<Counts>>,
    sequence: [Cell<u64>; 2],
}

impl Out {
    pub fn new(queue: Arc<Queue>, counts: Arc<Mutex<Counts>>) -> Self {
        Self { queue, counts, sequence: Default::default() }
    }

    pub fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next sequence number of a lane.
    pub fn next(&self, lane: usize) -> u64 {
        self.skip(lane, 1) | u64::from(row::CALLS) << row::AT
    }

    fn skip(&self, lane: usize, events: u64) -> u64 {
        let sequence = self.sequence[lane].get() + events;
        self.sequence[lane].set(sequence);
        sequence
    }

    /// Hands a finished event over; counts it as lost where the reader does not read.
    pub fn put(&self, lane: usize, code: u16, truncated: bool, block: &[u8]) {
        let written = block.len() > BLOCK_HEAD && self.queue.push(lane, block);
        let mut counts = self.counts();
        counts.truncated += u64::from(truncated);
        if written {
            counts.events += 1;
        } else {
            counts.lose(lane, code, 1);
        }
    }

    /// Counts events that are not handed over.
    pub fn count_lost(&self, lane: usize, code: u16, events: u64) {
        self.skip(lane, events);
        self.counts().lose(lane, code, events);
    }
}
