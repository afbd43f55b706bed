//! What a plugin's own process may not do to the machine. In: whether it may start processes. Out:
//! the kernel refuses what it may not, for this thread and all that it makes. It is no sandbox: a
//! plugin reads and writes files, and speaks to the network, as saker may.
use std::io;

/// Threads of one plugin; more, and its process is ended.
pub const THREADS_MAX: u64 = 1024;

/// `AUDIT_ARCH_X86_64`; all else that runs on the machine are calls of 32-bit programs.
const X86_64: u32 = 0xc000_003e;
/// Set in the numbers of x32's calls.
const X32: u32 = 0x4000_0000;
/// Where `struct seccomp_data` has the call's number, its architecture, and its first argument.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const FIRST: u32 = 16;

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const ABOVE: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
const ANY: u16 = (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// From now on this thread starts no processes, nor do those that it makes: calls for it fail with
/// EPERM. Threads are no processes.
pub fn start_no_processes() -> io::Result<()> {
    let refused = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
    // What it asks for lies in memory, where no filter looks: who is told that there is no such
    // call takes `clone`.
    let unknown = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;
    let step = |code, k: u32, jt, jf| libc::sock_filter { code, jt, jf, k };
    let mut filter = [
        step(LOAD, ARCHITECTURE, 0, 0),
        step(EQUAL, X86_64, 0, 8),
        step(LOAD, NUMBER, 0, 0),
        step(ABOVE, X32, 6, 0),
        step(EQUAL, libc::SYS_clone3 as u32, 5, 0),
        step(EQUAL, libc::SYS_fork as u32, 5, 0),
        step(EQUAL, libc::SYS_vfork as u32, 4, 0),
        step(EQUAL, libc::SYS_clone as u32, 0, 4),
        step(LOAD, FIRST, 0, 0),
        step(ANY, libc::CLONE_THREAD as u32, 2, 1),
        step(RETURN, unknown, 0, 0),
        step(RETURN, refused, 0, 0),
        step(RETURN, libc::SECCOMP_RET_ALLOW, 0, 0),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: calls about this process; the filter outlives the call that reads it.
    let done = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(
                libc::PR_SET_SECCOMP,
                libc::SECCOMP_MODE_FILTER,
                &raw const program,
                0,
                0,
            ) == 0
    };
    if done { Ok(()) } else { Err(io::Error::last_os_error()) }
}
