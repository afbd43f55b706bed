//! Alerts in the order in which they came, bounded by number and bytes: what waits for one client,
//! or for the first that comes. Where there is no room the least important give way.
use std::collections::VecDeque;

use bytes::Bytes;

/// Falco's priorities, 0 to 7.
pub const PRIORITIES: usize = 8;

#[derive(Clone)]
pub struct Entry {
    /// The encoded message, shared by all who wait for it.
    pub bytes: Bytes,
    pub priority: u8,
}

#[derive(Clone, Copy)]
pub struct Limits {
    pub entries: usize,
    pub bytes: usize,
}

/// What was dropped, by priority.
pub type Dropped = [u64; PRIORITIES];

#[derive(Default)]
pub struct Line {
    entries: VecDeque<Entry>,
    bytes: usize,
    by_priority: [usize; PRIORITIES],
}

impl Line {
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes the alert at the end, or drops it or others; whether none was dropped.
    pub fn offer(&mut self, entry: Entry, limits: Limits, dropped: &mut Dropped) -> bool {
        let mut all = true;
        while !self.has_room(&entry, limits) {
            all = false;
            let Some(victim) = self.less_important(entry.priority) else {
                dropped[place(entry.priority)] += 1;
                return false;
            };
            dropped[place(victim.priority)] += 1;
        }
        self.push(entry);
        all
    }

    pub fn take(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        self.count_out(&entry);
        Some(entry)
    }

    /// Counts all that waits as dropped.
    pub fn drop_all(&mut self, dropped: &mut Dropped) {
        while let Some(entry) = self.take() {
            dropped[place(entry.priority)] += 1;
        }
    }

    fn has_room(&self, entry: &Entry, limits: Limits) -> bool {
        // One that is larger than the bound is taken where nothing else waits.
        self.entries.is_empty()
            || (self.entries.len() < limits.entries
                && self.bytes + entry.bytes.len() <= limits.bytes)
    }

    fn push(&mut self, entry: Entry) {
        self.bytes += entry.bytes.len();
        self.by_priority[place(entry.priority)] += 1;
        self.entries.push_back(entry);
    }

    /// Takes out the latest of the least important alerts, if they are less so than the given one.
    fn less_important(&mut self, priority: u8) -> Option<Entry> {
        let least = self.by_priority.iter().rposition(|&count| count > 0)?;
        if least <= place(priority) {
            return None;
        }
        let at = self.entries.iter().rposition(|entry| place(entry.priority) == least)?;
        let entry = self.entries.remove(at)?;
        self.count_out(&entry);
        Some(entry)
    }

    fn count_out(&mut self, entry: &Entry) {
        self.bytes -= entry.bytes.len();
        self.by_priority[place(entry.priority)] -= 1;
    }
}

fn place(priority: u8) -> usize {
    usize::from(priority).min(PRIORITIES - 1)
}
