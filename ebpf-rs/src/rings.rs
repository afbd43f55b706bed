//! io_uring: what was asked for when a request is read from its ring, and its event when it has a
//! result. In: two tracepoints of io_uring, whoever's thread they run in: the one that asked, one
//! that polls the ring, or a worker of the kernel. Out: events of the one that asked.
//!
//! The programs are of one kind for both tracepoints: a request whose success nobody is told of
//! (IOSQE_CQE_SKIP_SUCCESS) has its event at once, with a result that is not known.
use aya_ebpf::EbpfContext;
use aya_ebpf::macros::{map, raw_tracepoint};
use aya_ebpf::maps::{Array, LruHashMap, PerCpuArray};
use aya_ebpf::programs::RawTracePointContext;
use probe::counters::row;
use probe::event::{Event, Next};
use probe::kernel::Kernel as _;
use probe::ring::{Asked, DIRECT, NO_OPERATION, OPERATIONS, SKIPS, ask, moved, opcode};
use probe::scratch::{State, VIA_IO_URING};
use probe::{files, further, lane, lookup, offset, setting, table};

use crate::bpf_kernel::Bpf;
use crate::record::{RING_PROGRAMS, count_lost, is_self, lose, scratch};
use crate::ring_kernel::RingBpf;
use crate::stages::{end, follow, follow_filler, look_up, sift, stage, start, walk, walk_far};

/// Where each operation goes: a slot in RING_PROGRAMS (0: nobody wants it), the call's generic code
/// and its number, 16 bits each.
#[map]
static RING_ROUTES: Array<u64> = Array::with_max_entries(OPERATIONS as u32, 0);
/// Requests that are under way, by their address; those that are answered several times also by
/// `many`. The oldest give way, and their answers are counted as lost.
#[map]
static ASKED: LruHashMap<u64, Asked> = LruHashMap::with_max_entries(2048, 0);
/// Where such an entry is put together.
#[map]
static ROOM: PerCpuArray<Asked> = PerCpuArray::with_max_entries(1, 0);

/// Requests that the kernel refused before they were read from their ring as a whole: they did
/// nothing, and their answers are of no event.
#[map]
static REFUSED: LruHashMap<u64, u8> = LruHashMap::with_max_entries(2048, 0);

#[inline(always)]
fn route_of(request: usize) -> u64 {
    RING_ROUTES.get(u32::from(opcode(&Bpf, request))).copied().unwrap_or(0)
}

/// The key of a request that is answered several times: such answers name it by what its asker
/// called it. Requests have even addresses.
#[inline(always)]
const fn many(ring: u64, user_data: u64) -> u64 {
    ring.wrapping_add(user_data.rotate_left(17)) | 1
}

#[raw_tracepoint]
fn ring_asked(ctx: RawTracePointContext) -> i32 {
    let request = ctx.arg::<u64>(0) as usize;
    let route = route_of(request);
    if route == 0 || is_self() {
        return 0;
    }
    let Some(room) = ROOM.get_ptr_mut(0) else { return 0 };
    // SAFETY: a map's value, of this CPU alone; programs here never run inside each other.
    let asked = unsafe { &mut *room };
    ask(&Bpf, request, asked);
    if asked.flags & SKIPS != 0 {
        let makes = matches!(asked.opcode, 13 | 18 | 28 | 45);
        return go(&ctx, asked, route, request, if makes { i64::from(DIRECT) } else { 0 });
    }
    let key = request as u64;
    let again = asked.repeats != 0;
    keep(key, asked);
    if again {
        let ring = Bpf.word(request + offset!(Bpf, req_ctx));
        keep(many(ring, Bpf.word(request + offset!(Bpf, req_user_data))), asked);
    }
    0
}

#[inline(always)]
fn keep(key: u64, asked: &Asked) {
    let _ = ASKED.insert(&key, asked, 0);
    if let Some(entry) = ASKED.get_ptr_mut(&key) {
        // SAFETY: a map's value; its request is only being read from its ring.
        moved(unsafe { &mut *entry });
    }
}

/// The kernel refuses a request; its answer comes next.
#[raw_tracepoint]
fn ring_refused(ctx: RawTracePointContext) -> i32 {
    let request = ctx.arg::<u64>(1);
    if route_of(request as usize) != 0 && !is_self() {
        let _ = REFUSED.insert(&request, &1, 0);
    }
    0
}

/// The kernel hands over the answer itself.
#[raw_tracepoint]
fn ring_done(ctx: RawTracePointContext) -> i32 {
    let answer = ctx.arg::<u64>(2) as usize;
    done(&ctx, || (Bpf.word(answer), Bpf.int(answer + 8) as i32))
}

/// Older kernels hand over what the answer consists of; newer ones refuse this program, since it
/// reads more than they have.
#[raw_tracepoint]
fn ring_done_members(ctx: RawTracePointContext) -> i32 {
    let answer = (ctx.arg::<u64>(2), ctx.arg::<u64>(3) as i32);
    done(&ctx, || answer)
}

/// A request has its result; `answer` tells what its asker called it and the result, where it is
/// one of several and no request comes with it.
#[inline(always)]
fn done(ctx: &RawTracePointContext, answer: impl Fn() -> (u64, i32)) -> i32 {
    let (ring, request) = (ctx.arg::<u64>(0), ctx.arg::<u64>(1) as usize);
    if is_self() {
        return 0;
    }
    let (key, route, result) = if request != 0 {
        let result = Bpf.int(request + offset!(Bpf, req_res)) as i32;
        (request as u64, route_of(request), result)
    } else {
        let (user_data, result) = answer();
        (many(ring, user_data), u64::MAX, result)
    };
    if route == 0 {
        return 0;
    }
    let Some(entry) = ASKED.get_ptr_mut(&key) else {
        if request != 0 && REFUSED.remove(&key).is_err() {
            count_lost(row::RINGS, lane::CRITICAL, table::GENERIC_X, 1);
        }
        return 0;
    };
    // SAFETY: a map's value; its request has one answer at a time.
    let asked = unsafe { &mut *entry };
    let route = if request == 0 {
        RING_ROUTES.get(u32::from(asked.opcode)).copied().unwrap_or(0)
    } else if asked.opcode == opcode(&Bpf, request) {
        route
    } else {
        0
    };
    if route == 0 {
        return 0;
    }
    let mut result = i64::from(result);
    if asked.slot != 0 && result >= 0 && asked.opcode != 19 {
        let slot = if asked.slot == u32::MAX { result as u32 } else { asked.slot - 1 };
        result = i64::from(DIRECT | slot);
    }
    go(ctx, asked, route, request, result)
}

/// Goes on to the operation's program.
#[inline(always)]
fn go<C: EbpfContext>(ctx: &C, asked: &mut Asked, route: u64, request: usize, result: i64) -> i32 {
    if result < 0 && result != -115 && setting!(Bpf, drop_failed) != 0 {
        return 0;
    }
    let Some(block) = scratch(row::RINGS) else { return 0 };
    // SAFETY: the block begins with the State, and this CPU has it alone.
    let state = unsafe { &mut *(block as *mut State) };
    state.args = asked.args;
    state.ret = result;
    state.compat = 0;
    state.index = 0;
    state.bprm = 0;
    state.gated = 0;
    state.slot = route as u32 & 0xff;
    state.sc = (route >> 16) as u16;
    state.number = (route >> 32) as u16;
    state.also = 0;
    state.via = VIA_IO_URING;
    state.asker = asked.tid;
    state.given_fd = asked.fd;
    state.asked = asked.at;
    state.given = if request == 0 { 0 } else { Bpf.address(request + offset!(Bpf, req_own)) };
    if request != 0 {
        asked.opcode = if asked.repeats != 0 { asked.opcode } else { NO_OPERATION };
    }
    // SAFETY: the context is the one that this program was given.
    unsafe {
        let _ = RING_PROGRAMS.tail_call(ctx, route as u32 & 0xff);
    }
    count_lost(row::RINGS, lane::CRITICAL, table::GENERIC_X, 1);
    0
}

/// Whether an event of this code opens by a directory and a name.
const fn opens(code: u16) -> bool {
    matches!(code, table::SYSCALL_OPENAT_2_X | table::SYSCALL_OPENAT2_X)
}

macro_rules! programs {
    ($($name:ident $code:ident $function:path;)*) => {
        $(
            #[raw_tracepoint]
            fn $name(ctx: RawTracePointContext) -> i32 {
                let Some(block) = scratch(row::RINGS) else { return 0 };
                const LANE: u8 = probe::lane::of(table::$code);
                // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
                let mut e = unsafe { Event::begin(&RingBpf, block, table::$code, LANE) };
                let mut next = $function(&mut e);
                if opens(table::$code) && next == Next::Emit && e.ret() >= 0 {
                    // The file is in no table: its name is looked up, as other calls' are.
                    lookup::want_opened(&mut e);
                    next = Next::LookUp;
                    e.state().then = probe::stage::EMIT_WITH_PATHS;
                }
                files::note(&mut e, table::$code, 0);
                e.save();
                // SAFETY: as above.
                let mut e = unsafe { Event::resume(&Bpf, block) };
                follow_filler(&ctx, &RING_PROGRAMS, &mut e, 0, next);
                0
            }
        )*
    };
}
probe::with_ring_fillers!(programs);

#[raw_tracepoint]
fn ring_start(ctx: RawTracePointContext) -> i32 {
    start(&ctx, &RING_PROGRAMS);
    0
}

#[raw_tracepoint]
fn ring_walk(ctx: RawTracePointContext) -> i32 {
    walk(&ctx, &RING_PROGRAMS);
    0
}

#[raw_tracepoint]
fn ring_far(ctx: RawTracePointContext) -> i32 {
    walk_far(&ctx, &RING_PROGRAMS);
    0
}

#[raw_tracepoint]
fn ring_look_up(ctx: RawTracePointContext) -> i32 {
    look_up(&ctx, &RING_PROGRAMS);
    0
}

#[raw_tracepoint]
fn ring_sift(ctx: RawTracePointContext) -> i32 {
    sift(&ctx, &RING_PROGRAMS);
    0
}

#[raw_tracepoint]
fn ring_end(ctx: RawTracePointContext) -> i32 {
    end(&ctx, &RING_PROGRAMS);
    0
}

#[raw_tracepoint]
fn ring_further(ctx: RawTracePointContext) -> i32 {
    stage(&ctx, &RING_PROGRAMS, |e| further::further(e));
    0
}

#[raw_tracepoint]
fn ring_files(ctx: RawTracePointContext) -> i32 {
    let Some(block) = scratch(row::RINGS) else { return 0 };
    // SAFETY: the block has SCRATCH_BYTES and is this CPU's alone.
    let mut e = unsafe { Event::resume(&RingBpf, block) };
    let whole = e.is_whole();
    let next = if whole { files::files(&mut e) } else { Next::Drop };
    e.save();
    // SAFETY: as above.
    let mut e = unsafe { Event::resume(&Bpf, block) };
    if whole {
        follow(&ctx, &RING_PROGRAMS, &mut e, next);
    } else {
        lose(&mut e);
    }
    0
}
