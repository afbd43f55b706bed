//! What changes threads, whole tables or directories: processes begin, execute another program, go
//! to another directory, end.
use std::rc::Rc;

use probe::sieve::effect;
use probe::table as t;

use super::directory::{Directory, join};
use super::family::{
    PARENT, PROCESS, child_of, created, failed, is_birth, is_clone, is_exec, makes_thread, shares,
    thread_of,
};
use super::held::O_CLOEXEC;
use super::judge::NO_NAME;
use super::out::Out;
use super::pass::{Done, NoRoom, Sieve};
use super::record::{Record, word};
use super::tables::State;

impl Sieve {
    /// What an event says of those that follow, whether its thread is known or not.
    pub fn foresee(&mut self, record: &Record) {
        if record.code == usize::from(t::SOCKET_CONNECT_E) {
            self.sees_entries = true;
        }
        if is_birth(record) && shares(record) {
            for param in [PROCESS, PARENT] {
                self.tables.join(thread_of(record, param));
            }
        } else if is_clone(record) && thread_of(record, PROCESS) != record.tid {
            self.tables.join(thread_of(record, PROCESS));
        }
    }

    /// An event that changes threads, whole tables or directories.
    pub fn much(
        &mut self,
        record: &Record,
        at: usize,
        table: usize,
        forced: bool,
        room: &mut [u8],
        out: &mut Out,
    ) -> Done {
        if failed(record) {
            // It changed nothing.
            self.touch_all(record, table, room, out)?;
            return self.hand_over(record, at, effect::THREAD, true, room, out);
        }
        if self.keeps_table(record, table, room, out)? {
            if usize::from(t::PROCEXIT_1_E) == record.code {
                return self.hand_over(record, at, effect::MUCH, true, room, out);
            }
            let goes = matches!(record.code as u16, t::SYSCALL_CHDIR_X | t::SYSCALL_FCHDIR_X);
            let wanted = forced || !goes || self.wanted(record, table);
            self.hand_over(record, at, effect::THREAD, wanted, room, out)?;
            if self.lives.holds(record.tid) {
                self.tables.all[table].cwd = self.gone_to(record, table);
                return Ok(());
            }
            if is_exec(record)
                && let Some((facts, _)) = self.answered
                && facts != u64::MAX
            {
                // Another program, in the same directory.
                self.tables.set_facts(record.tid, facts);
                self.tables.all[table].born = None;
                self.note_failures(record, table);
                return Ok(());
            }
            self.tables.forget_threads(table);
            self.tables.all[table].cwd = None;
            return Ok(());
        }
        self.settle_family(record, Some(table), room, out)?;
        self.prepare(record, true, room, out)?;
        if created(record) > 0 && shares(record) {
            self.tables.join(record.tid);
        }
        if created(record) <= 0 {
            self.tables.forget(table);
            return self.hand_over(record, at, effect::MUCH, true, room, out);
        }
        // Who makes another keeps all that it has; the child's number may have been another's.
        self.hand_over(record, at, effect::THREAD, true, room, out)?;
        self.tables.forget_thread(created(record));
        Ok(())
    }

    /// Hands over what is held back of the tables that an event of much effect, or one of a thread
    /// that is not known, looks at or does away with.
    pub fn settle_family(
        &mut self,
        record: &Record,
        table: Option<usize>,
        room: &mut [u8],
        out: &mut Out,
    ) -> Done {
        if self.pending == 0 && self.lives.is_empty() {
            return Ok(());
        }
        // Whom nobody knows is made up, with descriptors of its own.
        let is_made_up = table.is_none()
            && !self.is_apart
            && is_exec(record)
            && self.stranger == Some(record.tid)
            && thread_of(record, PROCESS) == record.tid;
        if is_made_up {
            return self.flush_owned(record.tid, room, out);
        }
        if makes_thread(record) {
            self.flush_relative(record.tid, room, out)?;
            self.flush_relative(thread_of(record, PROCESS), room, out)?;
            return self.flush_owned(child_of(record), room, out);
        }
        let parent = match record.code as u16 {
            _ if is_clone(record) => thread_of(record, PARENT),
            t::SYSCALL_EXECVE_19_X
            | t::SYSCALL_EXECVEAT_X
            | t::PROCEXIT_1_E
            | t::SYSCALL_CHDIR_X
            | t::SYSCALL_FCHDIR_X
                if table.is_some() =>
            {
                record.tid
            }
            _ => {
                self.reveal_all(room, out)?;
                return self.flush_all(room, out);
            }
        };
        // A child's own event tells of its parent, whose descriptors it has.
        if created(record) <= 0 && !self.tables.knows(parent) {
            self.reveal_all(room, out)?;
            return self.flush_all(room, out);
        }
        if let Some(table) = table {
            self.flush(table, room, out)?;
        }
        for tid in [record.tid, created(record), parent] {
            self.flush_owned(tid, room, out)?;
        }
        Ok(())
    }

    /// Hands over what is held back of the table that a thread uses, and of the one that it owns.
    fn flush_owned(&mut self, tid: i64, room: &mut [u8], out: &mut Out) -> Done {
        for table in self.tables.all_of(tid).into_iter().flatten() {
            self.flush(table, room, out)?;
        }
        Ok(())
    }

    /// Hands over what started from the directory of a thread whose process may not be known: an
    /// event that tells which it is gives it another directory.
    fn flush_relative(&mut self, tid: i64, room: &mut [u8], out: &mut Out) -> Done {
        for table in self.tables.all_of(tid).into_iter().flatten() {
            if !self.tables.all[table].is_alone {
                self.flush_of(table, |slot| slot.from_cwd, room, out)?;
            }
        }
        Ok(())
    }

    /// An event that tells nothing of other tables than the thread's own: what is held back of that
    /// one is kept, as far as it stays right. False where it is none.
    pub fn keeps_table(
        &mut self,
        record: &Record,
        table: usize,
        room: &mut [u8],
        out: &mut Out,
    ) -> Result<bool, NoRoom> {
        let known = &self.tables.all[table];
        // A rule that looks at all descriptors has them handed over.
        if known.owner != record.tid || !known.is_alone || self.descriptors[record.code] >> 31 != 0
        {
            return Ok(false);
        }
        self.touch_all(record, table, room, out)?;
        match record.code as u16 {
            t::PROCEXIT_1_E => self.forget_held(table),
            t::SYSCALL_EXECVE_19_X | t::SYSCALL_EXECVEAT_X => {
                self.close_for_program(table, room, out)?;
            }
            t::SYSCALL_CHDIR_X | t::SYSCALL_FCHDIR_X => {
                self.flush_of(table, |slot| slot.from_cwd, room, out)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Where a process is that changes its directory, if its path is known.
    fn gone_to(&mut self, record: &Record, table: usize) -> Option<Rc<Directory>> {
        if record.code == usize::from(t::SYSCALL_FCHDIR_X) {
            return self.path(table, self.used(record)?);
        }
        let name = record.text(1);
        let base = match name.first()? {
            b'/' => None,
            _ => Some(self.tables.all[table].cwd.clone()?),
        };
        let text = base.as_ref().map_or(&b""[..], |base| &base.text);
        if name == NO_NAME || base.as_ref().is_some_and(|base| !base.anchors(name)) {
            return None;
        }
        join(text, name, &mut self.joined);
        Directory::new(&self.joined, &self.tables.taken)
    }

    /// The descriptors end with their process.
    pub fn forget_held(&mut self, table: usize) {
        if self.tables.all[table].pending == 0 {
            return;
        }
        let mut next = 0;
        while let Some(at) = self.tables.all[table].next_used(next) {
            next = at + 1;
            if self.tables.all[table].slots[at].state.is_held() {
                self.drop_held(table, at as i32, State::Unknown);
            }
        }
    }

    /// Another program: descriptors that are marked for it are closed.
    pub fn close_for_program(&mut self, table: usize, room: &mut [u8], out: &mut Out) -> Done {
        let mut next = 0;
        while let Some(at) = self.tables.all[table].next_used(next) {
            next = at + 1;
            let number = at as i32;
            let slot = &self.tables.all[table].slots[at];
            match slot.state {
                State::Absent | State::Closed | State::Unknown | State::File => continue,
                State::Pending if slot.flags_at != 0 && !slot.under => {}
                State::Pending | State::Socket => {
                    self.settle_dependents(table, number, room, out)?;
                    self.touch(table, number, room, out)?;
                    continue;
                }
            }
            if word(&slot.block, usize::from(slot.flags_at)) & O_CLOEXEC != 0 {
                self.settle_dependents(table, number, room, out)?;
                if self.tables.all[table].state(number) == State::Pending {
                    self.drop_held(table, number, State::Absent);
                }
            }
        }
        // What was handed over meanwhile may be closed as well.
        next = 0;
        while let Some(at) = self.tables.all[table].next_used(next) {
            next = at + 1;
            let slot = &mut self.tables.all[table].slots[at];
            if slot.state == State::File {
                (slot.state, slot.path) = (State::Unknown, None);
            }
        }
        Ok(())
    }
}
