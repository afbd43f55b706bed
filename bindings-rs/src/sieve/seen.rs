//! Names that were walked lately, and what was found: most names that programs open are opened
//! again and again. What goes in is where the walk began and the bytes; marks come out.
use probe::sieve::Walk;

/// Names that are held, a power of two; a newer one takes an older one's place.
const PLACES: usize = 1 << 11;
/// Longer ones are walked each time.
const TEXT_BYTES: usize = 104;

#[derive(Clone, Copy)]
struct Entry {
    state: u32,
    length: u32,
    found: u64,
    marks: u64,
    text: [u8; TEXT_BYTES],
}

pub struct Seen(Box<[Entry]>);

/// Where a name has its place.
#[derive(Clone, Copy)]
pub struct SeenAt(usize);

impl Default for Seen {
    fn default() -> Seen {
        let nothing =
            Entry { state: 0, length: u32::MAX, found: 0, marks: 0, text: [0; TEXT_BYTES] };
        Seen(vec![nothing; PLACES].into())
    }
}

impl Seen {
    /// The place of a name that is walked from here; `None` for long ones.
    #[inline]
    pub fn place(from: &Walk, text: &[u8]) -> Option<SeenAt> {
        if text.len() > TEXT_BYTES {
            return None;
        }
        let mut hash = u64::from(from.state) ^ from.found ^ (text.len() as u64) << 32;
        let mut mix = |word: u64| {
            hash = (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
        };
        let (words, rest) = text.as_chunks::<8>();
        for word in words {
            mix(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        mix(u64::from_le_bytes(last));
        Some(SeenAt((hash >> 32) as usize & (PLACES - 1)))
    }

    #[inline]
    pub fn marks(&self, at: SeenAt, from: &Walk, text: &[u8]) -> Option<u64> {
        let entry = &self.0[at.0];
        let same = entry.length as usize == text.len()
            && entry.state == from.state
            && entry.found == from.found
            && entry.text[..text.len()] == *text;
        same.then_some(entry.marks)
    }

    pub fn put(&mut self, at: SeenAt, from: &Walk, text: &[u8], marks: u64) {
        let entry = &mut self.0[at.0];
        (entry.state, entry.found, entry.marks) = (from.state, from.found, marks);
        entry.length = text.len() as u32;
        entry.text[..text.len()].copy_from_slice(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(state: u32, found: u64) -> Walk {
        Walk { state, shift: 2, found }
    }

    #[test]
    fn a_name_is_known_from_where_it_was_walked_and_whole() {
        let mut seen = Seen::default();
        let (start, other) = (from(0, 0), from(3, 1));
        for text in [&b""[..], b"/etc/passwd", b"/usr/lib/x86_64-linux-gnu/libc.so.6"] {
            let at = Seen::place(&start, text).unwrap();
            assert_eq!(seen.marks(at, &start, text), None);
            seen.put(at, &start, text, 5);
            assert_eq!(seen.marks(at, &start, text), Some(5));
            assert_eq!(seen.marks(at, &other, text), None);
            let longer = [text, b"x"].concat();
            assert_eq!(seen.marks(at, &start, &longer), None);
        }
        assert!(Seen::place(&start, &[b'/'; TEXT_BYTES + 1]).is_none());
    }

    #[test]
    fn any_number_of_names_is_told_right() {
        let mut seen = Seen::default();
        let start = from(0, 0);
        for round in 0..20_000u64 {
            let number = round % 7_000;
            let text = format!("/tmp/{number}");
            let at = Seen::place(&start, text.as_bytes()).unwrap();
            if let Some(marks) = seen.marks(at, &start, text.as_bytes()) {
                assert_eq!(marks, number);
            }
            seen.put(at, &start, text.as_bytes(), number);
        }
    }
}
