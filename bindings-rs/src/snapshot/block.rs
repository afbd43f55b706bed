//! `.scap` blocks as bytes: a type, the length, the body, padding, the length again.

/// Block types (docs of the `.scap` format; the newest of each kind).
pub const MACHINE_INFO: u32 = 0x201;
pub const INTERFACE_LIST: u32 = 0x219;
pub const USER_LIST: u32 = 0x220;
pub const PROCESS_LIST: u32 = 0x215;
pub const FD_LIST: u32 = 0x218;

/// Strings longer than this make other readers of `.scap` files refuse the whole file.
pub const TEXT_MAX: usize = 1023;
/// The same for arguments, environment and cgroups.
pub const LIST_MAX: usize = 4096;

/// Begins, in the entry of a process, where it lives: marks, pid namespace, mount namespace.
pub const NAMESPACES_MARK: u32 = 0x4350_534e;

/// Writes whole blocks one after another.
#[derive(Default)]
pub struct Blocks {
    bytes: Vec<u8>,
    start: usize,
}

impl Blocks {
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens a block of the type; everything put until `end` is its body.
    pub fn begin(&mut self, block_type: u32) {
        self.start = self.bytes.len();
        self.bytes.u32(block_type);
        self.bytes.u32(0);
    }

    pub fn end(&mut self) {
        while !(self.bytes.len() - self.start).is_multiple_of(4) {
            self.bytes.push(0);
        }
        let length = (self.bytes.len() - self.start + 4) as u32;
        self.bytes.u32(length);
        self.bytes[self.start + 4..self.start + 8].copy_from_slice(&length.to_ne_bytes());
    }

    /// Where the body of the open block goes.
    pub fn body(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    pub fn append(&mut self, whole_blocks: &[u8]) {
        self.bytes.extend_from_slice(whole_blocks);
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Puts values in the order and width of the format, in this machine's byte order.
pub trait Put {
    fn u8(&mut self, value: u8);
    fn u16(&mut self, value: u16);
    fn u32(&mut self, value: u32);
    fn u64(&mut self, value: u64);
    fn i64(&mut self, value: i64);
    /// A u16 length and the bytes, without a NUL; cut at `max`.
    fn text(&mut self, bytes: &[u8], max: usize);
    /// Leaves room for a u32 length; returns where.
    fn open_length(&mut self) -> usize;
    /// Fills it: what was put since `open_length`, the four bytes themselves included.
    fn close_length(&mut self, at: usize);
}

impl Put for Vec<u8> {
    fn u8(&mut self, value: u8) {
        self.push(value);
    }

    fn u16(&mut self, value: u16) {
        self.extend_from_slice(&value.to_ne_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.extend_from_slice(&value.to_ne_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.extend_from_slice(&value.to_ne_bytes());
    }

    fn i64(&mut self, value: i64) {
        self.extend_from_slice(&value.to_ne_bytes());
    }

    fn text(&mut self, bytes: &[u8], max: usize) {
        let bytes = &bytes[..bytes.len().min(max)];
        self.u16(bytes.len() as u16);
        self.extend_from_slice(bytes);
    }

    fn open_length(&mut self) -> usize {
        let at = self.len();
        self.u32(0);
        at
    }

    fn close_length(&mut self, at: usize) {
        let length = (self.len() - at) as u32;
        self[at..at + 4].copy_from_slice(&length.to_ne_bytes());
    }
}
