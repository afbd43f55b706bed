//! Who makes which process. In: forks. Out: its note (makers.rs), until its own event tells it. The
//! kernel keeps no such thing: a process whose maker has ended has another parent, and with
//! CLONE_PARENT it never was its maker's child.
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use probe::kernel::{Kernel, Maker};
use probe::{offset, setting};

use crate::bpf_kernel::Bpf;
use crate::makers;

#[btf_tracepoint(function = "sched_process_fork")]
fn forked(ctx: BtfTracePointContext) -> i32 {
    // The arguments are typed pointers: their members are loaded directly, without a helper.
    let (parent, child): (*const u8, *const u8) = (ctx.arg(0), ctx.arg(1));
    let number = |task: *const u8, at: usize| {
        // SAFETY: a member of a task that the tracepoint was given.
        unsafe { task.add(at).cast::<u32>().read_volatile() }
    };
    let (maker, made) =
        (number(parent, offset!(Bpf, task_tgid)), number(child, offset!(Bpf, task_tgid)));
    if maker != made {
        let time = Bpf.boot_ns() + setting!(Bpf, boot_epoch_ns);
        makers::note(made, Maker { tgid: u64::from(maker), time });
    }
    0
}
