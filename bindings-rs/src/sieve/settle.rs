//! What is held back is handed over: before an event that names its descriptor, or that changes
//! what its path starts from.
use super::out::{Out, STATE_ONLY};
use super::pass::{Done, NoRoom, Sieve};
use super::record::Record;
use super::tables::State;

impl Sieve {
    /// Hands over what is held back of the descriptors that an event names.
    pub fn touch_all(
        &mut self,
        record: &Record,
        table: usize,
        room: &mut [u8],
        out: &mut Out,
    ) -> Done {
        if self.pending == 0 {
            return Ok(());
        }
        let mut bits = self.descriptors[record.code];
        if bits >> 31 != 0 {
            return self.flush_all(room, out);
        }
        // What it made is replaced, and so is what started from it.
        bits |= 1;
        while bits != 0 {
            let param = bits.trailing_zeros() as usize;
            bits &= bits - 1;
            if let Some(number) = record.descriptor(param) {
                self.settle_dependents(table, number, room, out)?;
                self.touch(table, number, room, out)?;
            }
        }
        Ok(())
    }

    /// Hands over the open of a descriptor, if it is held back, and before it that of the directory
    /// that its name starts from.
    pub fn touch(&mut self, table: usize, number: i32, room: &mut [u8], out: &mut Out) -> Done {
        let mut chain = [0; 8];
        let mut depth = 0;
        let mut next = number;
        while self.tables.all[table].state(next) == State::Pending && depth < chain.len() {
            chain[depth] = next;
            depth += 1;
            next = self.tables.all[table].slots[next as usize].directory;
        }
        if self.tables.all[table].state(next) == State::Pending {
            // Deeper than the list: from the innermost on.
            self.touch(table, next, room, out)?;
        }
        for at in (0..depth).rev() {
            self.release(table, chain[at], room, out)?;
        }
        Ok(())
    }

    pub fn release(&mut self, table: usize, number: i32, room: &mut [u8], out: &mut Out) -> Done {
        let slot = &mut self.tables.all[table].slots[number as usize];
        if slot.state != State::Pending {
            return Ok(());
        }
        let end = out.copy_at + slot.block.len();
        if end > out.copy_end || !out.has_room(1) {
            return Err(NoRoom);
        }
        let from = out.copy_at - out.copy_start;
        room[from..from + slot.block.len()].copy_from_slice(&slot.block);
        out.put(out.copy_at, STATE_ONLY);
        out.copy_at = end.next_multiple_of(4);
        self.drop_pending(table, number, State::File);
        Ok(())
    }

    pub fn drop_pending(&mut self, table: usize, number: i32, state: State) {
        let table = &mut self.tables.all[table];
        let slot = &mut table.slots[number as usize];
        slot.state = state;
        let directory = slot.directory;
        table.depend(directory, false);
        table.pending -= 1;
        self.pending -= 1;
    }

    /// Hands over the opens whose names start from a descriptor that is about to change.
    pub fn settle_dependents(
        &mut self,
        table: usize,
        number: i32,
        room: &mut [u8],
        out: &mut Out,
    ) -> Done {
        if number < 0 || !self.tables.all[table].has_dependents(number) {
            return Ok(());
        }
        for at in 0..self.tables.all[table].slots.len() {
            let slot = &self.tables.all[table].slots[at];
            if slot.state == State::Pending && slot.directory == number {
                self.touch(table, at as i32, room, out)?;
            }
        }
        Ok(())
    }

    /// Hands over all that is held back of a table.
    pub fn flush(&mut self, table: usize, room: &mut [u8], out: &mut Out) -> Done {
        if self.tables.all[table].pending == 0 {
            return Ok(());
        }
        for at in 0..self.tables.all[table].slots.len() {
            if self.tables.all[table].slots[at].state == State::Pending {
                self.touch(table, at as i32, room, out)?;
            }
        }
        Ok(())
    }

    pub fn flush_all(&mut self, room: &mut [u8], out: &mut Out) -> Done {
        if self.pending == 0 {
            return Ok(());
        }
        for table in 0..self.tables.all.len() {
            self.flush(table, room, out)?;
        }
        Ok(())
    }
}
