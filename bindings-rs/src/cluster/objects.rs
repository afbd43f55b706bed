//! What is kept of Kubernetes' objects: JSON as the API server has it comes in, bounded values go
//! out, and the JSON of the `k8s` events that Falco's k8smeta plugin puts into the stream.
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::runtimes::info::{Labels, flag, list, text, text_map};

/// Of one object; the API server takes no larger names and values than a few hundred bytes.
const LABELS_MAX: usize = 256;
const TEXT_BYTES_MAX: usize = 1024;
const SELECTOR_MAX: usize = 64;

/// The annotation of a pod that the node made of a file of its own: the uid that its cgroups have.
const STATIC_UID: &str = "kubernetes.io/config.hash";

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meta {
    pub uid: String,
    pub name: String,
    pub namespace: String,
    pub labels: Labels,
}

#[derive(Clone, Debug, PartialEq)]
pub struct OwnerRef {
    pub kind: String,
    pub name: String,
    pub uid: String,
}

#[derive(Clone, Debug)]
pub struct Pod {
    pub meta: Meta,
    pub ip: String,
    pub owner: Option<OwnerRef>,
    /// "" but for pods of the node's own files.
    pub static_uid: String,
}

#[derive(Clone, Debug)]
pub struct Service {
    pub meta: Meta,
    pub selector: Labels,
}

/// Kind → uids of what an object belongs to.
pub type Refs = BTreeMap<String, Vec<String>>;

impl Meta {
    /// `None` where the object has no uid or name, or a text that no API server would take.
    pub fn of(object: &Value) -> Option<Self> {
        let of = |key: &str| text(object, &["metadata", key]);
        let (uid, name, namespace) = (of("uid"), of("name"), of("namespace"));
        let is_short = [&uid, &name, &namespace].iter().all(|one| one.len() <= TEXT_BYTES_MAX);
        if uid.is_empty() || name.is_empty() || !is_short {
            return None;
        }
        let labels = bounded(text_map(object, &["metadata", "labels"]), LABELS_MAX);
        Some(Self { uid, name, namespace, labels })
    }

    /// About as many bytes as it takes.
    pub fn weight(&self) -> usize {
        weight(&self.labels) + self.uid.len() + self.name.len() + self.namespace.len() + 128
    }

    fn json(&self) -> String {
        let mut meta = json!({ "name": self.name, "uid": self.uid });
        if !self.namespace.is_empty() {
            meta["namespace"] = json!(self.namespace);
        }
        if !self.labels.is_empty() {
            let labels = self.labels.iter().map(|(key, value)| (key.clone(), json!(value)));
            meta["labels"] = Value::Object(labels.collect::<Map<_, _>>());
        }
        meta.to_string()
    }
}

fn bounded(labels: Labels, max: usize) -> Labels {
    let fits = |(key, value): &(String, String)| key.len().max(value.len()) <= TEXT_BYTES_MAX;
    labels.into_iter().filter(fits).take(max).collect()
}

pub fn weight(labels: &Labels) -> usize {
    labels.iter().map(|(key, value)| key.len() + value.len() + 64).sum()
}

/// Who controls the object; others that own it do not.
pub fn owner_of(object: &Value) -> Option<OwnerRef> {
    let all = list(object, &["metadata", "ownerReferences"]);
    let one = all.iter().find(|one| flag(one, &["controller"]))?;
    let owner = OwnerRef {
        kind: text(one, &["kind"]),
        name: text(one, &["name"]),
        uid: text(one, &["uid"]),
    };
    let is_sound = [&owner.kind, &owner.name, &owner.uid]
        .iter()
        .all(|one| !one.is_empty() && one.len() <= TEXT_BYTES_MAX);
    is_sound.then_some(owner)
}

impl Pod {
    pub fn of(object: &Value) -> Option<Self> {
        let mut static_uid = text(object, &["metadata", "annotations", STATIC_UID]);
        if static_uid.len() > TEXT_BYTES_MAX {
            static_uid.clear();
        }
        Some(Self {
            meta: Meta::of(object)?,
            ip: text(object, &["status", "podIP"]).chars().take(64).collect(),
            owner: owner_of(object),
            static_uid,
        })
    }
}

impl Service {
    pub fn of(object: &Value) -> Option<Self> {
        let selector = text_map(object, &["spec", "selector"]);
        // One that was cut would choose more than it does.
        if selector.len() > SELECTOR_MAX || bounded(selector.clone(), SELECTOR_MAX) != selector {
            return None;
        }
        Some(Self { meta: Meta::of(object)?, selector })
    }

    /// A service without a selector chooses nothing.
    pub fn chooses(&self, pod: &Meta) -> bool {
        !self.selector.is_empty()
            && self.meta.namespace == pod.namespace
            && self.selector.iter().all(|(key, value)| pod.labels.get(key) == Some(value))
    }
}

/// A name as a part of a path: what the API server takes for a name, and nothing that would mean
/// something else there.
pub fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 253
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
        && !name.starts_with('.')
}

/// An object that is there, as the collector's events tell it: `reason` aside, which the table of
/// what was told knows.
#[derive(Default)]
pub struct Told<'a> {
    pub kind: &'a str,
    pub meta: Meta,
    pub ip: &'a str,
    pub static_uid: &'a str,
    pub refs: Refs,
}

impl Told<'_> {
    pub fn json(&self) -> String {
        let mut event = json!({
            "reason": "Update",
            "uid": self.meta.uid,
            "kind": self.kind,
            "meta": self.meta.json(),
        });
        if self.kind == "Pod" {
            if !self.ip.is_empty() {
                event["status"] = json!(json!({ "podIP": self.ip }).to_string());
            }
            let refs = self.refs.iter().map(|(kind, uids)| (kind.clone(), json!({ "list": uids })));
            let refs = Value::Object(refs.collect::<Map<_, _>>());
            event["refs"] = json!({ "resources": refs });
            if !self.static_uid.is_empty() {
                event["static_uid"] = json!(self.static_uid);
            }
        }
        event.to_string()
    }
}

pub fn deleted(kind: &str, uid: &str) -> String {
    json!({ "reason": "Delete", "uid": uid, "kind": kind }).to_string()
}
