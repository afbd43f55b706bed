//! State tables: saker's threads with what plugins add to them, and plugins' own tables, through
//! the functions of the interface. `registry` holds them, `access` is what one plugin has of them,
//! `reading` and `writing` are the functions that it calls.
pub mod access;
pub mod columns;
pub mod machine;
pub mod pointers;
pub mod reading;
pub mod registry;
#[cfg(test)]
mod tests;
pub mod value;
pub mod writing;
