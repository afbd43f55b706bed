//! Closes and fcntls that no rule wants, in the one form that they have: most of a capture. Where
//! only what is held back changes, or nothing, they are done with before the event is read in full;
//! all else is left as it is, to be looked at like every other event.
use probe::event::BLOCK;
use probe::sieve::effect;
use probe::table as t;

use super::held::{F_SETFD, set_cloexec};
use super::life::Question;
use super::pass::Sieve;
use super::record::{F_DUPFD, F_DUPFD_CLOEXEC, Record, long, word};
use super::tables::State;

/// The whole block of each: frame, header, lengths of parameters, result, descriptor, and of fcntl
/// a command in one byte and an argument.
const CLOSE_BYTES: usize = 60;
const FCNTL_BYTES: usize = 76;

/// What does not differ, by eights: a block's type and length; the event's length, its code and
/// the low half of its number of parameters; that number and what follows it.
const CLOSE: [u64; 3] =
    [frame(CLOSE_BYTES), event(46, t::SYSCALL_CLOSE_X, 2), 2 | 8 << 32 | 8 << 48];
const FCNTL: [u64; 3] =
    [frame(FCNTL_BYTES), event(59, t::SYSCALL_FCNTL_X, 4), 4 | 8 << 32 | 8 << 48];
/// Lengths of command and argument.
const COMMANDED: u32 = 1 | 8 << 16;

const fn frame(bytes: usize) -> u64 {
    BLOCK as u64 | (bytes as u64) << 32
}

const fn event(bytes: u64, code: u16, count: u64) -> u64 {
    bytes | (code as u64) << 32 | count << 48
}

impl Sieve {
    /// Goes over such events from `at` on, as many as follow one another. Returns where the next
    /// block begins, and how many they were.
    #[inline]
    pub fn pass_usual(&mut self, blocks: &[u8], mut at: usize) -> (usize, u32) {
        let mut passed = [0, 0];
        if self.tells_time || !self.began || self.asked.all {
            return (at, 0);
        }
        while let Some(left) = blocks.get(at..)
            && let Some(first) = left.first_chunk()
        {
            match u64::from_le_bytes(*first) {
                kind if kind == CLOSE[0] && self.usual.close => {
                    let Some(block) = left.first_chunk::<CLOSE_BYTES>() else { break };
                    if !self.usual_close(block) {
                        break;
                    }
                    at += CLOSE_BYTES;
                    passed[0] += 1;
                }
                kind if kind == FCNTL[0] && self.usual.fcntl => {
                    let Some(block) = left.first_chunk::<FCNTL_BYTES>() else { break };
                    if !self.usual_fcntl(block) {
                        break;
                    }
                    at += FCNTL_BYTES;
                    passed[1] += 1;
                }
                _ => break,
            }
        }
        self.passed[usize::from(t::SYSCALL_CLOSE_X)] += u64::from(passed[0]);
        self.passed[usize::from(t::SYSCALL_FCNTL_X)] += u64::from(passed[1]);
        (at, passed[0] + passed[1])
    }

    #[inline]
    fn usual_close(&mut self, block: &[u8; CLOSE_BYTES]) -> bool {
        if [long(block, 26), long(block, 32)] != CLOSE[1..] {
            return false;
        }
        let Some(table) = self.tables.of(long(block, 18) as i64) else { return false };
        let failed = (long(block, 40) as i64) < 0;
        if !failed && !self.ignores_descriptors {
            let number = word(block, 48) as i32;
            if self.tables.all[table].has_dependents(number)
                || self.close_alone(table, number, block)
            {
                return false;
            }
        }
        self.lives.pass_time(long(block, 10));
        true
    }

    #[inline]
    fn usual_fcntl(&mut self, block: &[u8; FCNTL_BYTES]) -> bool {
        if [long(block, 26), long(block, 32)] != FCNTL[1..] || word(block, 40) != COMMANDED {
            return false;
        }
        let Some(table) = self.tables.of(long(block, 18) as i64) else { return false };
        let (result, command) = (long(block, 44) as i64, block[60]);
        let changes = matches!(command, F_DUPFD | F_SETFD | F_DUPFD_CLOEXEC);
        if result >= 0 && changes && !self.ignores_descriptors {
            let number = word(block, 52) as i32;
            let known = &mut self.tables.all[table];
            match known.state(number) {
                State::Absent | State::Closed => {}
                State::Pending if command == F_SETFD => {
                    if !set_cloexec(&mut known.slots[number as usize], block[61] & 1 != 0) {
                        return false;
                    }
                }
                State::Pending => {
                    let to = result as i32;
                    let cloexec = command == F_DUPFD_CLOEXEC;
                    if known.has_dependents(to)
                        || !self.copies_held(table, (number, to))
                        || self.copy_held(table, (number, to), cloexec).is_err()
                    {
                        return false;
                    }
                }
                _ => return false,
            }
        }
        self.lives.pass_time(long(block, 10));
        true
    }

    /// The table of an open's thread, where nothing is to be asked or said before the open itself
    /// is looked at.
    #[inline]
    pub fn usual_open(&mut self, record: &mut Record) -> Option<usize> {
        let is_it =
            self.guards[record.code].effect == effect::OPEN && self.began && !self.tells_time;
        let table = if is_it { self.tables.of(record.tid)? } else { return None };
        self.question = Question::Nothing;
        self.lives.pass_time(record.ns());
        record.facts = self.tables.facts_of(record.tid);
        Some(table)
    }
}
