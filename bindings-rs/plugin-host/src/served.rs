//! The side of a plugin's own process: questions come in over the socket, one at a time; the plugin
//! is asked on this thread, and answers go out. What is said for the log goes to standard output.
use std::ffi::CString;
use std::fmt::Write as _;
use std::io::{Write as _, stdout};
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::blocks::events_of;
use crate::column::Column;
use crate::extraction::{Asked, Given};
use crate::instance::{Batch, Instance};
use crate::port::LOG_MARK;
use crate::record::{Level, Notice, Record, read};
use crate::said::{for_plugin, one_line};
use crate::tables::machine::NoThreads;
use crate::tables::registry::Registry;
use crate::wire::{
    ANSWER, ASKED, BATCHES, BEFORE, BEGIN_ASYNC, CAPTURE_CLOSE, CAPTURE_OPEN, COLUMN, COLUMNS,
    DONE, DUMP, END_ASYNC, ENDED, EVENT_TEXT, EVENT_TYPES, INIT, LENT, LENT_LIST, LOAD, METRICS,
    Message, NEXT, NOTHING, OPEN, OPEN_PARAMS, PROGRESS, REFUSED, SET_CONFIG, Shared, TAKE_ASYNC,
    WATCHED_MAX, WORDS, asked_of, receive, send,
};

struct Served {
    /// Stands first: it ends before its memory does.
    instance: Option<Instance>,
    shared: Shared,
    record: Arc<Record>,
    /// Others with which it shares the tables of `registry`; nothing else is asked of them.
    others: Vec<Instance>,
    registry: Option<Arc<Registry>>,
    /// Where in the plugin's batch the next event to be handed over is.
    next: usize,
    lists: [List; 3],
    watched: Vec<Asked>,
    columns: Vec<Column>,
    own: CString,
}

/// Events that stand in the memory.
#[derive(Default)]
struct List {
    events: Vec<(usize, usize)>,
    number: u64,
}

/// Serves until the other side is gone.
pub fn serve(socket: BorrowedFd<'_>, memory: BorrowedFd<'_>) -> std::io::Result<()> {
    let mut served = Served {
        instance: None,
        shared: Shared::map(memory)?,
        record: Arc::default(),
        others: Vec::new(),
        registry: None,
        next: 0,
        lists: Default::default(),
        watched: Vec::new(),
        columns: Vec::new(),
        own: CString::default(),
    };
    while let Ok(Some(question)) = receive(socket, true) {
        let mut answer = served.answer(&question);
        if let Some(instance) = &mut served.instance {
            instance.count_sent();
        }
        let Record { errors, dropped, .. } = &*served.record;
        (answer[0], answer[2], answer[3]) = (question[0], read(errors), read(dropped));
        for Notice { level, line } in served.record.take() {
            say(level, &line);
        }
        if send(socket, &answer).is_err() {
            break;
        }
    }
    Ok(())
}

/// A line for saker's log, whole, so that lines of several threads do not mix.
fn say(level: Level, line: &str) {
    let level = match level {
        Level::Critical => 'c',
        Level::Warning => 'w',
        Level::Info => 'i',
    };
    let text = format!("{LOG_MARK}{level}{}\n", one_line(line));
    // Nobody is there to be told that saker does not listen.
    let _ = stdout().lock().write_all(text.as_bytes());
}

type Answered = Result<Option<String>, String>;

impl Served {
    fn answer(&mut self, question: &Message) -> Message {
        let mut answer = [0; WORDS];
        match question[0] {
            NEXT => return self.next(question),
            COLUMN => return self.column(question),
            TAKE_ASYNC | DUMP => return self.blocks(question),
            _ => {}
        }
        let text = self.shared.text(ASKED, question[1]).unwrap_or_default();
        match self.words(question, &text) {
            Ok(said) => self.put_text(said, &mut answer),
            Err(why) => {
                self.put_text(Some(why), &mut answer);
                answer[1] = REFUSED;
            }
        }
        answer
    }

    fn put_text(&self, text: Option<String>, answer: &mut Message) {
        answer[1] = if text.is_some() { DONE } else { NOTHING };
        let text = text.unwrap_or_default();
        if self.shared.put(ANSWER, text.as_bytes()) {
            answer[4] = text.len() as u64;
        } else {
            answer[1] = NOTHING;
        }
    }

    /// Questions that are answered in words.
    fn words(&mut self, question: &Message, text: &str) -> Answered {
        if question[0] == LOAD {
            return self.load(text);
        }
        if question[0] == BEFORE {
            return self.load_other(text);
        }
        let Some(instance) = &mut self.instance else { return Err("nothing is loaded".into()) };
        match question[0] {
            INIT => instance.init(text).map(|()| Some(String::new())),
            OPEN => {
                self.next = 0;
                instance.open(text).map(|()| Some(String::new()))
            }
            SET_CONFIG => instance.set_config(text).map(|()| Some(String::new())),
            OPEN_PARAMS => instance.open_params().map(|params| Some(params.to_string())),
            EVENT_TYPES => Ok(Some(instance.event_types().to_string())),
            PROGRESS => {
                Ok(instance.progress().map(|(part, words)| json!([part, words]).to_string()))
            }
            METRICS => {
                let metrics = instance.metrics();
                let told = metrics.iter().map(|m| json!([m.name, m.rises, m.value]));
                Ok(Some(json!(told.collect::<Vec<_>>()).to_string()))
            }
            EVENT_TEXT => {
                let length = (question[4] as usize).min(LENT.1);
                // SAFETY: saker waits for the answer before it writes there again.
                let event = unsafe { &self.shared.bytes(LENT)[..length] };
                Ok(instance.event_text(event, question[5]))
            }
            BEGIN_ASYNC => instance.begin_async(text == "1").map(|()| Some(String::new())),
            END_ASYNC => {
                instance.end_async();
                Ok(None)
            }
            CAPTURE_OPEN => instance.capture_open().map(|()| Some(String::new())),
            CAPTURE_CLOSE => {
                instance.capture_close();
                Ok(None)
            }
            _ => Err("this is not known here".into()),
        }
    }

    /// Blocks of what it sent by itself, or of its state.
    fn blocks(&mut self, question: &Message) -> Message {
        let mut answer = [0; WORDS];
        let Some(instance) = &mut self.instance else { return answer };
        // SAFETY: saker waits for the answer before it looks there.
        let out = unsafe { self.shared.bytes(ANSWER) };
        let room = (question[4] as usize).min(out.len());
        let source_id = question[5] as u32;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        answer[4] = if question[0] == TAKE_ASYNC {
            instance.take_async(&mut out[..room], now as u64, source_id) as u64
        } else {
            let dump = instance.dump_state(now as u64, source_id);
            let fits = dump.len() <= room;
            if fits {
                out[..dump.len()].copy_from_slice(&dump);
            } else {
                self.record.failed("the dump of its state is too large");
            }
            if fits { dump.len() as u64 } else { 0 }
        };
        answer
    }

    fn load(&mut self, path: &str) -> Answered {
        let log = Box::new(|severity, line: &str| say(Level::of(severity), line));
        let record = Arc::clone(&self.record);
        let instance = Instance::load(path, record, log)?;
        // SAFETY: the memory is mapped for longer than the instance lives.
        instance.owner.state.events.count(unsafe { self.shared.count_sent() });
        self.own = for_plugin(&instance.info.source);
        let info = instance.info.to_json(&instance.library).to_string();
        self.instance = Some(instance);
        Ok(Some(info))
    }

    /// Another plugin, whose columns and tables this one may need to begin.
    fn load_other(&mut self, text: &str) -> Answered {
        let [path, config]: [String; 2] =
            serde_json::from_str(text).map_err(|_| "no path and configuration")?;
        let registry = self.registry.get_or_insert_with(|| Registry::new(Box::new(NoThreads)));
        if let Some(instance) = &mut self.instance {
            instance.owner.state.share(Arc::clone(registry));
        }
        // What it says was told when it was described itself.
        let mut other = Instance::load(&path, Arc::default(), Box::new(|_, _| {}))?;
        other.owner.state.share(Arc::clone(registry));
        other.init(&config)?;
        self.others.push(other);
        Ok(Some(String::new()))
    }

    /// Fills one of the two batches, and the columns that go with it.
    fn next(&mut self, question: &Message) -> Message {
        let mut answer = [0; WORDS];
        let place = (question[4] & 1) as usize;
        if question[5] != 0 {
            self.watched = asked_of(&self.shared.text(ASKED, question[1]).unwrap_or_default());
            self.watched.truncate(WATCHED_MAX);
            self.columns.resize_with(self.watched.len(), Column::default);
        }
        let Some(instance) = &mut self.instance else { return answer };
        let began = Instant::now();
        if self.next >= instance.events() {
            self.next = 0;
            let outcome = match instance.next_batch() {
                Batch::Events => None,
                Batch::Nothing => Some((NOTHING, String::new())),
                Batch::End => Some((ENDED, String::new())),
                Batch::Failed(why) => Some((REFUSED, why)),
            };
            if let Some((kind, why)) = outcome {
                (answer[1], answer[4]) = (kind, why.len() as u64);
                answer[6] = began.elapsed().as_micros() as u64;
                self.shared.put(BATCHES[place], why.as_bytes());
                return answer;
            }
        }
        answer[6] = began.elapsed().as_micros() as u64;
        let room = (question[6] as usize).min(BATCHES[place].1);
        // SAFETY: saker asks for the batch that it does not look at.
        let out = unsafe { &mut self.shared.bytes(BATCHES[place])[..room] };
        // What it knows after it parsed one is of this event, and not of those behind it.
        let parses = instance.parses_own();
        let most = if parses { 1 } else { usize::MAX };
        let filled = instance.put_blocks(&mut self.next, most, out);
        if parses && filled.events > 0 {
            instance.parse_own(filled.first, question[7], &self.own);
            // The next one waits until saker has asked all of this one.
            answer[6] = u64::MAX;
        }
        let List { events, number } = &mut self.lists[place];
        *number = question[7];
        events.clear();
        events_of(&out[..filled.bytes], events);
        (answer[1], answer[4], answer[5]) = (DONE, filled.bytes as u64, filled.events as u64);
        self.put_columns(place, &mut answer);
        answer
    }

    /// Columns that recent batches were asked for: the fields of one event together.
    fn put_columns(&mut self, place: usize, answer: &mut Message) {
        let Some(instance) = self.instance.as_mut().filter(|_| !self.watched.is_empty()) else {
            return;
        };
        self.columns.iter_mut().for_each(Column::clear);
        // SAFETY: only this side writes there, and does not meanwhile.
        let bytes = unsafe { &*self.shared.bytes(BATCHES[place]) };
        let List { events, number } = &self.lists[place];
        for (event, (start, end)) in events.iter().enumerate() {
            let given = Given { bytes: &bytes[*start..*end], number: number + event as u64 };
            self.shared.set_asking(event as u64 + 1);
            instance.extract(given, &self.own, &self.watched, &mut self.columns);
        }
        self.shared.set_asking(0);
        // SAFETY: saker asks for the batch whose columns it does not look at.
        let out = unsafe { self.shared.bytes(COLUMNS[place]) };
        pack(&self.columns, events.len(), out, answer);
    }

    fn column(&mut self, question: &Message) -> Message {
        let mut answer = [0; WORDS];
        let asked = asked_of(&self.shared.text(ASKED, question[1]).unwrap_or_default());
        let list = (question[4] as usize).min(LENT_LIST);
        let (first, count) = (question[5] as usize, question[6] as usize);
        let area = if list == LENT_LIST { LENT } else { BATCHES[list] };
        // SAFETY: saker waits for the answer before it writes there again.
        let bytes = unsafe { &*self.shared.bytes(area) };
        let mut source = self.own.clone();
        if list == LENT_LIST {
            self.lists[LENT_LIST].find(question, bytes);
            let text = self.shared.text(ASKED, question[1].saturating_add(question[10]));
            let text = text.unwrap_or_default();
            source = for_plugin(text.get(question[1] as usize..).unwrap_or_default());
        }
        let Some(instance) = &mut self.instance else { return answer };
        let asked = &asked[..asked.len().min(WATCHED_MAX)];
        let mut columns: Vec<Column> = asked.iter().map(|_| Column::default()).collect();
        let List { events, number } = &self.lists[list];
        for (place, (start, end)) in events.iter().enumerate().skip(first).take(count) {
            let given = Given { bytes: &bytes[*start..*end], number: number + place as u64 };
            self.shared.set_asking(place as u64 + 1);
            instance.extract(given, &source, asked, &mut columns);
            if columns.iter().all(Column::is_full) {
                break;
            }
        }
        self.shared.set_asking(0);
        // SAFETY: saker waits for the answer before it looks there.
        let out = unsafe { self.shared.bytes(ANSWER) };
        let least = if asked.len() == 1 { 0 } else { events.len() };
        pack(&columns, least, out, &mut answer);
        answer
    }
}

/// Writes columns one behind the other, and their lengths into the answer. 0: it has no room, or
/// has fewer events than it is to have.
fn pack(columns: &[Column], least: usize, out: &mut [u8], answer: &mut Message) {
    let mut at = 0;
    for (slot, column) in columns.iter().enumerate() {
        let is_whole = column.counts.len() >= least;
        let length = if is_whole { column.write(&mut out[at..]).max(0) } else { 0 };
        answer[8 + slot] = length as u64;
        at += length as usize;
    }
}

impl List {
    /// What saker lent since the last question: whole blocks, or one event by itself.
    fn find(&mut self, question: &Message, bytes: &[u8]) {
        let length = (question[8] as usize).min(bytes.len());
        let Self { events, number } = self;
        *number = question[7];
        events.clear();
        if question[9] == 1 {
            events.push((0, length));
        } else {
            events_of(&bytes[..length], events);
        }
    }
}

/// The words under which `ps` shows the process.
pub fn process_title(name: &str) -> String {
    let mut title = String::from("saker: plugin ");
    let _ = write!(title, "{}", one_line(name));
    title
}
