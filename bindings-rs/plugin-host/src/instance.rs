//! One plugin that is initialized: calls of saker come in, the plugin's answers go out, checked.
//! All calls but those of `Owner` are made on one thread, as the interface asks.
use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::abi::{
    self, ConfigInput, Event, EventInput, FAILURE, Handle, InitInput, Plugin, SUCCESS,
};
use crate::async_events::AsyncCounts;
use crate::blocks::HEADER;
use crate::doors::init_tables;
use crate::go_kit::without_spinning;
use crate::info::{Info, event_types, open_params};
use crate::last_error::last_error;
use crate::library::Library;
use crate::owner::{Log, Owner, log};
use crate::record::{Level, Record};
use crate::said::{self, JSON_MAX, WORDS_MAX, for_plugin, one_line};
use crate::schema::check_config;

/// Metrics of one plugin.
const METRICS_MAX: usize = 1024;
/// Answers that are refused are told so often.
const TOLD_EVERY: Duration = Duration::from_mins(1);

pub struct Instance {
    pub library: Library,
    pub info: Info,
    pub record: Arc<Record>,
    pub owner: Box<Owner>,
    pub(crate) plugin: *mut Plugin,
    pub(crate) handle: *mut Handle,
    /// The batch that the plugin gave last; its memory is the plugin's until the next is asked for.
    pub(crate) batch: Vec<*mut Event>,
    /// How the batch ended, where it has events and was not the last.
    pub(crate) after: Option<Batch>,
    /// Types of events that values are asked of; empty: all that are compatible.
    pub(crate) extract_types: Vec<u16>,
    pub parse_types: Vec<u16>,
    told: Option<Instant>,
    /// Asynchronous events that were dropped and refused, as far as the record has them.
    pub(crate) counted: AsyncCounts,
    is_open: bool,
}

/// What came of asking for events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Batch {
    /// `Instance::event` has them.
    Events,
    Nothing,
    End,
    Failed(String),
}

/// A value that a plugin counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    pub name: String,
    pub rises: bool,
    pub value: f64,
}

impl Instance {
    /// Loads and checks the library; nothing of it has been initialized.
    pub fn load(path: &str, record: Arc<Record>, log: Log) -> Result<Self, String> {
        Self::of(Library::load(path)?, record, log)
    }

    pub fn of(library: Library, record: Arc<Record>, log: Log) -> Result<Self, String> {
        let info = Info::of(&library)?;
        let owner = Owner::new(log);
        Ok(Self {
            library,
            info,
            record,
            owner,
            plugin: null_mut(),
            handle: null_mut(),
            batch: Vec::new(),
            after: None,
            extract_types: Vec::new(),
            parse_types: Vec::new(),
            told: None,
            counted: AsyncCounts::default(),
            is_open: false,
        })
    }

    pub fn init(&mut self, config: &str) -> Result<(), String> {
        let Some(init) = self.library.functions.init.filter(|_| self.plugin.is_null()) else {
            return Err(format!("plugin has been initialized twice: {}", self.info.name));
        };
        let config = for_plugin(&self.fitting(config)?);
        let can = self.library.capabilities;
        let tables = init_tables();
        let has_tables = can.parsing || can.extraction || can.listening;
        self.owner.state.access.begin_call();
        let input = InitInput {
            config: config.as_ptr(),
            owner: self.owner.pointer(),
            owner_error: Some(last_error),
            tables: if has_tables { &raw const tables } else { null() },
            log: Some(log),
        };
        let mut rc = FAILURE;
        // SAFETY: the interface's own type; all that is handed over outlives the call, and what a
        // plugin may keep (the owner, tables of functions) lives as long as the plugin.
        self.plugin = unsafe { init(&raw const input, &raw mut rc) };
        if rc != SUCCESS {
            return Err(format!("could not initialize plugin: {}", self.last_error()));
        }
        self.owner.state.set_plugin(self.plugin);
        let functions = &self.library.functions;
        // SAFETY: it is initialized.
        unsafe {
            self.extract_types = event_types(functions.get_extract_event_types, self.plugin);
            self.parse_types = event_types(functions.get_parse_event_types, self.plugin);
        }
        Ok(())
    }

    fn fitting(&self, config: &str) -> Result<String, String> {
        match &self.info.init_schema {
            Some(schema) => {
                Ok(without_spinning(schema, check_config(&self.info.name, schema, config)?))
            }
            None => Ok(config.to_owned()),
        }
    }

    pub fn event_types(&self) -> Value {
        json!({ "extractEventTypes": self.extract_types, "parseEventTypes": self.parse_types })
    }

    /// The version of the events' parameters that it asks for; None where it does not say.
    pub fn schema_version(&self) -> Option<String> {
        let asked = self.library.functions.get_required_event_schema_version?;
        // SAFETY: the plugin's own state, and a C string or NULL.
        Some(unsafe { said::line(asked(self.plugin)) }).filter(|version| !version.is_empty())
    }

    /// What the plugin says of its last failure; None where it says nothing.
    pub fn reason(&self) -> Option<String> {
        let said = match self.library.functions.get_last_error {
            // SAFETY: the plugin's own state, and a C string or NULL.
            Some(error) if !self.plugin.is_null() => unsafe { said::line(error(self.plugin)) },
            _ => "plugin handle or 'get_last_error' function not defined".into(),
        };
        Some(said).filter(|said| !said.is_empty())
    }

    /// The same in words in any case.
    pub fn last_error(&self) -> String {
        self.reason().unwrap_or_else(|| "it gave no reason".into())
    }

    pub fn set_config(&mut self, config: &str) -> Result<(), String> {
        let config = for_plugin(&self.fitting(config)?);
        let Some(set) = self.library.functions.set_config.filter(|_| !self.plugin.is_null()) else {
            return Err("the plugin takes no configuration while it runs".into());
        };
        let input = ConfigInput { config: config.as_ptr() };
        // SAFETY: the plugin's own state; the text outlives the call.
        match unsafe { set(self.plugin, &raw const input) } {
            SUCCESS => Ok(()),
            _ => Err(self.last_error()),
        }
    }

    pub fn open_params(&self) -> Result<Value, String> {
        let Some(list) = self.library.functions.list_open_params else { return Ok(json!([])) };
        if self.plugin.is_null() {
            return Ok(json!([]));
        }
        let mut rc = SUCCESS;
        // SAFETY: the plugin's own state, and a C string or NULL.
        let text = unsafe { said::text(list(self.plugin, &raw mut rc), JSON_MAX) };
        let told = match rc {
            SUCCESS => open_params(&text),
            _ => Err(format!("list_open_params has error {}", self.last_error())),
        };
        told.map_err(|error| format!("error in plugin {}: {error}", self.info.name))
    }

    pub fn open(&mut self, params: &str) -> Result<(), String> {
        self.close_source();
        let Some(open) = self.library.functions.open.filter(|_| !self.plugin.is_null()) else {
            return Err("the plugin is no source of events".into());
        };
        let params = for_plugin(params);
        let mut rc = FAILURE;
        // SAFETY: the plugin's own state; the text outlives the call.
        self.handle = unsafe { open(self.plugin, params.as_ptr(), &raw mut rc) };
        if rc != SUCCESS {
            return Err(self.last_error());
        }
        self.is_open = true;
        Ok(())
    }

    pub fn is_open(&self) -> bool {
        self.is_open
    }

    pub fn close_source(&mut self) {
        self.batch.clear();
        self.after = None;
        if let Some(close) = self.library.functions.close.filter(|_| self.is_open) {
            // SAFETY: the plugin's own state and handle, which nobody uses any more.
            unsafe { close(self.plugin, self.handle) };
        }
        self.is_open = false;
        self.handle = null_mut();
    }

    /// How far the source is, in parts of ten thousand, and the plugin's words of it.
    pub fn progress(&self) -> Option<(u32, String)> {
        let progress = self.library.functions.get_progress.filter(|_| self.is_open)?;
        let mut part = 0;
        // SAFETY: the plugin's own state and handle, and a C string or NULL.
        let text = unsafe { said::line(progress(self.plugin, self.handle, &raw mut part)) };
        Some((part.min(10_000), text))
    }

    /// The plugin's own text of an event: its bytes from the header on.
    pub fn event_text(&self, event: &[u8], number: u64) -> Option<String> {
        let to_string = self.library.functions.event_to_string?;
        if self.plugin.is_null() || event.len() < HEADER {
            return None;
        }
        let source = for_plugin(&self.info.source);
        let event = event.as_ptr().cast();
        let input = EventInput { event, number, source: source.as_ptr() };
        // SAFETY: the plugin's own state; the event outlives the call.
        let text = unsafe { said::text(to_string(self.plugin, &raw const input), JSON_MAX) };
        Some(text).filter(|text| !text.is_empty())
    }

    pub fn metrics(&self) -> Vec<Metric> {
        let Some(metrics) = self.library.functions.get_metrics else { return Vec::new() };
        if self.plugin.is_null() {
            return Vec::new();
        }
        let mut count = 0;
        // SAFETY: the plugin's own state; the array has as many elements as it says.
        let told = unsafe {
            let first = metrics(self.plugin, &raw mut count);
            if first.is_null() {
                return Vec::new();
            }
            std::slice::from_raw_parts(first, (count as usize).min(METRICS_MAX))
        };
        told.iter().filter_map(metric_of).collect()
    }

    /// An answer was refused: counted, and told now and then.
    pub(crate) fn refuse(&mut self, what: &str) {
        self.record.failed(what);
        if self.told.is_none_or(|told| told.elapsed() > TOLD_EVERY) {
            self.told = Some(Instant::now());
            self.record.notice(Level::Warning, what);
        }
    }
}

fn metric_of(metric: &abi::Metric) -> Option<Metric> {
    // SAFETY: a C string or NULL, and the member of the union that its type names.
    let (name, value) = unsafe {
        let value = metric.value;
        #[allow(clippy::cast_precision_loss, reason = "metrics are numbers of JSON later")]
        let value = match metric.value_type {
            0 => f64::from(value.u32),
            1 | 6 => f64::from(value.s32),
            2 => value.u64 as f64,
            3 => value.s64 as f64,
            4 => value.double,
            5 => f64::from(value.float),
            _ => return None,
        };
        (one_line(&said::text(metric.name, WORDS_MAX)), value)
    };
    let known = !name.is_empty() && value.is_finite();
    known.then_some(Metric { name, rises: metric.kind == 0, value })
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.end_async();
        self.owner.state.routines.end();
        self.close_source();
        if let Some(destroy) = self.library.functions.destroy.filter(|_| !self.plugin.is_null()) {
            // SAFETY: the plugin's own state, which nobody uses any more.
            unsafe { destroy(self.plugin) };
        }
        let provider = self.owner.pointer().addr();
        self.owner.state.access.registry.remove_of(provider);
    }
}
