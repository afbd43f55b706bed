//! Reads both rings as one stream in the order of time. The probe writes finished .scap blocks,
//! so this only compares and copies.
use std::time::Duration;

use crate::blocks::Blocks;
use crate::gaps::Gaps;
use crate::ring::Ring;

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

/// Sleeps until the kernel says that a ring was written, or the time is over.
pub fn sleep(critical: &Ring, bulk: &Ring, time: Duration) {
    let entry = |ring: &Ring| libc::pollfd { fd: ring.raw_fd(), events: libc::POLLIN, revents: 0 };
    let mut rings = [entry(critical), entry(bulk)];
    let milliseconds = time.as_millis().max(1) as libc::c_int;
    // SAFETY: two valid entries. An interrupted sleep only ends early.
    unsafe { libc::poll(rings.as_mut_ptr(), 2, milliseconds) };
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
    fn an_empty_buffer_takes_nothing() {
        let (mut a, mut b) = (queue(&[1]), queue(&[]));
        assert_eq!(drain(&mut a, &mut b, &mut [], &mut Gaps::new(0)), 0);
        assert_eq!(a.0.len(), 1);
    }
}
