//! The native addon. What it offers is described in ../index.d.ts; one file per thing offered.

mod aside;
mod at_once;
mod blocks;
mod btf;
mod budget;
mod cluster;
mod counters;
mod disk;
mod driver;
mod failure;
mod gaps;
mod grpc;
#[cfg(test)]
mod live_test;
mod loader;
mod memory;
mod merge;
mod name;
mod named;
mod plan;
mod privileges;
mod ring;
mod rings;
mod runtimes;
mod settings;
mod sieve;
mod sift;
mod snapshot;
mod spare;
mod stages;
mod tally;
mod tls;
mod tls_door;
mod traced;
mod wanted;
