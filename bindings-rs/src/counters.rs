//! What the probe counts, as it writes it (ebpf-rs/src/record.rs).

/// Counters of the probe, summed over the CPUs (ebpf-rs/src/record.rs).
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Counters {
    pub events: u64,
    pub lost: [u64; 2],
    pub truncated: u64,
    pub sequence: [u64; 2],
    pub excess: u64,
    /// Names that were looked up, and those of them that led nowhere.
    pub named: u64,
    pub unresolved: u64,
}

// SAFETY: plain numbers, as the probe writes them.
unsafe impl aya::Pod for Counters {}
