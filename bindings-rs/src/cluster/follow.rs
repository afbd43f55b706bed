//! The lists of the API server that are followed, each for as long as saker runs: listed, page by
//! page, then followed from there, and begun anew when that fails or is gone, after pauses that
//! grow. Owners of pods are asked for one by one: following all of a cluster from each node would
//! cost its API server more than it is worth.
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::runtimes::info::{list, text};

use super::api::{Api, Fault, JSON, Kept, META, META_LIST, status_fault};
use super::known::{DEPLOYMENT, Known, Listed, REPLICA_SET, Wanted};
use super::objects::{Meta, Pod, Service, is_name, owner_of};

/// After a failure, doubled each time.
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(20);
/// Objects of one page, and pages of one list.
const PAGE: usize = 250;
const PAGES_MAX: usize = 256;
/// The server ends a stream of changes after so long; those of several nodes at several times.
const STREAM_SECONDS: u64 = 300;
const STREAM_SPREAD: u64 = 60;
/// After that, it is as good as cut.
const STREAM_GRACE: u64 = 30;
/// A stream that ends sooner is a failure.
const STREAM_MIN: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_secs(1);

impl Listed {
    fn name(self) -> &'static str {
        match self {
            Self::Pods => "pods",
            Self::Namespaces => "namespaces",
            Self::Services => "services",
        }
    }
}

pub struct Follow {
    pub api: Api,
    pub known: Arc<Known>,
    pub listed: Listed,
    pub node: String,
}

impl Follow {
    pub async fn run(self) {
        let mut pause = PAUSE_MIN;
        let mut version = None;
        loop {
            let begun = Instant::now();
            let result = self.round(&mut version).await;
            let is_first = pause == PAUSE_MIN;
            let mut wait = pause;
            match result {
                Ok(()) if begun.elapsed() >= STREAM_MIN => {
                    pause = PAUSE_MIN;
                    continue;
                }
                Ok(()) => {}
                Err(fault) => {
                    if begun.elapsed() >= PAUSE_MAX {
                        pause = PAUSE_MIN;
                    }
                    wait = pause.max(fault.pause);
                    if fault.gone {
                        version = None;
                        self.known.desk.change(|state| state.relists += 1);
                        // Once is as it should be.
                        if !is_first {
                            self.down(&fault.trouble);
                        }
                    } else {
                        self.down(&fault.trouble);
                    }
                }
            }
            self.known.settle(self.listed);
            sleep(wait).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    fn down(&self, trouble: &str) {
        self.known.desk.change(|state| {
            state.failures += 1;
            state.trouble = format!("{}: {trouble}", self.listed.name());
            if self.listed == Listed::Pods {
                state.up = false;
                state.tried = true;
            }
        });
    }

    fn up(&self) {
        self.known.settle(self.listed);
        let own = format!("{}: ", self.listed.name());
        self.known.desk.change(|state| {
            if state.trouble.starts_with(&own) {
                state.trouble.clear();
            }
            if self.listed == Listed::Pods {
                state.up = true;
                state.tried = true;
            }
        });
    }

    fn accept(&self, what: &'static str) -> &'static str {
        if self.listed == Listed::Namespaces { what } else { JSON }
    }

    fn path(&self, more: &str) -> String {
        let node = match self.listed {
            Listed::Pods => format!("&fieldSelector=spec.nodeName%3D{}", escaped(&self.node)),
            _ => String::new(),
        };
        format!("/api/v1/{}?{more}{node}", self.listed.name())
    }

    /// Lists where that is due, and follows until the stream ends.
    async fn round(&self, version: &mut Option<String>) -> Result<(), Fault> {
        let from = if let Some(from) = version {
            from.clone()
        } else {
            let listed = self.list().await?;
            if self.listed == Listed::Pods {
                tokio::spawn(greet(self.api.clone()));
            }
            version.insert(listed).clone()
        };
        let seconds = STREAM_SECONDS + spread(&self.node, self.listed.name());
        let more = format!(
            "watch=true&allowWatchBookmarks=true&resourceVersion={}&timeoutSeconds={seconds}",
            escaped(&from),
        );
        let mut lines = self.api.follow(&self.path(&more), self.accept(META)).await?;
        self.up();
        let end = Instant::now() + Duration::from_secs(seconds + STREAM_GRACE);
        loop {
            let line = match timeout_at(end, lines.next()).await {
                Ok(Ok(line)) => line,
                // As it does after a while; a connection that was cut looks the same.
                Ok(Err(trouble)) if trouble.starts_with("ended") => return Ok(()),
                Ok(Err(trouble)) => return Err(trouble.into()),
                Err(_) => return Err("did not end its stream of changes in time".into()),
            };
            if line.is_empty() {
                continue;
            }
            let change: Value = serde_json::from_slice(&line)
                .map_err(|error| format!("told a change that is no JSON: {error}"))?;
            let object = change.get("object").unwrap_or(&Value::Null);
            match text(&change, &["type"]).as_str() {
                "ADDED" | "MODIFIED" => self.add(object),
                "DELETED" => self.known.remove(self.listed, &text(object, &["metadata", "uid"])),
                "ERROR" => return Err(status_fault(object)),
                _ => {}
            }
            let now = text(object, &["metadata", "resourceVersion"]);
            if !now.is_empty() {
                *version = Some(now);
            }
        }
    }

    /// The version from which on to follow.
    async fn list(&self) -> Result<String, Fault> {
        let mut kept = Kept::default();
        let mut uids = HashSet::new();
        let mut next = String::new();
        for _ in 0..PAGES_MAX {
            let path = self.path(&format!("limit={PAGE}&continue={}", escaped(&next)));
            let page = self.api.get(&mut kept, &path, self.accept(META_LIST)).await?;
            for object in list(&page, &["items"]) {
                uids.insert(text(object, &["metadata", "uid"]));
                self.add(object);
            }
            next = text(&page, &["metadata", "continue"]);
            if next.is_empty() {
                let version = text(&page, &["metadata", "resourceVersion"]);
                if version.is_empty() {
                    return Err("answered with a list that has no version".into());
                }
                self.known.keep_only(self.listed, &uids);
                return Ok(version);
            }
        }
        Err(format!("has a list of more than {} objects", PAGE * PAGES_MAX).into())
    }

    fn add(&self, object: &Value) {
        let known = &self.known;
        let added = match self.listed {
            Listed::Pods => {
                // Whatever the server was asked for: of another node nothing is kept.
                let node = text(object, &["spec", "nodeName"]);
                let pod = (node == self.node).then(|| Pod::of(object)).flatten();
                pod.map(|pod| known.add_pod(pod))
            }
            Listed::Namespaces => Meta::of(object).map(|meta| known.add_namespace(meta)),
            Listed::Services => Service::of(object).map(|service| known.add_service(service)),
        };
        if added.is_none() {
            known.desk.change(|state| state.refused += 1);
        }
    }
}

/// Which version answers: told, not needed.
async fn greet(api: Api) {
    if let Ok(answer) = api.get(&mut Kept::default(), "/version", JSON).await {
        let version = text(&answer, &["gitVersion"]).chars().take(64).collect();
        api.desk.change(|state| state.version = version);
    }
}

/// Asks for owners of pods, one after the other over one connection.
pub async fn ask_owners(api: Api, known: Arc<Known>) {
    let mut kept = Kept::default();
    loop {
        let Some(Wanted { owner, namespace }) = known.next_wanted() else {
            let _ = timeout(TICK, known.wanted.notified()).await;
            known.sweep();
            continue;
        };
        if !is_name(&owner.name) || !is_name(&namespace) {
            known.answer(&owner.uid, None);
            continue;
        }
        let group = match owner.kind.as_str() {
            REPLICA_SET => "/apis/apps/v1/namespaces/{}/replicasets/",
            DEPLOYMENT => "/apis/apps/v1/namespaces/{}/deployments/",
            _ => "/api/v1/namespaces/{}/replicationcontrollers/",
        };
        let path = format!("{}{}", group.replace("{}", &namespace), owner.name);
        let answer = match api.get(&mut kept, &path, META).await {
            Ok(object) => Meta::of(&object)
                // Another of the same name.
                .filter(|meta| meta.uid == owner.uid)
                .map(|meta| (meta, owner_of(&object))),
            Err(fault) => {
                if !fault.absent {
                    known.desk.change(|state| {
                        state.failures += 1;
                        state.trouble = format!("{} {}: {}", owner.kind, owner.name, fault.trouble);
                    });
                }
                None
            }
        };
        let is_known = answer.is_some();
        known.answer(&owner.uid, answer);
        if is_known {
            let own = format!("{} {}: ", owner.kind, owner.name);
            known.desk.change(|state| {
                if state.trouble.starts_with(&own) {
                    state.trouble.clear();
                }
            });
        }
    }
}

/// What means something in a query is written as %XX.
fn escaped(value: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte.into());
        } else {
            // Into a text it always goes.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn spread(node: &str, name: &str) -> u64 {
    let sum = node.bytes().chain(name.bytes());
    sum.fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % STREAM_SPREAD
}
