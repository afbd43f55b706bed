//! Which calls are told, and by which fillers. In: what somebody wants. Out: for each number of a
//! call of either entry its route, as the loader of the probe makes them.
use std::collections::BTreeSet;

use probe::fillers::FILLERS;
use probe::routes::{self, CALLS, IA32};
use probe::stage::FILLERS_AT;

pub struct Routes {
    routes: Box<routes::Routes>,
    /// Events that are no calls.
    pub codes: BTreeSet<u16>,
}

impl Routes {
    pub fn of(interest: &[u16]) -> Self {
        let codes: BTreeSet<u16> = interest.iter().copied().collect();
        let mut routes = Box::new([0; CALLS as usize]);
        routes::fill(&mut routes, |code| codes.contains(&code), |_| true);
        Self { routes, codes }
    }

    pub fn get(&self, number: u64, compat: bool) -> Option<u32> {
        let both = *self.routes.get(usize::try_from(number).ok()?)?;
        let route = if compat { both >> IA32 } else { both } as u32;
        (route != 0).then_some(route)
    }

    /// Numbers of the 64-bit calls, and of the 32-bit ones, that are told.
    pub fn numbers(&self) -> [Vec<u32>; 2] {
        [false, true].map(|compat| {
            (0..CALLS).filter(|&number| self.get(number.into(), compat).is_some()).collect()
        })
    }
}

/// The code of the event by which a route tells its call.
pub fn code_of(route: u32) -> u16 {
    let filler = (route & 0xff).wrapping_sub(FILLERS_AT) as usize;
    FILLERS.get(filler).map_or(probe::table::GENERIC_X, |(_, code)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use probe::table::{SYSCALL_OPENAT_2_X, SYSCALL_PREADV_X};

    #[test]
    fn calls_that_nobody_wants_have_no_route() {
        let routes = Routes::of(&[SYSCALL_OPENAT_2_X, SYSCALL_PREADV_X]);
        let told = routes.get(libc::SYS_openat as u64, false).expect("it is wanted");
        assert_eq!(code_of(told), SYSCALL_OPENAT_2_X);
        assert_eq!(routes.get(libc::SYS_open as u64, false), None);
        let younger = routes.get(libc::SYS_preadv2 as u64, false).expect("it is told as preadv");
        assert_eq!((code_of(younger), younger >> 25 & 7 != 0), (SYSCALL_PREADV_X, true));
        assert_eq!(routes.get(u64::MAX, false), None);
    }
}
