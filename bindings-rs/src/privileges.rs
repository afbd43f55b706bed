//! Gives up capabilities for good, in every thread of this process: the kernel keeps them by
//! thread, and a thread can only change its own. So each is sent a signal whose handler does it, as
//! libcap's psx does; what the kernel then shows of each thread decides whether it is done.
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{fs, ptr, thread};

use crate::failure::{Code, Failure};

/// What the handler keeps.
static KEPT: AtomicU64 = AtomicU64::new(u64::MAX);
/// Capabilities that a kernel may know.
const CAPABILITIES: u64 = 64;
/// A thread that is stuck in the kernel takes no signal.
const PATIENCE: Duration = Duration::from_secs(2);

#[repr(C)]
struct Head {
    version: u32,
    pid: i32,
}
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Sets {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}
/// _LINUX_CAPABILITY_VERSION_3: two words of each set.
const VERSION: u32 = 0x2008_0522;

/// Of the calling thread; nothing here allocates or locks, since a signal may come at any place.
fn give_up(kept: u64) {
    const PR_CAPBSET_DROP: libc::c_int = 24;
    let head = Head { version: VERSION, pid: 0 };
    let mut sets = [Sets::default(); 2];
    // SAFETY: plain system calls on structures of the sizes that the kernel expects.
    unsafe {
        let errno = *libc::__errno_location();
        // What a program that is started later could get back. Without CAP_SETPCAP it stays.
        for capability in (0..CAPABILITIES).filter(|bit| kept >> bit & 1 == 0) {
            libc::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
        }
        libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
        if libc::syscall(libc::SYS_capget, &raw const head, sets.as_mut_ptr()) == 0 {
            for (set, kept) in sets.iter_mut().zip([kept as u32, (kept >> 32) as u32]) {
                set.permitted &= kept;
                set.effective &= kept;
                set.inheritable = 0;
            }
            libc::syscall(libc::SYS_capset, &raw const head, sets.as_ptr());
        }
        *libc::__errno_location() = errno;
    }
}

extern "C" fn on_signal(_: libc::c_int) {
    give_up(KEPT.load(Ordering::Relaxed));
}

/// A thread's permitted capabilities; None where it has ended.
fn permitted(tid: i32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/self/task/{tid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("CapPrm:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

fn threads() -> Vec<i32> {
    fs::read_dir("/proc/self/task").map_or_else(
        |_| Vec::new(),
        |entries| {
            entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
        },
    )
}

/// Threads that have more than `kept`.
fn left(kept: u64) -> Vec<i32> {
    threads()
        .into_iter()
        .filter(|&tid| permitted(tid).is_some_and(|has| has & !kept != 0))
        .collect()
}

/// Gives up all capabilities but those of `kept`, a bit each; returns how many threads did. Others
/// that are started meanwhile have those of the thread that starts them, and are met as well.
pub fn keep_only(kept: u64) -> Result<u32, Failure> {
    let wrong = |what: &str| {
        let error = std::io::Error::last_os_error();
        Failure::new(Code::Io, format!("Cannot give up capabilities: {what}: {error}"))
    };
    KEPT.store(kept, Ordering::Relaxed);
    // The runtime uses none of the real-time signals.
    let signal = libc::SIGRTMAX() - 3;
    // SAFETY: an all-zero action is a valid one; the handler makes system calls only.
    let mut before: libc::sigaction = unsafe { std::mem::zeroed() };
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = on_signal as *const () as usize;
    action.sa_flags = libc::SA_RESTART | libc::SA_ONSTACK;
    // SAFETY: as above.
    if unsafe { libc::sigaction(signal, &raw const action, &raw mut before) } != 0 {
        return Err(wrong("sigaction"));
    }
    let mut asked = BTreeSet::new();
    let end = Instant::now() + PATIENCE;
    let mut more = left(kept);
    while !more.is_empty() && Instant::now() < end {
        for &tid in &more {
            if asked.insert(tid) {
                // SAFETY: a thread of this process, or one that has just ended.
                unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), tid, signal) };
            }
        }
        thread::sleep(Duration::from_millis(1));
        more = left(kept);
    }
    if more.is_empty() {
        // SAFETY: what was there before; no thread is on its way to the handler.
        unsafe { libc::sigaction(signal, &raw const before, ptr::null_mut()) };
        return Ok(asked.len() as u32);
    }
    // Their signal may still come: the handler stays.
    Err(Failure::new(
        Code::Io,
        format!("Cannot give up capabilities: {} threads do not answer", more.len()),
    ))
}

/// What the addon exports; a test program has nobody to export to.
#[cfg(not(test))]
mod export {
    use napi::bindgen_prelude::BigInt;
    use napi_derive::napi;

    use crate::failure::Code;

    #[napi]
    #[allow(clippy::needless_pass_by_value, reason = "napi hands values over")]
    pub fn keep_capabilities(kept: BigInt) -> Result<u32, napi::Error<Code>> {
        Ok(super::keep_only(kept.get_u64().1)?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    /// In a child: the other tests need what this gives up.
    #[test]
    fn every_thread_gives_up_what_is_not_kept() {
        const SYS_PTRACE: u64 = 1 << 19;
        if permitted(std::process::id() as i32).is_none_or(|has| has & SYS_PTRACE == 0) {
            eprintln!("not run: it needs root");
            return;
        }
        // SAFETY: the child goes on with this thread alone and leaves by _exit.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            let (begin, begun) = channel();
            let (end, ended) = channel::<()>();
            let other = thread::spawn(move || {
                begin.send(()).ok();
                ended.recv().ok();
            });
            begun.recv().ok();
            let done = keep_only(SYS_PTRACE);
            let all = threads();
            let good = done.is_ok_and(|count| count == 2)
                && all.len() == 2
                && all.iter().all(|&tid| permitted(tid) == Some(SYS_PTRACE));
            drop(end);
            other.join().ok();
            // SAFETY: ends the child.
            unsafe { libc::_exit(i32::from(!good)) };
        }
        let mut status = 0;
        // SAFETY: our own child.
        unsafe { libc::waitpid(pid, &raw mut status, 0) };
        assert_eq!(status, 0);
    }
}
