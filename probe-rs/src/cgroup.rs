//! The cgroups of a process: `subsystem=/path` for each subsystem that Falco shows.
use crate::event::{Event, Next};
use crate::kernel::Kernel;
use crate::offsets::ABSENT;
use crate::scratch::PATH_AT;
use crate::{get, offset, set};

/// Folders of a cgroup's path that are kept, from its end.
const FOLDERS: usize = 10;

/// `subsystem=/path` for one subsystem, its bytes added to the State's total.
#[inline(always)]
fn cgroup<K: Kernel>(e: &mut Event<K>, id: usize) {
    if id == ABSENT as usize {
        return;
    }
    let k = e.k;
    let set = k.address(k.task() + offset!(k, task_cgroups));
    let css = k.address(set + offset!(k, css_set_subsys) + 8 * id);
    let subsystem = k.address(css + offset!(k, css_ss));
    let name = k.address(subsystem + offset!(k, ss_name));
    let group = k.address(css + offset!(k, css_cgroup));
    // SAFETY: `room` takes 4 KiB.
    let got = unsafe { k.copy_kernel_str(e.room(), 32, name) };
    if got <= 1 {
        return;
    }
    text(e, got as usize & 0x3f);
    // SAFETY: the byte before the position is the NUL just written.
    unsafe { *e.room().sub(1) = b'=' };

    // The folders' names, leaf first, are noted in the path area; the root has no parent.
    // SAFETY: within the block.
    let names = unsafe { e.base().add(PATH_AT) };
    set!(e.state().node, k.address(group + offset!(k, cgroup_kn)));
    set!(e.state().count, 0);
    for _ in 0..FOLDERS {
        let node = get!(e.state().node);
        let parent = k.address(node + offset!(k, kn_parent));
        if parent == 0 {
            break;
        }
        let name = k.address(node + offset!(k, kn_name));
        let count = get!(e.state().count);
        // SAFETY: masked.
        unsafe { (names.add(8 * (count as usize & 15)) as *mut usize).write_unaligned(name) };
        set!(e.state().count, count + 1);
        set!(e.state().node, parent);
    }
    if get!(e.state().count) == 0 {
        // SAFETY: masked.
        unsafe { *e.room() = b'/' };
        text(e, 1);
    }
    for _ in 0..FOLDERS {
        let count = get!(e.state().count);
        if count == 0 {
            break;
        }
        set!(e.state().count, count - 1);
        // SAFETY: masked.
        let name = unsafe {
            (names.add(8 * ((count as usize - 1) & 15)) as *const usize).read_unaligned()
        };
        // SAFETY: `room` takes 4 KiB.
        let got = unsafe {
            *e.room() = b'/';
            k.copy_kernel_str(e.room().add(1), 256, name)
        };
        // With the slash in front of it and without the NUL behind it.
        text(e, if got <= 0 { 1 } else { got as usize & 0x1ff });
    }
    // SAFETY: masked.
    unsafe { *e.room() = 0 };
    text(e, 1);
}

/// Counts bytes that were written at the position.
#[inline(always)]
fn text<K: Kernel>(e: &mut Event<K>, bytes: usize) {
    e.grow(bytes);
    e.forget();
    let total = get!(e.state().total) + bytes as u32;
    set!(e.state().total, total);
}

/// The stage between: cgroups of the subsystems that Falco shows, in its order.
#[inline(always)]
pub fn cgroups<K: Kernel>(e: &mut Event<K>) -> Next {
    let k = e.k;
    set!(e.state().total, 0);
    cgroup(e, offset!(k, cgroup_cpuset));
    cgroup(e, offset!(k, cgroup_cpu));
    cgroup(e, offset!(k, cgroup_cpuacct));
    cgroup(e, offset!(k, cgroup_io));
    cgroup(e, offset!(k, cgroup_memory));
    let total = get!(e.state().total) as usize;
    e.end(total);
    Next::Stage(e.state().then)
}
