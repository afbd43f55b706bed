//! The end of a thread, and who inherits its children.
use crate::event::{Event, Next};
use crate::kernel::Kernel;
use crate::offset;
use crate::pid::namespace_of;

const PF_EXITING: u32 = 4;
const THREADS: usize = 8;
const ANCESTORS: usize = 16;

/// A thread of the group that lives on: its id, 0 where there is none, -1 where there are too
/// many to look at.
#[inline(always)]
fn living_thread<K: Kernel>(k: &K, task: usize) -> i32 {
    let signal = k.address(task + offset!(k, task_signal));
    let head = signal + offset!(k, signal_thread_head);
    let mut node = k.address(head);
    for _ in 0..THREADS {
        if node == head || node == 0 {
            return 0;
        }
        let thread = node.wrapping_sub(offset!(k, task_thread_node));
        if k.int(thread + offset!(k, task_flags)) & PF_EXITING == 0 {
            return k.int(thread + offset!(k, task_pid)) as i32;
        }
        node = k.address(node);
    }
    -1
}

#[inline(always)]
fn signal_bit<K: Kernel>(k: &K, task: usize, bit: usize) -> bool {
    let signal = k.address(task + offset!(k, task_signal));
    let byte: u8 = k.read(signal + bit / 8);
    byte >> (bit % 8) & 1 != 0
}

/// Who inherits the children of a thread that ends, as the kernel chooses: a thread of the group,
/// the nearest ancestor that asked for it, the first process of the namespace.
#[inline(always)]
fn reaper<K: Kernel>(k: &K, task: usize) -> i32 {
    let thread = living_thread(k, task);
    if thread != 0 {
        return thread;
    }
    let pid = k.address(task + offset!(k, task_thread_pid));
    let first = k.address(namespace_of(k, pid) + offset!(k, pidns_reaper));
    if first == task {
        return 0;
    }
    let first_id = k.int(first + offset!(k, task_pid)) as i32;
    if !signal_bit(k, task, offset!(k, signal_has_subreaper_bit)) {
        return first_id;
    }
    let level = k.int(pid + offset!(k, pid_level));
    let mut ancestor = k.address(task + offset!(k, task_real_parent));
    for _ in 0..ANCESTORS {
        let its_pid = k.address(ancestor + offset!(k, task_thread_pid));
        if ancestor == first || k.int(its_pid + offset!(k, pid_level)) != level {
            return first_id;
        }
        if signal_bit(k, ancestor, offset!(k, signal_subreaper_bit)) {
            let thread = living_thread(k, ancestor);
            if thread != 0 {
                return thread;
            }
        }
        ancestor = k.address(ancestor + offset!(k, task_real_parent));
    }
    -1
}

/// The end of a thread (sched_process_exit).
#[inline(always)]
pub fn exit<K: Kernel>(e: &mut Event<K>) -> Next {
    let k = e.k;
    let task = k.task();
    let code = k.int(task + offset!(k, task_exit_code));
    e.i64(i64::from(code as i32));
    e.i64(i64::from(code >> 8 & 0xff));
    let signal = code & 0x7f;
    e.u8(if signal != 0 && signal != 0x7f { signal as u8 } else { 0 });
    e.u8(u8::from(code & 0x80 != 0));
    let children = task + offset!(k, task_children);
    let mut heir = 0;
    if k.address(children) != children {
        heir = reaper(k, task);
    }
    e.i64(i64::from(heir));
    Next::Emit
}
