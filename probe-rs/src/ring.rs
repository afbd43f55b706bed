//! Operations of io_uring, told as the calls that they stand for.
//!
//! In: a request, when it has been read from its ring (`ask`): the kernel's own copies of names
//! and addresses are then in it, and nobody outside can change them any more. Out: the arguments of
//! the call, kept until the request has its result, with which the call's own filler is run.
use core::mem::offset_of;

use crate::kernel::Kernel;
pub use crate::scratch::DIRECT;
use crate::table as t;
use crate::{get, offset, set};

/// A name longer than this is read once more where the caller has it.
pub const NAME_BYTES: usize = 1024;
const ADDRESS_BYTES: usize = 128;

/// What is known of a request, until it is done.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Asked {
    pub args: [u64; 6],
    /// Who asked: of a thread that polls, its process.
    pub tid: u64,
    pub tgid: u32,
    /// The descriptor that it acts on, as it is told; -1 where there is none.
    pub fd: i32,
    /// A place in the ring's own table for what it makes, counted from 1; 0: none, all ones: any.
    pub slot: u32,
    pub opcode: u8,
    /// IOSQE_*.
    pub flags: u8,
    /// It may be answered several times.
    pub repeats: u16,
    /// Where this is, for what points into it.
    pub at: u64,
    pub how: [u64; 3],
    pub address: [u8; ADDRESS_BYTES],
    pub names: [[u8; NAME_BYTES]; 2],
}

/// An entry whose request is done, or that stands for none.
pub const NO_OPERATION: u8 = 0xff;
pub const OPERATIONS: usize = 64;

const FIXED_FILE: u8 = 1;
/// IOSQE_CQE_SKIP_SUCCESS: nobody is told when it worked.
pub const SKIPS: u8 = 1 << 6;
const O_LARGEFILE: u64 = 0o100_000;
/// The thread belongs to a ring (PF_IO_WORKER).
const IO_WORKER: u32 = 0x10;

/// The event of each operation; GENERIC_X where the call has no event of its own.
pub const OPERATION_EVENTS: &[(u8, u16, &str)] = &[
    (1, t::SYSCALL_READV_X, "readv"),
    (2, t::SYSCALL_WRITEV_X, "writev"),
    (4, t::SYSCALL_READ_X, "read"),
    (5, t::SYSCALL_WRITE_X, "write"),
    (9, t::SOCKET_SENDMSG_X, "sendmsg"),
    (10, t::SOCKET_RECVMSG_X, "recvmsg"),
    (13, t::SOCKET_ACCEPT4_6_X, "accept4"),
    (16, t::SOCKET_CONNECT_X, "connect"),
    (17, t::GENERIC_X, "fallocate"),
    (18, t::SYSCALL_OPENAT_2_X, "openat"),
    (19, t::SYSCALL_CLOSE_X, "close"),
    (22, t::SYSCALL_READ_X, "read"),
    (23, t::SYSCALL_WRITE_X, "write"),
    (26, t::SOCKET_SENDTO_X, "sendto"),
    (27, t::SOCKET_RECVFROM_X, "recvfrom"),
    (28, t::SYSCALL_OPENAT2_X, "openat2"),
    (30, t::SYSCALL_SPLICE_X, "splice"),
    (34, t::SOCKET_SHUTDOWN_X, "shutdown"),
    (35, t::SYSCALL_RENAMEAT2_X, "renameat2"),
    (36, t::SYSCALL_UNLINKAT_2_X, "unlinkat"),
    (37, t::SYSCALL_MKDIRAT_X, "mkdirat"),
    (38, t::SYSCALL_SYMLINKAT_X, "symlinkat"),
    (39, t::SYSCALL_LINKAT_2_X, "linkat"),
    (41, t::GENERIC_X, "fsetxattr"),
    (42, t::GENERIC_X, "setxattr"),
    (45, t::SOCKET_SOCKET_X, "socket"),
    (47, t::SOCKET_SENDTO_X, "sendto"),
    (48, t::SOCKET_SENDMSG_X, "sendmsg"),
    (55, t::GENERIC_X, "ftruncate"),
    (56, t::SOCKET_BIND_X, "bind"),
    (57, t::SOCKET_LISTEN_X, "listen"),
    (60, t::SYSCALL_READV_X, "readv"),
    (61, t::SYSCALL_WRITEV_X, "writev"),
];

/// The operation of a request.
#[inline(always)]
pub fn opcode<K: Kernel>(k: &K, request: usize) -> u8 {
    k.read(request + offset!(k, req_opcode))
}

/// Notes all of a request that its event will need.
#[inline(always)]
pub fn ask<K: Kernel>(k: &K, request: usize, asked: &mut Asked) {
    let opcode = opcode(k, request);
    let flags = k.word(request + offset!(k, req_flags)) as u8;
    let who = k.tgid_tid();
    let worker = k.int(k.task() + offset!(k, task_flags)) & IO_WORKER != 0;
    // A verifier takes what was read from memory for a number, which may be reckoned with.
    set!(asked.at, (&raw const *asked) as u64);
    asked.opcode = opcode;
    asked.flags = flags;
    asked.tgid = (who >> 32) as u32;
    asked.tid = if worker { who >> 32 } else { who & 0xffff_ffff };
    asked.slot = 0;
    asked.repeats = 0;
    let number = k.int(request + offset!(k, req_fd));
    asked.fd = if flags & FIXED_FILE != 0 { (DIRECT | number) as i32 } else { number as i32 };
    let fd = asked.fd as u32 as u64;
    // The operation's own part of the request; it begins with the file.
    let own = request + offset!(k, req_own);
    let int = |offset: usize| u64::from(k.int(own + offset));
    let word = |offset: usize| k.word(own + offset);
    asked.args = match opcode {
        18 | 28 => {
            asked.fd = -1;
            asked.slot = int(offset!(k, open_slot)) as u32;
            let at = offset!(k, open_how);
            asked.how = [word(at) & !O_LARGEFILE, word(at + 8), word(at + 16)];
            let name = name(k, asked, 0, word(offset!(k, open_name)));
            let directory = int(offset!(k, open_dfd));
            if opcode == 18 {
                [directory, name, asked.how[0], asked.how[1], 0, 0]
            } else {
                [directory, name, get!(asked.at) + offset_of!(Asked, how) as u64, 24, 0, 0]
            }
        }
        35 | 39 => {
            asked.fd = -1;
            let old = name(k, asked, 0, word(offset!(k, rename_old)));
            let new = name(k, asked, 1, word(offset!(k, rename_new)));
            let (from, to) = (int(offset!(k, rename_old_dfd)), int(offset!(k, rename_new_dfd)));
            [from, old, to, new, int(offset!(k, rename_flags)), 0]
        }
        38 => {
            asked.fd = -1;
            let old = name(k, asked, 0, word(offset!(k, link_old)));
            let new = name(k, asked, 1, word(offset!(k, link_new)));
            [old, int(offset!(k, link_new_dfd)), new, 0, 0, 0]
        }
        36 => {
            asked.fd = -1;
            let name = name(k, asked, 0, word(offset!(k, unlink_name)));
            [int(offset!(k, unlink_dfd)), name, int(offset!(k, unlink_flags)), 0, 0, 0]
        }
        37 => {
            asked.fd = -1;
            let name = name(k, asked, 0, word(offset!(k, mkdir_name)));
            let mode = int(offset!(k, mkdir_mode)) & 0xffff;
            [int(offset!(k, mkdir_dfd)), name, mode, 0, 0, 0]
        }
        42 => {
            asked.fd = -1;
            [name(k, asked, 0, word(offset!(k, xattr_name))), 0, 0, 0, 0, 0]
        }
        19 => {
            let number = int(offset!(k, close_fd));
            asked.slot = int(offset!(k, close_slot)) as u32;
            let direct = u64::from(DIRECT | asked.slot.wrapping_sub(1));
            asked.fd = -1;
            [if asked.slot == 0 { number } else { direct }, 0, 0, 0, 0, 0]
        }
        13 => {
            asked.slot = int(offset!(k, accept_slot)) as u32;
            // IORING_ACCEPT_MULTISHOT.
            asked.repeats = int(offset!(k, accept_ring_flags)) as u16 & 1;
            [fd, 0, 0, int(offset!(k, accept_flags)), 0, 0]
        }
        45 => {
            asked.fd = -1;
            asked.slot = int(offset!(k, socket_slot)) as u32;
            let at = offset!(k, ring_socket_domain);
            [int(at), int(at + 4), int(at + 8), 0, 0, 0]
        }
        16 => {
            let (at, len) = (word(offset!(k, connect_address)), int(offset!(k, connect_len)));
            address(k, asked, at as usize, len as usize, true);
            [fd, address_of(asked), len, 0, 0, 0]
        }
        56 => {
            let kept = k.address(request + offset!(k, req_async));
            address(k, asked, kept + offset!(k, message_address), ADDRESS_BYTES, false);
            [fd, address_of(asked), int(offset!(k, bind_len)), 0, 0, 0]
        }
        9 | 10 | 48 => {
            let at = word(offset!(k, send_buffer)) as usize;
            address(k, asked, at, 56, true);
            [fd, address_of(asked), 0, 0, 0, 0]
        }
        26 | 27 | 47 => {
            let (mut at, mut len) = (0, 0);
            if opcode != 27 {
                let kept = k.address(request + offset!(k, req_async));
                at = k.address(kept + offset!(k, message_name));
                len = u64::from(k.int(kept + offset!(k, message_name_len)));
                address(k, asked, at, ADDRESS_BYTES, false);
            }
            let told = if at == 0 { 0 } else { address_of(asked) };
            let len = if at == 0 { 0 } else { len };
            [fd, word(offset!(k, send_buffer)), int(offset!(k, send_len)), 0, told, len]
        }
        30 => {
            let at = offset!(k, splice_out_offset);
            let from = int(offset!(k, splice_from));
            let bytes = word(offset!(k, splice_len));
            [from, word(at + 8), fd, word(at), bytes, int(offset!(k, splice_flags))]
        }
        // fallocate, ftruncate, fsetxattr, and those with one number behind the file.
        17 | 34 | 41 | 55 | 57 => [fd, int(8), 0, 0, 0, 0],
        _ => {
            let (at, len) = (word(offset!(k, rw_buffer)), int(offset!(k, rw_len)));
            [fd, at, len, 0, 0, 0]
        }
    };
}

#[inline(always)]
fn address_of(asked: &Asked) -> u64 {
    get!(asked.at) + offset_of!(Asked, address) as u64
}

/// Keeps a name that the kernel took from its caller. Returns where it stands.
#[inline(always)]
fn name<K: Kernel>(k: &K, asked: &mut Asked, which: usize, filename: u64) -> u64 {
    let at = k.address(filename as usize + offset!(k, filename_text));
    let room = if which == 0 { &raw mut asked.names[0] } else { &raw mut asked.names[1] };
    // SAFETY: the room has NAME_BYTES.
    let got = unsafe { k.copy_kernel_str(room.cast(), NAME_BYTES as u32, at) };
    if got >= NAME_BYTES as i64 {
        return k.word(filename as usize + offset!(k, filename_user));
    }
    if got <= 0 {
        // SAFETY: as above.
        unsafe { room.cast::<u8>().write_volatile(0) };
    }
    let first = get!(asked.at) + offset_of!(Asked, names) as u64;
    if which == 0 { first } else { first + NAME_BYTES as u64 }
}

/// What points into an entry that was copied from another place, points into it from now on.
#[inline(always)]
pub fn moved(asked: &mut Asked) {
    let from = get!(asked.at);
    set!(asked.at, (&raw const *asked) as u64);
    let to = get!(asked.at);
    for index in 0..asked.args.len() {
        // SAFETY: one of the arguments.
        let arg = unsafe { (&raw mut asked.args).cast::<u64>().add(index) };
        // SAFETY: as above.
        unsafe {
            let inside = arg.read_volatile().wrapping_sub(from);
            if inside < size_of::<Asked>() as u64 {
                arg.write_volatile(to + inside);
            }
        }
    }
}

/// Keeps an address, or the head of a message.
#[inline(always)]
fn address<K: Kernel>(k: &K, asked: &mut Asked, at: usize, bytes: usize, of_user: bool) {
    let bytes = if bytes > ADDRESS_BYTES { ADDRESS_BYTES } else { bytes };
    let room = (&raw mut asked.address).cast::<u8>();
    // SAFETY: the room has ADDRESS_BYTES.
    unsafe {
        if of_user {
            k.copy_user(room, bytes as u32 & 0xff, at);
        } else {
            k.copy_kernel(room, bytes as u32 & 0xff, at);
        }
    }
}

/// Calls `$go!` with every filler that operations use, in the order of their slots.
#[macro_export]
macro_rules! with_ring_fillers {
    ($go:ident) => {
        $go! {
            ring_generic GENERIC_X $crate::generic::generic;
            ring_readv SYSCALL_READV_X $crate::io::readv;
            ring_writev SYSCALL_WRITEV_X $crate::io::writev;
            ring_read SYSCALL_READ_X $crate::io::read;
            ring_write SYSCALL_WRITE_X $crate::io::write;
            ring_sendmsg SOCKET_SENDMSG_X $crate::transfer::sendmsg;
            ring_recvmsg SOCKET_RECVMSG_X $crate::transfer::recvmsg;
            ring_accept SOCKET_ACCEPT4_6_X $crate::socket::accept4;
            ring_connect SOCKET_CONNECT_X $crate::socket::connect;
            ring_openat SYSCALL_OPENAT_2_X $crate::open::openat;
            ring_openat2 SYSCALL_OPENAT2_X $crate::open::openat2;
            ring_close SYSCALL_CLOSE_X $crate::descriptor::close;
            ring_sendto SOCKET_SENDTO_X $crate::transfer::sendto;
            ring_recvfrom SOCKET_RECVFROM_X $crate::transfer::recvfrom;
            ring_splice SYSCALL_SPLICE_X $crate::io::splice;
            ring_shutdown SOCKET_SHUTDOWN_X $crate::socket::shutdown;
            ring_renameat SYSCALL_RENAMEAT2_X $crate::name::renameat2;
            ring_unlinkat SYSCALL_UNLINKAT_2_X $crate::name::unlinkat;
            ring_mkdirat SYSCALL_MKDIRAT_X $crate::name::mkdirat;
            ring_symlinkat SYSCALL_SYMLINKAT_X $crate::name::symlinkat;
            ring_linkat SYSCALL_LINKAT_2_X $crate::name::linkat;
            ring_socket SOCKET_SOCKET_X $crate::socket::socket;
            ring_bind SOCKET_BIND_X $crate::socket::bind;
            ring_listen SOCKET_LISTEN_X $crate::socket::listen;
        }
    };
}

macro_rules! list {
    ($($name:ident $code:ident $function:path;)*) => {
        /// Program and event of each such filler; its slot is FILLERS_AT plus its place here.
        pub const RING_FILLERS: &[(&str, u16)] =
            &[$((stringify!($name), crate::table::$code),)*];
    };
}
with_ring_fillers!(list);
