//! Calls on a process's own memory, and on another's.
use crate::compat;
use crate::event::{Event, Next};
use crate::flags::bit;
use crate::get;
use crate::kernel::Kernel;
use crate::lane::CRITICAL;
use crate::process::{own_mm, sizes};
use crate::table::{mlock2_flags, mlockall_flags, mmap_flags as map, prot_flags as prot};
use crate::vectors::{data, kept};

const PROT_EXEC: u32 = 4;

pub const fn protection(value: u32) -> u32 {
    bit(value, 1, prot::PROT_READ)
        | bit(value, 2, prot::PROT_WRITE)
        | bit(value, PROT_EXEC, prot::PROT_EXEC)
        | bit(value, 8, prot::PROT_SEM)
        | bit(value, 0x0100_0000, prot::PROT_GROWSDOWN)
        | bit(value, 0x0200_0000, prot::PROT_GROWSUP)
        | bit(value, 0x10, prot::PROT_SAO)
}

pub const fn mapping(value: u32) -> u32 {
    bit(value, 0x1, map::MAP_SHARED)
        | bit(value, 0x2, map::MAP_PRIVATE)
        | bit(value, 0x10, map::MAP_FIXED)
        | bit(value, 0x20, map::MAP_ANONYMOUS)
        | bit(value, 0x40, map::MAP_32BIT)
        | bit(value, 0x80, map::MAP_INHERIT)
        | bit(value, 0x100, map::MAP_GROWSDOWN)
        | bit(value, 0x800, map::MAP_DENYWRITE)
        | bit(value, 0x1000, map::MAP_EXECUTABLE)
        | bit(value, 0x2000, map::MAP_LOCKED)
        | bit(value, 0x4000, map::MAP_NORESERVE)
        | bit(value, 0x8000, map::MAP_POPULATE)
        | bit(value, 0x1_0000, map::MAP_NONBLOCK)
}

/// Memory that may be executed is what rules ask for; all programs ask for other memory, often.
#[inline(always)]
fn choose_lane<K: Kernel>(e: &mut Event<K>, protection: u32) {
    if protection & PROT_EXEC != 0 {
        e.state().lane = CRITICAL;
    }
}

/// The result, and what memory the process has after the call.
#[inline(always)]
fn result_and_sizes<K: Kernel>(e: &mut Event<K>) {
    e.res();
    let mm = own_mm(e.k);
    sizes(e, mm);
}

/// Address and length.
#[inline(always)]
fn range<K: Kernel>(e: &mut Event<K>) {
    let (at, len) = (e.arg(0), e.arg(1));
    e.u64(at);
    e.u64(len);
}

/// The arguments of the two 32-bit calls as those of the 64-bit one: the old call has them in a
/// structure, the other counts its offset in pages.
#[inline(always)]
fn widen<K: Kernel>(e: &mut Event<K>) {
    let (number, at, pages) = (e.state().number, e.arg(0) as usize, e.arg(5));
    if get!(e.state().compat) == 0 {
        return;
    }
    if number == compat::OLD_MMAP {
        let args: [u32; 6] = e.k.read_user(at).unwrap_or_default();
        e.state().args = args.map(u64::from);
    } else if number == compat::MMAP2 {
        e.state().args[5] = pages << 12;
    }
}

#[inline(always)]
pub fn mmap<K: Kernel>(e: &mut Event<K>) -> Next {
    widen(e);
    let (wanted, how, offset) = (e.arg(2) as u32, e.arg(3) as u32, e.arg(5));
    choose_lane(e, wanted);
    result_and_sizes(e);
    range(e);
    e.u32(protection(wanted));
    e.u32(mapping(how));
    e.fd(4);
    e.u64(offset);
    Next::Emit
}

#[inline(always)]
pub fn munmap<K: Kernel>(e: &mut Event<K>) -> Next {
    result_and_sizes(e);
    range(e);
    Next::Emit
}

#[inline(always)]
pub fn brk<K: Kernel>(e: &mut Event<K>) -> Next {
    result_and_sizes(e);
    let at = e.arg(0);
    e.u64(at);
    Next::Emit
}

#[inline(always)]
pub fn mprotect<K: Kernel>(e: &mut Event<K>) -> Next {
    let wanted = e.arg(2) as u32;
    choose_lane(e, wanted);
    e.res();
    range(e);
    e.u32(protection(wanted));
    Next::Emit
}

/// mlock, munlock.
#[inline(always)]
pub fn mlock<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    range(e);
    Next::Emit
}

#[inline(always)]
pub fn mlock2<K: Kernel>(e: &mut Event<K>) -> Next {
    mlock(e);
    let how = e.arg(2) as u32;
    e.u32(bit(how, 1, mlock2_flags::MLOCK_ONFAULT));
    Next::Emit
}

#[inline(always)]
pub fn mlockall<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let how = e.arg(0) as u32;
    e.u32(
        bit(how, 1, mlockall_flags::MCL_CURRENT)
            | bit(how, 2, mlockall_flags::MCL_FUTURE)
            | bit(how, 4, mlockall_flags::MCL_ONFAULT),
    );
    Next::Emit
}

/// process_vm_readv and process_vm_writev: what was moved, from the caller's own buffers.
#[inline(always)]
pub fn process_vm<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (pid, at, count) = (e.int(0), e.arg(1) as usize, e.arg(2));
    e.i64(i64::from(pid));
    let ret = e.ret();
    let most = kept(e, ret);
    data(e, at, count, most);
    Next::Emit
}
