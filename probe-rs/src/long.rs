//! Long arguments and environments of an execution: the event with what its parameters have no room
//! for, in memory of its own that is large enough. Only such executions come here.
//!
//! The second of our own parameters then holds
//!     u32 bytes of all arguments but the first, u32 bytes of the environment,
//!     u16 bytes of the arguments' tail, u16 bytes of the environment's tail, the two tails,
//!     and last what it has of every execution, where the process lives (namespaces.rs)
//! A tail of nothing: the parameter holds all, or the tail could not be read. The third, where it
//! is written already, has further names of the program's file (further.rs).
use crate::event::{BLOCK, BLOCK_HEAD, Event, HEADER_BYTES};
use crate::kernel::Kernel;
use crate::process::own_mm;
use crate::scratch::{EVENT_AT, EVENT_MASK};
use crate::{get, namespaces, offset, set, setting};

/// Longest tails. With the head of 4 KiB in the parameter, 64 KiB of arguments are whole.
pub const ARGS_TAIL: usize = 64_000;
pub const ENV_TAIL: usize = 16_383;
/// All of it is one parameter, whose length is 16 bits.
const PARAM_MAX: usize = 65_535;
const OWN_HEAD: usize = 12;
/// The block's head stands before the event, which is aligned to eight bytes.
const AT: usize = 16;
const MASK: usize = 0x1_ffff;
/// Masked positions, and the longest piece behind one.
pub const LONG_BYTES: usize = AT + MASK + 1 + 16_384 + 64;
/// Where the lengths of exe, args and env stand in an execve event.
const EXE: usize = 1;
const ARGS: usize = 2;
const ENV: usize = 15;
/// Longest records of further names: a path and a rule's name.
const RECORDS_MASK: usize = 0x1fff;
/// What is tried where not all of a tail is in memory.
const LAST: usize = 4095;

/// Bytes that a parameter of the event in the block has.
#[inline(always)]
fn length<K: Kernel>(e: &Event<K>, param: usize) -> usize {
    length_at(e, HEADER_BYTES + 2 * param)
}

/// The length that stands at `at` in the event.
#[inline(always)]
fn length_at<K: Kernel>(e: &Event<K>, at: usize) -> usize {
    // SAFETY: lengths stand at the start of the event.
    let length = unsafe { (e.base().add(EVENT_AT + (at & 0xff)) as *const u16).read_volatile() };
    usize::from(length)
}

/// The end of a list, at most `max` bytes of it, behind position `at`; how many bytes there are.
#[inline(always)]
unsafe fn tail<K: Kernel>(
    e: &mut Event<K>,
    room: *mut u8,
    at: usize,
    end: usize,
    max: usize,
    mask: usize,
) -> usize {
    let k = e.k;
    set!(e.state().total, max as u32);
    let bytes = get!(e.state().total) as usize & mask;
    // SAFETY: masked; the longest piece follows the longest position.
    unsafe {
        let to = room.add(AT + (at & MASK));
        if k.copy_user(to, bytes as u32, end.wrapping_sub(bytes)) {
            return bytes;
        }
        if bytes > LAST && k.copy_user(to, LAST as u32, end.wrapping_sub(LAST)) {
            return LAST;
        }
    }
    0
}

/// Finishes an execution whose first own parameter is written. Returns the block's bytes, which
/// begin BLOCK_HEAD before `room + 16`; 0 where it did not fit.
///
/// # Safety
/// `room` must be valid for LONG_BYTES and used by nobody else meanwhile.
#[inline(always)]
pub unsafe fn finish<K: Kernel>(e: &mut Event<K>, room: *mut u8, sequence: u64, cpu: u32) -> usize {
    let k = e.k;
    let mm = own_mm(k);
    let exe = length(e, EXE);
    let (args_end, env_end) =
        (k.address(mm + offset!(k, mm_arg_end)), k.address(mm + offset!(k, mm_env_end)));
    let args = args_end.wrapping_sub(k.address(mm + offset!(k, mm_arg_start))).wrapping_sub(exe);
    let env = env_end.wrapping_sub(k.address(mm + offset!(k, mm_env_start)));
    let args = if args > 1 << 30 { 0 } else { args };
    let env = if env > 1 << 30 { 0 } else { env };

    // The parameter is written already, with what stands last in it from now on.
    let written = e.position();
    let own = get!(e.state().own);
    if written > EVENT_MASK || !(2..=3).contains(&own) {
        return 0;
    }
    e.save();
    let lengths = get!(e.state().length).wrapping_sub(2 * (own - 1)) as usize;
    let records = if own == 3 { length_at(e, lengths + 2) & RECORDS_MASK } else { 0 };
    // The verifier wants to see that it is no longer than the event.
    set!(e.state().total, written.wrapping_sub(records + namespaces::BYTES) as u32);
    let from = get!(e.state().total) as usize & EVENT_MASK;
    // SAFETY: masked; both have room for so much.
    unsafe {
        let event = e.base().add(EVENT_AT);
        k.copy_kernel(room.add(AT), (from & EVENT_MASK) as u32, event as usize);
    }
    let mut at = from + OWN_HEAD;
    let mut args_tail = 0;
    if args > length(e, ARGS) {
        let max = if args > ARGS_TAIL { ARGS_TAIL } else { args };
        // SAFETY: as the caller promises.
        args_tail = unsafe { tail(e, room, at, args_end, max, 0xffff) };
    }
    at += args_tail;
    let mut env_tail = 0;
    if env > length(e, ENV) {
        let left = PARAM_MAX - OWN_HEAD - namespaces::BYTES - (args_tail & 0xffff);
        let max = if env > ENV_TAIL { ENV_TAIL } else { env };
        let max = if max > left { left } else { max };
        // SAFETY: as the caller promises.
        env_tail = unsafe { tail(e, room, at, env_end, max, 0x3fff) };
    }
    at += env_tail;
    // SAFETY: masked; both have room for so much.
    unsafe {
        let lives = e.base().add(EVENT_AT + (from & EVENT_MASK)) as usize;
        k.copy_kernel(room.add(AT + (at & MASK)), namespaces::BYTES as u32, lives);
    }
    at += namespaces::BYTES;
    let lists = at - from;
    set!(e.state().total, records as u32);
    let records = get!(e.state().total) as usize & RECORDS_MASK;
    // SAFETY: as above.
    unsafe {
        let names = e.base().add(EVENT_AT + ((from + namespaces::BYTES) & EVENT_MASK)) as usize;
        k.copy_kernel(room.add(AT + (at & MASK)), records as u32, names);
    }
    at += records;

    let (lane, now) = (e.state().lane, k.boot_ns() + setting!(k, boot_epoch_ns));
    set!(e.state().total, (at + 9) as u32);
    let bytes = get!(e.state().total) as usize & MASK;
    let padded = (BLOCK_HEAD + bytes + 3) & !3;
    let total = padded + 4;
    // SAFETY: all masked, and within the room.
    unsafe {
        let put = |at: usize| room.add(AT + (at & MASK));
        put(from).cast::<u32>().write_unaligned(args as u32);
        put(from + 4).cast::<u32>().write_unaligned(env as u32);
        put(from + 8).cast::<u16>().write_unaligned(args_tail as u16);
        put(from + 10).cast::<u16>().write_unaligned(env_tail as u16);
        put(at).cast::<u64>().write_unaligned(sequence);
        put(at + 8).write(lane);
        let own = room.add(AT + (lengths & 0xff));
        own.cast::<u16>().write_unaligned(lists as u16);
        own.add(2).cast::<u16>().write_unaligned(records as u16);
        own.add(4).cast::<u16>().write_unaligned(8);
        own.add(6).cast::<u16>().write_unaligned(1);
        room.add(AT).cast::<u64>().write_unaligned(now);
        room.add(AT + 16).cast::<u32>().write_unaligned(bytes as u32);
        put(bytes).cast::<u32>().write_unaligned(0);
        let block = room.add(AT - BLOCK_HEAD);
        block.cast::<u32>().write_unaligned(BLOCK);
        block.add(4).cast::<u32>().write_unaligned(total as u32);
        block.add(8).cast::<u16>().write_unaligned(cpu as u16);
        block.add(padded & MASK).cast::<u32>().write_unaligned(total as u32);
    }
    total & MASK
}

/// Where a finished block begins.
pub const BLOCK_AT: usize = AT - BLOCK_HEAD;
