//! The kernel module, from outside: its device as a source of records (records.rs), and the module
//! itself: loaded, unloaded, asked how it is.
mod device;
#[cfg(not(test))]
mod export;
mod load;
mod parts;
mod records;

pub use records::ModuleRecords;
