//! Falco's plugins (shared objects with Falco's C interface), run in saker's process or in one of
//! their own. the interface is in `abi`.

pub mod abi;
pub mod async_events;
pub mod last_error;
pub mod routines;
pub mod tables;
