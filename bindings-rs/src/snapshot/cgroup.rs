//! The control groups of a process, as the events write them: `controller=path`, NUL-ended each.

use super::block::LIST_MAX;
use super::cgroup_view::View;
use super::proc_dir::{ProcDir, words};
use rustix::fs::CWD;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Mount point of the unified hierarchy (version 2) below a host root.
const UNIFIED: &str = "sys/fs/cgroup";
const CONTROLLERS_MAX: usize = 4096;
/// Groups remembered during one scan.
const KNOWN_MAX: usize = 16_384;

pub struct Cgroups {
    unified: PathBuf,
    view: View,
    /// What a version 2 group's path means for each controller.
    known: HashMap<Vec<u8>, Vec<u8>>,
}

impl Cgroups {
    pub fn new(host_root: &Path) -> Self {
        let unified = host_root.join(UNIFIED);
        let view = View::new(&unified, &Path::new("/").join(UNIFIED));
        Self { unified, view, known: HashMap::new() }
    }

    /// The list for the text of a `/proc/<pid>/cgroup`.
    pub fn list(&mut self, text: &[u8]) -> Vec<u8> {
        let mut list = Vec::new();
        for line in text.split(|&byte| byte == b'\n') {
            let mut parts = line.splitn(3, |&byte| byte == b':');
            let (Some(id), Some(controllers), Some(path)) =
                (parts.next(), parts.next(), parts.next())
            else {
                continue;
            };
            if !controllers.is_empty() {
                for controller in controllers.split(|&byte| byte == b',') {
                    put(&mut list, controller, path);
                }
            } else if id == b"0" {
                list.extend_from_slice(self.unified(path));
            }
        }
        list.truncate(LIST_MAX);
        list
    }

    fn unified(&mut self, path: &[u8]) -> &[u8] {
        if self.known.len() >= KNOWN_MAX {
            self.known.clear();
        }
        if !self.known.contains_key(path) {
            let list = resolve(&self.unified, &self.view.on_host(path));
            self.known.insert(path.to_vec(), list);
        }
        &self.known[path]
    }
}

fn put(list: &mut Vec<u8>, controller: &[u8], path: &[u8]) {
    if list.len() + controller.len() + path.len() + 2 > LIST_MAX {
        return;
    }
    list.extend_from_slice(controller);
    list.push(b'=');
    list.extend_from_slice(path);
    list.push(0);
}

/// A version 2 group is governed by its own controllers and, for those that are not enabled in
/// it, by the nearest group above that has them. One that cannot be looked at is taken to have all.
fn resolve(unified: &Path, path: &[u8]) -> Vec<u8> {
    let mut list = Vec::new();
    let mut done: Vec<Vec<u8>> = Vec::new();
    let mut group = path;
    let Some(mut enabled) = controllers(unified, path) else {
        for controller in controllers(unified, b"/").unwrap_or_default() {
            put(&mut list, &controller, path);
        }
        return list;
    };
    loop {
        for controller in enabled {
            if !done.contains(&controller) {
                put(&mut list, &controller, group);
                done.push(controller);
            }
        }
        if group.len() <= 1 {
            break;
        }
        let slash = group.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        group = if slash == 0 { b"/" } else { &group[..slash] };
        enabled = controllers(unified, group).unwrap_or_default();
    }
    list
}

/// None: there is no such group, or none that can be looked at.
fn controllers(unified: &Path, group: &[u8]) -> Option<Vec<Vec<u8>>> {
    let directory = unified.join(std::str::from_utf8(group).ok()?.trim_start_matches('/'));
    let mut bytes = Vec::new();
    let dir = ProcDir::open(CWD, directory.to_str()?).ok()?;
    dir.read("cgroup.controllers", &mut bytes, CONTROLLERS_MAX).ok()?;
    Some(words(bytes.trim_ascii()).map(<[u8]>::to_vec).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controllers_of_version_1_are_told_one_by_one() {
        let mut cgroups = Cgroups::new(Path::new("/nowhere"));
        let list = cgroups.list(b"4:cpu,cpuacct:/a:b\n1:name=systemd:/c\n0::/d\n");
        assert_eq!(list, b"cpu=/a:b\0cpuacct=/a:b\0name=systemd=/c\0");
    }

    #[test]
    fn a_controller_not_enabled_in_a_unified_group_is_that_of_the_group_above() {
        let root = std::env::temp_dir().join(format!("saker-cgroup-{}", std::process::id()));
        let deep = root.join("sys/fs/cgroup/a/b");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(root.join("sys/fs/cgroup/cgroup.controllers"), "cpu memory pids\n").unwrap();
        std::fs::write(root.join("sys/fs/cgroup/a/cgroup.controllers"), "memory pids\n").unwrap();
        std::fs::write(deep.join("cgroup.controllers"), "pids\n").unwrap();
        let list = Cgroups::new(&root).list(b"0::/a/b\n");
        std::fs::remove_dir_all(&root).unwrap();
        assert_eq!(list, b"pids=/a/b\0memory=/a\0cpu=/\0");
    }

    #[test]
    fn a_group_outside_of_our_namespace_is_told_by_its_names() {
        let root = std::env::temp_dir().join(format!("saker-outside-{}", std::process::id()));
        std::fs::create_dir_all(root.join("sys/fs/cgroup")).unwrap();
        std::fs::write(root.join("sys/fs/cgroup/cgroup.controllers"), "cpu memory\n").unwrap();
        // As a saker in a container of cgroup 2 reads it of a container that was there before.
        let list = Cgroups::new(&root).list(b"0::/../../podB/cri-containerd-1.scope\n");
        std::fs::remove_dir_all(&root).unwrap();
        let path = "/podB/cri-containerd-1.scope";
        assert_eq!(list, format!("cpu={path}\0memory={path}\0").into_bytes());
    }

    #[test]
    fn a_list_too_long_is_cut_between_entries() {
        let path = vec![b'x'; 3000];
        let line = [b"2:cpu,io:/".as_slice(), &path, b"\n"].concat();
        let list = Cgroups::new(Path::new("/nowhere")).list(&line);
        assert!(list.starts_with(b"cpu=/x") && list.ends_with(b"x\0"));
        assert_eq!(list.len(), 3006);
    }
}
