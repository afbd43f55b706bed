//! The memory of a tracee, read only: process_vm_readv, and where that is not allowed, its file in
//! /proc. What is not in memory is read in by the kernel, unlike by a probe.
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

use super::facts::ProcPath;

const PAGE: usize = 4096;
/// Most strings are shorter.
const FIRST_PIECE: usize = 256;

/// Fills `to` from the tracee's `from`; how many bytes could be read.
pub fn read(tid: i32, to: &mut [u8], from: usize) -> usize {
    if to.is_empty() {
        return 0;
    }
    let local = libc::iovec { iov_base: to.as_mut_ptr().cast(), iov_len: to.len() };
    let remote = libc::iovec { iov_base: from as *mut _, iov_len: to.len() };
    // SAFETY: the local buffer is ours and has the bytes that are said.
    let got = unsafe { libc::process_vm_readv(tid, &raw const local, 1, &raw const remote, 1, 0) };
    if got >= 0 {
        return got as usize;
    }
    match std::io::Error::last_os_error().raw_os_error() {
        Some(libc::EPERM | libc::ENOSYS) => read_by_file(tid, to, from).unwrap_or(0),
        _ => 0,
    }
}

/// Seccomp filters of containers may refuse the call and not the file.
fn read_by_file(tid: i32, to: &mut [u8], from: usize) -> Option<usize> {
    let path = ProcPath::of(tid, "mem");
    // SAFETY: the path is NUL-ended; the buffer has its length.
    unsafe {
        let fd = libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC);
        if fd < 0 {
            return None;
        }
        let file = OwnedFd::from_raw_fd(fd);
        let got =
            libc::pread(file.as_raw_fd(), to.as_mut_ptr().cast(), to.len(), from as libc::off_t);
        usize::try_from(got).ok()
    }
}

/// Copies a string with its NUL, at most `to.len()` bytes, of which the last is then the NUL.
/// Returns the bytes written; None where its beginning cannot be read.
pub fn read_text(tid: i32, to: &mut [u8], from: usize) -> Option<usize> {
    let mut used = 0;
    while used < to.len() {
        let at = from.checked_add(used)?;
        let left_of_page = PAGE - at % PAGE;
        let most = if used == 0 { FIRST_PIECE } else { PAGE };
        let len = left_of_page.min(most).min(to.len() - used);
        let got = read(tid, &mut to[used..used + len], at);
        if got == 0 {
            return None;
        }
        if let Some(end) = to[used..used + got].iter().position(|&byte| byte == 0) {
            return Some(used + end + 1);
        }
        used += got;
    }
    if let Some(last) = to.last_mut() {
        *last = 0;
    }
    Some(used)
}

/// Writes to a tracee's memory; whether all was written.
pub fn write(tid: i32, to: usize, bytes: &[u8]) -> bool {
    let local = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    let remote = libc::iovec { iov_base: to as *mut _, iov_len: bytes.len() };
    // SAFETY: the local buffer is only read.
    let done =
        unsafe { libc::process_vm_writev(tid, &raw const local, 1, &raw const remote, 1, 0) };
    done == bytes.len() as isize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_end_at_their_nul_and_at_the_room() {
        let own = std::process::id() as i32;
        let text = c"a string of our own".to_bytes_with_nul();
        let mut room = [0xffu8; 64];
        assert_eq!(read_text(own, &mut room, text.as_ptr() as usize), Some(text.len()));
        assert_eq!(&room[..text.len()], text);
        assert_eq!(read_text(own, &mut room[..5], text.as_ptr() as usize), Some(5));
        assert_eq!(&room[..5], b"a st\0");
        assert_eq!(read_text(own, &mut room, 16), None);
        assert_eq!(read_by_file(own, &mut room[..8], text.as_ptr() as usize), Some(8));
        assert_eq!(&room[..8], b"a string");
    }
}
