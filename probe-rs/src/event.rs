//! Writes one event in the layout of a .scap block's body:
//!
//!     u64 time, u64 tid, u32 length, u16 code, u32 parameter count,
//!     that many u16 lengths, the parameters back to back
//!
//! Parameters are written in the order of the table; our own five come last.
use crate::kernel::Kernel;
use crate::scratch::{COPY_AT, COPY_BYTES, EVENT_AT, EVENT_MASK, STRING_BYTES, State};
use crate::table::PARAM_COUNTS;
use crate::{get, set, setting};

pub const HEADER_BYTES: usize = 26;
/// The block around an event in a .scap file: type, length, CPU; after the event zeros up to four
/// bytes, and the length again. Events are framed here, so that a reader only copies.
pub const BLOCK: u32 = 0x216;
pub const BLOCK_HEAD: usize = 10;
/// Path, second path, descriptors (files.rs), sequence number, lane.
pub const OWN_PARAMS: usize = 5;

/// What happens to an event after a filler.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It is whole but for our own parameters, and has no paths.
    Emit,
    /// The same, but the first of our paths is written.
    EmitOne,
    /// It is whole but for our parameters behind those that are written (`State::own`).
    EmitOwn,
    /// The paths in `State::places` are to be written first, then stage `State::then` goes on.
    Walk,
    /// The call's names are looked up, then as with `Walk`.
    LookUp,
    /// Another stage goes on.
    Stage(u32),
    /// The call has more to tell: emit this event, then run the same filler again.
    EmitAndRepeat,
    /// Nobody can use it.
    Drop,
}

/// Methods that write a parameter which is one number.
macro_rules! numbers {
    ($($number:ident)*) => { $(
        #[inline(always)]
        pub fn $number(&mut self, value: $number) {
            self.param(value);
        }
    )* };
}

/// Cursor over the event being written.
pub struct Event<'k, K> {
    pub k: &'k K,
    base: *mut u8,
    data: usize,
    length: usize,
}

impl<'k, K: Kernel> Event<'k, K> {
    /// Starts an event in `base`, a block of SCRATCH_BYTES whose State holds the call.
    ///
    /// # Safety
    /// `base` must be valid for SCRATCH_BYTES and used by nobody else meanwhile.
    #[inline(always)]
    pub unsafe fn begin(k: &'k K, base: *mut u8, code: u16, lane: u8) -> Self {
        let count = PARAM_COUNTS[code as usize] as usize + OWN_PARAMS;
        // SAFETY: the header lies in the block, see scratch.rs.
        unsafe {
            let at = base.add(EVENT_AT);
            (at.add(8) as *mut u64).write_unaligned(k.tgid_tid() & 0xffff_ffff);
            (at.add(20) as *mut u16).write_unaligned(code);
            (at.add(22) as *mut u32).write_unaligned(count as u32);
        }
        let mut event = Self { k, base, data: HEADER_BYTES + 2 * count, length: HEADER_BYTES };
        let state = event.state();
        state.code = code;
        state.lane = lane;
        state.truncated = 0;
        state.most = setting!(k, snaplen);
        (state.sift, state.by_name) = (0, 0);
        state.place_count = 0;
        state.own = 0;
        (state.file_count, state.file_index, state.files_from) = (0, 0, 0);
        state.inside = 0;
        state.own_file = 0;
        state.looked = 0;
        state.repeats = 0;
        state.long = 0;
        (state.further, state.further_done, state.from_host) = (0, 0, 0);
        (state.told, state.passes, state.then, state.opened) = (0, 0, 0, 0);
        event
    }

    /// Goes on with the event of an earlier stage.
    ///
    /// # Safety
    /// As for `begin`.
    #[inline(always)]
    pub unsafe fn resume(k: &'k K, base: *mut u8) -> Self {
        let mut event = Self { k, base, data: 0, length: 0 };
        event.data = event.state().data as usize;
        event.length = event.state().length as usize;
        event
    }

    /// Whether the block still holds an event of the current thread. Should a kernel run programs
    /// with preemption on, an event is lost, and not mixed up.
    #[inline(always)]
    pub fn is_whole(&self) -> bool {
        // SAFETY: the header lies in the block.
        let tid = unsafe { (self.base.add(EVENT_AT + 8) as *const u64).read_unaligned() };
        tid == self.k.tgid_tid() & 0xffff_ffff
    }

    /// Leaves the position to the next stage.
    #[inline(always)]
    pub fn save(&mut self) {
        let (data, length) = (self.data as u32, self.length as u32);
        let state = self.state();
        state.data = data;
        state.length = length;
    }

    /// Goes on where another hand has left the event.
    #[inline(always)]
    pub fn reload(&mut self) {
        self.data = get!(self.state().data) as usize;
    }

    /// A length below 4096, masked for the verifier alone: it wants to see that at each use.
    #[inline(always)]
    pub fn bound(&mut self, bytes: usize) -> usize {
        let state = self.state();
        set!(state.bound, bytes as u32);
        (get!(state.bound) & 0xfff) as usize
    }

    #[inline(always)]
    pub fn copy_room(&self, slot: usize) -> *mut u8 {
        // SAFETY: four slots of COPY_BYTES lie in the block.
        unsafe { self.base.add(COPY_AT + (slot & 3) * COPY_BYTES) }
    }

    /// Copies the head of a kernel structure, up to the eight bytes at `last`, to be looked at
    /// member by member with `copied`: one read instead of many.
    #[inline(always)]
    pub fn copy(&mut self, slot: usize, from: usize, last: usize) {
        let to = self.copy_room(slot);
        // SAFETY: a slot has COPY_BYTES.
        unsafe {
            self.k.copy_kernel(to, (last as u32 & 0xff) + 8, from);
        }
    }

    /// A member of a copied structure.
    #[inline(always)]
    pub fn copied<T: Copy>(&self, slot: usize, offset: usize) -> T {
        // SAFETY: masked; eight more bytes lie in the slot as well.
        unsafe {
            let from = self.base.add(COPY_AT + (slot & 3) * COPY_BYTES + (offset & 0xff));
            from.cast::<T>().read_unaligned()
        }
    }

    /// Copies a name of at most 255 bytes, for `copied_word`; whether it could be read.
    #[inline(always)]
    pub fn copy_name(&mut self, slot: usize, from: usize, bytes: usize) -> bool {
        let to = self.copy_room(slot);
        // SAFETY: a slot has COPY_BYTES.
        unsafe { self.k.copy_kernel(to, bytes as u32 & 0xff, from) }
    }

    /// Eight bytes of a copied name.
    #[inline(always)]
    pub fn copied_word(&self, slot: usize, word: usize) -> u64 {
        self.copied(slot, (8 * word) & 0xff)
    }

    /// Lets a verifier forget what it knows of the position, see `get!`.
    #[inline(always)]
    pub fn forget(&mut self) {
        let data = self.data as u32;
        let state = self.state();
        set!(state.data, data);
        self.data = get!(state.data) as usize;
    }

    /// Where the next byte goes.
    #[inline(always)]
    pub fn position(&mut self) -> usize {
        self.forget();
        self.data
    }

    #[inline(always)]
    pub fn state(&mut self) -> &mut State {
        // SAFETY: the block begins with the State and is ours alone.
        unsafe { &mut *(self.base as *mut State) }
    }

    #[inline(always)]
    pub fn base(&self) -> *mut u8 {
        self.base
    }

    /// Where the next parameter's bytes go: 4 KiB may be written there.
    #[inline(always)]
    pub fn room(&self) -> *mut u8 {
        // SAFETY: masked, see scratch.rs.
        unsafe { self.base.add(EVENT_AT + (self.data & EVENT_MASK)) }
    }

    #[inline(always)]
    pub fn arg(&mut self, index: usize) -> u64 {
        self.state().args[index]
    }

    #[inline(always)]
    pub fn int(&mut self, index: usize) -> i32 {
        self.state().args[index] as i32
    }

    #[inline(always)]
    pub fn ret(&mut self) -> i64 {
        self.state().ret
    }

    /// Counts `bytes` written at `room` to the current parameter, without ending it.
    #[inline(always)]
    pub fn grow(&mut self, bytes: usize) {
        self.data += bytes;
    }

    /// Ends a parameter of `bytes` bytes.
    #[inline(always)]
    pub fn end(&mut self, bytes: usize) {
        // SAFETY: lengths stand at the start of the event.
        unsafe {
            (self.base.add(EVENT_AT + (self.length & 0xff)) as *mut u16)
                .write_unaligned(bytes as u16);
            let which = ((self.length - HEADER_BYTES) / 2) & 31;
            let start = (self.data as u16).wrapping_sub(bytes as u16);
            let state = self.base as *mut State;
            (&raw mut (*state).starts).cast::<u16>().add(which).write_volatile(start);
        }
        self.length += 2;
    }

    /// Goes on inside the parameter that was ended last; returns the bytes that it has.
    #[inline(always)]
    pub fn reopen(&mut self) -> usize {
        self.length -= 2;
        // SAFETY: lengths stand at the start of the event, see `end`.
        unsafe {
            let at = self.base.add(EVENT_AT + (self.length & 0xff)) as *const u16;
            usize::from(at.read_unaligned())
        }
    }

    /// Bytes inside a parameter that `end` will close.
    #[inline(always)]
    pub fn bytes<T>(&mut self, value: T) {
        // SAFETY: `room` takes 4 KiB.
        unsafe { (self.room() as *mut T).write_unaligned(value) };
        self.data += size_of::<T>();
    }

    #[inline(always)]
    fn param<T>(&mut self, value: T) {
        self.bytes(value);
        self.end(size_of::<T>());
    }

    #[inline(always)]
    pub fn empty(&mut self) {
        self.end(0);
    }
    numbers! { i64 u64 u32 u16 u8 }

    /// Changes what was written at an earlier `position`.
    #[inline(always)]
    pub fn change<T>(&mut self, at: usize, value: T) {
        // SAFETY: masked, see scratch.rs.
        unsafe { (self.base.add(EVENT_AT + (at & EVENT_MASK)) as *mut T).write_unaligned(value) }
    }

    /// The call's result.
    #[inline(always)]
    pub fn res(&mut self) {
        let ret = self.ret();
        self.i64(ret);
    }

    /// A descriptor argument (AT_FDCWD is -100, as in Falco's encoding).
    #[inline(always)]
    pub fn fd(&mut self, index: usize) {
        let fd = self.int(index);
        self.i64(i64::from(fd));
    }

    /// A string argument, cut at 4095 bytes; empty where it is not in memory. Returns its bytes.
    #[inline(always)]
    pub fn string(&mut self, index: usize) -> usize {
        let at = self.arg(index) as usize;
        self.user_string(at)
    }

    #[inline(always)]
    pub fn user_string(&mut self, at: usize) -> usize {
        // SAFETY: `room` takes 4 KiB.
        let got = unsafe { self.k.copy_user_str(self.room(), STRING_BYTES, at) };
        self.string_end(got)
    }

    #[inline(always)]
    pub fn kernel_string(&mut self, at: usize, max: u32) -> usize {
        // SAFETY: `room` takes 4 KiB.
        let got = unsafe { self.k.copy_kernel_str(self.room(), max, at) };
        self.string_end(got)
    }

    #[inline(always)]
    fn string_end(&mut self, got: i64) -> usize {
        let bytes = if got < 0 { 0 } else { (got as usize) & 0x1fff };
        if bytes == STRING_BYTES as usize {
            self.state().truncated += 1;
        }
        self.data += bytes;
        self.end(bytes);
        bytes
    }

    /// Bytes of the caller, at most `max`; empty where not all are in memory.
    #[inline(always)]
    pub fn user_bytes(&mut self, at: usize, bytes: usize, max: usize) {
        let wanted = if bytes > max { max } else { bytes };
        let wanted = self.bound(if wanted > 4095 { 4095 } else { wanted });
        // SAFETY: `room` takes 4 KiB.
        let whole = unsafe { self.k.copy_user(self.room(), wanted as u32, at) };
        let bytes = if whole { wanted } else { 0 };
        self.data += bytes;
        self.end(bytes);
    }

    /// The time of the finished event.
    #[inline(always)]
    pub fn time(&self) -> u64 {
        // SAFETY: the event starts with it.
        unsafe { (self.base.add(EVENT_AT) as *const u64).read_unaligned() }
    }

    /// Where the block of the finished event starts.
    #[inline(always)]
    pub fn block(&self) -> *mut u8 {
        // SAFETY: between the State and the event, see scratch.rs.
        unsafe { self.base.add(EVENT_AT - BLOCK_HEAD) }
    }

    /// Closes the event with our own parameters, of which the first `own` are written already, and
    /// frames it. Returns the block's bytes, 0 where the event outgrew its room.
    #[inline(always)]
    pub fn finish(&mut self, own: u32, sequence: u64, cpu: u32) -> usize {
        if own < 1 {
            self.empty();
        }
        if own < 2 {
            self.empty();
        }
        if own < 3 {
            self.empty();
        }
        self.u64(sequence);
        let state = self.state();
        let lane = state.lane | state.via << 1;
        self.u8(lane);
        if self.data > EVENT_MASK {
            return 0;
        }
        // The verifier of 6.1 does not know what the mask below changes.
        self.forget();
        let bytes = self.data & EVENT_MASK;
        let padded = (BLOCK_HEAD + bytes + 3) & !3;
        let total = padded + 4;
        // Taken last, so that the order in the ring is that of the times, nearly.
        let now = self.k.boot_ns() + setting!(self.k, boot_epoch_ns);
        // SAFETY: all within the block: `bytes` is masked, and 4 KiB follow.
        unsafe {
            let event = self.base.add(EVENT_AT);
            (event as *mut u64).write_unaligned(now);
            (event.add(16) as *mut u32).write_unaligned(bytes as u32);
            (event.add(bytes) as *mut u32).write_unaligned(0);
            let block = self.block();
            (block as *mut u32).write_unaligned(BLOCK);
            (block.add(4) as *mut u32).write_unaligned(total as u32);
            (block.add(8) as *mut u16).write_unaligned(cpu as u16);
            (block.add(padded & 0xffff) as *mut u32).write_unaligned(total as u32);
        }
        total & 0xffff
    }
}
