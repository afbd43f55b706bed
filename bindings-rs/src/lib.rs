//! The native addon. What it offers is described in ../index.d.ts; one file per thing offered.

mod btf;
mod driver;
mod failure;
mod loader;
mod merge;
mod ring;
mod snapshot;
