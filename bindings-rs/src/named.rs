//! Files that rules name, known by device and inode (ebpf-rs/src/named.rs). In: their names. Out: a
//! map that the probe looks a file with several names up in, kept true by a thread of its own: the
//! files are looked up at once, again when their directories say that another file has the name,
//! and all of them every few seconds. A mount that hangs holds up this thread alone.
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CString, OsStr};
use std::mem::zeroed;
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use aya::maps::{Array, HashMap, MapData};
use aya::programs::Program;
use probe::further::NAME_BYTES;
use probe::kernel::Host;

use crate::failure::{Code, Failure};
use crate::loader::{Probe, take};

/// Files of all rules, and directories that are watched for them, at the most.
const FILES_MAX: usize = 4096;
const DIRECTORIES_MAX: usize = 512;
/// All names are looked up anew after so long: a directory may have been replaced itself.
const EVERY_MS: libc::c_int = 5_000;
const BPF_PROG_TEST_RUN: libc::c_long = 10;

/// As the probe's map has it.
#[repr(C)]
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    ino: u64,
    dev: u32,
    pad: u32,
}
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct HostValue(Host);
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Looked {
    host: Host,
    ino: u64,
    dev: u32,
    mode: u32,
}
// SAFETY: plain numbers without holes.
unsafe impl aya::Pod for Key {}
// SAFETY: as above.
unsafe impl aya::Pod for HostValue {}
// SAFETY: as above.
unsafe impl aya::Pod for Looked {}

/// What the thread works with: the program that looks at its own process, and the maps.
pub struct Parts {
    pub program: OwnedFd,
    pub looked: Array<MapData, Looked>,
    pub host: Array<MapData, HostValue>,
    pub names: HashMap<MapData, Key, [u8; NAME_BYTES]>,
}

impl Probe {
    /// What knows files by their inodes, once; why this kernel has no such thing.
    pub fn take_named(&mut self) -> Result<Parts, Failure> {
        const NAME: &str = "look_at_reader";
        let Some(Program::RawTracePoint(program)) = self.ebpf.program_mut(NAME) else {
            return Err(Failure::new(Code::Probe, format!("Cannot find program {NAME}")));
        };
        program.load().map_err(|error| Failure::of_program(&error, NAME))?;
        let fd = program.fd().map_err(|error| Failure::of_program(&error, NAME))?;
        let program = fd.as_fd().try_clone_to_owned().map_err(|error| {
            Failure::new(Code::Io, format!("Cannot hold program {NAME}: {error}"))
        })?;
        Ok(Parts {
            program,
            looked: take(&mut self.ebpf, "LOOKED")?,
            host: take(&mut self.ebpf, "HOST")?,
            names: take(&mut self.ebpf, "NAMED")?,
        })
    }
}

#[derive(Default)]
struct Shared {
    /// What rules name now; None once it is over.
    wanted: Mutex<Option<BTreeSet<Vec<u8>>>>,
    known: AtomicU64,
    refused: AtomicU64,
}

/// The thread; it ends when this is dropped.
pub struct Named {
    shared: Arc<Shared>,
    wake: OwnedFd,
}

impl Named {
    /// Begins. `host_root`: where the host's files are.
    pub fn begin(parts: Parts, host_root: &str) -> std::io::Result<Self> {
        // SAFETY: makes descriptors only.
        let wake = unsafe { owned(libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK)) }?;
        let shared = Arc::new(Shared::default());
        *shared.wanted.lock().unwrap_or_else(PoisonError::into_inner) = Some(BTreeSet::new());
        let (theirs, woken, root) = (shared.clone(), wake.try_clone()?, host_root.to_owned());
        thread::Builder::new().name("named-files".to_owned()).spawn(move || {
            // SAFETY: makes a descriptor only.
            let watch = unsafe { owned(libc::inotify_init1(libc::IN_CLOEXEC | libc::IN_NONBLOCK)) };
            let Ok(watch) = watch else { return };
            Keeper { parts, watch, entries: BTreeMap::new(), watched: BTreeMap::new() }
                .keep(&theirs, &woken, &root);
        })?;
        Ok(Self { shared, wake })
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
        let Shared { known, refused, .. } = &*self.shared;
        (known.load(Ordering::Relaxed), refused.load(Ordering::Relaxed))
    }

    fn set(&self, wanted: Option<BTreeSet<Vec<u8>>>) {
        *self.shared.wanted.lock().unwrap_or_else(PoisonError::into_inner) = wanted;
        let one = 1u64.to_ne_bytes();
        // SAFETY: eight bytes of ours.
        unsafe { libc::write(self.wake.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        self.set(None);
    }
}

/// # Safety
/// The descriptor is nobody else's.
unsafe fn owned(fd: libc::c_int) -> std::io::Result<OwnedFd> {
    if fd < 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: as the caller promises.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The members of union bpf_attr for this command.
#[repr(C)]
struct TestRun {
    program: u32,
    result: u32,
    data_in_bytes: u32,
    data_out_bytes: u32,
    data_in: u64,
    data_out: u64,
    repeat: u32,
    duration: u32,
    context_in_bytes: u32,
    context_out_bytes: u32,
    context_in: u64,
    context_out: u64,
    flags: u32,
    cpu: u32,
    batch: u32,
    pad: u32,
}

struct Keeper {
    parts: Parts,
    watch: OwnedFd,
    /// What each name led to last.
    entries: BTreeMap<Vec<u8>, Option<Key>>,
    /// Directories by their watches.
    watched: BTreeMap<i32, Vec<u8>>,
}

impl Keeper {
    fn keep(mut self, shared: &Shared, woken: &OwnedFd, host_root: &str) {
        if host_root != "/" {
            // The host's own root where it can be had, so that names lead where the host's do.
            let roots = [format!("{host_root}/proc/1/root"), host_root.to_owned()];
            // SAFETY: of this thread alone.
            if unsafe { libc::unshare(libc::CLONE_FS) } != 0
                || !roots.iter().any(|root| {
                    CString::new(root.as_str())
                        // SAFETY: a path of ours.
                        .is_ok_and(|root| unsafe { libc::chroot(root.as_ptr()) == 0 })
                })
            {
                return;
            }
        }
        if let Some(looked) = self.look(-1) {
            let _ = self.parts.host.set(0, HostValue(looked.host), 0);
        }
        loop {
            let wanted = shared.wanted.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let Some(wanted) = wanted else { return };
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
        let known = self.entries.values().filter(|key| key.is_some()).count() as u64;
        shared.known.store(known, Ordering::Relaxed);
    }

    /// Returns when there is something; whether names were exchanged.
    fn wait(&self, woken: &OwnedFd) -> bool {
        let ready = libc::POLLIN;
        let mut both = [woken, &self.watch].map(|fd| libc::pollfd {
            fd: fd.as_raw_fd(),
            events: ready,
            revents: 0,
        });
        let mut count = [0u8; 8];
        // SAFETY: two entries, and eight bytes of ours.
        unsafe {
            libc::poll(both.as_mut_ptr(), 2, EVERY_MS);
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
        let Ok(path) = CString::new(bytes) else { return };
        let mask = libc::IN_MOVED_TO
            | libc::IN_CREATE
            | libc::IN_DELETE
            | libc::IN_DELETE_SELF
            | libc::IN_MOVE_SELF
            | libc::IN_ONLYDIR;
        // SAFETY: a path of ours.
        let watch = unsafe { libc::inotify_add_watch(self.watch.as_raw_fd(), path.as_ptr(), mask) };
        if watch >= 0 {
            self.watched.insert(watch, bytes.to_vec());
        }
    }

    /// Looks a name up, and has the map say what it leads to.
    fn find(&mut self, name: &[u8]) {
        let key = CString::new(name).ok().and_then(|path| {
            // SAFETY: a path of ours; nothing is opened but the name.
            let file =
                unsafe { owned(libc::open(path.as_ptr(), libc::O_PATH | libc::O_CLOEXEC)).ok()? };
            let looked = self.look(file.as_raw_fd())?;
            let is_file = looked.mode & libc::S_IFMT == libc::S_IFREG;
            is_file.then_some(Key { ino: looked.ino, dev: looked.dev, pad: 0 })
        });
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
                Some(other) => self.put(before, &other),
                None => drop(self.parts.names.remove(&before)),
            }
        }
        if let Some(key) = to
            && !self.entries.values().any(|known| *known == Some(key))
        {
            self.put(key, name);
        }
    }

    fn put(&mut self, key: Key, name: &[u8]) {
        let mut text = [0u8; NAME_BYTES];
        text[..name.len()].copy_from_slice(name);
        let _ = self.parts.names.insert(key, text, 0);
    }

    /// What the kernel has for a descriptor of ours, and for our root.
    fn look(&self, fd: i32) -> Option<Looked> {
        let context = [fd as u32 as u64];
        // SAFETY: plain numbers.
        let mut run: TestRun = unsafe { zeroed() };
        run.program = self.parts.program.as_raw_fd() as u32;
        run.context_in_bytes = size_of_val(&context) as u32;
        run.context_in = context.as_ptr() as u64;
        // SAFETY: the context lives until the call returns.
        let done = unsafe {
            libc::syscall(
                libc::SYS_bpf,
                BPF_PROG_TEST_RUN,
                &raw const run,
                size_of::<TestRun>() - 4,
            )
        };
        if done != 0 { None } else { self.parts.looked.get(&0, 0).ok() }
    }
}
