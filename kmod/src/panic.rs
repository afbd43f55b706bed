//! No panic can happen: the object has no code for one. Every panic that a compiler cannot prove
//! away would call this, and with it a function that does not exist; scripts/build refuses an
//! object that asks for it. (So would the kernel's loader.)
use core::panic::PanicInfo;

unsafe extern "C" {
    fn saker_core_may_panic() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    // SAFETY: never linked.
    unsafe { saker_core_may_panic() }
}
