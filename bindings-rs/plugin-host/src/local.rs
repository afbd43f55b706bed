//! A plugin in saker's own process: its functions are called on the thread that asks. What it does
//! to the process it does to saker; what it answers is checked as anywhere.
use std::ffi::{CString, c_void};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::blocks::is_large;
use crate::column::Column;
use crate::extraction::{Asked, Given};
use crate::instance::{Batch, Instance, Metric};
use crate::port::{Lending, Now, Pause, Port, Span, State, Told};
use crate::record::{Level, Record, add};
use crate::said::for_plugin;

/// A source that says at once that it has nothing is asked again after so long.
const IDLE: Duration = Duration::from_millis(10);

pub struct Local {
    pub instance: Instance,
    record: Arc<Record>,
    params: String,
    pause: Pause,
    has_ended: bool,
    /// Where in the plugin's batch the next event to be handed over is.
    next: usize,
    /// Those that `read` gave last: where they begin, how many, and their first number.
    first: usize,
    given: usize,
    number: u64,
    source: CString,
    /// Of the events that it parses.
    pub(crate) parsed_source: CString,
    /// Source of the event of others that was asked of last.
    other: CString,
    scratch: [Column; 1],
    /// What is in `scratch`.
    held: Option<(Asked, Span)>,
    last_call: Duration,
}

/// What plugins in C and C++ print in saker's own process goes to its log: its standard output is
/// for alerts alone. Nothing of saker's uses the C library's streams.
fn print_to_stderr() {
    unsafe extern "C" {
        static mut stdout: *mut c_void;
        static mut stderr: *mut c_void;
    }
    // SAFETY: the C library's own variables, which programs may set.
    unsafe { stdout = stderr };
}

impl Local {
    pub fn load(path: &str) -> Told<Self> {
        print_to_stderr();
        let record = Arc::new(Record::default());
        let lines = Arc::clone(&record);
        let log = Box::new(move |severity, line: &str| lines.logged(severity, line));
        let instance = Instance::load(path, Arc::clone(&record), log)?;
        let source = for_plugin(&instance.info.source);
        Ok(Self {
            instance,
            record,
            params: String::new(),
            pause: Pause::default(),
            has_ended: false,
            next: 0,
            first: 0,
            given: 0,
            number: 1,
            source,
            parsed_source: CString::default(),
            other: CString::default(),
            scratch: [Column::default()],
            held: None,
            last_call: Duration::ZERO,
        })
    }

    fn fail(&mut self, why: &str) {
        self.record.failed(why);
        self.instance.close_source();
        let pause = self.pause.begin(Instant::now()).as_secs();
        let line = format!("{why}; its source is opened anew in {pause} s");
        self.record.notice(Level::Critical, &line);
    }

    /// Whether the source is open; a pause that is over ends here.
    fn is_open(&mut self) -> bool {
        if !self.pause.is_on() {
            return self.instance.is_open();
        }
        let now = Instant::now();
        if !self.pause.left(now).is_zero() {
            return false;
        }
        add(&self.record.restarts, 1);
        self.pause.end(now);
        let params = self.params.clone();
        if let Err(why) = self.instance.open(&params) {
            self.fail(&why);
        }
        self.instance.is_open()
    }

    /// Fills the buffer with what is left of the batch.
    fn hand_over(&mut self, out: &mut [u8]) -> usize {
        self.number += self.given as u64;
        // What it knows after it parsed one is of this event, and not of those behind it.
        let parses = self.instance.parses_own();
        let most = if parses { 1 } else { usize::MAX };
        let filled = self.instance.put_blocks(&mut self.next, most, out);
        (self.first, self.given) = (filled.first, filled.events);
        if parses && filled.events > 0 {
            self.instance.parse_own(filled.first, self.number, &self.source);
        }
        filled.bytes
    }

    fn fill(&mut self, asked: &Asked, span: Span) {
        let column = &mut self.scratch;
        column[0].clear();
        let end = span.first.saturating_add(span.count).min(self.given);
        for place in span.first.min(end)..end {
            let Some(bytes) = self.instance.event(self.first + place) else { break };
            // SAFETY: the plugin's own bytes, which hold until the next batch is asked for.
            let bytes = unsafe { std::slice::from_raw_parts(bytes.as_ptr(), bytes.len()) };
            let given = Given { bytes, number: self.number + place as u64 };
            self.instance.extract(given, &self.source, std::slice::from_ref(asked), column);
            if column[0].is_full() {
                break;
            }
        }
    }
}

impl Port for Local {
    fn info(&self) -> String {
        self.instance.info.to_json(&self.instance.library).to_string()
    }

    fn init(&mut self, config: &str) -> Told<()> {
        self.instance.init(config)
    }

    fn event_types(&mut self) -> String {
        self.instance.event_types().to_string()
    }

    fn open_params(&mut self) -> Told<String> {
        self.instance.open_params().map(|params| params.to_string())
    }

    fn open(&mut self, params: &str) -> Told<()> {
        params.clone_into(&mut self.params);
        self.instance.open(params)?;
        self.has_ended = false;
        self.pause.end(Instant::now());
        Ok(())
    }

    fn read(&mut self, out: &mut [u8]) -> i64 {
        self.held = None;
        if self.has_ended {
            return -1;
        }
        if !self.is_open() {
            return 0;
        }
        if self.next >= self.instance.events() {
            self.next = 0;
            let began = Instant::now();
            let batch = self.instance.next_batch();
            self.last_call = began.elapsed();
            match batch {
                Batch::Events | Batch::Nothing => {}
                Batch::End => {
                    self.has_ended = true;
                    self.hand_over(out);
                    return -1;
                }
                Batch::Failed(why) => self.fail(&why),
            }
        }
        self.hand_over(out) as i64
    }

    fn wait(&mut self, most: Duration) {
        if self.pause.is_on() || !self.instance.is_open() || self.has_ended {
            let left = self.pause.left(Instant::now());
            sleep(if self.pause.is_on() { left.min(most) } else { most });
        } else if self.last_call < IDLE / 10 {
            sleep(IDLE.min(most));
        }
    }

    fn column(&mut self, asked: &Asked, span: Span, out: &mut [u8]) -> i64 {
        if span.lent {
            return Column::none(span.count).write(out);
        }
        let is_held = self.held.as_ref().is_some_and(|held| held.0 == *asked && held.1 == span);
        if !is_held {
            self.fill(asked, span);
        }
        let bytes = self.scratch[0].write(out);
        // Asked again with more room: the plugin need not be.
        self.held = (bytes < 0).then(|| (asked.clone(), span));
        bytes
    }

    fn column_of(
        &mut self,
        event: &[u8],
        lending: &Lending<'_>,
        asked: &Asked,
        out: &mut [u8],
    ) -> i64 {
        self.held = None;
        if self.other.as_bytes() != lending.source.as_bytes() {
            self.other = for_plugin(lending.source);
        }
        if is_large(event).is_none() {
            return Column::none(1).write(out);
        }
        let given = Given { bytes: event, number: lending.number };
        self.scratch[0].clear();
        let asked = std::slice::from_ref(asked);
        self.instance.extract(given, &self.other, asked, &mut self.scratch);
        self.scratch[0].write(out)
    }

    fn event_text(&mut self, event: &[u8], number: u64) -> Option<String> {
        self.instance.event_text(event, number)
    }

    fn progress(&mut self) -> Option<(u32, String)> {
        self.instance.progress()
    }

    fn set_config(&mut self, config: &str) -> Told<()> {
        self.instance.set_config(config)
    }

    fn metrics(&mut self) -> Vec<Metric> {
        self.instance.metrics()
    }

    fn now(&mut self) -> Now {
        self.instance.count_sent();
        let state = if self.has_ended {
            State::Ended
        } else if self.pause.is_on() {
            State::Pausing
        } else {
            State::Running
        };
        Now { state, resident_bytes: 0, blocked: Duration::ZERO }
    }

    fn record(&self) -> &Record {
        &self.record
    }
}
