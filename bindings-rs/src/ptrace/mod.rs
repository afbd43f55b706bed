//! Instrumentation from userspace: follows a tree of processes with ptrace(2) and tells what they
//! do by the probe's own fillers. It needs no right beyond the user's own, and of the kernel
//! nothing but ptrace.
//!
//! The thread of the tracer (tracer.rs) waits for stops of its tracees. At a call's return a filler
//! runs over "kernel memory" of our own (arena.rs), which is filled from /proc as the filler reads
//! it (fill.rs, subject.rs): what the kernel resolved is what /proc says once the call returned.
//! The finished block goes through a queue (queue.rs) to whoever reads (records.rs).
mod arena;
mod ask;
mod attach;
mod calls;
mod driver;
mod facts;
mod fill;
mod filter;
mod kernel;
mod launch;
mod layout;
mod names;
mod out;
mod proc_text;
mod queue;
mod records;
mod routes;
mod scene;
mod shared;
mod sifting;
mod sockets;
mod start;
mod subject;
mod teller;
mod tracees;
mod tracer;
mod user_memory;

pub use records::TracerRecords;
pub use start::Target;
