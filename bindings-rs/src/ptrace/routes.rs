//! Which calls are told, and by which fillers. In: what somebody wants. Out: for each number of a
//! call of either entry its route, as the loader of the probe makes them.
use std::collections::BTreeSet;

use probe::compat;
use probe::fillers::FILLERS;
use probe::table::{SYSCALLS, Syscall};

use crate::wanted::fillers_of;

/// Numbers of calls, and those that stand for calls inside of others (probe::compat).
pub const CALLS: usize = 512;

/// How a call is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Route {
    /// Place of its filler, and of that of a second event.
    pub filler: u16,
    pub also: Option<u16>,
    /// The call's number in generic events.
    pub sc: u16,
    /// How the second event, or the only one, is told (`VIA_*`).
    pub via: u8,
}

pub struct Routes {
    wide: Vec<Option<Route>>,
    narrow: Vec<Option<Route>>,
    /// Events that are no calls.
    pub codes: BTreeSet<u16>,
}

fn route(wanted: &BTreeSet<u16>, call: &Syscall) -> Option<Route> {
    let fillers = fillers_of(wanted, call);
    let &(filler, via) = fillers.first()?;
    let also = fillers.get(1);
    Some(Route {
        filler: filler as u16,
        also: also.map(|&(place, _)| place as u16),
        sc: call.sc,
        via: also.map_or(via, |&(_, via)| via),
    })
}

impl Routes {
    pub fn of(interest: &[u16]) -> Self {
        let codes: BTreeSet<u16> = interest.iter().copied().collect();
        let (mut wide, mut narrow) = (vec![None; CALLS], vec![None; CALLS]);
        for call in &SYSCALLS {
            let route = route(&codes, call);
            if let Some(entry) = wide.get_mut(call.x86_64 as usize) {
                *entry = entry.or(route);
            }
            if let Some(entry) = narrow.get_mut(compat::number_of(call) as usize) {
                *entry = entry.or(route);
            }
        }
        Self { wide, narrow, codes }
    }

    pub fn get(&self, number: u64, compat: bool) -> Option<Route> {
        let table = if compat { &self.narrow } else { &self.wide };
        table.get(usize::try_from(number).ok()?).copied().flatten()
    }

    /// Numbers of the 64-bit calls, and of the 32-bit ones, that are told.
    pub fn numbers(&self) -> [Vec<u32>; 2] {
        [&self.wide, &self.narrow].map(|table| {
            let told = table.iter().enumerate().filter(|(_, route)| route.is_some());
            told.map(|(number, _)| number as u32).collect()
        })
    }
}

/// The code of a filler's event.
pub fn code_of(filler: u16) -> u16 {
    FILLERS.get(filler as usize).map_or(probe::table::GENERIC_X, |(_, code)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use probe::table::{SYSCALL_OPENAT_2_X, SYSCALL_PREADV_X};

    #[test]
    fn calls_that_nobody_wants_have_no_route() {
        let routes = Routes::of(&[SYSCALL_OPENAT_2_X, SYSCALL_PREADV_X]);
        let told = routes.get(libc::SYS_openat as u64, false).expect("it is wanted");
        assert_eq!(code_of(told.filler), SYSCALL_OPENAT_2_X);
        assert_eq!(routes.get(libc::SYS_open as u64, false), None);
        let younger = routes.get(libc::SYS_preadv2 as u64, false).expect("it is told as preadv");
        assert_eq!((code_of(younger.filler), younger.via != 0), (SYSCALL_PREADV_X, true));
        assert_eq!(routes.get(u64::MAX, false), None);
    }
}
