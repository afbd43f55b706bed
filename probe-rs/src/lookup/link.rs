//! Symbolic links: those whose text the kernel has at hand, and those of /proc, which lead to the
//! kernel's own places whatever their text says.
//!
//! The text of other links (long ones of most file systems, all of xfs and btrfs) is not in reach
//! of a read-only look: what lies behind them is unknown.
use super::state::{NAME, directory, file_place, found, from, give_up, go, of, on, set_from};
use super::text::{LINK_BYTES, link_area, put_link};
use crate::event::Event;
use crate::file::OVERLAY_MAGIC;
use crate::kernel::Kernel;
use crate::offsets::ABSENT;
use crate::pid::number_in;
use crate::scratch::Place;
use crate::{get, offset, set};

const PROC_MAGIC: u64 = 0x9fa0;
const S_IFMT: u32 = 0o170_000;
const S_IFLNK: u32 = 0o120_000;

/// Goes into the link `found`, whose inode this is.
#[inline(always)]
pub fn follow<K: Kernel>(e: &mut Event<K>, inode: usize) {
    let k = e.k;
    let sb = k.address(inode + offset!(k, inode_sb));
    let magic = k.word(sb + offset!(k, sb_magic));
    if magic == PROC_MAGIC {
        return of_proc(e, sb, inode);
    }
    let mut text = k.address(inode + offset!(k, inode_link));
    if text == 0 && magic == OVERLAY_MAGIC {
        text = below_overlay(k, inode);
    }
    if text == 0 {
        return give_up(e);
    }
    // SAFETY: the area has room for it.
    let got = unsafe { k.copy_kernel_str(link_area(e), LINK_BYTES, text) };
    into(e, if got <= 1 { 0 } else { (got as usize & 0x1fff) - 1 });
}

/// Goes on with a link's text, which stands in the link area.
#[inline(always)]
fn into<K: Kernel>(e: &mut Event<K>, bytes: usize) {
    match put_link(e, bytes) {
        0 => return give_up(e),
        b'/' => {
            let root = e.k.root();
            set_from(e, root);
        }
        _ => {}
    }
    go(e, NAME);
}

/// The text of a link of an overlay: that of the link on the layer where it lies.
#[inline(always)]
fn below_overlay<K: Kernel>(k: &K, inode: usize) -> usize {
    // struct ovl_inode: the vfs inode, the dentry of the upper layer, then what it has below. That
    // is a list of layers since 6.5 (count, then layer and dentry), before it the first such pair,
    // before 6.0 the inode. Each is believed only if it is a link too.
    let at = inode + offset!(k, inode_size);
    let upper = k.address(at);
    let below = k.address(at + 8);
    let text = text_of(k, k.address(upper + offset!(k, dentry_inode)));
    if text != 0 {
        return text;
    }
    let text = text_of(k, k.address(k.address(below + 16) + offset!(k, dentry_inode)));
    if text != 0 {
        return text;
    }
    let text = text_of(k, k.address(k.address(at + 16) + offset!(k, dentry_inode)));
    if text != 0 {
        return text;
    }
    text_of(k, below)
}

#[inline(always)]
fn text_of<K: Kernel>(k: &K, inode: usize) -> usize {
    if k.int(inode + offset!(k, inode_mode)) & S_IFMT != S_IFLNK {
        return 0;
    }
    k.address(inode + offset!(k, inode_link))
}

/// A name as one word: at most eight bytes.
const fn name(text: &[u8]) -> u64 {
    let mut word = 0;
    let mut at = text.len();
    while at > 0 {
        at -= 1;
        word = word << 8 | text[at] as u64;
    }
    word
}

/// A dentry's name as such a word; 0 where it is longer.
#[inline(always)]
fn name_of<K: Kernel>(k: &K, dentry: usize) -> u64 {
    let at = dentry + offset!(k, dentry_name);
    let bytes = k.int(at + 4);
    if bytes == 0 || bytes > 7 {
        return 0;
    }
    k.word(k.address(at + 8)) & ((1 << (8 * bytes)) - 1)
}

/// Links of /proc: self, thread-self, and those of a process.
#[inline(always)]
fn of_proc<K: Kernel>(e: &mut Event<K>, sb: usize, inode: usize) {
    let k = e.k;
    if offset!(k, proc_inode_pid) == ABSENT as usize {
        return give_up(e);
    }
    let parent = from(e).dentry;
    let link = name_of(k, found(e).dentry);
    if parent == k.address(sb + offset!(k, sb_root)) {
        let namespace = k.address(k.address(sb + offset!(k, sb_info)) + offset!(k, proc_info_ns));
        // The only other name of this length that is a link there leads by its text.
        let bytes = match (link, get!(of(e).name_bytes)) {
            (SELF, _) => numbers(e, namespace, false),
            (_, 11) => numbers(e, namespace, true),
            _ => 0,
        };
        return into(e, bytes);
    }
    let pid =
        k.address(inode.wrapping_sub(offset!(k, proc_inode_vfs)) + offset!(k, proc_inode_pid));
    let first = k.address(pid + offset!(k, pid_tasks));
    if pid == 0 || first == 0 {
        return give_up(e);
    }
    let task = first.wrapping_sub(offset!(k, task_pid_links));
    let place = match link {
        ROOT => {
            let fs = k.address(task + offset!(k, task_fs));
            Place {
                mnt: k.address(fs + offset!(k, fs_root_mnt)),
                dentry: k.address(fs + offset!(k, fs_root_dentry)),
            }
        }
        CWD => directory(k, task),
        EXE => {
            let mm = k.address(task + offset!(k, task_mm));
            file_place(k, k.address(mm + offset!(k, mm_exe_file)))
        }
        _ if name_of(k, parent) == FD => {
            let fd =
                k.int(inode.wrapping_sub(offset!(k, proc_inode_vfs)) + offset!(k, proc_inode_fd));
            let files = k.address(task + offset!(k, task_files));
            let table = k.address(files + offset!(k, files_fdt));
            let count = k.int(table + offset!(k, fdt_max_fds));
            let array = k.address(table + offset!(k, fdt_fd));
            let file = if fd < count { k.address(array + 8 * fd as usize) } else { 0 };
            file_place(k, file)
        }
        _ => Place { mnt: 0, dentry: 0 },
    };
    on(e, place);
}

const SELF: u64 = name(b"self");
const ROOT: u64 = name(b"root");
const CWD: u64 = name(b"cwd");
const EXE: u64 = name(b"exe");
const FD: u64 = name(b"fd");

/// What /proc/self and /proc/thread-self say: numbers of the caller in /proc's own namespace.
/// Returns the bytes written to the link area.
#[inline(always)]
fn numbers<K: Kernel>(e: &mut Event<K>, namespace: usize, thread: bool) -> usize {
    set!(of(e).cursor, 0);
    let process = number_in(e.k, crate::pid::signal_pid(e.k, crate::pid::PIDTYPE_TGID), namespace);
    if process == 0 || namespace == 0 {
        return 0;
    }
    decimal(e, process);
    if thread {
        let number = number_in(e.k, crate::pid::thread_pid(e.k), namespace);
        let at = get!(of(e).cursor) as usize & 0xff;
        // SAFETY: masked; the area has room.
        unsafe { (link_area(e).add(at) as *mut [u8; 6]).write_unaligned(*b"/task/") };
        set!(of(e).cursor, at as u32 + 6);
        decimal(e, number);
    }
    get!(of(e).cursor) as usize & 0xff
}

/// Writes a number behind what stands in the link area.
#[inline(always)]
fn decimal<K: Kernel>(e: &mut Event<K>, number: u32) {
    let mut divisor = 1_000_000_000;
    for _ in 0..10 {
        let left = number / divisor;
        if left != 0 || divisor == 1 {
            let at = get!(of(e).cursor);
            // SAFETY: masked; the area has room.
            unsafe {
                link_area(e).add(at as usize & 0xff).write_volatile(b'0' + (left % 10) as u8)
            };
            set!(of(e).cursor, at + 1);
        }
        divisor /= 10;
    }
}
