//! Calls that wait: for descriptors, for time, for a word of memory.
use crate::event::{Event, Next};
use crate::kernel::Kernel;
use crate::table::futex_operations as futex_flag;
use crate::{get, set};

/// Descriptors of a list that are told, as with Falco.
const POLLED: usize = 16;

/// struct pollfd.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Polled {
    fd: i32,
    asked: u16,
    answered: u16,
}

/// What poll answers. In Falco's encoding POLLERR, POLLHUP and POLLNVAL come behind POLLRDHUP, and
/// the others where they are in the kernel's, or one up.
pub const fn poll_events(value: u16) -> u16 {
    const BITS: [(u16, u16); 11] = [
        (0x1, 1 << 0),
        (0x2, 1 << 1),
        (0x4, 1 << 2),
        (0x2000, 1 << 3),
        (0x8, 1 << 4),
        (0x10, 1 << 5),
        (0x20, 1 << 6),
        (0x40, 1 << 7),
        (0x80, 1 << 8),
        (0x100, 1 << 9),
        (0x200, 1 << 10),
    ];
    let (mut ours, mut at) = (0, 0);
    while at < BITS.len() {
        if value & BITS[at].0 != 0 {
            ours |= BITS[at].1;
        }
        at += 1;
    }
    ours
}

/// The list of descriptors: u16 how many, then each with i64 number and u16 what it answered. None
/// where the list is not in memory.
#[inline(always)]
fn polled<K: Kernel>(e: &mut Event<K>) {
    let (k, at, count) = (e.k, e.arg(0) as usize, e.arg(1) as u32);
    let start = e.position();
    e.bytes(0u16);
    set!(e.state().total, 0);
    for index in 0..POLLED {
        if index as u32 >= count {
            break;
        }
        let Some(one) = k.read_user::<Polled>(at.wrapping_add(8 * index)) else { break };
        e.bytes(i64::from(one.fd));
        e.bytes(poll_events(one.answered));
        e.forget();
        set!(e.state().total, index as u32 + 1);
    }
    let told = get!(e.state().total);
    e.change(start, told as u16);
    e.end(2 + 10 * told as usize);
}

#[inline(always)]
pub fn poll<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    polled(e);
    let milliseconds = e.int(2);
    e.i64(i64::from(milliseconds));
    Next::Emit
}

/// A time in nanoseconds; 0 where there is none. The 32-bit entry has its parts in 32 bits.
#[inline(always)]
fn interval<K: Kernel>(e: &mut Event<K>, index: usize) -> u64 {
    let (k, at) = (e.k, e.arg(index) as usize);
    let [seconds, nanoseconds] = if get!(e.state().compat) != 0 {
        k.read_user::<[i32; 2]>(at).unwrap_or_default().map(i64::from)
    } else {
        k.read_user::<[i64; 2]>(at).unwrap_or_default()
    };
    (seconds as u64).wrapping_mul(1_000_000_000).wrapping_add(nanoseconds as u64)
}

#[inline(always)]
pub fn ppoll<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    polled(e);
    let time = interval(e, 2);
    e.u64(time);
    let at = e.arg(3) as usize;
    let signals = e.k.read_user::<u64>(at).unwrap_or(0);
    e.u32(signals as u32);
    Next::Emit
}

#[inline(always)]
pub fn epoll_wait<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let most = e.int(2);
    e.i64(i64::from(most));
    Next::Emit
}

#[inline(always)]
pub fn nanosleep<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let time = interval(e, 0);
    e.u64(time);
    Next::Emit
}

/// FUTEX_WAIT to FUTEX_CMP_REQUEUE_PI have the kernel's numbers.
pub const fn futex_operation(value: u32) -> u16 {
    let kind = value & 0x7f;
    let kind = if kind <= 12 { kind } else { 0 };
    let private = if value & 0x80 != 0 { futex_flag::FUTEX_PRIVATE_FLAG } else { 0 };
    let clock = if value & 0x100 != 0 { futex_flag::FUTEX_CLOCK_REALTIME } else { 0 };
    (kind | private | clock) as u16
}

#[inline(always)]
pub fn futex<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (at, operation, value) = (e.arg(0), e.arg(1) as u32, e.arg(2));
    e.u64(at);
    e.u16(futex_operation(operation));
    e.u64(value);
    Next::Emit
}
