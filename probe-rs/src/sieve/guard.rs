//! What must hold of an event of one code: tests of its numbers, then clauses over the bits that
//! tests and names gave. An event is kept where one clause holds.

/// Tests and clauses of a guard, at the most; src/sieve/ merges what is more.
pub const TESTS: usize = 16;
pub const CLAUSES: usize = 16;
/// Names that an event of this code has: parameters that hold a path.
pub const TEXTS: usize = 2;

/// A guard's `verdict`.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Verdict {
    /// No rule can match an event of this code.
    Drop = 0,
    /// The code alone decides that it is kept.
    Keep = 1,
    /// Tests and clauses decide.
    Ask = 2,
}

/// A test's `kind`; the value is a parameter's, 0 where the event lacks it.
pub mod test {
    /// Never holds: no test.
    pub const NONE: u8 = 0;
    pub const EQUAL: u8 = 1;
    pub const LESS: u8 = 2;
    pub const GREATER: u8 = 3;
    /// value & constant is not 0.
    pub const ANY_BIT: u8 = 4;
    /// The parameter is there and not empty.
    pub const PRESENT: u8 = 5;
    /// Always holds.
    pub const ALWAYS: u8 = 6;
    /// An end of the call's socket is among those of a set, whose place is the value; `param` says
    /// which end: over captures alone (bindings-rs/src/sieve/ends.rs).
    pub const AMONG: u8 = 7;
}

/// How a parameter's bytes are a number: a test's `form`.
pub mod form {
    pub const U8: u8 = 0;
    pub const U16: u8 = 1;
    pub const U32: u8 = 2;
    pub const I32: u8 = 3;
    pub const I64: u8 = 4;
    /// What a call returned: 8 bytes, or 4.
    pub const RESULT: u8 = 5;
    /// The low half of 8 bytes, or 4: descriptors.
    pub const DESCRIPTOR: u8 = 6;
    /// The protocol of the call's socket, which stands in no parameter: over captures alone.
    pub const PROTOCOL: u8 = 7;
    /// Address and port of an end, for `test::AMONG`.
    pub const ADDRESS: u8 = 8;
    pub const PORT: u8 = 9;
    /// The bit of what the call's socket is: over captures alone.
    pub const SOCKET: u8 = 10;
}

/// One test of one parameter; the bit is set where it holds. Tests of one bit are joined by "or".
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Test {
    pub kind: u8,
    /// Index of the parameter.
    pub param: u8,
    pub form: u8,
    /// 1: holds where it would not.
    pub inverted: u8,
    /// Place of the bit in the facts.
    pub bit: u8,
    pub pad: [u8; 3],
    pub value: i64,
}

/// Holds where all facts of `all`, none of `none`, all marks of `marks` and none of `without` are
/// there; a text that is not known has all marks and satisfies `without` too. One that is not used
/// asks for a fact and for its absence.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Clause {
    pub all: u32,
    pub none: u32,
    pub marks: u64,
    pub without: u64,
}

impl Clause {
    pub const UNUSED: Clause = Clause { all: 1, none: 1, marks: 0, without: 0 };
}

/// Where a text is that names are asked of.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Text {
    /// See `text`.
    pub kind: u8,
    /// Index of the parameter that holds the path, or the descriptor.
    pub param: u8,
    /// Index of the parameter with the directory's descriptor; `text::CWD` where there is none.
    pub directory: u8,
    pub pad: u8,
}

/// A text's `kind`.
pub mod text {
    pub const NONE: u8 = 0;
    /// A path, from the directory's descriptor or the working directory where it is relative.
    pub const PATH: u8 = 1;
    /// The name of what the descriptor leads to.
    pub const DESCRIPTOR: u8 = 2;
    pub const CWD: u8 = 255;
}

/// One value of a map with an entry for each event code.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Guard {
    /// See `Verdict`.
    pub verdict: u8,
    /// How many tests and clauses are used.
    pub tests_used: u8,
    pub clauses_used: u8,
    /// See `src/sieve/state_effects.ts`: what the event does to the tables. Asked over captures.
    pub effect: u8,
    pub texts: [Text; TEXTS],
    pub pad: u32,
    pub tests: [Test; TESTS],
    pub clauses: [Clause; CLAUSES],
}

pub const GUARD_BYTES: usize = 16 + TESTS * 16 + CLAUSES * 24;
const _: () = assert!(core::mem::size_of::<Guard>() == GUARD_BYTES);

impl Guard {
    /// Keeps everything.
    pub const KEEP: Guard = Guard {
        verdict: Verdict::Keep as u8,
        tests_used: 0,
        clauses_used: 0,
        effect: 0,
        texts: [Text { kind: text::NONE, param: 0, directory: text::CWD, pad: 0 }; TEXTS],
        pad: 0,
        tests: [Test { kind: 0, param: 0, form: 0, inverted: 0, bit: 0, pad: [0; 3], value: 0 };
            TESTS],
        clauses: [Clause::UNUSED; CLAUSES],
    };
}

/// The parameters of a finished event.
pub trait Params {
    /// The number that a parameter holds, 0 for one that is empty or not there, and whether it is
    /// there. `None` where its size is not what `form` says: the event is kept then.
    fn number(&self, param: u8, form: u8) -> Option<(i64, bool)>;
}

/// The number in a parameter's bytes; `load` reads eight bytes from its start, those behind its
/// end do not matter.
#[inline(always)]
pub fn number_of(length: usize, form: u8, load: impl Fn() -> u64) -> Option<(i64, bool)> {
    if length == 0 {
        return Some((0, false));
    }
    let value = match (form, length) {
        (form::U8, 1) => i64::from(load() as u8),
        (form::U16, 2) => i64::from(load() as u16),
        (form::U32, 4) => i64::from(load() as u32),
        (form::I32 | form::RESULT, 4) => i64::from(load() as i32),
        (form::I64 | form::RESULT, 8) => load() as i64,
        (form::DESCRIPTOR, 4 | 8) => i64::from(load() as i32),
        _ => return None,
    };
    Some((value, true))
}

impl Test {
    /// Whether it holds of a parameter's number.
    #[inline(always)]
    pub fn holds(&self, value: i64, present: bool) -> bool {
        let holds = match self.kind {
            test::EQUAL => value == self.value,
            test::LESS => value < self.value,
            test::GREATER => value > self.value,
            test::ANY_BIT => value & self.value != 0,
            test::PRESENT => present,
            test::ALWAYS => true,
            _ => false,
        };
        holds == (self.inverted == 0)
    }
}

/// The facts of an event; `None`: it has odd parameters and is kept.
#[inline(always)]
pub fn facts<P: Params>(guard: &Guard, params: &P) -> Option<u32> {
    let mut facts = 0;
    for at in 0..TESTS {
        let Some(test) = guard.test(at) else { break };
        let (value, present) = params.number(test.param, test.form)?;
        facts |= u32::from(test.holds(value, present)) << (test.bit & 31);
    }
    Some(facts)
}

/// Every mark: what is said of a text that is not known.
pub const ALL_MARKS: u64 = u64::MAX;

impl Guard {
    #[inline(always)]
    pub fn test(&self, at: usize) -> Option<&Test> {
        if at >= self.tests_used as usize { None } else { Some(&self.tests[at & (TESTS - 1)]) }
    }

    #[inline(always)]
    fn any(&self, holds: impl Fn(&Clause) -> bool) -> bool {
        for at in 0..CLAUSES {
            if at >= self.clauses_used as usize {
                return false;
            }
            if holds(&self.clauses[at & (CLAUSES - 1)]) {
                return true;
            }
        }
        false
    }
}

impl Clause {
    #[inline(always)]
    pub fn takes_facts(&self, facts: u32) -> bool {
        (facts & self.all ^ self.all) | facts & self.none == 0
    }

    #[inline(always)]
    pub fn takes_marks(&self, marks: u64) -> bool {
        (marks & self.marks ^ self.marks) | marks & self.without == 0
    }
}

/// Whether a clause holds of these facts and the marks of one text. An event with several texts, or
/// one text under several views, is kept where one of them is admitted: their marks are not joined.
/// With `ALL_MARKS` it says whether any text could be admitted.
#[inline(always)]
pub fn admits(guard: &Guard, facts: u32, marks: u64) -> bool {
    let unknown = marks == ALL_MARKS;
    guard.any(|clause| clause.takes_facts(facts) && (unknown || clause.takes_marks(marks)))
}

/// The same of a text under two views.
#[inline(always)]
pub fn admits_either(guard: &Guard, facts: u32, first: u64, second: u64) -> bool {
    let unknown = first == ALL_MARKS;
    guard.any(|clause| {
        clause.takes_facts(facts)
            && (unknown || clause.takes_marks(first) || clause.takes_marks(second))
    })
}

/// Whether a clause holds whatever the texts are, so that none need be walked.
#[inline(always)]
pub fn admits_any(guard: &Guard, facts: u32) -> bool {
    guard.any(|clause| clause.takes_facts(facts) && clause.marks | clause.without == 0)
}

/// Whether a clause could hold of these marks, whatever the numbers are.
#[inline(always)]
pub fn may_admit(guard: &Guard, marks: u64) -> bool {
    guard.any(|clause| clause.takes_marks(marks))
}
