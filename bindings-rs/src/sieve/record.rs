//! One event block as the sieve over captures sees it: where its parameters are, its numbers, its
//! names. Nothing is trusted: what does not fit makes the block odd, and odd blocks are kept.
use probe::event::BLOCK;
use probe::sieve::guard::{Params, number_of};

/// The block with u32 of flags behind the CPU.
const BLOCK_FLAGS: u32 = 0x217;
/// Zeros behind an event, at the most.
const PADDING: usize = 3;
const HEADER: usize = 26;
/// Parameters that are looked at, ours not counted.
const PARAMS: usize = 32;
/// Most events have no more parameters.
const EIGHT: usize = 8;

#[inline]
fn part<const LENGTH: usize>(bytes: &[u8], at: usize) -> [u8; LENGTH] {
    let mut part = [0; LENGTH];
    part.copy_from_slice(&bytes[at..at + LENGTH]);
    part
}

#[inline]
pub fn half(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes(part(bytes, at)))
}

#[inline]
pub fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(part(bytes, at))
}

#[inline]
pub fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(part(bytes, at))
}

/// Makes a block's event another thread's.
pub fn set_tid(block: &mut [u8], tid: i64) {
    let event = if word(block, 0) == BLOCK_FLAGS { 14 } else { 10 };
    block[event + 8..event + 16].copy_from_slice(&tid.to_le_bytes());
}

/// Commands of fcntl that copy a descriptor.
pub const F_DUPFD: u8 = 1;
pub const F_DUPFD_CLOEXEC: u8 = 26;

/// An event in its block.
pub struct Record<'a> {
    pub block: &'a [u8],
    pub code: usize,
    pub tid: i64,
    /// Parameters that the table gives the event; where each begins in the block, and where the
    /// last one ends.
    count: usize,
    starts: [u32; PARAMS + 1],
    /// For which parts of rules its thread may be (src/sieve/thread_parts.ts).
    pub facts: u64,
    /// For which its parent may be, where that is asked for and known.
    pub parent_facts: u64,
}

impl<'a> Record<'a> {
    /// The event of a whole block; `counts`: parameters by code. `None` for what is no event, for
    /// one that is not sound, and for events of our own drivers: those carry what the kernel knows
    /// of paths and descriptors, behind the event or as more parameters, and were chosen already.
    pub fn read(block: &'a [u8], counts: &[u8]) -> Option<Record<'a>> {
        let mut record = Record::nothing();
        record.take(block, counts)?;
        Some(record)
    }

    /// No event: to be filled by `take`, which leaves all of it where it is.
    pub fn nothing() -> Record<'a> {
        let (facts, parent_facts, starts) = (u64::MAX, u64::MAX, [0; PARAMS + 1]);
        Record { block: &[], code: 0, tid: 0, count: 0, starts, facts, parent_facts }
    }

    /// As `read`, in place of what was; of no use after `None`.
    #[inline]
    pub fn take(&mut self, block: &'a [u8], counts: &[u8]) -> Option<()> {
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
        let count = usize::from(*counts.get(code)?);
        if count > PARAMS
            || word(block, event + 22) as usize != count
            || length > body - event
            || body - event - length > PADDING
        {
            return None;
        }
        let end = event + length;
        let lengths = event + HEADER;
        let data = lengths + 2 * count;
        if data > end {
            return None;
        }
        let mut next = data as u32;
        if count <= EIGHT
            && let Some(eight) = block.get(lengths..).and_then(<[u8]>::first_chunk::<{ 2 * EIGHT }>)
        {
            // All eight, without a branch for each: what lies behind the last one is not asked for.
            self.starts[0] = next;
            for (at, bytes) in eight.as_chunks::<2>().0.iter().enumerate() {
                next = next.wrapping_add(u32::from(u16::from_le_bytes(*bytes)));
                self.starts[at + 1] = next;
            }
            next = self.starts[count];
        } else {
            for (start, bytes) in self.starts.iter_mut().zip(block[lengths..data].chunks_exact(2)) {
                *start = next;
                next += half(bytes, 0) as u32;
            }
            self.starts[count] = next;
        }
        if next as usize > end {
            return None;
        }
        self.tid = long(block, event + 8) as i64;
        (self.block, self.code, self.count) = (block, code, count);
        (self.facts, self.parent_facts) = (u64::MAX, u64::MAX);
        Some(())
    }

    /// Bytes of an event's header: behind it stand the lengths of its parameters.
    pub const HEADER: usize = HEADER;

    /// Where the event begins in its block, and where it ends.
    pub fn bounds(&self) -> (usize, usize) {
        let event = if word(self.block, 0) == BLOCK_FLAGS { 14 } else { 10 };
        (event, event + word(self.block, event + 16) as usize)
    }

    /// A parameter as it is.
    #[inline]
    pub fn bytes(&self, param: usize) -> &'a [u8] {
        let start = self.start(param);
        &self.block[start..start + self.length(param)]
    }

    /// Where a parameter begins in the block; where all end, for one that the table does not give.
    #[inline]
    pub fn start(&self, param: usize) -> usize {
        self.starts[param.min(self.count)] as usize
    }

    #[inline]
    pub fn length(&self, param: usize) -> usize {
        self.start(param + 1) - self.start(param)
    }

    /// The text of a parameter, its NUL left out.
    #[inline]
    pub fn text(&self, param: usize) -> &'a [u8] {
        name(self.bytes(param))
    }

    /// Bytes that `put` adds.
    pub fn told_bytes(&self, params: &[usize]) -> usize {
        params.iter().map(|param| 4 + self.length(*param)).sum()
    }

    /// Puts parameters behind a text, each behind its length: others make another text.
    pub fn put(&self, params: &[usize], text: &mut Vec<u8>) {
        for param in params {
            let bytes = self.bytes(*param);
            text.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            text.extend_from_slice(bytes);
        }
    }

    /// Whether that is what `put` makes of them, which is not put together for it.
    pub fn tells(&self, params: &[usize], text: &[u8]) -> bool {
        let rest = params.iter().try_fold(text, |text, param| {
            let bytes = self.bytes(*param);
            text.strip_prefix(&(bytes.len() as u32).to_le_bytes())?.strip_prefix(bytes)
        });
        rest.is_some_and(<[u8]>::is_empty)
    }

    /// A descriptor's number; `None` where it is empty or short.
    #[inline]
    pub fn descriptor(&self, param: usize) -> Option<i32> {
        (self.length(param) >= 4).then(|| word(self.block, self.start(param)) as i32)
    }

    /// A parameter of eight bytes.
    #[inline]
    pub fn long(&self, param: usize) -> i64 {
        long(self.block, self.start(param)) as i64
    }

    /// The id of a thread; `None` where it is empty or of an odd length.
    #[inline]
    pub fn pid(&self, param: usize) -> Option<i64> {
        match self.length(param) {
            8 => Some(self.long(param)),
            4 => Some(i64::from(word(self.block, self.start(param)) as i32)),
            _ => None,
        }
    }

    /// When it was, ns since the epoch.
    #[inline]
    pub fn ns(&self) -> u64 {
        long(self.block, self.bounds().0)
    }

    /// The command of fcntl; 0 where it is not told.
    #[inline]
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
            // Only as much is looked at as the parameter has, and most blocks go on behind it.
            if let Some(bytes) = self.block.get(start..start + 8) {
                return long(bytes, 0);
            }
            let mut bytes = [0; 8];
            let part = &self.block[start..start + length.min(8)];
            bytes[..part.len()].copy_from_slice(part);
            u64::from_le_bytes(bytes)
        };
        number_of(length, form, load)
    }
}

#[inline]
fn name(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(&[0]).unwrap_or(bytes)
}
