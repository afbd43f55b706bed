//! What crosses between saker and the process of a plugin: messages of sixteen numbers over a
//! socket, and one piece of memory that both map, for all that is larger. In: an area's name; out:
//! its bytes. Saker copies what it reads out before it looks at it: the other side may change it.
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::extraction::Asked;
use crate::said::for_plugin;

/// Numbers of one message: what is asked or how it went, then what the question says.
pub const WORDS: usize = 8 + 3 * WATCHED_MAX;
pub type Message = [u64; WORDS];
/// Columns that come with each batch unasked.
pub const WATCHED_MAX: usize = 64;

pub const LOAD: u64 = 1;
pub const INIT: u64 = 2;
pub const OPEN: u64 = 3;
pub const NEXT: u64 = 4;
pub const COLUMN: u64 = 5;
pub const EVENT_TEXT: u64 = 6;
pub const PROGRESS: u64 = 7;
pub const SET_CONFIG: u64 = 8;
pub const METRICS: u64 = 9;
pub const OPEN_PARAMS: u64 = 10;
pub const EVENT_TYPES: u64 = 11;
pub const BEGIN_ASYNC: u64 = 12;
pub const TAKE_ASYNC: u64 = 13;
pub const END_ASYNC: u64 = 14;
pub const DUMP: u64 = 15;
pub const CAPTURE_OPEN: u64 = 16;
pub const CAPTURE_CLOSE: u64 = 17;
pub const BEFORE: u64 = 18;

/// Answers: the second number of one.
pub const DONE: u64 = 0;
pub const REFUSED: u64 = 1;
pub const NOTHING: u64 = 2;
pub const ENDED: u64 = 3;

/// Parts of the memory: where each begins, and its bytes. Only pages that are used cost any.
#[derive(Clone, Copy)]
pub struct Area(pub usize, pub usize);

const MB: usize = 1 << 20;
pub const BATCHES: [Area; 2] = [Area(0, 4 * MB), Area(4 * MB, 4 * MB)];
pub const COLUMNS: [Area; 2] = [Area(8 * MB, 8 * MB), Area(16 * MB, 8 * MB)];
/// Texts of questions, and events of other sources.
pub const ASKED: Area = Area(24 * MB, 4 * MB);
pub const LENT: Area = Area(28 * MB, 36 * MB);
/// Texts and columns of answers.
pub const ANSWER: Area = Area(64 * MB, 17 * MB);
/// One number: 0, or which event of a batch the plugin is asked for values of.
const ASKING: usize = 81 * MB;
/// One number: how many asynchronous events the plugin has sent.
const SENT: usize = ASKING + 64;
pub const TOTAL: usize = 81 * MB + 4096;
/// The memory's place among the lists of events: two batches, and what is lent.
pub const LENT_LIST: usize = 2;

/// The memory, mapped.
pub struct Shared(*mut u8);

// SAFETY: a place in memory that stays until it is dropped; who reads it copies.
unsafe impl Send for Shared {}

impl Shared {
    pub fn map(memory: BorrowedFd<'_>) -> io::Result<Self> {
        let (flags, rights) = (libc::MAP_SHARED, libc::PROT_READ | libc::PROT_WRITE);
        // SAFETY: a new mapping of a descriptor that is open.
        let at = unsafe { libc::mmap(null_mut(), TOTAL, rights, flags, memory.as_raw_fd(), 0) };
        if at == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(Self(at.cast())) }
    }

    /// Copies to an area; false where there is no room.
    pub fn put(&self, area: Area, bytes: &[u8]) -> bool {
        if bytes.len() > area.1 {
            return false;
        }
        // SAFETY: within the mapping, as `Area`s are.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.0.add(area.0), bytes.len()) };
        true
    }

    /// Copies some bytes of an area out; None where it has not so many.
    pub fn take(&self, area: Area, from: usize, to: &mut [u8]) -> Option<()> {
        if from.checked_add(to.len()).is_none_or(|end| end > area.1) {
            return None;
        }
        // SAFETY: within the mapping, as checked.
        unsafe {
            std::ptr::copy_nonoverlapping(self.0.add(area.0 + from), to.as_mut_ptr(), to.len());
        }
        Some(())
    }

    fn asking(&self) -> &AtomicU64 {
        // SAFETY: within the mapping, and aligned; both sides use it as an atomic alone.
        unsafe { AtomicU64::from_ptr(self.0.add(ASKING).cast()) }
    }

    /// The plugin is asked for values of this event of a batch (from 1), or of none (0).
    pub fn set_asking(&self, event: u64) {
        self.asking().store(event, Ordering::Relaxed);
    }

    pub fn asked_now(&self) -> u64 {
        self.asking().load(Ordering::Relaxed)
    }

    fn counter_of_sent(&self) -> &AtomicU64 {
        // SAFETY: as in `asking`.
        unsafe { AtomicU64::from_ptr(self.0.add(SENT).cast()) }
    }

    /// Asynchronous events that its process has sent so far.
    pub fn sent(&self) -> u64 {
        self.counter_of_sent().load(Ordering::Acquire)
    }

    /// The same, to be counted by the side that sends.
    ///
    /// # Safety
    /// The memory stays mapped for as long as the counter is used.
    pub unsafe fn count_sent(&self) -> &'static AtomicU64 {
        // SAFETY: as the caller says.
        unsafe { &*std::ptr::from_ref(self.counter_of_sent()) }
    }

    pub fn text(&self, area: Area, length: u64) -> Option<String> {
        let mut bytes = vec![0; usize::try_from(length).ok().filter(|length| *length <= area.1)?];
        self.take(area, 0, &mut bytes)?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// An area as bytes, for the side that is trusted by the other.
    ///
    /// # Safety
    /// Nobody else has it as bytes, and the other side does not write to it meanwhile.
    #[allow(clippy::mut_from_ref, reason = "it is memory of another process")]
    pub unsafe fn bytes(&self, area: Area) -> &mut [u8] {
        // SAFETY: within the mapping; the rest as the caller says.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(area.0), area.1) }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: what `map` made, which nobody uses any more.
        unsafe { libc::munmap(self.0.cast(), TOTAL) };
    }
}

/// What is to be asked of events, as text.
pub fn asked_text(asked: &[&Asked]) -> String {
    let one = |asked: &&Asked| {
        let key = asked.key.as_ref().map(|key| key.to_string_lossy().into_owned());
        json!([asked.field, key, asked.index])
    };
    Value::Array(asked.iter().map(one).collect()).to_string()
}

pub fn asked_of(text: &str) -> Vec<Asked> {
    let Ok(Value::Array(items)) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    let one = |item: &Value| Asked {
        field: item[0].as_u64().unwrap_or(u64::MAX) as u32,
        key: item[1].as_str().map(for_plugin),
        index: item[2].as_u64(),
    };
    items.iter().map(one).collect()
}

pub fn send(socket: BorrowedFd<'_>, message: &Message) -> io::Result<()> {
    let flags = libc::MSG_NOSIGNAL;
    // SAFETY: a descriptor that is open, and as many bytes as are said.
    let sent = unsafe {
        libc::send(socket.as_raw_fd(), message.as_ptr().cast(), size_of::<Message>(), flags)
    };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The next message; None where there is none now. The other side's end is an error.
pub fn receive(socket: BorrowedFd<'_>, waits: bool) -> io::Result<Option<Message>> {
    let mut message: Message = [0; WORDS];
    let flags = if waits { 0 } else { libc::MSG_DONTWAIT };
    loop {
        // SAFETY: a descriptor that is open, and room for as many bytes as are said.
        let got = unsafe {
            let room = message.as_mut_ptr().cast();
            libc::recv(socket.as_raw_fd(), room, size_of::<Message>(), flags)
        };
        if got == size_of::<Message>() as isize {
            return Ok(Some(message));
        }
        if got >= 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let error = io::Error::last_os_error();
        match error.kind() {
            io::ErrorKind::WouldBlock => return Ok(None),
            io::ErrorKind::Interrupted => {}
            _ => return Err(error),
        }
    }
}
