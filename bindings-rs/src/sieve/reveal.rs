//! Processes that are held back are told of: before an event of theirs or of their descendants that
//! the engine gets, and before anything changes of what they were born with.
use probe::sieve::effect;
use probe::table as t;

use super::family::{PARENT, PROCESS, child_of, created, is_clone, is_exec, leaders_of, thread_of};
use super::out::Out;
use super::pass::{Done, NoRoom, Sieve};
use super::record::Record;

/// Of the end of a process, who takes its children in.
const REAPER: usize = 4;

enum Adopter {
    Nobody,
    Process(i64),
    Anybody,
}

impl Sieve {
    /// Tells of a thread's process and its ancestors, with all that is held back below the eldest
    /// of them; of one that the engine knows, all that is held back below it.
    #[inline]
    pub fn reveal(&mut self, tid: i64, room: &mut [u8], out: &mut Out) -> Done {
        if self.lives.is_empty() {
            return Ok(());
        }
        let family = self.lives.family(tid);
        self.tell(&family, room, out)
    }

    pub fn reveal_all(&mut self, room: &mut [u8], out: &mut Out) -> Done {
        if self.lives.is_empty() {
            return Ok(());
        }
        let all = self.lives.all();
        self.tell(&all, room, out)
    }

    /// Tells of processes, each event in its turn: what is told is left out where there was no room
    /// for all.
    fn tell(&mut self, tids: &[i64], room: &mut [u8], out: &mut Out) -> Done {
        let mut order = Vec::new();
        for tid in tids {
            if let Some(life) = self.lives.get(*tid) {
                let due = life.later.iter().enumerate();
                let due = due.filter(|(_, later)| !later.blocks.is_empty());
                order.extend(due.map(|(at, later)| (later.order, *tid, at)));
            }
        }
        order.sort_unstable();
        for (_, tid, at) in order {
            let Some(life) = self.lives.get_mut(tid) else { continue };
            out.copy(&life.later[at].blocks, room)?;
            life.later[at].blocks = Vec::new();
        }
        for tid in tids {
            let Some(life) = self.lives.get(*tid) else { continue };
            let (by_itself, parent) = (life.by_itself, life.parent);
            self.lives.remove(*tid);
            // It may have made itself one that takes children in.
            self.lives.note_parent(*tid);
            self.lives.note_parent(parent);
            if let [_, Some(table)] = self.tables.all_of(*tid) {
                self.tables.all[table].by_itself = by_itself;
            }
        }
        Ok(())
    }

    /// Before the engine gets an event: all of whom it is, and whom it names. Whether there is room
    /// for the event then.
    pub fn prepare(
        &mut self,
        record: &Record,
        wanted: bool,
        room: &mut [u8],
        out: &mut Out,
    ) -> Done {
        if !self.lives.is_empty() {
            if wanted && self.lookers[record.code] & record.facts != 0 {
                self.reveal_all(room, out)?;
            }
            match self.adopter(record) {
                Adopter::Nobody => {}
                Adopter::Process(tid) => self.reveal(tid, room, out)?,
                Adopter::Anybody => self.reveal_all(room, out)?,
            }
            self.reveal(record.tid, room, out)?;
            if let [Some(table), _] = self.tables.all_of(record.tid) {
                let owner = self.tables.all[table].owner;
                self.reveal(owner, room, out)?;
            }
            if is_clone(record) {
                for tid in [created(record), thread_of(record, PROCESS), thread_of(record, PARENT)]
                {
                    self.reveal_held(tid, room, out)?;
                }
            }
            self.reveal_named(record, room, out)?;
        }
        if out.has_room(0) { Ok(()) } else { Err(NoRoom) }
    }

    /// Who may take children in once the engine got the event. Who does so for the first time is
    /// another kind of parent from then on (src/state/tables/births.ts), for its own children too.
    fn adopter(&self, record: &Record) -> Adopter {
        let is_end = record.code == usize::from(t::PROCEXIT_1_E);
        // A new thread of a number takes the place of who had it.
        let gone = match is_end {
            true => record.tid,
            false if is_clone(record) => child_of(record),
            false => return Adopter::Nobody,
        };
        // Children that are held back are told of with its end.
        if !self.lives.may_be_parent(gone) && !self.lives.has_below(gone) {
            return Adopter::Nobody;
        }
        if !is_end || record.length(REAPER) != 8 {
            return Adopter::Anybody;
        }
        match record.long(REAPER) {
            // Whom the engine finds then has taken some in before.
            ..=0 => Adopter::Nobody,
            // It may be any thread of its process, which a process of one thread is itself.
            tid if self.lives.parents_below().all(|parent| self.is_plain(parent)) => {
                Adopter::Process(tid)
            }
            _ => Adopter::Anybody,
        }
    }

    /// Tells of the processes whose ids are parameters.
    fn reveal_named(&mut self, record: &Record, room: &mut [u8], out: &mut Out) -> Done {
        let mut bits = self.pids[record.code];
        while bits != 0 {
            let param = bits.trailing_zeros() as usize;
            bits &= bits - 1;
            if let Some(tid) = record.pid(param) {
                self.reveal_held(tid, room, out)?;
            }
        }
        Ok(())
    }

    /// Tells of a process that somebody names.
    fn reveal_held(&mut self, tid: i64, room: &mut [u8], out: &mut Out) -> Done {
        if self.lives.holds(tid) { self.reveal(tid, room, out) } else { Ok(()) }
    }

    /// Before an event that no thread made: what it may be about.
    pub fn reveal_for_meta(&mut self, record: &Record, room: &mut [u8], out: &mut Out) -> Done {
        if record.code == usize::from(t::SCHEDSWITCH_6_E) {
            self.reveal_named(record, room, out)?;
            return self.reveal(record.tid, room, out);
        }
        self.reveal_all(room, out)
    }

    /// What the engine may know of threads once it got an event.
    pub fn note_told(&mut self, record: &Record) {
        self.lives.note(record.tid);
        for leader in leaders_of(record) {
            self.lives.note_leader(leader);
        }
        let names = match record.code as u16 {
            _ if is_clone(record) => {
                self.lives.note(created(record));
                [record.tid, thread_of(record, PROCESS), thread_of(record, PARENT)]
            }
            _ if is_exec(record) => {
                let [pid, parent] = [PROCESS, PARENT].map(|param| thread_of(record, param));
                if pid != record.tid {
                    self.tables.join(pid);
                }
                self.lives.note(pid);
                [0, 0, parent]
            }
            t::PROCEXIT_1_E => [0, 0, thread_of(record, REAPER)],
            t::SYSCALL_PRCTL_X => [0, 0, record.tid],
            _ => return,
        };
        for tid in names.into_iter().filter(|tid| *tid > 0) {
            self.lives.note_parent(tid);
        }
    }

    /// The engine is told of an end, and does away with a process of one thread.
    pub fn note_end(&mut self, record: &Record) {
        if record.code != usize::from(t::PROCEXIT_1_E) {
            return;
        }
        let [Some(table), _] = self.tables.all_of(record.tid) else { return };
        self.lives.end_told(record.tid);
        let known = &self.tables.all[table];
        if known.owner == record.tid && known.is_alone {
            self.lives.unnote(record.tid);
        }
    }

    /// Whether an event that no rule wants waits until the engine is told of its process.
    pub fn waits(&self, record: &Record, effect: u8) -> bool {
        effect != effect::MUCH
            && record.code != usize::from(t::SYSCALL_PRLIMIT_X)
            && self.lives.takes(record.tid, record.block.len())
    }
}
