//! What an instance does besides sourcing and extraction: it parses events, sends some of its own,
//! dumps its state, and hears of captures. In: events and moments. Out: what the plugin makes of
//! them; all calls but those of its own threads are made on the one thread of the instance.
use std::ffi::CStr;
use std::sync::atomic::Ordering;

use crate::abi::{Event, EventInput, SUCCESS};
use crate::async_events::{AsyncCounts, block_size, write_block};
use crate::blocks::kind_of;
use crate::doors::{dump, listen_input, parse_input, send};
use crate::instance::Instance;
use crate::record::add;

/// The source of system calls.
pub const SYSCALLS: &CStr = c"syscall";

impl Instance {
    /// Hands an event over to be parsed: its bytes from the header on. What the plugin cannot parse
    /// for a reason that it says is an error, and told now and then.
    pub fn parse(&mut self, event: &[u8], number: u64, source: &CStr) {
        let Some(parse) = self.library.functions.parse_event else { return };
        if self.plugin.is_null() || event.len() < size_of::<Event>() {
            return;
        }
        let state = &self.owner.state;
        state.access.begin_call();
        let event = event.as_ptr().cast();
        let given = EventInput { event, number, source: source.as_ptr() };
        let input = parse_input(&self.owner);
        // SAFETY: the plugin's own state; all that is handed over outlives the call.
        let rc = unsafe { parse(self.plugin, &raw const given, &raw const input) };
        if rc != SUCCESS {
            state.failed.fetch_add(1, Ordering::Relaxed);
            // Mostly an event that it has no use for: Falco's container plugin answers so to each
            // execution that failed.
            if let Some(why) = self.reason() {
                self.refuse(&format!("it could not parse an event: {why}"));
            }
        }
    }

    /// Whether it parses the events of its own source.
    pub fn parses_own(&self) -> bool {
        self.library.functions.parse_event.is_some() && !self.info.source.is_empty()
    }

    /// Has it parse an event of its present batch.
    pub fn parse_own(&mut self, place: usize, number: u64, source: &CStr) {
        let Some(event) = self.event(place) else { return };
        if !self.parse_types.is_empty() && !self.parse_types.contains(&kind_of(event)) {
            return;
        }
        // SAFETY: the plugin's own bytes, which hold until the next batch is asked for.
        let event = unsafe { std::slice::from_raw_parts(event.as_ptr(), event.len()) };
        self.parse(event, number, source);
    }

    /// From now on the plugin may send asynchronous events.
    pub fn begin_async(&mut self, of_system_calls: bool) -> Result<(), String> {
        let Some(set) = self.library.functions.set_async_event_handler else { return Ok(()) };
        let events = &self.owner.state.events;
        if self.plugin.is_null() || events.is_open() {
            return Ok(());
        }
        events.name(self.info.async_events.iter().cloned());
        // It may send from within the call.
        events.begin(of_system_calls);
        // SAFETY: the plugin's own state; the owner outlives it.
        if unsafe { set(self.plugin, self.owner.pointer(), Some(send)) } == SUCCESS {
            return Ok(());
        }
        events.end();
        Err(format!("can't set async event handler: {}", self.last_error()))
    }

    /// The plugin stops to send; what it has sent can still be taken.
    pub fn end_async(&mut self) {
        let Some(set) = self.library.functions.set_async_event_handler else { return };
        let events = &self.owner.state.events;
        if !events.is_open() {
            return;
        }
        // SAFETY: the plugin's own state; it waits for its own threads.
        let rc = unsafe { set(self.plugin, self.owner.pointer(), None) };
        events.end();
        if rc != SUCCESS {
            let why = self.last_error();
            self.refuse(&format!("can't reset async event handler: {why}"));
        }
    }

    /// Blocks of events that wait, as many as fit; returns their bytes.
    pub fn take_async(&self, out: &mut [u8], now_ns: u64, source_id: u32) -> usize {
        self.owner.state.events.take(out, now_ns, source_id)
    }

    pub fn async_counts(&self) -> AsyncCounts {
        self.owner.state.events.counts()
    }

    /// Takes what became of asynchronous events since the last call into the record.
    pub fn count_sent(&mut self) {
        let AsyncCounts { dropped, refused, .. } = self.async_counts();
        add(&self.record.dropped, dropped - self.counted.dropped);
        if refused > self.counted.refused {
            add(&self.record.errors, refused - self.counted.refused - 1);
            self.record.failed("it sent asynchronous events that are none of its own");
        }
        self.counted = AsyncCounts { taken: 0, dropped, refused };
    }

    /// Blocks of events that tell the plugin's state, for a capture that begins.
    pub fn dump_state(&mut self, now_ns: u64, source_id: u32) -> Vec<u8> {
        let Some(dump_state) = self.library.functions.dump_state else { return Vec::new() };
        if self.plugin.is_null() {
            return Vec::new();
        }
        let state = &self.owner.state;
        state.events.name(self.info.async_events.iter().cloned());
        state.begin_dump();
        // SAFETY: the plugin's own state; the owner outlives the call.
        let rc = unsafe { dump_state(self.plugin, self.owner.pointer(), Some(dump)) };
        let events = state.end_dump();
        let mut blocks = vec![0; events.iter().map(|event| block_size(event.len())).sum()];
        let mut at = 0;
        for event in &events {
            let end = at + block_size(event.len());
            write_block(&mut blocks[at..end], event, now_ns, source_id);
            at = end;
        }
        if rc != SUCCESS {
            let why = self.last_error();
            self.refuse(&format!("it could not dump its state: {why}"));
        }
        blocks
    }

    /// The capture begins.
    pub fn capture_open(&mut self) -> Result<(), String> {
        self.listen(self.library.functions.capture_open)
            .map_err(|why| format!("capture_open failed: {why}"))
    }

    /// The capture ends, and with it the plugin's routines.
    pub fn capture_close(&mut self) {
        let closed = self.listen(self.library.functions.capture_close);
        self.owner.state.routines.end();
        if let Err(why) = closed {
            self.refuse(&format!("capture_close failed: {why}"));
        }
    }

    fn listen(&self, listener: Option<crate::abi::Listener>) -> Result<(), String> {
        let Some(listener) = listener.filter(|_| !self.plugin.is_null()) else { return Ok(()) };
        self.owner.state.access.begin_call();
        let input = listen_input(&self.owner);
        // SAFETY: the plugin's own state; all that is handed over outlives the call, and what a
        // plugin may keep (the owner, tables of functions) lives as long as the plugin.
        match unsafe { listener(self.plugin, &raw const input) } {
            SUCCESS => Ok(()),
            _ => Err(self.last_error()),
        }
    }
}
