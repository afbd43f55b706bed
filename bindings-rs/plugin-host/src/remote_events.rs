//! A plugin in a process of its own that sends events and listens. State tables are not shared with
//! it: what it parses is its own source, and it has no tables but its own.
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::blocks::events_of;
use crate::event_port::EventPort;
use crate::remote::{ANSWER_WITHIN, Remote, START_WITHIN};
use crate::tables::registry::Registry;
use crate::wire::{
    ANSWER, BEFORE, BEGIN_ASYNC, CAPTURE_CLOSE, CAPTURE_OPEN, DUMP, END_ASYNC, TAKE_ASYNC,
};

/// The process is asked for what it sends at most so often.
const ASKED_EVERY: Duration = Duration::from_millis(20);

impl Remote {
    /// Whole blocks that it answered with, within a bound.
    fn blocks(&mut self, kind: u64, room: usize, source_id: u32, out: &mut Vec<u8>) {
        out.clear();
        let Some(mut question) = self.question(kind, "") else { return };
        (question[4], question[5]) = (room as u64, u64::from(source_id));
        let Ok(answer) = self.ask(&question, ANSWER_WITHIN) else { return };
        let length = usize::try_from(answer[4]).unwrap_or(usize::MAX);
        if length > room.min(ANSWER.1) {
            self.fail("its process gave more events than there is room for");
            return;
        }
        out.resize(length, 0);
        let copied = self.child.as_ref().and_then(|child| child.shared.take(ANSWER, 0, out));
        self.found.clear();
        if copied.is_none() || !events_of(out, &mut self.found) {
            out.clear();
            self.fail("its process sent what are no events");
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
        let of_calls = u64::from(of_system_calls).to_string();
        self.words(BEGIN_ASYNC, &of_calls, START_WITHIN)?;
        self.begun_async = Some(of_system_calls);
        Ok(())
    }

    fn take_async(&mut self, out: &mut [u8], source_id: u32) -> usize {
        let due = self.asked_async.is_none_or(|asked| asked.elapsed() >= ASKED_EVERY);
        if self.begun_async.is_none() || !due || !self.is_free(Duration::ZERO) {
            return 0;
        }
        self.asked_async = Some(Instant::now());
        let mut blocks = std::mem::take(&mut self.scratch);
        self.blocks(TAKE_ASYNC, out.len(), source_id, &mut blocks);
        out[..blocks.len()].copy_from_slice(&blocks);
        let bytes = blocks.len();
        self.scratch = blocks;
        bytes
    }

    fn end_async(&mut self) {
        if self.begun_async.take().is_some() {
            let _ = self.words(END_ASYNC, "", ANSWER_WITHIN);
        }
    }

    fn dump_state(&mut self, source_id: u32) -> Vec<u8> {
        let mut blocks = Vec::new();
        if self.is_free(ANSWER_WITHIN) {
            self.blocks(DUMP, ANSWER.1, source_id, &mut blocks);
        }
        blocks
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
