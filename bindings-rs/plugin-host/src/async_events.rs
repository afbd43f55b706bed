//! Asynchronous events: what a plugin sends from any of its threads is checked, and waits here
//! until the owner's source takes it, as blocks of a capture. In: events in the interface's layout.
//! Out: .scap blocks with a time and the id of the source that they are put into.
use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use crate::abi::{EVENT_ASYNC, Event};

/// Events and bytes that wait at the most; what comes then is refused and counted.
const EVENTS_MAX: usize = 4096;
const BYTES_MAX: usize = 16 << 20;
/// Of one event.
const EVENT_MAX: usize = 1 << 20;
/// A time further ahead than this is nobody's, as in Falco.
const AHEAD_NS: u64 = 10_000_000_000;

const HEADER: usize = size_of::<Event>();
const PARAMS: usize = 3;
const ID_AT: usize = HEADER + 4 * PARAMS;
const NAME_AT: usize = ID_AT + 4;
const TID_AT: usize = 8;
/// `EVF` with lengths of four bytes; type, length and CPU stand before the event, the length and
/// padding behind it.
const BLOCK_LARGE: u32 = 0x221;
const FRAME: usize = 10;

#[derive(Default)]
struct Queue {
    events: VecDeque<Box<[u8]>>,
    bytes: usize,
}

/// What happened so far; each rises only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AsyncCounts {
    pub taken: u64,
    /// The queue was full, or the source could not hold them.
    pub dropped: u64,
    /// They were no asynchronous events of this plugin.
    pub refused: u64,
}

#[derive(Default)]
pub struct AsyncEvents {
    names: RwLock<HashSet<Vec<u8>>>,
    /// Whether a source is open that they can be put into; a thread may be named by its events.
    open: AtomicBool,
    of_system_calls: AtomicBool,
    queue: Mutex<Queue>,
    /// Counts what was taken from the plugin, for who looks from another process.
    counter: OnceLock<&'static AtomicU64>,
    taken: AtomicU64,
    dropped: AtomicU64,
    refused: AtomicU64,
}

impl AsyncEvents {
    /// The names that the plugin's events may have.
    pub fn name(&self, names: impl IntoIterator<Item = String>) {
        let names = names.into_iter().map(String::into_bytes).collect();
        *self.names.write().unwrap_or_else(PoisonError::into_inner) = names;
    }

    /// From now on events are taken, for this kind of source.
    pub fn begin(&self, of_system_calls: bool) {
        self.of_system_calls.store(of_system_calls, Ordering::Relaxed);
        self.open.store(true, Ordering::Release);
    }

    /// None are taken any more; those that wait can still be taken.
    pub fn end(&self) {
        self.open.store(false, Ordering::Release);
    }

    pub fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    pub fn counts(&self) -> AsyncCounts {
        AsyncCounts {
            taken: self.taken.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    /// Takes an event from a plugin's thread; why not, where it is refused.
    ///
    /// # Safety
    /// The event's bytes are there as its own length says.
    pub unsafe fn offer(&self, event: *const Event) -> Result<(), String> {
        // SAFETY: as above.
        let taken = unsafe { self.checked(event) };
        let event = taken.inspect_err(|_| {
            self.refused.fetch_add(1, Ordering::Relaxed);
        })?;
        if !self.is_open() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return Err("asynchronous event sent while no source is open".into());
        }
        let mut queue = self.queue();
        if queue.events.len() >= EVENTS_MAX || queue.bytes + event.len() > BYTES_MAX {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return Err("the queue of asynchronous events is full".into());
        }
        queue.bytes += event.len();
        queue.events.push_back(event);
        drop(queue);
        if let Some(counter) = self.counter.get() {
            counter.fetch_add(1, Ordering::Release);
        }
        Ok(())
    }

    /// From now on each event that is taken is counted there.
    pub fn count(&self, counter: &'static AtomicU64) {
        let _ = self.counter.set(counter);
    }

    pub fn is_empty(&self) -> bool {
        self.queue().events.is_empty()
    }

    /// The event's bytes, if it is an asynchronous one with a name of this plugin.
    ///
    /// # Safety
    /// As `offer`.
    pub unsafe fn checked(&self, event: *const Event) -> Result<Box<[u8]>, String> {
        if event.is_null() {
            return Err("asynchronous event without an event".into());
        }
        // SAFETY: the caller's event has its header.
        let Event { len, kind, nparams, .. } = unsafe { event.read_unaligned() };
        let length = len as usize;
        if kind != EVENT_ASYNC || nparams as usize != PARAMS {
            return Err(format!(
                "malformed asynchronous event: type {kind} with {nparams} parameters, expected \
                 type {EVENT_ASYNC} with {PARAMS}"
            ));
        }
        if !(NAME_AT..=EVENT_MAX).contains(&length) {
            return Err(format!(
                "malformed asynchronous event: {length} bytes, expected {NAME_AT} to {EVENT_MAX}"
            ));
        }
        // SAFETY: the caller's event has the bytes of its length.
        let bytes: Box<[u8]> =
            unsafe { std::slice::from_raw_parts(event.cast::<u8>(), length) }.into();
        let lengths: Vec<u64> =
            (0..PARAMS).map(|at| u64::from(word(&bytes, HEADER + 4 * at))).collect();
        if lengths[0] != 4 || lengths.iter().sum::<u64>() + ID_AT as u64 != length as u64 {
            return Err("malformed asynchronous event: lengths that do not add up".into());
        }
        let name = &bytes[NAME_AT..NAME_AT + lengths[1] as usize];
        let Some((0, name)) = name.split_last() else {
            return Err("malformed asynchronous event: its name does not end".into());
        };
        if !self.names.read().unwrap_or_else(PoisonError::into_inner).contains(name) {
            let name = String::from_utf8_lossy(name);
            return Err(format!("asynchronous event '{name}' is none that the plugin names"));
        }
        let nobody = bytes[TID_AT..TID_AT + 8] == [0xff; 8];
        if !nobody && !self.of_system_calls.load(Ordering::Relaxed) {
            return Err("asynchronous event of a thread in a source without threads".into());
        }
        Ok(bytes)
    }

    /// Writes blocks of waiting events, as many as fit, for a source of this id (0: system calls);
    /// returns their bytes.
    pub fn take(&self, out: &mut [u8], now_ns: u64, source_id: u32) -> usize {
        let mut at = 0;
        let mut queue = self.queue();
        while let Some(event) = queue.events.front() {
            let size = block_size(event.len());
            let is_ahead = time_of(event).is_some_and(|time| time > now_ns + AHEAD_NS);
            let never_fits = size > out.len();
            if at + size > out.len() && !never_fits && !is_ahead {
                break;
            }
            let Some(event) = queue.events.pop_front() else { break };
            queue.bytes -= event.len();
            if is_ahead || never_fits {
                self.dropped.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            write_block(&mut out[at..at + size], &event, now_ns, source_id);
            at += size;
            self.taken.fetch_add(1, Ordering::Relaxed);
        }
        at
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes of the block of an event of so many.
pub fn block_size(event: usize) -> usize {
    ((FRAME + event + 3) & !3) + 4
}

/// Puts the frame of a block around an event, and time and id into it.
pub fn write_block(out: &mut [u8], event: &[u8], now_ns: u64, source_id: u32) {
    let size = out.len();
    out[..4].copy_from_slice(&BLOCK_LARGE.to_le_bytes());
    out[4..8].copy_from_slice(&(size as u32).to_le_bytes());
    out[8..FRAME].fill(0);
    out[FRAME..FRAME + event.len()].copy_from_slice(event);
    if time_of(event).is_none() {
        out[FRAME..FRAME + 8].copy_from_slice(&now_ns.to_le_bytes());
    }
    out[FRAME + ID_AT..FRAME + NAME_AT].copy_from_slice(&source_id.to_le_bytes());
    out[FRAME + event.len()..size - 4].fill(0);
    out[size - 4..].copy_from_slice(&(size as u32).to_le_bytes());
}

/// None: the owner gives one.
fn time_of(event: &[u8]) -> Option<u64> {
    let time = event[..8].iter().rev().fold(0, |time, &byte| (time << 8) | u64::from(byte));
    (time != u64::MAX).then_some(time)
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().rev().fold(0, |word, &byte| (word << 8) | u32::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, data: &[u8], ts: u64, tid: u64) -> Vec<u8> {
        let lengths = [4, name.len() as u32 + 1, data.len() as u32];
        let mut bytes = Vec::new();
        bytes.extend(ts.to_le_bytes());
        bytes.extend(tid.to_le_bytes());
        bytes.extend((HEADER as u32 + 12 + lengths.iter().sum::<u32>()).to_le_bytes());
        bytes.extend(EVENT_ASYNC.to_le_bytes());
        bytes.extend(3u32.to_le_bytes());
        bytes.extend(lengths.iter().flat_map(|length| length.to_le_bytes()));
        bytes.extend(0u32.to_le_bytes());
        bytes.extend(name.as_bytes());
        bytes.push(0);
        bytes.extend(data);
        bytes
    }

    fn offer(events: &AsyncEvents, bytes: &[u8]) -> Result<(), String> {
        // SAFETY: the bytes are as long as they say, or are refused before that is looked at.
        unsafe { events.offer(bytes.as_ptr().cast()) }
    }

    fn open() -> AsyncEvents {
        let events = AsyncEvents::default();
        events.name(["tick".to_string()]);
        events.begin(false);
        events
    }

    #[test]
    fn an_event_comes_out_as_a_block_with_time_and_source() {
        let events = open();
        offer(&events, &event("tick", b"abc", u64::MAX, u64::MAX)).unwrap();
        offer(&events, &event("tick", b"", 7, u64::MAX)).unwrap();
        let mut out = [0xee; 256];
        let length = events.take(&mut out, 1_000, 999);
        let first = block_size(event("tick", b"abc", 0, 0).len());
        assert_eq!(length, first + block_size(event("tick", b"", 0, 0).len()));
        assert_eq!(word(&out, 0), BLOCK_LARGE);
        assert_eq!((word(&out, 4) as usize, word(&out, first - 4) as usize), (first, first));
        assert_eq!(time_of(&out[FRAME..]), Some(1_000));
        assert_eq!(time_of(&out[first + FRAME..]), Some(7));
        assert_eq!(word(&out, FRAME + ID_AT), 999);
        assert_eq!(events.take(&mut out, 1_000, 999), 0);
        assert_eq!(events.counts(), AsyncCounts { taken: 2, dropped: 0, refused: 0 });
    }

    #[test]
    fn what_is_no_event_of_the_plugin_is_refused_with_a_reason() {
        let events = open();
        let good = event("tick", b"abc", 0, u64::MAX);
        let with = |at: usize, bytes: &[u8]| {
            let mut bad = good.clone();
            bad[at..at + bytes.len()].copy_from_slice(bytes);
            offer(&events, &bad).unwrap_err()
        };
        assert!(with(20, &322u16.to_le_bytes()).contains("type 322"));
        assert!(with(22, &9u32.to_le_bytes()).contains("9 parameters"));
        assert!(with(16, &8u32.to_le_bytes()).contains("8 bytes"));
        assert!(with(16, &u32::MAX.to_le_bytes()).contains("4294967295 bytes"));
        assert!(with(HEADER + 4, &u32::MAX.to_le_bytes()).contains("add up"));
        assert!(with(HEADER, &5u32.to_le_bytes()).contains("add up"));
        assert!(with(NAME_AT, b"tock").contains("'tock'"));
        assert!(with(NAME_AT + 4, b"x").contains("does not end"));
        assert!(with(TID_AT, &5u64.to_le_bytes()).contains("without threads"));
        assert_eq!(events.counts().refused, 9);
        // SAFETY: NULL is looked at before anything else.
        assert!(unsafe { events.offer(std::ptr::null()) }.is_err());
    }

    #[test]
    fn events_of_threads_are_taken_among_system_calls() {
        let events = AsyncEvents::default();
        events.name(["tick".to_string()]);
        events.begin(true);
        offer(&events, &event("tick", b"", 0, 5)).unwrap();
    }

    #[test]
    fn the_queue_is_bounded_and_counts_what_it_drops() {
        let events = open();
        let one = event("tick", b"", 0, u64::MAX);
        for _ in 0..EVENTS_MAX {
            offer(&events, &one).unwrap();
        }
        assert!(offer(&events, &one).unwrap_err().contains("full"));
        // A little room takes a few, the rest waits.
        let mut out = vec![0; 3 * block_size(one.len())];
        assert_eq!(events.take(&mut out, 1, 0), out.len());
        offer(&events, &one).unwrap();
        // What can never fit does not hold up the others.
        assert_eq!(events.take(&mut out[..8], 1, 0), 0);
        assert_eq!(events.counts().dropped, 1 + (EVENTS_MAX as u64 - 2));
    }

    #[test]
    fn times_far_ahead_and_closed_sources_are_counted() {
        let events = open();
        offer(&events, &event("tick", b"", AHEAD_NS + 6, u64::MAX)).unwrap();
        assert_eq!(events.take(&mut [0; 256], 5, 0), 0);
        events.end();
        let late = offer(&events, &event("tick", b"", 0, u64::MAX)).unwrap_err();
        assert!(late.contains("no source is open"));
        assert_eq!(events.counts(), AsyncCounts { taken: 0, dropped: 2, refused: 0 });
    }
}
