//! Events that only keep descriptors right: which of them the engine has to see, and what is noted
//! of the others.
use probe::sieve::effect;
use probe::sieve::guard::ALL_MARKS;
use probe::table as t;

use super::directory::{Directory, join};
use super::judge::{Fate, Start};
use super::out::Out;
use super::pass::{Done, NoRoom, Sieve};
use super::record::{F_DUPFD, F_DUPFD_CLOEXEC, Record, word};
use super::tables::{HELD_BYTES, PENDING_MAX, SLOTS, Slot, State};

const O_DIRECTORY: u32 = 1 << 10;
pub const O_CLOEXEC: u32 = 1 << 12;
/// What the engine clears besides when a descriptor's flag is set anew.
const CLOEXEC_BITS: u32 = O_CLOEXEC | 1;
pub const F_SETFD: u8 = 3;

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
        let raw = record.text(usize::from(text.param));
        let start = self.start(record, table, text);
        let (admitted, marks) = match self.numbers_say(record, table) {
            Fate::Decided(wanted) => (wanted, None),
            Fate::Asked(left) => self.names_say(&left, record, table, Some(&start)),
        };
        let wanted = forced || admitted;
        let result = match opened {
            None if !wanted && !self.asked.all => {
                self.pass_over(record, out);
                return Ok(());
            }
            None => {
                self.touch_all(record, table, room, out)?;
                return self.hand_over(record, at, effect::OPEN, wanted, room, out);
            }
            Some(result) => result as i32,
        };
        let marks = match marks {
            _ if !self.asked.descriptors => ALL_MARKS,
            Some(marks) => marks,
            None => self.marks(&start, raw),
        };
        // Told by its whole path once it is handed over, or by its own words.
        let is_anchored = matches!(&start, Start::Known(directory) if directory.anchors(raw));
        let (directory, from_cwd) = match &start {
            Start::Whole => (-1, false),
            _ if is_anchored && !self.asked.raw => (-1, false),
            Start::Known(_) | Start::Unknown => {
                let number = record.descriptor(usize::from(text.directory)).unwrap_or(-1).max(-1);
                (number, number < 0)
            }
        };
        let holdable = !wanted && directory != result && self.holds(result, record.block.len());
        if !holdable {
            self.touch_all(record, table, room, out)?;
            self.make_way(record, wanted, room, out)?;
            let flags_at = flags_at(record);
            let path = if flags_at != 0 && word(record.block, flags_at) & O_DIRECTORY != 0 {
                self.opened_path(&start, raw)
            } else {
                None
            };
            self.tables.all[table].note(result, State::File, marks, path);
            return self.hand_over(record, at, effect::OPEN, wanted, room, out);
        }
        self.settle_dependents(table, result, room, out)?;
        let Some(slot) = self.begin_held(table, result, State::Pending) else {
            return Err(NoRoom);
        };
        slot.block.extend_from_slice(record.block);
        slot.marks = marks;
        if is_anchored && let Start::Known(directory) = start {
            slot.base = Some(directory);
        }
        (slot.directory, slot.from_cwd) = (directory, from_cwd);
        (slot.result_at, slot.flags_at) = (record.start(0) as u16, flags_at(record) as u16);
        if directory >= 0 {
            self.tables.all[table].depend(directory, true);
        }
        self.pass_over(record, out);
        Ok(())
    }

    /// Whether what makes this descriptor may be held back.
    #[inline]
    pub fn holds(&self, number: i32, bytes: usize) -> bool {
        !self.asked.all
            && usize::try_from(number).is_ok_and(|number| number < SLOTS)
            && bytes <= HELD_BYTES
            && self.pending < PENDING_MAX
    }

    /// The path of a directory that the engine is told of.
    fn opened_path(&mut self, start: &Start, raw: &[u8]) -> Option<std::rc::Rc<Directory>> {
        match start {
            Start::Whole => join(b"", raw, &mut self.joined),
            Start::Known(directory) if directory.anchors(raw) => {
                join(&directory.text, raw, &mut self.joined);
            }
            _ => return None,
        }
        Directory::new(&self.joined, &self.tables.taken)
    }

    /// The slot of something that is held back from now on, in place of what was; its block is
    /// empty, all else is as of one that depends on nothing.
    #[inline]
    pub fn begin_held(&mut self, table: usize, number: i32, state: State) -> Option<&mut Slot> {
        let table = &mut self.tables.all[table];
        let at = table.place(number)?;
        let slot = &mut table.slots[at];
        let was_held = slot.state.is_held();
        let before = if slot.state == State::Pending { slot.directory } else { -1 };
        slot.under = slot.state.may_be_there() || was_held && slot.under;
        slot.state = state;
        slot.block.clear();
        slot.marks = ALL_MARKS;
        (slot.path, slot.base) = (None, None);
        (slot.directory, slot.from_cwd) = (-1, false);
        (slot.result_at, slot.flags_at) = (0, 0);
        if before >= 0 {
            table.depend(before, false);
        }
        self.pending += usize::from(!was_held);
        table.pending += usize::from(!was_held);
        Some(&mut table.slots[at])
    }

    /// A close that no rule wants; whether the engine has to see it.
    pub fn close(
        &mut self,
        record: &Record,
        table: usize,
        room: &mut [u8],
        out: &mut Out,
    ) -> Result<bool, NoRoom> {
        if self.asked.all {
            return Ok(true);
        }
        if record.result().is_some_and(|result| result < 0) {
            return Ok(false);
        }
        let Some(number) = self.used(record) else { return Ok(true) };
        self.settle_dependents(table, number, room, out)?;
        Ok(self.close_alone(table, number, record.block))
    }

    /// A close of what nothing depends on; whether the engine has to see it.
    #[inline]
    pub fn close_alone(&mut self, table: usize, number: i32, block: &[u8]) -> bool {
        let known = &mut self.tables.all[table];
        let slot = usize::try_from(number).ok().and_then(|at| known.slots.get_mut(at));
        let was_held = match slot {
            Some(Slot { state: State::Absent | State::Closed, .. }) => return false,
            Some(slot) if slot.state.is_held() && !slot.under => {
                let directory = slot.directory;
                slot.let_go(State::Absent);
                known.no_longer_held(directory);
                self.pending -= 1;
                return false;
            }
            Some(slot) => slot.state.is_held(),
            None => false,
        };
        if !self.holds(number, block.len()) && !was_held {
            return true;
        }
        // What the engine has there goes, once somebody could look at it.
        let Some(slot) = self.begin_held(table, number, State::Closed) else { return true };
        slot.block.extend_from_slice(block);
        false
    }

    pub fn fcntl(
        &mut self,
        record: &Record,
        table: usize,
        room: &mut [u8],
        out: &mut Out,
    ) -> Result<bool, NoRoom> {
        if self.asked.all {
            return Ok(true);
        }
        let command = record.command();
        let Some(result) = record.result().filter(|result| *result >= 0) else { return Ok(false) };
        if !matches!(command, F_DUPFD | F_SETFD | F_DUPFD_CLOEXEC) {
            return Ok(false);
        }
        let Some(number) = self.used(record) else { return Ok(true) };
        if command != F_SETFD {
            let cloexec = command == F_DUPFD_CLOEXEC;
            return self.copy(record, table, (number, result as i32), cloexec, room, out);
        }
        let set = record.length(3) > 0 && record.block[record.start(3)] & 1 != 0;
        match self.tables.all[table].state(number) {
            State::Absent | State::Closed => Ok(false),
            State::Socket => {
                self.touch(table, number, room, out)?;
                Ok(true)
            }
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
        if self.asked.all {
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
        self.copy(record, table, (number, result as i32), cloexec, room, out)
    }

    /// A descriptor is copied to another number; whether the engine has to do it.
    pub fn copy(
        &mut self,
        record: &Record,
        table: usize,
        (from, to): (i32, i32),
        cloexec: bool,
        room: &mut [u8],
        out: &mut Out,
    ) -> Result<bool, NoRoom> {
        let state = self.tables.all[table].state(from);
        if matches!(state, State::Absent | State::Closed) {
            return Ok(false);
        }
        if state == State::File && from != to && self.holds(to, record.block.len()) {
            return self.copy_later(record, table, (from, to), room, out);
        }
        let held = self.copies_held(table, (from, to));
        self.settle_dependents(table, to, room, out)?;
        // Settling may have handed over what is copied.
        if !held || self.tables.all[table].state(from) != State::Pending {
            self.touch(table, from, room, out)?;
            self.touch(table, to, room, out)?;
            return Ok(true);
        }
        self.copy_held(table, (from, to), cloexec)?;
        Ok(false)
    }

    /// Whether the copy of an open that is held back is one too.
    #[inline]
    pub fn copies_held(&self, table: usize, (from, to): (i32, i32)) -> bool {
        from != to
            && self.tables.all[table].state(from) == State::Pending
            && self.holds(to, 0)
            && self.tables.all[table].slots[from as usize].flags_at != 0
    }

    /// Makes it so; nothing depends on what was there.
    pub fn copy_held(&mut self, table: usize, (from, to): (i32, i32), cloexec: bool) -> Done {
        if self.begin_held(table, to, State::Pending).is_none() {
            return Err(NoRoom);
        }
        let known = &mut self.tables.all[table];
        let [source, target] =
            known.slots.get_disjoint_mut([from as usize, to as usize]).map_err(|_| NoRoom)?;
        target.marks = source.marks;
        target.path.clone_from(&source.path);
        target.base.clone_from(&source.base);
        (target.directory, target.from_cwd) = (source.directory, source.from_cwd);
        (target.result_at, target.flags_at) = (source.result_at, source.flags_at);
        target.block.extend_from_slice(&source.block);
        let result_at = usize::from(target.result_at);
        target.block[result_at..result_at + 8].copy_from_slice(&i64::from(to).to_le_bytes());
        set_cloexec(target, cloexec);
        let directory = target.directory;
        known.depend(directory, true);
        Ok(())
    }
}

impl Sieve {
    /// A copy of what the engine has: told before anything else becomes of either descriptor. Its
    /// flags are in no event, so that it has no place for them.
    fn copy_later(
        &mut self,
        record: &Record,
        table: usize,
        (from, to): (i32, i32),
        room: &mut [u8],
        out: &mut Out,
    ) -> Result<bool, NoRoom> {
        self.settle_dependents(table, to, room, out)?;
        let source = &self.tables.all[table].slots[from as usize];
        let (marks, path) = (source.marks, source.path.clone());
        let Some(target) = self.begin_held(table, to, State::Pending) else { return Err(NoRoom) };
        (target.marks, target.path, target.directory) = (marks, path, from);
        target.block.extend_from_slice(record.block);
        self.tables.all[table].depend(from, true);
        Ok(false)
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

/// Sets the flag as the engine would; false where the event has no flags.
#[inline]
pub fn set_cloexec(slot: &mut Slot, set: bool) -> bool {
    if slot.flags_at == 0 {
        return false;
    }
    let at = usize::from(slot.flags_at);
    let flags = word(&slot.block, at) & !CLOEXEC_BITS | if set { O_CLOEXEC } else { 0 };
    slot.block[at..at + 4].copy_from_slice(&flags.to_le_bytes());
    true
}
