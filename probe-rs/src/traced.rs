//! Events that no call tells: signals that are delivered, page faults, switches from one thread to
//! another. In: what the kernel's tracepoint has. Out: their parameters.
use crate::event::Event;
use crate::kernel::Kernel;
use crate::offset;
use crate::process::{own_mm, sizes};
use crate::table::pf_flags;

/// Members of struct kernel_siginfo, which programs know as siginfo_t.
const SI_CODE: usize = 8;
const SI_PID: usize = 16;
/// In the place of a siginfo: nobody sent it, or the kernel did.
const SEND_SIG_PRIV: usize = 1;
const SIGKILL: u32 = 9;
const SIGCHLD: u32 = 17;
const SIGRTMIN: u32 = 32;
/// What a program asked for has a code of 0 or below.
const SI_USER: i32 = 0;

/// Who sent it, as far as the signal says; 0: nobody, or it says something else.
#[inline(always)]
fn sender<K: Kernel>(k: &K, signal: u32, info: usize) -> u32 {
    if info <= SEND_SIG_PRIV {
        return 0;
    }
    let code = k.int(info + SI_CODE) as i32;
    if code <= SI_USER || matches!(signal, SIGKILL | SIGCHLD) || signal >= SIGRTMIN {
        k.int(info + SI_PID)
    } else {
        0
    }
}

#[inline(always)]
pub fn signal<K: Kernel>(e: &mut Event<K>, signal: u32, info: usize) {
    let k = e.k;
    e.i64(i64::from(sender(k, signal, info)));
    e.i64(i64::from(k.int(k.task() + offset!(k, task_pid))));
    e.u8(signal as u8);
}

/// Bits of the error code of a page fault on x86.
const PROTECTION: u64 = 1;
const WRITE: u64 = 2;
const USER: u64 = 4;
const RESERVED: u64 = 8;
const INSTRUCTION: u64 = 16;

#[inline(always)]
const fn one_of(bits: u64, bit: u64, set: u32, unset: u32) -> u32 {
    if bits & bit != 0 { set } else { unset }
}

#[inline(always)]
pub fn page_fault<K: Kernel>(e: &mut Event<K>, address: u64, instruction: u64, error: u64) {
    e.u64(address);
    e.u64(instruction);
    e.u32(
        one_of(error, PROTECTION, pf_flags::PROTECTION_VIOLATION, pf_flags::PAGE_NOT_PRESENT)
            | one_of(error, WRITE, pf_flags::WRITE_ACCESS, pf_flags::READ_ACCESS)
            | one_of(error, USER, pf_flags::USER_FAULT, pf_flags::SUPERVISOR_FAULT)
            | one_of(error, RESERVED, pf_flags::RESERVED_PAGE, 0)
            | one_of(error, INSTRUCTION, pf_flags::INSTRUCTION_FETCH, 0),
    );
}

/// The current thread gives way to another.
#[inline(always)]
pub fn switch<K: Kernel>(e: &mut Event<K>, next: u32) {
    let k = e.k;
    let task = k.task();
    e.i64(i64::from(next));
    e.u64(k.word(task + offset!(k, task_maj_flt)));
    e.u64(k.word(task + offset!(k, task_min_flt)));
    let mm = own_mm(k);
    sizes(e, mm);
}

/// Its program, its tracepoint and its event.
pub const TRACED: &[(&str, &str, u16)] = &[
    ("signalled", "signal_deliver", crate::table::SIGNALDELIVER_E),
    ("faulted", "page_fault_user", crate::table::PAGE_FAULT_E),
    ("faulted_in_kernel", "page_fault_kernel", crate::table::PAGE_FAULT_E),
    ("switched", "sched_switch", crate::table::SCHEDSWITCH_6_E),
];
