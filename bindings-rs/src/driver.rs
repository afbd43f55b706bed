//! The class Driver of ../index.d.ts: a source of records, whichever it is, and what its sequence
//! numbers told.
#![allow(clippy::needless_pass_by_value, reason = "napi hands values over")]
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use napi::bindgen_prelude::{BigInt, Float64Array, Uint8Array, Uint16Array, Uint32Array};
use napi_derive::napi;

use crate::budget;
use crate::failure::{Code, Failure};
use crate::gaps::{Gap, Gaps};
use crate::module::ModuleRecords;
use crate::probe_records::ProbeRecords;
use crate::ptrace::{Target, TracerRecords};
use crate::records::Records;
use crate::settings::Options;
use crate::tally::ProgramWork;

/// A stop, new rules and news of containers wait so long at the most.
const LOOKS_AT_BELLS: Duration = Duration::from_millis(100);

type Result<T> = std::result::Result<T, napi::Error<Code>>;

#[napi(object)]
pub struct OpenOptions {
    pub interest: Uint16Array,
    pub critical_ring_bytes: u32,
    pub bulk_ring_bytes: u32,
    pub snaplen: u32,
    pub full_ports: Option<Vec<u32>>,
    pub dynamic_snaplen: Option<bool>,
    pub drop_failed: bool,
    pub self_pid: u32,
}

/// What is to be traced: a command by its words, or a process.
#[napi(object)]
pub struct TraceTarget {
    pub command: Option<Vec<Uint8Array>>,
    pub pid: Option<u32>,
    pub fast: Option<bool>,
}

#[napi(object)]
pub struct DriverStats {
    pub events: BigInt,
    pub lost_critical: BigInt,
    pub lost_bulk: BigInt,
    pub excess: BigInt,
    pub skipped: BigInt,
    pub truncated: BigInt,
    pub named: BigInt,
    pub unresolved: BigInt,
    pub files_named: BigInt,
    pub files_refused: BigInt,
    pub programs: u32,
    pub attached: u32,
}

/// A process that lost events over its share of the critical ring.
#[napi(object)]
pub struct ProcessExcess {
    pub pid: u32,
    pub name: String,
    pub lost: BigInt,
}

/// Events of one CPU and lane that are missing; milliseconds since the epoch.
#[napi(object)]
pub struct SequenceGap {
    pub cpu: u16,
    pub lane: u8,
    pub lost: BigInt,
    pub from_ms: f64,
    pub until_ms: f64,
}

/// Events of one code that the sieve kept back, or that were lost.
#[napi(object)]
pub struct CodeEvents {
    pub code: u16,
    pub events: BigInt,
}

fn code_events(counts: Vec<(u16, u64)>) -> Vec<CodeEvents> {
    let told = |(code, events): (u16, u64)| CodeEvents { code, events: events.into() };
    counts.into_iter().map(told).collect()
}

/// How often one of the driver's programs ran.
#[napi(object)]
pub struct ProgramRuns {
    pub name: String,
    pub runs: BigInt,
    pub ns: BigInt,
}

#[napi(object)]
pub struct AttachedProgram {
    pub name: String,
    pub kind: String,
    pub target: String,
    pub events: Vec<String>,
    pub attached: bool,
    pub refused: bool,
    pub reason: String,
}

struct Open {
    records: Box<dyn Records>,
    gaps: Gaps,
}

/// An open source of records; None once it is closed.
#[napi]
pub struct Driver {
    open: Option<Open>,
}

impl OpenOptions {
    fn chosen(&self) -> std::result::Result<Options, Failure> {
        Ok(Options {
            critical_ring_bytes: ring_bytes(self.critical_ring_bytes, "critical")?,
            bulk_ring_bytes: ring_bytes(self.bulk_ring_bytes, "bulk")?,
            snaplen: self.snaplen,
            drop_failed: self.drop_failed,
            self_pid: self.self_pid,
            full_ports: match self.full_ports.as_deref() {
                Some(&[from, to]) => (from, to),
                _ => (0, 0),
            },
            dynamic_snaplen: self.dynamic_snaplen.unwrap_or(false),
        })
    }
}

fn ring_bytes(bytes: u32, name: &str) -> std::result::Result<u32, Failure> {
    if bytes.is_power_of_two() && bytes >= 4096 {
        return Ok(bytes);
    }
    Err(Failure::new(
        Code::Invalid,
        format!(
            "Cannot make the {name} ring of {bytes} bytes: a power of two from 4096 on is wanted"
        ),
    ))
}

/// An event's name in the table.
fn event_id(code: u16) -> String {
    probe::table::EVENT_IDS.get(code as usize).copied().unwrap_or_default().to_owned()
}

/// Other threads set the words meanwhile.
fn any_rings(bells: &[u32]) -> bool {
    bells.iter().any(|bell| {
        // SAFETY: lent for the call, and a u32 is aligned as an AtomicU32 is.
        let bell = unsafe { AtomicU32::from_ptr(std::ptr::from_ref(bell).cast_mut()) };
        bell.load(Relaxed) != 0
    })
}

#[napi]
impl Driver {
    /// Loads and attaches the probe.
    #[napi(factory)]
    pub fn open(probe: Uint8Array, options: OpenOptions) -> Result<Self> {
        let records = ProbeRecords::open(&probe, &options.chosen()?, &options.interest)?;
        Ok(Self::of(Box::new(records)))
    }

    /// Becomes a reader of the kernel module, whose device is named.
    #[napi(factory)]
    pub fn open_module(device: String, options: OpenOptions) -> Result<Self> {
        let records = ModuleRecords::open(&device, &options.chosen()?, &options.interest)?;
        Ok(Self::of(Box::new(records)))
    }

    /// Traces a command, or a process and what it has started.
    #[napi(factory)]
    pub fn trace(target: TraceTarget, options: OpenOptions) -> Result<Self> {
        let target = match (target.command, target.pid) {
            (Some(words), _) => Target::Command {
                words: words.iter().map(|word| word.to_vec()).collect(),
                filtered: target.fast == Some(true),
            },
            (None, Some(pid)) => Target::Process(pid as i32),
            (None, None) => Target::Nothing,
        };
        let records = TracerRecords::open(target, &options.chosen()?, &options.interest)?;
        Ok(Self::of(Box::new(records)))
    }

    fn of(records: Box<dyn Records>) -> Self {
        let begun = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { open: Some(Open { records, gaps: Gaps::new(begun.as_nanos() as u64) }) }
    }

    fn opened(&mut self) -> Result<&mut Open> {
        self.open.as_mut().ok_or_else(|| {
            Failure::new(Code::Invalid, "Cannot use the driver: it is closed").into()
        })
    }

    fn records(&mut self) -> Result<&mut dyn Records> {
        Ok(&mut *self.opened()?.records)
    }

    /// Fills `buffer` with whole blocks in time order; returns the bytes.
    #[napi]
    pub fn drain(&mut self, mut buffer: Uint8Array) -> Result<u32> {
        let Open { records, gaps } = self.opened()?;
        // SAFETY: the engine lends the buffer for this call and touches it only afterwards.
        let out = unsafe { buffer.as_mut() };
        Ok(records.drain(out, gaps)? as u32)
    }

    /// Blocks until there is something to drain or the time is over, or until one of `bells` is not
    /// zero: words of the caller's memory, at which it looks now and then.
    #[napi]
    pub fn wait(&mut self, timeout_ms: u32, bells: Uint32Array) -> Result<bool> {
        let records = self.records()?;
        let end = Instant::now() + Duration::from_millis(u64::from(timeout_ms));
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if records.wait(left.min(LOOKS_AT_BELLS))? {
                return Ok(true);
            }
            if left <= LOOKS_AT_BELLS || any_rings(&bells) {
                return Ok(false);
            }
        }
    }

    /// The exit code once nothing will come any more; 0 for a source that has no command.
    #[napi]
    pub fn ended(&mut self) -> Result<Option<i32>> {
        Ok(self.records()?.ended())
    }

    /// The process of the command that is traced; 0: there is none.
    #[napi]
    pub fn command(&mut self) -> Result<u32> {
        Ok(self.records()?.command())
    }

    #[napi]
    pub fn set_interest(&mut self, codes: Uint16Array) -> Result<()> {
        Ok(self.records()?.set_interest(&codes)?)
    }

    /// Exchanges the files that are known by their inodes too.
    #[napi]
    pub fn name_files(&mut self, names: Vec<Uint8Array>, host_root: String) -> Result<()> {
        let names = names.iter().map(|name| name.to_vec()).collect();
        Ok(self.records()?.name_files(names, &host_root)?)
    }

    /// There may be a root whose files are not known yet: a container has begun.
    #[napi]
    pub fn look_at_roots(&mut self) -> Result<()> {
        self.records()?.look_at_roots();
        Ok(())
    }

    /// Prepares some of what nobody wants yet; whether all is prepared.
    #[napi]
    pub fn load_spare(&mut self) -> Result<bool> {
        Ok(self.records()?.load_spare()?)
    }

    /// Exchanges the sieve's table; an empty one lets everything through.
    #[napi]
    pub fn set_sieve(&mut self, table: Uint8Array, keeps_opens: bool) -> Result<()> {
        Ok(self.records()?.set_sieve(&table, keeps_opens)?)
    }

    /// Events that the sieve kept back, by code.
    #[napi]
    pub fn sifted(&mut self) -> Result<Vec<CodeEvents>> {
        Ok(code_events(self.records()?.sifted()))
    }

    /// Events that were lost, by code.
    #[napi]
    pub fn lost(&mut self) -> Result<Vec<CodeEvents>> {
        Ok(code_events(self.records()?.lost()))
    }

    /// What sequence numbers told since the last call.
    #[allow(clippy::cast_precision_loss, reason = "a quarter of a microsecond is fine enough")]
    #[napi]
    pub fn take_gaps(&mut self) -> Result<Vec<SequenceGap>> {
        let ms = |ns: u64| ns as f64 / 1e6;
        let told = |Gap { cpu, lane, lost, from, until }: Gap| SequenceGap {
            cpu,
            lane,
            lost: lost.into(),
            from_ms: ms(from),
            until_ms: ms(until),
        };
        Ok(self.opened()?.gaps.take().into_iter().map(told).collect())
    }

    /// For each CPU three numbers: events that were written, and that were lost of each lane.
    #[allow(clippy::cast_precision_loss, reason = "2^53 events are more than any run has")]
    #[napi]
    pub fn cpus(&mut self) -> Result<Float64Array> {
        let cpus = self.records()?.cpus();
        Ok(Float64Array::new(cpus.into_iter().flatten().map(|count| count as f64).collect()))
    }

    /// How often each program ran and for how long, where the kernel counts it.
    #[napi]
    pub fn runs(&mut self) -> Result<Vec<ProgramRuns>> {
        let told =
            |ProgramWork { name, runs, ns }| ProgramRuns { name, runs: runs.into(), ns: ns.into() };
        Ok(self.records()?.runs().into_iter().map(told).collect())
    }

    #[napi]
    pub fn stats(&mut self) -> Result<DriverStats> {
        let stats = self.records()?.stats();
        Ok(DriverStats {
            events: stats.events.into(),
            lost_critical: stats.lost[0].into(),
            lost_bulk: stats.lost[1].into(),
            excess: stats.excess.into(),
            skipped: stats.skipped.into(),
            truncated: stats.truncated.into(),
            named: stats.named.into(),
            unresolved: stats.unresolved.into(),
            files_named: stats.files.0.into(),
            files_refused: stats.files.1.into(),
            programs: stats.programs,
            attached: stats.attached,
        })
    }

    /// Processes that lost events over their share since the last call.
    #[napi]
    pub fn take_excess(&mut self) -> Result<Vec<ProcessExcess>> {
        let told = |budget::Excess { process, name, lost }| ProcessExcess {
            pid: process,
            name,
            lost: lost.into(),
        };
        Ok(self.records()?.take_excess()?.into_iter().map(told).collect())
    }

    /// What is attached where, and why not; asks the kernel.
    #[napi]
    pub fn plan(&mut self) -> Result<Vec<AttachedProgram>> {
        Ok(self
            .records()?
            .plan()
            .into_iter()
            .map(|planned| AttachedProgram {
                name: planned.name.to_owned(),
                kind: planned.kind.to_owned(),
                target: planned.target.to_owned(),
                events: planned.events.iter().map(|&code| event_id(code)).collect(),
                attached: planned.reason.is_empty(),
                refused: planned.refused,
                reason: planned.reason,
            })
            .collect())
    }

    #[napi]
    pub fn close(&mut self) {
        self.open = None;
    }
}
