//! What the kernel knows of the file behind one of the reader's descriptors: its number, and the
//! place where it was opened. Only the kernel can say (an overlay, btrfs and others tell programs
//! other numbers), so the reader runs this program for itself.
use aya_ebpf::macros::{map, raw_tracepoint};
use aya_ebpf::maps::Array;
use aya_ebpf::programs::RawTracePointContext;
use probe::file::file_of;
use probe::kernel::{Host, Kernel as _};
use probe::offset;
use probe::scratch::Place;

use crate::bpf_kernel::Bpf;

#[repr(C)]
#[derive(Clone, Copy)]
struct Looked {
    place: Host,
    ino: u64,
    dev: u32,
    mode: u32,
}
#[map]
static LOOKED: Array<Looked> = Array::with_max_entries(1, 0);

/// Run by the reader for itself (BPF_PROG_TEST_RUN), with a descriptor: never attached.
#[raw_tracepoint]
fn look_at_reader(ctx: RawTracePointContext) -> i32 {
    let Some(looked) = LOOKED.get_ptr_mut(0) else { return 0 };
    let file = file_of(&Bpf, ctx.arg::<u64>(0) as i32);
    let root = Place {
        mnt: Bpf.address(file + offset!(Bpf, file_mnt)),
        dentry: Bpf.address(file + offset!(Bpf, file_dentry)),
    };
    let inode = Bpf.address(file + offset!(Bpf, file_inode));
    let mode: u16 = Bpf.read(inode + offset!(Bpf, inode_mode));
    let sb = Bpf.address(inode + offset!(Bpf, inode_sb));
    // SAFETY: a map's value; one thread of the reader runs this.
    unsafe {
        (*looked).place = Host { root, sb: Bpf.address(root.dentry + offset!(Bpf, dentry_sb)) };
        (*looked).ino = Bpf.word(inode + offset!(Bpf, inode_ino));
        (*looked).dev = Bpf.int(sb + offset!(Bpf, sb_dev));
        (*looked).mode = u32::from(mode);
    }
    0
}
