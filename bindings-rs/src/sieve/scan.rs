//! How far a piece of a capture holds whole blocks of current events: what the engine reads as it
//! stands. All else is left to who brings it up to date.
use probe::event::BLOCK;

use super::record::{half, word};

/// Type, both lengths.
const FRAME: usize = 12;
/// An event's time, thread, length, code, number of parameters.
const HEADER: usize = 26;
/// Parameters of our own that an event may have besides.
const OWN_PARAMS: u32 = 5;
/// In the list of counts: the event is current with any number of parameters.
const ANY: u8 = 255;
/// It never is.
const NEVER: u8 = 254;

/// Returns where the whole blocks end, and their number. `current`: by code, with how many
/// parameters an event is current.
pub fn scan(bytes: &[u8], current: &[u8]) -> (usize, u32) {
    let (mut at, mut events) = (0, 0);
    while let Some(head) = bytes.get(at..at + FRAME + HEADER) {
        let length = word(head, 4) as usize;
        if length < 40 || length > bytes.len() - at {
            break;
        }
        // Nearly all are of this kind, and as many parameters as the table says.
        let is_plain = word(head, 0) == BLOCK
            && current
                .get(half(head, 30))
                .is_some_and(|count| *count < NEVER && u32::from(*count) == word(head, 32));
        if !is_plain && !is_current(&bytes[at..], current) {
            break;
        }
        at += length;
        events += 1;
    }
    (at, events)
}

/// Whether a block holds a current event; so many bytes are there as one has at the least.
fn is_current(block: &[u8], current: &[u8]) -> bool {
    let event = match word(block, 0) {
        BLOCK | 0x221 => 10,
        0x217 | 0x222 => 14,
        _ => return false,
    };
    if event + HEADER > block.len() {
        return false;
    }
    match current.get(half(block, event + 20)) {
        None | Some(&NEVER) => false,
        Some(&ANY) => true,
        Some(&count) => {
            let more = word(block, event + 22).wrapping_sub(u32::from(count));
            more == 0 || more == OWN_PARAMS
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(kind: u32, code: u16, count: u32) -> Vec<u8> {
        let mut block = [kind, 44].map(u32::to_le_bytes).concat();
        block.extend([0; 2 + 16]);
        block.extend(28u32.to_le_bytes());
        block.extend(code.to_le_bytes());
        block.extend(count.to_le_bytes());
        block.resize(44, 0);
        block
    }

    #[test]
    fn ends_before_what_is_cut_off_old_or_no_event() {
        let current = [ANY, NEVER, 2];
        let ends = |last: &[u8]| scan(&[&block(0x216, 2, 2), last].concat(), &current);
        assert_eq!(ends(&block(0x216, 0, 9)), (88, 2));
        assert_eq!(ends(&block(0x221, 2, 7)), (88, 2));
        assert_eq!(ends(&block(0x216, 2, 3)), (44, 1));
        assert_eq!(ends(&block(0x216, 1, 0)), (44, 1));
        assert_eq!(ends(&block(0x216, 3, 0)), (44, 1));
        assert_eq!(ends(&block(0x204, 0, 0)), (44, 1));
        assert_eq!(ends(&block(0x216, 0, 0)[..43]), (44, 1));
        assert_eq!(ends(&[0; 37]), (44, 1));
    }
}
