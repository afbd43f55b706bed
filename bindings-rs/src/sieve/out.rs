//! What goes to the engine: places of events in the buffer, in order, and how many events each
//! stands for; events that were held back are copied behind the buffer's blocks.

/// Words of an entry: offset, events passed over before it, flags.
pub const ENTRY: usize = 3;
/// The event keeps the tables right and matches no rule.
pub const STATE_ONLY: u32 = 1;

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

    /// The event at an offset; one that keeps the tables right is not counted.
    #[inline]
    pub fn put(&mut self, offset: usize, flags: u32) {
        let at = self.used * ENTRY;
        self.entries[at] = offset as u32;
        self.entries[at + 1] = 0;
        self.entries[at + 2] = flags;
        self.used += 1;
        if flags & STATE_ONLY == 0 {
            self.entries[at + 1] = self.passed;
            self.passed = 0;
        }
    }
}
