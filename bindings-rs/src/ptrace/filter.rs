//! The seccomp filter of `saker trace --fast`: calls that are told stop, all others run at full
//! speed. In: numbers of calls. Out: a program of BPF, which the command's process takes on before
//! it becomes its program, and its children have after it.
//!
//! A filter stays, and without a tracer the calls that it stops fail (ENOSYS): tracees with one end
//! with their tracer (PTRACE_O_EXITKILL), and a wider interest makes all their calls stop.
use std::collections::BTreeSet;

/// Words of the data that a filter looks at (struct seccomp_data).
const NUMBER_AT: u32 = 0;
const ARCH_AT: u32 = 4;
const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;
const AUDIT_ARCH_I386: u32 = 0x4000_0003;
const X32: u32 = probe::registers::X32 as u32;
const SOCKETCALL: u32 = probe::routes::SOCKETCALL as u32;
const LOAD: u16 = 0x20;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_GREATER_EQUAL: u16 = 0x35;
const AND: u16 = 0x54;
const RETURN: u16 = 0x06;

/// Calls that must stop whoever wants their events: those that make or replace a process, for what
/// the tracer itself has to know of them.
const ALWAYS_WIDE: [i64; 4] =
    [libc::SYS_clone, libc::SYS_clone3, libc::SYS_execve, libc::SYS_execveat];
/// clone, execve, execveat, clone3 of the 32-bit entry.
const ALWAYS_NARROW: [u32; 4] = [120, 11, 358, 435];

pub struct Filter {
    program: Vec<libc::sock_filter>,
    /// Without CAP_SYS_ADMIN a filter asks for no_new_privs.
    no_new_privileges: bool,
    wide: BTreeSet<u32>,
    narrow: BTreeSet<u32>,
}

fn one(code: u16, k: u32) -> libc::sock_filter {
    libc::sock_filter { code, jt: 0, jf: 0, k }
}

/// Where it is equal, the next instruction holds, else the one behind it.
fn equal(k: u32) -> libc::sock_filter {
    libc::sock_filter { code: JUMP_EQUAL, jt: 0, jf: 1, k }
}

/// For each run of numbers one that follow each other, two jumps.
fn runs(numbers: &BTreeSet<u32>) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &number in numbers {
        match runs.last_mut() {
            Some((_, end)) if *end == number => *end = number + 1,
            _ => runs.push((number, number + 1)),
        }
    }
    runs
}

fn asks(numbers: &BTreeSet<u32>) -> Vec<libc::sock_filter> {
    let mut program = Vec::new();
    for (first, end) in runs(numbers) {
        program.push(libc::sock_filter { code: JUMP_GREATER_EQUAL, jt: 0, jf: 2, k: first });
        program.push(libc::sock_filter { code: JUMP_GREATER_EQUAL, jt: 1, jf: 0, k: end });
        program.push(one(RETURN, libc::SECCOMP_RET_TRACE));
    }
    program.push(one(RETURN, libc::SECCOMP_RET_ALLOW));
    program
}

impl Filter {
    /// `numbers`: of the 64-bit entry and of the 32-bit one.
    pub fn of([wide, narrow]: [Vec<u32>; 2], no_new_privileges: bool) -> Self {
        let wide: BTreeSet<u32> =
            wide.into_iter().chain(ALWAYS_WIDE.map(|call| call as u32)).collect();
        // socketcall carries others.
        let narrow: BTreeSet<u32> =
            narrow.into_iter().chain(ALWAYS_NARROW).chain([SOCKETCALL]).collect();
        let narrow_part = asks(&narrow);
        let mut program = vec![one(LOAD, ARCH_AT), equal(AUDIT_ARCH_I386)];
        // A jump's reach is 255 instructions; this one takes a longer way.
        program.push(libc::sock_filter { code: 0x05, jt: 0, jf: 0, k: 1 });
        program.push(libc::sock_filter {
            code: 0x05,
            jt: 0,
            jf: 0,
            k: 1 + narrow_part.len() as u32,
        });
        program.push(one(LOAD, NUMBER_AT));
        program.extend(narrow_part);
        program.push(equal(AUDIT_ARCH_X86_64));
        program.push(libc::sock_filter { code: 0x05, jt: 0, jf: 0, k: 1 });
        program.push(one(RETURN, libc::SECCOMP_RET_TRACE));
        program.push(one(LOAD, NUMBER_AT));
        program.push(one(AND, !X32));
        program.extend(asks(&wide));
        Self { program, no_new_privileges, wide, narrow }
    }

    /// Whether all of these calls stop.
    pub fn holds(&self, [wide, narrow]: &[Vec<u32>; 2]) -> bool {
        wide.iter().all(|number| self.wide.contains(number))
            && narrow.iter().all(|number| self.narrow.contains(number))
    }

    /// Takes it on, in the process that calls it; the error, 0 where it is taken.
    ///
    /// # Safety
    /// It holds for this process and all that it starts, for good.
    pub unsafe fn install(&self) -> i32 {
        const PR_SET_NO_NEW_PRIVS: libc::c_int = 38;
        let program = libc::sock_fprog {
            len: self.program.len() as u16,
            filter: self.program.as_ptr().cast_mut(),
        };
        // SAFETY: the program is only read.
        unsafe {
            if self.no_new_privileges && libc::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 {
                return super::ask::errno();
            }
            let mode = libc::SECCOMP_SET_MODE_FILTER;
            match libc::syscall(libc::SYS_seccomp, mode, 0, &raw const program) {
                0 => 0,
                _ => super::ask::errno(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the program as the kernel would.
    fn verdict(filter: &Filter, arch: u32, number: u32) -> u32 {
        let (mut at, mut a) = (0, 0);
        loop {
            let libc::sock_filter { code, jt, jf, k } = filter.program[at];
            at += 1;
            match code {
                LOAD => a = if k == ARCH_AT { arch } else { number },
                AND => a &= k,
                JUMP_EQUAL => at += usize::from(if a == k { jt } else { jf }),
                JUMP_GREATER_EQUAL => at += usize::from(if a >= k { jt } else { jf }),
                0x05 => at += k as usize,
                RETURN => return k,
                other => panic!("instruction {other:#x}"),
            }
        }
    }

    #[test]
    fn wanted_calls_stop_and_all_others_run() {
        let filter = Filter::of([vec![2, 257, 258], vec![5]], false);
        let stops = |arch, number| verdict(&filter, arch, number) == libc::SECCOMP_RET_TRACE;
        assert!([2, 257, 258, 59].map(|number| stops(AUDIT_ARCH_X86_64, number)) == [true; 4]);
        assert!([0, 1, 3, 259, 5].map(|number| stops(AUDIT_ARCH_X86_64, number)) == [false; 5]);
        assert!(stops(AUDIT_ARCH_X86_64, 257 + X32));
        assert!([5, 11, SOCKETCALL].map(|number| stops(AUDIT_ARCH_I386, number)) == [true; 3]);
        assert!([2, 257].map(|number| stops(AUDIT_ARCH_I386, number)) == [false; 2]);
        assert!(filter.holds(&[vec![2], vec![]]) && !filter.holds(&[vec![3], vec![]]));
    }
}
