//! Semaphores of System V.
use crate::event::{Event, Next};
use crate::kernel::Kernel;
use crate::table::{semctl_commands as command_flag, semget_flags, semop_flags};

#[inline(always)]
pub fn semget<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (key, count, how) = (e.arg(0) as u32, e.arg(1) as u32, e.arg(2) as u32);
    e.u32(key);
    e.u32(count);
    let create = if how & 0o1000 != 0 { semget_flags::IPC_CREAT } else { 0 };
    let alone = if how & 0o2000 != 0 { semget_flags::IPC_EXCL } else { 0 };
    e.u32(create | alone);
    Next::Emit
}

/// struct sembuf.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Operation {
    number: u16,
    change: i16,
    flags: u16,
}

#[inline(always)]
fn operation<K: Kernel>(e: &mut Event<K>, one: Operation) {
    e.u16(one.number);
    e.u16(one.change as u16);
    let wait = if one.flags & 0o4000 != 0 { semop_flags::IPC_NOWAIT } else { 0 };
    let undo = if one.flags & 0x1000 != 0 { semop_flags::SEM_UNDO } else { 0 };
    e.u16((wait | undo) as u16);
}

/// The first two operations of a call that worked; zeros otherwise, as with Falco.
#[inline(always)]
pub fn semop<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (k, at, count, ret) = (e.k, e.arg(1) as usize, e.arg(2) as u32, e.ret());
    e.u32(count);
    for index in 0..2 {
        let told = ret == 0 && index < count;
        let at = at.wrapping_add(size_of::<Operation>() * index as usize);
        let one = if told { k.read_user(at).unwrap_or_default() } else { Operation::default() };
        operation(e, one);
    }
    let set = e.arg(0) as u32;
    e.u32(set);
    Next::Emit
}

const SETVAL: u16 = 16;

pub const fn command(value: u16) -> u16 {
    let ours = match value {
        0 => command_flag::IPC_RMID,
        1 => command_flag::IPC_SET,
        2 => command_flag::IPC_STAT,
        3 => command_flag::IPC_INFO,
        11 => command_flag::GETPID,
        12 => command_flag::GETVAL,
        13 => command_flag::GETALL,
        14 => command_flag::GETNCNT,
        15 => command_flag::GETZCNT,
        SETVAL => command_flag::SETVAL,
        17 => command_flag::SETALL,
        18 => command_flag::SEM_STAT,
        19 => command_flag::SEM_INFO,
        _ => 0,
    };
    ours as u16
}

#[inline(always)]
pub fn semctl<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (set, number, what, value) =
        (e.arg(0) as u32, e.arg(1) as u32, e.arg(2) as u16, e.arg(3) as u32);
    e.u32(set);
    e.u32(number);
    e.u16(command(what));
    e.u32(if what == SETVAL { value } else { 0 });
    Next::Emit
}
