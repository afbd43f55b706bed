//! What the kernel knows of the descriptors of a call: our third own parameter, a list of records,
//! one for each descriptor that the call made or took and that is not negative.
//!
//!     i32 number, u8 kind (KIND_*), u8 marks, u16 bytes of what follows,
//!     u32 flags (PPM_O_*), u32 device, u64 inode, then
//!       of files whose path is no parameter of its own: the path with a NUL
//!       of sockets: u16 protocol, u8 type, u8 state (the kernel's numbers), then a SOCKTUPLE: of
//!         IP with the socket's own end first, of unix with the end first whose name it has (of
//!         other families: the family alone)
//!
//! Read from the open file behind the number when the call returns, whatever made it so: no event
//! has to be seen before. Cut into one program for all calls, which runs once for each record.
use crate::address::ends;
use crate::descriptors::{self, Slot};
use crate::event::{Event, Next};
pub use crate::file::{FILE, INODE, PATH_FOLLOWS, SB};
use crate::file::{OVERLAY_MAGIC, Overlay, S_IFDIR, S_IFMT, encode_dev, file_of, overlay};
use crate::kernel::Kernel;
use crate::scratch::DIRECT;
use crate::table as t;
use crate::{flags, further, get, offset, path, set, stage};

/// Kinds of descriptors, numbered as the reader does (FdKind of src/state).
pub const KIND_OTHER_SOCKET: u8 = 0;
pub const KIND_FILE: u8 = 1;
pub const KIND_DIRECTORY: u8 = 2;
pub const KIND_IPV4: u8 = 3;
pub const KIND_IPV6: u8 = 4;
pub const KIND_UNIX: u8 = 5;
pub const KIND_PIPE: u8 = 6;
pub const KIND_EVENT: u8 = 7;
pub const KIND_SIGNAL: u8 = 8;
pub const KIND_EVENT_POLL: u8 = 9;
pub const KIND_INOTIFY: u8 = 10;
pub const KIND_TIMER: u8 = 11;
pub const KIND_NETLINK: u8 = 12;
pub const KIND_BPF: u8 = 13;
pub const KIND_USER_FAULT: u8 = 14;
pub const KIND_IO_URING: u8 = 15;
pub const KIND_MEMFD: u8 = 16;
pub const KIND_PIDFD: u8 = 17;
pub const KIND_UNSUPPORTED: u8 = 18;
/// There is no such descriptor.
pub const KIND_NONE: u8 = 255;

/// Marks of a record: where the path is, and whether the call made the descriptor.
pub const PATH_NONE: u8 = 0;
/// Our first path parameter.
pub const PATH_OWN: u8 = 1;
pub const MARK_MADE: u8 = 0x80;

pub const HEAD_BYTES: usize = 24;

/// Bits of `State::marks`: the first, the second descriptor was made by the call; its paths are
/// those of files that it names.
const MADE: [u32; 2] = [1, 2];
const NAMES: u32 = 4;

const SOCKFS: u64 = 0x534f_434b;
const PIPEFS: u64 = 0x5049_5045;
const ANON_INODES: u64 = 0x0904_1934;
const PIDFS: u64 = 0x5049_4446;
const NSFS: u64 = 0x6e73_6673;
const TMPFS: u64 = 0x0102_1994;
const HUGETLBFS: u64 = 0x9584_58f6;

const AF_UNIX: u16 = 1;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
const AF_NETLINK: u16 = 16;

/// Copies the heads of the file, its inode and its file system, to be looked at with `copied`.
#[inline(always)]
pub fn look<K: Kernel>(e: &mut Event<K>, file: usize) {
    let k = e.k;
    // struct file, inode and super_block have what is asked for in their first 256 bytes, in an
    // order that changed with time.
    let last = offset!(k, file_dentry).max(offset!(k, file_inode)).max(offset!(k, file_mode));
    e.copy(FILE, file, last.max(offset!(k, file_flags)).max(offset!(k, file_private)));
    let inode: usize = e.copied(FILE, offset!(k, file_inode));
    let last = offset!(k, inode_ino).max(offset!(k, inode_sb)).max(offset!(k, inode_links));
    e.copy(INODE, inode, last);
    let sb: usize = e.copied(INODE, offset!(k, inode_sb));
    e.copy(SB, sb, offset!(k, sb_magic).max(offset!(k, sb_dev)));
    e.state().looked = file;
}

/// Notes the descriptors of a filler's call; they are written before the event ends. `message`: of
/// a batch of messages the first event tells.
#[inline(always)]
pub fn note<K: Kernel>(e: &mut Event<K>, code: u16, message: u32) {
    let call = descriptors::of(code);
    if call.is_none() || message != 0 {
        return;
    }
    let first = number(e, code, call.slots[0]);
    let second = number(e, code, call.slots[1]);
    let mut marks = if call.names { NAMES } else { 0 };
    let state = e.state();
    if first >= 0 {
        if !matches!(call.slots[0], Slot::Taken(_)) {
            marks |= MADE[0];
        }
        if matches!(call.slots[1], Slot::Second) {
            marks |= MADE[1];
        }
        state.files = [first, second];
        state.file_count = if second >= 0 { 2 } else { 1 };
    } else {
        state.files = [second, -1];
        state.file_count = u32::from(second >= 0);
    }
    state.marks = marks;
}

#[inline(always)]
fn number<K: Kernel>(e: &mut Event<K>, code: u16, slot: Slot) -> i32 {
    let ret = e.ret();
    match slot {
        Slot::No => -1,
        Slot::Made => ret as i32,
        Slot::MadeBySome => {
            let makes = if code == t::SYSCALL_BPF_2_X {
                descriptors::bpf_makes(e.arg(0) as u32)
            } else {
                descriptors::fcntl_makes(e.arg(1) as u32)
            };
            if makes { ret as i32 } else { -1 }
        }
        Slot::First => e.state().pair[0],
        Slot::Second => e.state().pair[1],
        Slot::Taken(index) => e.int(index),
    }
}

/// Whether files of this file system have a path. Sockets and pipes have none, and what a
/// namespace or a pidfd is called there says nothing.
#[inline(always)]
const fn has_path(magic: u64) -> bool {
    !matches!(magic, SOCKFS | PIPEFS | PIDFS | NSFS | 0)
}

/// One run of the program: the path of the first descriptor, then a record a run, until the event
/// can be emitted.
#[inline(always)]
pub fn files<K: Kernel>(e: &mut Event<K>) -> Next {
    let k = e.k;
    close_path(e);
    let index = get!(e.state().file_index);
    if index >= get!(e.state().file_count) {
        close(e);
        return end(e);
    }
    let number = if index == 0 { e.state().files[0] } else { e.state().files[1] };
    let file = file_of(k, number);
    if get!(e.state().looked) != file {
        look(e, file);
    }
    let magic: u64 = e.copied(SB, offset!(k, sb_magic));
    let pathed = file != 0 && has_path(magic);
    let marks = get!(e.state().marks);
    if marks & NAMES == 0 && pathed && get!(e.state().own) == 0 {
        let state = e.state();
        state.own = 1;
        state.own_file = file;
        further::note_file(e);
        return walk(e, file);
    }
    if get!(e.state().by_name) != 0 && pathed {
        // Its path is there: nothing else is written before it is known that it is of use.
        let state = e.state();
        set!(state.by_name, 0);
        state.after = stage::FILES;
        return Next::Stage(stage::SIFT);
    }
    if get!(e.state().files_from) == 0 {
        if get!(e.state().own) < 1 {
            e.empty();
        }
        if get!(e.state().own) < 2 {
            e.empty();
        }
        e.state().own = 2;
        let from = e.position();
        e.state().files_from = from as u32;
    }
    let follows = pathed && get!(e.state().own_file) != file;
    let mut mark = if follows { PATH_FOLLOWS } else { u8::from(pathed) };
    let made = if index == 0 { MADE[0] } else { MADE[1] };
    if marks & made != 0 {
        mark |= MARK_MADE;
    }
    record(e, number, file, magic, mark);
    set!(e.state().file_index, index + 1);
    if follows {
        set!(e.state().inside, 1);
        return walk(e, file);
    }
    if index + 1 >= get!(e.state().file_count) {
        close(e);
        return end(e);
    }
    Next::Stage(stage::FILES)
}

/// What follows the last record.
#[inline(always)]
fn end<K: Kernel>(e: &mut Event<K>) -> Next {
    if get!(e.state().further) == 0 { Next::EmitOwn } else { Next::Stage(stage::FURTHER) }
}

/// Ends the parameter with the records that are written; nothing where it is not begun.
#[inline(always)]
pub fn close<K: Kernel>(e: &mut Event<K>) {
    close_path(e);
    let from = get!(e.state().files_from);
    if from != 0 {
        let bytes = e.position().wrapping_sub(from as usize);
        e.end(bytes);
        e.state().own = 3;
    }
}

/// Notes the length of a path that the walk wrote behind the last record.
#[inline(always)]
fn close_path<K: Kernel>(e: &mut Event<K>) {
    if get!(e.state().inside) != 0 {
        set!(e.state().inside, 0);
        let bytes = e.state().path_bytes;
        follow(e, bytes as u16);
    }
}

/// Walks the path of a descriptor's file and comes back here.
#[inline(always)]
fn walk<K: Kernel>(e: &mut Event<K>, file: usize) -> Next {
    path::of_file(e, file);
    let state = e.state();
    state.place = 0;
    state.then = stage::FILES;
    Next::Walk
}

/// Notes in the last record how many bytes follow its head.
#[inline(always)]
fn follow<K: Kernel>(e: &mut Event<K>, bytes: u16) {
    let at = get!(e.state().record_at) as usize + 6;
    e.change(at, bytes);
}

#[inline(always)]
fn record<K: Kernel>(e: &mut Event<K>, number: i32, file: usize, magic: u64, mark: u8) {
    let k = e.k;
    let from = e.position();
    set!(e.state().record_at, from as u32);
    let mut kind = KIND_NONE;
    let mut sock = 0;
    let (mut flags, mut dev, mut ino) = (0, 0, 0);
    if file != 0 {
        if magic == SOCKFS {
            let socket: usize = e.copied(FILE, offset!(k, file_private));
            sock = k.address(socket + offset!(k, socket_sk));
            kind = socket_kind(k.read(sock + offset!(k, sock_family)));
        } else {
            kind = file_kind(e, magic);
        }
        flags = open_flags(e, number, file, magic);
        dev = encode_dev(e.copied(SB, offset!(k, sb_dev)));
        ino = e.copied(INODE, offset!(k, inode_ino));
    }
    e.bytes(number);
    e.bytes(kind);
    e.bytes(mark);
    e.bytes(0u16);
    e.bytes::<u32>(flags);
    e.bytes::<u32>(dev);
    e.bytes::<u64>(ino);
    if sock != 0 {
        let bytes = ends(e, sock);
        follow(e, bytes as u16);
    }
    e.position();
}

#[inline(always)]
const fn socket_kind(family: u16) -> u8 {
    match family {
        AF_UNIX => KIND_UNIX,
        AF_INET => KIND_IPV4,
        AF_INET6 => KIND_IPV6,
        AF_NETLINK => KIND_NETLINK,
        _ => KIND_OTHER_SOCKET,
    }
}

/// The kind of a looked-at file that is no socket.
#[inline(always)]
fn file_kind<K: Kernel>(e: &mut Event<K>, magic: u64) -> u8 {
    let k = e.k;
    match magic {
        PIPEFS => KIND_PIPE,
        PIDFS => KIND_PIDFD,
        ANON_INODES => anonymous_kind(own_name(e)),
        TMPFS | HUGETLBFS if own_name(e) & SIX == head(b"memfd:\0\0") => KIND_MEMFD,
        _ => {
            let mode: u16 = e.copied(INODE, offset!(k, inode_mode));
            if mode & S_IFMT == S_IFDIR { KIND_DIRECTORY } else { KIND_FILE }
        }
    }
}

/// The first bytes of the name of a looked-at file that lives in no directory; zeros for others.
#[inline(always)]
fn own_name<K: Kernel>(e: &mut Event<K>) -> u64 {
    let k = e.k;
    let dentry: usize = e.copied(FILE, offset!(k, file_dentry));
    // The parent, then the name: hash, length, text.
    let step: [u64; 3] = k.read(dentry + offset!(k, dentry_parent));
    if step[0] as usize == dentry { k.word(step[2] as usize) } else { 0 }
}

const SIX: u64 = 0xffff_ffff_ffff;

const fn head(text: &[u8; 8]) -> u64 {
    u64::from_le_bytes(*text)
}

/// The kernel's objects without a file are told apart by their names.
#[inline(always)]
const fn anonymous_kind(name: u64) -> u8 {
    const THREE: u64 = 0xff_ffff;
    const BPF: u64 = head(b"bpf\0\0\0\0\0");
    const BTF: u64 = head(b"btf\0\0\0\0\0");
    const EVENT: u64 = head(b"[eventfd");
    const EVENT_POLL: u64 = head(b"[eventpo");
    const SIGNAL: u64 = head(b"[signalf");
    const INOTIFY: u64 = head(b"inotify\0");
    const TIMER: u64 = head(b"[timerfd");
    const USER_FAULT: u64 = head(b"[userfau");
    const IO_URING: u64 = head(b"[io_urin");
    const PIDFD: u64 = head(b"[pidfd]\0");
    match name {
        EVENT => KIND_EVENT,
        EVENT_POLL => KIND_EVENT_POLL,
        SIGNAL => KIND_SIGNAL,
        INOTIFY => KIND_INOTIFY,
        TIMER => KIND_TIMER,
        USER_FAULT => KIND_USER_FAULT,
        IO_URING => KIND_IO_URING,
        PIDFD => KIND_PIDFD,
        _ if name & THREE == BPF || name & THREE == BTF => KIND_BPF,
        _ => KIND_UNSUPPORTED,
    }
}

/// The flags that the file has now; whether it is closed on exec is the descriptor's own.
#[inline(always)]
fn open_flags<K: Kernel>(e: &mut Event<K>, number: i32, file: usize, magic: u64) -> u32 {
    let k = e.k;
    let kept: u32 = e.copied(FILE, offset!(k, file_flags));
    let mut ours = flags::open(kept & !(flags::O_CLOEXEC | flags::O_LARGEFILE));
    let table = k.address(k.address(k.task() + offset!(k, task_files)) + offset!(k, files_fdt));
    let bits = k.address(table + offset!(k, fdt_close_on_exec));
    let word = k.word(bits + (number as u32 as usize >> 6) * 8);
    if (number as u32) < DIRECT && word >> (number & 63) & 1 != 0 {
        ours |= flags::open(flags::O_CLOEXEC) & !1;
    }
    if magic == OVERLAY_MAGIC {
        match overlay(k, file) {
            Overlay::Upper => ours |= flags::FD_UPPER_LAYER,
            Overlay::Lower => ours |= flags::FD_LOWER_LAYER,
            Overlay::No => {}
        }
    }
    ours
}
