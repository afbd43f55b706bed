//! Executions that fail are judged by who makes them: what the engine said of a process when it was
//! born or began its program holds of these too, until the process is another user. In: births,
//! executions and what they were answered. Out: for which parts of rules a failed one may be.
use probe::table as t;

use super::callers::Failures;
use super::pass::Sieve;
use super::record::Record;

impl Sieve {
    /// For which parts of rules a failed execution of this thread may be.
    pub fn failures_of(&self, tid: i64) -> u64 {
        let table = self.tables.all_of(tid)[1].map(|table| &self.tables.all[table]);
        let known = table.filter(|table| table.is_alone).and_then(|table| table.failures.as_ref());
        known.map_or(u64::MAX, |failures| failures.facts)
    }

    /// What holds of a child that is held back, which has all but what its event tells of its
    /// parent; `known`: its program is known.
    pub fn failures_born(
        &mut self,
        record: &Record,
        parent: i64,
        table: usize,
        known: bool,
    ) -> Option<Failures> {
        let of_parent = &mut self.tables.all[table];
        let found = if self.lives.holds(parent) {
            &of_parent.failures
        } else {
            if let Some((_, facts)) = self.answered {
                of_parent.born_failures = Some(Failures::new(record, facts));
            }
            &of_parent.born_failures
        };
        found.as_ref().filter(|failures| known && failures.are_of(record)).cloned()
    }

    /// A process begins another program.
    pub fn note_failures(&mut self, record: &Record, table: usize) {
        let table = &mut self.tables.all[table];
        table.born_failures = None;
        table.failures = self.answered.map(|(_, facts)| Failures::new(record, facts));
    }

    /// An event that may make its thread another user.
    pub fn changes_caller(&mut self, record: &Record, table: usize) {
        let keeps = [t::SYSCALL_SETSID_X, t::SYSCALL_PRCTL_X, t::SYSCALL_PRLIMIT_X];
        if !keeps.contains(&(record.code as u16)) {
            self.tables.all[table].failures = None;
        }
    }
}
