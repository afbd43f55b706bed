//! The tracer's implementation of `Kernel`: kernel memory is the arena, which is filled from /proc
//! when a filler reads it; user memory is the tracee's.
use std::collections::HashMap;

use probe::event::Event;
use probe::further::NAME_BYTES;
use probe::kernel::{Kernel, Maker, Settings};
use probe::offsets::Offsets;
use probe::scratch::SCRATCH_BYTES;
use probe::{exec, vectors};

use super::arena::{Kind, address, parts};
use super::layout::OFFSETS;
use super::out::Out;
use super::scene::{Scene, Subject};
use super::sifting::Sieve;
use super::{fill, user_memory};
use crate::settings::since_boot_ns;

/// Files that rules name, at the most, as with the probe.
pub const NAMED_FILES: usize = 4096;

/// What the fillers see while one event is made.
pub struct Tracee {
    pub settings: Settings,
    /// The block that the event is put together in, SCRATCH_BYTES of it, and where long ones are.
    pub block: *mut u8,
    pub long: (*mut u8, usize),
    pub scene: Scene,
    pub named: Named,
    pub sieve: Sieve,
    pub out: Out,
}

/// Files that rules name: device and inode, and the name with a NUL.
#[derive(Default)]
pub struct Named(pub HashMap<(u32, u64), [u8; NAME_BYTES]>);

impl Tracee {
    /// Forgets what the last event was told from.
    pub fn begin(&mut self, subject: Subject) {
        self.scene.begin(subject);
    }

    /// Copies kernel memory; whether it is some.
    fn copy(&self, to: &mut [u8], from: usize) -> bool {
        if let Some((kind, which, at)) = parts(from) {
            fill::read(&self.scene, kind, which, at, to);
            return true;
        }
        let within = |start: *mut u8, bytes: usize| {
            let start = start as usize;
            from >= start && from - start <= bytes && to.len() <= bytes - (from - start)
        };
        let is_named = || {
            let start = |name: &[u8; NAME_BYTES]| name.as_ptr().cast_mut();
            self.named.0.values().any(|name| within(start(name), NAME_BYTES))
        };
        if within(self.block, SCRATCH_BYTES) || within(self.long.0, self.long.1) || is_named() {
            // SAFETY: within memory of ours that lives; the two may overlap.
            unsafe { std::ptr::copy(from as *const u8, to.as_mut_ptr(), to.len()) };
            return true;
        }
        to.fill(0);
        false
    }

    fn slice<'a>(to: *mut u8, len: usize) -> &'a mut [u8] {
        // SAFETY: the caller of the trait's function promises the room.
        unsafe { std::slice::from_raw_parts_mut(to, len) }
    }
}

impl Kernel for Tracee {
    const LOOPS: bool = true;

    fn take_vectors(&self, count: u32) {
        for index in 0..count {
            // SAFETY: the block has SCRATCH_BYTES, and the event in it was saved.
            let mut e = unsafe { Event::resume(self, self.block) };
            if vectors::take::<Self, false>(&mut e, index) {
                break;
            }
        }
    }

    fn take_vectors_and_sum(&self, count: u32) {
        for index in 0..count {
            // SAFETY: as above.
            let mut e = unsafe { Event::resume(self, self.block) };
            if vectors::take::<Self, true>(&mut e, index) {
                break;
            }
        }
    }

    fn take_arguments(&self, count: u32) {
        for index in 0..count {
            // SAFETY: as above.
            let mut e = unsafe { Event::resume(self, self.block) };
            if exec::take_argument(&mut e, index as usize) {
                break;
            }
        }
    }

    fn offsets(&self) -> *const Offsets {
        &raw const OFFSETS
    }

    fn settings(&self) -> *const Settings {
        &raw const self.settings
    }

    fn task(&self) -> usize {
        address(Kind::Task, 0)
    }

    fn tgid_tid(&self) -> u64 {
        u64::from(self.scene.subject.tgid as u32) << 32 | u64::from(self.scene.subject.tid as u32)
    }

    fn boot_ns(&self) -> u64 {
        since_boot_ns()
    }

    fn read<T: Copy + Default>(&self, at: usize) -> T {
        let mut value = T::default();
        // SAFETY: numbers and arrays of numbers, of which any bytes are a value.
        let bytes = unsafe {
            std::slice::from_raw_parts_mut((&raw mut value).cast::<u8>(), size_of::<T>())
        };
        self.copy(bytes, at);
        value
    }

    fn read_user<T: Copy + Default>(&self, at: usize) -> Option<T> {
        let mut value = T::default();
        // SAFETY: as above.
        let bytes = unsafe {
            std::slice::from_raw_parts_mut((&raw mut value).cast::<u8>(), size_of::<T>())
        };
        (user_memory::read(self.scene.subject.tid, bytes, at) == size_of::<T>()).then_some(value)
    }

    unsafe fn copy_kernel(&self, to: *mut u8, len: u32, from: usize) -> bool {
        // Areas of the block may overlap: no reference to both is made.
        if from.wrapping_sub(self.block as usize) < SCRATCH_BYTES {
            // SAFETY: the caller promises the room, and the block has slack behind its areas.
            unsafe { std::ptr::copy(from as *const u8, to, len as usize) };
            return true;
        }
        self.copy(Self::slice(to, len as usize), from)
    }

    unsafe fn copy_user(&self, to: *mut u8, len: u32, from: usize) -> bool {
        let to = Self::slice(to, len as usize);
        user_memory::read(self.scene.subject.tid, to, from) == to.len()
    }

    unsafe fn copy_kernel_str(&self, to: *mut u8, max: u32, from: usize) -> i64 {
        if max == 0 {
            return 0;
        }
        let room = Self::slice(to, max as usize);
        if let Some((Kind::Text, which, at)) = parts(from) {
            let arena = self.scene.arena.borrow();
            let Some(text) = arena.text_at(which, at) else { return -14 };
            let bytes = text.len().min(room.len() - 1);
            room[..bytes].copy_from_slice(&text[..bytes]);
            room[bytes] = 0;
            return bytes as i64 + 1;
        }
        for (at, to) in room.iter_mut().enumerate() {
            *to = self.read(from.wrapping_add(at));
            if *to == 0 {
                return at as i64 + 1;
            }
        }
        if let Some(last) = room.last_mut() {
            *last = 0;
        }
        room.len() as i64
    }

    unsafe fn copy_user_str(&self, to: *mut u8, max: u32, from: usize) -> i64 {
        let room = Self::slice(to, max as usize);
        user_memory::read_text(self.scene.subject.tid, room, from).map_or(-14, |bytes| bytes as i64)
    }

    fn made_by(&self) -> Option<Maker> {
        self.scene.subject.maker
    }

    fn name_of(&self, dev: u32, ino: u64) -> usize {
        self.named.0.get(&(dev, ino)).map_or(0, |name| name.as_ptr() as usize)
    }

    fn descriptors(&self) -> (u32, usize) {
        (i32::MAX as u32, address(Kind::Descriptors, 0))
    }
}
