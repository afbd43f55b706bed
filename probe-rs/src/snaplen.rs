//! How much of a call's data is kept: the snaplen, and more of it where the data comes from or goes
//! to a port that was asked for, or is of a protocol whose requests are longer than that.
//!
//! In: the call's first descriptor, the address of its peer where the caller gives one, and where
//! its data lies. Out: `State::most`. Ports are those of the kernel's socket; only an unconnected
//! datagram's peer is the caller's word. Where nothing of this was asked for, a verifier takes all
//! of it out.
use crate::address::sock_of;
use crate::event::Event;
use crate::kernel::Kernel;
use crate::{get, offset, set, setting};

const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

/// The longest that can be kept of one call.
pub const FULL: u32 = 16_000;
/// Of the protocols below.
const LONG: u32 = 2000;
/// Pieces of a call's data: four have room for FULL.
const SPANS: usize = 4;

const DNS: u16 = 53;
const MYSQL: u16 = 3306;
const POSTGRES: u16 = 5432;
const STATSD: u16 = 8125;
const MONGODB: u16 = 27_017;

/// Bytes that are looked at to know a protocol, as 32-bit words.
const HEAD: usize = 4;

const fn word(text: &[u8; 4]) -> u32 {
    u32::from_le_bytes(*text)
}

/// Decides for a call whose data lies in one buffer of `size` bytes at `at`, or in several, where
/// `size` is 0.
#[inline(always)]
pub fn settle<K: Kernel>(e: &mut Event<K>, peer: usize, at: usize, size: u32) {
    let (from, to) = (setting!(e.k, port_from), setting!(e.k, port_to));
    let by_content = setting!(e.k, dynamic) != 0;
    if to == 0 && !by_content {
        return;
    }
    let k = e.k;
    let fd = e.int(0);
    let sock = sock_of(k, fd);
    if sock == 0 {
        return;
    }
    let family: u16 = k.read(sock + offset!(k, sock_family));
    if family != AF_INET && family != AF_INET6 {
        return;
    }
    let own = u16::from_be(k.read(sock + offset!(k, inet_sport)));
    let mut other = u16::from_be(k.read(sock + offset!(k, sock_dport)));
    if other == 0 && peer != 0 {
        // The port stands behind the family in both kinds of addresses.
        other = u16::from_be(k.read_user(peer + 2).unwrap_or(0));
    }
    let is_asked = |port: u16| u32::from(port) >= from && u32::from(port) <= to;
    if to != 0 && (is_asked(own) || is_asked(other)) {
        return raise(e, FULL);
    }
    if by_content && is_long(k, own, other, at, size) {
        raise(e, LONG);
    }
}

#[inline(always)]
fn raise<K: Kernel>(e: &mut Event<K>, most: u32) {
    if setting!(e.k, snaplen) < most {
        set!(e.state().most, most);
    }
}

/// Whether the data is of a protocol whose requests tell more than a snaplen of the usual length.
#[inline(always)]
fn is_long<K: Kernel>(k: &K, own: u16, other: u16, at: usize, size: u32) -> bool {
    if matches!(other, DNS | STATSD) || own == MONGODB || other == MONGODB {
        return true;
    }
    if size < 5 {
        return false;
    }
    let head: [u32; HEAD] = k.read_user(at).unwrap_or_default();
    let [first, second, _, operation] = head;
    if own == MYSQL || other == MYSQL {
        // Length (24 bits), number of the packet, command: 3 is a query.
        return second & 0xff == 3 || first & 0xff == 3;
    }
    if own == POSTGRES || other == POSTGRES {
        // A message's letter and the high byte of its length; a start-up says version 3.
        let (letter, high) = (first & 0xff, first >> 8 & 0xff);
        let is_start = second & 0xff_ffff == 0x300;
        return is_start || high == 0 && matches!(letter as u8, b'Q' | b'P' | b'E');
    }
    if size >= 16 && (operation == 1 || (2001..=2007).contains(&operation)) {
        return true;
    }
    const VERBS: [u32; 8] = [
        word(b"GET "),
        word(b"POST"),
        word(b"PUT "),
        word(b"DELE"),
        word(b"TRAC"),
        word(b"CONN"),
        word(b"OPTI"),
        word(b"HTTP"),
    ];
    VERBS.contains(&first)
}

impl<K: Kernel> Event<'_, K> {
    /// The data of a call, up to SPANS pieces of 4095 bytes; what is not in memory, and what lies
    /// behind it, is missing.
    #[inline(always)]
    pub fn data(&mut self, at: usize, bytes: usize) {
        set!(self.state().free, bytes as u32);
        set!(self.state().total, 0);
        self.spans(at);
        let total = get!(self.state().total) as usize;
        self.end(total);
    }

    /// Copies `State::free` bytes behind what is written, as far as they are in memory, and adds
    /// them to `State::total`. Whether all were.
    #[inline(always)]
    pub fn spans(&mut self, at: usize) -> bool {
        let mut from = at;
        for _ in 0..SPANS {
            let left = get!(self.state().free);
            if left == 0 {
                break;
            }
            let bytes = self.bound(if left > 4095 { 4095 } else { left as usize });
            // SAFETY: `room` takes 4 KiB.
            if !unsafe { self.k.copy_user(self.room(), bytes as u32, from) } {
                return false;
            }
            self.grow(bytes);
            self.forget();
            let state = self.state();
            let (free, total) = (get!(state.free), get!(state.total));
            set!(state.free, free.wrapping_sub(bytes as u32));
            set!(state.total, total.wrapping_add(bytes as u32));
            from = from.wrapping_add(bytes);
        }
        true
    }
}
