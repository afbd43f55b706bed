//! The class Plugin of ../plugins.d.ts: one plugin of Falco's, asked by one thread. What it is and
//! does is told by the crate plugin-host; here it crosses into JavaScript.
#![allow(clippy::needless_pass_by_value, reason = "napi hands values over")]
mod events;
mod tables;

use std::time::Duration;

use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;
use plugin_host::extraction::Asked;
use plugin_host::instance::Metric;
use plugin_host::local::Local;
use plugin_host::port::{Lending, Port, Span, State};
use plugin_host::record::{Level, Notice, read};
use plugin_host::remote::{Options, Remote};
use plugin_host::text_for_plugin;

use crate::failure::{Code, Failure};

type Result<T> = std::result::Result<T, napi::Error<Code>>;

#[napi(object)]
pub struct PluginOptions {
    pub path: String,
    pub name: String,
    pub in_process: bool,
    pub host: Option<Uint8Array>,
    pub memory_mb: u32,
    pub processes: Option<bool>,
}

#[napi(object)]
pub struct PluginNoticeLine {
    pub level: String,
    pub line: String,
}

#[napi(object)]
pub struct PluginMetricValue {
    pub name: String,
    pub kind: String,
    pub value: f64,
}

#[napi(object)]
pub struct PluginProgress {
    pub share: f64,
    pub text: String,
}

#[napi(object)]
pub struct PluginNumberValues {
    pub state: String,
    pub restarts: i64,
    pub errors: i64,
    pub dropped: i64,
    pub timeouts: i64,
    pub resident_bytes: i64,
    pub last_error: Option<String>,
    pub blocked_ms: i64,
}

#[napi]
pub struct Plugin {
    /// None once it is closed.
    port: Option<Box<dyn Port>>,
}

fn refused(why: String) -> napi::Error<Code> {
    Failure::new(Code::Invalid, why).into()
}

/// A field with what stands in its brackets.
fn asked(field: u32, key: Option<String>, index: Option<f64>) -> Asked {
    // Numbers of JavaScript that are no index are the nearest that is one.
    #[allow(clippy::cast_possible_truncation, reason = "saturates")]
    let index = index.map(|index| index as u64);
    Asked { field, key: key.map(|key| text_for_plugin(&key)), index }
}

#[napi]
impl Plugin {
    #[napi(factory)]
    pub fn load(options: PluginOptions) -> Result<Self> {
        let PluginOptions { path, name, in_process, host, memory_mb, processes } = options;
        let may_start = processes.unwrap_or(false);
        let port: Box<dyn Port> = if in_process {
            Box::new(Local::load(&path).map_err(refused)?)
        } else {
            let program = host.ok_or_else(|| refused("its program is missing".into()))?;
            let memory_bytes = u64::from(memory_mb) << 20;
            let (program, path, name) = (&program, &path, &name);
            let options = Options { program, path, name, memory_bytes, may_start };
            Box::new(Remote::load(&options).map_err(refused)?)
        };
        Ok(Self { port: Some(port) })
    }

    fn port(&mut self) -> Result<&mut dyn Port> {
        match &mut self.port {
            Some(port) => Ok(port.as_mut()),
            None => Err(refused("the plugin is closed".into())),
        }
    }

    /// JSON of what it says of itself.
    #[napi]
    pub fn info(&mut self) -> Result<String> {
        Ok(self.port()?.info())
    }

    #[napi]
    pub fn init(&mut self, config: String) -> Result<()> {
        self.port()?.init(&config).map_err(refused)
    }

    #[napi]
    pub fn event_types(&mut self) -> Result<String> {
        Ok(self.port()?.event_types())
    }

    #[napi]
    pub fn open_params(&mut self) -> Result<String> {
        self.port()?.open_params().map_err(refused)
    }

    #[napi]
    pub fn open(&mut self, params: String) -> Result<()> {
        self.port()?.open(&params).map_err(refused)
    }

    /// Fills `buffer` with whole blocks of events; 0: none now; -1: the source has ended.
    #[napi]
    pub fn read(&mut self, mut buffer: Uint8Array) -> i64 {
        let Some(port) = &mut self.port else { return -1 };
        // SAFETY: the engine lends the buffer for this call and touches it only afterwards.
        port.read(unsafe { buffer.as_mut() })
    }

    #[napi]
    pub fn wait(&mut self, timeout_ms: u32) {
        if let Some(port) = &mut self.port {
            port.wait(Duration::from_millis(timeout_ms.into()));
        }
    }

    #[allow(clippy::too_many_arguments, reason = "numbers cross cheaper than an object")]
    #[napi]
    pub fn column(
        &mut self,
        field: u32,
        key: Option<String>,
        index: Option<f64>,
        first: u32,
        count: u32,
        out: Uint8Array,
    ) -> i64 {
        let span = Span { lent: false, first: first as usize, count: count as usize };
        self.column_of_span(&asked(field, key, index), span, out)
    }

    /// Takes events of another source; returns how many there are.
    #[napi]
    pub fn lend(&mut self, blocks: Uint8Array, source: String, first_number: f64) -> u32 {
        let Some(port) = &mut self.port else { return 0 };
        #[allow(clippy::cast_possible_truncation, reason = "saturates")]
        let lending = Lending { source: &source, number: first_number as u64 };
        port.lend(&blocks, &lending) as u32
    }

    #[allow(clippy::too_many_arguments, reason = "numbers cross cheaper than an object")]
    #[napi]
    pub fn lent_column(
        &mut self,
        field: u32,
        key: Option<String>,
        index: Option<f64>,
        first: u32,
        count: u32,
        out: Uint8Array,
    ) -> i64 {
        let span = Span { lent: true, first: first as usize, count: count as usize };
        self.column_of_span(&asked(field, key, index), span, out)
    }

    #[allow(clippy::too_many_arguments, reason = "numbers cross cheaper than an object")]
    #[napi]
    pub fn column_of(
        &mut self,
        event: Uint8Array,
        number: f64,
        source: String,
        field: u32,
        key: Option<String>,
        index: Option<f64>,
        mut out: Uint8Array,
    ) -> i64 {
        let Some(port) = &mut self.port else { return 0 };
        #[allow(clippy::cast_possible_truncation, reason = "saturates")]
        let lending = Lending { source: &source, number: number as u64 };
        // SAFETY: the engine lends the buffer for this call and touches it only afterwards.
        let out = unsafe { out.as_mut() };
        port.column_of(&event, &lending, &asked(field, key, index), out)
    }

    #[napi]
    pub fn event_text(&mut self, event: Uint8Array, number: f64) -> Option<String> {
        #[allow(clippy::cast_possible_truncation, reason = "saturates")]
        self.port.as_mut()?.event_text(&event, number as u64)
    }

    #[napi]
    pub fn progress(&mut self) -> Option<PluginProgress> {
        let (part, text) = self.port.as_mut()?.progress()?;
        Some(PluginProgress { share: f64::from(part) / 10_000.0, text })
    }

    #[napi]
    pub fn set_config(&mut self, config: String) -> Result<()> {
        self.port()?.set_config(&config).map_err(refused)
    }

    #[napi]
    pub fn metrics(&mut self) -> Vec<PluginMetricValue> {
        let told = |Metric { name, rises, value }| PluginMetricValue {
            name,
            kind: if rises { "counter" } else { "gauge" }.into(),
            value,
        };
        let metrics = self.port.as_mut().map(|port| port.metrics());
        metrics.unwrap_or_default().into_iter().map(told).collect()
    }

    #[napi]
    pub fn numbers(&mut self) -> Result<PluginNumberValues> {
        let port = self.port()?;
        let now = port.now();
        let state = match now.state {
            State::Running => "running",
            State::Pausing => "pausing",
            State::Ended => "ended",
        };
        let record = port.record();
        Ok(PluginNumberValues {
            state: state.into(),
            restarts: read(&record.restarts) as i64,
            errors: read(&record.errors) as i64,
            dropped: read(&record.dropped) as i64,
            timeouts: read(&record.timeouts) as i64,
            resident_bytes: now.resident_bytes as i64,
            last_error: record.last_error(),
            blocked_ms: now.blocked.as_millis() as i64,
        })
    }

    #[napi]
    pub fn take_notices(&mut self) -> Vec<PluginNoticeLine> {
        let told = |Notice { level, line }| {
            let level = match level {
                Level::Critical => "critical",
                Level::Warning => "warning",
                Level::Info => "info",
            };
            PluginNoticeLine { level: level.into(), line }
        };
        let notices = self.port.as_mut().map(|port| port.record().take());
        notices.unwrap_or_default().into_iter().map(told).collect()
    }

    #[napi]
    pub fn close(&mut self) {
        self.port = None;
    }

    fn column_of_span(&mut self, asked: &Asked, span: Span, mut out: Uint8Array) -> i64 {
        let Some(port) = &mut self.port else { return 0 };
        // SAFETY: the engine lends the buffer for this call and touches it only afterwards.
        port.column(asked, span, unsafe { out.as_mut() })
    }
}
