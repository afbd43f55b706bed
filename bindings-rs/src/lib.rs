//! The native addon. What it offers is described in ../index.d.ts; one file per thing offered.

mod snapshot;
