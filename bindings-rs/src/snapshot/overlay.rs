//! Whether a program on an overlay file system was put there after the image was made (it lies
//! in the upper layer) or came with it.

use super::proc_dir::ProcDir;
use procfs::FromBufRead;
use procfs::process::{MountInfo, MountInfos};
use rustix::fs::{Mode, OFlags, fstatfs, openat};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// f_type of an overlay file system.
const OVERLAYFS_SUPER_MAGIC: i64 = 0x794c_7630;
const MOUNTINFO_MAX: usize = 1 << 20;
/// Mount namespaces remembered during one scan.
const NAMESPACES_MAX: usize = 4096;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layer {
    /// Not on an overlay, or nobody can tell.
    None,
    Upper,
    Lower,
}

pub struct Overlays {
    host_root: PathBuf,
    /// By inode of the mount namespace: the overlay mounts.
    known: HashMap<u64, Vec<Mount>>,
}

struct Mount {
    point: PathBuf,
    upper: Option<PathBuf>,
}

impl Overlays {
    pub fn new(host_root: &Path) -> Self {
        Self { host_root: host_root.to_path_buf(), known: HashMap::new() }
    }

    /// The layer that holds the program `exepath` of the process.
    pub fn layer(&mut self, process: &ProcDir, exepath: &[u8]) -> Layer {
        let Ok(exepath) = std::str::from_utf8(exepath) else { return Layer::None };
        if !is_overlay(process) {
            return Layer::None;
        }
        let namespace = process.stat("ns/mnt").map_or(0, |facts| facts.stx_ino);
        if self.known.len() >= NAMESPACES_MAX {
            self.known.clear();
        }
        let mounts = self.known.entry(namespace).or_insert_with(|| overlay_mounts(process));
        let exepath = Path::new(exepath.strip_suffix(" (deleted)").unwrap_or(exepath));
        let held = mounts
            .iter()
            .filter_map(|mount| Some((mount, exepath.strip_prefix(&mount.point).ok()?)))
            .max_by_key(|(mount, _)| mount.point.as_os_str().len());
        match held {
            Some((Mount { upper: Some(upper), .. }, below)) => {
                let upper = upper.strip_prefix("/").unwrap_or(upper);
                let file = self.host_root.join(upper).join(below);
                if std::fs::symlink_metadata(file).is_ok() { Layer::Upper } else { Layer::Lower }
            }
            // An overlay without an upper layer is read-only.
            Some((Mount { upper: None, .. }, _)) => Layer::Lower,
            None => Layer::None,
        }
    }
}

fn is_overlay(process: &ProcDir) -> bool {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let Ok(exe) = openat(process, "exe", flags, Mode::empty()) else { return false };
    #[allow(clippy::unnecessary_cast, reason = "the type differs between architectures")]
    fstatfs(exe).is_ok_and(|facts| facts.f_type as i64 == OVERLAYFS_SUPER_MAGIC)
}

fn overlay_mounts(process: &ProcDir) -> Vec<Mount> {
    let mut text = Vec::new();
    if process.read("mountinfo", &mut text, MOUNTINFO_MAX).is_err() {
        return Vec::new();
    }
    let mounts = MountInfos::from_buf_read(text.as_slice()).map_or(Vec::new(), |mounts| mounts.0);
    mounts.into_iter().filter(|mount| mount.fs_type == "overlay").map(overlay_mount).collect()
}

fn overlay_mount(mount: MountInfo) -> Mount {
    let upper = mount.super_options.get("upperdir").cloned().flatten().map(PathBuf::from);
    Mount { point: mount.mount_point, upper }
}
