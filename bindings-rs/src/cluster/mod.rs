//! The class Cluster of ../cluster.d.ts: a thread that asks Kubernetes' API server, or Falco's
//! collector, about the pods of this node and what they belong to. News come out, and nobody waits:
//! what is asked may be absent, hang or lie, and costs its own answers.
#![allow(clippy::needless_pass_by_value, reason = "napi hands values over")]
mod api;
mod collector;
mod desk;
mod door;
mod follow;
mod known;
mod objects;

use std::sync::Arc;

use napi::bindgen_prelude::Uint32Array;
use napi_derive::napi;
use tokio::sync::oneshot;

use crate::async_thread;
use crate::bell::Bell;
use crate::failure::{Code, Failure};
use api::Api;
use collector::Collector;
use desk::Desk;
use door::{Door, Source};
use follow::{Follow, ask_owners};
use known::{Known, Listed};

type Result<T> = std::result::Result<T, napi::Error<Code>>;

/// A text, or the file that it stands in.
#[napi(object)]
pub struct ClusterSource {
    pub file: String,
    pub text: String,
}

#[napi(object)]
pub struct ClusterOptions {
    /// The collector is asked, not the API server.
    pub is_collector: bool,
    pub host: String,
    pub port: u16,
    pub secure: bool,
    pub server_name: String,
    pub prefix: String,
    pub node: String,
    pub authorities: ClusterSource,
    pub token: ClusterSource,
    pub certificate: ClusterSource,
    pub key: ClusterSource,
}

#[napi(object)]
pub struct ClusterState {
    pub up: bool,
    pub tried: bool,
    pub version: String,
    pub trouble: String,
    pub pods: i64,
    pub objects: i64,
    pub connects: i64,
    pub answers: i64,
    pub failures: i64,
    pub relists: i64,
    pub refused: i64,
    pub dropped: i64,
}

#[napi]
pub struct Cluster {
    desk: Arc<Desk>,
    /// The memory where the desk's bell is.
    bell: Option<Uint32Array>,
    /// The thread ends with it.
    _end: oneshot::Sender<()>,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.desk.ring_at(None);
    }
}

#[napi]
impl Cluster {
    /// Begins to ask, on a thread of its own.
    #[napi(factory)]
    pub fn start(options: ClusterOptions) -> Result<Self> {
        let desk = Arc::new(Desk::default());
        let (end, ended) = oneshot::channel();
        let asking = ask(options, Arc::clone(&desk));
        let work = || async {
            tokio::select! {
                () = asking => {}
                _ = ended => {}
            }
        };
        async_thread::run("saker-cluster", work).map_err(|error| {
            Failure::new(Code::Io, format!("Cannot start the thread of the cluster: {error}"))
        })?;
        Ok(Self { desk, bell: None, _end: end })
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

    /// What has become known since the last call, at most so many: the JSON of `k8s` events.
    #[napi]
    pub fn take(&self, max: u32) -> Vec<String> {
        self.desk.take(max as usize)
    }

    #[napi]
    pub fn state(&self) -> ClusterState {
        let state = self.desk.state();
        ClusterState {
            up: state.up,
            tried: state.tried,
            version: state.version,
            trouble: state.trouble,
            pods: state.pods as i64,
            objects: state.objects as i64,
            connects: state.connects as i64,
            answers: state.answers as i64,
            failures: state.failures as i64,
            relists: state.relists as i64,
            refused: state.refused as i64,
            dropped: state.dropped as i64,
        }
    }
}

async fn ask(options: ClusterOptions, desk: Arc<Desk>) {
    let source = |ClusterSource { file, text }: ClusterSource| Source { file, text };
    let door = Door {
        host: options.host,
        port: options.port,
        secure: options.secure,
        server_name: options.server_name,
        authorities: source(options.authorities),
        token: source(options.token),
        certificate: source(options.certificate),
        key: source(options.key),
    };
    let node = options.node;
    if options.is_collector {
        return Collector { door, node, desk }.run().await;
    }
    let api = Api { door, prefix: options.prefix, desk: Arc::clone(&desk) };
    let known = Arc::new(Known::new(desk));
    for listed in [Listed::Pods, Listed::Namespaces, Listed::Services] {
        let (api, known, node) = (api.clone(), Arc::clone(&known), node.clone());
        tokio::spawn(Follow { api, known, listed, node }.run());
    }
    ask_owners(api, known).await;
}

#[cfg(test)]
mod tests;
