//! Where a task lives, as seen by the machine's first process: our second own parameter of events
//! that begin, replace or move a process (clone and its kin, exec, setns, unshare).
//!
//!     u32 marks, u32 inode of the pid namespace, u32 inode of the mount namespace
//!
//! In the event of a new process this stands behind what says who made it.
//!
//! It is read when such an event is written, from the task itself, so nothing is kept in the probe
//! and no other event costs more.
use crate::event::Event;
use crate::kernel::Kernel;
use crate::offset;
use crate::pid::{namespace_of, thread_pid};

/// The three that follow are true or false; without it nothing is known.
pub const KNOWN: u32 = 1;
/// Its pid namespace is the first one.
pub const HOST_PIDS: u32 = 2;
/// Its mount namespace is that of process 1.
pub const HOST_MOUNTS: u32 = 4;
/// Its root directory is that of process 1, whatever mount namespace it is seen through.
pub const HOST_ROOT: u32 = 8;

/// What `bytes` writes.
pub const BYTES: usize = 12;

/// The parameter whole.
#[inline(always)]
pub fn write<K: Kernel>(e: &mut Event<K>) {
    if e.state().own < 1 {
        e.empty();
    }
    bytes(e);
    e.end(BYTES);
    e.state().own = 2;
}

/// Its bytes, for a caller that ends it.
#[inline(always)]
pub fn bytes<K: Kernel>(e: &mut Event<K>) {
    let k = e.k;
    let task = k.task();
    let pid = thread_pid(k);
    let pids = namespace_of(k, pid);
    // A process has a number in every namespace from the first one down to its own.
    let first = k.address(pid + offset!(k, pid_numbers) + offset!(k, upid_ns));
    let init = k.address(first + offset!(k, pidns_reaper));
    let mounts = mounts_of(k, task);
    let mut marks = 0;
    if pids != 0 && init != 0 && mounts != 0 {
        marks = KNOWN;
        if pids == first {
            marks |= HOST_PIDS;
        }
        if mounts == mounts_of(k, init) {
            marks |= HOST_MOUNTS;
        }
        if root_of(k, task) == root_of(k, init) {
            marks |= HOST_ROOT;
        }
    }
    e.bytes(marks);
    e.bytes(k.int(pids + offset!(k, pidns_inum)));
    e.bytes(k.int(mounts + offset!(k, mntns_inum)));
}

#[inline(always)]
fn mounts_of<K: Kernel>(k: &K, task: usize) -> usize {
    k.address(k.address(task + offset!(k, task_nsproxy)) + offset!(k, nsproxy_mounts))
}

#[inline(always)]
fn root_of<K: Kernel>(k: &K, task: usize) -> usize {
    k.address(k.address(task + offset!(k, task_fs)) + offset!(k, fs_root_dentry))
}
