//! The memory in which one event is put together: one block per CPU, too large for a stack.
//!
//!     0        1 KiB                     37 KiB         40 KiB            50 KiB
//!     | State  | the event, up to 32 KiB | slack        | path and copies | the look-up's own ...
//!
//! A position in the event is masked with EVENT_MASK before each write and nothing writes more
//! than 4 KiB at once, so no write can leave the block, whatever the positions are.

pub const EVENT_AT: usize = 1024;
pub const EVENT_MASK: usize = 0x7fff;
pub const PATH_AT: usize = 40 * 1024;
/// Longest path, without its NUL; Linux has PATH_MAX 4096 with it.
pub const PATH_BYTES: usize = 4095;
pub const SCRATCH_BYTES: usize = 64 * 1024;
/// Copies of kernel structures, read at once and looked at member by member, behind the path.
pub const COPY_AT: usize = PATH_AT + 8192;
pub const COPY_BYTES: usize = 512;
/// A look-up's state, and behind it the rest of the path that it follows: the text ends where
/// TEXT_BYTES do, and 4 KiB of slack follow.
pub const LOOKUP_AT: usize = COPY_AT + 4 * COPY_BYTES;
pub const TEXT_AT: usize = LOOKUP_AT + 2048;
pub const TEXT_BYTES: usize = 8192;
/// Strings of callers: longest, with NUL.
pub const STRING_BYTES: u32 = 4096;

/// `State::via`: an operation of io_uring, or a younger sister of the call whose event it is. It
/// stands in the lane's parameter, above the lane's bit.
pub const VIA_IO_URING: u8 = 1;
pub const VIA_PREADV2: u8 = 2;
pub const VIA_PWRITEV2: u8 = 3;
pub const VIA_FCHMODAT2: u8 = 4;

/// Descriptors of a ring's own table, and results that no request tells, are no numbers of the
/// process: they are told from here on, where no number of a process can be.
pub const DIRECT: u32 = 0x4000_0000;

/// A place in the tree of mounts: what `struct path` is in the kernel.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Place {
    pub mnt: usize,
    pub dentry: usize,
}

/// No dentry: the place is a text, which stands where its last name would.
pub const TEXT: usize = 1;

/// What the stages of one event hand to each other.
#[repr(C)]
pub struct State {
    pub args: [u64; 6],
    pub ret: i64,
    /// Where the next parameter and its length go.
    pub data: u32,
    pub length: u32,
    pub code: u16,
    pub lane: u8,
    /// The call was made through the 32-bit entry.
    pub compat: u8,
    /// Something did not fit.
    pub truncated: u32,
    /// The code of the call in generic events, and its number.
    pub sc: u16,
    pub number: u16,
    /// Stage that goes on when the paths are written.
    pub then: u32,
    /// Paths to write, how many there are, which is being written.
    pub places: [Place; 2],
    pub place_count: u32,
    pub place: u32,
    /// Last names behind the places, where the place is only the directory: where in the event they
    /// lie, and their bytes.
    pub suffix_at: [u32; 2],
    pub suffix_bytes: [u32; 2],
    /// The path is told from the top of the mounts, not from the process's root.
    pub from_top: u32,
    /// The walk: where it is, the mount's root, the root of the process, bytes still free.
    pub at: Place,
    pub mount_root: usize,
    pub root: Place,
    pub free: u32,
    pub path_bytes: u32,
    /// The path was longer than its area.
    pub cut: u32,
    /// Loops over names: where they are, how many are left, bytes so far.
    pub node: usize,
    pub count: u32,
    pub total: u32,
    /// The filler's own slot, and which message of a batch the event tells.
    pub slot: u32,
    pub index: u32,
    /// Bytes of data that are kept of the call (snaplen.rs).
    pub most: u32,
    /// See Event::bound.
    pub bound: u32,
    /// Passes of all walks of the event.
    pub passes: u32,
    /// The sieve: what was asked so far, the facts of the event, the stage that goes on.
    pub sift: u8,
    /// The names of an open were looked at before its event was made.
    pub gated: u8,
    /// The name of the descriptor's file decides, once its path is there.
    pub by_name: u8,
    pub facts: u32,
    pub after: u32,
    /// The number that a test asks of.
    pub value: i64,
    pub present: u32,
    /// Where each parameter begins.
    pub starts: [u16; 32],
    /// Address of the binary program being executed (sched_process_exec).
    pub bprm: usize,
    /// Our own parameters that are written already.
    pub own: u32,
    /// The call's descriptors (files.rs): the numbers, how many, what is known of them; two that
    /// the call wrote for the caller.
    pub file_count: u32,
    pub files: [i32; 2],
    pub marks: u32,
    pub pair: [i32; 2],
    /// Their parameter: which record is next, where it and the last record begin, whether a path
    /// is being written inside of it.
    pub file_index: u32,
    pub files_from: u32,
    pub record_at: u32,
    pub inside: u32,
    /// The file whose path is our first parameter, and the one that was copied last.
    pub own_file: usize,
    pub looked: usize,
    /// Whether they are written.
    pub told: u32,
    /// What a call opened (open.rs): `OPENED_*`, and its inode.
    pub opened: u32,
    pub inode: u64,
    /// Whether arguments or environment are longer than their parameters.
    pub long: u32,
    /// Whether another message of the batch follows when the event is out.
    pub repeats: u32,
    /// How the call came: 0 by itself, else `VIA_*`.
    pub via: u8,
    /// The same for the second event of the call, and its filler's slot; 0: there is none.
    pub also_via: u8,
    pub also: u32,
    /// Who asked for it, and the open file behind one descriptor, of an operation of io_uring.
    pub asker: u64,
    pub given: usize,
    pub given_fd: i32,
    /// Where what is known of the operation stands (ring.rs: Asked).
    pub asked: u64,
    /// Further names of the event's files (further.rs): which there are, which are written; the
    /// places to be told from the host's root with the last names behind them; the file that rules
    /// name.
    pub further: u32,
    pub further_done: u32,
    pub from_host: u32,
    pub named_dev: u32,
    pub named_ino: u64,
    pub host_places: [Place; 2],
    pub host_suffix_at: [u32; 2],
    pub host_suffix_bytes: [u32; 2],
}

/// The block's head stands between the State and the event.
const _: () = assert!(core::mem::size_of::<State>() + 16 <= EVENT_AT);
const _: () = assert!(TEXT_AT + TEXT_BYTES + 4096 <= SCRATCH_BYTES);
const _: () = assert!(EVENT_AT + EVENT_MASK + 1 + 4096 <= PATH_AT);

/// Reads a member of the State that the compiler must not keep in a register: a verifier then
/// forgets what it knew of it, finds all ways through one step of a loop alike, and follows only
/// one of them. (With registers it follows each, and gives up after a million instructions.)
#[macro_export]
macro_rules! get {
    ($member:expr) => {{
        let member = &raw const $member;
        // SAFETY: made from a reference just now.
        unsafe { member.read_volatile() }
    }};
}

/// Writes such a member.
#[macro_export]
macro_rules! set {
    ($member:expr, $value:expr) => {{
        let value = $value;
        let member = &raw mut $member;
        // SAFETY: made from a reference just now.
        unsafe { member.write_volatile(value) }
    }};
}
