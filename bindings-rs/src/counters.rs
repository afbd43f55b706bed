//! The probe's counters, as its maps hold them.
use aya::maps::{MapData, PerCpuArray};
use probe::counters::Counters;
use probe::table::PARAM_COUNTS;

#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct CountersValue(pub Counters);

// SAFETY: plain numbers without holes, as probe-rs asserts.
unsafe impl aya::Pod for CountersValue {}

/// A sum over all CPUs and rows, for each code that has some.
pub fn by_code(map: &PerCpuArray<MapData, u64>, rows: u32) -> Vec<(u16, u64)> {
    let codes = PARAM_COUNTS.len() as u32;
    let of = |code: u32| -> u64 {
        (0..rows)
            .filter_map(|row| map.get(&(row * codes + code), 0).ok())
            .map(|values| values.iter().sum::<u64>())
            .sum()
    };
    (0..codes).map(|code| (code as u16, of(code))).filter(|&(_, sum)| sum > 0).collect()
}
