//! The kernel module's core. In: what the tracepoints of the glue hand over, and the commands of
//! readers (probe-rs/src/device.rs). Out: finished .scap event blocks in rings, one for each CPU
//! and lane of a reader.
//!
//! It is one object for all kernels: what a kernel's version changes, the glue has (kmod/*.c), or
//! is an offset. It allocates nothing, never sleeps, has no frame on the stack of more than a few
//! hundred bytes, uses no floating point, and holds no code that panics (panic.rs).
#![cfg_attr(not(test), no_std)]

mod control;
mod cpu;
mod entries;
mod glue;
mod here;
mod makers;
mod named;
#[cfg(not(test))]
mod panic;
mod purses;
mod reader;
mod ring;
#[cfg(test)]
mod tests;
mod write;
