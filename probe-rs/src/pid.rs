//! Process ids as the namespaces see them.
use crate::kernel::Kernel;
use crate::offset;

pub const PIDTYPE_TGID: usize = 1;
pub const PIDTYPE_PGID: usize = 2;

/// The pid namespace in which a struct pid was made.
#[inline(always)]
pub fn namespace_of<K: Kernel>(k: &K, pid: usize) -> usize {
    let level = k.int(pid + offset!(k, pid_level)) as usize & 0x3f;
    let numbers = pid + offset!(k, pid_numbers);
    k.address(numbers + level * offset!(k, upid_size) + offset!(k, upid_ns))
}

/// The number of a struct pid as its own namespace sees it.
#[inline(always)]
pub fn inner_number<K: Kernel>(k: &K, pid: usize) -> i64 {
    let level = k.int(pid + offset!(k, pid_level)) as usize & 0x3f;
    i64::from(k.int(pid + offset!(k, pid_numbers) + level * offset!(k, upid_size)))
}

/// The number of a struct pid as `namespace` sees it; 0 where it has none there.
#[inline(always)]
pub fn number_in<K: Kernel>(k: &K, pid: usize, namespace: usize) -> u32 {
    let level = k.int(namespace + offset!(k, pidns_level)) as usize & 0x3f;
    let at = pid + offset!(k, pid_numbers) + level * offset!(k, upid_size);
    if k.address(at + offset!(k, upid_ns)) == namespace { k.int(at) } else { 0 }
}

#[inline(always)]
pub fn thread_pid<K: Kernel>(k: &K) -> usize {
    k.address(k.task() + offset!(k, task_thread_pid))
}

#[inline(always)]
pub fn signal_pid<K: Kernel>(k: &K, kind: usize) -> usize {
    let signal = k.address(k.task() + offset!(k, task_signal));
    k.address(signal + offset!(k, signal_pids) + 8 * kind)
}
