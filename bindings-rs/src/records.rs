//! The contract of all that event records come from: the probe (probe_records.rs), the kernel
//! module, the tracer of processes. Each hands over the same bytes, whole .scap blocks in the order
//! of time with saker's own parameters, so that whoever reads need not know who wrote them. The
//! class Driver (driver.rs) is one such source, whichever it is; a batch costs one call of it.
use std::time::Duration;

use crate::budget::Excess;
use crate::failure::Failure;
use crate::gaps::Gaps;
use crate::plan::Planned;
use crate::tally::ProgramWork;

/// What a source of records counts; all of them since it was opened.
#[derive(Clone, Copy, Default)]
pub struct Stats {
    /// Events that were written.
    pub events: u64,
    /// Events that were lost, of the critical lane and of the bulk one.
    pub lost: [u64; 2],
    /// Of those of the critical lane: over the share that one process has of it.
    pub excess: u64,
    /// Calls that were kept from the source, wanted or not.
    pub skipped: u64,
    pub truncated: u64,
    /// Names that were looked up after the call, and those of them that led nowhere.
    pub named: u64,
    pub unresolved: u64,
    /// Files of rules that are known by their inodes, and names that found no place.
    pub files: (u64, u64),
    /// Programs or tracepoints that should be attached, and how many are.
    pub programs: u32,
    pub attached: u32,
}

/// A source of records. What a source has no such thing of has an answer here.
pub trait Records {
    /// Fills `out` with whole blocks in the order of time and shows each to `gaps`; returns the
    /// bytes.
    fn drain(&mut self, out: &mut [u8], gaps: &mut Gaps) -> Result<usize, Failure>;
    /// Returns once there is something to drain (true) or the time is over; not before.
    fn wait(&mut self, time: Duration) -> Result<bool, Failure>;
    /// Event codes that are to be recorded from now on, and `GENERIC_CALL` + sc (wanted.rs).
    fn set_interest(&mut self, codes: &[u16]) -> Result<(), Failure>;
    /// Exchanges the sieve's table (probe-rs/src/sieve/table.rs); an empty one lets all through.
    /// After a failure all is let through. `keeps_opens`: opens are kept whatever it says of them.
    fn set_sieve(&mut self, table: &[u8], keeps_opens: bool) -> Result<(), Failure>;
    /// Prepares some of what nobody wants yet; whether nothing is left to prepare.
    fn load_spare(&mut self) -> Result<bool, Failure> {
        Ok(true)
    }
    /// Exchanges the files that are known by their inodes too, below `host_root`.
    fn name_files(&mut self, _names: Vec<Vec<u8>>, _host_root: &str) -> Result<(), Failure> {
        Ok(())
    }
    /// There may be a root whose files are not known yet: a container has begun.
    fn look_at_roots(&mut self) {}
    /// Events that the sieve kept back, and that were lost, for each code that has some.
    fn sifted(&self) -> Vec<(u16, u64)>;
    fn lost(&self) -> Vec<(u16, u64)>;
    /// For each CPU that there may be: events that were written, and that were lost of each lane.
    fn cpus(&self) -> Vec<[u64; 3]>;
    /// How often each program ran.
    fn runs(&self) -> Vec<ProgramWork> {
        Vec::new()
    }
    fn stats(&mut self) -> Stats;
    /// The process of a command that the source has started; 0: there is none.
    fn command(&self) -> u32 {
        0
    }
    /// Whether no record will come any more, and all were drained: the exit code that a shell would
    /// tell of the command, or 0.
    fn ended(&self) -> Option<i32> {
        None
    }
    /// Processes that lost events over their share since the last call, the greatest loss first.
    fn take_excess(&mut self) -> Result<Vec<Excess>, Failure> {
        Ok(Vec::new())
    }
    /// What is attached where, and why not.
    fn plan(&self) -> Vec<Planned>;
}
