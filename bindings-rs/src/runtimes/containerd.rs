//! containerd's own API: what a container is, in whichever of its namespaces, which there are, and
//! the events of those that come and go.
use prost::Message;
use serde_json::Value;
use tonic::Streaming;

use super::channel::Channel;
use super::containerd_messages::{
    Any, ByName, Container, ContainerAnswer, Containers, Empty, Envelope, Filters, ImageAnswer,
    Namespaces, OfContainer, Version,
};
use super::docker::Change;
use super::http::Trouble;
use super::info::{CONTAINERD, Info, LISTED_MAX, Labels, SHORT_ID, short};
use super::spec::add_spec;

const NAMESPACES_MAX: usize = 64;

#[derive(Clone)]
pub struct Containerd {
    pub channel: Channel,
    pub with_size: bool,
}

impl Containerd {
    pub async fn version(&self) -> Result<String, Trouble> {
        let path = "/containerd.services.version.v1.Version/Version";
        let answer: Version =
            self.channel.call(path, "", Empty {}).await?.ok_or("told no version")?;
        Ok(format!("containerd {}", answer.version))
    }

    async fn namespaces(&self) -> Result<Vec<String>, Trouble> {
        let path = "/containerd.services.namespaces.v1.Namespaces/List";
        let answer: Namespaces =
            self.channel.call(path, "", ByName::default()).await?.unwrap_or_default();
        Ok(answer.namespaces.into_iter().take(NAMESPACES_MAX).map(|one| one.name).collect())
    }

    /// All containers, with what is known of them.
    pub async fn all(&self) -> Result<Vec<Info>, Trouble> {
        let path = "/containerd.services.containers.v1.Containers/List";
        let mut found = Vec::new();
        for namespace in self.namespaces().await? {
            let answer: Containers =
                self.channel.call(path, &namespace, Filters::default()).await?.unwrap_or_default();
            for container in answer.containers {
                if found.len() >= LISTED_MAX {
                    return Ok(found);
                }
                found.push(self.read(&namespace, container).await);
            }
        }
        Ok(found)
    }

    /// By the whole id, or by the twelve characters that Falco shows; `None` where there is none,
    /// or more than one.
    pub async fn inspect(&self, id: &str) -> Result<Option<Info>, Trouble> {
        for namespace in self.namespaces().await? {
            if let Some(found) = self.inspect_in(&namespace, id).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    pub async fn inspect_in(&self, namespace: &str, id: &str) -> Result<Option<Info>, Trouble> {
        let path = "/containerd.services.containers.v1.Containers/Get";
        let asked = ByName { name: id.into() };
        let answer: Option<ContainerAnswer> = self.channel.call(path, namespace, asked).await?;
        if let Some(container) = answer.and_then(|answer| answer.container) {
            return Ok(Some(self.read(namespace, container).await));
        }
        if id.len() != SHORT_ID || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let path = "/containerd.services.containers.v1.Containers/List";
        let asked = Filters { filters: vec![format!("id~=^{id}")] };
        let answer: Containers =
            self.channel.call(path, namespace, asked).await?.unwrap_or_default();
        match <[Container; 1]>::try_from(answer.containers) {
            Ok([container]) => Ok(Some(self.read(namespace, container).await)),
            Err(_) => Ok(None),
        }
    }

    async fn read(&self, namespace: &str, container: Container) -> Info {
        let labels: Labels = container.labels.into_iter().collect();
        let mut found = Info {
            runtime: CONTAINERD,
            name: labels.get("nerdctl/name").cloned().unwrap_or_default(),
            is_sandbox: labels.get("io.cri-containerd.kind").is_some_and(|kind| kind == "sandbox"),
            labels,
            sandbox_id: container.sandbox,
            created: container.created_at.map_or(0, |at| at.seconds),
            id: container.id,
            ..Info::default()
        };
        found.set_image(&container.image);
        if let Some(Any { value, .. }) = container.spec
            && let Ok(spec) = serde_json::from_slice::<Value>(&value)
        {
            add_spec(&mut found, &spec);
        }
        if found.name.is_empty() {
            found.name = short(&found.id).into();
        }
        let path = "/containerd.services.images.v1.Images/Get";
        let asked = ByName { name: container.image };
        let answer =
            self.channel.call::<_, ImageAnswer>(path, namespace, asked).await.unwrap_or_default();
        if let Some(target) = answer.and_then(|answer| answer.image?.target) {
            found.image_digest = target.digest;
            found.size = self.with_size.then_some(target.size);
        }
        found
    }

    pub async fn events(&self) -> Result<Streaming<Envelope>, Trouble> {
        let topics = ["/containers/create", "/containers/delete", "/tasks/create", "/tasks/delete"];
        let filters = topics.iter().map(|topic| format!("topic==\"{topic}\"")).collect();
        self.channel
            .follow("/containerd.services.events.v1.Events/Subscribe", Filters { filters })
            .await?
            .ok_or_else(|| "does not tell its events".into())
    }

    /// What an event means to us, with its namespace.
    pub fn change(envelope: &Envelope) -> Option<(String, Change)> {
        let value = &envelope.event.as_ref()?.value;
        let OfContainer { id } = OfContainer::decode(value.as_slice()).ok()?;
        if !is_plain(&id) {
            return None;
        }
        let change = match envelope.topic.as_str() {
            "/containers/create" => Change::Came(id),
            "/containers/delete" | "/tasks/delete" => Change::Went(id),
            _ => return None,
        };
        Some((envelope.namespace.clone(), change))
    }
}

/// As containerd's own rule for identifiers.
fn is_plain(id: &str) -> bool {
    (1..=128).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}
