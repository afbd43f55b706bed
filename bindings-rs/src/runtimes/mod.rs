//! The class Runtimes of ../runtimes.d.ts: a thread that asks the container runtimes of this
//! machine about containers, over their own sockets. Ids go in, what is known of them comes out;
//! neither ever waits. A socket may be absent, hang or lie: it costs its own answers.
#![allow(clippy::needless_pass_by_value, reason = "napi hands values over")]
mod bundle;
pub mod channel;
mod containerd;
mod containerd_messages;
mod cri;
mod cri_messages;
mod desk;
mod docker;
pub mod http;
pub mod info;
mod seek;
mod spec;
mod up;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;

use napi::bindgen_prelude::Uint32Array;
use napi_derive::napi;
use tokio::sync::mpsc::{Sender, channel};

use crate::bell::Bell;
use crate::failure::{Code, Failure};
use desk::{Desk, News};
use seek::{Place, Question, Seeker};

type Result<T> = std::result::Result<T, napi::Error<Code>>;

/// Ids that wait to be asked about; containers do not come faster.
const QUESTIONS_MAX: usize = 1024;

#[napi(object)]
pub struct RuntimeSocket {
    pub kind: String,
    pub path: String,
}

#[napi(object)]
pub struct RuntimesOptions {
    pub host_root: String,
    pub sockets: Vec<RuntimeSocket>,
    pub label_max_len: u32,
    pub with_size: bool,
    /// After so long a container that nobody knows is given up.
    pub patience_ms: u32,
}

#[napi(object)]
pub struct RuntimeNews {
    /// 0: `text` is the JSON of a container; 1: the id of one that ended a while ago; 2: the id of
    /// one that no runtime knows.
    pub kind: u32,
    pub text: String,
}

#[napi(object)]
pub struct RuntimeState {
    pub kind: String,
    pub path: String,
    pub up: bool,
    pub version: String,
    pub trouble: String,
    pub follows: bool,
    pub connects: i64,
    pub answers: i64,
    pub failures: i64,
}

#[napi(object)]
pub struct RuntimeTotals {
    pub asked: i64,
    pub refused: i64,
    pub found: i64,
    pub unknown: i64,
    pub dropped: i64,
}

#[napi]
pub struct Runtimes {
    desk: Arc<Desk>,
    questions: Sender<Question>,
    /// The memory where the desk's bell is.
    bell: Option<Uint32Array>,
}

impl Drop for Runtimes {
    fn drop(&mut self) {
        self.desk.ring_at(None);
    }
}

#[napi]
impl Runtimes {
    /// Begins to look for the sockets, on a thread of its own.
    #[napi(factory)]
    pub fn start(options: RuntimesOptions) -> Result<Self> {
        let desk = Arc::new(Desk::new(options.label_max_len as usize));
        let (questions, asked) = channel(QUESTIONS_MAX);
        let seeker = Seeker {
            desk: Arc::clone(&desk),
            root: if options.host_root.is_empty() { "/".into() } else { options.host_root.into() },
            with_size: options.with_size,
            patience: std::time::Duration::from_millis(options.patience_ms.into()),
        };
        let places = options
            .sockets
            .into_iter()
            .filter_map(|RuntimeSocket { kind, path }| {
                Some(Place { kind: watch::Kind::named(&kind)?, named: kind, path })
            })
            .collect();
        seeker.start(places, asked).map_err(|error| {
            Failure::new(Code::Io, format!("Cannot start the thread of runtimes: {error}"))
        })?;
        Ok(Self { desk, questions, bell: None })
    }

    /// Keeps the first of the words at how many news wait.
    #[napi]
    pub fn lend(&mut self, mut words: Uint32Array) {
        // SAFETY: the engine lends them, and only reads.
        let bell = Bell::new(unsafe { words.as_mut() });
        self.desk.ring_at(bell);
        // What was lent before is let go only now.
        self.bell = Some(words);
    }

    /// Asks about a container: by its whole id, or by its beginning where no more is known.
    #[napi]
    pub fn ask(&self, id: String) {
        let admitted = self.questions.try_send(Question { id }).is_ok();
        self.desk.asked(admitted);
    }

    /// What has become known since the last call, at most so many.
    #[napi]
    pub fn take(&self, max: u32) -> Vec<RuntimeNews> {
        let news = self.desk.take(max as usize);
        news.into_iter()
            .map(|news| match news {
                News::Known(text) => RuntimeNews { kind: 0, text },
                News::Gone(text) => RuntimeNews { kind: 1, text },
                News::Unknown(text) => RuntimeNews { kind: 2, text },
            })
            .collect()
    }

    #[napi]
    pub fn state(&self) -> Vec<RuntimeState> {
        let all = self.desk.sockets();
        all.into_iter()
            .map(|one| RuntimeState {
                kind: one.kind,
                path: one.path,
                up: one.up,
                version: one.version,
                trouble: one.trouble,
                follows: one.follows,
                connects: one.connects as i64,
                answers: one.answers as i64,
                failures: one.failures as i64,
            })
            .collect()
    }

    #[napi]
    pub fn totals(&self) -> RuntimeTotals {
        let totals = self.desk.totals();
        RuntimeTotals {
            asked: totals.asked as i64,
            refused: totals.refused as i64,
            found: totals.found as i64,
            unknown: totals.unknown as i64,
            dropped: totals.dropped as i64,
        }
    }
}

/// A path below the root of the machine that is watched.
fn below(root: &std::path::Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}

#[cfg(test)]
mod tests;
