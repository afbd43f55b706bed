//! Reads rings as one stream in the order of time. Drivers write finished .scap blocks, so this
//! only compares and copies.
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use crate::blocks::Blocks;
use crate::gaps::Gaps;

/// Block type, block length, CPU; the event starts with its time.
const BLOCK_HEAD: usize = 10;

fn time(block: &[u8]) -> u64 {
    block
        .get(BLOCK_HEAD..BLOCK_HEAD + 8)
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(u64::MAX, u64::from_le_bytes)
}

/// Copies the head of a queue behind what `out` holds already; whether it fitted.
fn copy(from: &mut impl Blocks, out: &mut [u8], used: &mut usize, gaps: &mut Gaps) -> bool {
    let Some(block) = from.head() else { return false };
    let Some(to) = out.get_mut(*used..*used + block.len()) else { return false };
    to.copy_from_slice(block);
    gaps.see(block);
    *used += block.len();
    from.next();
    true
}

/// Copies whole blocks into `out`, the older of the two queues' heads first, and shows them to
/// `gaps`. Returns the bytes.
pub fn drain(
    critical: &mut impl Blocks,
    bulk: &mut impl Blocks,
    out: &mut [u8],
    gaps: &mut Gaps,
) -> usize {
    let mut used = 0;
    let mut first = critical.head().map(time);
    let mut second = bulk.head().map(time);
    loop {
        let ours = match (first, second) {
            (Some(a), Some(b)) => a <= b,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => break,
        };
        if ours {
            if !copy(critical, out, &mut used, gaps) {
                break;
            }
            first = critical.head().map(time);
        } else {
            if !copy(bulk, out, &mut used, gaps) {
                break;
            }
            second = bulk.head().map(time);
        }
    }
    critical.give_back();
    bulk.give_back();
    used
}

/// Time and place of the oldest block of each queue, the oldest of all first. Kept from call to
/// call for its room alone.
pub type Heads = BinaryHeap<Reverse<(u64, usize)>>;

/// The same for any number of queues, such as two for each CPU. Queues are looked at one after the
/// other while others are written: blocks younger than `until` stay for the next call, or one of a
/// queue that was looked at last would go before an older one of a queue that was looked at first.
pub fn drain_all(
    queues: &mut [impl Blocks],
    heads: &mut Heads,
    until: u64,
    out: &mut [u8],
    gaps: &mut Gaps,
) -> usize {
    heads.clear();
    for (at, queue) in queues.iter_mut().enumerate() {
        if let Some(block) = queue.head() {
            heads.push(Reverse((time(block), at)));
        }
    }
    let mut used = 0;
    while let Some(mut first) = heads.peek_mut() {
        let Reverse((oldest, at)) = *first;
        let queue = &mut queues[at];
        // What bears no time goes at once.
        let waits = oldest > until && oldest != u64::MAX;
        if waits || !copy(queue, out, &mut used, gaps) {
            break;
        }
        match queue.head() {
            Some(block) => *first = Reverse((time(block), at)),
            None => drop(PeekMut::pop(first)),
        }
    }
    for queue in queues {
        queue.give_back();
    }
    used
}

/// When the oldest block of all queues was made; None where there is none.
pub fn oldest(queues: &mut [impl Blocks]) -> Option<u64> {
    queues.iter_mut().filter_map(|queue| queue.head().map(time)).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    struct Queue(VecDeque<Vec<u8>>);
    impl Blocks for Queue {
        fn head(&mut self) -> Option<&[u8]> {
            self.0.front().map(Vec::as_slice)
        }
        fn next(&mut self) {
            self.0.pop_front();
        }
        fn give_back(&mut self) {}
    }

    fn queue(times: &[u64]) -> Queue {
        let block = |time: u64| {
            let mut block = vec![0; 20];
            block[BLOCK_HEAD..BLOCK_HEAD + 8].copy_from_slice(&time.to_le_bytes());
            block
        };
        Queue(times.iter().map(|&time| block(time)).collect())
    }

    fn times(bytes: &[u8]) -> Vec<u64> {
        bytes.chunks(20).map(time).collect()
    }

    #[test]
    fn blocks_of_both_queues_come_in_the_order_of_time() {
        let (mut a, mut b) = (queue(&[1, 4, 5]), queue(&[2, 3, 9]));
        let mut out = [0; 200];
        let used = drain(&mut a, &mut b, &mut out, &mut Gaps::new(0));
        assert_eq!(times(&out[..used]), [1, 2, 3, 4, 5, 9]);
    }

    #[test]
    fn a_block_that_does_not_fit_stays_for_the_next_call() {
        let (mut a, mut b) = (queue(&[1, 3]), queue(&[2]));
        let mut out = [0; 50];
        let used = drain(&mut a, &mut b, &mut out, &mut Gaps::new(0));
        assert_eq!(times(&out[..used]), [1, 2]);
        let used = drain(&mut a, &mut b, &mut out, &mut Gaps::new(0));
        assert_eq!(times(&out[..used]), [3]);
        assert_eq!(drain(&mut a, &mut b, &mut out, &mut Gaps::new(0)), 0);
    }

    #[test]
    fn blocks_of_many_queues_come_in_the_order_of_time_up_to_one() {
        let mut queues = [queue(&[2, 9]), queue(&[]), queue(&[1, 3, 8]), queue(&[4])];
        let (mut heads, mut gaps) = (Heads::new(), Gaps::new(0));
        let mut out = [0; 200];
        let used = drain_all(&mut queues, &mut heads, 8, &mut out, &mut gaps);
        assert_eq!(times(&out[..used]), [1, 2, 3, 4, 8]);
        assert_eq!(oldest(&mut queues), Some(9));
        let used = drain_all(&mut queues, &mut heads, 9, &mut out, &mut gaps);
        assert_eq!(times(&out[..used]), [9]);
        assert_eq!(oldest(&mut queues), None);
    }

    #[test]
    fn of_many_queues_what_does_not_fit_stays_for_the_next_call() {
        let mut queues = [queue(&[1, 3]), queue(&[2])];
        let (mut heads, mut gaps) = (Heads::new(), Gaps::new(0));
        let mut out = [0; 50];
        let used = drain_all(&mut queues, &mut heads, 9, &mut out, &mut gaps);
        assert_eq!(times(&out[..used]), [1, 2]);
        let used = drain_all(&mut queues, &mut heads, 9, &mut out, &mut gaps);
        assert_eq!(times(&out[..used]), [3]);
    }

    #[test]
    fn an_empty_buffer_takes_nothing() {
        let (mut a, mut b) = (queue(&[1]), queue(&[]));
        assert_eq!(drain(&mut a, &mut b, &mut [], &mut Gaps::new(0)), 0);
        assert_eq!(a.0.len(), 1);
    }
}
