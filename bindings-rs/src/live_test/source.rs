//! What tests ask of the driver, whichever it is.
use probe::counters::Counters;

use super::{Recorder, Source};
use crate::budget::{self, Excess};
use crate::loader::Probe;
use crate::records::Records as _;

impl Recorder {
    /// Records these codes from now on.
    pub(super) fn route(&mut self, codes: &[u16]) {
        match &mut self.source {
            Source::Probe { probe, .. } => probe.route(codes).expect("routes"),
            Source::Module(records) => records.set_interest(codes).expect("an interest"),
            Source::Tracer(records) => records.set_interest(codes).expect("an interest"),
        }
    }

    /// For tests of the probe's own programs.
    pub(super) fn probe(&mut self) -> &mut Probe {
        match &mut self.source {
            Source::Probe { probe, .. } => probe,
            Source::Module(_) | Source::Tracer(_) => panic!("this is of the probe alone"),
        }
    }

    pub(super) fn counters(&self) -> Counters {
        match &self.source {
            Source::Probe { probe, .. } => probe.counters(),
            Source::Module(records) => records.sum(),
            Source::Tracer(_) => panic!("this is of drivers in the kernel"),
        }
    }

    /// For each CPU what was written, and lost of each lane.
    pub(super) fn counters_by_cpu(&self) -> Vec<[u64; 3]> {
        match &self.source {
            Source::Probe { probe, .. } => probe.counters_by_cpu(),
            Source::Module(records) => records.cpus(),
            Source::Tracer(_) => panic!("this is of drivers in the kernel"),
        }
    }

    pub(super) fn lost_by_code(&self) -> Vec<(u16, u64)> {
        match &self.source {
            Source::Probe { probe, .. } => probe.lost.sums(),
            Source::Module(records) => records.lost(),
            Source::Tracer(_) => panic!("this is of drivers in the kernel"),
        }
    }

    pub(super) fn take_excess(&mut self) -> Vec<Excess> {
        match &mut self.source {
            Source::Probe { probe, .. } => budget::take(&mut probe.excess).expect("a map"),
            Source::Module(records) => records.take_excess().expect("what was lost"),
            Source::Tracer(_) => panic!("this is of drivers in the kernel"),
        }
    }

    pub(super) fn sift(&mut self, table: &[u8]) {
        match &mut self.source {
            Source::Probe { probe, .. } => {
                probe.sieve.exchange(table, false).expect("the kernel takes the sieve");
            }
            Source::Module(records) => records.set_sieve(table, false).expect("a sieve"),
            Source::Tracer(_) => panic!("this is of drivers in the kernel"),
        }
    }

    pub(super) fn sifted(&self) -> Vec<(u16, u64)> {
        match &self.source {
            Source::Probe { probe, .. } => probe.sieve.counts(),
            Source::Module(records) => records.sifted(),
            Source::Tracer(_) => panic!("this is of drivers in the kernel"),
        }
    }

    /// Calls that the kernel kept from the driver, and events that were lost of each lane.
    pub(super) fn missed(&mut self) -> (u64, [u64; 2]) {
        match &mut self.source {
            Source::Probe { probe, .. } => (probe.skipped(), probe.counters().lost),
            Source::Module(records) => (0, records.stats().lost),
            Source::Tracer(records) => (0, records.stats().lost),
        }
    }
}
