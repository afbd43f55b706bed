//! Which events of the life of processes are held back: births, executions and ends that no rule
//! wants. What the engine would make of each is known here, as far as it matters: whether it makes
//! a process at all, of whom, with which descriptors.
use std::rc::Rc;

use probe::sieve::Verdict;
use probe::sieve::effect;
use probe::table as t;

use super::family::{
    FLAGS, PARENT, PROCESS, child_of, failed, is_birth, is_clone, is_exec, parent_of, shares,
    thread_of,
};
use super::life::{Ended, Lives, Program, Question};
use super::out::Out;
use super::pass::{NoRoom, Sieve};
use super::record::{Record, word};
use super::tables::{Answer, PENDING_MAX};

/// Programs that are remembered; all are forgotten when there are more.
const PROGRAMS_MAX: usize = 1 << 12;

/// Parameters of the clone family and of executions.
const EXE: usize = 1;
const COMM: usize = 13;
const CGROUPS: usize = 14;
const VTID: usize = 18;
/// Of executions alone.
const EXEPATH: usize = 27;

/// Flags as events have them, CLONE_NEWPID, PARENT, VFORK and CHILD_IN_PIDNS: where one of them
/// stands, the creator's side makes no thread.
const SILENT: u32 = 1 << 6 | 1 << 8 | 1 << 27 | 1 << 29;

fn flags(record: &Record) -> Option<u32> {
    (record.length(FLAGS) == 4).then(|| word(record.block, record.start(FLAGS)))
}

/// Parameters that say which program a thread runs, and where.
const PROGRAM: [usize; 3] = [COMM, EXE, CGROUPS];

/// A text of them, with room for so many bytes more.
fn program_text(record: &Record, more: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(record.told_bytes(&PROGRAM) + more);
    record.put(&PROGRAM, &mut text);
    text
}

fn program_of(record: &Record) -> Box<[u8]> {
    program_text(record, 0).into()
}

impl Sieve {
    /// Whether processes may be held back: no rule wants their births.
    pub fn may_hold_lives(&self) -> bool {
        [t::SYSCALL_CLONE_20_X, t::SYSCALL_CLONE3_X, t::SYSCALL_FORK_20_X, t::SYSCALL_VFORK_20_X]
            .iter()
            .all(|code| self.guards[usize::from(*code)].verdict == Verdict::Drop as u8)
    }

    /// Whether the engine has to say something before the event can be looked at.
    #[inline]
    pub fn asks(&mut self, record: &Record) -> bool {
        let effect = self.guards[record.code].effect;
        if effect == effect::META {
            return false;
        }
        self.question = Question::Nothing;
        if effect == effect::MUCH && is_clone(record) {
            self.question = self.asks_of_birth(record);
        } else if self.tables.of(record.tid).is_none() && self.stranger != Some(record.tid) {
            self.question = Question::Table(record.tid);
        } else if effect == effect::MUCH
            && is_exec(record)
            && self.answered.is_none()
            && self.asks_of_execution(record)
        {
            self.question = Question::Program;
        }
        !matches!(self.question, Question::Nothing)
    }

    /// Whether the engine has to say what holds of a thread once it executes.
    fn asks_of_execution(&mut self, record: &Record) -> bool {
        let is_dropped = self.guards[record.code].verdict == Verdict::Drop as u8;
        let is_known =
            is_dropped && self.lives.holds(record.tid) && self.program_known(record).is_some();
        if is_known || failed(record) {
            return false;
        }
        self.answered = self.executions.recall(record);
        self.answered.is_none()
    }

    fn asks_of(&self, tid: i64) -> Question {
        if self.stranger == Some(tid) { Question::Nothing } else { Question::Table(tid) }
    }

    fn asks_of_birth(&mut self, record: &Record) -> Question {
        let by_itself = is_birth(record);
        let (parent, child) = (parent_of(record), child_of(record));
        let may_hold = self.may_begin(record, child);
        if self.tables.of(parent).is_none() {
            // A child's first event makes it, or changes nothing that is known here.
            let asks = !by_itself || may_hold && u32::try_from(parent).is_ok_and(|tid| tid > 0);
            return if asks { self.asks_of(parent) } else { Question::Nothing };
        }
        let Some(table) = self.plain(parent) else { return Question::Nothing };
        let known = &self.tables.all[table];
        if !may_hold
            || self.answered.is_some()
            || self.lives.holds(parent)
            || !by_itself && self.says_nothing(record, table)
            || known.born.as_ref().is_some_and(|born| record.tells(&PROGRAM, &born.0))
        {
            return Question::Nothing;
        }
        Question::Program
    }

    /// For which parts of rules the event's thread may be.
    #[inline]
    pub fn facts_for(&mut self, record: &Record) -> u64 {
        if self.guards[record.code].effect != effect::MUCH {
            return self.tables.facts_of(record.tid);
        }
        if is_exec(record) {
            if failed(record) {
                return self.failures_of(record.tid);
            }
            // What it executes is what counts.
            return self.answered.map_or(u64::MAX, |(_, rules)| rules);
        }
        if is_clone(record) {
            return u64::MAX;
        }
        self.tables.facts_of(record.tid)
    }

    /// For which parts of rules the parent of a process that executes a program may be. Known of
    /// those that are held back, whose parents the engine will have just so: they are told of with
    /// the end of a parent, before anybody takes them in.
    #[inline]
    pub fn parent_facts_for(&self, record: &Record) -> u64 {
        if self.guards[record.code].effect != effect::MUCH || !is_exec(record) {
            return u64::MAX;
        }
        match self.lives.get(record.tid) {
            // A kernel that tells of another parent knows more than this.
            Some(life) if life.parent != record.tid && thread_of(record, PARENT) == life.parent => {
                self.tables.facts_of_plain(life.parent)
            }
            _ => u64::MAX,
        }
    }

    /// The table of a process of one thread that the engine knows, or will.
    fn plain(&mut self, tid: i64) -> Option<usize> {
        let table = self.tables.of(tid)?;
        let known = &self.tables.all[table];
        (known.owner == tid && known.is_alone).then_some(table)
    }

    /// Whether a thread is known to be a process of one thread.
    pub fn is_plain(&self, tid: i64) -> bool {
        self.tables.all_of(tid)[1].is_some_and(|table| self.tables.all[table].is_alone)
    }

    /// Whether the engine makes nothing of a creator's event.
    fn says_nothing(&self, record: &Record, table: usize) -> bool {
        record.code == usize::from(t::SYSCALL_VFORK_20_X)
            || !self.tables.all[table].is_outside
            || flags(record).is_some_and(|flags| flags & SILENT != 0)
    }

    /// Whether a child may be held back that nobody knows yet.
    fn may_begin(&self, record: &Record, child: i64) -> bool {
        self.holds_lives
            && self.began
            && child > 0
            && !self.lives.is_noted(child)
            && !self.lives.may_lead(child)
            && !self.lives.holds(child)
            && self.tables.all_of(child) == [None, None]
            && self.lives.has_room(record.block.len())
            && flags(record).is_some()
            && !shares(record)
    }

    /// An event of the life of processes; whether it is held back, or says nothing.
    pub fn lives_on(
        &mut self,
        record: &Record,
        room: &mut [u8],
        out: &mut Out,
    ) -> Result<bool, NoRoom> {
        if is_clone(record) {
            return Ok(self.born(record));
        }
        let Some(table) = self.tables.of(record.tid) else { return Ok(false) };
        if failed(record) {
            return Ok(!self.wanted(record, table));
        }
        if !self.lives.holds(record.tid) {
            return Ok(false);
        }
        match record.code as u16 {
            _ if is_exec(record) => self.executes(record, table, room, out),
            t::PROCEXIT_1_E => Ok(self.ends(record, table)),
            _ => Ok(false),
        }
    }

    /// One side of a call that makes a process.
    fn born(&mut self, record: &Record) -> bool {
        let Some(result) = record.result().filter(|_| self.holds_lives) else { return false };
        if result < 0 {
            return self.tables.of(record.tid).is_some();
        }
        let by_itself = result == 0;
        let (parent, child) = (parent_of(record), child_of(record));
        let Some(table) = self.plain(parent) else { return false };
        if flags(record).is_none() || shares(record) || thread_of(record, PROCESS) != record.tid {
            return false;
        }
        let silent = self.says_nothing(record, table);
        let ns = record.ns();
        let has_room = self.lives.takes(child, record.block.len());
        if let Some(life) = self.lives.get_mut(child) {
            if !by_itself && (silent || life.by_itself) {
                life.is_whole |= life.parent == parent;
                return true;
            }
            let is_other = !by_itself || life.by_itself || life.parent != parent;
            if is_other || !Lives::is_fresh(life.born_ns, ns) || !has_room {
                return false;
            }
            life.is_whole = true;
            self.lives.append(child, record.block);
            return true;
        }
        if !by_itself {
            let known = self.tables.all_of(child)[1];
            let told = known.is_some_and(|known| self.tables.all[known].by_itself);
            if silent || told {
                return true;
            }
            match self.lives.ended_lately(child, parent, ns) {
                Ended::No => {}
                Ended::Lately => return true,
                Ended::Told => return false,
            }
        }
        let pending = self.tables.all[table].pending;
        if !self.may_begin(record, child) || self.pending + pending > PENDING_MAX {
            return false;
        }
        let program = self.program_born(record, parent, table);
        let failures = self.failures_born(record, parent, table, program.is_some());
        self.lives.begin(child, parent, by_itself, ns);
        self.lives.append(child, record.block);
        let is_outside = !by_itself || record.length(VTID) != 8 || record.long(VTID) == child;
        if let Some(life) = self.lives.get_mut(child) {
            life.is_whole = by_itself && silent;
            life.program.clone_from(&program);
        }
        let facts = program.map_or(u64::MAX, |program| program.1);
        let cwd = self.tables.all[table].cwd.clone();
        let (tid, owner, is_alone) = (child, child, true);
        let made = self.tables.learn(Answer { tid, owner, cwd, facts, is_alone, is_outside });
        self.tables.all[made].failures = failures;
        self.pending += self.tables.inherit(table, made, child);
        true
    }

    /// What a child runs: what its parent does.
    fn program_born(&mut self, record: &Record, parent: i64, table: usize) -> Option<Program> {
        let known = if let Some(life) = self.lives.get(parent) {
            life.program.clone()
        } else if let Some((facts, _)) = self.answered {
            let program = Rc::new((program_of(record), facts));
            self.tables.all[table].born = Some(program.clone());
            return Some(program);
        } else {
            self.tables.all[table].born.clone()
        };
        known.filter(|program| record.tells(&PROGRAM, &program.0))
    }

    /// A process that is held back executes another program.
    fn executes(
        &mut self,
        record: &Record,
        table: usize,
        room: &mut [u8],
        out: &mut Out,
    ) -> Result<bool, NoRoom> {
        let tid = record.tid;
        let is_told = [COMM, EXE, CGROUPS, EXEPATH].iter().all(|param| record.length(*param) > 1);
        if thread_of(record, PROCESS) != tid
            || !is_told
            || !self.lives.takes(tid, record.block.len())
            || self.wanted(record, table)
        {
            return Ok(false);
        }
        let program = match self.answered {
            Some((facts, _)) => self.learn_program(record, facts),
            None => match self.program_known(record) {
                Some(program) => program,
                None => return Ok(false),
            },
        };
        self.close_for_program(table, room, out)?;
        if !self.lives.takes(tid, record.block.len()) {
            return Ok(false);
        }
        self.lives.append_own(record);
        self.tables.set_facts(tid, program.1);
        self.note_failures(record, table);
        if let Some(life) = self.lives.get_mut(tid) {
            life.program = Some(program);
        }
        Ok(true)
    }

    /// What is remembered of the program that an event executes.
    fn program_known(&self, record: &Record) -> Option<Program> {
        let program = self.programs.get(&executed(record))?;
        Some(program.clone())
    }

    fn learn_program(&mut self, record: &Record, facts: u64) -> Program {
        if self.programs.len() >= PROGRAMS_MAX {
            self.programs.clear();
        }
        let program = Rc::new((program_of(record), facts));
        self.programs.insert(executed(record), program.clone());
        program
    }

    /// A process that is held back ends: nobody will hear of it.
    fn ends(&mut self, record: &Record, table: usize) -> bool {
        let tid = record.tid;
        let is_whole = self.lives.get(tid).is_some_and(|life| life.is_whole);
        if !is_whole
            || self.lives.has_below(tid)
            || self.lives.has_told_end(tid, record.ns())
            || self.wanted(record, table)
        {
            return false;
        }
        self.forget_held(table);
        self.tables.forget_thread(tid);
        self.lives.end(tid);
        true
    }
}

/// What the facts of an executed program depend on.
fn executed(record: &Record) -> Box<[u8]> {
    let path = record.bytes(EXEPATH);
    let mut text = program_text(record, path.len());
    text.extend_from_slice(path);
    text.into()
}
