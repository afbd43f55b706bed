//! Which fillers tell a system call (probe-rs/src/routes.rs), of a set of codes that are wanted.
use std::collections::BTreeSet;

use probe::routes;
use probe::table::Syscall;

/// The fillers of a call: places in the list, and how it is told.
pub fn fillers_of(wanted: &BTreeSet<u16>, call: &Syscall) -> Vec<routes::Told> {
    routes::fillers_of(|code| wanted.contains(&code), call).into_iter().flatten().collect()
}
