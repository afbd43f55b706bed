//! The life of processes that the engine was not told of: who was born of whom, and the events
//! that make of them what they are, to be told in order once somebody looks at them, and never
//! where they end before. What is not known here the engine is told of at once.
use std::collections::HashMap;
use std::rc::Rc;

use super::family::leaders_of;
use super::map::{Map, Tids};
use super::record::Record;

/// Processes that are held back at once, and what their events may take: of one and of all.
const PROCESSES_MAX: usize = 1 << 12;
const BLOCKS_MAX: usize = 64;
const BYTES_EACH: usize = 64 << 10;
const BYTES_MAX: usize = 16 << 20;
/// Threads that are noted to be known to the engine, at the most.
const NOTED_MAX: usize = 1 << 20;
/// As in src/state/tables/thread_table.ts: ends that are remembered, by the low bits of their ids,
/// and how long they count.
const EXITED_MAX: usize = 1 << 13;
const STALE_NS: f64 = 2e9;
const STALE_EXACTLY_NS: i64 = 2_000_000_000;

/// What a thread's program and cgroups are, as bytes, and what may hold of it.
pub type Program = Rc<(Box<[u8]>, u64)>;

/// What programs are: name, executable, cgroups, and of executions its path.
pub type Programs = HashMap<Box<[u8]>, Program>;

/// What the engine has to say.
#[derive(Clone, Copy, Default)]
pub enum Question {
    #[default]
    Nothing,
    /// Whose descriptors a thread has.
    Table(i64),
    /// What holds of the thread that the event makes, or makes another program of.
    Program,
}

/// Events of a process that are held back, as blocks one behind the other; when they came.
pub struct Later {
    pub order: u64,
    pub blocks: Vec<u8>,
}

/// A process of which the engine was not told.
pub struct Life {
    pub parent: i64,
    /// Its own event came first of those of the call that made it.
    pub by_itself: bool,
    /// The other side's event came, or says nothing.
    pub is_whole: bool,
    pub born_ns: u64,
    pub program: Option<Program>,
    /// Others that lead its session or a group of its, as its events tell.
    leaders: Vec<i64>,
    pub later: Vec<Later>,
    bytes: usize,
}

#[derive(Clone, Copy, Default)]
struct Exited {
    tid: i64,
    /// `None`: the engine was told of the end, and knows whose child it was.
    parent: Option<i64>,
    ns: f64,
}

/// What is remembered of the end of a process whose creator tells of its birth only now.
pub enum Ended {
    /// None, or another's.
    No,
    /// It is of the past.
    Lately,
    /// The engine has to say.
    Told,
}

#[derive(Default)]
pub struct Lives {
    held: Map<Life>,
    /// Those that are held, by their parents.
    below: Map<Vec<i64>>,
    /// Threads and processes that the engine may know; `None`: nobody said which.
    noted: Option<Tids>,
    /// Those of them that may have children there: where such a one ends, who takes these in may be
    /// another kind of parent from then on.
    parents: Tids,
    /// Numbers that the engine may look for as those of leaders of sessions and groups.
    leaders: Tids,
    exited: Vec<Exited>,
    /// One that ended with the last event: it is gone when the next one comes.
    ending: Option<Exited>,
    order: u64,
    bytes: usize,
}

impl Lives {
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    #[inline]
    pub fn get(&self, tid: i64) -> Option<&Life> {
        if self.held.is_empty() { None } else { self.held.get(&tid) }
    }

    #[inline]
    pub fn get_mut(&mut self, tid: i64) -> Option<&mut Life> {
        if self.held.is_empty() { None } else { self.held.get_mut(&tid) }
    }

    #[inline]
    pub fn holds(&self, tid: i64) -> bool {
        !self.held.is_empty() && self.held.contains_key(&tid)
    }

    /// Whether another one has room, with an event of so many bytes.
    pub fn has_room(&self, bytes: usize) -> bool {
        self.held.len() < PROCESSES_MAX && bytes <= BYTES_EACH && self.bytes + bytes <= BYTES_MAX
    }

    /// Whether an event of a process that is held back has room behind its others.
    pub fn takes(&self, tid: i64, bytes: usize) -> bool {
        self.bytes + bytes <= BYTES_MAX
            && self.get(tid).is_some_and(|life| {
                life.later.len() < BLOCKS_MAX && life.bytes + bytes <= BYTES_EACH
            })
    }

    pub fn begin(&mut self, tid: i64, parent: i64, by_itself: bool, born_ns: u64) {
        let later = Vec::with_capacity(2);
        let (is_whole, program, leaders, bytes) = (false, None, Vec::new(), 0);
        let life = Life { parent, by_itself, is_whole, born_ns, program, leaders, later, bytes };
        self.held.insert(tid, life);
        self.below.entry(parent).or_default().push(tid);
    }

    /// Puts an event behind those of a process that is held back.
    pub fn append(&mut self, tid: i64, blocks: &[u8]) {
        self.order += 1;
        let order = self.order;
        if let Some(life) = self.held.get_mut(&tid) {
            life.bytes += blocks.len();
            self.bytes += blocks.len();
            life.later.push(Later { order, blocks: blocks.to_vec() });
        }
    }

    /// Whether any process that is held back was born of this one.
    pub fn has_below(&self, tid: i64) -> bool {
        !self.held.is_empty() && self.below.contains_key(&tid)
    }

    /// Of whom those were born that are held back.
    pub fn parents_below(&self) -> impl Iterator<Item = i64> {
        self.below.keys().copied()
    }

    /// What programs of processes say is of no use to other rules.
    pub fn forget_programs(&mut self) {
        self.held.values_mut().for_each(|life| life.program = None);
    }

    /// One that is held back, or was told by now, is so no longer.
    pub fn remove(&mut self, tid: i64) {
        let Some(life) = self.held.remove(&tid) else { return };
        self.bytes -= life.bytes;
        if let Some(below) = self.below.get_mut(&life.parent) {
            below.retain(|other| *other != tid);
            if below.is_empty() {
                self.below.remove(&life.parent);
            }
        }
    }

    /// All that is held back with a thread: the eldest of its ancestors that is, everybody below
    /// that one, and the same of those that lead them; of a thread that is not held back, everybody
    /// below it.
    pub fn family(&self, tid: i64) -> Vec<i64> {
        let mut found = Vec::new();
        if self.held.contains_key(&tid) {
            found.push(self.eldest(tid));
        } else if let Some(below) = self.below.get(&tid) {
            found.extend(below);
        }
        let mut at = 0;
        while at < found.len() {
            if let Some(below) = self.below.get(&found[at]) {
                found.extend(below);
            }
            for leader in self.held.get(&found[at]).into_iter().flat_map(|life| &life.leaders) {
                let eldest = self.eldest(*leader);
                if self.held.contains_key(leader) && !found.contains(&eldest) {
                    found.push(eldest);
                }
            }
            at += 1;
        }
        found
    }

    /// The eldest of those that are held back of a process and its ancestors.
    fn eldest(&self, tid: i64) -> i64 {
        let mut eldest = tid;
        while let Some(life) = self.held.get(&eldest)
            && self.held.contains_key(&life.parent)
        {
            eldest = life.parent;
        }
        eldest
    }

    /// The same of an event of its own, which may say who leads it from then on.
    pub fn append_own(&mut self, record: &Record) {
        self.append(record.tid, record.block);
        for leader in leaders_of(record) {
            self.follow(record.tid, leader);
        }
    }

    /// A process that is held back is led by this one from now on.
    fn follow(&mut self, tid: i64, leader: i64) {
        self.note_leader(leader);
        if let Some(life) = self.held.get_mut(&tid)
            && leader != tid
            && !life.leaders.contains(&leader)
        {
            life.leaders.push(leader);
        }
    }

    /// The engine may look for a leader of this number from now on.
    pub fn note_leader(&mut self, leader: i64) {
        if self.noted.is_some() && leader > 0 {
            self.leaders.insert(leader);
            if self.leaders.len() > NOTED_MAX {
                self.noted = None;
            }
        }
    }

    pub fn may_lead(&self, tid: i64) -> bool {
        self.leaders.contains(&tid)
    }

    pub fn all(&self) -> Vec<i64> {
        self.held.keys().copied().collect()
    }

    /// The engine has these threads and processes, and no others, and they have these leaders;
    /// `None`: it may have any.
    pub fn know(&mut self, tids: Option<&[f64]>, leaders: &[f64]) {
        self.leaders = leaders.iter().map(|tid| *tid as i64).collect();
        self.noted = tids.map(|tids| tids.iter().map(|tid| *tid as i64).collect());
        self.parents = self.noted.clone().unwrap_or_default();
        self.exited.clear();
        self.ending = None;
    }

    /// The engine may have this thread from now on.
    #[inline]
    pub fn note(&mut self, tid: i64) {
        if let Some(noted) = &mut self.noted {
            noted.insert(tid);
            if noted.len() > NOTED_MAX {
                self.noted = None;
            }
        }
    }

    /// The engine may have children of this thread from now on.
    #[inline]
    pub fn note_parent(&mut self, tid: i64) {
        if self.noted.is_some() {
            self.note(tid);
            self.parents.insert(tid);
        }
    }

    pub fn may_be_parent(&self, tid: i64) -> bool {
        self.parents.contains(&tid)
    }

    /// The engine does away with this process.
    pub fn unnote(&mut self, tid: i64) {
        if let Some(noted) = &mut self.noted {
            noted.remove(&tid);
            self.parents.remove(&tid);
        }
    }

    /// Whether the engine may have something of this number.
    pub fn is_noted(&self, tid: i64) -> bool {
        self.noted.as_ref().is_none_or(|noted| noted.contains(&tid))
    }

    /// Whether it is known which threads the engine has.
    pub fn knows_all(&self) -> bool {
        self.noted.is_some()
    }

    /// An event comes: what ended with the one before is gone now.
    #[inline]
    pub fn pass_time(&mut self, ns: u64) {
        if let Some(mut ended) = self.ending.take() {
            ended.ns = as_told(ns);
            if self.exited.is_empty() {
                self.exited.resize(EXITED_MAX, Exited::default());
            }
            self.exited[ended.tid as usize & (EXITED_MAX - 1)] = ended;
        }
    }

    /// A process that was held back ends.
    pub fn end(&mut self, tid: i64) {
        let parent = self.held.get(&tid).map_or(-1, |life| life.parent);
        self.remove(tid);
        self.ending = Some(Exited { tid, parent: Some(parent), ns: 0.0 });
    }

    /// The engine is told of the end of a thread that it has.
    pub fn end_told(&mut self, tid: i64) {
        self.ending = Some(Exited { tid, parent: None, ns: 0.0 });
    }

    /// Whether an end that the engine remembers would still count beside that of another thread
    /// that it is not told of and that takes its place.
    pub fn has_told_end(&self, tid: i64, ns: u64) -> bool {
        self.end_at(tid)
            .is_some_and(|ended| ended.parent.is_none() && as_told(ns) - ended.ns < STALE_NS)
    }

    /// Whether a process born of this parent ended less than two seconds before: what its creator
    /// tells of it then is of the past.
    pub fn ended_lately(&self, tid: i64, parent: i64, ns: u64) -> Ended {
        let Some(ended) = self.end_at(tid).filter(|ended| ended.tid == tid) else {
            return Ended::No;
        };
        if !(0.0..STALE_NS).contains(&(as_told(ns) - ended.ns)) {
            return Ended::No;
        }
        match ended.parent {
            None => Ended::Told,
            Some(of) if of == parent => Ended::Lately,
            Some(_) => Ended::No,
        }
    }

    fn end_at(&self, tid: i64) -> Option<&Exited> {
        self.exited.get(tid as usize & (EXITED_MAX - 1))
    }

    /// Whether a thread's own event comes before it counts as another thread's than its creator's.
    pub fn is_fresh(born_ns: u64, ns: u64) -> bool {
        (ns.wrapping_sub(born_ns) as i64) < STALE_EXACTLY_NS
    }
}

/// A time as the engine compares ends by: exact to 256 ns.
#[allow(clippy::cast_precision_loss, reason = "so is the engine's")]
fn as_told(ns: u64) -> f64 {
    ns as f64
}
