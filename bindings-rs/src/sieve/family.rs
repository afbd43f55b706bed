//! What calls say that begin threads: who was made, of whom, and what both share.
use probe::table as t;

use super::record::{Record, word};

/// Parameters of the clone family: the process, its parent, the flags.
pub const PROCESS: usize = 4;
pub const PARENT: usize = 5;
pub const FLAGS: usize = 15;
/// Parameters of executions.
const VPGID: usize = 17;
const PGID: usize = 28;
/// Of the flags: the descriptors are shared, or all of the process.
const SHARES: u32 = 1 << 0 | THREAD;
const THREAD: u32 = 1 << 13;

/// Whether an event begins another program.
pub fn is_exec(record: &Record) -> bool {
    matches!(record.code as u16, t::SYSCALL_EXECVE_19_X | t::SYSCALL_EXECVEAT_X)
}

/// Whether the event is a call of the clone family's.
pub fn is_clone(record: &Record) -> bool {
    matches!(
        record.code as u16,
        t::SYSCALL_CLONE_20_X | t::SYSCALL_CLONE3_X | t::SYSCALL_FORK_20_X | t::SYSCALL_VFORK_20_X
    )
}

/// The thread that a call of the clone family made, as its creator tells; else 0 or below.
pub fn created(record: &Record) -> i64 {
    if is_clone(record) { record.result().unwrap_or(0) } else { 0 }
}

/// The thread that a parameter names; -1 where it is not there.
pub fn thread_of(record: &Record, param: usize) -> i64 {
    if record.length(param) == 8 { record.long(param) } else { -1 }
}

/// Whether the event is of a call that failed, and that then changes nothing.
pub fn failed(record: &Record) -> bool {
    let moves = matches!(record.code as u16, t::SYSCALL_CHDIR_X | t::SYSCALL_FCHDIR_X);
    (moves || is_exec(record) || is_clone(record))
        && record.result().is_some_and(|result| result < 0)
}

/// Whether the event is a new thread's own of the call that made it.
pub fn is_birth(record: &Record) -> bool {
    is_clone(record) && record.result() == Some(0)
}

/// Who leads the thread's session or a group of its from then on, as the event tells.
pub fn leaders_of(record: &Record) -> impl Iterator<Item = i64> {
    let params = match record.code as u16 {
        t::SYSCALL_SETSID_X => [0, 0],
        _ if is_exec(record) => [VPGID, PGID],
        _ => return [None, None].into_iter().flatten(),
    };
    params.map(|param| record.pid(param)).into_iter().flatten()
}

/// The thread that an event of the clone family is about, whichever side tells it.
pub fn child_of(record: &Record) -> i64 {
    if is_birth(record) { record.tid } else { created(record) }
}

/// The thread that made it.
pub fn parent_of(record: &Record) -> i64 {
    if is_birth(record) { thread_of(record, PARENT) } else { record.tid }
}

/// Whether a call of the clone family makes a thread of its creator's process: then nobody's
/// descriptors are copied.
pub fn makes_thread(record: &Record) -> bool {
    is_clone(record)
        && record.length(FLAGS) == 4
        && word(record.block, record.start(FLAGS)) & THREAD != 0
}

/// Whether a call of the clone family may give another thread the same descriptors.
pub fn shares(record: &Record) -> bool {
    record.length(FLAGS) != 4 || word(record.block, record.start(FLAGS)) & SHARES != 0
}
