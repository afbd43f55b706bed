//! The memory in which this CPU puts an event together.
use aya_ebpf::helpers::generated as bpf;
use aya_ebpf::macros::map;
use aya_ebpf::maps::Array;
use probe::counters::ROWS;
use probe::scratch::SCRATCH_BYTES;

/// A block for each CPU and row: an ordinary array, since per-CPU values end at 32 KiB.
#[map]
static SCRATCH: Array<[u8; SCRATCH_BYTES]> = Array::with_max_entries(1, 0);

/// This CPU's block of a row (probe::counters): one event is put together in it at a time.
#[inline(always)]
pub fn scratch(row: u32) -> Option<*mut u8> {
    // SAFETY: a helper without arguments.
    let cpu = unsafe { bpf::bpf_get_smp_processor_id() };
    SCRATCH.get_ptr_mut(cpu * ROWS + row).map(|block| block.cast())
}
