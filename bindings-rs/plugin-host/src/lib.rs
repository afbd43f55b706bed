//! Falco's plugins (shared objects with Falco's C interface), run in saker's process or in one of
//! their own: the interface (`abi`), a library (`library`, `info`), one instance of a plugin
//! (`instance`, `sourcing`, `extraction`, `listening`), what it gives (`blocks`, `column`), what
//! happens to it (`record`), what it asks of its owner (`owner`, `doors`, `state`): state tables
//! (`tables`), asynchronous events, routines.

pub mod abi;
pub mod async_events;
pub mod blocks;
pub mod child;
pub mod column;
pub mod confined;
mod doors;
pub mod event_port;
pub mod extraction;
mod go_kit;
pub mod info;
pub mod instance;
pub mod last_error;
mod lent;
pub mod library;
pub mod listening;
pub mod local;
mod local_events;
pub mod owner;
pub mod port;
pub mod record;
pub mod remote;
mod remote_events;
mod remote_port;
pub mod routines;
mod said;
mod schema;
pub mod served;
pub mod sourcing;
pub mod state;
pub mod tables;
mod watched;
pub mod wire;

pub use said::for_plugin as text_for_plugin;
