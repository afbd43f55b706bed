//! What the kernel wakes a reader of rings for, and nothing else: that something waits there is no
//! reason not to sleep. In: rings. Out: whether the kernel has said that one was written since that
//! was asked last.
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::time::Duration;

use crate::ring::Ring;

pub struct Wakes(OwnedFd);

impl Wakes {
    pub fn of(rings: &[&Ring]) -> io::Result<Self> {
        // SAFETY: no memory is involved.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: made just now, and nobody else's.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        for ring in rings {
            let mut event =
                libc::epoll_event { events: (libc::EPOLLIN | libc::EPOLLET) as u32, u64: 0 };
            // SAFETY: one valid entry; both descriptors are open.
            let added = unsafe {
                libc::epoll_ctl(fd.as_raw_fd(), libc::EPOLL_CTL_ADD, ring.raw_fd(), &raw mut event)
            };
            if added < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(Self(fd))
    }

    /// Sleeps until the kernel wakes the reader, which it may have done since the last call, or the
    /// time is over; whether it has. An interrupted sleep only ends early.
    pub fn sleep(&self, time: Duration) -> bool {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; 2];
        // Up to the next one: before it is over there would be nothing to do.
        let milliseconds = time.as_micros().div_ceil(1000).max(1) as libc::c_int;
        let most = events.len() as libc::c_int;
        // SAFETY: room for so many entries.
        let woken = unsafe {
            libc::epoll_wait(self.0.as_raw_fd(), events.as_mut_ptr(), most, milliseconds)
        };
        woken > 0
    }
}
