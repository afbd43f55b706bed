//! Files that rules name, known by device and inode (ebpf-rs/src/named.rs). In: their names. Out: a
//! map that the probe looks a file with several names up in, kept true by a thread of its own: the
//! files are looked up at once, again when their directories say that another file has the name,
//! and all of them every few seconds; so are the host's mounts (named_mounts.rs). A mount that
//! hangs holds up this thread alone. Other roots have a thread of their own (named_roots.rs).
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CString, OsStr};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::Duration;

use probe::further::NAME_BYTES;

use crate::failure::{Code, Failure};
use crate::named_mounts::Mounts;
use crate::named_parts::{EVERY_MS, FILES_MAX, Shared, key_of, look_up_below, owned, put};
use crate::named_roots;
use crate::reader::{Key, Parts};

/// Directories that are watched for them, at the most.
const DIRECTORIES_MAX: usize = 512;
/// Mounts are looked at so long after the first change of them.
const SETTLES: Duration = Duration::from_millis(100);

/// The threads; they end when this is dropped.
pub struct Named {
    shared: Arc<Shared>,
    wake: OwnedFd,
    wake_roots: OwnedFd,
}

impl Named {
    /// Begins. `host_root`: where the host's files are.
    pub fn begin([parts, of_roots]: [Box<dyn Parts>; 2], host_root: &str) -> std::io::Result<Self> {
        let (wake, wake_roots) = (bell()?, bell()?);
        let shared = Arc::new(Shared::default());
        *shared.wanted.lock().unwrap_or_else(PoisonError::into_inner) = Some(BTreeSet::new());
        let (theirs, woken) = (shared.clone(), wake.try_clone()?);
        // SAFETY: makes a descriptor only.
        let watch = unsafe { owned(libc::inotify_init1(libc::IN_CLOEXEC | libc::IN_NONBLOCK)) }?;
        let (root, is_root) = root_of(host_root)?;
        named_roots::begin(of_roots, &root, shared.clone(), wake_roots.try_clone()?)?;
        let (entries, watched) = (BTreeMap::new(), BTreeMap::new());
        let mounts = Mounts::new(&root, host_root == "/");
        let mut keeper = Keeper { parts, root, watch, entries, watched, mounts };
        if is_root {
            keeper.tell_root();
        }
        thread::Builder::new()
            .name("named-files".to_owned())
            .spawn(move || keeper.keep(&theirs, &woken))?;
        Ok(Self { shared, wake, wake_roots })
    }

    /// Exchanges the names; begins where none were followed yet, with what `parts` gives.
    pub fn follow<P: Parts + 'static>(
        named: &mut Option<Self>,
        parts: impl FnOnce() -> Result<[Box<P>; 2], Failure>,
        names: Vec<Vec<u8>>,
        host_root: &str,
    ) -> Result<(), Failure> {
        let known = if let Some(known) = named {
            known
        } else {
            let [parts, of_roots] = parts()?;
            let begun = Self::begin([parts, of_roots], host_root).map_err(|error| {
                Failure::new(Code::Io, format!("Cannot follow the files of rules: {error}"))
            })?;
            named.insert(begun)
        };
        known.want(names);
        Ok(())
    }

    /// Exchanges the names.
    pub fn want(&self, names: Vec<Vec<u8>>) {
        let all = names.len();
        let taken: BTreeSet<Vec<u8>> = names
            .into_iter()
            .filter(|name| name.len() < NAME_BYTES && !name.contains(&0))
            .take(FILES_MAX)
            .collect();
        self.shared.refused.store((all - taken.len()) as u64, Ordering::Relaxed);
        self.set(Some(taken));
    }

    /// Files that are known, and names that found no place.
    pub fn counts(&self) -> (u64, u64) {
        let Shared { known, refused, refused_in_roots, refused_mounts, .. } = &*self.shared;
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (of(known), of(refused) + of(refused_in_roots) + of(refused_mounts))
    }

    /// There may be a root that is not known yet.
    pub fn look_at_roots(&self) {
        ring(&self.wake_roots);
    }

    fn set(&self, wanted: Option<BTreeSet<Vec<u8>>>) {
        *self.shared.wanted.lock().unwrap_or_else(PoisonError::into_inner) = wanted;
        ring(&self.wake);
        ring(&self.wake_roots);
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        self.set(None);
    }
}

fn bell() -> std::io::Result<OwnedFd> {
    // SAFETY: makes a descriptor only.
    unsafe { owned(libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK)) }
}

fn ring(bell: &OwnedFd) {
    let one = 1u64.to_ne_bytes();
    // SAFETY: eight bytes of ours.
    unsafe { libc::write(bell.as_raw_fd(), one.as_ptr().cast(), one.len()) };
}

/// Where names lead as on the host: the root of its first process where it is to be had, else the
/// directory below which some of the host's are mounted, and false: that is no process's root.
fn root_of(host_root: &str) -> std::io::Result<(OwnedFd, bool)> {
    let open = |path: &str| -> std::io::Result<OwnedFd> {
        let path = CString::new(path)?;
        let how = libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC;
        // SAFETY: a path of ours; nothing is opened but the name.
        unsafe { owned(libc::open(path.as_ptr(), how)) }
    };
    if host_root == "/" {
        return Ok((open(host_root)?, true));
    }
    match open(&format!("{host_root}/proc/1/root")) {
        Ok(root) => Ok((root, true)),
        Err(_) => Ok((open(host_root)?, false)),
    }
}

struct Keeper {
    parts: Box<dyn Parts>,
    /// Below it names lead where they lead on the host.
    root: OwnedFd,
    watch: OwnedFd,
    /// What each name led to last.
    entries: BTreeMap<Vec<u8>, Option<Key>>,
    /// Directories by their watches.
    watched: BTreeMap<i32, Vec<u8>>,
    mounts: Mounts,
}

impl Keeper {
    fn tell_root(&mut self) {
        if let Some(looked) = self.parts.look(self.root.as_raw_fd()) {
            self.parts.set_host(looked.place);
        }
    }

    fn keep(mut self, shared: &Shared, woken: &OwnedFd) {
        loop {
            let Some(wanted) = shared.wanted() else { return };
            self.mounts.look(&mut *self.parts, &self.root);
            for name in self.entries.keys().cloned().collect::<Vec<_>>() {
                if !wanted.contains(&name) {
                    self.lead(&name, None);
                    self.entries.remove(&name);
                }
            }
            for name in &wanted {
                self.watch_directory_of(name);
                self.find(name);
            }
            self.tell(shared);
            if self.wait(woken) {
                continue;
            }
            // Only what changed, until it is time for all.
            while let Some(changed) = self.changed() {
                for name in changed.iter().filter(|name| wanted.contains(*name)) {
                    self.find(name);
                }
                self.tell(shared);
                if self.wait(woken) {
                    break;
                }
            }
        }
    }

    fn tell(&self, shared: &Shared) {
        let known: Vec<Key> = self.entries.values().flatten().copied().collect();
        shared.known.store(known.len() as u64, Ordering::Relaxed);
        shared.refused_mounts.store(self.mounts.refused, Ordering::Relaxed);
        *shared.hosts.lock().unwrap_or_else(PoisonError::into_inner) = known.into_iter().collect();
    }

    /// Returns when there is something; whether names were exchanged.
    fn wait(&self, woken: &OwnedFd) -> bool {
        let ready = [
            (woken.as_raw_fd(), libc::POLLIN),
            (self.watch.as_raw_fd(), libc::POLLIN),
            (self.mounts.fd(), libc::POLLPRI),
        ];
        let mut all = ready.map(|(fd, events)| libc::pollfd { fd, events, revents: 0 });
        let mut count = [0u8; 8];
        // SAFETY: three entries, and eight bytes of ours.
        unsafe {
            libc::poll(all.as_mut_ptr(), 3, EVERY_MS);
            if all[2].revents != 0 {
                // Many come at once.
                thread::sleep(SETTLES);
            }
            libc::read(woken.as_raw_fd(), count.as_mut_ptr().cast(), count.len()) == 8
        }
    }

    /// Names in watched directories that were made or moved since; None: nothing happened, or a
    /// directory itself went away or too much was said at once.
    fn changed(&mut self) -> Option<Vec<Vec<u8>>> {
        let mut room = [0u8; 16_384];
        // SAFETY: the room's bytes.
        let got =
            unsafe { libc::read(self.watch.as_raw_fd(), room.as_mut_ptr().cast(), room.len()) };
        if got <= 0 {
            return None;
        }
        let mut names = Vec::new();
        let mut at = 0;
        let word = |at: usize| i32::from_ne_bytes([0, 1, 2, 3].map(|byte| room[at + byte]));
        while at + 16 <= got as usize {
            let (watch, mask, bytes) = (word(at), word(at + 4) as u32, word(at + 12) as usize);
            let text = &room[at + 16..at + 16 + bytes];
            at += 16 + bytes;
            if mask & (libc::IN_IGNORED | libc::IN_Q_OVERFLOW) != 0 {
                self.watched.remove(&watch);
                return None;
            }
            let name = text.split(|byte| *byte == 0).next().unwrap_or_default();
            if let Some(directory) = self.watched.get(&watch) {
                let path = Path::new(OsStr::from_bytes(directory)).join(OsStr::from_bytes(name));
                names.push(path.as_os_str().as_bytes().to_vec());
            }
        }
        Some(names)
    }

    fn watch_directory_of(&mut self, name: &[u8]) {
        let Some(directory) = Path::new(OsStr::from_bytes(name)).parent() else { return };
        let bytes = directory.as_os_str().as_bytes();
        let is_watched = self.watched.values().any(|known| known == bytes);
        if is_watched || self.watched.len() >= DIRECTORIES_MAX {
            // Beyond the bound, the look at all names every few seconds has to do.
            return;
        }
        let Some(directory) = look_up_below(&self.root, bytes) else { return };
        // By its descriptor: the name may lead elsewhere from the reader's own root.
        let path = format!("/proc/self/fd/{}\0", directory.as_raw_fd());
        let mask = libc::IN_MOVED_TO
            | libc::IN_CREATE
            | libc::IN_DELETE
            | libc::IN_DELETE_SELF
            | libc::IN_MOVE_SELF
            | libc::IN_ONLYDIR;
        // SAFETY: a path of ours, with its NUL.
        let watch =
            unsafe { libc::inotify_add_watch(self.watch.as_raw_fd(), path.as_ptr().cast(), mask) };
        if watch >= 0 {
            self.watched.insert(watch, bytes.to_vec());
        }
    }

    /// Looks a name up, and has the map say what it leads to.
    fn find(&mut self, name: &[u8]) {
        let key = look_up_below(&self.root, name).and_then(|file| key_of(&*self.parts, &file));
        if self.entries.get(name) != Some(&key) {
            self.lead(name, key);
            self.entries.insert(name.to_vec(), key);
        }
    }

    /// A file with two names in rules keeps the first of them.
    fn lead(&mut self, name: &[u8], to: Option<Key>) {
        if let Some(before) = self.entries.get(name).copied().flatten() {
            self.entries.insert(name.to_vec(), None);
            let other = self
                .entries
                .iter()
                .find(|(_, key)| **key == Some(before))
                .map(|(other, _)| other.clone());
            match other {
                Some(other) => put(&mut *self.parts, before, &other),
                None => self.parts.set_name(before, None),
            }
        }
        if let Some(key) = to
            && !self.entries.values().any(|known| *known == Some(key))
        {
            put(&mut *self.parts, key, name);
        }
    }
}
