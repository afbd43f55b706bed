//! What the glue does for the core: memory that may be missing, time. All of it may be called with
//! page faults disabled, in any context.
#[cfg(not(test))]
use core::ffi::c_void;

#[cfg(not(test))]
unsafe extern "C" {
    /// Copies from a kernel's address; 0, or an error where not all could be read.
    pub fn saker_copy_kernel(to: *mut c_void, from: usize, bytes: usize) -> i32;
    /// The same from an address of the current process.
    pub fn saker_copy_user(to: *mut c_void, from: usize, bytes: usize) -> i32;
    /// Copies a string with its NUL, cut at `most` bytes; its bytes, or a negative error.
    pub fn saker_string_kernel(to: *mut u8, from: usize, most: usize) -> i64;
    pub fn saker_string_user(to: *mut u8, from: usize, most: usize) -> i64;
    /// Nanoseconds since the boot, suspended time included.
    pub fn saker_boot_ns() -> u64;
    /// Keeps interrupts away from this CPU; what `saker_interrupts_back` wants.
    pub fn saker_interrupts_off() -> usize;
    pub fn saker_interrupts_back(before: usize);
    /// Whether this is a non-maskable interrupt, which the former does not keep away.
    pub fn saker_is_unmaskable() -> bool;
    /// Has the reader woken soon.
    pub fn saker_wake(reader: *const c_void);
}

#[cfg(test)]
pub use crate::tests::glue::*;

/// The kernel's error numbers that commands answer with.
pub const EINVAL: i64 = -22;
pub const ENOTTY: i64 = -25;
pub const ENOSPC: i64 = -28;
