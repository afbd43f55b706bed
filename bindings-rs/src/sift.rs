//! The sieve's tables in the probe (ebpf-rs/src/sieve.rs), and the guards that drivers ask. In: a
//! table's bytes as src/sieve/ makes them (probe-rs/src/sieve/table.rs). Out: guards and automaton
//! in their maps, exchanged so that no program ever sees a half of them; how many events were kept
//! back.
//!
//! Live, an event may be kept back where the tables of the engine do not need it: what it does to
//! them stands with its guard.
use aya::maps::{Array, MapData};
use probe::device;
use probe::sieve::effect::{FCNTL, NONE, OPEN, TRANSFER};
use probe::sieve::guard::{Clause, Test, form, test, text};
use probe::sieve::table::{Parts, parts};
use probe::sieve::{Guard, Names, Verdict};
use probe::table::PARAM_COUNTS;

use crate::counters::ByCode;
use crate::failure::{Code, Failure};

#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct GuardValue(Guard);
// SAFETY: plain numbers without holes.
unsafe impl aya::Pod for GuardValue {}

/// The bytes of a `Names`, which is too large to be copied about.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub struct NamesValue([u8; size_of::<Names>()]);
// SAFETY: plain bytes.
unsafe impl aya::Pod for NamesValue {}

/// The commands of `fcntl` that change a descriptor, as the event has them: F_DUPFD, F_SETFD,
/// F_DUPFD_CLOEXEC.
const CHANGING: [i64; 3] = [1, 3, 26];
/// The parameter with the command.
const COMMAND: u8 = 2;

pub struct Sieve {
    pub guards: Array<MapData, GuardValue>,
    pub names: Array<MapData, NamesValue>,
    pub sifted: ByCode,
    /// Why the kernel cannot ask it.
    pub refused: Option<String>,
}

impl Sieve {
    /// Lets everything through. Nothing but the verdicts changes: a program that has begun to ask
    /// a guard would take one without clauses for one that wants nothing.
    pub fn open(&mut self) -> Result<(), Failure> {
        for code in 0..PARAM_COUNTS.len() {
            let GuardValue(guard) = self
                .guards
                .get(&(code as u32), 0)
                .map_err(|error| Failure::of_map(&error, "read the sieve's guards"))?;
            self.set(code, &Guard { verdict: Verdict::Keep as u8, ..guard })?;
        }
        Ok(())
    }

    /// Exchanges the table; an empty one lets everything through. While it is written, all is kept.
    /// `keeps_opens`: whatever it says of them.
    pub fn exchange(&mut self, bytes: &[u8], keeps_opens: bool) -> Result<(), Failure> {
        let invalid = |what: &str| Failure::new(Code::Invalid, format!("Cannot use it: {what}"));
        let table = if bytes.is_empty() { None } else { Some(parts(bytes).map_err(invalid)?) };
        if let (Some(_), Some(reason)) = (&table, &self.refused) {
            return Err(Failure::new(Code::Verifier, format!("No sieve in the kernel: {reason}")));
        }
        self.open()?;
        let Some(table) = table else { return Ok(()) };
        wait_for_programs();
        // SAFETY: all bytes of a Names may be zero, and a NamesValue has its size and alignment.
        let names = unsafe {
            let mut names = Box::<NamesValue>::new_zeroed().assume_init();
            table.fill(&mut *(&raw mut *names).cast::<Names>());
            names
        };
        // By reference: a copy would not fit on the thread's stack.
        let value: &NamesValue = &names;
        self.names
            .set(0, value, 0)
            .map_err(|error| Failure::of_map(&error, "load the sieve's names"))?;
        // A program may read a guard while it is written: what it asks is there before it asks.
        for code in 0..PARAM_COUNTS.len() {
            let guard = guard_of(&table, code, keeps_opens);
            self.set(code, &Guard { verdict: Verdict::Keep as u8, ..guard })?;
        }
        wait_for_programs();
        for code in 0..PARAM_COUNTS.len() {
            self.set(code, &guard_of(&table, code, keeps_opens))?;
        }
        Ok(())
    }

    fn set(&mut self, code: usize, guard: &Guard) -> Result<(), Failure> {
        self.guards
            .set(code as u32, GuardValue(*guard), 0)
            .map_err(|error| Failure::of_map(&error, "load the sieve's guards"))
    }

    /// Events kept back so far, of all CPUs, for each code that has some.
    pub fn counts(&self) -> Vec<(u16, u64)> {
        self.sifted.sums()
    }
}

/// All of a table, as drivers without maps ask it.
pub fn sieve_of(table: &Parts, keeps_opens: bool) -> Box<device::Sieve> {
    // SAFETY: all bytes of a Sieve may be zero.
    let mut sieve = unsafe { Box::<device::Sieve>::new_zeroed().assume_init() };
    table.fill(&mut sieve.names);
    for (code, guard) in sieve.guards.iter_mut().enumerate() {
        *guard = guard_of(table, code, keeps_opens);
    }
    sieve
}

/// A table's guard for a code, as it is asked live. An event may be kept back that makes its thread
/// known, which a later event does as well, or a descriptor, which comes with each later event that
/// uses it. Opens that no rule is about are asked too: those that alone know a descriptor's name
/// are kept (probe-rs/src/sieve/opens.rs).
pub fn guard_of(table: &Parts, code: usize, keeps_opens: bool) -> Guard {
    let guard = table.guard(code);
    match guard.effect {
        OPEN if keeps_opens => Guard::KEEP,
        OPEN if guard.verdict == Verdict::Drop as u8 => {
            Guard { verdict: Verdict::Ask as u8, tests_used: 0, clauses_used: 0, ..guard }
        }
        NONE | OPEN => guard,
        // Sockets are kept whatever it says.
        TRANSFER if guard.verdict == Verdict::Ask as u8 => guard,
        // No rule is about it: tables alone need it.
        FCNTL if guard.verdict == Verdict::Drop as u8 => changing(&guard),
        _ => Guard::KEEP,
    }
}

/// Keeps the commands that change a descriptor: most others only ask, in great numbers.
fn changing(guard: &Guard) -> Guard {
    let verdict = Verdict::Ask as u8;
    let mut asked = Guard { verdict, tests_used: 0, clauses_used: 1, ..*guard };
    asked.texts[0].kind = text::NONE;
    for (test, value) in asked.tests.iter_mut().zip(CHANGING) {
        *test = Test {
            kind: test::EQUAL,
            param: COMMAND,
            form: form::U8,
            inverted: 0,
            bit: 0,
            pad: [0; 3],
            value,
        };
        asked.tests_used += 1;
    }
    asked.clauses[0] = Clause { all: 1, none: 0, marks: 0, without: 0 };
    asked
}

/// Returns when each program that ran before has ended: programs run under RCU, and this waits for
/// all of its readers.
fn wait_for_programs() {
    const MEMBARRIER_CMD_GLOBAL: libc::c_int = 1;
    // SAFETY: no memory is involved.
    unsafe { libc::syscall(libc::SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use probe::sieve::admits;
    use probe::sieve::guard::{Params, facts};

    struct Command(i64);
    impl Params for Command {
        fn number(&self, param: u8, form: u8) -> Option<(i64, bool)> {
            assert_eq!((param, form), (COMMAND, form::U8));
            Some((self.0, true))
        }
    }

    #[test]
    fn an_fcntl_that_no_rule_is_about_is_kept_where_it_changes_a_descriptor() {
        let guard = changing(&Guard { effect: FCNTL, verdict: Verdict::Drop as u8, ..Guard::KEEP });
        let kept = |command| admits(&guard, facts(&guard, &Command(command)).unwrap(), 0);
        assert_eq!([1, 3, 26].map(kept), [true; 3]);
        assert_eq!([0, 2, 4, 5, 27].map(kept), [false; 5]);
    }
}
