//! Options of sockets.
use crate::event::{Event, Next};
use crate::flags;
use crate::kernel::Kernel;

const SOL_SOCKET: i32 = 1;
const SO_ERROR: i32 = 4;
const SO_COOKIE: i32 = 57;

/// The value of an option, by what the option is: u8 kind, then its bytes.
#[inline(always)]
fn option<K: Kernel>(e: &mut Event<K>, level: i32, name: i32, at: usize, len: usize) {
    let k = e.k;
    match (level, name) {
        (SOL_SOCKET, SO_ERROR) => {
            let value: i32 = k.read_user(at).unwrap_or(0);
            e.bytes(1u8);
            e.bytes(-i64::from(value));
            e.end(9);
        }
        (SOL_SOCKET, 20 | 21 | 66 | 67) => {
            let [seconds, micros]: [u64; 2] = k.read_user(at).unwrap_or_default();
            e.bytes(4u8);
            e.bytes(seconds.wrapping_mul(1_000_000_000).wrapping_add(micros.wrapping_mul(1000)));
            e.end(9);
        }
        (SOL_SOCKET, SO_COOKIE) => {
            let value: u64 = k.read_user(at).unwrap_or(0);
            e.bytes(3u8);
            e.bytes(value);
            e.end(9);
        }
        (SOL_SOCKET, 1..=12 | 14..=16 | 18 | 19 | 22..=25 | 27 | 29..=49) => {
            let value: u32 = k.read_user(at).unwrap_or(0);
            e.bytes(2u8);
            e.bytes(value);
            e.end(5);
        }
        _ => {
            e.bytes(0u8);
            let bytes = e.bound(if len > 4095 { 0 } else { len });
            // SAFETY: `room` takes 4 KiB.
            let bytes = if unsafe { k.copy_user(e.room(), bytes as u32, at) } { bytes } else { 0 };
            e.grow(bytes);
            e.end(1 + bytes);
        }
    }
    e.forget();
}

#[inline(always)]
fn option_head<K: Kernel>(e: &mut Event<K>) -> (i32, i32) {
    e.res();
    e.fd(0);
    let (level, name) = (e.int(1), e.int(2));
    e.u8(flags::sockopt_level(level));
    e.u8(flags::sockopt_name(level, name));
    (level, name)
}

#[inline(always)]
pub fn getsockopt<K: Kernel>(e: &mut Event<K>) -> Next {
    let (level, name) = option_head(e);
    let (at, len_at) = (e.arg(3) as usize, e.arg(4) as usize);
    let len: u32 = e.k.read_user(len_at).unwrap_or(0);
    option(e, level, name, at, len as usize);
    e.u32(len);
    Next::Emit
}

#[inline(always)]
pub fn setsockopt<K: Kernel>(e: &mut Event<K>) -> Next {
    let (level, name) = option_head(e);
    let (at, len) = (e.arg(3) as usize, e.arg(4) as u32);
    option(e, level, name, at, len as usize);
    e.u32(len);
    Next::Emit
}
