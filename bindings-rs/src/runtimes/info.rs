//! What is known of one container, from whichever runtime, and its JSON as the `container` events
//! of Falco's container plugin carry it. Environment variables are left out: they hold secrets.
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// The plugin's numbers for runtimes.
pub const DOCKER: u32 = 0;
pub const CRI: u32 = 6;
pub const CONTAINERD: u32 = 7;
pub const CRI_O: u32 = 8;
pub const PODMAN: u32 = 11;
/// A container that none of these runtimes told of.
pub const UNKNOWN: u32 = 0xffff;

pub const SHORT_ID: usize = 12;
/// Containers that are taken of one list.
pub const LISTED_MAX: usize = 2048;
const DIGITS: usize = 64;
/// As the plugin cuts it.
const CNI_BYTES_MAX: usize = 4096;
/// Of one container: more are left out and counted in the JSON.
const MOUNTS_MAX: usize = 1024;
const LABELS_MAX: usize = 512;
const TEXT_BYTES_MAX: usize = 4096;

pub type Labels = BTreeMap<String, String>;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mount {
    pub source: String,
    pub destination: String,
    pub mode: String,
    pub writable: bool,
    pub propagation: String,
}

/// A command that the runtime or the kubelet runs in the container by itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Probe {
    pub exe: String,
    pub args: Vec<String>,
}

#[expect(clippy::struct_excessive_bools, reason = "as the plugin's JSON has them")]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Info {
    pub runtime: u32,
    /// As long as it is.
    pub id: String,
    pub name: String,
    pub image: String,
    pub image_id: String,
    pub image_repo: String,
    pub image_tag: String,
    pub image_digest: String,
    pub user: String,
    pub cni: String,
    /// Seconds since the epoch.
    pub created: i64,
    pub host_ipc: bool,
    pub host_network: bool,
    pub host_pid: bool,
    pub ip: String,
    pub is_sandbox: bool,
    pub labels: Labels,
    pub sandbox_id: String,
    pub sandbox_labels: Labels,
    pub privileged: bool,
    pub mounts: Vec<Mount>,
    pub healthcheck: Option<Probe>,
    pub liveness: Option<Probe>,
    pub readiness: Option<Probe>,
    /// Bytes of its writable layer, where it was asked for.
    pub size: Option<i64>,
}

/// The id as `container.id` shows it: of 64 digits the first twelve, other names whole.
pub fn short(id: &str) -> &str {
    let is_digits = id.len() == DIGITS && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    cut(id, if is_digits { SHORT_ID } else { DIGITS })
}

/// At most so many bytes, whole characters.
fn cut(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

impl Info {
    /// Takes repository and tag from the image's name, which may begin with a host and its port,
    /// and may end with a digest.
    pub fn set_image(&mut self, name: &str) {
        self.image = name.into();
        let (named, digest) = name.split_once('@').unwrap_or((name, ""));
        if !digest.is_empty() && self.image_digest.is_empty() {
            self.image_digest = digest.into();
        }
        let last = named.rfind('/').map_or(0, |at| at + 1);
        match named[last..].rfind(':') {
            Some(colon) if !named.starts_with("sha256:") => {
                self.image_repo = named[..last + colon].into();
                self.image_tag = named[last + colon + 1..].into();
            }
            _ => {
                self.image_repo = named.into();
                self.image_tag = String::new();
            }
        }
    }

    /// Labels with longer values are left out, as the plugin does.
    pub fn json(&self, label_max: usize) -> String {
        let mut inner = json!({
            "type": self.runtime,
            "id": short(&self.id),
            "full_id": cut(&self.id, TEXT_BYTES_MAX),
            "name": cut(&self.name, TEXT_BYTES_MAX),
            "image": cut(&self.image, TEXT_BYTES_MAX),
            "imageid": cut(&self.image_id, TEXT_BYTES_MAX),
            "imagerepo": cut(&self.image_repo, TEXT_BYTES_MAX),
            "imagetag": cut(&self.image_tag, TEXT_BYTES_MAX),
            "imagedigest": cut(&self.image_digest, TEXT_BYTES_MAX),
            "User": cut(&self.user, TEXT_BYTES_MAX),
            "cni_json": cut(&self.cni, CNI_BYTES_MAX),
            "created_time": self.created,
            "host_ipc": self.host_ipc,
            "host_network": self.host_network,
            "host_pid": self.host_pid,
            "ip": cut(&self.ip, TEXT_BYTES_MAX),
            "is_pod_sandbox": self.is_sandbox,
            "labels": labels(&self.labels, label_max),
            "pod_sandbox_id": cut(&self.sandbox_id, TEXT_BYTES_MAX),
            "pod_sandbox_labels": labels(&self.sandbox_labels, label_max),
            "privileged": self.privileged,
            "Mounts": self.mounts.iter().take(MOUNTS_MAX).map(mount).collect::<Vec<_>>(),
            "size": self.size.unwrap_or(-1),
        });
        let probes = [
            ("Healthcheck", &self.healthcheck),
            ("LivenessProbe", &self.liveness),
            ("ReadinessProbe", &self.readiness),
        ];
        for (name, probe) in probes {
            if let Some(Probe { exe, args }) = probe {
                inner[name] = json!({ "exe": exe, "args": args });
            }
        }
        json!({ "container": inner }).to_string()
    }
}

fn labels(all: &Labels, max: usize) -> Value {
    let kept = all.iter().filter(|(_, value)| value.len() <= max).take(LABELS_MAX);
    Value::Object(
        kept.map(|(key, value)| {
            (cut(key, TEXT_BYTES_MAX).to_owned(), Value::String(value.clone()))
        })
        .collect::<Map<_, _>>(),
    )
}

fn mount(one: &Mount) -> Value {
    json!({
        "Source": cut(&one.source, TEXT_BYTES_MAX),
        "Destination": cut(&one.destination, TEXT_BYTES_MAX),
        "Mode": one.mode,
        "RW": one.writable,
        "Propagation": one.propagation,
    })
}

/// The text under a path of keys; empty where there is none.
pub fn text(value: &Value, path: &[&str]) -> String {
    at(value, path).and_then(Value::as_str).unwrap_or_default().into()
}

pub fn flag(value: &Value, path: &[&str]) -> bool {
    at(value, path).and_then(Value::as_bool).unwrap_or_default()
}

pub fn list<'a>(value: &'a Value, path: &[&str]) -> &'a [Value] {
    at(value, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The texts of a list; what is no text is passed over.
pub fn texts(value: &Value, path: &[&str]) -> Vec<String> {
    list(value, path).iter().filter_map(Value::as_str).map(String::from).collect()
}

pub fn text_map(value: &Value, path: &[&str]) -> Labels {
    let Some(Value::Object(map)) = at(value, path) else { return Labels::new() };
    map.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.into()))).collect()
}

pub fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

/// The command of a probe as the kubelet was told it: `exec.command`.
pub fn exec_probe(container: &Value, key: &str) -> Option<Probe> {
    command(texts(container, &[key, "exec", "command"]))
}

pub fn command(words: Vec<String>) -> Option<Probe> {
    let mut words = words.into_iter();
    let exe = words.next()?;
    Some(Probe { exe, args: words.collect() })
}
