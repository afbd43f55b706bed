//! The probe's counters, as its maps hold them.
use aya::maps::{MapData, PerCpuArray};
use probe::counters::Counters;
use probe::table::PARAM_COUNTS;

#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct CountersValue(pub Counters);

// SAFETY: plain numbers without holes, as probe-rs asserts.
unsafe impl aya::Pod for CountersValue {}

/// A sum over all CPUs, for each code that has some.
pub fn by_code(map: &PerCpuArray<MapData, u64>) -> Vec<(u16, u64)> {
    (0..PARAM_COUNTS.len() as u16)
        .filter_map(|code| {
            let values = map.get(&u32::from(code), 0).ok()?;
            let sum: u64 = values.iter().sum();
            (sum > 0).then_some((code, sum))
        })
        .collect()
}
