//! A plugin in a process of its own that sends asynchronous events, listens to captures, dumps its
//! state. In: what that process answers, which is believed as little as anything of it: events go
//! through the same queue, with the same checks, as those of a plugin in this process. Out: blocks
//! of them.
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::blocks::events_of;
use crate::event_port::EventPort;
use crate::remote::{ANSWER_WITHIN, Remote, START_WITHIN};
use crate::tables::registry::Registry;
use crate::wire::{
    ANSWER, BEFORE, BEGIN_ASYNC, CAPTURE_CLOSE, CAPTURE_OPEN, DUMP, END_ASYNC, TAKE_ASYNC,
};

impl Remote {
    /// Whole blocks that it answered with, in `scratch` and `found`; whether there are any.
    fn ask_blocks(&mut self, kind: u64, source_id: u32) -> bool {
        self.scratch.clear();
        self.found.clear();
        let Some(mut question) = self.question(kind, "") else { return false };
        (question[4], question[5]) = (ANSWER.1 as u64, u64::from(source_id));
        let Ok(answer) = self.ask(&question, ANSWER_WITHIN) else { return false };
        let length = usize::try_from(answer[4]).unwrap_or(usize::MAX);
        if length > ANSWER.1 {
            self.fail("its process gave more events than there is room for");
            return false;
        }
        self.scratch.resize(length, 0);
        let copied = self.child.as_ref().and_then(|c| c.shared.take(ANSWER, 0, &mut self.scratch));
        if copied.is_none() || !events_of(&self.scratch, &mut self.found) {
            self.scratch.clear();
            self.found.clear();
            self.fail("its process sent what are no events");
        }
        !self.found.is_empty()
    }

    /// Takes what its process has sent to this side.
    fn fetch_sent(&mut self) {
        let sent = self.child.as_ref().map_or(0, |child| child.shared.sent());
        if sent == self.sent.seen || !self.is_free(Duration::ZERO) {
            return;
        }
        self.sent.seen = sent;
        if !self.ask_blocks(TAKE_ASYNC, 0) {
            return;
        }
        let mut refused = None;
        for (start, end) in &self.found {
            let event = self.scratch[*start..*end].as_ptr().cast();
            // SAFETY: `events_of` held the event's length against the block.
            if let Err(why) = unsafe { self.sent.events.offer(event) } {
                refused = Some(why);
            }
        }
        if let Some(why) = refused {
            self.fail(&format!("its process sent what the plugin may not: {why}"));
        }
    }
}

impl EventPort for Remote {
    fn use_tables(&mut self, _registry: Arc<Registry>) {}

    fn begin_after(&mut self, path: &str, config: &str) -> Result<(), String> {
        let text = json!([path, config]).to_string();
        self.words(BEFORE, &text, START_WITHIN).map(|_| ())
    }

    fn parse(&mut self, _event: &[u8], _number: u64, _source: &str) {}

    fn begin_async(&mut self, of_system_calls: bool) -> Result<(), String> {
        // It may send from within the call.
        self.sent.events.begin(of_system_calls);
        let of_calls = u64::from(of_system_calls).to_string();
        self.words(BEGIN_ASYNC, &of_calls, START_WITHIN)?;
        self.begun_async = Some(of_system_calls);
        Ok(())
    }

    fn take_async(&mut self, out: &mut [u8], source_id: u32) -> usize {
        if self.begun_async.is_none() {
            return 0;
        }
        if self.sent.events.is_empty() {
            self.fetch_sent();
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.sent.events.take(out, now.as_nanos() as u64, source_id)
    }

    fn end_async(&mut self) {
        if self.begun_async.take().is_some() {
            self.sent.events.end();
            let _ = self.words(END_ASYNC, "", ANSWER_WITHIN);
        }
    }

    fn dump_state(&mut self, source_id: u32) -> Vec<u8> {
        if !self.is_free(ANSWER_WITHIN) || !self.ask_blocks(DUMP, source_id) {
            return Vec::new();
        }
        for (start, end) in &self.found {
            let event = self.scratch[*start..*end].as_ptr().cast();
            // SAFETY: `events_of` held the event's length against the block.
            if let Err(why) = unsafe { self.sent.events.checked(event) } {
                self.fail(&format!("the dump of its state has what it may not: {why}"));
                return Vec::new();
            }
        }
        std::mem::take(&mut self.scratch)
    }

    fn capture_open(&mut self) -> Result<(), String> {
        self.words(CAPTURE_OPEN, "", START_WITHIN)?;
        self.listens = true;
        Ok(())
    }

    fn capture_close(&mut self) {
        if std::mem::take(&mut self.listens) {
            let _ = self.words(CAPTURE_CLOSE, "", ANSWER_WITHIN);
        }
    }
}
