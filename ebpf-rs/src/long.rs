//! The end of a program's start whose arguments or environment are long: the event is put together
//! in memory that has the room. In: the event in this CPU's block. Out: the same in the ring.
use aya_ebpf::helpers::generated as bpf;
use aya_ebpf::macros::map;
use aya_ebpf::maps::Array;
use probe::counters::row;
use probe::event::{BLOCK_HEAD, Event};
use probe::long::{BLOCK_AT, LONG_BYTES, finish};

use crate::bpf_kernel::Bpf;
use crate::record::{emit, emit_as, lose, scratch};

/// One for each CPU, as with SCRATCH; the loader sets how many there are.
#[map]
static LONG: Array<[u8; LONG_BYTES]> = Array::with_max_entries(1, 0);

#[inline(always)]
pub fn end() {
    let Some(block) = scratch(row::STARTS) else { return };
    // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
    let mut e = unsafe { Event::resume(&Bpf, block) };
    if !e.is_whole() {
        return lose(&mut e);
    }
    // SAFETY: a helper without arguments.
    let room = LONG.get_ptr_mut(unsafe { bpf::bpf_get_smp_processor_id() });
    let Some(room) = room.map(<*mut _>::cast::<u8>) else {
        return emit(&mut e, 2);
    };
    emit_as(&mut e, |e, sequence, cpu| {
        // SAFETY: the room has LONG_BYTES and is this CPU's alone.
        unsafe {
            let bytes = finish(e, room, sequence, cpu);
            let block = room.add(BLOCK_AT);
            (block, bytes, block.add(BLOCK_HEAD).cast::<u64>().read_unaligned())
        }
    });
}
