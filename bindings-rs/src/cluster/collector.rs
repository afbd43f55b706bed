//! The other way to the cluster's objects: Falco's k8s-metacollector, which asks the API server for
//! all nodes, and is followed over gRPC as Falco's k8smeta plugin follows it.
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use prost::Message;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};
use tonic::Streaming;

use crate::runtimes::channel::{Channel, told};
use crate::runtimes::http::Trouble;
use crate::runtimes::info::text;

use super::desk::Desk;
use super::door::Door;
use super::objects::{Meta, Refs, Told};

const WATCH: &str = "/metadata.Metadata/Watch";
const KINDS: [&str; 6] =
    ["Pod", "Namespace", "Deployment", "Service", "ReplicaSet", "ReplicationController"];
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(20);
/// After a new connection all objects are told again within this; others were deleted meanwhile.
const TOLD_AGAIN: Duration = Duration::from_mins(1);
const TICK: Duration = Duration::from_secs(1);
/// References of one object.
const REFS_MAX: usize = 256;
const UID_BYTES_MAX: usize = 128;

#[derive(Clone, PartialEq, Message)]
pub struct Selector {
    #[prost(string, tag = "1")]
    pub node_name: String,
    #[prost(map = "string, string", tag = "2")]
    pub resource_kinds: HashMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Uids {
    #[prost(string, repeated, tag = "1")]
    pub list: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub struct References {
    #[prost(map = "string, message", tag = "1")]
    pub resources: HashMap<String, Uids>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Event {
    #[prost(string, tag = "1")]
    pub reason: String,
    #[prost(string, tag = "2")]
    pub uid: String,
    #[prost(string, tag = "3")]
    pub kind: String,
    #[prost(string, optional, tag = "4")]
    pub meta: Option<String>,
    #[prost(string, optional, tag = "6")]
    pub status: Option<String>,
    #[prost(message, optional, tag = "7")]
    pub refs: Option<References>,
}

pub struct Collector {
    pub door: Door,
    pub node: String,
    pub desk: Arc<Desk>,
}

impl Collector {
    pub async fn run(self) {
        let mut pause = PAUSE_MIN;
        loop {
            let begun = Instant::now();
            let trouble = self.follow().await.err().unwrap_or_default();
            if begun.elapsed() >= PAUSE_MAX {
                pause = PAUSE_MIN;
            }
            self.desk.change(|state| {
                state.failures += 1;
                state.up = false;
                state.tried = true;
                state.trouble = trouble;
            });
            sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    async fn follow(&self) -> Result<(), Trouble> {
        self.desk.change(|state| state.connects += 1);
        let channel = Channel::over(self.door.connect(b"h2").await?).await?;
        let resource_kinds = KINDS.iter().map(|kind| ((*kind).into(), "true".into())).collect();
        let selector = Selector { node_name: self.node.clone(), resource_kinds };
        let stream: Option<Streaming<Event>> = channel.follow(WATCH, selector).await?;
        let mut stream = stream.ok_or("is no collector: it knows no Metadata.Watch")?;
        self.desk.change(|state| {
            state.up = true;
            state.tried = true;
            state.trouble.clear();
        });
        let mut again = Some((Instant::now() + TOLD_AGAIN, HashSet::<String>::new()));
        let mut swept = Instant::now();
        loop {
            if let Ok(event) = timeout(TICK, stream.message()).await {
                let event: Option<Event> = event.map_err(|status| told(&status))?;
                let event: Event = event.ok_or("ended its stream of events")?;
                if let Some((_, uids)) = &mut again {
                    uids.insert(event.uid.clone());
                }
                self.take(&event);
            }
            if swept.elapsed() < TICK {
                continue;
            }
            swept = Instant::now();
            self.desk.sweep();
            if let Some((end, uids)) = &again
                && *end <= Instant::now()
            {
                for uid in self.desk.told(|_, uid| !uids.contains(uid)) {
                    self.desk.delete(&uid);
                }
                again = None;
            }
        }
    }

    fn take(&self, event: &Event) {
        self.desk.change(|state| state.answers += 1);
        if event.reason == "Delete" {
            return self.desk.delete(&event.uid);
        }
        let Some(read) = read(event) else {
            return self.desk.change(|state| state.refused += 1);
        };
        let status: Value = parsed(event.status.as_deref());
        let ip: String = text(&status, &["podIP"]).chars().take(64).collect();
        let kind = event.kind.as_str();
        let (meta, refs) = read;
        self.desk.tell(&Told { kind, meta, ip: &ip, static_uid: "", refs });
    }
}

/// `None` for what is no object of those that were asked for.
fn read(event: &Event) -> Option<(Meta, Refs)> {
    if !KINDS.contains(&event.kind.as_str()) || event.uid.len() > UID_BYTES_MAX {
        return None;
    }
    let mut object = serde_json::json!({ "metadata": parsed(event.meta.as_deref()) });
    // It tells the uid beside the metadata, and may leave it out there.
    *object.get_mut("metadata")?.as_object_mut()?.entry("uid").or_insert(Value::Null) =
        event.uid.clone().into();
    let resources = event.refs.clone().unwrap_or_default().resources;
    let refs = resources.into_iter().filter(|(kind, _)| KINDS.contains(&kind.as_str()));
    let refs = refs.map(|(kind, Uids { mut list })| {
        list.retain(|uid| uid.len() <= UID_BYTES_MAX);
        list.truncate(REFS_MAX);
        (kind, list)
    });
    Some((Meta::of(&object)?, refs.collect()))
}

fn parsed(json: Option<&str>) -> Value {
    json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}
