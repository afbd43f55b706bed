//! The tests of a guard, asked of an event. In: the guard, the event. Out: a bit for each test that
//! holds, once for each way in which the engine may understand where the event leads a socket.
use std::cell::Cell;

use probe::sieve::Guard;
use probe::sieve::guard::{Clause, Params, Test, form};

use super::ends::WAYS;
use super::pass::Sieve;
use super::record::Record;

/// The bits by way; where there is but one, or none is told apart, by one.
pub struct Facts {
    all: [u32; WAYS],
    count: usize,
}

impl Facts {
    #[inline]
    fn one(facts: u32) -> Facts {
        Facts { all: [facts; WAYS], count: 1 }
    }

    /// Whether what a clause asks of numbers holds in one of the ways.
    #[inline]
    pub fn satisfy(&self, clause: &Clause) -> bool {
        self.all[..self.count].iter().any(|facts| clause.takes_facts(*facts))
    }
}

/// Tests of where a socket leads.
#[inline]
fn is_of_socket(test: &Test) -> bool {
    matches!(test.form, form::ADDRESS | form::PORT | form::SOCKET)
}

impl Sieve {
    /// `None`: the event has odd parameters and is kept.
    #[inline]
    pub fn facts(&self, guard: &Guard, record: &Record, table: usize) -> Option<Facts> {
        let asked = Remembered { params: record, last: Cell::new(None) };
        let mut facts = 0;
        let mut leads = false;
        for test in &guard.tests[..usize::from(guard.tests_used).min(guard.tests.len())] {
            let holds = match test.form {
                form::ADDRESS | form::PORT | form::SOCKET => {
                    leads = true;
                    continue;
                }
                // What is not known may be so.
                form::PROTOCOL => {
                    self.protocol(record, table).is_none_or(|protocol| test.holds(protocol, true))
                }
                _ => {
                    let (value, present) = asked.number(test.param, test.form)?;
                    test.holds(value, present)
                }
            };
            facts |= bit(test, holds);
        }
        Some(if leads { self.led_facts(guard, record, table, facts) } else { Facts::one(facts) })
    }

    /// The same with the tests of where the event leads a socket.
    fn led_facts(&self, guard: &Guard, record: &Record, table: usize, facts: u32) -> Facts {
        let tests = guard.tests.iter().take(usize::from(guard.tests_used));
        let tests = tests.filter(|test| is_of_socket(test));
        let Some(ways) = self.ways(record, table) else {
            return Facts::one(tests.fold(facts, |facts, test| facts | bit(test, true)));
        };
        let mut made = Facts { all: [facts; WAYS], count: 0 };
        for way in ways.iter() {
            for test in tests.clone() {
                let holds = if test.form == form::SOCKET {
                    test.holds(way.socket, true)
                } else {
                    let is_among = self.ends.holds(test.value, test.param, way);
                    is_among.is_none_or(|is_among| is_among == (test.inverted == 0))
                };
                made.all[made.count] |= bit(test, holds);
            }
            made.count += 1;
        }
        made
    }
}

#[inline]
fn bit(test: &Test, holds: bool) -> u32 {
    u32::from(holds) << (test.bit & 31)
}

/// Reads a number once for all tests of it that follow one another.
struct Remembered<'a> {
    params: &'a Record<'a>,
    last: Cell<Option<Read>>,
}

#[derive(Clone, Copy)]
struct Read {
    param: u8,
    form: u8,
    number: (i64, bool),
}

impl Remembered<'_> {
    #[inline]
    fn number(&self, param: u8, form: u8) -> Option<(i64, bool)> {
        if let Some(last) = self.last.get()
            && (last.param, last.form) == (param, form)
        {
            return Some(last.number);
        }
        let number = self.params.number(param, form)?;
        self.last.set(Some(Read { param, form, number }));
        Some(number)
    }
}
