//! The table of tracees: what is known of each thread that is followed. Its bound and what the
//! bound refused are counted.
use std::collections::{BTreeSet, HashMap};

use probe::kernel::Maker;

use super::scene::Subject;

/// Threads that are followed at the most; further ones run on untraced.
pub const TRACEES: usize = 16_384;

/// A call that a thread is in.
#[derive(Clone, Debug)]
pub struct InCall {
    /// How it is told (probe::routes); None: it is not.
    pub route: Option<u32>,
    pub number: u64,
    pub args: [u64; 6],
    pub compat: bool,
    /// The name that an execution was given.
    pub program: Vec<u8>,
    /// What it is about to open is not there yet.
    pub creates: bool,
    /// A flag that would have hidden the child from us was taken out for the length of the call.
    pub patched: Option<Patched>,
}

/// Where CLONE_UNTRACED was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Patched {
    Register,
    Memory(usize),
}

#[derive(Default)]
pub struct Tracee {
    pub tgid: i32,
    /// The thread that made it; 0: not known.
    pub parent: i32,
    pub maker: Option<Maker>,
    pub call: Option<InCall>,
    /// The call that made it, until it is told.
    pub birth: Option<InCall>,
    pub standing: Standing,
    pub is_filtered: bool,
    pub end_is_told: bool,
}

/// What is done with a thread's stops.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum Standing {
    /// They are told.
    #[default]
    Followed,
    /// A child of ours that has not become its program yet: nothing is told.
    Quiet,
    /// The table was full: it is let go at its first stop.
    Refused,
}

#[derive(Default)]
pub struct Tracees {
    known: HashMap<i32, Tracee>,
    /// Threads of each process whose end was not told.
    groups: HashMap<i32, BTreeSet<i32>>,
    pub refused: u64,
    pub most: usize,
}

impl Tracees {
    pub fn len(&self) -> usize {
        self.known.len()
    }

    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    pub fn tids(&self) -> Vec<i32> {
        self.known.keys().copied().collect()
    }

    pub fn get(&mut self, tid: i32) -> Option<&mut Tracee> {
        self.known.get_mut(&tid)
    }

    pub fn has(&self, tid: i32) -> bool {
        self.known.contains_key(&tid)
    }

    /// Takes up a thread; beyond the bound it is to be let go.
    pub fn insert(&mut self, tid: i32, mut tracee: Tracee) {
        if self.known.len() >= TRACEES {
            tracee.standing = Standing::Refused;
            self.refused += 1;
        }
        self.groups.entry(tracee.tgid).or_default().insert(tid);
        self.known.insert(tid, tracee);
        self.most = self.most.max(self.known.len());
    }

    pub fn remove(&mut self, tid: i32) -> Option<Tracee> {
        let tracee = self.known.remove(&tid)?;
        self.leave_group(tracee.tgid, tid);
        Some(tracee)
    }

    fn leave_group(&mut self, tgid: i32, tid: i32) {
        if let Some(group) = self.groups.get_mut(&tgid) {
            group.remove(&tid);
            if group.is_empty() {
                self.groups.remove(&tgid);
            }
        }
    }

    /// The end of a thread is told now: it is no heir of others any more.
    pub fn end(&mut self, tid: i32) {
        if let Some(tracee) = self.known.get_mut(&tid) {
            tracee.end_is_told = true;
            let tgid = tracee.tgid;
            self.leave_group(tgid, tid);
        }
    }

    /// A thread has executed a program: it has its process's id from now on, and all other threads
    /// of the process are gone.
    pub fn execute(&mut self, former: i32, tid: i32) {
        let executing = self.remove(former);
        let others: Vec<i32> =
            self.groups.get(&tid).map_or(Vec::new(), |group| group.iter().copied().collect());
        for other in others {
            self.remove(other);
        }
        self.known.remove(&tid);
        if let Some(mut tracee) = executing {
            tracee.tgid = tid;
            tracee.end_is_told = false;
            self.groups.entry(tid).or_default().insert(tid);
            self.known.insert(tid, tracee);
        }
    }

    /// Whom an event of this thread is of.
    pub fn subject(&self, tid: i32) -> Subject {
        let Some(tracee) = self.known.get(&tid) else {
            return Subject { tid, tgid: tid, ..Subject::default() };
        };
        let group = self.groups.get(&tracee.tgid);
        let other = group.and_then(|group| group.iter().find(|&&other| other != tid));
        Subject {
            tid,
            tgid: tracee.tgid,
            parent: if self.known.contains_key(&tracee.parent) { tracee.parent } else { 0 },
            other: other.copied().unwrap_or(0),
            ..Subject::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thread(tgid: i32) -> Tracee {
        Tracee { tgid, ..Tracee::default() }
    }

    #[test]
    fn an_execution_by_a_thread_leaves_one_thread_with_the_id_of_the_process() {
        let mut tracees = Tracees::default();
        for tid in [7, 8, 9] {
            tracees.insert(tid, thread(7));
        }
        tracees.insert(20, thread(20));
        assert_eq!(tracees.subject(8).other, 7);
        tracees.execute(9, 7);
        assert_eq!((tracees.len(), tracees.subject(7).other), (2, 0));
        assert!(tracees.has(7) && !tracees.has(9));
        tracees.execute(20, 20);
        assert!(tracees.has(20));
    }

    #[test]
    fn the_table_has_a_bound_and_counts_what_it_refuses() {
        let mut tracees = Tracees::default();
        for tid in 0..TRACEES as i32 {
            tracees.insert(tid, thread(tid));
        }
        tracees.insert(-1, thread(-1));
        assert!(tracees.get(-1).is_some_and(|tracee| tracee.standing == Standing::Refused));
        assert_eq!((tracees.refused, tracees.most), (1, TRACEES + 1));
    }
}
