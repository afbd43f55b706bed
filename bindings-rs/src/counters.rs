//! The probe's counters, as its map holds them.
use probe::counters::Counters;

#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct CountersValue(pub Counters);

// SAFETY: plain numbers without holes, as probe-rs asserts.
unsafe impl aya::Pod for CountersValue {}
