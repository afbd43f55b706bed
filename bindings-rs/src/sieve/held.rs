//! Events that only keep descriptors right: which of them the engine has to see, and what is noted
//! of the others.
use probe::sieve::guard::{ALL_MARKS, Text, text};
use probe::table as t;

use super::effect;
use super::judge::Walked;
use super::out::{Out, STATE_ONLY};
use super::pass::{Done, NoRoom, Sieve};
use super::record::{F_DUPFD, F_DUPFD_CLOEXEC, Record, word};
use super::tables::{HELD_BYTES, PENDING_MAX, SLOTS, Slot, State, walk};

const O_DIRECTORY: u32 = 1 << 10;
const O_CLOEXEC: u32 = 1 << 12;
/// What the engine clears besides when a descriptor's flag is set anew.
const CLOEXEC_BITS: u32 = O_CLOEXEC | 1;
const F_SETFD: u8 = 3;

impl Sieve {
    pub fn open(
        &mut self,
        record: &Record,
        at: usize,
        table: usize,
        forced: bool,
        room: &mut [u8],
        out: &mut Out,
    ) -> Done {
        let opened = record.result().filter(|result| *result >= 0);
        let text = self.guards[record.code].texts[0];
        let flags_at = flags_at(record);
        let flags = if flags_at == 0 { 0 } else { word(record.block, flags_at) };
        let (admitted, walked) = self.judged(record, table);
        let wanted = forced || admitted;
        let result = match opened {
            None if !wanted && !self.keeps_descriptors => {
                self.pass_over(record, out);
                return Ok(());
            }
            None => {
                self.touch_all(record, table, room, out)?;
                return self.hand_over(record, at, effect::OPEN, out);
            }
            Some(result) => result as i32,
        };
        let asks = wanted || self.asks_descriptors || flags & O_DIRECTORY != 0;
        let place = match walked {
            Walked::To(place) => place,
            Walked::Not if asks => self.joined(record, table, text),
            Walked::Not => None,
        };
        let marks = if self.asks_descriptors {
            self.marks(place, record.text(usize::from(text.param)))
        } else {
            ALL_MARKS
        };
        // What later names go on from is a path as fields show it; below the root, from nothing on.
        let place = if record.text(usize::from(text.param)) == b"/" {
            walk(&self.names, None, b"")
        } else {
            place.filter(|place| place.walk.end(&self.names) != ALL_MARKS)
        };
        let directory = directory_of(record, text);
        let holdable = !wanted
            && directory != result
            && !self.keeps_descriptors
            && usize::try_from(result).is_ok_and(|number| number < SLOTS)
            && record.block.len() <= HELD_BYTES
            && self.pending < PENDING_MAX;
        if !holdable {
            self.touch_all(record, table, room, out)?;
            if let Some(slot) = self.tables.all[table].slot(result) {
                (slot.state, slot.place, slot.marks) = (State::File, place, marks);
            }
            return self.hand_over(record, at, effect::OPEN, out);
        }
        self.settle_dependents(table, result, room, out)?;
        let Some(slot) = self.tables.all[table].slot(result) else { return Err(NoRoom) };
        let was_pending = slot.state == State::Pending;
        let before = if was_pending { slot.directory } else { -1 };
        slot.under = match slot.state {
            State::Pending => slot.under,
            State::Absent => false,
            State::Unknown | State::File => true,
        };
        slot.state = State::Pending;
        slot.block.clear();
        slot.block.extend_from_slice(record.block);
        (slot.place, slot.marks, slot.directory) = (place, marks, directory);
        (slot.result_at, slot.flags_at) = (record.start(0), flags_at);
        self.note_pending(table, was_pending, before, directory);
        self.pass_over(record, out);
        Ok(())
    }

    /// A close that no rule wants; whether the engine has to see it.
    pub fn close(
        &mut self,
        record: &Record,
        at: usize,
        table: usize,
        room: &mut [u8],
        out: &mut Out,
    ) -> Result<bool, NoRoom> {
        if record.result().is_some_and(|result| result < 0) {
            return Ok(self.keeps_descriptors);
        }
        let Some(number) = self.used(record) else { return Ok(true) };
        self.settle_dependents(table, number, room, out)?;
        match self.tables.all[table].state(number) {
            State::Absent => Ok(false),
            State::Unknown | State::File => Ok(true),
            State::Pending => {
                let under = self.tables.all[table].slots[number as usize].under;
                if under {
                    if !out.has_room(0) {
                        return Err(NoRoom);
                    }
                    // What the engine has there is older: it goes, and no rule looks at it.
                    out.put(at, STATE_ONLY);
                }
                self.drop_pending(table, number, State::Absent);
                // The event itself counts as passed over.
                Ok(false)
            }
        }
    }

    pub fn fcntl(
        &mut self,
        record: &Record,
        table: usize,
        room: &mut [u8],
        out: &mut Out,
    ) -> Result<bool, NoRoom> {
        if self.keeps_descriptors {
            return Ok(true);
        }
        let command = record.command();
        let Some(result) = record.result().filter(|result| *result >= 0) else { return Ok(false) };
        if !matches!(command, F_DUPFD | F_SETFD | F_DUPFD_CLOEXEC) {
            return Ok(false);
        }
        let Some(number) = self.used(record) else { return Ok(true) };
        if command != F_SETFD {
            return self.copy(table, number, result as i32, command == F_DUPFD_CLOEXEC, room, out);
        }
        let set = record.length(3) > 0 && record.block[record.start(3)] & 1 != 0;
        match self.tables.all[table].state(number) {
            State::Absent => Ok(false),
            State::Pending => {
                if set_cloexec(&mut self.tables.all[table].slots[number as usize], set) {
                    return Ok(false);
                }
                self.touch(table, number, room, out)?;
                Ok(true)
            }
            State::Unknown | State::File => Ok(true),
        }
    }

    pub fn dup(
        &mut self,
        record: &Record,
        table: usize,
        room: &mut [u8],
        out: &mut Out,
    ) -> Result<bool, NoRoom> {
        if self.keeps_descriptors {
            return Ok(true);
        }
        let Some(result) = record.result().filter(|result| *result >= 0) else { return Ok(false) };
        let Some(number) = self.used(record) else { return Ok(true) };
        let is_dup3 = record.code == usize::from(t::SYSCALL_DUP3_X);
        let cloexec = is_dup3
            && record.length(3) >= 4
            && word(record.block, record.start(3)) & O_CLOEXEC != 0;
        if is_dup3 && record.length(3) > 0 && record.length(3) < 4 {
            self.touch(table, number, room, out)?;
            self.touch(table, result as i32, room, out)?;
            return Ok(true);
        }
        self.copy(table, number, result as i32, cloexec, room, out)
    }

    /// A descriptor is copied to another number; whether the engine has to do it.
    pub fn copy(
        &mut self,
        table: usize,
        from: i32,
        to: i32,
        cloexec: bool,
        room: &mut [u8],
        out: &mut Out,
    ) -> Result<bool, NoRoom> {
        let state = self.tables.all[table].state(from);
        if state == State::Absent {
            return Ok(false);
        }
        let held = state == State::Pending
            && from != to
            && usize::try_from(to).is_ok_and(|number| number < SLOTS)
            && self.pending < PENDING_MAX
            && self.tables.all[table].slots[from as usize].flags_at != 0;
        if !held {
            self.touch(table, from, room, out)?;
            self.settle_dependents(table, to, room, out)?;
            self.touch(table, to, room, out)?;
            return Ok(true);
        }
        self.settle_dependents(table, to, room, out)?;
        // Settling may have handed over what is copied.
        if self.tables.all[table].state(from) != State::Pending {
            self.touch(table, to, room, out)?;
            return Ok(true);
        }
        let slots = &mut self.tables.all[table];
        slots.slot(to);
        let (one, other) = (from as usize, to as usize);
        let [source, target] = slots.slots.get_disjoint_mut([one, other]).map_err(|_| NoRoom)?;
        let was_pending = target.state == State::Pending;
        let before = if was_pending { target.directory } else { -1 };
        target.under = match target.state {
            State::Pending => target.under,
            State::Absent => false,
            State::Unknown | State::File => true,
        };
        target.state = State::Pending;
        target.block.clear();
        target.block.extend_from_slice(&source.block);
        (target.place, target.marks) = (source.place, source.marks);
        (target.directory, target.result_at) = (source.directory, source.result_at);
        target.flags_at = source.flags_at;
        let result_at = target.result_at;
        target.block[result_at..result_at + 8].copy_from_slice(&i64::from(to).to_le_bytes());
        let directory = target.directory;
        set_cloexec(target, cloexec);
        self.note_pending(table, was_pending, before, directory);
        Ok(false)
    }

    /// A slot is pending now; `before`: the directory of what was pending in it, -1: none.
    fn note_pending(&mut self, table: usize, was: bool, before: i32, directory: i32) {
        let table = &mut self.tables.all[table];
        table.depend(before, false);
        table.depend(directory, true);
        self.pending += usize::from(!was);
        table.pending += usize::from(!was);
    }
}

/// Where an open's flags are in its block; 0 where it has none of four bytes.
fn flags_at(record: &Record) -> usize {
    let param = match record.code as u16 {
        t::SYSCALL_OPEN_X => 2,
        t::SYSCALL_OPENAT_2_X | t::SYSCALL_OPENAT2_X => 3,
        _ => return 0,
    };
    if record.length(param) == 4 { record.start(param) } else { 0 }
}

/// The directory's descriptor that a name starts from; -1 where it starts from none.
fn directory_of(record: &Record, text: Text) -> i32 {
    if text.directory == text::CWD || record.text(usize::from(text.param)).first() == Some(&b'/') {
        return -1;
    }
    record.descriptor(usize::from(text.directory)).unwrap_or(-1).max(-1)
}

/// Sets the flag as the engine would; false where the event has no flags.
fn set_cloexec(slot: &mut Slot, set: bool) -> bool {
    if slot.flags_at == 0 {
        return false;
    }
    let flags = word(&slot.block, slot.flags_at) & !CLOEXEC_BITS | if set { O_CLOEXEC } else { 0 };
    slot.block[slot.flags_at..slot.flags_at + 4].copy_from_slice(&flags.to_le_bytes());
    true
}
