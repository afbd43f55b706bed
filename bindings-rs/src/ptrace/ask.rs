//! The requests of ptrace(2) that the tracer makes, each as one function; errors are numbers of
//! errno. All of them must come from the thread that seized the tracee.
use std::io::Error;
use std::mem::MaybeUninit;
use std::ptr;

pub type Answer<T> = Result<T, i32>;

const PTRACE_GET_SYSCALL_INFO: libc::c_uint = 0x420e;
const OPTIONS: i32 = libc::PTRACE_O_TRACESYSGOOD
    | libc::PTRACE_O_TRACEFORK
    | libc::PTRACE_O_TRACEVFORK
    | libc::PTRACE_O_TRACECLONE
    | libc::PTRACE_O_TRACEEXEC
    | libc::PTRACE_O_TRACEEXIT;

fn request(what: libc::c_uint, tid: i32, address: usize, data: usize) -> Answer<i64> {
    // SAFETY: `data` points to room of the request's size where the request writes.
    let done = unsafe { libc::ptrace(what, tid, address as *mut u8, data as *mut u8) };
    if done == -1 { Err(errno()) } else { Ok(done) }
}

pub fn errno() -> i32 {
    Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// Attaches without stopping. `filtered`: stops of a seccomp filter are told too, and the tracee
/// ends with its tracer, since its filtered calls would fail without one.
pub fn seize(tid: i32, filtered: bool) -> Answer<()> {
    let more = if filtered { libc::PTRACE_O_TRACESECCOMP | libc::PTRACE_O_EXITKILL } else { 0 };
    request(libc::PTRACE_SEIZE, tid, 0, (OPTIONS | more) as usize).map(|_| ())
}

pub fn interrupt(tid: i32) -> Answer<()> {
    request(libc::PTRACE_INTERRUPT, tid, 0, 0).map(|_| ())
}

/// How a stopped tracee goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum On {
    /// To its next call.
    ToCall,
    /// To its next signal, event or filtered call.
    Free,
    /// It stays in its group's stop, and is told of what ends that.
    Listen,
    /// It is a tracee no more.
    Away,
}

pub fn go_on(tid: i32, on: On, signal: i32) -> Answer<()> {
    let what = match on {
        On::ToCall => libc::PTRACE_SYSCALL,
        On::Free => libc::PTRACE_CONT,
        On::Listen => libc::PTRACE_LISTEN,
        On::Away => libc::PTRACE_DETACH,
    };
    request(what, tid, 0, signal as usize).map(|_| ())
}

/// The number that an event has with it.
pub fn message(tid: i32) -> Answer<u64> {
    let mut message = 0u64;
    request(libc::PTRACE_GETEVENTMSG, tid, 0, &raw mut message as usize)?;
    Ok(message)
}

/// struct ptrace_syscall_info, as far as it is used.
#[repr(C)]
#[derive(Clone, Copy)]
struct Info {
    op: u8,
    pad: [u8; 3],
    arch: u32,
    instruction: u64,
    stack: u64,
    /// Entry: number and six arguments. Exit: the result, whether it is an error.
    words: [u64; 8],
}

const AUDIT_ARCH_I386: u32 = 0x4000_0003;

/// What a stop at a call tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum At {
    Entry { number: u64, args: [u64; 6], compat: bool },
    Exit { ret: i64 },
    Elsewhere,
}

/// Linux 5.3 and newer.
pub fn call(tid: i32) -> Answer<At> {
    const ENTRY: u8 = 1;
    const EXIT: u8 = 2;
    const SECCOMP: u8 = 3;
    let mut info = MaybeUninit::<Info>::zeroed();
    let size = size_of::<Info>();
    request(PTRACE_GET_SYSCALL_INFO, tid, size, info.as_mut_ptr() as usize)?;
    // SAFETY: plain numbers, zeros where nothing was written.
    let info = unsafe { info.assume_init() };
    Ok(match info.op {
        ENTRY | SECCOMP => {
            let [number, args @ .., _] = info.words;
            At::Entry { number, args, compat: info.arch == AUDIT_ARCH_I386 }
        }
        EXIT => At::Exit { ret: info.words[0] as i64 },
        _ => At::Elsewhere,
    })
}

pub fn registers(tid: i32) -> Answer<libc::user_regs_struct> {
    let mut registers = MaybeUninit::<libc::user_regs_struct>::zeroed();
    request(libc::PTRACE_GETREGS, tid, 0, registers.as_mut_ptr() as usize)?;
    // SAFETY: plain numbers.
    Ok(unsafe { registers.assume_init() })
}

pub fn set_registers(tid: i32, registers: &libc::user_regs_struct) -> Answer<()> {
    request(libc::PTRACE_SETREGS, tid, 0, ptr::from_ref(registers) as usize).map(|_| ())
}

/// The signal that is about to be delivered, as the kernel has it.
pub fn signal(tid: i32) -> Answer<Vec<u8>> {
    let mut info = [0u8; size_of::<libc::siginfo_t>()];
    request(libc::PTRACE_GETSIGINFO, tid, 0, info.as_mut_ptr() as usize)?;
    Ok(info.to_vec())
}

/// What waitpid said of a tracee.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    Call,
    Fork,
    Exec,
    /// It is about to end.
    Exit,
    Filtered,
    /// PTRACE_EVENT_STOP of an interrupt, or the first stop of a new tracee.
    Interrupted,
    /// Its group is stopped by this signal.
    Group,
    Signal(i32),
    Other,
    /// It has ended.
    Ended,
}

impl Stop {
    pub fn of(status: i32) -> Self {
        if !libc::WIFSTOPPED(status) {
            return Self::Ended;
        }
        let (signal, event) = (libc::WSTOPSIG(status), status >> 16);
        match event {
            0 if signal == libc::SIGTRAP | 0x80 => Self::Call,
            0 => Self::Signal(signal),
            libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE => {
                Self::Fork
            }
            libc::PTRACE_EVENT_EXEC => Self::Exec,
            libc::PTRACE_EVENT_EXIT => Self::Exit,
            libc::PTRACE_EVENT_SECCOMP => Self::Filtered,
            libc::PTRACE_EVENT_STOP if signal == libc::SIGTRAP => Self::Interrupted,
            libc::PTRACE_EVENT_STOP => Self::Group,
            _ => Self::Other,
        }
    }
}

/// Waits for one of this thread's tracees; None where `at_once` and nothing has happened. Children
/// of other threads of this process are not ours to wait for.
pub fn wait(at_once: bool) -> Answer<Option<(i32, i32)>> {
    let mut status = 0;
    let how = libc::__WALL | libc::__WNOTHREAD | if at_once { libc::WNOHANG } else { 0 };
    // SAFETY: only writes the status.
    let tid = unsafe { libc::waitpid(-1, &raw mut status, how) };
    match tid {
        -1 => Err(errno()),
        0 => Ok(None),
        _ => Ok(Some((tid, status))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_are_told_apart() {
        let stopped = |signal: i32, event: i32| event << 16 | signal << 8 | 0x7f;
        assert_eq!(Stop::of(stopped(libc::SIGTRAP | 0x80, 0)), Stop::Call);
        assert_eq!(Stop::of(stopped(libc::SIGTRAP, 0)), Stop::Signal(libc::SIGTRAP));
        assert_eq!(Stop::of(stopped(libc::SIGTRAP, 128)), Stop::Interrupted);
        assert_eq!(Stop::of(stopped(libc::SIGTSTP, 128)), Stop::Group);
        assert_eq!(Stop::of(stopped(libc::SIGSTOP, 0)), Stop::Signal(libc::SIGSTOP));
        assert_eq!(Stop::of(0), Stop::Ended);
        assert_eq!(size_of::<Info>(), 88);
    }
}
