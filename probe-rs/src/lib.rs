//! What an event consists of and where its parameters are read from, for every driver.
//!
//! A driver implements `Kernel`, gives each CPU a block of `scratch::SCRATCH_BYTES`, and runs the
//! fillers of `with_fillers!`. Every function is inlined into the driver's programs: a verifier
//! then sees straight code with known positions.
#![no_std]

pub mod address;
pub mod budget;
pub mod cgroup;
pub mod compat;
pub mod control;
pub mod counters;
pub mod credentials;
pub mod descriptor;
pub mod descriptors;
pub mod device;
pub mod event;
#[cfg(test)]
mod event_test;
pub mod exec;
pub mod exit;
pub mod file;
pub mod files;
pub mod fillers;
pub mod flags;
pub mod further;
pub mod gate;
pub mod generic;
pub mod io;
pub mod kernel;
pub mod keys;
pub mod lane;
pub mod long;
pub mod lookup;
pub mod memory;
pub mod mounts;
pub mod name;
pub mod namespaces;
pub mod offsets;
pub mod open;
pub mod path;
pub mod pid;
pub mod process;
pub mod quota;
pub mod registers;
pub mod ring;
pub mod routes;
pub mod run;
pub mod scratch;
pub mod semaphore;
pub mod sieve;
pub mod snaplen;
pub mod socket;
pub mod sockopt;
pub mod stage;
pub mod system;
pub mod table;
pub mod traced;
pub mod transfer;
pub mod vectors;
pub mod wait;
pub mod wake;
