//! What a driver counts, one of these for each CPU and row; its reader sums them up.
use crate::scratch::{State, VIA_IO_URING};
use crate::table::{PAGE_FAULT_E, PROCEXIT_1_E, SCHEDSWITCH_6_E, SIGNALDELIVER_E};

/// Blocks and counters of a CPU: one row for each tracepoint that makes events. Since Linux 7 a
/// task can be preempted inside of a program; the kernel then leaves the same program out for
/// others on that CPU, but not those of other tracepoints.
pub const ROWS: u32 = 5;

pub mod row {
    pub const CALLS: u32 = 0;
    pub const STARTS: u32 = 1;
    pub const ENDS: u32 = 2;
    pub const RINGS: u32 = 3;
    /// Signals, page faults, switches: also in the middle of the others.
    pub const ASIDE: u32 = 4;
    /// The row stands in a sequence number from this bit on; below it they are counted for each
    /// CPU, lane and row.
    pub const AT: u32 = 56;
}

/// Sequence numbers rise with every event that should be recorded, lost ones included.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
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

impl Counters {
    /// Those of another row or CPU are counted too.
    pub fn add(&mut self, one: &Counters) {
        self.events += one.events;
        self.truncated += one.truncated;
        self.excess += one.excess;
        self.named += one.named;
        self.unresolved += one.unresolved;
        for lane in 0..2 {
            self.lost[lane] += one.lost[lane];
            self.sequence[lane] += one.sequence[lane];
        }
    }
}

/// Plain numbers without holes: a reader takes them as the driver wrote them.
const _: () = assert!(core::mem::size_of::<Counters>() == 9 * 8);

/// The row of an event.
#[inline(always)]
pub fn row_of(state: &State) -> u32 {
    if state.via == VIA_IO_URING {
        row::RINGS
    } else if state.code == PROCEXIT_1_E {
        row::ENDS
    } else if matches!(state.code, SIGNALDELIVER_E | PAGE_FAULT_E | SCHEDSWITCH_6_E) {
        row::ASIDE
    } else if state.bprm != 0 {
        row::STARTS
    } else {
        row::CALLS
    }
}
