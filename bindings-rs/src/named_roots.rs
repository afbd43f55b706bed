//! Files that rules name, in the roots that other processes have: containers' own, which are other
//! inodes than the host's. In: the names. Out: the same map as named.rs keeps, whose names come
//! first.
//!
//! A root is known by its device and inode, and nothing of it stays open: a container that ends can
//! be taken down at once. Only what lies on the root's own mount counts: a user who makes himself a
//! root must not be able to put a host's file under a name of rules. New roots are looked at when
//! somebody says that there may be one, else within seconds, all of them once in a while. It is a
//! thread of its own: whoever has a root can have one that never answers (a file system of his
//! own), which holds up nothing else.
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CStr, CString};
use std::mem::zeroed;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use crate::named_parts::{EVERY_MS, FILES_MAX, Shared, key_of, look_up_on, owned, put};
use crate::reader::{Key, Parts};

/// Roots at the most; those beyond are counted.
const ROOTS_MAX: usize = 512;
/// Between two looks, however many roots come.
const PAUSE: Duration = Duration::from_millis(250);
/// And at least so many times what a look takes, on a host with thousands of processes.
const RESTS: u32 = 20;
/// All roots are looked at anew after so long: a file may have been replaced.
const ALL_EVERY: Duration = Duration::from_mins(1);

/// Device and inode, as programs are told them.
type Root = (u64, u64);

/// Begins the thread; it ends when nothing is wanted any more. `root`: where the host's files are.
pub fn begin(
    parts: Box<dyn Parts>,
    root: &OwnedFd,
    shared: Arc<Shared>,
    woken: OwnedFd,
) -> std::io::Result<()> {
    let how = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC;
    // SAFETY: a name of ours; the descriptor is this call's own.
    let processes = unsafe { owned(libc::openat(root.as_raw_fd(), c"proc".as_ptr(), how)) };
    // Without, there are no other roots to be seen.
    let Ok(processes) = processes else { return Ok(()) };
    let Some(host) = identity(root.as_raw_fd(), c"") else { return Ok(()) };
    let (known, told) = (BTreeMap::new(), BTreeSet::new());
    let mut roots = Roots { parts, processes, host, known, told };
    thread::Builder::new()
        .name("named-in-roots".to_owned())
        .spawn(move || roots.keep(&shared, &woken))?;
    Ok(())
}

struct Roots {
    parts: Box<dyn Parts>,
    /// The host's /proc.
    processes: OwnedFd,
    host: Root,
    known: BTreeMap<Root, BTreeMap<Key, Vec<u8>>>,
    /// What the map has for them.
    told: BTreeSet<Key>,
}

impl Roots {
    fn keep(&mut self, shared: &Shared, woken: &OwnedFd) {
        let mut names = BTreeSet::new();
        let mut all_looked = Instant::now();
        loop {
            let begun = Instant::now();
            let Some(wanted) = shared.wanted() else { return };
            if wanted != names || all_looked.elapsed() > ALL_EVERY {
                self.known.clear();
                all_looked = begun;
                names = wanted;
            }
            let refused = self.look(&names) + self.tell(&shared.hosts());
            shared.refused_in_roots.store(refused, Ordering::Relaxed);
            let took = begun.elapsed();
            wait(woken);
            if shared.wanted().is_none() {
                return;
            }
            thread::sleep(PAUSE.max(took * RESTS).saturating_sub(begun.elapsed()));
        }
    }

    /// Looks for roots, and for the names in those that are new. Returns how many are too many.
    fn look(&mut self, names: &BTreeSet<Vec<u8>>) -> u64 {
        let mut seen = BTreeMap::new();
        if !names.is_empty() {
            for pid in self.pids() {
                let Ok(path) = CString::new(format!("{pid}/root")) else { continue };
                if let Some(root) = identity(self.processes.as_raw_fd(), &path)
                    && root != self.host
                {
                    seen.entry(root).or_insert(path);
                }
            }
        }
        self.known.retain(|root, _| seen.contains_key(root));
        let mut refused = 0;
        for (root, path) in seen {
            if self.known.contains_key(&root) {
                continue;
            }
            if self.known.len() >= ROOTS_MAX {
                refused += 1;
                continue;
            }
            let how = libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC;
            // SAFETY: a name of ours; the descriptor is this call's own.
            let opened =
                unsafe { owned(libc::openat(self.processes.as_raw_fd(), path.as_ptr(), how)) };
            let Ok(opened) = opened else { continue };
            // The process may have ended, and its number be another's.
            if identity(opened.as_raw_fd(), c"") != Some(root) {
                continue;
            }
            let files = names.iter().filter_map(|name| {
                Some((key_of(&*self.parts, &look_up_on(&opened, name)?)?, name.clone()))
            });
            self.known.insert(root, files.collect());
        }
        refused
    }

    /// Has the map say what was found. Returns the files that found no place.
    fn tell(&mut self, hosts: &BTreeSet<Key>) -> u64 {
        let mut files = BTreeMap::new();
        let mut refused = 0;
        for (key, name) in self.known.values().flatten() {
            if hosts.contains(key) || files.contains_key(key) {
                continue;
            }
            if files.len() + hosts.len() >= FILES_MAX {
                refused += 1;
            } else {
                files.insert(*key, name);
            }
        }
        for key in self.told.iter().filter(|key| !files.contains_key(key) && !hosts.contains(key)) {
            self.parts.set_name(*key, None);
        }
        self.told = files.keys().copied().collect();
        for (key, name) in files {
            put(&mut *self.parts, key, name);
        }
        refused
    }

    fn pids(&self) -> Vec<u32> {
        // By its descriptor: the name may lead elsewhere from the reader's own root.
        let listed = std::fs::read_dir(format!("/proc/self/fd/{}", self.processes.as_raw_fd()));
        let names = listed.into_iter().flatten().flatten();
        names.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
    }
}

/// Returns when somebody asks, or after some seconds.
fn wait(woken: &OwnedFd) {
    let mut asked = libc::pollfd { fd: woken.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let mut count = [0u8; 8];
    // SAFETY: one entry, and eight bytes of ours.
    unsafe {
        libc::poll(&raw mut asked, 1, EVERY_MS);
        libc::read(woken.as_raw_fd(), count.as_mut_ptr().cast(), count.len());
    }
}

/// Device and inode of a directory; an empty path is the descriptor itself. The file system is not
/// asked: it may be one that never answers.
fn identity(at: i32, path: &CStr) -> Option<Root> {
    // SAFETY: plain numbers.
    let mut told: libc::statx = unsafe { zeroed() };
    let flags = libc::AT_EMPTY_PATH | libc::AT_STATX_DONT_SYNC;
    // SAFETY: a path and a structure of ours.
    let failed =
        unsafe { libc::statx(at, path.as_ptr(), flags, libc::STATX_INO, &raw mut told) } != 0;
    let device = u64::from(told.stx_dev_major) << 32 | u64::from(told.stx_dev_minor);
    if failed { None } else { Some((device, told.stx_ino)) }
}
