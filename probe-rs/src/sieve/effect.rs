//! What events do to the tables: the numbers of src/sieve/state_effects.ts.

/// It makes its thread known, as later events do.
pub const NONE: u8 = 0;
pub const OPEN: u8 = 1;
pub const CLOSE: u8 = 2;
/// Only some of its commands change a descriptor.
pub const FCNTL: u8 = 3;
pub const DUP: u8 = 4;
/// Data went through a descriptor, which tells of sockets only.
pub const TRANSFER: u8 = 5;
pub const THREAD: u8 = 6;
pub const DESCRIPTORS: u8 = 7;
pub const MUCH: u8 = 8;
pub const META: u8 = 9;

/// Those that change nothing but descriptors.
pub const OF_DESCRIPTORS: [u8; 6] = [OPEN, CLOSE, FCNTL, DUP, TRANSFER, DESCRIPTORS];
