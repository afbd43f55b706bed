//! Sockets and pipes that no rule asks for: what made one, and what bound or connected it, is held
//! back together, and forgotten together when it is closed.
use probe::table as t;

use super::ends::is_pair;
use super::out::Out;
use super::pass::{NoRoom, Sieve};
use super::record::Record;
use super::tables::{HELD_BYTES, State};

/// Parameters of pipes.
const ENDS: [usize; 2] = [1, 2];

impl Sieve {
    /// A call that no rule wants and that changes descriptors; whether the engine has to see it.
    pub fn socket(
        &mut self,
        record: &Record,
        table: usize,
        room: &mut [u8],
        out: &mut Out,
    ) -> Result<bool, NoRoom> {
        match record.code as u16 {
            t::SOCKET_SOCKET_X | t::SOCKET_ACCEPT_5_X | t::SOCKET_ACCEPT4_6_X => {
                self.socket_made(record, table, room, out)
            }
            t::SOCKET_BIND_X | t::SOCKET_CONNECT_X => self.socket_led(record, table, room, out),
            t::SYSCALL_PIPE_X | t::SYSCALL_PIPE2_X => self.pipe_made(record, table, room, out),
            _ => Ok(true),
        }
    }

    fn socket_made(
        &mut self,
        record: &Record,
        table: usize,
        room: &mut [u8],
        out: &mut Out,
    ) -> Result<bool, NoRoom> {
        let Some(result) = record.result() else { return Ok(true) };
        if result < 0 {
            return Ok(self.asked.all);
        }
        let number = result as i32;
        if record.code == usize::from(t::SOCKET_SOCKET_X) {
            // The engine makes none without its protocol.
            if record.length(3) == 0 {
                return Ok(true);
            }
        } else if !is_pair(record.bytes(1)) {
            return Ok(true);
        }
        if !self.holds(number, record.block.len()) {
            return Ok(true);
        }
        self.settle_dependents(table, number, room, out)?;
        let Some(slot) = self.begin_held(table, number, State::Socket) else { return Ok(true) };
        slot.block.extend_from_slice(record.block);
        Ok(false)
    }

    /// Each end is held back by itself: by an event that makes that end alone, twice.
    fn pipe_made(
        &mut self,
        record: &Record,
        table: usize,
        room: &mut [u8],
        out: &mut Out,
    ) -> Result<bool, NoRoom> {
        let Some(result) = record.result() else { return Ok(true) };
        if result < 0 {
            return Ok(self.asked.all);
        }
        let end = |param| if record.length(param) == 8 { record.long(param) as i32 } else { -1 };
        let ends = ENDS.map(end);
        let bytes = record.block.len();
        if ends[0] == ends[1] || !ends.iter().all(|number| self.holds(*number, bytes)) {
            return Ok(true);
        }
        for number in ends {
            self.settle_dependents(table, number, room, out)?;
        }
        for number in ends {
            let Some(slot) = self.begin_held(table, number, State::Socket) else {
                return Ok(true);
            };
            slot.block.extend_from_slice(record.block);
            for end in ENDS {
                let at = record.start(end);
                slot.block[at..at + 8].copy_from_slice(&i64::from(number).to_le_bytes());
            }
        }
        Ok(false)
    }

    fn socket_led(
        &mut self,
        record: &Record,
        table: usize,
        room: &mut [u8],
        out: &mut Out,
    ) -> Result<bool, NoRoom> {
        let Some(number) = self.used(record) else { return Ok(true) };
        let state = self.tables.all[table].state(number);
        // The engine changes what it has, and makes nothing.
        if matches!(state, State::Absent | State::Closed) && !self.sees_entries {
            return Ok(self.asked.all);
        }
        if state != State::Socket || self.sees_entries {
            return Ok(true);
        }
        let slot = &mut self.tables.all[table].slots[number as usize];
        if slot.block.len() + record.block.len() <= HELD_BYTES {
            slot.block.extend_from_slice(record.block);
            return Ok(false);
        }
        self.touch(table, number, room, out)?;
        Ok(true)
    }
}
