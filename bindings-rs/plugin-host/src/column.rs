//! Values of one field for some events in a row, laid out as ../../plugins.d.ts tells: values come
//! in event by event, bytes go out; and such bytes from a process that is not trusted are checked.
use crate::blocks::u32_at;

/// Bytes of one column.
pub const COLUMN_MAX: usize = 16 << 20;
const HEADER: usize = 16;

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Column {
    pub counts: Vec<u32>,
    pub ends: Vec<u32>,
    pub bytes: Vec<u8>,
    /// Values of the event at hand.
    values: u32,
    is_full: bool,
}

impl Column {
    pub fn clear(&mut self) {
        self.counts.clear();
        self.ends.clear();
        self.bytes.clear();
        self.values = 0;
        self.is_full = false;
    }

    /// Bytes of it as it is handed over.
    pub fn size(&self) -> usize {
        HEADER + 4 * (self.counts.len() + self.ends.len()) + self.bytes.len()
    }

    /// One more value of the event at hand.
    pub fn value(&mut self, parts: &[&[u8]]) {
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
        self.ends.push(self.bytes.len() as u32);
        self.values += 1;
    }

    /// The values of the event at hand are no use.
    pub fn forget_event(&mut self) {
        self.ends.truncate(self.ends.len() - self.values as usize);
        self.bytes.truncate(self.ends.last().map_or(0, |end| *end as usize));
        self.values = 0;
    }

    /// The event has no more values. False where it has no room: it is not in the column then,
    /// unless it is the first, which has no values then.
    pub fn end_event(&mut self) -> bool {
        if self.size() + 4 > COLUMN_MAX {
            self.forget_event();
            if !self.counts.is_empty() {
                self.is_full = true;
                return false;
            }
        }
        self.counts.push(self.values);
        self.values = 0;
        true
    }

    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// Values of a single event.
    pub fn none(count: usize) -> Self {
        Self { counts: vec![0; count], ..Self::default() }
    }

    /// Writes it, and returns its bytes; what it takes as a negative number where there is less.
    pub fn write(&self, out: &mut [u8]) -> i64 {
        let size = self.size();
        if size > out.len() {
            return -(size as i64);
        }
        let lengths = [self.counts.len(), self.ends.len(), self.bytes.len(), 0];
        let mut at = 0;
        let words = lengths.iter().map(|length| *length as u32);
        for word in words.chain(self.counts.iter().copied()).chain(self.ends.iter().copied()) {
            out[at..at + 4].copy_from_slice(&word.to_le_bytes());
            at += 4;
        }
        out[at..size].copy_from_slice(&self.bytes);
        size as i64
    }

    /// Writes the column of some of the events of one that was written: the `first` and those
    /// behind it, at most `count`.
    pub fn write_part(whole: &[u8], first: usize, count: usize, out: &mut [u8]) -> i64 {
        let (events, values) = (u32_at(whole, 0) as usize, u32_at(whole, 4) as usize);
        let first = first.min(events);
        let count = count.min(events - first);
        let counts = HEADER;
        let ends = counts + 4 * events;
        let bytes = ends + 4 * values;
        let sum = |from: usize, to: usize| {
            (from..to).map(|n| u32_at(whole, counts + 4 * n) as usize).sum::<usize>()
        };
        let from = sum(0, first);
        let to = from + sum(first, first + count);
        let end_of = |n: usize| if n == 0 { 0 } else { u32_at(whole, ends + 4 * (n - 1)) as usize };
        let (byte, last) = (end_of(from), end_of(to));
        let size = HEADER + 4 * (count + to - from) + last - byte;
        if size > out.len() {
            return -(size as i64);
        }
        let header = [count, to - from, last - byte, 0].map(|word| (word as u32).to_le_bytes());
        out[..HEADER].copy_from_slice(header.as_flattened());
        let mut at = HEADER;
        out[at..at + 4 * count].copy_from_slice(&whole[counts + 4 * first..][..4 * count]);
        at += 4 * count;
        for n in from..to {
            let end = u32_at(whole, ends + 4 * n) - byte as u32;
            out[at..at + 4].copy_from_slice(&end.to_le_bytes());
            at += 4;
        }
        out[at..size].copy_from_slice(&whole[bytes + byte..bytes + last]);
        size as i64
    }
}

/// Whether the bytes are a column of at most so many events: lengths fit, counts add up, ends rise.
pub fn is_column(bytes: &[u8], events_max: usize) -> bool {
    if bytes.len() < HEADER || bytes.len() > COLUMN_MAX {
        return false;
    }
    let [events, values, data] = [0, 4, 8].map(|at| u32_at(bytes, at) as usize);
    let tables = HEADER as u64 + 4 * (events as u64 + values as u64);
    if events > events_max || tables + data as u64 != bytes.len() as u64 {
        return false;
    }
    let counts = (0..events).map(|n| u64::from(u32_at(bytes, HEADER + 4 * n)));
    if counts.sum::<u64>() != values as u64 {
        return false;
    }
    let ends = (0..values).map(|n| u32_at(bytes, HEADER + 4 * (events + n)) as usize);
    let mut last = 0;
    for end in ends {
        if end < last {
            return false;
        }
        last = end;
    }
    last == data
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Column {
        let mut column = Column::default();
        column.value(&[b"ab"]);
        column.end_event();
        column.end_event();
        column.value(&[b"c", b"d"]);
        column.value(&[]);
        column.end_event();
        column
    }

    fn written(column: &Column) -> Vec<u8> {
        let mut out = vec![0; column.size()];
        assert_eq!(column.write(&mut out), column.size() as i64);
        out
    }

    #[test]
    fn a_column_is_counts_ends_and_bytes() {
        let column = sample();
        assert_eq!((&column.counts[..], &column.ends[..]), (&[1, 0, 2][..], &[2, 4, 4][..]));
        assert_eq!(column.bytes, b"abcd");
        assert_eq!(column.write(&mut [0; 8]), -(column.size() as i64));
        assert!(is_column(&written(&column), 3));
        assert!(!is_column(&written(&column), 2));
    }

    #[test]
    fn a_part_of_a_column_is_one() {
        let whole = written(&sample());
        let mut out = vec![0; 64];
        let size = Column::write_part(&whole, 1, 9, &mut out) as usize;
        assert!(is_column(&out[..size], 2));
        assert_eq!(u32_at(&out, 16 + 4), 2);
        assert_eq!([u32_at(&out, 24), u32_at(&out, 28)], [2, 2]);
        assert_eq!(&out[32..size], b"cd");
        assert_eq!(Column::write_part(&whole, 0, 1, &mut out), 16 + 8 + 2);
        assert_eq!(Column::write_part(&whole, 7, 1, &mut out), 16);
    }

    #[test]
    fn lies_are_no_columns() {
        let good = written(&sample());
        for at in 0..16 + 24 {
            for byte in [1, 9, 255] {
                let mut bytes = good.clone();
                if at / 4 == 3 || bytes[at] == byte {
                    continue;
                }
                bytes[at] = byte;
                // Two ends may change and still rise.
                let is_end = (28..40).contains(&at);
                assert!(is_end || !is_column(&bytes, 3), "{at} {byte}");
            }
        }
        let mut falls = good.clone();
        falls[32] = 1;
        assert!(!is_column(&falls, 3));
        assert!(!is_column(&good[..good.len() - 1], 3));
        assert!(!is_column(&[], 3));
    }

    #[test]
    fn an_event_without_room_is_left_out() {
        let mut column = Column::default();
        column.value(&[&vec![0; COLUMN_MAX]]);
        assert!(column.end_event());
        assert_eq!((column.counts.len(), column.bytes.len()), (1, 0));
        column.value(&[&vec![0; COLUMN_MAX]]);
        assert!(!column.end_event());
        assert!(column.is_full());
        assert_eq!((column.counts.len(), column.bytes.len()), (1, 0));
    }
}
