//! The class Driver of ../index.d.ts.
#![allow(clippy::needless_pass_by_value, reason = "napi hands values over")]
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aya::Btf;
use napi::bindgen_prelude::{BigInt, Float64Array, Uint8Array, Uint16Array};
use napi_derive::napi;

use crate::blocks::Blocks as _;
use crate::budget;
use crate::failure::{Code, Failure};
use crate::gaps::{Gap, Gaps};
use crate::loader::Probe;
use crate::merge;
use crate::named::Named;
use crate::ring::Ring;
use crate::settings::Options;
use crate::tally::ProgramWork;

type Result<T> = std::result::Result<T, napi::Error<Code>>;

/// The probe wakes a reader at most every 10 ms (ebpf-rs/src/record.rs). So a reader that has read
/// something looks by itself for a while, each time after a short sleep; in a quiet time it sleeps.
const READER_LOOKS: Duration = Duration::from_millis(60);
const SHORT_SLEEP: Duration = Duration::from_millis(20);

#[napi(object)]
pub struct OpenOptions {
    pub probe: Uint8Array,
    pub interest: Uint16Array,
    pub critical_ring_bytes: u32,
    pub bulk_ring_bytes: u32,
    pub snaplen: u32,
    pub full_ports: Option<Vec<u32>>,
    pub dynamic_snaplen: Option<bool>,
    pub drop_failed: bool,
    pub self_pid: u32,
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

/// How often one of the probe's programs ran.
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
    probe: Probe,
    critical: Ring,
    bulk: Ring,
    /// Programs, how many of them are attached, and how often they were left out, as the kernel
    /// last said.
    seen: (Instant, u32, u32, u64),
    last_read: Instant,
    named: Option<Named>,
    gaps: Gaps,
}

/// So many take some tens of milliseconds.
const SPARE_AT_ONCE: usize = 8;

/// How long an answer of the kernel about its programs is good for `stats`, unless they changed: it
/// takes some hundred calls.
const PLAN_AGE: Duration = Duration::from_secs(5);

/// Asks the kernel.
fn look(probe: &Probe) -> (Instant, u32, u32, u64) {
    let plan = probe.plan();
    let attached = plan.iter().filter(|planned| planned.reason.is_empty()).count();
    let wanted = plan.iter().filter(|planned| !planned.refused).count();
    (Instant::now(), wanted as u32, attached as u32, probe.skipped())
}

/// A loaded probe; None once it is closed.
#[napi]
pub struct Driver {
    open: Option<Open>,
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

#[napi]
impl Driver {
    /// Loads and attaches the probe.
    #[napi(factory)]
    pub fn open(options: OpenOptions) -> Result<Self> {
        let chosen = Options {
            critical_ring_bytes: ring_bytes(options.critical_ring_bytes, "critical")?,
            bulk_ring_bytes: ring_bytes(options.bulk_ring_bytes, "bulk")?,
            snaplen: options.snaplen,
            drop_failed: options.drop_failed,
            self_pid: options.self_pid,
            full_ports: match options.full_ports.as_deref() {
                Some(&[from, to]) => (from, to),
                _ => (0, 0),
            },
            dynamic_snaplen: options.dynamic_snaplen.unwrap_or(false),
        };
        let probe = Probe::load(&options.probe, &chosen, &options.interest)?;
        let critical = probe.map_ring("CRITICAL_RING", chosen.critical_ring_bytes)?;
        let bulk = probe.map_ring("BULK_RING", chosen.bulk_ring_bytes)?;
        let seen = look(&probe);
        let begun = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let gaps = Gaps::new(begun.as_nanos() as u64);
        let last_read = Instant::now();
        let open = Open { probe, critical, bulk, seen, last_read, named: None, gaps };
        Ok(Self { open: Some(open) })
    }

    fn opened(&mut self) -> Result<&mut Open> {
        self.open.as_mut().ok_or_else(|| {
            Failure::new(Code::Invalid, "Cannot use the driver: it is closed").into()
        })
    }

    /// Fills `buffer` with whole blocks in time order; returns the bytes.
    #[napi]
    pub fn drain(&mut self, mut buffer: Uint8Array) -> Result<u32> {
        let open = self.opened()?;
        // SAFETY: the engine lends the buffer for this call and touches it only afterwards.
        let out = unsafe { buffer.as_mut() };
        Ok(merge::drain(&mut open.critical, &mut open.bulk, out, &mut open.gaps) as u32)
    }

    /// Blocks until a ring holds something or the time is over.
    #[napi]
    pub fn wait(&mut self, timeout_ms: u32) -> Result<bool> {
        let open = self.opened()?;
        let end = Instant::now() + Duration::from_millis(u64::from(timeout_ms));
        loop {
            if open.critical.head().is_some() || open.bulk.head().is_some() {
                open.last_read = Instant::now();
                return Ok(true);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            let looks = open.last_read.elapsed() < READER_LOOKS;
            let time = if looks { left.min(SHORT_SLEEP) } else { left };
            merge::sleep(&open.critical, &open.bulk, time);
        }
    }

    #[napi]
    pub fn set_interest(&mut self, codes: Uint16Array) -> Result<()> {
        let open = self.opened()?;
        if open.probe.needs_loading(&codes) {
            let btf = Btf::from_sys_fs().map_err(|error| {
                Failure::new(Code::NoBtf, format!("Cannot read the kernel's types: {error}"))
            })?;
            open.probe.load_wanted(&codes, &btf);
        }
        let routed = open.probe.route(&codes);
        open.seen = look(&open.probe);
        Ok(routed?)
    }

    /// Exchanges the files that are known by their inodes too.
    #[napi]
    pub fn name_files(&mut self, names: Vec<Uint8Array>, host_root: String) -> Result<()> {
        let open = self.opened()?;
        if open.named.is_none() {
            let parts = open.probe.take_named()?;
            let named = Named::begin(parts, &host_root).map_err(|error| {
                Failure::new(Code::Io, format!("Cannot follow the files of rules: {error}"))
            })?;
            open.named = Some(named);
        }
        if let Some(named) = &open.named {
            named.want(names.iter().map(|name| name.to_vec()).collect());
        }
        Ok(())
    }

    /// There may be a root whose files are not known yet: a container has begun.
    #[napi]
    pub fn look_at_roots(&mut self) -> Result<()> {
        if let Some(named) = &self.opened()?.named {
            named.look_at_roots();
        }
        Ok(())
    }

    /// Loads some of the programs that nobody wants yet; whether all are loaded.
    #[napi]
    pub fn load_spare(&mut self) -> Result<bool> {
        Ok(self.opened()?.probe.load_spare(SPARE_AT_ONCE)?)
    }

    /// Exchanges the sieve's table; an empty one lets everything through.
    #[napi]
    pub fn set_sieve(&mut self, table: Uint8Array, keeps_opens: bool) -> Result<()> {
        Ok(self.opened()?.probe.sieve.exchange(&table, keeps_opens)?)
    }

    /// Events that the sieve kept back, by code.
    #[napi]
    pub fn sifted(&mut self) -> Result<Vec<CodeEvents>> {
        Ok(code_events(self.opened()?.probe.sieve.counts()))
    }

    /// Events that were lost, by code.
    #[napi]
    pub fn lost(&mut self) -> Result<Vec<CodeEvents>> {
        Ok(code_events(self.opened()?.probe.lost.sums()))
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
        let cpus = self.opened()?.probe.counters_by_cpu();
        Ok(Float64Array::new(cpus.into_iter().flatten().map(|count| count as f64).collect()))
    }

    /// How often each program ran and for how long, where the kernel counts it.
    #[napi]
    pub fn runs(&mut self) -> Result<Vec<ProgramRuns>> {
        let told =
            |ProgramWork { name, runs, ns }| ProgramRuns { name, runs: runs.into(), ns: ns.into() };
        Ok(self.opened()?.probe.runs().into_iter().map(told).collect())
    }

    #[napi]
    pub fn stats(&mut self) -> Result<DriverStats> {
        let open = self.opened()?;
        let counters = open.probe.counters();
        if open.seen.0.elapsed() > PLAN_AGE {
            open.seen = look(&open.probe);
        }
        let (_, programs, attached, skipped) = open.seen;
        let (files_named, files_refused) = open.named.as_ref().map_or((0, 0), Named::counts);
        Ok(DriverStats {
            events: counters.events.into(),
            lost_critical: counters.lost[0].into(),
            lost_bulk: counters.lost[1].into(),
            excess: counters.excess.into(),
            skipped: skipped.into(),
            truncated: counters.truncated.into(),
            named: counters.named.into(),
            unresolved: counters.unresolved.into(),
            files_named: files_named.into(),
            files_refused: files_refused.into(),
            programs,
            attached,
        })
    }

    /// Processes that lost events over their share since the last call.
    #[napi]
    pub fn take_excess(&mut self) -> Result<Vec<ProcessExcess>> {
        let taken = budget::take(&mut self.opened()?.probe.excess)?;
        let told = |budget::Excess { process, name, lost }| ProcessExcess {
            pid: process,
            name,
            lost: lost.into(),
        };
        Ok(taken.into_iter().map(told).collect())
    }

    /// What is attached where, and why not; asks the kernel.
    #[napi]
    pub fn plan(&mut self) -> Result<Vec<AttachedProgram>> {
        let open = self.opened()?;
        Ok(open
            .probe
            .plan()
            .into_iter()
            .map(|planned| AttachedProgram {
                name: planned.name.to_owned(),
                kind: if planned.target == "io_uring" { "raw_tracepoint" } else { "tp_btf" }
                    .to_owned(),
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
