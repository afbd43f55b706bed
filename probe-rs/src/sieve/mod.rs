//! The sieve: whether an event can matter to any loaded rule, decided from its bytes alone.
//!
//! What goes in is a `Table` (table.rs: made by src/sieve/ from the checked rules, one `Guard` for
//! each event code and one automaton over the bytes of names) and a finished event; what comes out
//! is keep or drop. It only ever keeps too much. Three steps, each of which may end it:
//!
//!     guard.verdict                 KEEP or DROP: no more to ask
//!     facts(guard, event)           tests of numbers: one bit each
//!     admits(guard, facts, ALL)     no: drop, whatever the names are
//!     admits_any(guard, facts)      yes: keep, whatever the names are
//!     Walk over each text           marks: one bit for each group of predicates on names
//!     admits(guard, facts, marks)   of one of them: keep; of none: drop
//!
//! Every function is inlined, allocates nothing, has bounded loops and masks every index, so that
//! BPF's verifiers take it: see `names.rs`.
pub mod ask;
pub mod effect;
pub mod guard;
pub mod names;
pub mod opens;
pub mod table;
pub mod tables;
#[cfg(test)]
mod tests;
pub mod text;

pub use guard::{Guard, Verdict, admits, admits_any, facts};
pub use names::{Names, Walk};
