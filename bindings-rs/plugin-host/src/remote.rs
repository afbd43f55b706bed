//! A plugin in a process of its own, which is ended and started anew when it fails, blocks, lies or
//! takes too much memory. Nothing that comes out of it is believed: bytes are copied, and then held
//! against what they must be.
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::child::{Child, MAY_START};
use crate::confined::THREADS_MAX;
use crate::extraction::Asked;
use crate::go_kit::variable;
use crate::lent::{Columns, Lent, Sent};
use crate::port::{Pause, Told};
use crate::record::{Level, Record, add};
use crate::said::one_line;
use crate::watched::Watched;
use crate::wire::{
    ANSWER, ASKED, BEGIN_ASYNC, CAPTURE_OPEN, COLUMN, DONE, INIT, LOAD, Message, NEXT, NOTHING,
    OPEN, WORDS,
};

/// What a plugin may take to load, to initialize, to open its source.
pub(crate) const START_WITHIN: Duration = Duration::from_mins(1);
/// What it may take to answer anything else.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(1);
const ANSWER_STEP: Duration = Duration::from_millis(5);
/// How much longer values of many events may take, as long as one comes after the other.
const COLUMN_MORE: Duration = Duration::from_secs(9);
/// When a call that does not return is counted.
const BLOCKED_COUNTED: Duration = Duration::from_secs(10);
const SIZE_EVERY: Duration = Duration::from_millis(500);

pub struct Remote {
    pub(crate) program: Arc<[u8]>,
    pub(crate) path: String,
    pub(crate) name: String,
    pub(crate) memory_bytes: u64,
    /// What its process is told besides: whether it may start others.
    pub(crate) rights: Option<&'static str>,
    /// And from its start on (go_kit.rs).
    variable: Option<(&'static str, &'static str)>,
    pub(crate) record: Arc<Record>,
    pub(crate) info: String,
    pub(crate) id: u32,
    pub(crate) config: Option<String>,
    pub(crate) params: Option<String>,
    pub(crate) child: Option<Child>,
    /// What a process that is started anew is being asked, and what else it is to be asked.
    pub(crate) starting: Option<(u64, Instant)>,
    pub(crate) steps: VecDeque<(u64, String)>,
    /// It was told that it may send events (of system calls, too), and that it is to listen.
    pub(crate) begun_async: Option<bool>,
    pub(crate) listens: bool,
    pub(crate) pause: Pause,
    pub(crate) has_ended: bool,
    /// When the batch was asked for that is not there yet, into which place, counted as blocked.
    pub(crate) fetching: Option<(Instant, usize, bool)>,
    pub(crate) ready: Option<(Message, usize)>,
    /// Where the batch stands that `read` gave last.
    pub(crate) place: usize,
    pub(crate) given: usize,
    pub(crate) number: u64,
    pub(crate) quick: bool,
    pub(crate) room: usize,
    pub(crate) watched: Watched,
    /// Columns that came with the batch that `read` gave last, and of which fields those of the
    /// batch on its way will be.
    pub(crate) columns: Columns,
    pub(crate) fetching_of: Arc<[Asked]>,
    pub(crate) found: Vec<(usize, usize)>,
    /// The same of events that were lent.
    pub(crate) lent: Option<Lent>,
    pub(crate) lent_watched: Watched,
    pub(crate) lent_columns: Columns,
    pub(crate) scratch: Vec<u8>,
    pub(crate) counted: (u64, u64),
    pub(crate) sized: Option<(Instant, u64)>,
    pub(crate) sent: Sent,
    /// Of which event it was last seen to be asked for values, and since when.
    pub(crate) asking: Option<(u64, Instant)>,
}

pub struct Options<'a> {
    pub program: &'a [u8],
    pub path: &'a str,
    pub name: &'a str,
    pub memory_bytes: u64,
    /// Whether it may start processes.
    pub may_start: bool,
}

impl Remote {
    pub fn load(options: &Options<'_>) -> Told<Self> {
        let mut remote = Self {
            program: options.program.into(),
            path: options.path.into(),
            name: options.name.into(),
            memory_bytes: options.memory_bytes,
            rights: options.may_start.then_some(MAY_START),
            variable: variable(options.path),
            record: Arc::default(),
            info: String::new(),
            id: 0,
            config: None,
            params: None,
            child: None,
            starting: None,
            steps: VecDeque::new(),
            begun_async: None,
            listens: false,
            sent: Sent::default(),
            asking: None,
            pause: Pause::default(),
            has_ended: false,
            fetching: None,
            ready: None,
            place: 0,
            given: 0,
            number: 1,
            quick: false,
            room: 0,
            watched: Watched::default(),
            columns: Columns::default(),
            fetching_of: Arc::default(),
            found: Vec::new(),
            lent: None,
            lent_watched: Watched::default(),
            lent_columns: Columns::default(),
            scratch: Vec::new(),
            counted: (0, 0),
            sized: None,
        };
        remote.spawn()?;
        remote.info = remote.words(LOAD, options.path, START_WITHIN)?.unwrap_or_default();
        let info: Value = serde_json::from_str(&remote.info).map_err(|_| "it says nonsense")?;
        remote.id = info["id"].as_u64().unwrap_or(0) as u32;
        let names = info["asyncEvents"].as_array().into_iter().flatten();
        remote.sent.events.name(names.filter_map(Value::as_str).map(str::to_owned));
        Ok(remote)
    }

    fn spawn(&mut self) -> Told<()> {
        let child = Child::start(&self.program, &self.name, self.rights, self.variable)
            .map_err(|error| format!("its process cannot be started: {error}"))?;
        (self.child, self.counted, self.fetching, self.ready) = (Some(child), (0, 0), None, None);
        (self.asking, self.sent.seen) = (None, 0);
        self.watched.forget();
        Ok(())
    }

    /// Ends the process, and begins a pause.
    pub(crate) fn fail(&mut self, why: &str) {
        let own = self.child.take().and_then(|child| child.kill(&self.record));
        let why = own.unwrap_or_else(|| why.to_owned());
        self.record.failed(&why);
        (self.starting, self.fetching, self.ready, self.given) = (None, None, None, 0);
        self.lent = None;
        let pause = self.pause.begin(Instant::now()).as_secs();
        self.record.notice(Level::Critical, &format!("{why}; it is started anew in {pause} s"));
    }

    pub(crate) fn question(&self, kind: u64, text: &str) -> Option<Message> {
        let mut message = [0; WORDS];
        (message[0], message[1]) = (kind, text.len() as u64);
        let put = self.child.as_ref()?.shared.put(ASKED, text.as_bytes());
        put.then_some(message)
    }

    /// Takes an answer, and what it says of the process's counters.
    fn receive(&mut self, within: Duration) -> Result<Option<Message>, String> {
        let Some(child) = &mut self.child else { return Ok(None) };
        let got = child.receive(within);
        child.take_printed(&self.record);
        let Ok(Some(answer)) = got else {
            return got.map_err(|_| "its process ended".into());
        };
        let (errors, dropped) = (answer[2], answer[3]);
        add(&self.record.errors, errors.saturating_sub(self.counted.0));
        add(&self.record.dropped, dropped.saturating_sub(self.counted.1));
        self.counted = (errors, dropped);
        Ok(Some(answer))
    }

    /// Asks and waits for the answer. A process that does not give it in time is ended.
    pub(crate) fn ask(&mut self, question: &Message, within: Duration) -> Told<Message> {
        let asked = self.child.as_ref().map(|child| child.send(question));
        let until = Instant::now() + within;
        self.asking = Some((0, Instant::now()));
        let why = loop {
            match asked {
                None => return Err("it does not run".into()),
                Some(Err(_)) => break "its process ended".to_owned(),
                Some(Ok(())) => {}
            }
            let left = until.saturating_duration_since(Instant::now());
            match self.receive(left.max(ANSWER_STEP)) {
                Ok(Some(answer)) if answer[0] == question[0] => return Ok(answer),
                Ok(Some(_)) => break "it answers what it was not asked".to_owned(),
                Ok(None) if Instant::now() < until => {}
                // Values of many events take their time, as long as it comes from one to the next.
                Ok(None)
                    if question[0] == COLUMN
                        && until.elapsed() < COLUMN_MORE
                        && !self.is_stuck(true) => {}
                Ok(None) => {
                    add(&self.record.timeouts, 1);
                    break format!("it did not answer within {} s", within.as_secs());
                }
                Err(why) => break why,
            }
        };
        if self.info.is_empty() || self.config.is_none() {
            // It is the first start: who started it is told, also what it said before it ended.
            let own = self.child.take().and_then(|child| child.kill(&self.record));
            return Err(own.unwrap_or(why) + &self.last_words());
        }
        self.fail(&why);
        Err(why)
    }

    /// What it printed before it ended: of Go's many lines the one that has the reason.
    pub(crate) fn last_words(&self) -> String {
        let printed = self.record.take().into_iter().filter(|it| it.level == Level::Info);
        let mut lines: Vec<String> = printed.map(|it| it.line).collect();
        let is_reason =
            |line: &String| ["panic: ", "fatal error: "].iter().any(|it| line.starts_with(it));
        let reason = lines.iter().position(is_reason).map(|at| lines.swap_remove(at));
        let words = reason.or_else(|| lines.pop());
        words.map_or_else(String::new, |line| format!("; it printed: {line}"))
    }

    /// The same for questions that are answered in words.
    pub(crate) fn words(
        &mut self,
        kind: u64,
        text: &str,
        within: Duration,
    ) -> Told<Option<String>> {
        if kind > OPEN && !self.is_free(ANSWER_WITHIN) {
            return Err("it is busy".into());
        }
        let question = self.question(kind, text).ok_or("the text is too long")?;
        let answer = self.ask(&question, within)?;
        self.answer_text(&answer)
    }

    pub(crate) fn answer_text(&self, answer: &Message) -> Told<Option<String>> {
        let text = self.child.as_ref().and_then(|child| child.shared.text(ANSWER, answer[4]));
        match answer[1] {
            DONE => Ok(text),
            NOTHING => Ok(None),
            _ => Err(one_line(&text.unwrap_or_default())),
        }
    }

    /// Whether it runs and waits for a question; a batch that is on its way is waited for.
    pub(crate) fn is_free(&mut self, within: Duration) -> bool {
        self.advance();
        if self.child.is_none() || self.starting.is_some() {
            return false;
        }
        if self.fetching.is_some() {
            self.take_batch(within);
        }
        self.child.is_some() && self.fetching.is_none()
    }

    /// Starts it anew when its pause is over, step by step, without waiting.
    pub(crate) fn advance(&mut self) {
        if let Some((kind, until)) = self.starting {
            match self.receive(Duration::ZERO) {
                Ok(Some(answer)) if answer[0] == kind => match self.answer_text(&answer) {
                    Ok(_) => self.start_step(),
                    Err(why) => self.fail(&why),
                },
                Ok(None) if Instant::now() < until => {}
                Ok(_) => self.fail("it did not start in time"),
                Err(why) => self.fail(&why),
            }
        } else if self.child.is_none() && self.config.is_some() && self.pause.is_on() {
            if self.pause.left(Instant::now()).is_zero() {
                add(&self.record.restarts, 1);
                self.pause.end(Instant::now());
                match self.spawn() {
                    Ok(()) => {
                        self.steps = self.steps_of();
                        self.start_step();
                    }
                    Err(why) => self.fail(&why),
                }
            }
        } else {
            self.check_size();
        }
    }

    /// Asks the next of what a process is asked until it runs as the one before did.
    fn start_step(&mut self) {
        let Some((kind, text)) = self.steps.pop_front() else {
            self.starting = None;
            return;
        };
        self.starting = Some((kind, Instant::now() + START_WITHIN));
        let sent = self.question(kind, &text).zip(self.child.as_ref());
        if sent.is_none_or(|(question, child)| child.send(&question).is_err()) {
            self.fail("its process ended");
        }
    }

    fn steps_of(&self) -> VecDeque<(u64, String)> {
        let async_of = self.begun_async.map(|of_calls| u64::from(of_calls).to_string());
        let steps = [
            Some((LOAD, self.path.clone())),
            self.config.clone().map(|config| (INIT, config)),
            self.params.clone().map(|params| (OPEN, params)),
            async_of.map(|of_calls| (BEGIN_ASYNC, of_calls)),
            self.listens.then(|| (CAPTURE_OPEN, String::new())),
        ];
        steps.into_iter().flatten().collect()
    }

    /// Whether it has been asked for values of one event for too long; of none, too, if so said.
    fn is_stuck(&mut self, of_none: bool) -> bool {
        let now = self.child.as_ref().map_or(0, |child| child.shared.asked_now());
        match self.asking {
            Some((event, since)) if (now != 0 || of_none) && event == now => {
                since.elapsed() >= ANSWER_WITHIN
            }
            _ => {
                self.asking = Some((now, Instant::now()));
                false
            }
        }
    }

    fn check_size(&mut self) {
        let Some(child) = &mut self.child else { return };
        if self.sized.is_some_and(|(when, _)| when.elapsed() < SIZE_EVERY) {
            return;
        }
        let (bytes, threads) = (child.resident_bytes(), child.threads());
        self.sized = Some((Instant::now(), bytes));
        if bytes > self.memory_bytes {
            let (has, may) = (bytes >> 20, self.memory_bytes >> 20);
            self.fail(&format!("it has {has} MB of memory, more than the {may} MB that it may"));
        } else if threads > THREADS_MAX {
            self.fail(&format!("it has {threads} threads, more than the {THREADS_MAX} it may"));
        } else if let Some(why) = child.ended() {
            self.fail(&why);
        }
    }

    /// The batch that is on its way, if it comes within the time.
    pub(crate) fn take_batch(&mut self, within: Duration) {
        let Some((since, place, told)) = self.fetching else { return };
        match self.receive(within) {
            Ok(Some(answer)) if answer[0] == NEXT => {
                (self.fetching, self.ready) = (None, Some((answer, place)));
            }
            Ok(Some(_)) => self.fail("it answers what it was not asked"),
            Ok(None) if self.is_stuck(false) => {
                add(&self.record.timeouts, 1);
                self.fail("it did not answer within 1 s when it was asked for values");
            }
            // That `next_batch` blocks is no failure; who reads `Now::blocked` tells it.
            Ok(None) if !told && since.elapsed() >= BLOCKED_COUNTED => {
                self.fetching = Some((since, place, true));
                add(&self.record.timeouts, 1);
            }
            Ok(None) => {}
            Err(why) => self.fail(&why),
        }
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        if let Some(child) = self.child.take() {
            child.leave(&self.record);
        }
    }
}
