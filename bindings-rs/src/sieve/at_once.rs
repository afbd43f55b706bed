//! Closes and fcntls that no rule wants, in the one form that they have: most of a capture. Where
//! only what is held back changes, or nothing, they are done with before the event is read in full;
//! all else is left as it is, to be looked at like every other event.
use probe::event::BLOCK;
use probe::table as t;

use super::held::{F_SETFD, set_cloexec};
use super::pass::Sieve;
use super::record::{F_DUPFD, F_DUPFD_CLOEXEC, half, long, word};
use super::tables::State;

/// The whole block of each: frame, header, lengths of parameters, result, descriptor, and of fcntl
/// a command in one byte and an argument.
const CLOSE_BYTES: usize = 60;
const FCNTL_BYTES: usize = 76;
/// What the event itself takes of it.
const CLOSE_EVENT: u32 = 46;
const FCNTL_EVENT: u32 = 59;
/// Lengths of two parameters as one word, and of four.
const TWO_LONGS: u32 = 8 | 8 << 16;
const COMMANDED: u64 = 8 | 8 << 16 | 1 << 32 | 8 << 48;

impl Sieve {
    /// Whether the event is such a one, and is done with.
    #[inline]
    pub fn is_usual(&mut self, block: &[u8]) -> bool {
        match block.len() {
            CLOSE_BYTES if self.usual.close => self.usual_close(block),
            FCNTL_BYTES if self.usual.fcntl => self.usual_fcntl(block),
            _ => false,
        }
    }

    /// The table of the block's thread, where its event is of this code and length.
    #[inline]
    fn usual_table(&mut self, block: &[u8], code: u16, length: u32, count: u32) -> Option<usize> {
        let is_it = word(block, 0) == BLOCK
            && half(block, 30) == usize::from(code)
            && word(block, 26) == length
            && word(block, 32) == count;
        if !is_it || self.tells_time || !self.began || self.asked.all {
            return None;
        }
        self.tables.of(long(block, 18) as i64)
    }

    #[inline]
    fn usual_close(&mut self, block: &[u8]) -> bool {
        let code = t::SYSCALL_CLOSE_X;
        let Some(table) = self.usual_table(block, code, CLOSE_EVENT, 2) else { return false };
        if word(block, 36) != TWO_LONGS {
            return false;
        }
        let failed = (long(block, 40) as i64) < 0;
        if !failed && !self.ignores_descriptors {
            let number = word(block, 48) as i32;
            if self.tables.all[table].has_dependents(number)
                || self.close_alone(table, number, block)
            {
                return false;
            }
        }
        self.done_with(block, code);
        true
    }

    #[inline]
    fn usual_fcntl(&mut self, block: &[u8]) -> bool {
        let code = t::SYSCALL_FCNTL_X;
        let Some(table) = self.usual_table(block, code, FCNTL_EVENT, 4) else { return false };
        if long(block, 36) != COMMANDED {
            return false;
        }
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
        self.done_with(block, code);
        true
    }

    #[inline]
    fn done_with(&mut self, block: &[u8], code: u16) {
        self.lives.pass_time(long(block, 10));
        self.passed[usize::from(code)] += 1;
    }
}
