//! What is held back is handed over: before an event that names its descriptor, or that changes
//! what its path starts from.
use super::directory::join;
use super::out::Out;
use super::pass::{Done, Sieve};
use super::record::{Record, half};
use super::tables::{Slot, State};

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

    /// Hands over what is held back of a descriptor, and before it the open of the directory that
    /// its name starts from.
    pub fn touch(&mut self, table: usize, number: i32, room: &mut [u8], out: &mut Out) -> Done {
        let mut chain = [0; 8];
        let mut depth = 0;
        let mut next = number;
        while self.tables.all[table].state(next).is_held() && depth < chain.len() {
            chain[depth] = next;
            depth += 1;
            next = self.tables.all[table].slots[next as usize].directory;
        }
        if self.tables.all[table].state(next).is_held() {
            // Deeper than the list: from the innermost on.
            self.touch(table, next, room, out)?;
        }
        for at in (0..depth).rev() {
            self.release(table, chain[at], room, out)?;
        }
        Ok(())
    }

    fn release(&mut self, table: usize, number: i32, room: &mut [u8], out: &mut Out) -> Done {
        let state = self.tables.all[table].state(number);
        if !state.is_held() {
            return Ok(());
        }
        let path = self.path(table, number);
        self.told.clear();
        if !self.put_whole(table, number) {
            self.told.extend_from_slice(&self.tables.all[table].slots[number as usize].block);
        }
        let owner = self.tables.all[table].owner;
        if self.lives.takes(owner, self.told.len()) {
            // The engine is to be told of the process first.
            self.lives.append(owner, &self.told);
        } else {
            self.reveal(owner, room, out)?;
            out.copy(&self.told, room)?;
        }
        let after = match state {
            State::Pending => State::File,
            State::Closed => State::Absent,
            _ => State::Unknown,
        };
        self.drop_held(table, number, after);
        self.tables.all[table].slots[number as usize].path = path;
        Ok(())
    }

    /// Puts into `told` the open of a slot with the whole path of what it opened, where nothing
    /// else tells the engine what its name started from; whether it does.
    fn put_whole(&mut self, table: usize, number: i32) -> bool {
        let Sieve { tables, counts, guards, joined, told, .. } = self;
        let slot = &tables.all[table].slots[number as usize];
        let Some(base) = &slot.base else { return false };
        if slot.directory >= 0 || slot.from_cwd {
            return false;
        }
        let Some(record) = Record::read(&slot.block, counts) else { return false };
        let param = usize::from(guards[record.code].texts[0].param);
        join(&base.text, record.text(param), joined);
        joined.push(0);
        let (start, length) = (record.start(param), record.length(param));
        let (event, end) = record.bounds();
        told.extend_from_slice(&slot.block[..start]);
        told.extend_from_slice(joined);
        told.extend_from_slice(&slot.block[start + length..end]);
        let event_length = (told.len() - event) as u32;
        told[event + 16..event + 20].copy_from_slice(&event_length.to_le_bytes());
        let at = event + Record::HEADER + 2 * param;
        told[at..at + 2].copy_from_slice(&(joined.len() as u16).to_le_bytes());
        told.resize(told.len().next_multiple_of(4), 0);
        let total = (told.len() + 4) as u32;
        told.extend_from_slice(&total.to_le_bytes());
        told[4..8].copy_from_slice(&total.to_le_bytes());
        debug_assert_eq!(half(told, at), joined.len());
        true
    }

    /// What is held back of a descriptor is so no longer.
    #[inline]
    pub fn drop_held(&mut self, table: usize, number: i32, state: State) {
        let table = &mut self.tables.all[table];
        let slot = &mut table.slots[number as usize];
        let directory = slot.directory;
        slot.let_go(state);
        table.no_longer_held(directory);
        self.pending -= 1;
    }

    /// Hands over the opens whose names start from a descriptor that is about to change.
    #[inline]
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
        self.flush_of(table, |slot| slot.directory == number, room, out)
    }

    /// Hands over all that is held back of a table.
    pub fn flush(&mut self, table: usize, room: &mut [u8], out: &mut Out) -> Done {
        if self.tables.all[table].pending == 0 {
            return Ok(());
        }
        self.flush_of(table, |_| true, room, out)
    }

    /// Hands over what is held back in the slots of a table that `is_due` holds of.
    pub fn flush_of(
        &mut self,
        table: usize,
        is_due: impl Fn(&Slot) -> bool,
        room: &mut [u8],
        out: &mut Out,
    ) -> Done {
        let mut next = 0;
        while let Some(at) = self.tables.all[table].next_used(next) {
            next = at + 1;
            let slot = &self.tables.all[table].slots[at];
            if slot.state.is_held() && is_due(slot) {
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
