//! From where this process looks at cgroups. On cgroup 2 a container has a cgroup namespace of its
//! own, and every `/proc/<pid>/cgroup`, the host's mount of /proc included, is written as seen from
//! there: its own group is `/`, those of others are `/../NAME`. Events tell the kernel's own paths.
//! In: such a path. Out: the path that it has on the host.

use super::proc_dir::ProcDir;
use rustix::fs::CWD;
use std::collections::VecDeque;
use std::path::Path;

/// Groups looked through for our own.
const GROUPS_MAX: usize = 65_536;

pub struct View {
    /// The names down to the root of our namespace; None where it cannot be found.
    root: Option<Vec<Vec<u8>>>,
}

impl View {
    /// `host`: the host's mount of the unified hierarchy; `ours`: the one of this mount namespace,
    /// whose top is the root of our cgroup namespace.
    pub fn new(host: &Path, ours: &Path) -> Self {
        Self { root: root_of(host, ours) }
    }

    /// The path on the host. What leads out of a root that could not be found loses its way up.
    pub fn on_host(&self, path: &[u8]) -> Vec<u8> {
        let mut names: Vec<&[u8]> = self.root.iter().flatten().map(Vec::as_slice).collect();
        for part in path.split(|&byte| byte == b'/') {
            match part {
                b"" => {}
                b".." => {
                    names.pop();
                }
                name => names.push(name),
            }
        }
        let mut whole = vec![b'/'];
        whole.extend_from_slice(&names.join(&b'/'));
        whole
    }
}

/// A group is known by its inode, which is the same in every mount of the hierarchy.
fn root_of(host: &Path, ours: &Path) -> Option<Vec<Vec<u8>>> {
    let top = ProcDir::open(CWD, host.to_str()?).ok()?;
    let (found, wanted) = (top.stat(".")?, ProcDir::open(CWD, ours.to_str()?).ok()?.stat(".")?);
    if (found.stx_dev_major, found.stx_dev_minor) != (wanted.stx_dev_major, wanted.stx_dev_minor) {
        return None;
    }
    if found.stx_ino == wanted.stx_ino {
        return Some(Vec::new());
    }
    let mut queue = VecDeque::from([Vec::new()]);
    let mut seen = 0;
    while let Some(names) = queue.pop_front() {
        let path = if names.is_empty() { b".".to_vec() } else { names.join(&b'/') };
        // One that is gone meanwhile, or whose name is no text, is passed by.
        let path = std::str::from_utf8(&path);
        let Some(directory) = path.ok().and_then(|path| top.dir(path).ok()) else { continue };
        for (name, inode) in directory.directories(GROUPS_MAX - seen) {
            seen += 1;
            let mut below: Vec<Vec<u8>> = names.clone();
            below.push(name);
            if inode == wanted.stx_ino {
                return Some(below);
            }
            queue.push_back(below);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{create_dir_all, remove_dir_all};

    #[test]
    fn a_path_of_our_namespace_is_told_as_the_host_sees_it() {
        let host = std::env::temp_dir().join(format!("saker-view-{}", std::process::id()));
        // In place of hierarchies, whose mounts share inodes: directories, and a link to one.
        create_dir_all(host.join("kubepods/podA/ours/below")).unwrap();
        create_dir_all(host.join("system.slice/cron.service")).unwrap();
        let view = View::new(&host, &host.join("kubepods/podA/ours"));
        let cases: [(&str, &str); 6] = [
            ("/", "/kubepods/podA/ours"),
            ("/below", "/kubepods/podA/ours/below"),
            ("/../theirs", "/kubepods/podA/theirs"),
            ("/../../podB/theirs", "/kubepods/podB/theirs"),
            ("/../../../system.slice/cron.service", "/system.slice/cron.service"),
            ("/../../..", "/"),
        ];
        for (path, wanted) in cases {
            assert_eq!(String::from_utf8(view.on_host(path.as_bytes())).unwrap(), wanted);
        }
        let same = View::new(&host, &host);
        assert_eq!(same.on_host(b"/a/b"), b"/a/b");
        remove_dir_all(&host).unwrap();
    }

    #[test]
    fn a_path_out_of_a_namespace_that_cannot_be_placed_keeps_its_names() {
        let view = View::new(Path::new("/nowhere"), Path::new("/nowhere"));
        assert_eq!(view.on_host(b"/../../podB/theirs"), b"/podB/theirs");
        assert_eq!(view.on_host(b"/../.."), b"/");
        assert_eq!(view.on_host(b"/a"), b"/a");
    }
}
