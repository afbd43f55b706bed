//! Lists of buffers (struct iovec) of the caller: their first bytes, and how long all of them are.
use crate::event::Event;
use crate::kernel::Kernel;
use crate::{get, set};

/// Buffers that a call may have (UIO_MAXIOV), all of which are looked at. (Falco looks at 32.)
pub const VECTORS: u32 = 1024;
/// Where the kernel has no loops for that; what lies in later ones is then neither kept nor added
/// up, and the event counts as truncated where that shows.
const VECTORS_SHORT: u32 = 64;

/// Bytes of the data to keep: no more than were moved, no more than the snaplen.
#[inline(always)]
pub fn kept<K: Kernel>(e: &mut Event<K>, moved: i64) -> usize {
    let most = get!(e.state().most) as usize;
    if moved < 0 {
        0
    } else if (moved as usize) < most {
        moved as usize
    } else {
        most
    }
}

/// The same where a call that failed says by an argument how much it would have moved.
#[inline(always)]
pub fn kept_or<K: Kernel>(e: &mut Event<K>, asked: u32) -> usize {
    let ret = e.ret();
    kept(e, if ret > 0 { ret } else { i64::from(asked) })
}

/// Address and length of one buffer. Without a branch for the 32-bit entry, whose pairs are half as
/// long: each branch would double the ways that a verifier follows.
#[inline(always)]
fn vector<K: Kernel>(e: &mut Event<K>, at: usize, index: usize) -> (usize, u64) {
    let compat = get!(e.state().compat);
    let wide = u64::from(compat).wrapping_sub(1);
    // Of a 32-bit pair the rest of what is read belongs to its neighbour.
    let from = at.wrapping_add((16 * index) >> (compat & 1));
    let words: [u32; 4] = e.k.read_user(from).unwrap_or_default();
    let [low, high, len_low, len_high] = words.map(u64::from);
    let len = (len_low | len_high << 32) & wide | high & !wide;
    ((low | high << 32 & wide) as usize, len)
}

/// Writes a parameter with the first bytes of the buffers, at most `most`, and returns how long
/// they are together where that is wanted. All that the loop keeps stands in the State, so that a
/// verifier finds each way out of it alike.
#[inline(always)]
fn walk<K: Kernel, const SUM: bool>(e: &mut Event<K>, at: usize, count: u64, most: usize) -> u32 {
    let state = e.state();
    let looked_at = if K::LOOPS { VECTORS } else { VECTORS_SHORT };
    let all = if count > u64::from(looked_at) { looked_at } else { count as u32 };
    set!(state.count, all);
    set!(state.free, most as u32);
    set!(state.at.mnt, at);
    set!(state.node, 0);
    set!(state.total, 0);
    if K::LOOPS {
        e.save();
        if SUM {
            e.k.take_vectors_and_sum(all)
        } else {
            e.k.take_vectors(all)
        }
        e.reload();
    } else {
        for index in 0..VECTORS_SHORT {
            if index >= get!(e.state().count) || take::<K, SUM>(e, index) {
                break;
            }
        }
    }
    let state = e.state();
    if count > u64::from(looked_at) && (SUM || get!(state.free) != 0) {
        state.truncated += 1;
    }
    let total = get!(state.total) as usize;
    e.end(total);
    get!(e.state().node) as u32
}

/// Takes one buffer; whether no other is needed.
#[inline(always)]
pub fn take<K: Kernel, const SUM: bool>(e: &mut Event<K>, index: u32) -> bool {
    let state = e.state();
    let left = get!(state.free);
    if !SUM && left == 0 {
        return true;
    }
    let list = get!(state.at.mnt);
    let (at, len) = vector(e, list, index as usize);
    if SUM {
        let sum = get!(e.state().node);
        set!(e.state().node, sum.wrapping_add(len as usize));
    }
    let wanted = if len < u64::from(left) { len as u32 } else { left };
    set!(e.state().free, wanted);
    let whole = e.spans(at);
    // Where it was not in memory, what lies behind would stand in the wrong place.
    set!(e.state().free, if whole { left.wrapping_sub(wanted) } else { 0 });
    false
}

/// The data alone.
#[inline(always)]
pub fn data<K: Kernel>(e: &mut Event<K>, at: usize, count: u64, most: usize) {
    walk::<K, false>(e, at, count, most);
}

/// The data, and how long the buffers are together.
#[inline(always)]
pub fn data_and_size<K: Kernel>(e: &mut Event<K>, at: usize, count: u64, most: usize) -> u32 {
    walk::<K, true>(e, at, count, most)
}
