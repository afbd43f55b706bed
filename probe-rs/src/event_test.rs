//! The writer and the fillers against a kernel that is this process's own memory.
extern crate std;
use std::boxed::Box;
use std::vec::Vec;

use crate::event::{BLOCK, BLOCK_HEAD, Event, HEADER_BYTES, Next};
use crate::kernel::{Kernel, Settings};
use crate::offsets::Offsets;
use crate::scratch::{SCRATCH_BYTES, State};
use crate::{flags, lane, system, table};

static OFFSETS: Offsets = Offsets::EMPTY;
static SETTINGS: Settings = Settings { boot_epoch_ns: 1000, ..Settings::EMPTY };

/// Every address is one of this process; null is not readable.
struct Own;
impl Kernel for Own {
    fn offsets(&self) -> *const Offsets {
        &raw const OFFSETS
    }
    fn settings(&self) -> *const Settings {
        &raw const SETTINGS
    }
    fn task(&self) -> usize {
        0
    }
    fn tgid_tid(&self) -> u64 {
        7 << 32 | 9
    }
    fn boot_ns(&self) -> u64 {
        5
    }
    fn read<T: Copy + Default>(&self, at: usize) -> T {
        self.read_user(at).unwrap_or_default()
    }
    fn read_user<T: Copy + Default>(&self, at: usize) -> Option<T> {
        // SAFETY: the tests pass addresses of values that live.
        (at != 0).then(|| unsafe { (at as *const T).read_unaligned() })
    }
    unsafe fn copy_kernel(&self, to: *mut u8, len: u32, from: usize) -> bool {
        if from != 0 {
            // SAFETY: as above.
            unsafe { core::ptr::copy(from as *const u8, to, len as usize) };
        }
        from != 0
    }
    unsafe fn copy_user(&self, to: *mut u8, len: u32, from: usize) -> bool {
        // SAFETY: as above.
        unsafe { self.copy_kernel(to, len, from) }
    }
    unsafe fn copy_kernel_str(&self, to: *mut u8, max: u32, from: usize) -> i64 {
        if from == 0 {
            return -14;
        }
        for index in 0..max as usize {
            // SAFETY: as above; strings end with a NUL.
            unsafe {
                let byte = *(from as *const u8).add(index);
                let last = index + 1 == max as usize;
                *to.add(index) = if last { 0 } else { byte };
                if byte == 0 || last {
                    return index as i64 + 1;
                }
            }
        }
        0
    }
    unsafe fn copy_user_str(&self, to: *mut u8, max: u32, from: usize) -> i64 {
        // SAFETY: as above.
        unsafe { self.copy_kernel_str(to, max, from) }
    }
}

struct Block(Box<[u64]>);
impl Block {
    fn new(args: [u64; 6], ret: i64) -> Self {
        let mut block = Self(std::vec![0u64; SCRATCH_BYTES / 8].into_boxed_slice());
        let state = block.state();
        state.args = args;
        state.ret = ret;
        block
    }
    fn base(&mut self) -> *mut u8 {
        self.0.as_mut_ptr().cast()
    }
    fn state(&mut self) -> &mut State {
        // SAFETY: the block begins with the State; it is aligned and zeroed.
        unsafe { &mut *self.base().cast::<State>() }
    }
}

fn number(bytes: &[u8], at: usize, width: usize) -> u64 {
    bytes[at..at + width].iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte))
}

/// Runs a filler and returns the finished block and the event's parameters.
fn written(
    code: u16,
    block: &mut Block,
    filler: impl Fn(&mut Event<Own>) -> Next,
) -> (Vec<u8>, Vec<Vec<u8>>) {
    // SAFETY: the block is ours alone.
    let mut event = unsafe { Event::begin(&Own, block.base(), code, lane::of(code)) };
    assert!(filler(&mut event) == Next::Emit);
    let total = event.finish(0, 77, 3);
    // SAFETY: `finish` wrote so many bytes there.
    let bytes = unsafe { std::slice::from_raw_parts(event.block(), total) }.to_vec();
    let count = number(&bytes, BLOCK_HEAD + 22, 4) as usize;
    let mut data = BLOCK_HEAD + HEADER_BYTES + 2 * count;
    let params = (0..count)
        .map(|index| {
            let len = number(&bytes, BLOCK_HEAD + HEADER_BYTES + 2 * index, 2) as usize;
            data += len;
            bytes[data - len..data].to_vec()
        })
        .collect();
    assert_eq!(data - BLOCK_HEAD, number(&bytes, BLOCK_HEAD + 16, 4) as usize);
    (bytes, params)
}

#[test]
fn a_block_is_framed_padded_and_carries_our_parameters() {
    let path = b"/a/b\0";
    let mut block = Block::new([path.as_ptr() as u64, 0o4000, 0, 0, 0, 0], 0);
    let (bytes, params) =
        written(table::SYSCALL_DELETE_MODULE_X, &mut block, system::delete_module);
    assert_eq!(number(&bytes, 0, 4), u64::from(BLOCK));
    assert_eq!(number(&bytes, 4, 4), bytes.len() as u64);
    assert_eq!(number(&bytes, 8, 2), 3);
    assert_eq!(number(&bytes, bytes.len() - 4, 4), bytes.len() as u64);
    assert_eq!(bytes.len() % 4, 0);
    assert_eq!(number(&bytes, BLOCK_HEAD, 8), 1005);
    assert_eq!(number(&bytes, BLOCK_HEAD + 8, 8), 9);
    assert_eq!(number(&bytes, BLOCK_HEAD + 20, 2), u64::from(table::SYSCALL_DELETE_MODULE_X));
    assert_eq!(params[..3], [vec(0u64), path.to_vec(), vec(2u32)]);
    // No path, no second path, no descriptors.
    let none = Vec::new;
    assert_eq!(params[3..], [none(), none(), none(), vec(77u64), std::vec![lane::CRITICAL]]);
}

fn vec<T: Into<u64>>(value: T) -> Vec<u8> {
    value.into().to_le_bytes()[..size_of::<T>()].to_vec()
}

#[test]
fn an_unreadable_string_is_empty_and_a_long_one_is_cut_and_counted() {
    let mut block = Block::new([0; 6], -14);
    let (_, params) = written(table::SYSCALL_DELETE_MODULE_X, &mut block, system::delete_module);
    assert_eq!((params[0].len(), params[1].len()), (8, 0));
    let mut long = std::vec![b'x'; 5000];
    long.push(0);
    let mut block = Block::new([long.as_ptr() as u64, 0, 0, 0, 0, 0], 0);
    let (_, params) = written(table::SYSCALL_DELETE_MODULE_X, &mut block, system::delete_module);
    assert_eq!((params[1].len(), params[1].last()), (4096, Some(&0)));
    assert_eq!(block.state().truncated, 1);
}

#[test]
fn an_event_that_outgrows_its_room_is_refused() {
    let mut long = std::vec![b'x'; 5000];
    long.push(0);
    let mut block = Block::new([long.as_ptr() as u64, 0, 0, 0, 0, 0], 0);
    // SAFETY: the block is ours alone.
    let mut event = unsafe { Event::begin(&Own, block.base(), table::SYSCALL_EXECVE_19_X, 0) };
    for _ in 0..9 {
        event.string(0);
    }
    assert_eq!(event.finish(0, 1, 0), 0);
}

#[test]
fn open_flags_have_falcos_bits() {
    assert_eq!(flags::open(0), 1);
    assert_eq!(flags::open(0o2 | 0o100 | 0o2_000_000), 3 | 1 << 2 | 1 << 12);
    assert_eq!(flags::open_mode(0, 0o777), 0);
    assert_eq!(flags::open_mode(0o100, 0o1644), 0o1644);
}

#[test]
fn other_flags_have_falcos_bits() {
    assert_eq!(flags::clone(0x0001_0000 | 0x100 | 0x400), 1 << 13 | 1 << 15 | 1);
    assert_eq!(flags::fcntl(1030), 26);
    assert_eq!(flags::ptrace(0x4206), 20);
    assert_eq!(flags::mount(0xc0ed_0021), 0x21);
    assert_eq!(flags::family(44), 0);
    assert_eq!(crate::file::encode_dev(8 << 20 | 0x1234), 0x34 | 8 << 8 | 0x1200 << 12);
}

#[test]
fn every_filler_has_an_event_of_the_table_once() {
    for (index, (name, code)) in crate::fillers::FILLERS.iter().enumerate() {
        assert!(table::EVENT_IDS[*code as usize].ends_with("_X"), "{name}");
        assert!(!crate::fillers::FILLERS[..index].iter().any(|(_, other)| other == code));
    }
}

#[test]
fn sensitive_reads_are_critical_by_their_first_bytes() {
    let head = |text: &[u8; 8]| u64::from_le_bytes(*text);
    assert!(lane::matters(head(b"/etc/sha")) && lane::matters(head(b"/root/.s")));
    assert!(!lane::matters(head(b"/etc/ld.")) && !lane::matters(head(b"/usr/lib")));
}
