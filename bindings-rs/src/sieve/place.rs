//! Where the walk over a path stands, to go on from there.
use probe::sieve::names::STRIDE;
use probe::sieve::{Names, Walk};

/// Falco's fields show another text for longer paths.
pub const PATH_BYTES: usize = 1000;

/// A bit in each byte.
const EACH: u64 = 0x0101_0101_0101_0101;

/// A walk over a path, to go on below it.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub walk: Walk,
    pub length: usize,
}

/// The walk over a text; `None` where it is not what a field would show.
#[inline]
pub fn walk(names: &Names, from: Option<Place>, text: &[u8]) -> Option<Place> {
    let (walk, before) = from.map_or((Walk::begin(names), 0), |place| (place.walk, place.length));
    let length = before + text.len();
    let [walk] = walk_all(names, [walk], text)?;
    (length < PATH_BYTES).then_some(Place { walk, length })
}

/// Where each of several walks comes to by the same text: none waits for another. `None` where the
/// text holds a NUL.
#[inline]
pub fn walk_all<const WALKS: usize>(
    names: &Names,
    mut walks: [Walk; WALKS],
    text: &[u8],
) -> Option<[Walk; WALKS]> {
    let (strides, rest) = text.as_chunks::<STRIDE>();
    let mut nuls = 0;
    for bytes in strides {
        let bytes = u64::from_le_bytes(*bytes);
        // The top bit of the first byte that is 0, and of some behind it.
        nuls |= bytes.wrapping_sub(EACH) & !bytes & EACH << 7;
        for walk in &mut walks {
            walk.stride(names, bytes);
        }
    }
    for byte in rest {
        nuls |= u64::from(*byte == 0);
        for walk in &mut walks {
            walk.byte(names, *byte);
        }
    }
    (nuls == 0).then_some(walks)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seven states over five classes, the first of which is that of NUL.
    fn names() -> Box<Names> {
        // SAFETY: all bytes of a Names may be zero.
        let mut names: Box<Names> = unsafe { Box::<Names>::new_zeroed().assume_init() };
        (names.states, names.classes, names.shift) = (7, 5, 3);
        for (byte, class) in names.class.iter_mut().enumerate().skip(1) {
            *class = 1 + (byte % 4) as u8;
        }
        for state in 0..7 {
            names.marks[state] = 1 << state;
            for class in 0..5 {
                let next = if class == 0 { state } else { (state * 3 + class) % 7 };
                names.next[(state << 3) + class] = next as u16;
            }
        }
        names
    }

    #[test]
    fn several_walks_go_where_each_would_byte_by_byte() {
        let names = names();
        let text = b"/usr/lib/x86_64-linux-gnu/libc.so.6";
        for length in 0..text.len() {
            let walks = [0, 3].map(|state| Walk { state, shift: 3, found: 1 << 9 });
            let mut wanted = walks;
            for walk in &mut wanted {
                text[..length].iter().for_each(|byte| walk.byte(&names, *byte));
            }
            assert_ne!(wanted[0].state, wanted[1].state, "{length} bytes");
            assert_eq!(walk_all(&names, walks, &text[..length]), Some(wanted), "{length} bytes");
        }
    }

    #[test]
    fn no_walk_goes_over_a_nul_or_a_path_that_fields_cut() {
        let names = names();
        for length in 1..20 {
            for at in 0..length {
                let mut text = vec![b'a'; length];
                assert!(walk(&names, None, &text).is_some());
                text[at] = 0;
                assert!(walk(&names, None, &text).is_none(), "{length} bytes, NUL at {at}");
            }
        }
        let begun = walk(&names, None, b"/").unwrap();
        for (length, is_walked) in [(PATH_BYTES - 2, true), (PATH_BYTES - 1, false)] {
            let walked = walk(&names, Some(begun), &vec![b'a'; length]);
            assert_eq!(walked.map(|place| place.length), is_walked.then_some(length + 1));
        }
    }
}
