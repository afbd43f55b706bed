//! Calls without an event of their own. They have no parameters; those that change a file by its
//! name carry the kernel's path all the same, and as the second of the two what the caller said.
use crate::event::{Event, Next};
use crate::kernel::Kernel;
use crate::lane::{BULK, CRITICAL};
use crate::lookup::{AT_FDCWD, EMPTY, FOLLOW, said, with_names};
use crate::name::{follows_if, follows_unless};
use crate::table::SYSCALLS;

/// The code of a call in generic events.
const fn sc(name: &str) -> u16 {
    let mut at = 0;
    while at < SYSCALLS.len() {
        if same(SYSCALLS[at].name.as_bytes(), name.as_bytes()) {
            return SYSCALLS[at].sc;
        }
        at += 1;
    }
    panic!("a call of the table")
}

const fn same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

macro_rules! calls {
    ($($constant:ident $name:literal;)*) => {
        $(const $constant: u16 = sc($name);)*
    };
}
calls! {
    TRUNCATE "truncate";
    UTIME "utime";
    UTIMES "utimes";
    FUTIMESAT "futimesat";
    UTIMENSAT "utimensat";
    SETXATTR "setxattr";
    LSETXATTR "lsetxattr";
    SETXATTRAT "setxattrat";
    REMOVEXATTR "removexattr";
    LREMOVEXATTR "lremovexattr";
    REMOVEXATTRAT "removexattrat";
    FCHMODAT2 "fchmodat2";
    FILE_SETATTR "file_setattr";
    MOVE_MOUNT "move_mount";
    OPEN_TREE "open_tree";
    OPEN_TREE_ATTR "open_tree_attr";
    MOUNT_SETATTR "mount_setattr";
    PIVOT_ROOT "pivot_root";
    NAME_TO_HANDLE_AT "name_to_handle_at";
    FTRUNCATE "ftruncate";
    FALLOCATE "fallocate";
    FSETXATTR "fsetxattr";
    FREMOVEXATTR "fremovexattr";
    VMSPLICE "vmsplice";
    TEE "tee";
    FSYNC "fsync";
    FDATASYNC "fdatasync";
    KEXEC_FILE_LOAD "kexec_file_load";
    PIDFD_SEND_SIGNAL "pidfd_send_signal";
    SWAPON "swapon";
    SWAPOFF "swapoff";
    ACCT "acct";
}

const MOVE_MOUNT_T_SYMLINKS: u32 = 0x10;
const MOVE_MOUNT_T_EMPTY_PATH: u32 = 0x40;

/// Calls whose first argument is the descriptor of what they are about.
const fn uses_descriptor(sc: u16) -> bool {
    matches!(
        sc,
        FTRUNCATE
            | FALLOCATE
            | FSETXATTR
            | FREMOVEXATTR
            | VMSPLICE
            | TEE
            | FSYNC
            | FDATASYNC
            | KEXEC_FILE_LOAD
            | PIDFD_SEND_SIGNAL
    )
}

/// Its name and number, and the file that it names.
#[inline(always)]
pub fn generic<K: Kernel>(e: &mut Event<K>) -> Next {
    let (sc, number) = (e.state().sc, e.state().number);
    e.u16(sc);
    e.u16(number);
    if uses_descriptor(sc) {
        let fd = e.int(0);
        let state = e.state();
        state.files = [fd, -1];
        state.file_count = u32::from(fd >= 0);
        state.marks = 0;
        state.lane = if sc == VMSPLICE || sc == TEE { BULK } else { CRITICAL };
        return Next::Emit;
    }
    if e.ret() < 0 {
        return Next::Emit;
    }
    // Directory, name, how it is read.
    let (fd, name, how) = match sc {
        TRUNCATE | UTIME | UTIMES | SETXATTR | REMOVEXATTR | SWAPON | SWAPOFF | ACCT => {
            (AT_FDCWD, e.arg(0), FOLLOW)
        }
        LSETXATTR | LREMOVEXATTR => (AT_FDCWD, e.arg(0), 0),
        FUTIMESAT => (e.int(0), e.arg(1), FOLLOW),
        UTIMENSAT | FCHMODAT2 => {
            let flags = e.arg(3) as u32;
            // Without a name the former is about the descriptor (futimens).
            let empty = if e.arg(1) == 0 { EMPTY } else { 0 };
            (e.int(0), e.arg(1), follows_unless(flags) | empty)
        }
        SETXATTRAT | REMOVEXATTRAT => {
            let flags = e.arg(2) as u32;
            (e.int(0), e.arg(1), follows_unless(flags))
        }
        FILE_SETATTR => {
            let flags = e.arg(4) as u32;
            (e.int(0), e.arg(1), follows_unless(flags))
        }
        MOVE_MOUNT => {
            let flags = e.arg(4) as u32;
            let follow = if flags & MOVE_MOUNT_T_SYMLINKS != 0 { FOLLOW } else { 0 };
            let empty = if flags & MOVE_MOUNT_T_EMPTY_PATH != 0 { EMPTY } else { 0 };
            (e.int(2), e.arg(3), follow | empty)
        }
        OPEN_TREE | OPEN_TREE_ATTR | MOUNT_SETATTR => {
            let flags = e.arg(2) as u32;
            (e.int(0), e.arg(1), follows_unless(flags))
        }
        PIVOT_ROOT => (AT_FDCWD, e.arg(0), FOLLOW),
        NAME_TO_HANDLE_AT => {
            let flags = e.arg(4) as u32;
            (e.int(0), e.arg(1), follows_if(flags))
        }
        _ => return Next::Emit,
    };
    e.state().lane = CRITICAL;
    said(e, name as usize, fd, how);
    with_names(e)
}
