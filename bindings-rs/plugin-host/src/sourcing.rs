//! Batches of a plugin's source: what `next_batch` answers comes in; events that are what they say
//! of themselves go out, with a time and the plugin's id.
use std::ptr::null_mut;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::abi::{EOF, Event, SUCCESS, TIMEOUT};
use crate::blocks::{
    EVENT_MAX, HEADER, PLUGIN_DATA, block_bytes, is_large, is_plugin_event, kind_of, u32_at,
    write_block,
};
use crate::instance::{Batch, Instance};
use crate::record::add;

/// Events of one batch.
pub const BATCH_MAX: usize = 1 << 16;
const ID_AT: usize = HEADER + 8;

/// Events that were put into a buffer: their first place in the batch, how many, their bytes.
pub struct Filled {
    pub first: usize,
    pub events: usize,
    pub bytes: usize,
}

impl Instance {
    /// Asks for events. Those of the batch before are gone then.
    pub fn next_batch(&mut self) -> Batch {
        match self.ask_batch() {
            // Falco asks again at once. Plugins of its Go kit build on that: where a pause was
            // longer than their own time limit, its end stands in a queue and is all they give.
            Batch::Nothing => self.ask_batch(),
            other => other,
        }
    }

    fn ask_batch(&mut self) -> Batch {
        self.batch.clear();
        if let Some(after) = self.after.take() {
            return after;
        }
        let Some(next) = self.library.functions.next_batch.filter(|_| self.is_open()) else {
            return Batch::Failed("the source is not open".into());
        };
        let mut count = 0;
        let mut events: *mut *mut Event = null_mut();
        // SAFETY: the plugin's own state and handle, and two places of ours to write to.
        let rc = unsafe { next(self.plugin, self.handle, &raw mut count, &raw mut events) };
        let outcome = match rc {
            SUCCESS => Batch::Events,
            TIMEOUT => Batch::Nothing,
            EOF => Batch::End,
            _ => Batch::Failed(self.last_error()),
        };
        if count == 0 && outcome == Batch::Events {
            let name = &self.info.name;
            return Batch::Failed(format!("unexpected 0 size event returned by plugin {name}"));
        }
        // SAFETY: the array has as many elements as the plugin says.
        if let Err(wrong) = unsafe { self.take(events, count as usize) } {
            self.after = Some(Batch::Failed(wrong));
        } else if outcome != Batch::Events {
            self.after = Some(outcome);
        }
        if self.batch.is_empty() {
            return self.after.take().unwrap_or(Batch::Nothing);
        }
        Batch::Events
    }

    /// Takes the events up to the first that is none.
    ///
    /// # Safety
    /// `events` are `count` pointers to events, or NULL.
    unsafe fn take(&mut self, events: *mut *mut Event, count: usize) -> Result<(), String> {
        if count > 0 && events.is_null() {
            return Err(format!("{count} events of next_batch are nowhere (NULL)"));
        }
        if count > BATCH_MAX {
            return Err(format!("next_batch gave {count} events, {BATCH_MAX} at the most"));
        }
        let mut now = None;
        for place in 0..count {
            // SAFETY: as the caller says; `stamp` looks at no more than the event says it has.
            unsafe {
                let event = events.add(place).read();
                self.stamp(event, &mut now)?;
                self.batch.push(event);
            }
        }
        Ok(())
    }

    /// Holds an event against what it says of itself, and gives it a time and the plugin's id.
    ///
    /// # Safety
    /// `event` is NULL or points to an event.
    unsafe fn stamp(&self, event: *mut Event, now: &mut Option<u64>) -> Result<(), String> {
        let name = &self.info.name;
        if event.is_null() {
            return Err(format!("an event of plugin '{name}' is nowhere (NULL)"));
        }
        // SAFETY: as the caller says.
        let length = unsafe { (*event).len } as usize;
        if !(HEADER..=EVENT_MAX).contains(&length) {
            return Err(format!(
                "an event of plugin '{name}' has {length} bytes, {HEADER} to {EVENT_MAX} may be"
            ));
        }
        // SAFETY: as the caller says; it has as many bytes as it says, and is ours to change.
        let bytes = unsafe { std::slice::from_raw_parts_mut(event.cast::<u8>(), length) };
        let is_plugins = is_plugin_event(bytes);
        let may_be_other = self.info.id == 0 && kind_of(bytes) != crate::abi::EVENT_PLUGIN;
        let is_sound = is_plugins || (may_be_other && is_large(bytes).is_some());
        if !is_sound {
            return Err(format!("malformed plugin event produced by plugin: '{name}'"));
        }
        if is_plugins {
            let (given, own) = (u32_at(bytes, ID_AT), self.info.id);
            if own == 0 && given == 0 {
                return Err(format!("malformed plugin event produced by plugin (no ID): '{name}'"));
            }
            if given == 0 {
                bytes[ID_AT..PLUGIN_DATA].copy_from_slice(&own.to_le_bytes());
            } else if own != 0 && given != own {
                return Err(format!(
                    "unexpected plugin ID in plugin event: plugin='{name}', expected_id={own}, \
                     actual_id={given}"
                ));
            }
            // Nobody's thread.
            bytes[8..16].fill(0xff);
        }
        if bytes[..8] == [0xff; 8] {
            let now = *now.get_or_insert_with(|| {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                now.as_nanos() as u64
            });
            bytes[..8].copy_from_slice(&now.to_le_bytes());
        }
        Ok(())
    }

    /// Puts blocks of the events from `next` on into the buffer, as many as there is room for
    /// and `most` allows. An event that is larger than all of it is left out and counted.
    pub fn put_blocks(&mut self, next: &mut usize, most: usize, out: &mut [u8]) -> Filled {
        let mut filled = Filled { first: *next, events: 0, bytes: 0 };
        while filled.events < most
            && let Some(event) = self.event(*next)
        {
            let bytes = block_bytes(event.len());
            if bytes <= out.len() - filled.bytes {
                let large = is_large(event).unwrap_or(true);
                filled.bytes += write_block(&mut out[filled.bytes..], event, large);
                filled.events += 1;
            } else if filled.bytes > 0 {
                break;
            } else {
                let length = event.len();
                add(&self.record.dropped, 1);
                self.refuse(&format!("an event of {length} bytes is larger than a batch"));
                filled.first = *next + 1;
            }
            *next += 1;
        }
        filled
    }

    /// The bytes of an event of the batch.
    pub fn event(&self, place: usize) -> Option<&[u8]> {
        let event = *self.batch.get(place)?;
        // SAFETY: `stamp` held it against its length; the batch is the plugin's until the next is
        // asked for, which forgets it here.
        unsafe { Some(std::slice::from_raw_parts(event.cast(), (*event).len as usize)) }
    }

    pub fn events(&self) -> usize {
        self.batch.len()
    }
}
