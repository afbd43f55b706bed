//! The walk over the bytes of a name, in BPF and over captures alike: no allocation, every index
//! masked with a constant.
//!
//! Shapes that the verifiers of 6.1 and 6.18 took: a plain loop over bytes or over strides of eight
//! with a constant bound of 4,096 bytes, and `bpf_loop` with a stride a call. The state is a `u32`,
//! the row comes from `+` and not from `|`, the mask comes last, and there is no branch on whether
//! a state has marks: keep it so.

/// Bounds of the tables in maps: check `fits` before a table is loaded, since an index beyond them
/// would be masked to another state in silence.
pub const STATES: usize = 1 << 14;
pub const CELLS: usize = 1 << 20;
/// Bytes that `Walk::stride` takes.
pub const STRIDE: usize = 8;
/// Longest name that is walked: a longer one is kept.
pub const NAME_BYTES: usize = 4096;

/// The bit of a text that has to be folded first (`//`, `/./`, `/../`, a slash at its end), so that
/// the walk did not see what the fields will show: it is kept.
pub const IRREGULAR: u64 = 1 << 63;

/// One value of an ARRAY map, 2.3 MiB.
#[repr(C)]
pub struct Names {
    pub states: u32,
    pub classes: u32,
    /// A state's row in `next` begins at `state << shift`.
    pub shift: u32,
    pub pad: u32,
    /// Marks that are asked of the joined path, and of the path as the caller gave it.
    pub joined: u64,
    pub raw: u64,
    /// The class of each byte; that of NUL leads each state to itself.
    pub class: [u8; 256],
    /// Groups that hold from here on, whatever follows.
    pub marks: [u64; STATES],
    /// Groups that hold if the text ends here.
    pub ends: [u64; STATES],
    pub next: [u16; CELLS],
}

/// Whether a table of this size can be loaded.
pub const fn fits(states: usize, shift: u32) -> bool {
    states > 0 && states <= STATES && shift <= 8 && states << shift <= CELLS
}

/// Where a walk is. The walk of a name below a directory goes on from a copy of the directory's,
/// after a slash.
#[repr(C)]
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Walk {
    pub state: u32,
    pub shift: u32,
    pub found: u64,
}

impl Walk {
    /// State 0 is the start.
    #[inline(always)]
    pub fn begin(names: &Names) -> Walk {
        Walk { state: 0, shift: names.shift & 15, found: 0 }
    }

    #[inline(always)]
    pub fn byte(&mut self, names: &Names, byte: u8) {
        let row = (self.state as usize) << self.shift;
        let cell = row + usize::from(names.class[usize::from(byte)]);
        self.state = u32::from(names.next[cell & (CELLS - 1)]);
        self.found |= names.marks[self.state as usize & (STATES - 1)];
    }

    /// The next eight bytes; NULs change nothing.
    #[inline(always)]
    pub fn stride(&mut self, names: &Names, mut bytes: u64) {
        for _ in 0..STRIDE {
            self.byte(names, bytes as u8);
            bytes >>= 8;
        }
    }

    /// The next `left` bytes of eight, all of them where `left` is more: what lies behind a name
    /// in memory may be anything.
    #[inline(always)]
    pub fn last_stride(&mut self, names: &Names, bytes: u64, left: usize) {
        let bits = (left as u32 & 7) * 8;
        let mask = if left >= STRIDE { u64::MAX } else { (1 << bits) - 1 };
        self.stride(names, bytes & mask);
    }

    /// The marks of the text that ends here; all of them where it is irregular.
    #[inline(always)]
    pub fn end(&self, names: &Names) -> u64 {
        let found = self.found | names.ends[self.state as usize & (STATES - 1)];
        if found & IRREGULAR != 0 { u64::MAX } else { found }
    }
}
