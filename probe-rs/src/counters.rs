//! What a driver counts, one of these for each CPU; its reader sums them up.

/// Sequence numbers rise with every event that should be recorded, lost ones included.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Counters {
    pub events: u64,
    pub lost: [u64; 2],
    pub truncated: u64,
    pub sequence: [u64; 2],
    /// Of the lost ones of the critical lane, those over the budget of their process.
    pub excess: u64,
    /// Names that were looked up, and those of them that led nowhere.
    pub named: u64,
    pub unresolved: u64,
}

/// Plain numbers without holes: a reader takes them as the driver wrote them.
const _: () = assert!(core::mem::size_of::<Counters>() == 9 * 8);
