//! The class CaptureSieve of ../index.d.ts: the sieve over the blocks of captures, before they
//! reach the engine.
#![allow(clippy::needless_pass_by_value, reason = "napi hands values over")]
mod at_once;
mod birth;
mod callers;
mod directory;
mod ends;
mod executions;
mod facts;
mod failures;
mod family;
mod held;
mod judge;
mod life;
mod map;
mod out;
mod pass;
mod place;
mod plan;
mod program;
mod protocol;
mod record;
mod reveal;
mod scan;
mod settle;
mod sockets;
mod state;
mod tables;
mod usual;
mod ways;

use napi::bindgen_prelude::{Float64Array, Int8Array, Uint8Array, Uint32Array};
use napi_derive::napi;
use probe::sieve::guard::{CLAUSES, text};
use probe::sieve::table::{Parts, parts};
use probe::sieve::{Guard, Names, Verdict};

use crate::failure::{Code, Failure};
use directory::Directory;
use ends::EndSets;
use executions::Executions;
use life::{Lives, Programs, Question};
use out::Out;
use pass::{Asked, Sieve, Stop};
use plan::{ClauseThreads, Plan};
use tables::{Answer, Tables};
use usual::Usual;

type Result<T> = std::result::Result<T, napi::Error<Code>>;

#[allow(clippy::struct_excessive_bools, reason = "each is a fact by itself")]
#[napi(object)]
pub struct SieveOptions {
    pub table: Uint8Array,
    pub clause_threads: Uint32Array,
    pub clause_parents: Uint32Array,
    pub counts: Uint8Array,
    pub descriptors: Uint32Array,
    pub uses: Int8Array,
    pub pids: Uint32Array,
    pub lookers: Uint32Array,
    pub ends: Uint32Array,
    pub keeps_descriptors: bool,
    pub asks_raw: bool,
    pub asks_env: bool,
    pub ignores_descriptors: bool,
    pub current: Uint8Array,
}

/// What other rules change of the options.
#[napi(object)]
pub struct OtherRules {
    pub table: Uint8Array,
    pub clause_threads: Uint32Array,
    pub clause_parents: Uint32Array,
    pub descriptors: Uint32Array,
    pub lookers: Uint32Array,
    pub ends: Uint32Array,
    pub keeps_descriptors: bool,
    pub asks_raw: bool,
    pub asks_env: bool,
}

/// Memory of the engine, which leaves it where it is as long as the sieve has it.
struct Lent {
    buffer: Uint8Array,
    entries: Uint32Array,
    state: Uint32Array,
    cwd: Uint8Array,
}

#[napi]
pub struct CaptureSieve {
    sieve: Sieve,
    current: Vec<u8>,
    lent: Option<Lent>,
}

fn checked(bytes: &[u8], codes: usize) -> std::result::Result<Parts<'_>, Failure> {
    let parts = parts(bytes).map_err(|reason| Failure::new(Code::Invalid, reason.to_owned()))?;
    if parts.codes != codes {
        return Err(Failure::new(
            Code::Invalid,
            format!("The sieve's table has {} event codes, {codes} are known", parts.codes),
        ));
    }
    Ok(parts)
}

fn names(parts: &Parts) -> Box<Names> {
    // SAFETY: all bytes of a Names may be zero.
    let mut names: Box<Names> = unsafe { Box::<Names>::new_zeroed().assume_init() };
    parts.fill(&mut names);
    names
}

/// Two words of the engine as one.
fn double(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// The words of `lookers`, by code.
fn lookers(words: &[u32], codes: usize) -> std::result::Result<Vec<u64>, Failure> {
    if words.len() != codes * 2 {
        let message = "The sieve's lists differ in length".to_owned();
        return Err(Failure::new(Code::Invalid, message));
    }
    Ok(words.chunks_exact(2).map(|words| double(words[0], words[1])).collect())
}

/// The words of `clauseThreads` or `clauseParents`, by code.
fn clause_threads(words: &[u32], codes: usize) -> std::result::Result<Vec<ClauseThreads>, Failure> {
    if words.len() != codes * CLAUSES * 2 {
        let message = "The sieve's lists differ in length".to_owned();
        return Err(Failure::new(Code::Invalid, message));
    }
    let of_code = |words: &[u32]| {
        let mut threads = [u64::MAX; CLAUSES];
        for (bits, words) in threads.iter_mut().zip(words.chunks_exact(2)) {
            *bits = double(words[0], words[1]);
        }
        threads
    };
    Ok(words.chunks_exact(CLAUSES * 2).map(of_code).collect())
}

/// Guards made ready, by code.
fn plans(
    guards: &[Guard],
    threads: &[u32],
    parents: &[u32],
) -> std::result::Result<Vec<Option<Plan>>, Failure> {
    let threads = clause_threads(threads, guards.len())?;
    let parents = clause_threads(parents, guards.len())?;
    let of_whom = threads.iter().zip(&parents);
    let all = guards.iter().zip(of_whom);
    Ok(all.map(|(guard, (threads, parents))| Plan::of(guard, threads, parents)).collect())
}

fn end_sets(words: &[u32]) -> std::result::Result<EndSets, Failure> {
    EndSets::read(words).ok_or_else(|| {
        let message = "The sieve's sets of addresses and ports are cut off".to_owned();
        Failure::new(Code::Invalid, message)
    })
}

/// Whether names of descriptors are asked for.
fn asks_descriptors(guards: &[Guard]) -> bool {
    guards.iter().any(|guard| {
        guard.verdict == Verdict::Ask as u8
            && guard.texts.iter().any(|one| one.kind == text::DESCRIPTOR)
    })
}

#[napi]
impl CaptureSieve {
    #[napi(factory)]
    pub fn make(options: SieveOptions) -> Result<Self> {
        let codes = options.counts.len();
        let lengths = [options.descriptors.len(), options.uses.len(), options.pids.len()];
        if lengths.iter().any(|length| *length != codes) {
            let message = "The sieve's lists differ in length".to_owned();
            return Err(Failure::new(Code::Invalid, message).into());
        }
        let parts = checked(&options.table, codes)?;
        let guards: Vec<Guard> = (0..codes).map(|code| parts.guard(code)).collect();
        let plans = plans(&guards, &options.clause_threads, &options.clause_parents)?;
        let lookers = lookers(&options.lookers, codes)?;
        let mut made = Self {
            current: options.current.to_vec(),
            lent: None,
            sieve: Sieve {
                lives: Lives::default(),
                holds_lives: false,
                pids: options.pids.to_vec(),
                lookers,
                ends: end_sets(&options.ends)?,
                programs: Programs::new(),
                executions: Executions::new(options.asks_env),
                question: Question::default(),
                answered: None,
                began: false,
                names: names(&parts),
                asked: Asked {
                    descriptors: asks_descriptors(&guards),
                    raw: options.asks_raw,
                    all: options.keeps_descriptors,
                },
                usual: Usual::of(&guards, &options.counts, &options.uses),
                guards,
                plans,
                counts: options.counts.to_vec(),
                descriptors: options.descriptors.to_vec(),
                uses: options.uses.to_vec(),
                tables: Tables::default(),
                pending: 0,
                tells_time: false,
                ignores_descriptors: options.ignores_descriptors,
                sees_entries: false,
                joined: Vec::new(),
                told: Vec::new(),
                stranger: None,
                is_apart: false,
                passed: vec![0; codes],
            },
        };
        made.sieve.holds_lives = made.sieve.may_hold_lives();
        Ok(made)
    }

    /// Other rules: what is known of names is forgotten, what is held back stays so.
    #[napi]
    pub fn exchange(&mut self, lists: OtherRules) -> Result<()> {
        let codes = self.sieve.counts.len();
        if lists.descriptors.len() != codes {
            let message = "The sieve's lists differ in length".to_owned();
            return Err(Failure::new(Code::Invalid, message).into());
        }
        let parts = checked(&lists.table, codes)?;
        let guards: Vec<Guard> = (0..codes).map(|code| parts.guard(code)).collect();
        self.sieve.plans = plans(&guards, &lists.clause_threads, &lists.clause_parents)?;
        self.sieve.lookers = lookers(&lists.lookers, codes)?;
        self.sieve.ends = end_sets(&lists.ends)?;
        self.sieve.names = names(&parts);
        self.sieve.asked.descriptors = asks_descriptors(&guards);
        self.sieve.usual = Usual::of(&guards, &self.sieve.counts, &self.sieve.uses);
        self.sieve.guards = guards;
        self.sieve.descriptors = lists.descriptors.to_vec();
        self.sieve.asked.all = lists.keeps_descriptors;
        self.sieve.asked.raw = lists.asks_raw;
        self.sieve.tables.forget_names();
        self.sieve.programs.clear();
        self.sieve.executions = Executions::new(lists.asks_env);
        self.sieve.lives.forget_programs();
        self.sieve.holds_lives = self.sieve.may_hold_lives();
        Ok(())
    }

    /// How far the first `length` bytes hold whole blocks of current events; `state` gets their
    /// number.
    #[napi]
    pub fn scan(&self, buffer: Uint8Array, length: u32, mut state: Uint32Array) -> u32 {
        // SAFETY: the engine lends both for this call, on its own thread.
        let state = unsafe { state.as_mut() };
        let length = (length as usize).min(buffer.len());
        let (end, events) = scan::scan(&buffer[..length], &self.current);
        state[0] = events;
        end as u32
    }

    /// The memory that `pass` and `answer` use: to hand it over anew at each call would cost more
    /// than what they do.
    #[napi]
    pub fn lend(
        &mut self,
        buffer: Uint8Array,
        entries: Uint32Array,
        state: Uint32Array,
        cwd: Uint8Array,
    ) {
        self.lent = Some(Lent { buffer, entries, state, cwd });
    }

    /// Goes on at `from` over the blocks in the first `length` bytes of the buffer; copies go
    /// behind them. `state` gets: how far it came, entries, events passed over behind the last of
    /// them, what is asked (1: `answer`, of which thread; 2: `answer_program`). Returns why it
    /// ended (`pass::Stop`). `from` behind `length`: other tables come, and
    /// what is held back is handed over.
    #[napi]
    pub fn pass(&mut self, length: u32, from: u32) -> u32 {
        let Some(Lent { buffer, entries, state, .. }) = &mut self.lent else {
            return Stop::End as u32;
        };
        // SAFETY: the engine lent them, and looks at them between two calls, on this thread.
        let (bytes, entries, state) =
            unsafe { (buffer.as_mut(), entries.as_mut(), state.as_mut()) };
        let length = (length as usize).min(bytes.len());
        let (blocks, room) = bytes.split_at_mut(length);
        let mut out = Out {
            entries,
            used: 0,
            passed: 0,
            copy_start: length,
            copy_at: length,
            copy_end: length + room.len(),
        };
        let (at, stop) = if from as usize > length {
            (from as usize, self.sieve.begin_anew(room, &mut out))
        } else {
            self.sieve.pass(blocks, from as usize, room, &mut out)
        };
        state[0] = at as u32;
        state[1] = out.used as u32;
        state[2] = out.passed;
        (state[3], state[4]) = match self.sieve.question {
            Question::Nothing => (0, 0),
            Question::Table(tid) => (1, tid as u32),
            Question::Program => (2, 0),
        };
        stop as u32
    }

    /// Whose table a thread has, its working directory (so many bytes of what was lent for it) and
    /// what may hold of it; `owner` below 0: it is not known; of `marks` 1: no other thread has
    /// this table, 2: its process has the same id in its own pid namespace, 4: its process has
    /// other descriptors.
    #[napi]
    pub fn answer(
        &mut self,
        tid: f64,
        owner: f64,
        cwd_bytes: u32,
        low: u32,
        high: u32,
        marks: u32,
    ) {
        let (tid, owner) = (tid as i64, owner as i64);
        let Self { sieve, lent, .. } = self;
        let is_apart = marks & 4 != 0;
        if owner < 0 || is_apart {
            (sieve.stranger, sieve.is_apart) = (Some(tid), is_apart);
            return;
        }
        let cwd = lent.as_ref().and_then(|lent| lent.cwd.get(..cwd_bytes as usize));
        let cwd = cwd.and_then(|text| Directory::new(text, &sieve.tables.taken));
        let facts = double(low, high);
        let (is_alone, is_outside) = (marks & 1 != 0, marks & 2 != 0);
        sieve.tables.learn(Answer { tid, owner, cwd, facts, is_alone, is_outside });
    }

    /// What holds of the thread that the event makes, or makes another program of: from then on,
    /// and for the rules of the event.
    #[napi]
    pub fn answer_program(&mut self, low: u32, high: u32, rules_low: u32, rules_high: u32) {
        let answer = (double(low, high), double(rules_low, rules_high));
        self.sieve.answered = Some(answer);
        self.sieve.executions.learn(answer);
    }

    /// Which threads and processes the engine has, and which lead their sessions and groups: births
    /// of others can be held back. Without, none are from now on.
    #[napi]
    pub fn know(&mut self, tids: Option<Float64Array>, leaders: Float64Array) {
        self.sieve.lives.know(tids.as_deref(), &leaders);
    }

    /// Events passed over so far, by code.
    #[napi]
    #[allow(clippy::cast_precision_loss, reason = "nobody passes over 2^53 events")]
    pub fn passed(&self) -> Float64Array {
        let passed: Vec<f64> = self.sieve.passed.iter().map(|events| *events as f64).collect();
        Float64Array::new(passed)
    }
}
