//! A call's registers as the kernel keeps them: struct pt_regs on x86_64, in 8-byte words. In: the
//! struct's memory. Out: where in it the call's number and arguments stand.

pub const BP: usize = 4;
pub const BX: usize = 5;
pub const R10: usize = 7;
pub const R9: usize = 8;
pub const R8: usize = 9;
pub const CX: usize = 11;
pub const DX: usize = 12;
pub const SI: usize = 13;
pub const DI: usize = 14;
pub const ORIG_AX: usize = 15;

/// The x32 ABI marks its numbers, which are those of the 64-bit entry but for a few.
pub const X32: u64 = 0x4000_0000;
/// The 32-bit entry was taken (TS_COMPAT, in the thread's status).
pub const COMPAT: u32 = 2;
