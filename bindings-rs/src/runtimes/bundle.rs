//! What lies in the directories where runtimes keep the state of running containers: their OCI
//! specification, and Podman's list of names. A first source, and the only one where no daemon
//! answers. Files are read whole or not at all, regular ones only, and no link is followed.
use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::desk::{BY_FILES, BY_USERS_FILES, Rank};
use super::docker::is_id;
use super::info::{CONTAINERD, Info, PODMAN, UNKNOWN, text, texts};
use super::spec::add_spec;

const FILE_BYTES_MAX: u64 = 4 << 20;
const DIRECTORIES_MAX: usize = 256;

/// Where shims of containerd keep `NAMESPACE/ID/config.json`; the second: Docker's own containerd.
const TASKS: [&str; 2] = [
    "run/containerd/io.containerd.runtime.v2.task",
    "run/docker/containerd/daemon/io.containerd.runtime.v2.task",
];
/// Where runc and crun keep `ID/state.json` and `ID/status`, which name the bundle.
const STATES: [&str; 2] = ["run/crun", "run/runc"];
/// Where Podman keeps the names of containers that go when they end.
const VOLATILE: &str = "run/containers/storage/overlay-containers";

/// What the files below the root tell of a container whose whole id is known, and whose files.
pub fn find(root: &Path, id: &str) -> Option<(Rank, Info)> {
    if !is_name(id) {
        return None;
    }
    for tasks in TASKS {
        for namespace in entries(&root.join(tasks)) {
            let bundle = namespace.join(id);
            if let Some(spec) = json(&bundle.join("config.json")) {
                return Some((BY_FILES, of_spec(id, &spec, CONTAINERD)));
            }
        }
    }
    let own = STATES.iter().map(|state| (BY_FILES, root.join(state)));
    let users = entries(&root.join("run/user"));
    let users = users.iter().flat_map(|user| [user.join("crun"), user.join("runc")]);
    for (rank, state) in own.chain(users.map(|state| (BY_USERS_FILES, state))) {
        let Some(bundle) = bundle_of(&state.join(id)) else { continue };
        let bundle = below(root, &bundle);
        let spec = json(&bundle.join("config.json"))?;
        let manager = text(&spec, &["annotations", "io.container.manager"]);
        let mut found = of_spec(id, &spec, if manager == "libpod" { PODMAN } else { UNKNOWN });
        if manager == "libpod" {
            add_names(&mut found, root, &bundle);
        }
        return Some((rank, found));
    }
    None
}

fn of_spec(id: &str, spec: &Value, runtime: u32) -> Info {
    let mut found = Info { runtime, id: id.into(), ..Info::default() };
    add_spec(&mut found, spec);
    found
}

/// crun's `status` holds `bundle`, runc's `state.json` a label `bundle=…`.
fn bundle_of(state: &Path) -> Option<PathBuf> {
    if let Some(status) = json(&state.join("status")) {
        return Some(text(&status, &["bundle"]).into());
    }
    let state = json(&state.join("state.json"))?;
    let labels = texts(&state, &["config", "labels"]);
    labels.iter().find_map(|label| label.strip_prefix("bundle=")).map(PathBuf::from)
}

/// Podman's storage knows names and images: `DRIVER-containers/ID/userdata` is the bundle, the
/// lists lie two directories above; that of containers which go when they end below the run root.
fn add_names(found: &mut Info, root: &Path, bundle: &Path) {
    let storage = bundle.ancestors().nth(2).map(Path::to_owned).unwrap_or_default();
    let mut lists = vec![storage.join("containers.json"), storage.join("volatile-containers.json")];
    lists.push(root.join(VOLATILE).join("volatile-containers.json"));
    for path in lists {
        let Some(Value::Array(all)) = json(&path) else { continue };
        let Some(own) = all.iter().find(|one| text(one, &["id"]) == found.id) else { continue };
        found.image_id = text(own, &["image"]);
        let metadata: Value = serde_json::from_str(&text(own, &["metadata"])).unwrap_or_default();
        found.name = text(&metadata, &["name"]);
        if found.name.is_empty() {
            found.name = texts(own, &["names"]).into_iter().next().unwrap_or_default();
        }
        let image = text(&metadata, &["image-name"]);
        if !image.is_empty() {
            found.set_image(&image);
        }
        let images = storage.parent().map(|graph| graph.join("overlay-images/images.json"));
        if let Some(Value::Array(images)) = images.and_then(|path| json(&path)) {
            let own = images.iter().find(|one| text(one, &["id"]) == found.image_id);
            if let Some(own) = own {
                found.image_digest = text(own, &["digest"]);
            }
        }
        return;
    }
}

/// The whole id of a container of which the first characters are known, from the names of the
/// directories; `None` where none or several begin so.
pub fn whole_id(root: &Path, beginning: &str) -> Option<String> {
    if !is_name(beginning) {
        return None;
    }
    let mut places: Vec<PathBuf> = STATES.iter().map(|state| root.join(state)).collect();
    places.extend(TASKS.iter().flat_map(|tasks| entries(&root.join(tasks))));
    let mut found: Option<String> = None;
    for place in places {
        for entry in entries(&place) {
            let Some(name) = entry.file_name().and_then(|name| name.to_str()) else { continue };
            if !name.starts_with(beginning) || found.as_deref() == Some(name) {
                continue;
            }
            if found.is_some() {
                return None;
            }
            found = Some(name.into());
        }
    }
    found
}

/// A path that a file tells, as seen below the root; `..` leads nowhere.
fn below(root: &Path, told: &Path) -> PathBuf {
    let parts = told.components().filter_map(|part| match part {
        std::path::Component::Normal(name) => Some(name),
        _ => None,
    });
    parts.fold(root.to_owned(), |path, part| path.join(part))
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let Ok(all) = fs::read_dir(directory) else { return Vec::new() };
    all.flatten().take(DIRECTORIES_MAX).map(|entry| entry.path()).collect()
}

fn json(path: &Path) -> Option<Value> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW | libc::O_CLOEXEC)
        .open(path)
        .ok()?;
    read(file)
}

fn read(file: File) -> Option<Value> {
    let metadata = file.metadata().ok()?;
    if !metadata.is_file() || metadata.len() > FILE_BYTES_MAX {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// A single component of a path.
fn is_name(id: &str) -> bool {
    is_id(id)
        || (1..=256).contains(&id.len())
            && !id.starts_with('.')
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}
