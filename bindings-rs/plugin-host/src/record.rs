//! What happened to a plugin: failures, lines of its log and pauses come in, from any thread;
//! numbers, and lines for saker's log go out. Lines beyond the bound are counted, and the count is
//! told.
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::abi::{SEVERITY_ERROR, SEVERITY_WARNING, Severity};
use crate::said::one_line;

/// Lines that wait to be taken, and bytes of one of them.
const NOTICES_MAX: usize = 256;
const LINE_MAX: usize = 2048;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Critical,
    Warning,
    Info,
}

impl Level {
    pub fn of(severity: Severity) -> Self {
        match severity {
            ..=SEVERITY_ERROR => Self::Critical,
            SEVERITY_WARNING => Self::Warning,
            _ => Self::Info,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub level: Level,
    pub line: String,
}

#[derive(Default)]
pub struct Record {
    pub restarts: AtomicU64,
    pub errors: AtomicU64,
    pub dropped: AtomicU64,
    pub timeouts: AtomicU64,
    /// Questions for values that the plugin did not answer: mostly events it knows nothing of.
    pub unanswered: AtomicU64,
    said: Mutex<Lines>,
}

#[derive(Default)]
struct Lines {
    waiting: VecDeque<Notice>,
    refused: u64,
    last_error: Option<String>,
}

pub fn add(count: &AtomicU64, more: u64) {
    count.fetch_add(more, Ordering::Relaxed);
}

pub fn read(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

impl Record {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn notice(&self, level: Level, line: &str) {
        let mut line = one_line(line);
        if line.is_empty() {
            return;
        }
        if line.len() > LINE_MAX {
            line.truncate(line.floor_char_boundary(LINE_MAX));
            line.push('…');
        }
        let mut lines = self.lines();
        if lines.waiting.len() < NOTICES_MAX {
            lines.waiting.push_back(Notice { level, line });
        } else {
            lines.refused += 1;
        }
    }

    /// A line that the plugin logs itself.
    pub fn logged(&self, severity: Severity, line: &str) {
        self.notice(Level::of(severity), line);
    }

    /// Something failed; it is counted, and kept as the last that did.
    pub fn failed(&self, why: &str) {
        add(&self.errors, 1);
        self.lines().last_error = Some(one_line(why));
    }

    pub fn last_error(&self) -> Option<String> {
        self.lines().last_error.clone()
    }

    pub fn take(&self) -> Vec<Notice> {
        let mut lines = self.lines();
        let mut taken: Vec<Notice> = lines.waiting.drain(..).collect();
        if lines.refused > 0 {
            let line = format!("{} more lines of its log were left out", lines.refused);
            taken.push(Notice { level: Level::Warning, line });
            lines.refused = 0;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_beyond_the_bound_are_counted_and_told() {
        let record = Record::default();
        for number in 0..NOTICES_MAX + 3 {
            record.logged(6, &format!("line {number}\nand more"));
        }
        let taken = record.take();
        assert_eq!(taken.len(), NOTICES_MAX + 1);
        assert_eq!(taken[0], Notice { level: Level::Info, line: "line 0 and more".into() });
        assert_eq!(taken[NOTICES_MAX].line, "3 more lines of its log were left out");
        assert!(record.take().is_empty());
        record.logged(2, &"ä".repeat(LINE_MAX));
        let long = record.take();
        assert_eq!(long[0].level, Level::Critical);
        assert!(long[0].line.len() <= LINE_MAX + '…'.len_utf8());
    }

    #[test]
    fn the_last_error_is_kept() {
        let record = Record::default();
        assert_eq!(record.last_error(), None);
        record.failed("one\nline");
        record.failed("two");
        assert_eq!((read(&record.errors), record.last_error()), (2, Some("two".into())));
    }
}
