//! A plugin that runs, wherever it does: what saker asks of it comes in, whole blocks of events,
//! columns of values and texts go out. `Local` runs it on the threads that ask.
use std::time::{Duration, Instant};

use crate::event_port::EventPort;
use crate::extraction::Asked;
use crate::instance::Metric;
use crate::record::Record;

const PAUSE_FIRST: Duration = Duration::from_secs(1);
const PAUSE_MOST: Duration = Duration::from_mins(1);
/// Who ran so long begins with the first pause again.
const RAN_WELL: Duration = Duration::from_mins(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Running,
    /// It failed, and is started anew later.
    Pausing,
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    pub state: State,
    pub resident_bytes: u64,
    /// How long the call under way has blocked.
    pub blocked: Duration,
}

/// Events that another source gave: blocks, and what they are called.
pub struct Lending<'a> {
    pub source: &'a str,
    /// `evt.num` of the first.
    pub number: u64,
}

/// What begins a line of a plugin's own log among all that its process prints.
pub const LOG_MARK: char = '\u{1}';

/// Which events of those at hand values are asked of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Of the events that were lent, not of those that `read` gave.
    pub lent: bool,
    pub first: usize,
    pub count: usize,
}

/// All of one line, without the plugin's name.
pub type Told<T> = Result<T, String>;

pub trait Port: EventPort {
    /// JSON of what it says of itself.
    fn info(&self) -> String;
    fn init(&mut self, config: &str) -> Told<()>;
    /// JSON of the types of events that it asks for.
    fn event_types(&mut self) -> String;
    fn open_params(&mut self) -> Told<String>;
    fn open(&mut self, params: &str) -> Told<()>;
    /// Bytes of blocks; 0: none now; -1: the source has ended.
    fn read(&mut self, out: &mut [u8]) -> i64;
    fn wait(&mut self, most: Duration);
    /// Takes events of another source; returns how many. One in this process takes none: asking it
    /// for events one by one costs nothing more.
    fn lend(&mut self, _blocks: &[u8], _lending: &Lending<'_>) -> usize {
        0
    }
    /// Bytes of the column; negative what it takes.
    fn column(&mut self, asked: &Asked, span: Span, out: &mut [u8]) -> i64;
    /// The same of one event of another source: its bytes from the event's header on.
    fn column_of(
        &mut self,
        event: &[u8],
        lending: &Lending<'_>,
        asked: &Asked,
        out: &mut [u8],
    ) -> i64;
    fn event_text(&mut self, event: &[u8], number: u64) -> Option<String>;
    /// In parts of ten thousand.
    fn progress(&mut self) -> Option<(u32, String)>;
    fn set_config(&mut self, config: &str) -> Told<()>;
    fn metrics(&mut self) -> Vec<Metric>;
    fn now(&mut self) -> Now;
    fn record(&self) -> &Record;
}

/// Pauses between starts, each twice as long as the one before.
#[derive(Debug)]
pub struct Pause {
    next: Duration,
    began: Instant,
    until: Option<Instant>,
}

impl Default for Pause {
    fn default() -> Self {
        Self { next: PAUSE_FIRST, began: Instant::now(), until: None }
    }
}

impl Pause {
    /// It failed: begins a pause, and says how long it is.
    pub fn begin(&mut self, now: Instant) -> Duration {
        if now.saturating_duration_since(self.began) >= RAN_WELL {
            self.next = PAUSE_FIRST;
        }
        let pause = self.next;
        self.next = (pause * 2).min(PAUSE_MOST);
        self.until = Some(now + pause);
        pause
    }

    pub fn is_on(&self) -> bool {
        self.until.is_some()
    }

    /// What is left of the pause; nothing where there is none.
    pub fn left(&self, now: Instant) -> Duration {
        self.until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// It is started.
    pub fn end(&mut self, now: Instant) {
        self.until = None;
        self.began = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_until_it_ran_well() {
        let start = Instant::now();
        let mut pause = Pause::default();
        let mut lengths = Vec::new();
        let mut now = start;
        for _ in 0..8 {
            let length = pause.begin(now);
            lengths.push(length.as_secs());
            assert_eq!(pause.left(now), length);
            now += length;
            assert_eq!(pause.left(now), Duration::ZERO);
            pause.end(now);
        }
        assert_eq!(lengths, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(pause.begin(now + RAN_WELL), PAUSE_FIRST);
    }
}
