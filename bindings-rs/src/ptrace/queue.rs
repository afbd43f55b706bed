//! What hands finished blocks from the tracer's thread to the reader's: a ring for each lane, in
//! this process's own memory. Unlike a probe the tracer can wait: where a ring is full, its tracees
//! stand still until the reader has made room, or has shown that it does not (`Lane::push`).
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::blocks::Blocks;

/// Blocks that wait to be read, one behind the other.
#[derive(Default)]
pub struct Waiting {
    blocks: VecDeque<Box<[u8]>>,
    bytes: usize,
    /// The reader did not make room in time: nobody waits for it until it does.
    is_stuck: bool,
    /// The reader waits for an answer of the writer, and reads nothing meanwhile.
    is_asking: bool,
    closed: bool,
}

/// Both lanes and the bell between the two threads.
pub struct Queue {
    most: [usize; 2],
    lanes: Mutex<[Waiting; 2]>,
    filled: Condvar,
    emptied: Condvar,
}

/// A reader that takes nothing for so long is stuck, or has to be done without.
const PATIENCE: Duration = Duration::from_secs(5);
/// What a block costs besides its bytes.
const OVERHEAD: usize = 32;

impl Queue {
    /// Bytes of the critical lane and of the bulk one.
    pub fn new(most: [usize; 2]) -> Self {
        let lanes = Mutex::new([Waiting::default(), Waiting::default()]);
        Self { most, lanes, filled: Condvar::new(), emptied: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, [Waiting; 2]> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends a block; false where there was no room for it in time.
    pub fn push(&self, lane: usize, block: &[u8]) -> bool {
        let mut lanes = self.lock();
        let full = |lanes: &[Waiting; 2]| {
            let Waiting { bytes, closed, is_asking, .. } = lanes[lane];
            bytes + block.len() + OVERHEAD > self.most[lane] && !closed && !is_asking
        };
        if full(&lanes) && !lanes[lane].is_stuck {
            self.filled.notify_one();
            let (kept, waited) = self
                .emptied
                .wait_timeout_while(lanes, PATIENCE, |lanes| full(lanes))
                .unwrap_or_else(PoisonError::into_inner);
            lanes = kept;
            lanes[lane].is_stuck = waited.timed_out();
        }
        if full(&lanes) || lanes[lane].closed {
            return false;
        }
        let was_empty = lanes.iter().all(|waiting| waiting.blocks.is_empty());
        lanes[lane].bytes += block.len() + OVERHEAD;
        lanes[lane].blocks.push_back(block.into());
        drop(lanes);
        if was_empty {
            self.filled.notify_one();
        }
        true
    }

    /// While the reader asks, the few blocks of one event may go beyond the bound.
    pub fn set_asking(&self, is_asking: bool) {
        for lane in self.lock().iter_mut() {
            lane.is_asking = is_asking;
        }
        self.emptied.notify_all();
    }

    /// Waits until there is something to read or the time is over.
    pub fn wait(&self, time: Duration) -> bool {
        let empty = |lanes: &mut [Waiting; 2]| lanes.iter().all(|lane| lane.blocks.is_empty());
        let (mut lanes, _) = self
            .filled
            .wait_timeout_while(self.lock(), time, |lanes| empty(lanes) && !lanes[0].closed)
            .unwrap_or_else(PoisonError::into_inner);
        !empty(&mut lanes)
    }

    pub fn is_empty(&self) -> bool {
        self.lock().iter().all(|lane| lane.blocks.is_empty())
    }

    /// Nobody reads any more, or nobody writes: neither side waits for the other.
    pub fn close(&self) {
        for lane in self.lock().iter_mut() {
            lane.closed = true;
        }
        self.emptied.notify_all();
        self.filled.notify_all();
    }

    /// Hands both lanes to `read`, and tells the writer of the room that it made.
    pub fn read<T>(&self, read: impl FnOnce(&mut Waiting, &mut Waiting) -> T) -> T {
        let mut lanes = self.lock();
        let [critical, bulk] = &mut *lanes;
        let result = read(critical, bulk);
        for lane in lanes.iter_mut() {
            lane.is_stuck = false;
        }
        drop(lanes);
        self.emptied.notify_one();
        result
    }
}

impl Blocks for Waiting {
    fn head(&mut self) -> Option<&[u8]> {
        self.blocks.front().map(|block| &block[..])
    }
    fn next(&mut self) {
        if let Some(block) = self.blocks.pop_front() {
            self.bytes -= block.len() + OVERHEAD;
        }
    }
    fn give_back(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gaps::Gaps;
    use crate::merge::drain;
    use std::sync::Arc;

    fn block() -> Vec<u8> {
        vec![0; 64]
    }

    #[test]
    fn a_full_lane_holds_its_writer_until_the_reader_has_made_room() {
        let queue = Arc::new(Queue::new([96, 96]));
        assert!(queue.push(0, &block()));
        let writer = std::thread::spawn({
            let queue = Arc::clone(&queue);
            move || queue.push(0, &block())
        });
        let mut room = [0u8; 64];
        let mut got = 0;
        while got < 2 {
            queue.wait(Duration::from_secs(10));
            got += queue.read(|one, two| drain(one, two, &mut room, &mut Gaps::new(0))) / 64;
        }
        assert!(writer.join().expect("the writer ends"));
    }

    #[test]
    fn a_closed_queue_holds_nobody() {
        let queue = Queue::new([96, 96]);
        assert!(queue.push(1, &block()));
        queue.close();
        assert!(!queue.push(1, &block()));
        assert!(queue.wait(Duration::from_secs(10)));
    }
}
