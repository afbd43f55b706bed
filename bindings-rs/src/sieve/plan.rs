//! Guards made ready to be asked of many events. In: a guard, of which threads and of which
//! parents its clauses are. Out: which clauses are left once numbers and thread are known, and what
//! they ask of names.
//!
//! A branch for each test and each clause would be guessed wrong every few of them: tests are
//! ranges that are compared one like the other, and which clauses are left of the facts is
//! remembered.
use std::cell::Cell;
use std::hint::select_unpredictable;

use probe::sieve::guard::{ALL_MARKS, CLAUSES, Clause, Params, TESTS, Test, form, test};
use probe::sieve::{Guard, Verdict};

use super::record::{Record, long};

/// For each clause of a guard, of which threads it is (src/sieve/thread_parts.ts).
pub type ClauseThreads = [u64; CLAUSES];

/// Answers that are remembered of a guard, one for each value of five bits.
const REMEMBERED: usize = 1 << 5;
const GOLDEN_RATIO: u64 = 0x9e37_79b9_7f4a_7c15;

/// A number that tests ask for, and how it is read where it has the usual size.
#[derive(Clone, Copy)]
struct Number {
    param: u8,
    form: u8,
    /// Bytes that it has.
    bytes: u8,
    is_signed: bool,
    /// Asked is whether it is there.
    presence: bool,
}

impl Number {
    fn of(asked: &Test) -> Number {
        let (bytes, is_signed) = match asked.form {
            form::U8 => (1, false),
            form::U16 => (2, false),
            form::U32 => (4, false),
            form::I32 => (4, true),
            // The low half of them.
            form::DESCRIPTOR => (8, true),
            _ => (8, false),
        };
        let presence = asked.kind == test::PRESENT;
        Number { param: asked.param, form: asked.form, bytes, is_signed, presence }
    }

    fn is(self, other: Number) -> bool {
        (self.param, self.form, self.presence) == (other.param, other.form, other.presence)
    }

    /// `None`: the parameter is odd.
    #[inline]
    fn read(self, record: &Record) -> Option<i64> {
        let param = usize::from(self.param);
        if record.length(param) == usize::from(self.bytes) && !self.presence {
            let start = record.start(param);
            if let Some(bytes) = record.block.get(start..start + 8) {
                let width = if self.form == form::DESCRIPTOR { 4 } else { self.bytes };
                let above = u32::from(64 - 8 * width) & 63;
                let number = long(bytes, 0) << above;
                return Some(if self.is_signed {
                    number as i64 >> above
                } else {
                    (number >> above) as i64
                });
            }
        }
        let (value, present) = record.number(self.param, self.form)?;
        Some(if self.presence { i64::from(present) } else { value })
    }
}

/// Gives its fact where the number's bits of `mask` are in a range, which may go over the end of
/// all numbers and on at their beginning.
#[derive(Clone, Copy)]
struct Range {
    mask: i64,
    from: i64,
    /// How far the last of them is from the first.
    span: u64,
    fact: u32,
    number: u32,
}

impl Range {
    fn of(asked: &Test, number: usize) -> Range {
        let whole = -1;
        let (mask, from, span) = match asked.kind {
            test::EQUAL => (whole, asked.value, 0),
            test::LESS if asked.value > i64::MIN => {
                (whole, i64::MIN, (asked.value - 1).wrapping_sub(i64::MIN) as u64)
            }
            test::GREATER if asked.value < i64::MAX => {
                (whole, asked.value + 1, i64::MAX.wrapping_sub(asked.value + 1) as u64)
            }
            test::ANY_BIT => (asked.value, 1, u64::MAX - 1),
            test::PRESENT => (whole, 1, 0),
            test::ALWAYS => (0, 0, 0),
            // 0 is not 1.
            _ => (0, 1, 0),
        };
        let (from, span) = match asked.inverted {
            0 => (from, span),
            // All that is behind the range, up to where it begins.
            _ => (from.wrapping_add(span as i64).wrapping_add(1), u64::MAX - 1 - span),
        };
        Range { mask, from, span, fact: 1 << (asked.bit & 31), number: number as u32 }
    }

    #[inline]
    fn fact(&self, number: i64) -> u32 {
        let is_within = (number & self.mask).wrapping_sub(self.from) as u64 <= self.span;
        select_unpredictable(is_within, self.fact, 0)
    }
}

/// The clauses that are left of a guard, a bit each, and what they ask of names.
#[derive(Clone, Copy, Default)]
pub struct Left {
    pub clauses: u32,
    /// One of them asks for no name.
    pub is_plain: bool,
    /// One of them takes a name without any mark.
    takes_none: bool,
    /// Marks that any of them asks about.
    asked: u64,
}

#[derive(Clone, Copy, Default)]
struct Answer {
    facts: u32,
    threads: u64,
    left: Left,
}

struct Asked {
    clause: Clause,
    /// Of which threads it is, and of which parents of processes that execute a program.
    threads: u64,
    parents: u64,
}

/// A guard made ready.
pub struct Plan {
    /// Its tests are answered by the event's bytes alone, each in one way.
    pub is_simple: bool,
    numbers: Vec<Number>,
    ranges: Vec<Range>,
    clauses: Vec<Asked>,
    answers: Vec<Cell<Answer>>,
}

impl Plan {
    /// `None` where the guard decides by itself.
    pub fn of(guard: &Guard, threads: &ClauseThreads, parents: &ClauseThreads) -> Option<Plan> {
        if guard.verdict != Verdict::Ask as u8 {
            return None;
        }
        let tests = &guard.tests[..usize::from(guard.tests_used).min(TESTS)];
        let is_of_socket = |asked: &Test| {
            matches!(asked.form, form::PROTOCOL | form::ADDRESS | form::PORT | form::SOCKET)
        };
        let (mut numbers, mut ranges): (Vec<Number>, _) = (Vec::new(), Vec::new());
        for asked in tests {
            let number = Number::of(asked);
            let at = numbers.iter().position(|other| other.is(number)).unwrap_or_else(|| {
                numbers.push(number);
                numbers.len() - 1
            });
            ranges.push(Range::of(asked, at));
        }
        let used = usize::from(guard.clauses_used).min(CLAUSES);
        let of_whom = threads.iter().zip(parents);
        let clauses = guard.clauses[..used].iter().zip(of_whom);
        let clauses = clauses.map(|(clause, (threads, parents))| Asked {
            clause: *clause,
            threads: *threads,
            parents: *parents,
        });
        let is_simple = !tests.iter().any(is_of_socket);
        let clauses = clauses.collect();
        let mut plan = Plan { is_simple, numbers, ranges, clauses, answers: Vec::new() };
        // A place that was never filled is right too.
        let left = plan.left_by_facts(0, 0);
        plan.answers.resize(REMEMBERED, Cell::new(Answer { facts: 0, threads: 0, left }));
        Some(plan)
    }

    /// The clauses that may be of a thread and a parent of which these parts of rules hold.
    pub fn may_be(&self, facts: u64, parent_facts: u64) -> u32 {
        let clauses = self.clauses.iter().enumerate();
        clauses.fold(0, |left, (at, asked)| {
            let may_be = asked.threads & facts != 0
                && (parent_facts == u64::MAX || asked.parents & parent_facts != 0);
            left | u32::from(may_be) << at
        })
    }

    /// The facts of an event; `None`: it has odd parameters and is kept.
    #[inline]
    pub fn facts(&self, record: &Record) -> Option<u32> {
        let mut numbers = [0; TESTS];
        for (value, number) in numbers.iter_mut().zip(&self.numbers) {
            *value = number.read(record)?;
        }
        let ranges = self.ranges.iter();
        Some(ranges.fold(0, |facts, range| {
            facts | range.fact(numbers[range.number as usize & (TESTS - 1)])
        }))
    }

    /// What is left of the clauses, by the event's facts and those of its thread.
    #[inline]
    pub fn left(&self, facts: u32, threads: u64) -> Left {
        let place = (threads ^ u64::from(facts)).wrapping_mul(GOLDEN_RATIO) >> 59;
        let Some(answer) = self.answers.get(place as usize) else { return Left::default() };
        let known = answer.get();
        if (known.facts, known.threads) == (facts, threads) {
            return known.left;
        }
        let left = self.left_by_facts(facts, threads);
        answer.set(Answer { facts, threads, left });
        left
    }

    #[cold]
    fn left_by_facts(&self, facts: u32, threads: u64) -> Left {
        self.left_where(self.may_be(threads, u64::MAX), |clause| clause.takes_facts(facts))
    }

    /// What is left of those clauses that may be.
    pub fn left_where(&self, may_be: u32, holds: impl Fn(&Clause) -> bool) -> Left {
        let mut left = Left::default();
        for (at, Asked { clause, .. }) in self.clauses.iter().enumerate() {
            if may_be >> at & 1 == 0 || !holds(clause) {
                continue;
            }
            left.clauses |= 1 << at;
            left.is_plain |= clause.marks | clause.without == 0;
            left.takes_none |= clause.marks == 0;
            left.asked |= clause.marks | clause.without;
        }
        left
    }

    /// Whether one of the clauses that are left takes a name of these marks.
    #[inline]
    pub fn takes(&self, left: &Left, marks: u64) -> bool {
        if marks & left.asked == 0 {
            return left.takes_none;
        }
        let is_left = |at: usize| left.clauses >> at & 1 != 0;
        let mut clauses = self.clauses.iter().enumerate();
        marks == ALL_MARKS
            || clauses.any(|(at, asked)| is_left(at) && asked.clause.takes_marks(marks))
    }
}

#[cfg(test)]
mod tests {
    use probe::event::BLOCK;
    use probe::sieve::guard::{self, Text, text};

    use super::*;

    /// An event of these parameters, of the code 0.
    fn block(params: &[&[u8]]) -> Vec<u8> {
        let data: usize = params.iter().map(|param| 2 + param.len()).sum();
        let mut block = [BLOCK, 0, 0, 0, 0, 0].map(u32::to_le_bytes).concat();
        block.resize(26, 0);
        block.extend((26 + data as u32).to_le_bytes());
        block.extend([0, 0]);
        block.extend((params.len() as u32).to_le_bytes());
        for param in params {
            block.extend((param.len() as u16).to_le_bytes());
        }
        block.extend(params.concat());
        block.extend([0; 4]);
        let length = (block.len() as u32).to_le_bytes();
        block[4..8].copy_from_slice(&length);
        block
    }

    /// Tests and clauses of every kind, over two parameters.
    fn guard(next: &mut impl FnMut(u64) -> u64) -> (Guard, ClauseThreads, ClauseThreads) {
        let values = [0, 1, 2, 6, -1, -6, 0x8000_0000, i64::MIN, i64::MAX];
        let mut guard = Guard::KEEP;
        guard.verdict = Verdict::Ask as u8;
        guard.texts[0] = Text { kind: text::PATH, param: 2, directory: text::CWD, pad: 0 };
        (guard.tests_used, guard.clauses_used) = (next(7) as u8, 1 + next(5) as u8);
        for asked in &mut guard.tests {
            (asked.kind, asked.param, asked.form) = (next(8) as u8, next(3) as u8, next(7) as u8);
            (asked.inverted, asked.bit) = (next(2) as u8, next(4) as u8);
            asked.value = values[next(9) as usize];
        }
        for clause in &mut guard.clauses {
            *clause = Clause { all: 0, none: 0, marks: next(4), without: next(4) & 2 };
            (clause.all, clause.none) = (next(16) as u32, next(16) as u32 & next(16) as u32);
        }
        let mut of_whom = || [0; CLAUSES].map(|_: u64| next(4));
        (guard, of_whom(), of_whom())
    }

    #[test]
    fn a_plan_says_what_its_guard_does() {
        let mut chance = 1u64;
        let mut next = |below: u64| {
            chance = chance.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            (chance >> 33) % below
        };
        let [mut odd, mut all, mut plain, mut by_name] = [0; 4];
        for _ in 0..400 {
            let (guard, threads, parents) = guard(&mut next);
            let plan = Plan::of(&guard, &threads, &parents).unwrap();
            assert!(plan.is_simple);
            for _ in 0..40 {
                let value = [0, 1, 2, 6, u64::MAX, -6i64 as u64, 1 << 31][next(7) as usize];
                let bytes = value.to_le_bytes();
                let lengths = [0, 1, 2, 4, 8].map(|length| &bytes[..length]);
                let mut param = || lengths[next(5) as usize];
                let block = block(&[param(), param()]);
                let record = Record::read(&block, &[2]).unwrap();
                let facts = guard::facts(&guard, &record);
                assert_eq!(plan.facts(&record), facts);
                let Some(facts) = facts else {
                    odd += 1;
                    continue;
                };
                let of_thread = next(4);
                let used = usize::from(guard.clauses_used);
                let clauses: Vec<&Clause> = (0..used)
                    .filter(|at| threads[*at] & of_thread != 0)
                    .map(|at| &guard.clauses[at])
                    .filter(|clause| clause.takes_facts(facts))
                    .collect();
                // Asked twice: what is remembered is the same.
                for _ in 0..2 {
                    let left = plan.left(facts, of_thread);
                    assert_eq!(left.clauses.count_ones() as usize, clauses.len());
                    let is_plain = |clause: &&Clause| clause.marks | clause.without == 0;
                    assert_eq!(left.is_plain, clauses.iter().any(is_plain));
                    if clauses.is_empty() || left.is_plain {
                        plain += 1;
                        continue;
                    }
                    for marks in [0, 1, 2, 3, 8, ALL_MARKS] {
                        let takes = marks == ALL_MARKS
                            || clauses.iter().any(|clause| clause.takes_marks(marks));
                        assert_eq!(plan.takes(&left, marks), takes);
                        by_name += 1;
                    }
                }
                all += 1;
            }
        }
        assert!(odd > 1_000 && all > 1_000 && plain > 1_000 && by_name > 1_000);
    }

    #[test]
    fn parents_are_asked_where_they_are_known() {
        let mut guard = Guard::KEEP;
        (guard.verdict, guard.clauses_used) = (Verdict::Ask as u8, 2);
        let [mut threads, mut parents] = [[0; CLAUSES]; 2];
        (threads[0], threads[1]) = (0b1, 0b11);
        (parents[0], parents[1]) = (0b1, 0b10);
        let plan = Plan::of(&guard, &threads, &parents).unwrap();
        assert_eq!(plan.may_be(0b1, u64::MAX), 0b11);
        assert_eq!(plan.may_be(0b10, u64::MAX), 0b10);
        assert_eq!(plan.may_be(0b1, 0b1), 0b1);
        assert_eq!(plan.may_be(0b10, 0b1), 0);
        assert!(Plan::of(&Guard::KEEP, &threads, &parents).is_none());
    }
}
