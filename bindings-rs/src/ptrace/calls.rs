//! A call as it begins: how it is told when it returns, and what has to be known before it happens.
//! In: number and arguments at the entry. Out: what the tracer keeps of it.
use probe::compat::{carried, carried_args};
use probe::registers::X32;
use probe::routes::SOCKETCALL;

use super::ask;
use super::routes::Routes;
use super::teller::Teller;
use super::tracees::{InCall, Patched, Tracees};
use super::user_memory;

const CLONE_UNTRACED: u64 = 0x0080_0000;
const PATH_MAX: usize = 4096;

/// Numbers of the calls that make or replace a process: clone, clone3, execve, execveat.
struct Life {
    clone: u64,
    clone3: u64,
    execve: u64,
    execveat: u64,
}
const WIDE: Life = Life {
    clone: libc::SYS_clone as u64,
    clone3: libc::SYS_clone3 as u64,
    execve: libc::SYS_execve as u64,
    execveat: libc::SYS_execveat as u64,
};
const NARROW: Life = Life { clone: 120, clone3: 435, execve: 11, execveat: 358 };

/// What is kept of a call; None where nobody wants to know of it.
pub fn begin(
    routes: &Routes,
    tracees: &Tracees,
    teller: &mut Teller,
    tid: i32,
    number: u64,
    args: [u64; 6],
    compat: bool,
) -> Option<InCall> {
    let (mut number, mut args) = (number, args);
    if compat {
        args = args.map(|arg| arg & 0xffff_ffff);
        if number == SOCKETCALL as u64 {
            (number, args) = inner(tid, args)?;
        }
    } else {
        number &= !X32;
    }
    let route = routes.get(number, compat);
    let life = if compat { NARROW } else { WIDE };
    let is_start = number == life.execve || number == life.execveat;
    let makes = number == life.clone || number == life.clone3;
    if route.is_none() && !is_start && !makes {
        return None;
    }
    let mut call =
        InCall { route, number, args, compat, program: Vec::new(), creates: false, patched: None };
    if is_start {
        call.program = program(tid, number == life.execveat, &args);
    } else if number == life.clone {
        call.patched = patch_register(tid, args[0], compat);
    } else if number == life.clone3 {
        call.patched = patch_memory(tid, args[0] as usize);
    } else {
        call.creates = creates(tracees, teller, tid, &call);
    }
    Some(call)
}

/// The call that socketcall carries, and its arguments, as far as they are in memory: it may have
/// fewer than are read.
fn inner(tid: i32, args: [u64; 6]) -> Option<(u64, [u64; 6])> {
    let number = carried(args[0])?;
    let mut bytes = [0u8; 24];
    user_memory::read(tid, &mut bytes, args[1] as usize);
    let mut words = [0; 6];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    Some((number, carried_args(args[0], number, words)))
}

fn text(tid: i32, at: u64) -> Vec<u8> {
    let mut room = vec![0u8; PATH_MAX];
    let got = user_memory::read_text(tid, &mut room, at as usize).unwrap_or(1);
    room.truncate(got - 1);
    room
}

/// The name that an execution is given, in the kernel's form where it is by a descriptor.
fn program(tid: i32, by_descriptor: bool, args: &[u64; 6]) -> Vec<u8> {
    const AT_FDCWD: i32 = -100;
    if !by_descriptor {
        return text(tid, args[0]);
    }
    let (fd, name) = (args[0] as i32, text(tid, args[1]));
    if fd == AT_FDCWD || name.starts_with(b"/") {
        return name;
    }
    let mut program = format!("/dev/fd/{fd}").into_bytes();
    if !name.is_empty() {
        program.push(b'/');
        program.extend_from_slice(&name);
    }
    program
}

/// A child that is to be hidden from tracers is followed all the same: the flag is taken out.
fn patch_register(tid: i32, flags: u64, compat: bool) -> Option<Patched> {
    if flags & CLONE_UNTRACED == 0 {
        return None;
    }
    let mut registers = ask::registers(tid).ok()?;
    let flags = if compat { &mut registers.rbx } else { &mut registers.rdi };
    *flags &= !CLONE_UNTRACED;
    ask::set_registers(tid, &registers).ok()?;
    Some(Patched::Register)
}

fn patch_memory(tid: i32, at: usize) -> Option<Patched> {
    let mut flags = [0u8; 8];
    if user_memory::read(tid, &mut flags, at) != 8 {
        return None;
    }
    let flags = u64::from_le_bytes(flags);
    let is_patched = flags & CLONE_UNTRACED != 0
        && user_memory::write(tid, at, &(flags & !CLONE_UNTRACED).to_le_bytes());
    is_patched.then_some(Patched::Memory(at))
}

/// Puts back what was taken out of a call.
pub fn restore(tid: i32, call: &InCall) {
    match call.patched {
        None => {}
        Some(Patched::Register) => {
            if let Ok(mut registers) = ask::registers(tid) {
                let flags = if call.compat { &mut registers.rbx } else { &mut registers.rdi };
                *flags |= CLONE_UNTRACED;
                let _ = ask::set_registers(tid, &registers);
            }
        }
        Some(Patched::Memory(at)) => {
            let mut flags = [0u8; 8];
            if user_memory::read(tid, &mut flags, at) == 8 {
                let flags = u64::from_le_bytes(flags) | CLONE_UNTRACED;
                user_memory::write(tid, at, &flags.to_le_bytes());
            }
        }
    }
}

/// Whether an open would make its file: it asks for that, and the file is not there.
fn creates(tracees: &Tracees, teller: &mut Teller, tid: i32, call: &InCall) -> bool {
    use probe::table as t;
    const AT_FDCWD: i32 = -100;
    const O_CREAT: u64 = libc::O_CREAT as u64;
    const O_TMPFILE: u64 = 0o20_000_000;
    let args = &call.args;
    let Some(route) = call.route else { return false };
    let (fd, name, flags) = match super::routes::code_of(route) {
        t::SYSCALL_OPEN_X => (AT_FDCWD, args[0], args[1]),
        t::SYSCALL_CREAT_X => (AT_FDCWD, args[0], O_CREAT),
        t::SYSCALL_OPENAT_2_X => (args[0] as i32, args[1], args[2]),
        t::SYSCALL_OPENAT2_X => {
            let mut flags = [0u8; 8];
            user_memory::read(tid, &mut flags, args[2] as usize);
            (args[0] as i32, args[1], u64::from_le_bytes(flags))
        }
        _ => return false,
    };
    if flags & O_TMPFILE != 0 {
        return false;
    }
    flags & O_CREAT != 0 && {
        let subject = tracees.subject(tid);
        !teller.is_there(subject, fd, &text(tid, name))
    }
}
