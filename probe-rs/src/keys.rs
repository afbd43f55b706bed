//! Keys, filters of calls, contexts of file systems, io_uring: calls of many commands.
use crate::event::{Event, Next};
use crate::kernel::Kernel;
use crate::{get, set};

/// What an argument of keyctl is.
const NUMBER: u8 = 0;
const TEXT: u8 = 1;

/// How many arguments a command of keyctl has behind its number, and which of them are texts, as
/// Falco has it: a bit each.
const fn arguments(command: u32) -> (usize, u32) {
    const SECOND: u32 = 1;
    const THIRD: u32 = 2;
    const FOURTH: u32 = 4;
    match command {
        1 => (1, SECOND),
        3 | 7 | 14 | 16 | 21 => (1, 0),
        0 | 5 | 8 | 9 | 15 | 22 | 31 => (2, 0),
        2 | 4 | 6 | 11 | 13 | 17 | 32 => (3, 0),
        24 => (3, FOURTH),
        29 => (3, THIRD | FOURTH),
        10 => (4, THIRD | FOURTH),
        25..=28 => (4, THIRD),
        12 | 19 | 20 | 23 | 30 => (4, 0),
        _ => (0, 0),
    }
}

/// Each argument is a number or a text; what a command does not have is 0.
#[inline(always)]
pub fn keyctl<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let command = e.arg(0) as u32;
    e.u32(command);
    let (count, texts) = arguments(command);
    set!(e.state().count, count as u32);
    set!(e.state().total, texts);
    for index in 0..4 {
        let value = e.arg(index + 1);
        let is_text = get!(e.state().total) >> index & 1 != 0;
        if is_text {
            e.bytes(TEXT);
            text(e, value as usize);
        } else {
            e.bytes(NUMBER);
            let told = (index as u32) < get!(e.state().count);
            let wide =
                if get!(e.state().compat) != 0 { i64::from(value as i32) } else { value as i64 };
            e.bytes(if told { wide } else { 0 });
            e.end(9);
        }
        e.forget();
    }
    Next::Emit
}

/// Ends a parameter, of which one byte is written, with a text of the caller.
#[inline(always)]
fn text<K: Kernel>(e: &mut Event<K>, at: usize) {
    // SAFETY: `room` takes 4 KiB.
    let got = unsafe { e.k.copy_user_str(e.room(), 4095, at) };
    let bytes = e.bound(if got < 0 { 0 } else { got as usize });
    e.grow(bytes);
    e.end(bytes + 1);
}

#[inline(always)]
pub fn seccomp<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (operation, how) = (e.arg(0), e.arg(1) as u32);
    e.u64(operation);
    e.u64(u64::from(how));
    Next::Emit
}

/// Commands of fsconfig whose value is a text, or bytes.
const SET_STRING: u32 = 1;
const SET_BINARY: u32 = 2;
const SET_PATH: u32 = 3;
const SET_PATH_EMPTY: u32 = 4;

#[inline(always)]
pub fn fsconfig<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    let (command, at, more) = (e.arg(1) as u32, e.arg(3) as usize, e.arg(4) as u32);
    e.u32(command);
    e.string(2);
    let worked = e.ret() >= 0;
    if worked && command == SET_BINARY {
        e.user_bytes(at, more as usize, 4095);
    } else {
        e.empty();
    }
    if worked && matches!(command, SET_STRING | SET_PATH | SET_PATH_EMPTY) {
        e.user_string(at);
    } else {
        e.empty();
    }
    e.u32(more);
    Next::Emit
}

/// GETEVENTS, SQ_WAKEUP, SQ_WAIT and EXT_ARG are those of the kernel; Falco knows no later ones.
const fn enter_flags(value: u32) -> u32 {
    value & 0xf
}

#[inline(always)]
pub fn io_uring_enter<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    let (submit, complete, how, signals) =
        (e.arg(1) as u32, e.arg(2) as u32, e.arg(3) as u32, e.arg(4) as u32);
    e.u32(submit);
    e.u32(complete);
    e.u32(enter_flags(how));
    // The low half of an address, as with Falco.
    e.u32(signals);
    Next::Emit
}

#[inline(always)]
pub fn io_uring_register<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    let (operation, at, count) = (e.arg(1) as u16, e.arg(2), e.arg(3) as u32);
    e.u16(operation);
    e.u64(at);
    e.u32(count);
    Next::Emit
}
