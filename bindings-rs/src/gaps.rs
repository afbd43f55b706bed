//! What the sequence numbers of events tell of those that are missing. In: each block as it is
//! read. Out: for each CPU and lane how many were lost, and between which times.
//!
//! The probe counts up for every event that should be recorded, and what one CPU writes into a ring
//! stands there in that order: a number that is left out was lost, after the event before it and
//! before the one behind it. Losses that nothing follows yet are in the probe's counters alone.
use probe::counters::{ROWS, row};
use probe::event::HEADER_BYTES;
use probe::wake;

/// Block type, block length, CPU.
const BLOCK_HEAD: usize = 10;
/// An event's last bytes: its number (8), its lane and by which way it came (1).
const OWN_TAIL: usize = 9;
const LANES: usize = 2;
/// Behind an event's time, thread and length.
const CODE_AT: usize = 20;

/// Events of one CPU and lane that are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    pub cpu: u16,
    pub lane: u8,
    pub lost: u64,
    /// Nanoseconds since the epoch, of the last event before the first loss and of the first one
    /// behind the last.
    pub from: u64,
    pub until: u64,
}

#[derive(Clone, Copy)]
struct Seen {
    sequence: u64,
    time: u64,
    missing: Option<Gap>,
}

/// One row for each CPU, row of its counters and lane.
pub struct Gaps {
    begun: u64,
    rows: Vec<Seen>,
    /// Whether an event was one that hurries.
    hurried: bool,
}

fn word<const N: usize>(block: &[u8], at: usize) -> Option<[u8; N]> {
    block.get(at..at + N)?.try_into().ok()
}

impl Gaps {
    /// `begun`: what was lost before the first event was lost after that.
    pub fn new(begun: u64) -> Self {
        Self { begun, rows: Vec::new(), hurried: false }
    }

    /// A block that is read.
    #[inline]
    pub fn see(&mut self, block: &[u8]) {
        let _ = self.look(block);
    }

    #[inline]
    fn look(&mut self, block: &[u8]) -> Option<()> {
        let cpu = u16::from_le_bytes(word(block, BLOCK_HEAD - 2)?);
        let time = u64::from_le_bytes(word(block, BLOCK_HEAD)?);
        let bytes = u32::from_le_bytes(word(block, BLOCK_HEAD + 16)?) as usize;
        let end = BLOCK_HEAD + bytes.max(HEADER_BYTES + OWN_TAIL);
        let number = u64::from_le_bytes(word(block, end - OWN_TAIL)?);
        let (row, sequence) = (number >> row::AT, number & ((1 << row::AT) - 1));
        if row >= u64::from(ROWS) {
            return None;
        }
        let lane = *block.get(end - 1)? & 1;
        let code = u16::from_le_bytes(word(block, BLOCK_HEAD + CODE_AT)?);
        self.hurried |= wake::hurries(lane, code);
        let at = (row as usize + ROWS as usize * usize::from(cpu)) * LANES + usize::from(lane);
        if at >= self.rows.len() {
            let first = Seen { sequence: 0, time: self.begun, missing: None };
            self.rows.resize(at + 1, first);
        }
        let row = &mut self.rows[at];
        let lost = sequence.saturating_sub(row.sequence + 1);
        if lost > 0 {
            let from = row.missing.map_or(row.time, |gap| gap.from);
            let before = row.missing.map_or(0, |gap| gap.lost);
            row.missing = Some(Gap { cpu, lane, lost: before + lost, from, until: time });
        }
        row.sequence = row.sequence.max(sequence);
        row.time = time;
        Some(())
    }

    /// Whether an event since the last call was one that hurries (probe-rs/src/wake.rs).
    pub fn take_hurried(&mut self) -> bool {
        std::mem::take(&mut self.hurried)
    }

    /// All that was found missing since the last call, by CPU and lane.
    pub fn take(&mut self) -> Vec<Gap> {
        self.rows.iter_mut().filter_map(|row| row.missing.take()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use probe::{lane, table};

    fn block(cpu: u16, lane: u8, sequence: u64, time: u64) -> Vec<u8> {
        let bytes = HEADER_BYTES + 2 + OWN_TAIL;
        let mut block = vec![0; BLOCK_HEAD + bytes + 4];
        block[8..10].copy_from_slice(&cpu.to_le_bytes());
        block[10..18].copy_from_slice(&time.to_le_bytes());
        block[26..30].copy_from_slice(&(bytes as u32).to_le_bytes());
        let end = BLOCK_HEAD + bytes;
        block[end - 9..end - 1].copy_from_slice(&sequence.to_le_bytes());
        block[end - 1] = lane | 3 << 1;
        block
    }

    #[test]
    fn a_number_that_is_left_out_was_lost_between_its_neighbours() {
        let mut gaps = Gaps::new(5);
        for (cpu, lane, sequence, time) in
            [(0, 0, 1, 10), (1, 1, 3, 11), (0, 0, 2, 12), (0, 0, 5, 20), (0, 1, 1, 21)]
        {
            gaps.see(&block(cpu, lane, sequence, time));
        }
        let first = Gap { cpu: 0, lane: 0, lost: 2, from: 12, until: 20 };
        let second = Gap { cpu: 1, lane: 1, lost: 2, from: 5, until: 11 };
        assert_eq!(gaps.take(), [first, second]);
        assert_eq!(gaps.take(), []);
        gaps.see(&block(0, 0, 7, 30));
        gaps.see(&block(0, 0, 8, 31));
        gaps.see(&block(0, 0, 11, 40));
        assert_eq!(gaps.take(), [Gap { cpu: 0, lane: 0, lost: 3, from: 20, until: 40 }]);
    }

    #[test]
    fn what_hurries_is_told_once() {
        let coded = |lane: u8, code: u16| {
            let mut block = block(0, lane, 1, 1);
            block[30..32].copy_from_slice(&code.to_le_bytes());
            block
        };
        let hurries = |blocks: &[Vec<u8>]| {
            let mut gaps = Gaps::new(0);
            for block in blocks {
                gaps.see(block);
            }
            (gaps.take_hurried(), gaps.take_hurried())
        };
        let clone = coded(lane::CRITICAL, table::SYSCALL_CLONE3_X);
        let bulk = coded(lane::BULK, table::SYSCALL_OPENAT_2_X);
        let open = coded(lane::CRITICAL, table::SYSCALL_OPENAT_2_X);
        assert_eq!(hurries(&[clone.clone(), bulk.clone()]), (false, false));
        assert_eq!(hurries(&[clone, open, bulk]), (true, false));
    }

    #[test]
    fn a_block_that_is_cut_tells_nothing() {
        let mut gaps = Gaps::new(0);
        gaps.see(&[0; 20]);
        gaps.see(&block(0, 0, 9, 1)[..40]);
        assert_eq!(gaps.take(), []);
    }
}
