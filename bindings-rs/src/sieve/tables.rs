//! What the engine's tables hold and what is held back from them: for each table of descriptors,
//! the opens that the engine was not told of yet, and the walk over each directory's path.
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use probe::sieve::{Names, Walk};

/// Descriptors with a number from here on are never held back.
pub const SLOTS: usize = 1024;
/// Opens that are held back at once, at the most.
pub const PENDING_MAX: usize = 1 << 16;
/// Threads that are known at once; all are forgotten when there are more.
pub const THREADS_MAX: usize = 1 << 16;
/// Slots of all tables together, counted now and then.
pub const SLOTS_MAX: usize = 1 << 19;
/// Longest event that is held back.
pub const HELD_BYTES: usize = 2048;
/// Falco's fields show another text for longer paths.
pub const PATH_BYTES: usize = 1000;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum State {
    /// The engine may have any entry, or none.
    #[default]
    Unknown,
    /// The engine has no entry.
    Absent,
    /// The engine has the entry of a file or a directory.
    File,
    /// An open is held back; the entry that the engine may have is not what the process has.
    Pending,
}

/// A walk over a path, to go on below it.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub walk: Walk,
    pub length: usize,
}

#[derive(Default)]
pub struct Slot {
    pub state: State,
    /// Pending: the engine may have an older entry.
    pub under: bool,
    /// Of a file whose path is known.
    pub place: Option<Place>,
    /// Marks of the name, joined and raw; all where it is not known.
    pub marks: u64,
    /// Pending: the directory's descriptor that the name starts from; -1: none.
    pub directory: i32,
    /// Opens that are held back and whose name starts from this descriptor.
    dependents: u32,
    /// Pending: the block of the event, where its result is in it and where its flags are (0:
    /// nowhere).
    pub block: Vec<u8>,
    pub result_at: usize,
    pub flags_at: usize,
}

/// The descriptors of a process.
#[derive(Default)]
pub struct Table {
    pub owner: i64,
    pub tids: Vec<i64>,
    /// The working directory, with a slash at its end.
    pub cwd: Option<Place>,
    pub slots: Vec<Slot>,
    pub pending: usize,
    /// Those of them whose name starts from a directory's descriptor beyond the slots.
    dependents_beyond: usize,
}

impl Table {
    /// The slot of a number; `None` for those that are never held back.
    #[inline]
    pub fn slot(&mut self, number: i32) -> Option<&mut Slot> {
        let at = usize::try_from(number).ok().filter(|at| *at < SLOTS)?;
        if at >= self.slots.len() {
            self.slots.resize_with((at + 8).min(SLOTS), Slot::default);
        }
        Some(&mut self.slots[at])
    }

    #[inline]
    pub fn state(&self, number: i32) -> State {
        let at = usize::try_from(number).unwrap_or(SLOTS);
        self.slots.get(at).map_or(State::Unknown, |slot| slot.state)
    }

    /// Where names below a descriptor go on; `None` where that is not known.
    #[inline]
    pub fn place(&self, number: i32) -> Option<Place> {
        let slot = self.slots.get(usize::try_from(number).ok()?)?;
        matches!(slot.state, State::File | State::Pending).then_some(slot.place)?
    }

    /// Place and marks of a file that the engine has.
    pub fn file(&self, number: i32) -> Option<(Option<Place>, u64)> {
        let slot = self.slots.get(usize::try_from(number).ok()?)?;
        (slot.state == State::File).then_some((slot.place, slot.marks))
    }

    /// Whether an open that is held back starts from this directory's descriptor.
    #[inline]
    pub fn has_dependents(&self, number: i32) -> bool {
        match usize::try_from(number) {
            Ok(at) if at < SLOTS => self.slots.get(at).is_some_and(|slot| slot.dependents > 0),
            _ => self.dependents_beyond > 0,
        }
    }

    /// An open that is held back starts from a directory's descriptor now, or no longer.
    #[inline]
    pub fn depend(&mut self, directory: i32, begins: bool) {
        if directory < 0 {
            return;
        }
        let more = if begins { 1 } else { -1 };
        match self.slot(directory) {
            Some(slot) => slot.dependents = slot.dependents.wrapping_add_signed(more),
            None => {
                self.dependents_beyond = self.dependents_beyond.wrapping_add_signed(more as isize);
            }
        }
    }
}

/// A hash of whole numbers that are spread already.
#[derive(Default)]
pub struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_i64(i64::from(*byte));
        }
    }
    fn write_i64(&mut self, number: i64) {
        self.0 = (self.0.rotate_left(5) ^ number as u64).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

type Map<T> = HashMap<i64, T, BuildHasherDefault<Spread>>;

/// All tables, by the thread that owns them.
#[derive(Default)]
pub struct Tables {
    pub all: Vec<Table>,
    free: Vec<usize>,
    owners: Map<usize>,
    /// Each thread's table, and what may hold of it.
    threads: Map<(usize, u64)>,
    last: Option<(i64, usize, u64)>,
    learnt: usize,
    slots: usize,
}

impl Tables {
    /// The table of a thread, if it is known.
    #[inline]
    pub fn of(&mut self, tid: i64) -> Option<usize> {
        if let Some((last, table, _)) = self.last
            && last == tid
        {
            return Some(table);
        }
        let (table, facts) = *self.threads.get(&tid)?;
        self.last = Some((tid, table, facts));
        Some(table)
    }

    /// What may hold of the thread that `of` was asked for; everything, where it is not known.
    #[inline]
    pub fn facts_of(&self, tid: i64) -> u64 {
        self.last.filter(|(last, ..)| *last == tid).map_or(u64::MAX, |(.., facts)| facts)
    }

    /// Notes whose table a thread has; `cwd`: its working directory; `facts`: what may hold of it.
    pub fn learn(&mut self, tid: i64, owner: i64, cwd: Option<Place>, facts: u64) -> usize {
        let table = *self.owners.entry(owner).or_insert_with(|| {
            self.free.pop().unwrap_or_else(|| {
                self.all.push(Table::default());
                self.all.len() - 1
            })
        });
        self.all[table].owner = owner;
        self.all[table].cwd = cwd;
        self.all[table].tids.push(tid);
        self.threads.insert(tid, (table, facts));
        self.last = None;
        self.learnt += 1;
        if self.learnt.is_multiple_of(256) {
            self.slots = self.all.iter().map(|table| table.slots.len()).sum();
        }
        table
    }

    /// Forgets a table and its threads; nothing may be held back in it.
    pub fn forget(&mut self, table: usize) {
        self.last = None;
        let gone = &mut self.all[table];
        debug_assert_eq!(gone.pending, 0);
        for tid in std::mem::take(&mut gone.tids) {
            self.threads.remove(&tid);
        }
        self.owners.remove(&gone.owner);
        gone.slots.iter_mut().for_each(|slot| slot.state = State::Unknown);
        gone.cwd = None;
        self.free.push(table);
    }

    /// Whether it is known whose table a thread has.
    pub fn knows(&self, tid: i64) -> bool {
        self.threads.contains_key(&tid)
    }

    /// The table that a thread uses, and the one that it owns.
    pub fn all_of(&self, tid: i64) -> [Option<usize>; 2] {
        [self.threads.get(&tid).map(|(table, _)| *table), self.owners.get(&tid).copied()]
    }

    /// Forgets all that is known of a thread; nothing may be held back in its tables.
    pub fn forget_thread(&mut self, tid: i64) {
        if let Some((table, _)) = self.threads.get(&tid) {
            self.forget(*table);
        }
        if let Some(table) = self.owners.get(&tid) {
            self.forget(*table);
        }
    }

    /// What walks found, and what was told of threads, is of no use to other rules.
    pub fn forget_names(&mut self) {
        self.last = None;
        self.threads.values_mut().for_each(|(_, facts)| *facts = u64::MAX);
        for table in &mut self.all {
            table.cwd = None;
            for slot in &mut table.slots {
                slot.place = None;
                slot.marks = u64::MAX;
            }
        }
    }

    pub fn forget_all(&mut self) {
        *self = Tables::default();
    }

    /// More is known than there is room for.
    pub fn is_overfull(&self) -> bool {
        self.threads.len() >= THREADS_MAX || self.slots >= SLOTS_MAX
    }
}

/// The walk over a text; `None` where it is not what a field would show.
pub fn walk(names: &Names, from: Option<Place>, text: &[u8]) -> Option<Place> {
    let (mut walk, before) =
        from.map_or((Walk::begin(names), 0), |place| (place.walk, place.length));
    let mut whole = true;
    for byte in text {
        walk.byte(names, *byte);
        whole &= *byte != 0;
    }
    let length = before + text.len();
    (whole && length < PATH_BYTES).then_some(Place { walk, length })
}
