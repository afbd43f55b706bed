//! What the engine's tables hold and what is held back from them: for each table of descriptors,
//! the opens that the engine was not told of yet, and the walk over each directory's path.
use std::rc::Rc;

use super::callers::Failures;
use super::directory::{Directory, Taken};
use super::life::Program;
use super::map::Map;
use super::out::blocks;
use super::record::set_tid;
pub use super::state::State;

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

#[derive(Default)]
pub struct Slot {
    pub state: State,
    /// Held back: the engine may have an older entry.
    pub under: bool,
    /// Marks of the name, joined and raw; all where it is not known.
    pub marks: u64,
    /// Of a directory whose path is known; made when it is first asked for.
    pub path: Option<Rc<Directory>>,
    /// Pending: the directory that the name starts from, where its path is known.
    pub base: Option<Rc<Directory>>,
    /// Pending: the directory's descriptor that the name starts from, where it has to be asked for
    /// what it is when the open is handed over; -1: none.
    pub directory: i32,
    /// Pending: the name starts from the working directory as it is then.
    pub from_cwd: bool,
    /// Opens that are held back and whose name starts from this descriptor.
    dependents: u32,
    /// What is held back, as blocks; of an open where its result is in it and where its flags are
    /// (0: nowhere).
    pub block: Vec<u8>,
    pub result_at: u16,
    pub flags_at: u16,
}

// A line of the processor's cache: most of what a replay looks at is slots.
const _: () = assert!(size_of::<Slot>() <= 64);
const _: () = assert!(HELD_BYTES <= u16::MAX as usize);

/// Room that a slot keeps for what comes next.
const SPARE_BYTES: usize = 512;

impl Slot {
    /// What was held back is so no longer.
    pub fn let_go(&mut self, state: State) {
        self.state = state;
        self.base = None;
        if self.block.capacity() > SPARE_BYTES {
            self.block = Vec::new();
        }
    }
}

/// The descriptors of a process.
#[derive(Default)]
pub struct Table {
    pub owner: i64,
    pub tids: Vec<i64>,
    pub cwd: Option<Rc<Directory>>,
    pub slots: Vec<Slot>,
    /// A bit for each slot of which anything is known.
    used: [u64; SLOTS / 64],
    pub pending: usize,
    /// No other thread has these descriptors.
    pub is_alone: bool,
    /// Its process has the same id in its own pid namespace.
    pub is_outside: bool,
    /// The engine made its process by the process's own event.
    pub by_itself: bool,
    /// What its children run, and what holds of them; of those of which it was asked.
    pub born: Option<Program>,
    pub born_failures: Option<Failures>,
    /// For which parts of rules executions may be that its process makes in vain.
    pub failures: Option<Failures>,
    /// Those of them whose name starts from a directory's descriptor beyond the slots.
    dependents_beyond: usize,
}

impl Table {
    /// Where the slot of a number is, made where it is not there; `None` for those that are never
    /// held back.
    #[inline]
    pub fn place(&mut self, number: i32) -> Option<usize> {
        let at = usize::try_from(number).ok().filter(|at| *at < SLOTS)?;
        if at >= self.slots.len() {
            self.slots.resize_with((at + 8).min(SLOTS), Slot::default);
        }
        self.used[at / 64] |= 1 << (at % 64);
        Some(at)
    }

    #[inline]
    pub fn slot(&mut self, number: i32) -> Option<&mut Slot> {
        let at = self.place(number)?;
        Some(&mut self.slots[at])
    }

    /// What was held back, and depended on this directory's descriptor, is so no longer.
    #[inline]
    pub fn no_longer_held(&mut self, directory: i32) {
        self.depend(directory, false);
        self.pending -= 1;
    }

    /// The first slot from `at` on of which anything is known.
    #[inline]
    pub fn next_used(&self, at: usize) -> Option<usize> {
        let mut word = at / 64;
        let mut bits = self.used.get(word)? & u64::MAX << (at % 64);
        while bits == 0 {
            word += 1;
            bits = *self.used.get(word)?;
        }
        Some(word * 64 + bits.trailing_zeros() as usize)
    }

    #[inline]
    pub fn state(&self, number: i32) -> State {
        let at = usize::try_from(number).unwrap_or(SLOTS);
        self.slots.get(at).map_or(State::Unknown, |slot| slot.state)
    }

    /// Notes a descriptor that the engine has, or that nothing is known of.
    #[inline]
    pub fn note(&mut self, number: i32, state: State, marks: u64, path: Option<Rc<Directory>>) {
        if let Some(slot) = self.slot(number) {
            (slot.state, slot.marks, slot.path) = (state, marks, path);
        }
    }

    /// Path and marks of a file that the engine has.
    pub fn file(&self, number: i32) -> Option<(Option<Rc<Directory>>, u64)> {
        let slot = self.slots.get(usize::try_from(number).ok()?)?;
        (slot.state == State::File).then(|| (slot.path.clone(), slot.marks))
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
    /// What paths of directories take.
    pub taken: Taken,
}

/// What the engine says of a thread.
pub struct Answer {
    pub tid: i64,
    /// Whose descriptors it has.
    pub owner: i64,
    pub cwd: Option<Rc<Directory>>,
    /// What may hold of it.
    pub facts: u64,
    /// No other thread has these descriptors.
    pub is_alone: bool,
    /// Its process has the same id in its own pid namespace.
    pub is_outside: bool,
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

    /// The same of a process of one thread, the only one that has its descriptors.
    pub fn facts_of_plain(&self, tid: i64) -> u64 {
        let known = self.threads.get(&tid).filter(|(table, _)| {
            let known = &self.all[*table];
            known.owner == tid && known.is_alone
        });
        known.map_or(u64::MAX, |(_, facts)| *facts)
    }

    /// Notes whose table a thread has.
    pub fn learn(&mut self, answer: Answer) -> usize {
        let Answer { tid, owner, cwd, facts, is_alone, is_outside } = answer;
        let table = *self.owners.entry(owner).or_insert_with(|| {
            self.free.pop().unwrap_or_else(|| {
                self.all.push(Table::default());
                self.all.len() - 1
            })
        });
        let known = &mut self.all[table];
        (known.owner, known.cwd, known.born) = (owner, cwd, None);
        (known.born_failures, known.failures) = (None, None);
        (known.is_alone, known.is_outside) = (is_alone, is_outside);
        if self.threads.insert(tid, (table, facts)).is_none_or(|(before, _)| before != table) {
            known.tids.push(tid);
        }
        self.last = None;
        self.learnt += 1;
        if self.learnt.is_multiple_of(256) {
            self.slots = self.all.iter().map(|table| table.slots.len()).sum();
        }
        table
    }

    /// Gives a new process, whose table is empty, the descriptors of the one that made it, what is
    /// held back of them too; returns how many that are.
    pub fn inherit(&mut self, from: usize, to: usize, tid: i64) -> usize {
        let Ok([from, to]) = self.all.get_disjoint_mut([from, to]) else { return 0 };
        if to.slots.len() < from.slots.len() {
            to.slots.resize_with(from.slots.len(), Slot::default);
        }
        to.used = from.used;
        let mut next = 0;
        while let Some(at) = from.next_used(next) {
            next = at + 1;
            let (to, from) = (&mut to.slots[at], &from.slots[at]);
            (to.state, to.under, to.marks) = (from.state, from.under, from.marks);
            (to.directory, to.from_cwd) = (from.directory, from.from_cwd);
            (to.dependents, to.result_at, to.flags_at) =
                (from.dependents, from.result_at, from.flags_at);
            to.path.clone_from(&from.path);
            to.base.clone_from(&from.base);
            to.block.clear();
            if from.state.is_held() {
                to.block.extend_from_slice(&from.block);
                let starts: Vec<usize> = blocks(&from.block).collect();
                for at in starts {
                    set_tid(&mut to.block[at..], tid);
                }
            }
        }
        to.dependents_beyond = from.dependents_beyond;
        to.pending = from.pending;
        to.pending
    }

    /// Forgets a table and its threads; nothing may be held back in it.
    pub fn forget(&mut self, table: usize) {
        self.forget_threads(table);
        let gone = &mut self.all[table];
        debug_assert_eq!(gone.pending, 0);
        self.owners.remove(&gone.owner);
        let mut next = 0;
        while let Some(at) = gone.next_used(next) {
            next = at + 1;
            let slot = &mut gone.slots[at];
            slot.state = State::Unknown;
            (slot.path, slot.base) = (None, None);
        }
        gone.used = [0; SLOTS / 64];
        (gone.cwd, gone.born, gone.by_itself) = (None, None, false);
        (gone.born_failures, gone.failures) = (None, None);
        self.free.push(table);
    }

    /// Forgets what was told of a table's threads: they are asked for again.
    pub fn forget_threads(&mut self, table: usize) {
        self.last = None;
        for tid in std::mem::take(&mut self.all[table].tids) {
            self.threads.remove(&tid);
        }
    }

    /// Notes what may hold of a thread that is known.
    pub fn set_facts(&mut self, tid: i64, facts: u64) {
        self.last = None;
        if let Some(known) = self.threads.get_mut(&tid) {
            known.1 = facts;
        }
    }

    /// Users or containers are others: what their names decide is known no longer.
    pub fn forget_failures(&mut self) {
        for table in &mut self.all {
            (table.born_failures, table.failures) = (None, None);
        }
    }

    /// Another thread may have a process's descriptors from now on.
    pub fn join(&mut self, tid: i64) {
        for table in self.all_of(tid).into_iter().flatten() {
            self.all[table].is_alone = false;
        }
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
        let again = |path: &mut Option<Rc<Directory>>| {
            *path = path.as_ref().and_then(|path| path.again());
        };
        for table in &mut self.all {
            again(&mut table.cwd);
            table.born = None;
            (table.born_failures, table.failures) = (None, None);
            for slot in &mut table.slots {
                again(&mut slot.path);
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
