//! Kubernetes' container runtime interface (v1), as containerd, CRI-O and others speak it: what a
//! container is and which pod it belongs to.
use serde_json::Value;
use tonic::Streaming;

use super::channel::Channel;
use super::containerd_messages::Empty;
use super::cri_messages::{
    ContainerEvent, ContainerStatus, ContainerStatusAnswer, Filter, ListAnswer, ListRequest,
    ListedPods, NODE, SandboxStatus, SandboxStatusAnswer, StatusRequest, VersionAnswer,
};
use super::http::Trouble;
use super::info::{
    CONTAINERD, CRI, CRI_O, Info, LISTED_MAX, Labels, Mount, at, exec_probe, flag, list, text,
    text_map,
};

const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

#[derive(Clone)]
pub struct Cri {
    pub channel: Channel,
    /// The plugin's number for the runtime behind it.
    pub runtime: u32,
}

impl Cri {
    /// Asks who answers; returns its name and version too.
    pub async fn greet(channel: Channel) -> Result<(Self, String), Trouble> {
        let path = "/runtime.v1.RuntimeService/Version";
        let answer: VersionAnswer =
            channel.call(path, "", Empty {}).await?.ok_or("told no version")?;
        let runtime = match answer.runtime_name.as_str() {
            "containerd" => CONTAINERD,
            "cri-o" => CRI_O,
            _ => CRI,
        };
        let VersionAnswer { runtime_name, runtime_version } = answer;
        Ok((Self { channel, runtime }, format!("{runtime_name} {runtime_version} (CRI v1)")))
    }

    /// Ids of all containers, and of all sandboxes.
    pub async fn ids(&self) -> Result<Vec<String>, Trouble> {
        let mut ids = self.listed("/runtime.v1.RuntimeService/ListPodSandbox", "").await?;
        ids.extend(self.listed("/runtime.v1.RuntimeService/ListContainers", "").await?);
        ids.truncate(LISTED_MAX);
        Ok(ids)
    }

    async fn listed(&self, path: &'static str, id: &str) -> Result<Vec<String>, Trouble> {
        let filter = (!id.is_empty()).then(|| Filter { id: id.into() });
        let answer: ListAnswer =
            self.channel.call(path, "", ListRequest { filter }).await?.unwrap_or_default();
        Ok(answer.items.into_iter().take(LISTED_MAX).map(|one| one.id).collect())
    }

    /// The container and its pod's sandbox, by the whole id or by its beginning. Empty where there
    /// is none, or more than one.
    pub async fn inspect(&self, id: &str) -> Result<Vec<Info>, Trouble> {
        let found = self.listed("/runtime.v1.RuntimeService/ListContainers", id).await?;
        if let [id] = found.as_slice() {
            let path = "/runtime.v1.RuntimeService/ContainerStatus";
            let asked = StatusRequest { id: id.clone(), verbose: true };
            let answer: Option<ContainerStatusAnswer> = self.channel.call(path, "", asked).await?;
            let Some(ContainerStatusAnswer { status: Some(status), info }) = answer else {
                return Ok(Vec::new());
            };
            let own: Value = parsed(&info);
            let sandbox = sandbox_of(&own);
            let sandbox =
                if sandbox.is_empty() { self.sandbox_by_list(id).await? } else { sandbox };
            let pod = self.sandbox(&sandbox).await?;
            // The sandbox first: what is asked of the container may be known of its pod alone.
            let mut all: Vec<Info> = pod.iter().map(|pod| self.sandbox_info(pod)).collect();
            all.push(self.container(status, &own, pod.as_ref()));
            return Ok(all);
        }
        let found = self.listed("/runtime.v1.RuntimeService/ListPodSandbox", id).await?;
        if let [id] = found.as_slice() {
            let pod = self.sandbox(id).await?;
            return Ok(pod.map(|pod| self.sandbox_info(&pod)).into_iter().collect());
        }
        Ok(Vec::new())
    }

    async fn sandbox(&self, id: &str) -> Result<Option<Pod>, Trouble> {
        if id.is_empty() {
            return Ok(None);
        }
        let path = "/runtime.v1.RuntimeService/PodSandboxStatus";
        let asked = StatusRequest { id: id.into(), verbose: true };
        let answer: Option<SandboxStatusAnswer> = self.channel.call(path, "", asked).await?;
        Ok(answer.and_then(|SandboxStatusAnswer { status, info }| {
            let own: Value = parsed(&info);
            Some(Pod { cni: cni_of(&own), status: status? })
        }))
    }

    /// Where the container's own JSON does not name its sandbox.
    async fn sandbox_by_list(&self, id: &str) -> Result<String, Trouble> {
        let path = "/runtime.v1.RuntimeService/ListContainers";
        let filter = Some(Filter { id: id.into() });
        let answer: ListedPods =
            self.channel.call(path, "", ListRequest { filter }).await?.unwrap_or_default();
        let first = answer.items.into_iter().next();
        Ok(first.map(|one| one.sandbox).unwrap_or_default())
    }

    fn container(&self, status: ContainerStatus, own: &Value, pod: Option<&Pod>) -> Info {
        let name = status.metadata.map(|metadata| metadata.name).unwrap_or_default();
        let mut found = Info {
            runtime: self.runtime,
            name: name.clone(),
            user: status
                .user
                .and_then(|user| user.linux)
                .map(|user| user.uid.to_string())
                .unwrap_or_default(),
            created: status.created_at / 1_000_000_000,
            labels: status.labels.into_iter().collect(),
            privileged: is_privileged(own),
            mounts: status
                .mounts
                .into_iter()
                .map(|one| Mount {
                    source: one.host_path,
                    destination: one.container_path,
                    mode: String::new(),
                    writable: !one.readonly,
                    propagation: ["private", "rslave", "rshared"]
                        .get(usize::try_from(one.propagation).unwrap_or(usize::MAX))
                        .map_or("unknown", |known| known)
                        .into(),
                })
                .collect(),
            id: status.id,
            ..Info::default()
        };
        set_image(&mut found, status.image.map(|image| image.image), &status.image_ref, own);
        if found.image_id.is_empty() {
            let id = [text(own, &["config", "image", "image"]), status.image_id]
                .into_iter()
                .find(|id| !id.is_empty())
                .unwrap_or_default();
            found.image_id = id.rsplit(':').next().unwrap_or_default().into();
        }
        match pod {
            None => found.sandbox_id.clone_from(&found.id),
            Some(pod) => {
                Self::add_pod(&mut found, pod);
                let applied = pod.applied(&name);
                found.liveness = exec_probe(&applied, "livenessProbe");
                found.readiness = exec_probe(&applied, "readinessProbe");
            }
        }
        found
    }

    fn sandbox_info(&self, pod: &Pod) -> Info {
        let status = &pod.status;
        let mut found = Info {
            runtime: self.runtime,
            id: status.id.clone(),
            name: status.metadata.as_ref().map(|one| one.name.clone()).unwrap_or_default(),
            labels: status.labels.clone().into_iter().collect(),
            created: status.created_at / 1_000_000_000,
            is_sandbox: true,
            ..Info::default()
        };
        Self::add_pod(&mut found, pod);
        found
    }

    fn add_pod(found: &mut Info, pod: &Pod) {
        let status = &pod.status;
        found.sandbox_id.clone_from(&status.id);
        found.sandbox_labels = status.labels.clone().into_iter().collect();
        found.cni.clone_from(&pod.cni);
        let label = |labels: &mut Labels, key: &str, value: &str| {
            labels.insert(format!("io.kubernetes.{key}"), value.into());
        };
        label(&mut found.labels, "sandbox.id", &status.id);
        if let Some(metadata) = &status.metadata {
            label(&mut found.labels, "pod.uid", &metadata.uid);
            label(&mut found.labels, "pod.name", &metadata.name);
            label(&mut found.labels, "pod.namespace", &metadata.namespace);
        }
        if let Some(network) = &status.network {
            found.ip.clone_from(&network.ip);
        }
        let linux = status.linux.as_ref().and_then(|linux| linux.namespaces.as_ref());
        if let Some(options) = linux.and_then(|namespaces| namespaces.options.as_ref()) {
            found.host_ipc = options.ipc == NODE;
            found.host_network = options.network == NODE;
            found.host_pid = options.pid == NODE;
        }
    }

    /// `None` where the runtime does not tell its events.
    pub async fn events(&self) -> Result<Option<Streaming<ContainerEvent>>, Trouble> {
        let path = "/runtime.v1.RuntimeService/GetContainerEvents";
        self.channel.follow(path, Empty {}).await
    }
}

struct Pod {
    status: SandboxStatus,
    cni: String,
}

impl Pod {
    /// What `kubectl apply` said of one of its containers.
    fn applied(&self, container: &str) -> Value {
        let applied = self.status.annotations.get(APPLIED);
        let applied: Value =
            applied.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
        list(&applied, &["spec", "containers"])
            .iter()
            .find(|one| text(one, &["name"]) == container)
            .cloned()
            .unwrap_or_default()
    }
}

fn parsed(info: &std::collections::HashMap<String, String>) -> Value {
    info.get("info").and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

fn sandbox_of(own: &Value) -> String {
    let named = text(own, &["sandboxID"]);
    if !named.is_empty() {
        return named;
    }
    let annotations = text_map(own, &["runtimeSpec", "annotations"]);
    ["io.kubernetes.cri.sandbox-id", "io.kubernetes.cri-o.SandboxID"]
        .iter()
        .find_map(|key| annotations.get(*key).cloned())
        .unwrap_or_default()
}

fn is_privileged(own: &Value) -> bool {
    [&["config", "linux", "security_context", "privileged"][..], &["privileged"]]
        .iter()
        .any(|path| flag(own, path))
}

/// Interfaces of the pod, without the loopback; CRI-O keeps the whole answer as an annotation.
fn cni_of(own: &Value) -> String {
    if let Some(Value::Object(interfaces)) = at(own, &["cniResult", "Interfaces"]) {
        let kept: serde_json::Map<String, Value> = interfaces
            .iter()
            .filter(|(name, _)| *name != "lo" && !name.starts_with("veth"))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        return if kept.is_empty() { String::new() } else { Value::Object(kept).to_string() };
    }
    text_map(own, &["runtimeSpec", "annotations"])
        .remove("io.kubernetes.cri-o.CNIResult")
        .unwrap_or_default()
}

/// `image_ref` is `host/image@sha256:…` or `sha256:…`; the name may be an id as well.
fn set_image(found: &mut Info, named: Option<String>, image_ref: &str, own: &Value) {
    let annotations = text_map(own, &["runtimeSpec", "annotations"]);
    let named = named.unwrap_or_default();
    let name = if named.is_empty() || named.starts_with("sha256") {
        [
            "io.kubernetes.cri.image-name",
            "io.kubernetes.cri-o.Image",
            "io.kubernetes.cri-o.ImageName",
        ]
        .iter()
        .find_map(|key| annotations.get(*key).cloned())
        .unwrap_or(named)
    } else {
        named
    };
    let (repo, digest) = match image_ref.split_once('@') {
        Some((repo, digest)) => (repo, digest),
        None if image_ref.starts_with("sha256:") => ("", image_ref),
        None => ("", ""),
    };
    found.image_digest = digest.into();
    if name.is_empty() || name.starts_with("sha256") {
        found.set_image(repo);
    } else {
        found.set_image(&name);
    }
}
