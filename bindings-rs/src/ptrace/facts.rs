//! What the kernel says of a file: by statx and statfs of a link in /proc, which lead to the open
//! file itself, whatever its name is by now.
use std::collections::HashMap;
use std::ffi::CString;
use std::io::Write as _;
use std::mem::MaybeUninit;

/// A path below /proc, NUL-ended, without an allocation.
pub struct ProcPath {
    bytes: [u8; 80],
    used: usize,
}

impl ProcPath {
    /// `/proc/<tid>/<rest>`.
    pub fn of(tid: i32, rest: &str) -> Self {
        let mut path = Self { bytes: [0; 80], used: 0 };
        let mut room = &mut path.bytes[..79];
        // It is cut where a name would be longer than any that is asked for here.
        let _ = write!(room, "/proc/{tid}/{rest}");
        path.used = 79 - room.len();
        path
    }

    pub fn of_descriptor(tid: i32, fd: i32) -> Self {
        let mut path = Self { bytes: [0; 80], used: 0 };
        let mut room = &mut path.bytes[..79];
        let _ = write!(room, "/proc/{tid}/fd/{fd}");
        path.used = 79 - room.len();
        path
    }

    pub fn as_ptr(&self) -> *const libc::c_char {
        self.bytes.as_ptr().cast()
    }
}

/// What a link leads to; None where it cannot be read. The kernel tells no path that is longer than
/// a page: of such a one nothing is known.
pub fn link(path: &ProcPath) -> Option<Vec<u8>> {
    let mut room = [0u8; 4200];
    // SAFETY: the room has as many bytes as are said.
    let got = unsafe { libc::readlink(path.as_ptr(), room.as_mut_ptr().cast(), room.len()) };
    if got < 0 && std::io::Error::last_os_error().raw_os_error() == Some(libc::ENAMETOOLONG) {
        return Some(Vec::new());
    }
    (got > 0).then(|| room[..got as usize].to_vec())
}

/// Reads a file of /proc that is written in one piece, at most `max` bytes.
pub fn read(path: &ProcPath, max: usize) -> Option<Vec<u8>> {
    // SAFETY: the path is NUL-ended.
    let fd = unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
    if fd < 0 {
        return None;
    }
    let mut bytes = vec![0u8; max];
    // SAFETY: the buffer has `max` bytes; the descriptor is ours.
    let got = unsafe {
        let got = libc::read(fd, bytes.as_mut_ptr().cast(), max);
        libc::close(fd);
        got
    };
    bytes.truncate(usize::try_from(got).ok()?);
    Some(bytes)
}

/// What is known of one file.
#[derive(Clone, Default)]
pub struct Facts {
    pub mode: u16,
    pub uid: u32,
    pub gid: u32,
    pub ino: u64,
    pub links: u32,
    pub immutable: bool,
    /// Seconds, nanoseconds.
    pub changed: (i64, u32),
    pub modified: (i64, u32),
    /// As the kernel has it inside: 12 bits, 20 bits.
    pub dev: u32,
    pub magic: u64,
    pub read_only: bool,
    /// What /proc calls it.
    pub link: Vec<u8>,
    /// O_* of the open file, with O_CLOEXEC where its descriptor is closed by an execution.
    pub flags: u32,
    /// The call that the event is of made it.
    pub created: bool,
}

pub const SOCKFS: u64 = 0x534f_434b;
const PIPEFS: u64 = 0x5049_5045;

/// File systems by device: kind, whether they are read-only. More of them are asked each time.
const FILE_SYSTEMS: usize = 1024;

/// Asks of files, and remembers of what kind their file systems are.
#[derive(Default)]
pub struct Asker {
    known: HashMap<u32, (u64, bool)>,
}

impl Asker {
    /// Facts of what `path` leads to; None where nothing is there. Never asks a file server: a dead
    /// one would hang the tracer.
    pub fn facts(&mut self, path: &ProcPath) -> Option<Facts> {
        self.facts_at(libc::AT_FDCWD, path.as_ptr(), 0)
    }

    /// The same of a file that is open here.
    pub fn facts_of(&mut self, fd: i32) -> Option<Facts> {
        self.facts_at(fd, c"".as_ptr(), libc::AT_EMPTY_PATH)
    }

    fn facts_at(&mut self, fd: i32, path: *const libc::c_char, how: i32) -> Option<Facts> {
        let mut room = MaybeUninit::<libc::statx>::zeroed();
        // SAFETY: the path is NUL-ended, the room a statx.
        let stat = unsafe {
            let how = how | libc::AT_STATX_DONT_SYNC;
            if libc::statx(fd, path, how, libc::STATX_BASIC_STATS, room.as_mut_ptr()) != 0 {
                return None;
            }
            room.assume_init()
        };
        let dev = stat.stx_dev_major << 20 | stat.stx_dev_minor & 0xf_ffff;
        let (magic, read_only) = match u32::from(stat.stx_mode) & libc::S_IFMT {
            libc::S_IFSOCK if stat.stx_dev_major == 0 && stat.stx_nlink == 1 => (0, false),
            _ => self.file_system(dev, fd, path),
        };
        Some(Facts {
            mode: stat.stx_mode,
            uid: stat.stx_uid,
            gid: stat.stx_gid,
            ino: stat.stx_ino,
            links: stat.stx_nlink,
            immutable: stat.stx_attributes & libc::STATX_ATTR_IMMUTABLE as u64 != 0,
            changed: (stat.stx_ctime.tv_sec, stat.stx_ctime.tv_nsec),
            modified: (stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec),
            dev,
            magic,
            read_only,
            ..Facts::default()
        })
    }

    fn file_system(&mut self, dev: u32, fd: i32, path: *const libc::c_char) -> (u64, bool) {
        if let Some(known) = self.known.get(&dev) {
            return *known;
        }
        let mut room = MaybeUninit::<libc::statfs>::zeroed();
        // SAFETY: as above; an empty path is that of the descriptor.
        let stat = unsafe {
            let failed = if *path == 0 {
                libc::fstatfs(fd, room.as_mut_ptr())
            } else {
                libc::statfs(path, room.as_mut_ptr())
            };
            if failed != 0 {
                return (0, false);
            }
            room.assume_init()
        };
        let read_only = flags_of_system(fd, path) & libc::ST_RDONLY != 0;
        #[allow(clippy::unnecessary_cast, reason = "the type differs between architectures")]
        let found = (stat.f_type as u64, read_only);
        if self.known.len() < FILE_SYSTEMS {
            self.known.insert(dev, found);
        }
        found
    }

    /// What a descriptor of a thread leads to; None where there is no such descriptor.
    pub fn descriptor(&mut self, tid: i32, fd: i32) -> Option<Facts> {
        let path = ProcPath::of_descriptor(tid, fd);
        let link = link(&path)?;
        let mut facts = self.facts(&path)?;
        if link.starts_with(b"socket:[") {
            facts.magic = SOCKFS;
        } else if link.starts_with(b"pipe:[") {
            facts.magic = PIPEFS;
        }
        facts.flags = flags_of(tid, fd).unwrap_or(0);
        facts.link = link;
        Some(facts)
    }

    /// What a thread runs.
    pub fn program(&mut self, tid: i32) -> Option<Facts> {
        let path = ProcPath::of(tid, "exe");
        let link = link(&path)?;
        let mut facts = self.facts(&path)?;
        facts.link = link;
        Some(facts)
    }
}

/// How a file system is mounted (ST_*).
fn flags_of_system(fd: i32, path: *const libc::c_char) -> libc::c_ulong {
    let mut room = MaybeUninit::<libc::statvfs>::zeroed();
    // SAFETY: a NUL-ended path, or a descriptor, and room for the answer.
    unsafe {
        let failed = if *path == 0 {
            libc::fstatvfs(fd, room.as_mut_ptr())
        } else {
            libc::statvfs(path, room.as_mut_ptr())
        };
        if failed == 0 { room.assume_init().f_flag } else { 0 }
    }
}

/// The flags in fdinfo, written in octal.
fn flags_of(tid: i32, fd: i32) -> Option<u32> {
    let text = read(&ProcPath::of(tid, &format!("fdinfo/{fd}")), 512)?;
    let line = text.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(b"flags:"))?;
    u32::from_str_radix(std::str::from_utf8(line).ok()?.trim(), 8).ok()
}

const DELETED: &[u8] = b" (deleted)";

/// Where a file is that /proc calls so.
#[derive(PartialEq, Eq, Debug)]
pub enum Whereabouts<'a> {
    /// A path from the root that /proc tells from.
    Path(&'a [u8]),
    /// It is in no directory.
    Alone(&'a [u8]),
}

/// What stands behind the name of a file whose entry is gone is no part of it.
pub fn whereabouts(facts: &Facts) -> Whereabouts<'_> {
    let link = facts.link.as_slice();
    if !link.starts_with(b"/") {
        return Whereabouts::Alone(link.strip_prefix(b"anon_inode:").unwrap_or(link));
    }
    let Some(path) = link.strip_suffix(DELETED).filter(|_| !is_there(facts)) else {
        return Whereabouts::Path(link);
    };
    if facts.links == 0 && path.starts_with(b"/memfd:") {
        return Whereabouts::Alone(&path[1..]);
    }
    Whereabouts::Path(path)
}

/// Whether a file whose name ends like that of one which is gone is there by that very name.
fn is_there(facts: &Facts) -> bool {
    if facts.links == 0 {
        return false;
    }
    let Ok(path) = CString::new(facts.link.as_slice()) else { return false };
    let mut room = MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: a NUL-ended path and room for its answer.
    unsafe {
        libc::lstat(path.as_ptr(), room.as_mut_ptr()) == 0 && room.assume_init().st_ino == facts.ino
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_link_of_proc_says_is_a_path_or_a_name() {
        let of = |link: &[u8], links| Facts { link: link.to_vec(), links, ..Facts::default() };
        let memfd = of(b"/memfd:x (deleted)", 0);
        assert_eq!(whereabouts(&memfd), Whereabouts::Alone(b"memfd:x"));
        assert_eq!(whereabouts(&of(b"/a/b (deleted)", 0)), Whereabouts::Path(b"/a/b"));
        assert_eq!(whereabouts(&of(b"/a/b (deleted)", 1)), Whereabouts::Path(b"/a/b"));
        assert_eq!(whereabouts(&of(b"anon_inode:[eventfd]", 1)), Whereabouts::Alone(b"[eventfd]"));
    }

    #[test]
    fn a_descriptor_of_our_own_has_the_facts_of_its_file() {
        let file = std::fs::File::open("/etc/passwd").expect("a file");
        let fd = std::os::fd::AsRawFd::as_raw_fd(&file);
        let facts = Asker::default().descriptor(std::process::id() as i32, fd).expect("facts");
        assert_eq!(facts.link, b"/etc/passwd");
        assert_ne!(facts.flags & libc::O_CLOEXEC as u32, 0);
        assert_ne!((facts.ino, facts.magic), (0, 0));
    }
}
