//! What single processes lost over their share of the critical ring, by name
//! (probe-rs/src/budget.rs), and the priority with which the reader keeps the rings empty.
use std::cmp::Reverse;
use std::collections::BTreeSet;

use aya::maps::{MapData, PerCpuHashMap};

use crate::failure::Failure;

/// One CPU's part of what a process lost.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Part {
    pub lost: u64,
    pub comm: [u8; 16],
}

// SAFETY: plain bytes, as the probe writes them.
unsafe impl aya::Pod for Part {}

/// A process and the events that it lost.
#[derive(Debug, PartialEq, Eq)]
pub struct Excess {
    pub process: u32,
    pub name: String,
    pub lost: u64,
}

/// All that was noted since the last time, the greatest loss first. A few events that are refused
/// while an entry is taken out are in the counters' sum alone.
pub fn take(map: &mut PerCpuHashMap<MapData, u32, Part>) -> Result<Vec<Excess>, Failure> {
    let failed = |error| Failure::of_map(&error, "read which processes lost events");
    let processes: BTreeSet<u32> = map.keys().filter_map(Result::ok).collect();
    let mut taken = Vec::new();
    for process in processes {
        let parts = map.get(&process, 0).map_err(failed)?;
        map.remove(&process).map_err(failed)?;
        taken.push(sum(process, parts.iter()));
    }
    taken.sort_by_key(|one| Reverse(one.lost));
    Ok(taken)
}

fn sum<'a>(process: u32, parts: impl Iterator<Item = &'a Part>) -> Excess {
    let (mut name, mut lost) = (String::new(), 0);
    for part in parts {
        lost += part.lost;
        if name.is_empty() {
            name = text(part.comm);
        }
    }
    Excess { process, name, lost }
}

/// A thread's name without its NULs.
pub fn text(comm: [u8; 16]) -> String {
    let bytes = comm.split(|&byte| byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(bytes).into_owned()
}

/// What the addon exports; a test program has nobody to export to.
#[cfg(not(test))]
mod export {
    use napi_derive::napi;

    /// Sets the calling thread's nice value; whether the kernel allowed it.
    #[napi]
    pub fn set_nice(nice: i32) -> bool {
        // SAFETY: no memory is involved; 0 names the calling thread.
        unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, nice) == 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_all_cpus_are_one_loss_under_the_name_that_one_of_them_has() {
        let part = |lost, name: &[u8]| {
            let mut comm = [0; 16];
            comm[..name.len()].copy_from_slice(name);
            Part { lost, comm }
        };
        let parts = [part(3, b""), part(4, b"flood"), part(0, b"")];
        let expected = Excess { process: 7, name: "flood".to_owned(), lost: 7 };
        assert_eq!(sum(7, parts.iter()), expected);
    }
}
