//! The class CaptureSieve of ../index.d.ts: the sieve over the blocks of captures, before they
//! reach the engine.
#![allow(clippy::needless_pass_by_value, reason = "napi hands values over")]
mod effect;
mod held;
mod judge;
mod out;
mod pass;
mod record;
mod scan;
mod settle;
mod tables;

use napi::bindgen_prelude::{Float64Array, Int8Array, Uint8Array, Uint32Array};
use napi_derive::napi;
use probe::sieve::guard::text;
use probe::sieve::table::{Parts, parts};
use probe::sieve::{Guard, Names, Verdict};

use crate::failure::{Code, Failure};
use out::Out;
use pass::Sieve;
use tables::{Tables, walk};

type Result<T> = std::result::Result<T, napi::Error<Code>>;

#[napi(object)]
pub struct SieveOptions {
    pub table: Uint8Array,
    pub counts: Uint8Array,
    pub descriptors: Uint32Array,
    pub uses: Int8Array,
    pub keeps_descriptors: bool,
    pub current: Uint8Array,
}

#[napi]
pub struct CaptureSieve {
    sieve: Sieve,
    current: Vec<u8>,
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
        if options.descriptors.len() != codes || options.uses.len() != codes {
            let message = "The sieve's lists differ in length".to_owned();
            return Err(Failure::new(Code::Invalid, message).into());
        }
        let parts = checked(&options.table, codes)?;
        let guards: Vec<Guard> = (0..codes).map(|code| parts.guard(code)).collect();
        Ok(Self {
            current: options.current.to_vec(),
            sieve: Sieve {
                names: names(&parts),
                asks_descriptors: asks_descriptors(&guards),
                guards,
                counts: options.counts.to_vec(),
                descriptors: options.descriptors.to_vec(),
                uses: options.uses.to_vec(),
                keeps_descriptors: options.keeps_descriptors,
                tables: Tables::default(),
                pending: 0,
                pass_next: false,
                stranger: None,
                passed: vec![0.0; codes],
            },
        })
    }

    /// Other rules: what is known of names is forgotten, what is held back stays so.
    #[napi]
    pub fn exchange(
        &mut self,
        table: Uint8Array,
        descriptors: Uint32Array,
        keeps_descriptors: bool,
    ) -> Result<()> {
        let codes = self.sieve.counts.len();
        if descriptors.len() != codes {
            let message = "The sieve's lists differ in length".to_owned();
            return Err(Failure::new(Code::Invalid, message).into());
        }
        let parts = checked(&table, codes)?;
        let guards: Vec<Guard> = (0..codes).map(|code| parts.guard(code)).collect();
        self.sieve.names = names(&parts);
        self.sieve.asks_descriptors = asks_descriptors(&guards);
        self.sieve.guards = guards;
        self.sieve.descriptors = descriptors.to_vec();
        self.sieve.keeps_descriptors = keeps_descriptors;
        self.sieve.tables.forget_names();
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

    /// Goes on at `from` over the blocks in the first `length` bytes of `buffer`; copies go behind
    /// them. `state` gets: how far it came, entries, events passed over behind the last of them.
    /// Returns why it ended (`pass::Stop`). `from` behind `length`: other tables come, and what is
    /// held back is handed over.
    #[napi]
    pub fn pass(
        &mut self,
        mut buffer: Uint8Array,
        length: u32,
        from: u32,
        mut entries: Uint32Array,
        mut state: Uint32Array,
    ) -> u32 {
        // SAFETY: the engine lends both for this call, on its own thread.
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
        stop as u32
    }

    /// Whose table a thread has, its working directory and what may hold of it; `owner` below 0:
    /// it is not known.
    #[napi]
    pub fn answer(&mut self, tid: f64, owner: f64, cwd: Uint8Array, low: u32, high: u32) {
        let (tid, owner) = (tid as i64, owner as i64);
        if owner < 0 {
            self.sieve.stranger = Some(tid);
            return;
        }
        let place = walk(&self.sieve.names, None, &cwd);
        self.sieve.tables.learn(tid, owner, place, u64::from(low) | u64::from(high) << 32);
    }

    /// Events passed over so far, by code.
    #[napi]
    pub fn passed(&self) -> Float64Array {
        Float64Array::new(self.sieve.passed.clone())
    }
}
