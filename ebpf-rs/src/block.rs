//! The memory in which this CPU puts an event together.
use aya_ebpf::helpers::generated as bpf;
use aya_ebpf::macros::map;
use aya_ebpf::maps::Array;
use probe::scratch::SCRATCH_BYTES;

/// One block per CPU: an ordinary array, since per-CPU values end at 32 KiB. Programs here run
/// with preemption off and never inside each other, so a block has one user at a time.
#[map]
static SCRATCH: Array<[u8; SCRATCH_BYTES]> = Array::with_max_entries(1, 0);

/// This CPU's block.
#[inline(always)]
pub fn scratch() -> Option<*mut u8> {
    // SAFETY: a helper without arguments.
    SCRATCH.get_ptr_mut(unsafe { bpf::bpf_get_smp_processor_id() }).map(|block| block.cast())
}
