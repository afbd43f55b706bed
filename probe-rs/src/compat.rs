//! Calls of the 32-bit entry that the 64-bit one lacks: by which 64-bit call they are told. Falco
//! tells them the same way.
use crate::kernel::Kernel;
use crate::scratch::{State, VIA_FCHMODAT2, VIA_PREADV2, VIA_PWRITEV2};
use crate::table::{
    GENERIC_X, SYSCALL_FCHMODAT_X, SYSCALL_PREADV_X, SYSCALL_PWRITEV_X, SYSCALLS, Syscall,
};

/// The call, and the 64-bit call of the same meaning.
const SAME: [(&str, &str); 21] = [
    ("mmap2", "mmap"),
    ("_llseek", "lseek"),
    ("ugetrlimit", "getrlimit"),
    ("stat64", "stat"),
    ("lstat64", "lstat"),
    ("fstat64", "fstat"),
    ("fcntl64", "fcntl"),
    ("sendfile64", "sendfile"),
    ("umount", "umount2"),
    ("getuid32", "getuid"),
    ("getgid32", "getgid"),
    ("geteuid32", "geteuid"),
    ("getegid32", "getegid"),
    ("getresuid32", "getresuid"),
    ("getresgid32", "getresgid"),
    ("setuid32", "setuid"),
    ("setgid32", "setgid"),
    ("setresuid32", "setresuid"),
    ("setresgid32", "setresgid"),
    // Falco misses these two.
    ("_newselect", "select"),
    ("fstatat64", "newfstatat"),
];

/// Calls without an event of their own that do what an older call does, and are told as that call
/// too: the older call's event, and how that is told.
const YOUNGER: [(&str, u16, u8); 3] = [
    ("preadv2", SYSCALL_PREADV_X, VIA_PREADV2),
    ("pwritev2", SYSCALL_PWRITEV_X, VIA_PWRITEV2),
    ("fchmodat2", SYSCALL_FCHMODAT_X, VIA_FCHMODAT2),
];

/// The older call's event of such a call, and its `VIA_*`.
pub fn older_of(call: &Syscall) -> Option<(u16, u8)> {
    YOUNGER.iter().find(|(name, ..)| *name == call.name).map(|&(_, code, via)| (code, via))
}

/// socketcall's send and recv have no number of their own: these stand for them in the routes.
pub const SEND: u16 = 510;
pub const RECV: u16 = 511;

/// The number under which a call that socketcall carries has its route; None where there is no such
/// call. (socketcall(call, args))
#[inline(always)]
pub fn carried(which: u64) -> Option<u64> {
    Some(match which {
        1 => 359,
        2 => 361,
        3 => 362,
        4 => 363,
        5 | 18 => 364,
        8 => 360,
        9 => SEND.into(),
        10 => RECV.into(),
        11 => 369,
        12 => 371,
        13 => 373,
        14 => 366,
        15 => 365,
        16 => 370,
        17 => 372,
        _ => return None,
    })
}

/// Its arguments, of the words that socketcall's second argument leads to: accept has no flags.
#[inline(always)]
pub fn carried_args(which: u64, inner: u64, args: [u32; 6]) -> [u64; 6] {
    let flags = if which == 18 { args[3] } else { 0 };
    let fourth = if inner == 364 { flags } else { args[3] };
    [
        u64::from(args[0]),
        u64::from(args[1]),
        u64::from(args[2]),
        u64::from(fourth),
        u64::from(args[4]),
        u64::from(args[5]),
    ]
}

/// Puts the arguments of the call that socketcall carries in the place of its own; the call's
/// number, or None where there is no such call.
#[inline(always)]
pub fn socketcall<K: Kernel>(k: &K, state: &mut State) -> Option<u64> {
    let which = state.args[0];
    let inner = carried(which)?;
    let args: [u32; 6] = k.read_user(state.args[1] as usize).unwrap_or_default();
    state.args = carried_args(which, inner, args);
    Some(inner)
}

/// Numbers of 32-bit calls whose arguments are laid out in another way.
pub const OLD_MMAP: u16 = 90;
pub const MMAP2: u16 = 192;
pub const LLSEEK: u16 = 140;
pub const SENDFILE64: u16 = 239;
pub const UMOUNT: u16 = 22;

/// The event of a call's return; the generic one where there is no other.
pub fn event_of(call: &Syscall) -> u16 {
    if call.exit != GENERIC_X {
        return call.exit;
    }
    let same = SAME.iter().find(|(name, _)| *name == call.name);
    let told = same.and_then(|(_, as_call)| SYSCALLS.iter().find(|other| other.name == *as_call));
    told.map_or(GENERIC_X, |call| call.exit)
}

/// The number by which the 32-bit entry's routes know a call.
pub fn number_of(call: &Syscall) -> u16 {
    match call.name {
        "send" => SEND,
        "recv" => RECV,
        _ => call.ia32,
    }
}

#[cfg(test)]
mod tests {
    use super::{SAME, event_of};
    use crate::table::{GENERIC_X, NONE, SYSCALLS};

    #[test]
    fn every_such_call_is_one_of_32_bits_and_has_an_event() {
        for (name, _) in SAME {
            let call = SYSCALLS.iter().find(|call| call.name == name).expect("a known call");
            assert!(call.x86_64 == NONE && call.ia32 != NONE, "{name}");
            assert_ne!(event_of(call), GENERIC_X, "{name}");
        }
    }
}
