//! Falco's plugins (shared objects with Falco's C interface), run in saker's process or in one of
//! their own: the interface (`abi`), a library (`library`, `info`), one instance of a plugin
//! (`instance`, `sourcing`, `extraction`), what it gives (`blocks`, `column`), what happens to it
//! (`record`), and what else it asks of its owner (`async_events`, `routines`, `tables`).

pub mod abi;
pub mod async_events;
pub mod blocks;
pub mod column;
pub mod extraction;
pub mod info;
pub mod instance;
pub mod last_error;
pub mod library;
pub mod local;
pub mod owner;
pub mod port;
pub mod record;
pub mod routines;
mod said;
mod schema;
pub mod sourcing;
pub mod tables;

pub use said::for_plugin as text_for_plugin;
