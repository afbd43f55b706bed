//! Docker's API, which Podman speaks as well: what a container is, which there are, and the events
//! of those that come and go.
use std::path::PathBuf;

use serde_json::Value;

use super::http::{self, Lines, Trouble};
use super::info::{
    self, DOCKER, Info, LISTED_MAX, Mount, Probe, command, flag, list, text, text_map, texts,
};

#[derive(Clone)]
pub struct Docker {
    pub socket: PathBuf,
    /// The plugin's number for it.
    pub runtime: u32,
    pub with_size: bool,
}

/// What an event says.
pub enum Change {
    Came(String),
    Went(String),
}

impl Docker {
    /// Name and version of what answers.
    pub async fn version(&self) -> Result<String, Trouble> {
        let value = self.json("/version").await?.ok_or("does not know /version")?;
        let version = text(&value, &["Version"]);
        if version.is_empty() {
            return Err("told no version: is it Docker or Podman?".into());
        }
        let podman = list(&value, &["Components"])
            .iter()
            .any(|part| text(part, &["Name"]).starts_with("Podman"));
        Ok(format!("{} {version}", if podman { "Podman" } else { "Docker" }))
    }

    pub async fn running(&self) -> Result<Vec<String>, Trouble> {
        let value = self.json("/containers/json").await?.unwrap_or_default();
        let all = value.as_array().map_or(&[][..], Vec::as_slice);
        Ok(all.iter().take(LISTED_MAX).map(|one| text(one, &["Id"])).collect())
    }

    pub async fn events(&self) -> Result<Lines, Trouble> {
        // {"type":["container"]}, escaped; others are passed over when they come.
        http::follow(&self.socket, "/events?filters=%7B%22type%22%3A%5B%22container%22%5D%7D").await
    }

    /// What a line of the events means to us.
    pub fn change(line: &[u8]) -> Option<Change> {
        let value: Value = serde_json::from_slice(line).ok()?;
        let mut id = text(&value, &["Actor", "ID"]);
        if id.is_empty() {
            id = text(&value, &["id"]);
        }
        if !is_id(&id) {
            return None;
        }
        let mut action = text(&value, &["Action"]);
        if action.is_empty() {
            action = text(&value, &["status"]);
        }
        match action.as_str() {
            "create" | "start" | "init" => Some(Change::Came(id)),
            "die" | "died" | "destroy" | "remove" => Some(Change::Went(id)),
            _ => None,
        }
    }

    /// `None` where it has no such container.
    pub async fn inspect(&self, id: &str) -> Result<Option<Info>, Trouble> {
        if !is_id(id) {
            return Ok(None);
        }
        let size = if self.with_size { "?size=true" } else { "" };
        let Some(value) = self.json(&format!("/containers/{id}/json{size}")).await? else {
            return Ok(None);
        };
        let mut found = self.read(&value).ok_or("told of a container without an id")?;
        if !found.id.starts_with(id) {
            // A name that looks like an id.
            return Ok(None);
        }
        if found.ip.is_empty()
            && let Some(other) =
                text(&value, &["HostConfig", "NetworkMode"]).strip_prefix("container:")
            && is_id(other)
            && let Some(other) = self.json(&format!("/containers/{other}/json")).await?
        {
            found.ip = address(&other);
        }
        let image = text(&value, &["Image"]);
        if !image.is_empty()
            && image.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b':')
            && let Some(image) = self.json(&format!("/images/{image}/json")).await?
        {
            add_image(&mut found, &image);
        }
        Ok(Some(found))
    }

    fn read(&self, value: &Value) -> Option<Info> {
        let id = text(value, &["Id"]);
        if !is_id(&id) {
            return None;
        }
        let host = |key: &str| text(value, &["HostConfig", key]) == "host";
        let name = text(value, &["Name"]);
        let mut found = Info {
            runtime: self.runtime,
            is_sandbox: self.runtime == DOCKER && name.contains("k8s_POD"),
            name: name.strip_prefix('/').unwrap_or(&name).into(),
            image_id: text(value, &["Image"]).trim_start_matches("sha256:").into(),
            user: text(value, &["Config", "User"]),
            host_ipc: host("IpcMode"),
            host_network: host("NetworkMode"),
            host_pid: host("PidMode"),
            ip: address(value),
            labels: text_map(value, &["Config", "Labels"]),
            privileged: flag(value, &["HostConfig", "Privileged"]),
            mounts: list(value, &["Mounts"]).iter().map(mount).collect(),
            healthcheck: healthcheck(value),
            created: seconds(&text(value, &["Created"])),
            size: value.get("SizeRw").and_then(Value::as_i64),
            id,
            ..Info::default()
        };
        found.set_image(&text(value, &["Config", "Image"]));
        Some(found)
    }

    /// `None` for 404.
    async fn json(&self, path: &str) -> Result<Option<Value>, Trouble> {
        let reply = http::get(&self.socket, path).await?;
        match reply.status {
            404 => Ok(None),
            // Podman's word for one that went while it was asked about.
            500 if contains(&reply.body, b"no such container") => Ok(None),
            200..=299 => serde_json::from_slice(&reply.body)
                .map(Some)
                .map_err(|error| format!("answered with something else than JSON: {error}")),
            status => Err(format!("answered {status}")),
        }
    }
}

fn contains(body: &[u8], words: &[u8]) -> bool {
    body.windows(words.len()).any(|window| window == words)
}

/// Letters and digits as ids and their beginnings have them, and nothing that means something in a
/// path.
pub fn is_id(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn address(value: &Value) -> String {
    let own = text(value, &["NetworkSettings", "IPAddress"]);
    if !own.is_empty() {
        return own;
    }
    let networks = info::at(value, &["NetworkSettings", "Networks"]).and_then(Value::as_object);
    let addresses = networks.into_iter().flat_map(|all| all.values());
    addresses.map(|one| text(one, &["IPAddress"])).find(|ip| !ip.is_empty()).unwrap_or_default()
}

fn mount(value: &Value) -> Mount {
    Mount {
        source: text(value, &["Source"]),
        destination: text(value, &["Destination"]),
        mode: text(value, &["Mode"]),
        writable: flag(value, &["RW"]),
        propagation: text(value, &["Propagation"]),
    }
}

/// `["CMD", exe, …]` or `["CMD-SHELL", line]`.
fn healthcheck(value: &Value) -> Option<Probe> {
    let mut words = texts(value, &["Config", "Healthcheck", "Test"]);
    match words.first().map(String::as_str) {
        Some("CMD") => command(words.split_off(1)),
        Some("CMD-SHELL") => {
            let line = words.into_iter().nth(1)?;
            Some(Probe { exe: "/bin/sh".into(), args: vec!["-c".into(), line] })
        }
        _ => None,
    }
}

/// Repository, tag and digest as the image has them, where the container was started by an id.
fn add_image(found: &mut Info, image: &Value) {
    let id = text(image, &["Id"]);
    if !id.is_empty() {
        found.image_id = id.trim_start_matches("sha256:").into();
    }
    let started_by_id = found.image_repo.is_empty()
        || found.image_id.starts_with(found.image.trim_start_matches("sha256:"));
    let tags = texts(image, &["RepoTags"]);
    let digests = texts(image, &["RepoDigests"]);
    if started_by_id && let Some(tag) = tags.first() {
        let image = found.image.clone();
        found.set_image(tag);
        found.image = image;
    } else if !started_by_id {
        // The tag that was left out is the one that the image has under this name.
        if found.image_tag.is_empty() && found.image_digest.is_empty() {
            let prefix = format!("{}:", found.image_repo);
            let tag = tags.iter().find_map(|tag| tag.strip_prefix(&prefix));
            found.image_tag = tag.unwrap_or("latest").into();
        }
    }
    let of_repo = |one: &&String| {
        one.split_once('@').is_some_and(|(repo, _)| repo.ends_with(&found.image_repo))
    };
    let digest = digests.iter().find(of_repo).or(digests.first());
    if let Some((_, digest)) = digest.and_then(|one| one.split_once('@')) {
        found.image_digest = digest.into();
    }
}

/// Seconds since the epoch of a time such as 2026-01-02T03:04:05.678Z or with +01:00; 0 for none.
pub fn seconds(time: &str) -> i64 {
    let number = |range: std::ops::Range<usize>| {
        time.get(range).and_then(|digits| digits.parse::<i64>().ok())
    };
    let read = || {
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
        let rest = time.get(19..)?;
        let zone = rest.rfind(['+', '-']).map_or(0, |at| {
            let part = |from: usize| {
                rest.get(at + from..at + from + 2).and_then(|two| two.parse::<i64>().ok())
            };
            let away = part(1).unwrap_or(0) * 3600 + part(4).unwrap_or(0) * 60;
            if rest.as_bytes()[at] == b'-' { -away } else { away }
        });
        // Days since the epoch, of years that begin in March.
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let days = 365 * year + year.div_euclid(4) - year.div_euclid(100)
            + year.div_euclid(400)
            + (153 * month + 2) / 5
            + day
            - 1
            - 719_468;
        Some(days * 86_400 + hour * 3600 + minute * 60 + second - zone)
    };
    read().unwrap_or_default()
}
