//! What a container's OCI specification (`config.json`) tells of it: mounts, namespaces, user, and
//! whether it is privileged in all but name.
use serde_json::Value;

use super::info::{Info, Mount, at, list, text, text_map, texts};

/// Adds what the specification says; names and images stand elsewhere.
pub fn add_spec(found: &mut Info, spec: &Value) {
    found.mounts = list(spec, &["mounts"]).iter().map(mount).collect();
    let kinds: Vec<String> =
        list(spec, &["linux", "namespaces"]).iter().map(|one| text(one, &["type"])).collect();
    let shared = |kind: &str| !kinds.iter().any(|own| own == kind);
    found.host_pid = shared("pid");
    found.host_network = shared("network");
    found.host_ipc = shared("ipc");
    found.user = at(spec, &["process", "user", "uid"])
        .and_then(Value::as_u64)
        .map(|uid| uid.to_string())
        .unwrap_or_default();
    found.privileged = is_privileged(spec);
    let annotations = text_map(spec, &["annotations"]);
    let annotation = |keys: &[&str]| {
        keys.iter().find_map(|key| annotations.get(*key).cloned()).unwrap_or_default()
    };
    if found.image.is_empty() {
        let image = annotation(&[
            "io.kubernetes.cri.image-name",
            "io.kubernetes.cri-o.ImageName",
            "io.kubernetes.cri-o.Image",
            "org.opencontainers.image.ref.name",
        ]);
        found.set_image(&image);
    }
    if found.name.is_empty() {
        found.name = annotation(&[
            "io.kubernetes.cri.container-name",
            "io.kubernetes.container.name",
            "nerdctl/name",
        ]);
    }
    if found.sandbox_id.is_empty() {
        found.sandbox_id = annotation(&["io.kubernetes.cri.sandbox-id"]);
        if found.sandbox_id.is_empty() {
            found.sandbox_id = annotation(&["io.kubernetes.cri-o.SandboxID"]);
        }
    }
    for (label, key) in [
        ("io.kubernetes.pod.name", "io.kubernetes.cri.sandbox-name"),
        ("io.kubernetes.pod.namespace", "io.kubernetes.cri.sandbox-namespace"),
        ("io.kubernetes.pod.uid", "io.kubernetes.cri.sandbox-uid"),
    ] {
        let value = annotation(&[key, label]);
        if !value.is_empty() {
            found.labels.entry(label.into()).or_insert(value);
        }
    }
    let kind =
        annotation(&["io.kubernetes.cri.container-type", "io.kubernetes.cri-o.ContainerType"]);
    found.is_sandbox |= kind == "sandbox";
}

fn mount(value: &Value) -> Mount {
    let options = texts(value, &["options"]);
    let has = |name: &str| options.iter().any(|option| option == name);
    let propagation = options.iter().find(|option| {
        matches!(
            option.as_str(),
            "private"
                | "rprivate"
                | "slave"
                | "rslave"
                | "shared"
                | "rshared"
                | "unbindable"
                | "runbindable"
        )
    });
    Mount {
        source: text(value, &["source"]),
        destination: text(value, &["destination"]),
        mode: options
            .iter()
            .find_map(|option| option.strip_prefix("mode="))
            .unwrap_or_default()
            .into(),
        writable: !has("ro") && !has("rro"),
        propagation: propagation.cloned().unwrap_or_default(),
    }
}

/// Nothing of /proc and /sys is hidden, no profile confines it, and it may do what only the
/// machine's root may: what every runtime's `--privileged` comes to.
fn is_privileged(spec: &Value) -> bool {
    let confined = !list(spec, &["linux", "maskedPaths"]).is_empty()
        || !list(spec, &["linux", "readonlyPaths"]).is_empty()
        || at(spec, &["linux", "seccomp"]).is_some_and(|value| !value.is_null());
    let profile = text(spec, &["process", "apparmorProfile"]);
    if confined || !matches!(profile.as_str(), "" | "unconfined") {
        return false;
    }
    let capabilities = texts(spec, &["process", "capabilities", "bounding"]);
    capabilities.iter().any(|name| name == "CAP_SYS_ADMIN")
}
