//! One event block as the sieve over captures sees it: where its parameters are, its numbers, its
//! names. Nothing is trusted: what does not fit makes the block odd, and odd blocks are kept.
use probe::event::{BLOCK, OWN_PARAMS};
use probe::sieve::guard::{Params, number_of};

/// The block with u32 of flags behind the CPU.
const BLOCK_FLAGS: u32 = 0x217;
const OWN_TAIL_MARK: u32 = 0x4e57_4f53;
const OWN_TAIL_BYTES: usize = 8;
const HEADER: usize = 26;
/// Parameters that are looked at, ours not counted.
const PARAMS: usize = 32;

pub fn half(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
}

pub fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

pub fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from(word(bytes, at)) | u64::from(word(bytes, at + 4)) << 32
}

/// Commands of fcntl that copy a descriptor.
pub const F_DUPFD: u8 = 1;
pub const F_DUPFD_CLOEXEC: u8 = 26;

/// An event in its block.
pub struct Record<'a> {
    pub block: &'a [u8],
    pub code: usize,
    pub tid: i64,
    /// Parameters that the table gives the event, and where they start in the block.
    count: usize,
    starts: [u32; PARAMS + 1],
    /// The paths of our own drivers.
    pub own: [&'a [u8]; 2],
    pub has_own: bool,
}

impl<'a> Record<'a> {
    /// The event of a whole block; `counts`: parameters by code, 255 for codes to keep anyway.
    #[inline]
    pub fn read(block: &'a [u8], counts: &[u8]) -> Option<Record<'a>> {
        if block.len() < 12 + 2 + HEADER {
            return None;
        }
        let event = match word(block, 0) {
            BLOCK => 10,
            BLOCK_FLAGS => 14,
            _ => return None,
        };
        let body = block.len() - 4;
        if event + HEADER > body {
            return None;
        }
        let length = word(block, event + 16) as usize;
        let code = half(block, event + 20);
        let given = word(block, event + 22) as usize;
        let count = usize::from(*counts.get(code)?);
        let has_params = given == count + OWN_PARAMS;
        if count > PARAMS || (given != count && !has_params) || length > body - event {
            return None;
        }
        let end = event + length;
        let mut at = event + HEADER + 2 * given;
        if at > end {
            return None;
        }
        let mut starts = [0; PARAMS + 1];
        let lengths = event + HEADER;
        for (index, start) in starts[..count].iter_mut().enumerate() {
            *start = at as u32;
            at += half(block, lengths + 2 * index);
        }
        starts[count] = at as u32;
        if at > end {
            return None;
        }
        let mut record = Record {
            block,
            code,
            tid: long(block, event + 8) as i64,
            count,
            starts,
            own: [&[]; 2],
            has_own: has_params,
        };
        if has_params {
            let (one, other) =
                (half(block, lengths + 2 * count), half(block, lengths + 2 * count + 2));
            record.own =
                [name(block.get(at..at + one)?), name(block.get(at + one..at + one + other)?)];
        } else if body - end >= OWN_TAIL_BYTES + 9 && word(block, body - 4) == OWN_TAIL_MARK {
            let tail = body - OWN_TAIL_BYTES;
            let (one, other) = (half(block, tail), half(block, tail + 2));
            if end + one + other + 9 > tail {
                return None;
            }
            record.has_own = true;
            record.own = [name(&block[end..end + one]), name(&block[end + one..end + one + other])];
        }
        Some(record)
    }

    #[inline]
    pub fn start(&self, param: usize) -> usize {
        self.starts[param.min(self.count)] as usize
    }

    #[inline]
    pub fn length(&self, param: usize) -> usize {
        if param >= self.count { 0 } else { (self.starts[param + 1] - self.starts[param]) as usize }
    }

    /// The text of a parameter, its NUL left out.
    #[inline]
    pub fn text(&self, param: usize) -> &'a [u8] {
        name(&self.block[self.start(param)..self.start(param) + self.length(param)])
    }

    /// A descriptor's number; `None` where it is empty or short.
    #[inline]
    pub fn descriptor(&self, param: usize) -> Option<i32> {
        (self.length(param) >= 4).then(|| word(self.block, self.start(param)) as i32)
    }

    /// The command of fcntl; 0 where it is not told.
    pub fn command(&self) -> u8 {
        if self.length(2) == 0 { 0 } else { self.block[self.start(2)] }
    }

    /// What the call returned, where it is told in eight bytes.
    #[inline]
    pub fn result(&self) -> Option<i64> {
        (self.length(0) >= 8).then(|| long(self.block, self.start(0)) as i64)
    }
}

impl Params for Record<'_> {
    #[inline]
    fn number(&self, param: u8, form: u8) -> Option<(i64, bool)> {
        let param = usize::from(param);
        let (start, length) = (self.start(param), self.length(param));
        let load = || {
            let mut bytes = [0; 8];
            let part = &self.block[start..start + length.min(8)];
            bytes[..part.len()].copy_from_slice(part);
            u64::from_le_bytes(bytes)
        };
        number_of(length, form, load)
    }
}

fn name(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(&[0]).unwrap_or(bytes)
}
