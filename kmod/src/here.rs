//! The kernel's `Kernel`: the moment of one event on one CPU, for one reader.
use core::mem::MaybeUninit;

use probe::device::Sieve;
use probe::event::Event;
use probe::kernel::{Host, Kernel, Maker, Settings};
use probe::offsets::Offsets;
use probe::sieve::opens::place_of;
use probe::sieve::tables::Sifter;
use probe::sieve::{Guard, Names};
use probe::{exec, vectors};

use crate::cpu::Cpu;
use crate::glue;
use crate::reader::Reader;

pub struct Here {
    pub reader: *const Reader,
    pub cpu: *mut Cpu,
    /// The current task, and its `tgid << 32 | tid`.
    pub task: usize,
    pub id: u64,
    pub row: u32,
    /// The row's block.
    pub base: *mut u8,
    /// Taken once: an event is asked by one sieve from its beginning to its end.
    pub sieve: *const Sieve,
}

impl Here {
    pub fn reader(&self) -> &Reader {
        // SAFETY: the glue keeps it until the event has ended.
        unsafe { &*self.reader }
    }

    fn sieve(&self) -> Option<&Sieve> {
        // SAFETY: as above.
        unsafe { self.sieve.as_ref() }
    }

    /// The event in the block.
    fn event(&self) -> Event<'_, Self> {
        // SAFETY: the block has SCRATCH_BYTES and is this event's alone.
        unsafe { Event::resume(self, self.base) }
    }

    pub fn comm(&self) -> [u8; 16] {
        self.read(self.task + probe::offset!(self, task_comm))
    }
}

impl Kernel for Here {
    const LOOPS: bool = true;

    fn take_vectors(&self, count: u32) {
        for index in 0..count {
            if vectors::take::<Self, false>(&mut self.event(), index) {
                break;
            }
        }
    }

    fn take_vectors_and_sum(&self, count: u32) {
        for index in 0..count {
            if vectors::take::<Self, true>(&mut self.event(), index) {
                break;
            }
        }
    }

    fn take_arguments(&self, count: u32) {
        for index in 0..count {
            if exec::take_argument(&mut self.event(), index as usize) {
                break;
            }
        }
    }

    #[inline(always)]
    fn offsets(&self) -> *const Offsets {
        // SAFETY: a member of the reader, which lives.
        unsafe { &raw const (*self.reader).offsets }
    }

    #[inline(always)]
    fn settings(&self) -> *const Settings {
        // SAFETY: as above.
        unsafe { &raw const (*self.reader).settings }
    }

    #[inline(always)]
    fn task(&self) -> usize {
        self.task
    }

    #[inline(always)]
    fn tgid_tid(&self) -> u64 {
        self.id
    }

    fn boot_ns(&self) -> u64 {
        // SAFETY: reads a clock.
        unsafe { glue::saker_boot_ns() }
    }

    #[inline(always)]
    fn read<T: Copy + Default>(&self, at: usize) -> T {
        let mut value = MaybeUninit::<T>::uninit();
        // SAFETY: the value has room for its own size; it is used where all of it was written.
        unsafe {
            if glue::saker_copy_kernel(value.as_mut_ptr().cast(), at, size_of::<T>()) == 0 {
                value.assume_init()
            } else {
                T::default()
            }
        }
    }

    #[inline(always)]
    fn read_user<T: Copy + Default>(&self, at: usize) -> Option<T> {
        let mut value = MaybeUninit::<T>::uninit();
        // SAFETY: as above.
        unsafe {
            let failed = glue::saker_copy_user(value.as_mut_ptr().cast(), at, size_of::<T>());
            if failed == 0 { Some(value.assume_init()) } else { None }
        }
    }

    #[inline(always)]
    unsafe fn copy_kernel(&self, to: *mut u8, len: u32, from: usize) -> bool {
        // SAFETY: the caller promises the room.
        unsafe { glue::saker_copy_kernel(to.cast(), from, len as usize) == 0 }
    }

    #[inline(always)]
    unsafe fn copy_user(&self, to: *mut u8, len: u32, from: usize) -> bool {
        // SAFETY: the caller promises the room.
        unsafe { glue::saker_copy_user(to.cast(), from, len as usize) == 0 }
    }

    #[inline(always)]
    unsafe fn copy_kernel_str(&self, to: *mut u8, max: u32, from: usize) -> i64 {
        // SAFETY: the caller promises the room.
        unsafe { glue::saker_string_kernel(to, from, max as usize) }
    }

    #[inline(always)]
    unsafe fn copy_user_str(&self, to: *mut u8, max: u32, from: usize) -> i64 {
        // SAFETY: the caller promises the room.
        unsafe { glue::saker_string_user(to, from, max as usize) }
    }

    fn made_by(&self) -> Option<Maker> {
        self.reader().makers.take(self.id as u32)
    }

    fn host(&self) -> Host {
        // SAFETY: plain numbers, which a command may be replacing.
        unsafe { (&raw const (*self.reader).host).read_volatile() }
    }

    fn host_mount(&self, dev: u32) -> usize {
        self.reader().files.mount_of(dev)
    }

    fn name_of(&self, dev: u32, ino: u64) -> usize {
        self.reader().files.name_of(dev, ino)
    }
}

impl Sifter for Here {
    fn guard(&self, code: u16) -> Option<&Guard> {
        self.sieve()?.guards.get(usize::from(code))
    }

    fn names(&self) -> Option<&Names> {
        self.sieve().map(|sieve| &sieve.names)
    }

    fn count_sifted(&self, code: u16) {
        // SAFETY: this CPU's counts; rows that come between count other codes.
        let sifted = unsafe { &mut (*self.cpu).sifted };
        if let Some(count) = sifted.get_mut(usize::from(code)) {
            *count += 1;
        }
    }

    fn seen(&self, inode: u64) -> Option<*mut u8> {
        let seen = self.reader().seen.get(place_of(inode))?;
        Some(seen.as_ptr())
    }
}
