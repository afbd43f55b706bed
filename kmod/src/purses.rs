//! The purses of processes on one CPU (probe-rs/src/budget.rs), and what they lost over them.
use probe::budget::Purse;
use probe::device::Excess;

/// Processes whose purses are kept; one that shares a place with another begins anew when the
/// other has paid.
const PURSES: usize = 256;
/// Processes of which it is told what they lost; what finds no room is in the sum alone.
const EXCESS: usize = 64;

#[repr(C)]
pub struct Purses {
    owners: [u32; PURSES],
    purses: [Purse; PURSES],
    pub excess: [Excess; EXCESS],
}

impl Purses {
    /// Whether a process has enough for an event; where not, it is noted under the name of the
    /// thread that lost first.
    pub fn pay(&mut self, process: u32, comm: &[u8; 16], cost: u64, now: u64) -> bool {
        let at = process as usize % PURSES;
        let (Some(owner), Some(purse)) = (self.owners.get_mut(at), self.purses.get_mut(at)) else {
            return true;
        };
        if *owner != process {
            *owner = process;
            *purse = Purse::full(cost, now);
            return true;
        }
        let paid = purse.pay(cost, now);
        if !paid {
            self.note(process, comm);
        }
        paid
    }

    fn note(&mut self, process: u32, comm: &[u8; 16]) {
        let place = self.excess.iter_mut().find(|one| one.process == process || one.lost == 0);
        let Some(excess) = place else { return };
        if excess.lost == 0 {
            *excess = Excess { lost: 0, process, pad: 0, comm: *comm };
        }
        excess.lost += 1;
    }
}
