//! Events of plugins as blocks of `.scap`: an event as a plugin gave it comes in and is held
//! against what it says of itself; the same bytes in the frame of a block go out.
use crate::abi::{EVENT_PLUGIN, Event};

const LARGE: u32 = 0x221;
const SMALL: u32 = 0x216;
pub const HEADER: usize = size_of::<Event>();
/// Type, length and CPU in front of an event in its block.
pub const EVENT_AT: usize = 10;
/// Bytes of one event; a larger one is refused as garbage.
pub const EVENT_MAX: usize = 32 << 20;
const PARAMETERS_MAX: u32 = 64;
/// Header, two lengths, the plugin's id.
pub const PLUGIN_DATA: usize = HEADER + 8 + 4;

/// Bytes of the block of an event of so many bytes.
pub fn block_bytes(event: usize) -> usize {
    8 + (2 + event).next_multiple_of(4) + 4
}

/// Writes the block at the front of `out`, which has room for it; returns its bytes.
pub fn write_block(out: &mut [u8], event: &[u8], large: bool) -> usize {
    let bytes = block_bytes(event.len());
    let length = (bytes as u32).to_le_bytes();
    out[..4].copy_from_slice(&(if large { LARGE } else { SMALL }).to_le_bytes());
    out[4..8].copy_from_slice(&length);
    out[8..EVENT_AT].fill(0);
    out[EVENT_AT..EVENT_AT + event.len()].copy_from_slice(event);
    out[EVENT_AT + event.len()..bytes - 4].fill(0);
    out[bytes - 4..bytes].copy_from_slice(&length);
    bytes
}

pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).map_or(0, |four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |two| u16::from_le_bytes([two[0], two[1]]))
}

/// Kind of an event, 0 where there is none.
pub fn kind_of(event: &[u8]) -> u16 {
    u16_at(event, 20)
}

/// Whether the lengths of the event's parameters have four bytes; None where its parameters are
/// not what its length says.
pub fn is_large(event: &[u8]) -> Option<bool> {
    let count = u32_at(event, 22);
    if event.len() < HEADER || u32_at(event, 16) as usize != event.len() || count > PARAMETERS_MAX {
        return None;
    }
    let count = count as usize;
    let fits = |width: usize| {
        let data = HEADER + width * count;
        if data > event.len() {
            return false;
        }
        let lengths = (0..count).map(|n| match width {
            4 => u64::from(u32_at(event, HEADER + 4 * n)),
            _ => u64::from(u16_at(event, HEADER + 2 * n)),
        });
        data as u64 + lengths.sum::<u64>() == event.len() as u64
    };
    if fits(4) { Some(true) } else { fits(2).then_some(false) }
}

/// Whether it is an event of a plugin's own source: an id, and data.
pub fn is_plugin_event(event: &[u8]) -> bool {
    event.len() >= PLUGIN_DATA
        && kind_of(event) == EVENT_PLUGIN
        && u32_at(event, 22) == 2
        && u32_at(event, HEADER) == 4
        && u32_at(event, 16) as usize == event.len()
        && u32_at(event, HEADER + 4) as usize == event.len() - PLUGIN_DATA
}

/// The events of whole blocks: where each begins and ends. Ends early where a frame does not fit;
/// whether all of it was whole blocks is told, too.
pub fn events_of(blocks: &[u8], found: &mut Vec<(usize, usize)>) -> bool {
    let mut at = 0;
    while at < blocks.len() {
        let length = u32_at(blocks, at + 4) as usize;
        let kind = u32_at(blocks, at);
        if length < EVENT_AT + HEADER + 4 || blocks.len() - at < length {
            return false;
        }
        let start = at + EVENT_AT;
        let end = start + u32_at(blocks, start + 16) as usize;
        let is_event = kind == LARGE || kind == SMALL;
        if !is_event || u32_at(blocks, at + length - 4) as usize != length || end > at + length - 4
        {
            return false;
        }
        if is_large(&blocks[start..end]).is_none() {
            return false;
        }
        found.push((start, end));
        at += length;
    }
    true
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// An event as plugins make it.
    pub fn plugin_event(id: u32, ts: u64, data: &[u8]) -> Vec<u8> {
        let mut event = Vec::new();
        event.extend(ts.to_le_bytes());
        event.extend(u64::MAX.to_le_bytes());
        event.extend(((PLUGIN_DATA + data.len()) as u32).to_le_bytes());
        event.extend(EVENT_PLUGIN.to_le_bytes());
        for word in [2, 4, data.len() as u32, id] {
            event.extend(u32::to_le_bytes(word));
        }
        event.extend(data);
        event
    }

    #[test]
    fn a_block_holds_its_event_and_ends_with_its_length() {
        for size in 0..9 {
            let event = plugin_event(9, 1, &vec![7; size]);
            assert!(is_plugin_event(&event));
            assert_eq!(is_large(&event), Some(true));
            let mut out = vec![0xff; block_bytes(event.len()) + 1];
            let bytes = write_block(&mut out, &event, true);
            assert_eq!((bytes % 4, out[bytes]), (0, 0xff));
            let mut found = Vec::new();
            assert!(events_of(&out[..bytes], &mut found));
            assert_eq!(found, [(EVENT_AT, EVENT_AT + event.len())]);
            assert!(!events_of(&out[..bytes - 1], &mut found));
        }
    }

    #[test]
    fn an_event_that_lies_about_itself_is_none() {
        let good = plugin_event(9, 1, b"data");
        for (at, byte) in
            [(16, 41), (16, 255), (19, 1), (20, 1), (22, 3), (26, 5), (30, 5), (33, 9)]
        {
            let mut event = good.clone();
            event[at] = byte;
            assert!(!is_plugin_event(&event), "{at}");
        }
        assert!(!is_plugin_event(&good[..30]));
        let mut many = good.clone();
        many[22..26].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(is_large(&many), None);
        let mut long = good;
        long[30..34].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(is_large(&long), None);
    }

    #[test]
    fn lengths_of_two_bytes_are_seen() {
        let mut event = plugin_event(9, 1, b"");
        event.truncate(HEADER);
        event[22] = 1;
        event.extend([3, 0, 1, 2, 3]);
        event[16] = 31;
        assert_eq!(is_large(&event), Some(false));
    }
}
