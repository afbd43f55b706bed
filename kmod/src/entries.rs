//! What the glue calls: the tracepoints, each for one reader, with preemption and page faults off.
use probe::counters::row;
use probe::kernel::Kernel as _;
use probe::registers::{BP, BX, COMPAT, CX, DI, DX, ORIG_AX, R8, R9, R10, SI, X32};
use probe::routes::{self, CALLS, IA32, SOCKETCALL};
use probe::run::{self, Driver as _};
use probe::scratch::State;
use probe::socket::EINPROGRESS;
use probe::table::{
    PAGE_FAULT_E, PROCEXIT_1_E, SCHEDSWITCH_6_E, SIGNALDELIVER_E, SYSCALL_EXECVE_19_X,
};
use probe::{compat, event::Event, lane, offset, setting, traced};

use crate::cpu::Cpu;
use crate::here::Here;
use crate::reader::Reader;

/// Tracepoints, as a reader needs them: bits. kmod/saker.h has the same.
pub mod point {
    pub const CALLS: u32 = 1;
    pub const STARTS: u32 = 2;
    pub const ENDS: u32 = 4;
    pub const FORKS: u32 = 8;
    pub const SIGNALS: u32 = 16;
    pub const USER_FAULTS: u32 = 32;
    pub const KERNEL_FAULTS: u32 = 64;
    pub const SWITCHES: u32 = 128;
    /// Whatever is wanted, processes are told.
    pub const LIFE: u32 = STARTS | ENDS | FORKS;
}

/// For whom, where and in whose time something happens. kmod/saker.h has the same.
#[repr(C)]
pub struct Moment {
    pub reader: *const Reader,
    pub cpu: *mut Cpu,
    pub task: usize,
    /// `tgid << 32 | tid`
    pub id: u64,
}

/// Threads of the kernel's own.
const PF_KTHREAD: u32 = 0x0020_0000;

impl Moment {
    /// Runs `act` with a row's block of this CPU. What comes while the row is in use is lost, and
    /// counted; so it is in the reader's own process, without a count.
    #[inline(always)]
    unsafe fn with(&self, row: u32, code: u16, act: impl FnOnce(&Here)) {
        // SAFETY: both live until the event has ended, and the CPU's part is this CPU's.
        unsafe {
            let (reader, cpu) = (&*self.reader, self.cpu);
            let base = (&raw mut (*cpu).blocks).cast::<u8>();
            let base = base.add(row as usize * probe::scratch::SCRATCH_BYTES);
            let sieve = reader.sieve().map_or(core::ptr::null(), |sieve| &raw const *sieve);
            let here =
                Here { reader: self.reader, cpu, task: self.task, id: self.id, row, base, sieve };
            if (self.id >> 32) as u32 == setting!(here, self_tgid) {
                return;
            }
            if !(*cpu).take(row) {
                (*cpu).busy += 1;
                return here.count_lost(lane::of(code), code, 1);
            }
            act(&here);
            (*cpu).give_back(row);
        }
    }
}

/// A call has returned.
///
/// # Safety
/// The glue's: a moment that lives, and the registers of the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn saker_core_returned(moment: &Moment, regs: *const u64, ret: i64) {
    // SAFETY: as the caller promises.
    let register = |which: usize| unsafe { regs.add(which).read_volatile() };
    let number = register(ORIG_AX) & !X32;
    if number >= u64::from(CALLS) {
        return;
    }
    let routes = route(moment, number);
    if routes == 0 {
        return;
    }
    // SAFETY: as the caller promises.
    unsafe {
        moment.with(row::CALLS, 0, |here| {
            let status = here.int(here.task + offset!(here, task_thread_status));
            let state = &mut *here.base.cast::<State>();
            let is_compat = status & COMPAT != 0;
            let (mut number, mut route) = (number, routes as u32);
            if is_compat {
                let low = |which: usize| register(which) & 0xffff_ffff;
                state.args = [low(BX), low(CX), low(DX), low(SI), low(DI), low(BP)];
                route = (routes >> IA32) as u32;
                if route != 0 && number == SOCKETCALL as u64 {
                    let Some(inner) = compat::socketcall(here, state) else { return };
                    number = inner;
                    route = (self::route(moment, inner) >> IA32) as u32;
                }
            } else {
                state.args = [DI, SI, DX, R10, R8, R9].map(register);
            }
            if route == 0 || ret < 0 && ret != EINPROGRESS && setting!(here, drop_failed) != 0 {
                return;
            }
            state.ret = ret;
            routes::take(state, route, number, is_compat);
            run::call(here, here.base);
        });
    }
}

/// Where a call goes, see probe::routes; 0: nobody wants it.
fn route(moment: &Moment, number: u64) -> u64 {
    // SAFETY: the reader lives; a command may be writing the number, whole.
    unsafe {
        let routes = &raw const (*moment.reader).routes;
        routes.cast::<u64>().add(number as usize & (CALLS as usize - 1)).read_volatile()
    }
}

/// A program was started.
///
/// # Safety
/// The glue's, as for all that follow: a moment that lives, and what the tracepoint hands over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn saker_core_started(moment: &Moment, bprm: usize) {
    // SAFETY: as the caller promises.
    unsafe {
        moment.with(row::STARTS, SYSCALL_EXECVE_19_X, |here| run::started(here, here.base, bprm));
    }
}

/// # Safety
/// As above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn saker_core_ended(moment: &Moment) {
    // SAFETY: as the caller promises.
    unsafe {
        moment.with(row::ENDS, PROCEXIT_1_E, |here| {
            if here.int(here.task + offset!(here, task_flags)) & PF_KTHREAD == 0 {
                run::ended(here, here.base);
            }
        });
    }
}

/// A process was made by another: noted, until its own event tells it.
///
/// # Safety
/// As above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn saker_core_forked(moment: &Moment, maker: u32, made: u32, boot_ns: u64) {
    if maker == made {
        return;
    }
    // SAFETY: as the caller promises.
    unsafe {
        let settings = &raw const (*moment.reader).settings;
        let epoch = (&raw const (*settings).boot_epoch_ns).read_volatile();
        (*moment.reader).makers.note(made, maker, boot_ns.wrapping_add(epoch));
    }
}

/// # Safety
/// As above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn saker_core_signalled(moment: &Moment, signal: u32, info: usize) {
    // SAFETY: as the caller promises.
    unsafe { aside(moment, SIGNALDELIVER_E, |e| traced::signal(e, signal, info)) };
}

/// # Safety
/// As above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn saker_core_faulted(moment: &Moment, at: u64, from: u64, error: u64) {
    // SAFETY: as the caller promises.
    unsafe { aside(moment, PAGE_FAULT_E, |e| traced::page_fault(e, at, from, error)) };
}

/// # Safety
/// As above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn saker_core_switched(moment: &Moment, next: u32) {
    // SAFETY: as the caller promises.
    unsafe { aside(moment, SCHEDSWITCH_6_E, |e| traced::switch(e, next)) };
}

/// Signals, faults and switches come at any time, in the middle of another event as well.
#[inline(always)]
unsafe fn aside(moment: &Moment, code: u16, fill: impl FnOnce(&mut Event<Here>)) {
    // SAFETY: as the caller promises.
    unsafe {
        moment.with(row::ASIDE, code, |here| run::aside(here, here.base, code, fill));
    }
}
