//! Where a process lives, as seen by the machine's first one: what its events tell as well
//! (probe-rs/src/namespaces.rs), for processes that were there before.

use super::proc_dir::ProcDir;
use probe::namespaces::{HOST_MOUNTS, HOST_PIDS, HOST_ROOT, KNOWN};
use rustix::fs::CWD;
use std::path::Path;

/// The first pid namespace's inode, the same on every kernel (`PROC_PID_INIT_INO`).
const FIRST_PIDS: u64 = 0xefff_fffc;

/// A root directory: device and inode.
type Root = (u32, u32, u64);

/// Mount namespace and root directory of process 1, where this process may look at it.
pub struct Namespaces {
    mounts: Option<u64>,
    root: Option<Root>,
}

impl Namespaces {
    /// `proc` is that of the host. Process 1 can hold capabilities that we lack, and then is not to
    /// be looked at; on the host itself we stand for it.
    pub fn new(proc: &ProcDir, host_root: &Path) -> Self {
        let mut host =
            proc.dir("1").map_or(Self { mounts: None, root: None }, |dir| Self::of(&dir));
        if host.mounts.is_none()
            && host_root == Path::new("/")
            && let Ok(own) = ProcDir::open(CWD, "/proc/self")
            && inode(&own, "ns/pid") == Some(FIRST_PIDS)
        {
            host = Self::of(&own);
        }
        host
    }

    fn of(dir: &ProcDir) -> Self {
        Self { mounts: inode(dir, "ns/mnt"), root: root(dir) }
    }

    /// Marks, pid namespace, mount namespace; no marks where that is not known. `nested`: the
    /// process has a number in more than one pid namespace, which everybody may know.
    pub fn marks(&self, dir: &ProcDir, nested: bool) -> [u32; 3] {
        let pids = inode(dir, "ns/pid");
        let own = Self::of(dir);
        let numbers = [pids.unwrap_or(0) as u32, own.mounts.unwrap_or(0) as u32];
        let is_inside = pids.map_or(nested, |pids| pids != FIRST_PIDS);
        let is_told = own.mounts.is_some() && own.root.is_some();
        if !(is_inside || is_told && self.mounts.is_some()) {
            return [0, numbers[0], numbers[1]];
        }
        let mut marks = KNOWN;
        if !is_inside {
            marks |= HOST_PIDS;
        }
        if is_told && own.mounts == self.mounts {
            marks |= HOST_MOUNTS;
        }
        if is_told && own.root == self.root {
            marks |= HOST_ROOT;
        }
        [marks, numbers[0], numbers[1]]
    }
}

fn inode(dir: &ProcDir, name: &str) -> Option<u64> {
    dir.stat(name).map(|facts| facts.stx_ino)
}

fn root(dir: &ProcDir) -> Option<Root> {
    dir.stat("root").map(|facts| (facts.stx_dev_major, facts.stx_dev_minor, facts.stx_ino))
}
