//! The kernel module as a source of records: two rings for each CPU, read as one stream in the
//! order of time.
use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsRawFd as _;
use std::thread;
use std::time::{Duration, Instant};

use probe::counters::{Counters, ROWS};
use probe::device::{
    About, CODES, COUNTERS, Excess, LOST, MAKE_RINGS, OFFSETS, OFFSETS_OF, RingBytes, SET_INTEREST,
    SET_OFFSETS, SET_SETTINGS, SIFTED, Sieve, TAKE_EXCESS, UNKNOWN, VERSION, ring_at,
};
use probe::sieve::table::parts;

use super::device::Device;
use super::parts::ModuleParts;
use crate::btf;
use crate::budget;
use crate::failure::{Code, Failure};
use crate::gaps::Gaps;
use crate::merge::{self, Heads};
use crate::named::Named;
use crate::plan::Planned;
use crate::records::{Records, Stats};
use crate::ring::Ring;
use crate::settings::{EventClock, Options, kernel_types, settings};
use crate::sift::sieve_of;

/// An event is written at the latest so long after the time that it bears, unless the host of a
/// virtual machine takes its CPU away just then: younger ones wait for those of other CPUs.
const SETTLES: Duration = Duration::from_millis(1);
/// Where events come all the time, some are always younger than that. They are read together once
/// the oldest is of this age, as often as a sleeping reader is woken, or much waits: to look at
/// them each millisecond would cost more than to read them.
const TOGETHER: Duration = Duration::from_millis(10);
const STEP: Duration = Duration::from_millis(3);
/// As with the probe (probe_records.rs): the module does not wake a reader for each event.
const READER_LOOKS: Duration = Duration::from_millis(60);
const SHORT_SLEEP: Duration = Duration::from_millis(20);
/// Processes that lost events, of one answer.
const EXCESS_AT_ONCE: usize = 256;

pub struct ModuleRecords {
    device: Device,
    about: About,
    rings: Vec<Ring>,
    heads: Heads,
    /// What the settings say: event times are nanoseconds of the boot clock behind it.
    clock: EventClock,
    last_read: Instant,
    named: Option<Named>,
}

impl ModuleRecords {
    /// Becomes a reader of the module whose device `path` names.
    pub fn open(path: &str, options: &Options, interest: &[u16]) -> Result<Self, Failure> {
        let device = Device::open(path)?;
        let about = ours(&device)?;
        let failed = |what: &'static str| move |error| failure(&error, what);
        let mut known = vec![0u32; OFFSETS];
        device.take(OFFSETS_OF, &mut known).map_err(failed("ask the module for its offsets"))?;
        device.put(SET_OFFSETS, &completed(known)?).map_err(|error| {
            match error.raw_os_error() {
                Some(libc::EINVAL) => module(
                    "Cannot use the kernel module: it was made for another kernel; the kernel's \
                     log (dmesg) says in what it differs",
                ),
                _ => failure(&error, "tell the module the kernel's offsets"),
            }
        })?;
        let settings = settings(options);
        device.put(SET_SETTINGS, &settings).map_err(failed("tell the module its settings"))?;
        let rings = make_rings(&device, &about, options)?;
        let mut records = Self {
            device,
            about,
            rings,
            heads: Heads::new(),
            clock: EventClock::of(&settings),
            last_read: Instant::now(),
            named: None,
        };
        records.set_interest(interest)?;
        Ok(records)
    }

    fn sleep(&self, time: Duration) {
        let fd = self.device.0.as_raw_fd();
        let mut ready = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        let milliseconds = time.as_millis().max(1) as libc::c_int;
        // SAFETY: one valid entry. An interrupted sleep only ends early.
        unsafe { libc::poll(&raw mut ready, 1, milliseconds) };
    }

    fn by_code(&self, command: u32) -> Vec<(u16, u64)> {
        let mut counts = vec![0u64; CODES];
        if self.device.take(command, &mut counts).is_err() {
            return Vec::new();
        }
        let each = counts.into_iter().enumerate().map(|(code, count)| (code as u16, count));
        each.filter(|(_, count)| *count > 0).collect()
    }

    /// Those of each CPU, one for each row.
    pub fn counters(&self) -> Vec<Counters> {
        let mut all = vec![Counters::default(); self.about.cpus as usize * ROWS as usize];
        let got = self.device.take(COUNTERS, &mut all).unwrap_or(0);
        all.truncate(got);
        all
    }

    /// Those of all CPUs together.
    pub fn sum(&self) -> Counters {
        let mut sum = Counters::default();
        for one in &self.counters() {
            sum.add(one);
        }
        sum
    }
}

fn module(message: impl Into<String>) -> Failure {
    Failure::new(Code::Module, message)
}

fn failure(error: &io::Error, what: &str) -> Failure {
    module(format!("Cannot {what}: {error}"))
}

/// What the module says of itself, where it speaks as this reader does.
fn ours(device: &Device) -> Result<About, Failure> {
    let other = |told: &str| {
        module(format!(
            "Cannot use the kernel module: the one that is loaded is another version's ({told}); \
             unload it (saker driver unload) and load this one's (saker driver load)"
        ))
    };
    let about = device.about().map_err(|error| match error.raw_os_error() {
        Some(libc::EINVAL | libc::ENOTTY) => other("it does not say which"),
        _ => failure(&error, "ask the module what it is"),
    })?;
    let is_ours =
        (about.version, about.offsets as usize, about.codes as usize) == (VERSION, OFFSETS, CODES);
    if is_ours { Ok(about) } else { Err(other(&format!("interface {}", about.version))) }
}

/// What the module was compiled to know, and the rest as the kernel's types have it.
fn completed(mut known: Vec<u32>) -> Result<Vec<u32>, Failure> {
    let types = match kernel_types() {
        Ok(types) => types,
        // They are to check the module by, unless it has to be told some of them.
        Err(_) if !known.contains(&UNKNOWN) => return Ok(known),
        Err(failure) => return Err(failure),
    };
    let offsets =
        btf::Kernel::parse(&types).and_then(|kernel| kernel.offsets()).map_err(|wrong| {
            Failure::new(Code::NoBtf, format!("Cannot use the kernel's types: {wrong:?}"))
        })?;
    for (known, told) in known.iter_mut().zip(offsets.as_chunks().0) {
        *known = u32::from_le_bytes(*told);
    }
    Ok(known)
}

fn make_rings(device: &Device, about: &About, options: &Options) -> Result<Vec<Ring>, Failure> {
    let (critical, bulk) = (options.critical_ring_bytes, options.bulk_ring_bytes);
    if critical.max(bulk) > about.ring_bytes_max {
        return Err(module(format!(
            "Cannot make rings of {critical} and {bulk} bytes for each CPU: the module makes none \
             over {} (its parameter max_ring_bytes; engine.kmod.buf_size_preset chooses)",
            about.ring_bytes_max
        )));
    }
    device.put(MAKE_RINGS, &[RingBytes { critical, bulk }]).map_err(|error| {
        match error.raw_os_error() {
            Some(libc::ENOMEM) => module(format!(
                "Cannot make rings of {critical} and {bulk} bytes for each CPU: not enough memory; \
                 choose a smaller engine.kmod.buf_size_preset"
            )),
            _ => failure(&error, "make the module's rings"),
        }
    })?;
    let mut rings = Vec::new();
    for cpu in 0..about.cpus {
        for (lane, bytes) in [(0, critical), (1, bulk)] {
            match Ring::map(device.0.clone(), ring_at(cpu, lane), bytes as usize) {
                Ok(ring) => rings.push(ring),
                // A CPU that cannot be.
                Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {}
                Err(error) => return Err(failure(&error, "map the module's rings")),
            }
        }
    }
    if rings.is_empty() {
        return Err(module("Cannot map the module's rings: no CPU has some"));
    }
    Ok(rings)
}

impl Records for ModuleRecords {
    fn drain(&mut self, out: &mut [u8], gaps: &mut Gaps) -> Result<usize, Failure> {
        let until = self.clock.now_ns().saturating_sub(SETTLES.as_nanos() as u64);
        Ok(merge::drain_all(&mut self.rings, &mut self.heads, until, out, gaps))
    }

    fn wait(&mut self, time: Duration) -> Result<bool, Failure> {
        let end = Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if let Some(oldest) = merge::oldest(&mut self.rings) {
                self.last_read = Instant::now();
                let age = Duration::from_nanos(self.clock.now_ns().saturating_sub(oldest));
                let is_much = self.rings.iter().any(Ring::holds_much);
                if is_much || left.is_zero() || age >= TOGETHER {
                    thread::sleep(SETTLES.saturating_sub(age));
                    return Ok(true);
                }
                thread::sleep(STEP.min(TOGETHER.saturating_sub(age)).min(left.max(SETTLES)));
                continue;
            }
            if left.is_zero() {
                return Ok(false);
            }
            let looks = self.last_read.elapsed() < READER_LOOKS;
            self.sleep(if looks { left.min(SHORT_SLEEP) } else { left });
        }
    }

    fn set_interest(&mut self, codes: &[u16]) -> Result<(), Failure> {
        self.device
            .put(SET_INTEREST, codes)
            .map_err(|error| failure(&error, "tell the module which events are wanted"))
    }

    fn set_sieve(&mut self, table: &[u8], keeps_opens: bool) -> Result<(), Failure> {
        let put = |sieve: Option<&Sieve>| {
            self.device
                .put_sieve(sieve)
                .map_err(|error| failure(&error, "hand the module its sieve"))
        };
        if table.is_empty() {
            return put(None);
        }
        let table = match parts(table) {
            Ok(table) => table,
            Err(what) => {
                put(None)?;
                return Err(Failure::new(Code::Invalid, format!("Cannot use it: {what}")));
            }
        };
        let sieve = sieve_of(&table, keeps_opens);
        put(Some(&sieve)).or_else(|failure| put(None).and(Err(failure)))
    }

    fn name_files(&mut self, names: Vec<Vec<u8>>, host_root: &str) -> Result<(), Failure> {
        let part = || Box::new(ModuleParts(self.device.clone()));
        Named::follow(&mut self.named, || Ok([part(), part()]), names, host_root)
    }

    fn look_at_roots(&mut self) {
        if let Some(named) = &self.named {
            named.look_at_roots();
        }
    }

    fn sifted(&self) -> Vec<(u16, u64)> {
        self.by_code(SIFTED)
    }

    fn lost(&self) -> Vec<(u16, u64)> {
        self.by_code(LOST)
    }

    fn cpus(&self) -> Vec<[u64; 3]> {
        let sum = |rows: &[Counters]| {
            rows.iter().fold([0; 3], |[events, critical, bulk], row| {
                [events + row.events, critical + row.lost[0], bulk + row.lost[1]]
            })
        };
        self.counters().chunks(ROWS as usize).map(sum).collect()
    }

    fn stats(&mut self) -> Stats {
        let statistics = self.device.statistics().unwrap_or_default();
        let counters = self.sum();
        Stats {
            events: counters.events,
            lost: counters.lost,
            excess: counters.excess,
            skipped: statistics.panics,
            truncated: counters.truncated,
            named: counters.named,
            unresolved: counters.unresolved,
            files: self.named.as_ref().map_or((0, 0), Named::counts),
            programs: statistics.points,
            attached: statistics.followed,
        }
    }

    fn take_excess(&mut self) -> Result<Vec<budget::Excess>, Failure> {
        let mut lost: BTreeMap<u32, budget::Excess> = BTreeMap::new();
        let mut some = vec![Excess::default(); EXCESS_AT_ONCE];
        let got = self
            .device
            .take(TAKE_EXCESS, &mut some)
            .map_err(|error| failure(&error, "ask the module which processes lost events"))?;
        for Excess { lost: events, process, comm, .. } in some.into_iter().take(got) {
            lost.entry(process)
                .or_insert_with(|| budget::Excess { process, name: budget::text(comm), lost: 0 })
                .lost += events;
        }
        let mut all: Vec<budget::Excess> = lost.into_values().collect();
        all.sort_by_key(|one| std::cmp::Reverse(one.lost));
        Ok(all)
    }

    fn plan(&self) -> Vec<Planned> {
        let statistics = self.device.statistics();
        let reason = match &statistics {
            Err(error) => format!("the module does not answer: {error}"),
            Ok(told) if told.panics > 0 => {
                format!("{} events were dropped by mistakes of its own", told.panics)
            }
            Ok(told) if told.followed < told.points => {
                format!("{} of {} tracepoints are followed", told.followed, told.points)
            }
            Ok(_) => String::new(),
        };
        let (name, target) = ("saker", "kernel module");
        vec![Planned { name, kind: "module", target, events: Vec::new(), reason, refused: false }]
    }
}
