//! The class PluginTables of ../../plugins.d.ts: the state tables of the plugins of one thread;
//! JavaScript knows the threads.
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{
    BigInt, Either4, FnArgs, Function, FunctionRef, Uint8Array, Undefined,
};
use napi_derive::napi;
use plugin_host::tables::machine::{Machine, Told, Which};
use plugin_host::tables::registry::Registry;

use super::Result;
use crate::failure::{Code, Failure};

type Question = FnArgs<(u32, u32, f64, f64, u32)>;
type Answer = Either4<f64, BigInt, Uint8Array, Undefined>;

const SIZE: u32 = 0;
const HAS: u32 = 1;
const KEYS: u32 = 2;
const READ: u32 = 3;

/// Asks a function of JavaScript. The registry lets it be asked on its own thread alone, and it is
/// asked while a plugin is called, within a call from JavaScript.
struct Asking {
    env: Env,
    ask: FunctionRef<Question, Answer>,
}

impl Asking {
    fn ask(&self, what: u32, which: Which, tid: i64, key: i64, field: usize) -> Option<Answer> {
        #[allow(clippy::cast_precision_loss, reason = "ids and numbers below 2^53")]
        let question = (what, which as u32, tid as f64, key as f64, field as u32);
        // A mistake in JavaScript is no entry; it is caught there and told.
        self.ask.borrow_back(&self.env).ok()?.call(question.into()).ok()
    }

    fn number(&self, what: u32, which: Which, tid: i64, key: i64) -> f64 {
        match self.ask(what, which, tid, key, 0) {
            Some(Answer::A(number)) => number,
            _ => 0.0,
        }
    }
}

impl Machine for Asking {
    #[allow(clippy::cast_possible_truncation, reason = "a count")]
    fn size(&self, which: Which, tid: i64) -> u64 {
        self.number(SIZE, which, tid, 0) as u64
    }

    fn has(&self, which: Which, tid: i64, key: i64) -> bool {
        self.number(HAS, which, tid, key) > 0.0
    }

    #[allow(clippy::cast_possible_truncation, reason = "ids and numbers below 2^53")]
    fn keys(&self, which: Which, tid: i64) -> Vec<i64> {
        let Some(Answer::C(bytes)) = self.ask(KEYS, which, tid, 0, 0) else { return Vec::new() };
        let (doubles, _) = bytes.as_chunks::<8>();
        doubles.iter().map(|double| f64::from_le_bytes(*double) as i64).collect()
    }

    #[allow(clippy::cast_possible_truncation, reason = "what is below zero wraps: -1 is no id")]
    fn read(&self, which: Which, tid: i64, key: i64, field: usize) -> Option<Told> {
        match self.ask(READ, which, tid, key, field)? {
            Answer::A(number) => Some(Told::Number(number as i64 as u64)),
            Answer::B(big) => Some(Told::Number(big.get_u64().1)),
            Answer::C(bytes) => Some(Told::Text(bytes.to_vec())),
            Answer::D(()) => None,
        }
    }
}

#[napi]
pub struct PluginTables {
    registry: Arc<Registry>,
}

impl PluginTables {
    pub fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.registry)
    }
}

#[napi]
impl PluginTables {
    #[napi(factory)]
    pub fn make(env: Env, ask: Function<'_, Question, Answer>) -> Result<Self> {
        let ask = ask.create_ref().map_err(|error| {
            napi::Error::from(Failure::new(Code::Invalid, format!("no function to ask: {error}")))
        })?;
        Ok(Self { registry: Registry::new(Box::new(Asking { env, ask })) })
    }

    #[napi]
    pub fn forget(&self, tid: f64) {
        #[allow(clippy::cast_possible_truncation, reason = "an id")]
        self.registry.forget(tid as i64);
    }

    #[napi]
    pub fn has_columns(&self) -> bool {
        self.registry.has_columns()
    }

    #[napi]
    pub fn refused(&self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "a count")]
        let refused = self.registry.refused() as f64;
        refused
    }
}
