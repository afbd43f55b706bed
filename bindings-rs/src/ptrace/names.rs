//! What a call's names lead to: looked up once more when the call has returned, as the probe does,
//! but by the kernel itself: the name is opened as a mere place (O_PATH), from the tracee's root,
//! and /proc says where that is.
//!
//! In: what the filler wants. Out: places and last names in the State, as lookup.rs leaves them,
//! and the inode of an entry that was moved. What leads nowhere is a place of zeros.
use std::ffi::CString;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

use probe::event::Event;
use probe::kernel::Kernel as _;
use probe::lookup::{self, AT_FDCWD, EMPTY, ENTRY, FOLLOW, PARENT, Wanted};
use probe::scratch::{EVENT_AT, EVENT_MASK, Place, TEXT};

use super::arena::{Kind, address};
use super::facts::{ProcPath, link};
use super::fill::{entry_of, has_our_root, mount};
use super::kernel::Tracee;

const NOWHERE: Place = Place { mnt: 0, dentry: 0 };
const RESOLVE_IN_ROOT: u64 = 0x10;

/// Where a name leads: its place, and the last name behind it in the event.
struct Found {
    place: Place,
    suffix_at: u32,
    suffix_bytes: u32,
}

/// Looks up all names of the call; returns how many led nowhere, and the inode of an entry (0:
/// none).
pub fn look_up(k: &Tracee, e: &mut Event<Tracee>) -> (u32, usize) {
    lookup::start(e);
    let (mut unknown, mut moved) = (0, 0);
    for which in 0..2 {
        let Some(wanted) = lookup::wanted(e, which) else { continue };
        let found = match wanted {
            Wanted::Nothing => continue,
            Wanted::Said { at, bytes } => {
                Found { place: Place { mnt: 0, dentry: TEXT }, suffix_at: at, suffix_bytes: bytes }
            }
            Wanted::Name { how, fd, at, bytes } => {
                let text = text_of(e, at, bytes);
                if how & ENTRY != 0 {
                    moved = open(k, fd, &text, false).and_then(|file| inode(k, &file)).unwrap_or(0);
                }
                find(k, how, fd, at, &text).unwrap_or_else(|| {
                    unknown += 1;
                    Found { place: NOWHERE, suffix_at: 0, suffix_bytes: 0 }
                })
            }
        };
        let state = e.state();
        state.places[which] = found.place;
        state.suffix_at[which] = found.suffix_at;
        state.suffix_bytes[which] = found.suffix_bytes;
    }
    (unknown, moved)
}

/// Whether a name leads to something now.
pub fn is_there(k: &Tracee, fd: i32, text: &[u8]) -> bool {
    !text.is_empty() && open(k, fd, text, true).is_some()
}

fn text_of(e: &Event<Tracee>, at: u32, bytes: u32) -> Vec<u8> {
    // SAFETY: masked, and a string of at most 4 KiB lies behind: both in the block.
    unsafe {
        let from = e.base().add(EVENT_AT + (at as usize & EVENT_MASK));
        std::slice::from_raw_parts(from, (bytes as usize).min(4096)).to_vec()
    }
}

fn find(k: &Tracee, how: u32, fd: i32, at: u32, text: &[u8]) -> Option<Found> {
    if text.is_empty() {
        if how & EMPTY == 0 {
            return None;
        }
        let place = if fd == AT_FDCWD { lookup_cwd(k) } else { descriptor(k, fd) };
        return (place.dentry != 0).then_some(Found { place, suffix_at: 0, suffix_bytes: 0 });
    }
    if how & PARENT == 0 {
        let file = open(k, fd, text, how & FOLLOW != 0 || text.ends_with(b"/"))?;
        return Some(Found { place: place(k, &file)?, suffix_at: 0, suffix_bytes: 0 });
    }
    let end = text.iter().rposition(|&byte| byte != b'/')? + 1;
    let begin = text[..end].iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
    let last = &text[begin..end];
    if last == b"." || last == b".." || last.len() > 255 {
        return None;
    }
    let directory = if begin == 0 { &b"."[..] } else { &text[..begin] };
    let file = open(k, fd, directory, true)?;
    Some(Found {
        place: place(k, &file)?,
        suffix_at: at + begin as u32,
        suffix_bytes: last.len() as u32,
    })
}

fn lookup_cwd(k: &Tracee) -> Place {
    let fs = address(Kind::Fs, 0);
    let offsets = &super::layout::OFFSETS;
    Place {
        mnt: k.address(fs + offsets.fs_pwd_mnt as usize),
        dentry: k.address(fs + offsets.fs_pwd_dentry as usize),
    }
}

fn descriptor(k: &Tracee, fd: i32) -> Place {
    let file = k.address(address(Kind::Descriptors, 0) + 8 * fd.max(0) as usize);
    if file == 0 || fd < 0 {
        return NOWHERE;
    }
    k.read(file + super::layout::OFFSETS.file_mnt as usize)
}

/// Opens what a name leads to, seen from the tracee's root, as a place that nothing is done with.
fn open(k: &Tracee, fd: i32, text: &[u8], follow: bool) -> Option<OwnedFd> {
    let tid = k.scene.subject.tid;
    let from = if text.starts_with(b"/") {
        None
    } else if fd == AT_FDCWD {
        Some(ProcPath::of(tid, "cwd"))
    } else {
        Some(ProcPath::of_descriptor(tid, fd))
    };
    let text = own_proc(k, text);
    let mut flags = libc::O_PATH | libc::O_CLOEXEC;
    if !follow {
        flags |= libc::O_NOFOLLOW;
    }
    if has_our_root(&k.scene) {
        let base = match from {
            Some(path) => open_at(libc::AT_FDCWD, path.as_ptr(), libc::O_PATH | libc::O_CLOEXEC)?,
            None => open_at(libc::AT_FDCWD, c"/".as_ptr(), libc::O_PATH | libc::O_CLOEXEC)?,
        };
        let text = CString::new(text).ok()?;
        return open_at(base.as_raw_fd(), text.as_ptr(), flags);
    }
    let root = ProcPath::of(tid, "root");
    let base = open_at(libc::AT_FDCWD, root.as_ptr(), libc::O_PATH | libc::O_CLOEXEC)?;
    let mut path = Vec::new();
    if let Some(from) = from {
        // As it is called from the tracee's root, so that ".." ends there.
        let (top, at) = (link(&root)?, link(&from)?);
        path.extend_from_slice(at.strip_prefix(top.as_slice()).unwrap_or(&at));
        path.push(b'/');
    }
    path.extend_from_slice(&text);
    let path = CString::new(path).ok()?;
    let how = [flags as u64, 0, RESOLVE_IN_ROOT];
    // SAFETY: a NUL-ended path and a struct open_how; what is opened is owned at once.
    unsafe {
        let size = size_of_val(&how);
        let call = libc::SYS_openat2;
        let got = libc::syscall(call, base.as_raw_fd(), path.as_ptr(), how.as_ptr(), size) as i32;
        (got >= 0).then(|| OwnedFd::from_raw_fd(got))
    }
}

/// What a thread calls its own entry in /proc is another one for us.
fn own_proc(k: &Tracee, text: &[u8]) -> Vec<u8> {
    for (own, is_thread) in [(&b"/proc/self"[..], false), (&b"/proc/thread-self"[..], true)] {
        if let Some(rest) = text.strip_prefix(own)
            && (rest.is_empty() || rest.starts_with(b"/"))
        {
            let (tid, tgid) = (k.scene.subject.tid, k.scene.subject.tgid);
            let entry = if is_thread {
                format!("/proc/{tgid}/task/{tid}")
            } else {
                format!("/proc/{tgid}")
            };
            return [entry.as_bytes(), rest].concat();
        }
    }
    text.to_vec()
}

fn open_at(base: i32, path: *const libc::c_char, flags: i32) -> Option<OwnedFd> {
    // SAFETY: the path is NUL-ended; what is opened is owned at once.
    unsafe {
        let got = libc::openat(base, path, flags);
        (got >= 0).then(|| OwnedFd::from_raw_fd(got))
    }
}

/// Keeps the facts of what is open here; their number.
fn keep(k: &Tracee, file: &OwnedFd) -> Option<u32> {
    let own = ProcPath::of_descriptor(std::process::id() as i32, file.as_raw_fd());
    let mut facts = k.scene.asker.borrow_mut().facts_of(file.as_raw_fd())?;
    facts.link = link(&own)?;
    let mut arena = k.scene.arena.borrow_mut();
    arena.facts.push(facts);
    Some(arena.facts.len() as u32 - 1)
}

fn place(k: &Tracee, file: &OwnedFd) -> Option<Place> {
    let number = keep(k, file)?;
    let entry = entry_of(&mut k.scene.arena.borrow_mut(), number);
    Some(Place { mnt: mount(), dentry: address(Kind::Dentry, entry) })
}

fn inode(k: &Tracee, file: &OwnedFd) -> Option<usize> {
    keep(k, file).map(|number| address(Kind::Inode, number))
}
