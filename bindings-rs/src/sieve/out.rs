//! What goes to the engine: places of events in the buffer, in order, and how many events each
//! stands for; events that were held back are copied behind the buffer's blocks.
use super::record::word;

/// Words of an entry: offset, events passed over before it, flags.
pub const ENTRY: usize = 3;
/// The event keeps the tables right and matches no rule.
pub const STATE_ONLY: u32 = 1;
/// Of the event only its time matters: when a thread was gone that ended just before.
pub const TIME_ONLY: u32 = 2;

/// Nothing had room: the event is looked at again.
pub struct NoRoom;
pub type Done = Result<(), NoRoom>;

pub struct Out<'a> {
    pub entries: &'a mut [u32],
    pub used: usize,
    /// Events passed over since the last entry.
    pub passed: u32,
    /// Where copies begin in the buffer, where the next one goes, and where they end.
    pub copy_start: usize,
    pub copy_at: usize,
    pub copy_end: usize,
}

impl Out<'_> {
    /// Whether an entry and `more` of others have room.
    #[inline]
    pub fn has_room(&self, more: usize) -> bool {
        (self.used + 1 + more) * ENTRY <= self.entries.len()
    }

    /// The event at an offset; only one that is judged is counted.
    #[inline]
    pub fn put(&mut self, offset: usize, flags: u32) {
        let at = self.used * ENTRY;
        self.entries[at] = offset as u32;
        self.entries[at + 1] = 0;
        self.entries[at + 2] = flags;
        self.used += 1;
        if flags == 0 {
            self.entries[at + 1] = self.passed;
            self.passed = 0;
        }
    }

    /// Blocks that were held back, all of them or none.
    pub fn copy(&mut self, told: &[u8], room: &mut [u8]) -> Done {
        let end = self.copy_at + told.len();
        if end > self.copy_end || !self.has_room(blocks(told).count()) {
            return Err(NoRoom);
        }
        let from = self.copy_at - self.copy_start;
        room[from..from + told.len()].copy_from_slice(told);
        for at in blocks(told) {
            self.put(self.copy_at + at, STATE_ONLY);
        }
        self.copy_at = end.next_multiple_of(4);
        Ok(())
    }
}

/// Where the blocks begin that lie one after the other.
pub fn blocks(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let at = next;
        (at + 12 <= bytes.len()).then(|| {
            next += (word(bytes, at + 4) as usize).max(12);
            at
        })
    })
}
