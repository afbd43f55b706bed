//! The probe as a source of records: its two rings read as one stream, its programs loaded as
//! somebody wants them.
use std::time::{Duration, Instant};

use aya::Btf;

use crate::blocks::Blocks as _;
use crate::budget::{self, Excess};
use crate::failure::{Code, Failure};
use crate::gaps::Gaps;
use crate::loader::Probe;
use crate::merge;
use crate::named::Named;
use crate::pace::Pace;
use crate::plan::Planned;
use crate::records::{Records, Stats};
use crate::ring::Ring;
use crate::settings::Options;
use crate::tally::ProgramWork;
use crate::wakes::Wakes;

/// An event that the reader was woken for stands behind one that is still being written, by another
/// CPU: it is there in a moment.
const UNDER_WAY: Duration = Duration::from_millis(1);

/// So many programs take some tens of milliseconds.
const SPARE_AT_ONCE: usize = 8;

/// How long an answer of the kernel about its programs is good for `stats`, unless they changed: it
/// takes some hundred calls.
const PLAN_AGE: Duration = Duration::from_secs(5);

/// A loaded probe, its rings, and what it is asked for.
pub struct ProbeRecords {
    probe: Probe,
    critical: Ring,
    bulk: Ring,
    /// Programs, how many of them are attached, and how often they were left out, as the kernel
    /// last said.
    seen: (Instant, u32, u32, u64),
    wakes: Wakes,
    pace: Pace,
    named: Option<Named>,
}

/// Asks the kernel.
fn look(probe: &Probe) -> (Instant, u32, u32, u64) {
    let plan = probe.plan();
    let attached = plan.iter().filter(|planned| planned.reason.is_empty()).count();
    let wanted = plan.iter().filter(|planned| !planned.refused).count();
    (Instant::now(), wanted as u32, attached as u32, probe.skipped())
}

impl ProbeRecords {
    /// Loads and attaches the probe.
    pub fn open(object: &[u8], options: &Options, interest: &[u16]) -> Result<Self, Failure> {
        let probe = Probe::load(object, options, interest)?;
        let critical = probe.map_ring("CRITICAL_RING", options.critical_ring_bytes)?;
        let bulk = probe.map_ring("BULK_RING", options.bulk_ring_bytes)?;
        let seen = look(&probe);
        let wakes = Wakes::of(&[&critical, &bulk]).map_err(|error| {
            Failure::new(Code::Io, format!("Cannot wait for the probe's rings: {error}"))
        })?;
        let pace = Pace::new(Instant::now());
        Ok(Self { probe, critical, bulk, seen, wakes, pace, named: None })
    }
}

impl Records for ProbeRecords {
    fn drain(&mut self, out: &mut [u8], gaps: &mut Gaps) -> Result<usize, Failure> {
        let bytes = merge::drain(&mut self.critical, &mut self.bulk, out, gaps);
        if bytes > 0 {
            self.pace.has_read(Instant::now(), gaps.take_hurried());
            self.probe.told.has_read();
        }
        Ok(bytes)
    }

    fn wait(&mut self, time: Duration) -> Result<bool, Failure> {
        let end = Instant::now() + time;
        let mut woken = false;
        loop {
            let has_some = self.critical.head().is_some() || self.bulk.head().is_some();
            let much = self.critical.holds_much() || self.bulk.holds_much();
            let now = Instant::now();
            if has_some && (woken || much || self.pace.is_due(now)) {
                return Ok(true);
            }
            let left = end.saturating_duration_since(now);
            if left.is_zero() {
                return Ok(false);
            }
            woken = woken && (self.critical.holds_some() || self.bulk.holds_some());
            let time = if woken { Some(UNDER_WAY) } else { self.pace.next(now) };
            woken |= self.wakes.sleep(time.map_or(left, |time| left.min(time)));
        }
    }

    fn set_interest(&mut self, codes: &[u16]) -> Result<(), Failure> {
        if self.probe.needs_loading(codes) {
            let btf = Btf::from_sys_fs().map_err(|error| {
                Failure::new(Code::NoBtf, format!("Cannot read the kernel's types: {error}"))
            })?;
            self.probe.load_wanted(codes, &btf);
        }
        let routed = self.probe.route(codes);
        self.seen = look(&self.probe);
        routed
    }

    fn set_sieve(&mut self, table: &[u8], keeps_opens: bool) -> Result<(), Failure> {
        self.probe.sieve.exchange(table, keeps_opens)
    }

    fn load_spare(&mut self) -> Result<bool, Failure> {
        self.probe.load_spare(SPARE_AT_ONCE)
    }

    fn name_files(&mut self, names: Vec<Vec<u8>>, host_root: &str) -> Result<(), Failure> {
        let parts = || {
            let [one, other] = self.probe.take_named()?;
            Ok([Box::new(one), Box::new(other)])
        };
        Named::follow(&mut self.named, parts, names, host_root)
    }

    fn look_at_roots(&mut self) {
        if let Some(named) = &self.named {
            named.look_at_roots();
        }
    }

    fn sifted(&self) -> Vec<(u16, u64)> {
        self.probe.sieve.counts()
    }

    fn lost(&self) -> Vec<(u16, u64)> {
        self.probe.lost.sums()
    }

    fn cpus(&self) -> Vec<[u64; 3]> {
        self.probe.counters_by_cpu()
    }

    fn runs(&self) -> Vec<ProgramWork> {
        self.probe.runs()
    }

    fn stats(&mut self) -> Stats {
        let counters = self.probe.counters();
        if self.seen.0.elapsed() > PLAN_AGE {
            self.seen = look(&self.probe);
        }
        let (_, programs, attached, skipped) = self.seen;
        Stats {
            events: counters.events,
            lost: counters.lost,
            excess: counters.excess,
            skipped,
            truncated: counters.truncated,
            named: counters.named,
            unresolved: counters.unresolved,
            files: self.named.as_ref().map_or((0, 0), Named::counts),
            programs,
            attached,
        }
    }

    fn take_excess(&mut self) -> Result<Vec<Excess>, Failure> {
        budget::take(&mut self.probe.excess)
    }

    fn plan(&self) -> Vec<Planned> {
        self.probe.plan()
    }
}
