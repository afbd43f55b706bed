//! Notes of who made the processes that have not run yet. In: what births.rs saw. Out: to the first
//! event of each.
use aya_ebpf::macros::map;
use aya_ebpf::maps::LruHashMap;
use probe::kernel::Maker;

/// By the id of the process. Beyond so many that have not run yet the oldest are forgotten, and
/// theirs is unknown.
#[map]
static MAKERS: LruHashMap<u32, Maker> = LruHashMap::with_max_entries(8192, 0);

#[inline(always)]
pub fn note(made: u32, maker: Maker) {
    let _ = MAKERS.insert(made, maker, 0);
}

/// The maker of a process, asked once.
#[inline(always)]
pub fn take(pid: u32) -> Option<Maker> {
    // SAFETY: the value is copied before it is removed, and nobody else asks for this process.
    let maker = unsafe { MAKERS.get(&pid).copied() };
    if maker.is_some() {
        let _ = MAKERS.remove(&pid);
    }
    maker
}
