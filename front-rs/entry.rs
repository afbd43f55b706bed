//! What runs before the runtime: machine code that scripts/lib/put_front.py puts into the runtime's
//! executable, where the program is entered. The runtime ends in a panic where a few things are not
//! as it expects, and does what some variables say; here they are put right, or told in one line.
//!
//! In: the stack as the kernel made it (arguments, environment). Out: the same with what was put
//! right, and the runtime begins. No library is there yet: only system calls.
#![no_std]
#![no_main]
// Loops are not to become calls of a C library that is not there.
#![no_builtins]

use core::arch::{asm, global_asm};

// The stack's pointer goes to `front`; `rdx` (what the loader wants called at exit) is kept. Behind
// the jump stands how far the runtime's own entry is from this one: put_front.py writes it there.
global_asm!(
    ".section .text.entry,\"ax\"",
    ".globl front_entry",
    "front_entry:",
    "mov rdi, rsp",
    "push rdx",
    "push rdx",
    "call {front}",
    "pop rdx",
    "pop rdx",
    "lea rax, [rip + front_entry]",
    "add rax, [rip + front_distance]",
    "jmp rax",
    "front_distance: .quad 0x4f545f544e4f5246",
    front = sym front,
);

/// Variables of the runtime and of what is in it that change what it does, one behind each space.
/// A star stands for any end; others that only begin alike are people's own, such as NODE_NAME.
/// One text, since a list of texts would hold addresses, which nobody puts right here.
const VARIABLES: &[u8] = b" DENO_* OTEL_* TOKIO_* NPM_CONFIG_* RUST_BACKTRACE RUST_LIB_BACKTRACE \
    RUST_LOG RUST_LOG_STYLE RUST_MIN_STACK RAYON_NUM_THREADS FORCE_COLOR CLICOLOR CLICOLOR_FORCE \
    JUPYTER_PATH NODE_CHANNEL_FD NODE_CHANNEL_SERIALIZATION_MODE NODE_DEBUG NODE_DEBUG_NATIVE \
    NODE_DISABLE_COLORS NODE_EXTRA_CA_CERTS NODE_ICU_DATA NODE_NO_WARNINGS NODE_OPTIONS NODE_PATH \
    NODE_PENDING_PIPE_INSTANCES NODE_TLS_REJECT_UNAUTHORIZED NODE_UNIQUE_ID NODE_V8_COVERAGE ";

const STACK_BYTES: u64 = 8 << 20;
/// Below this the runtime overflows its stack before it says anything.
const STACK_BYTES_MIN: u64 = 256 << 10;
/// What the runtime reserves of the address space, most of it never used: tried, 32 GB are too few.
const ADDRESSES_MIN: u64 = 36_000_000 << 10;
/// The runtime alone opens some twenty.
const FILES_MIN: u64 = 32;
const UNLIMITED: u64 = u64::MAX;

const RLIMIT_STACK: usize = 3;
const RLIMIT_NOFILE: usize = 7;
const RLIMIT_AS: usize = 9;

extern "C" fn front(stack: *mut usize) {
    // SAFETY: the kernel put the count of arguments there, then the arguments and a null, then the
    // environment and a null (System V ABI, "Process Initialization").
    unsafe {
        let count = *stack;
        let arguments = stack.add(1).cast::<*const u8>();
        let environment = arguments.add(count + 1);
        drop_variables(environment);
        if call(ACCESS, c"/proc/self/exe".as_ptr() as usize, 0, 0, 0) < 0 {
            fail(b"saker needs /proc: mount it (mount -t proc proc /proc)");
        }
        let stack_changed = raise_limits();
        let none = 0_u64;
        call(RT_SIGPROCMASK, SIG_SETMASK, (&raw const none) as usize, 0, 8);
        ignore_file_size_signal();
        if stack_changed {
            // The kernel and the C library looked at the limit when the program was started.
            let program = c"/proc/self/exe".as_ptr() as usize;
            call(EXECVE, program, arguments as usize, environment as usize, 0);
        }
        let mut buffer = core::mem::MaybeUninit::<[u8; 4096]>::uninit();
        let named = call(GETCWD, buffer.as_mut_ptr() as usize, size_of_val(&buffer), 0, 0) > 0;
        // The kernel writes "(unreachable)" before the name of a directory that is not below the
        // root (unmounted, or another's namespace was entered), which the C library takes for gone.
        if !named || buffer.as_ptr().cast::<u8>().read() != b'/' {
            // A directory that is gone holds nothing, and nothing can be made there.
            if call(CHDIR, c"/proc/self/map_files".as_ptr() as usize, 0, 0, 0) < 0 {
                call(CHDIR, c"/".as_ptr() as usize, 0, 0, 0);
            }
        }
        for at in 0..count {
            let argument = arguments.add(at);
            if !is_utf8(*argument) {
                *argument = replaced(*argument);
            }
        }
    }
}

/// Takes the runtime's variables out of the environment, in place.
unsafe fn drop_variables(environment: *mut *const u8) {
    unsafe {
        let mut kept = 0;
        let mut at = 0;
        while !(*environment.add(at)).is_null() {
            let variable = *environment.add(at);
            if !is_runtimes(variable) && !is_odd_place(variable) {
                *environment.add(kept) = variable;
                kept += 1;
            }
            at += 1;
        }
        *environment.add(kept) = core::ptr::null();
    }
}

unsafe fn is_runtimes(variable: *const u8) -> bool {
    VARIABLES.split(|&byte| byte == b' ').any(|name| match name {
        [] => false,
        [prefix @ .., b'*'] => unsafe { starts_with(variable, prefix) },
        // Behind a name that is the beginning of the variable there is at least its NUL.
        _ => unsafe { starts_with(variable, name) && *variable.add(name.len()) == b'=' },
    })
}

/// A temporary directory that is relative, empty or no UTF-8 ends the runtime before it begins.
unsafe fn is_odd_place(variable: *const u8) -> bool {
    let name = b"TMPDIR=";
    unsafe {
        starts_with(variable, name) && (*variable.add(name.len()) != b'/' || !is_utf8(variable))
    }
}

unsafe fn starts_with(text: *const u8, prefix: &[u8]) -> bool {
    // The text ends with a NUL, which no prefix has.
    prefix.iter().enumerate().all(|(at, &byte)| unsafe { *text.add(at) == byte })
}

/// Raises what may be raised and refuses what is too small; whether the stack's limit changed.
unsafe fn raise_limits() -> bool {
    unsafe {
        let mut files = limit(RLIMIT_NOFILE);
        if files[0] < files[1] {
            files[0] = files[1];
            set_limit(RLIMIT_NOFILE, &files);
        }
        let files = limit(RLIMIT_NOFILE);
        if files[0] < FILES_MIN {
            too_small(b"open files to ", files[0], b" (ulimit -n); saker needs ", 256, b"");
        }
        let addresses = limit(RLIMIT_AS);
        if addresses[0] < ADDRESSES_MIN {
            let [now, wanted] = [addresses[0] >> 10, ADDRESSES_MIN >> 10];
            let text = b" kB (ulimit -v); saker reserves, not uses, ";
            too_small(b"addresses to ", now, text, wanted, b" kB");
        }
        let before = limit(RLIMIT_STACK);
        if before[0] < STACK_BYTES {
            // Root may raise the hard limit as well.
            let hard = if before[1] < STACK_BYTES { STACK_BYTES } else { before[1] };
            if set_limit(RLIMIT_STACK, &[STACK_BYTES, hard]) < 0 {
                set_limit(RLIMIT_STACK, &[before[1], before[1]]);
            }
        }
        let after = limit(RLIMIT_STACK);
        if after[0] < STACK_BYTES_MIN {
            let [now, wanted] = [after[0] >> 10, STACK_BYTES_MIN >> 10];
            too_small(b"the stack to ", now, b" kB (ulimit -s); saker needs ", wanted, b" kB");
        }
        after[0] != before[0]
    }
}

unsafe fn limit(which: usize) -> [u64; 2] {
    let mut limits = [UNLIMITED; 2];
    unsafe { call(PRLIMIT64, 0, which, 0, (&raw mut limits) as usize) };
    limits
}

unsafe fn set_limit(which: usize, limits: &[u64; 2]) -> isize {
    unsafe { call(PRLIMIT64, 0, which, core::ptr::from_ref(limits) as usize, 0) }
}

/// A file that may not grow is an error of its write, not the end of the program.
unsafe fn ignore_file_size_signal() {
    const SIGXFSZ: usize = 25;
    const SIG_IGN: usize = 1;
    // struct kernel_sigaction: handler, flags, restorer, mask.
    let action = [SIG_IGN, 0, 0, 0];
    unsafe { call(RT_SIGACTION, SIGXFSZ, (&raw const action) as usize, 0, 8) };
}

/// Whether the bytes up to the NUL are UTF-8, as the runtime wants its arguments.
unsafe fn is_utf8(text: *const u8) -> bool {
    let mut at = 0;
    loop {
        let length = unsafe { character(text.add(at)) };
        match length {
            Some(0) => return true,
            Some(length) => at += length,
            None => return false,
        }
    }
}

/// Bytes of the character that begins here; 0 at the end, nothing where it is no UTF-8.
unsafe fn character(text: *const u8) -> Option<usize> {
    // A NUL is no continuation, so nothing is read behind the end.
    let byte = |at: usize| unsafe { *text.add(at) };
    let continues = |at: usize| byte(at) & 0xc0 == 0x80;
    match byte(0) {
        0 => Some(0),
        0x01..=0x7f => Some(1),
        0xc2..=0xdf if continues(1) => Some(2),
        0xe0 if byte(1) >= 0xa0 && continues(1) && continues(2) => Some(3),
        0xed if byte(1) < 0xa0 && continues(1) && continues(2) => Some(3),
        0xe1..=0xec | 0xee..=0xef if continues(1) && continues(2) => Some(3),
        0xf0 if byte(1) >= 0x90 && continues(1) && continues(2) && continues(3) => Some(4),
        0xf1..=0xf3 if continues(1) && continues(2) && continues(3) => Some(4),
        0xf4 if byte(1) < 0x90 && continues(1) && continues(2) && continues(3) => Some(4),
        _ => None,
    }
}

/// The argument in UTF-8: a file that there is by a descriptor, what else by escapes (`\xff`).
unsafe fn replaced(argument: *const u8) -> *const u8 {
    unsafe {
        let length = length_of(argument);
        let mut out = Out::new(4 * length + 64);
        // `--key=PATH` and `-o key=PATH` as well as a path alone.
        let equals = (0..length).find(|&at| *argument.add(at) == b'=').map_or(0, |at| at + 1);
        let starts = if equals == 0 { [0, 0] } else { [equals, 0] };
        for start in starts {
            let path = argument.add(start) as usize;
            let descriptor = call(OPEN, path, O_PATH | O_CLOEXEC, 0, 0);
            if descriptor < 0 || !is_ascii(argument, start) {
                continue;
            }
            for at in 0..start {
                out.put(*argument.add(at));
            }
            for &byte in b"/proc/self/fd/" {
                out.put(byte);
            }
            out.number(descriptor.cast_unsigned() as u64);
            return out.text();
        }
        let mut at = 0;
        while at < length {
            match character(argument.add(at)) {
                Some(bytes) => {
                    for _ in 0..bytes {
                        out.put(*argument.add(at));
                        at += 1;
                    }
                }
                None => {
                    let byte = *argument.add(at);
                    for one in [b'\\', b'x', hex(byte >> 4), hex(byte & 15)] {
                        out.put(one);
                    }
                    at += 1;
                }
            }
        }
        out.text()
    }
}

unsafe fn is_ascii(text: *const u8, length: usize) -> bool {
    (0..length).all(|at| unsafe { *text.add(at) } < 0x80)
}

unsafe fn length_of(text: *const u8) -> usize {
    let mut length = 0;
    while unsafe { *text.add(length) } != 0 {
        length += 1;
    }
    length
}

fn hex(digit: u8) -> u8 {
    if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }
}

/// A text that is written into memory of its own, which stays.
struct Out {
    start: *mut u8,
    at: usize,
}

impl Out {
    unsafe fn new(bytes: usize) -> Self {
        const READ_WRITE: usize = 3;
        let start: isize;
        // SAFETY: mmap of new memory (private, anonymous) touches nothing that there is.
        unsafe {
            asm!("syscall", inlateout("rax") MMAP => start, in("rdi") 0, in("rsi") bytes,
                in("rdx") READ_WRITE, in("r10") 0x22, in("r8") -1_isize, in("r9") 0,
                lateout("rcx") _, lateout("r11") _);
        }
        if start < 0 {
            unsafe { fail(b"there is no memory") };
        }
        Self { start: start as *mut u8, at: 0 }
    }

    unsafe fn put(&mut self, byte: u8) {
        unsafe { *self.start.add(self.at) = byte };
        self.at += 1;
    }

    unsafe fn number(&mut self, number: u64) {
        let mut digits = [0; 20];
        for &digit in decimal(number, &mut digits) {
            unsafe { self.put(digit) };
        }
    }

    /// New memory is zero, so the text ends with a NUL.
    fn text(&self) -> *const u8 {
        self.start
    }
}

fn decimal(mut number: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut from = digits.len();
    loop {
        from -= 1;
        if let Some(digit) = digits.get_mut(from) {
            *digit = b'0' + (number % 10) as u8;
        }
        number /= 10;
        if number == 0 || from == 0 {
            break;
        }
    }
    digits.get(from..).unwrap_or_default()
}

unsafe fn too_small(what: &[u8], now: u64, text: &[u8], wanted: u64, unit: &[u8]) -> ! {
    let [mut now_digits, mut wanted_digits] = [[0; 20]; 2];
    let now = decimal(now, &mut now_digits);
    let wanted = decimal(wanted, &mut wanted_digits);
    unsafe {
        write(b"Error: a limit sets ");
        write(what);
        write(now);
        write(text);
        write(wanted);
        write(unit);
        write(b"\n");
        exit()
    }
}

unsafe fn fail(text: &[u8]) -> ! {
    unsafe {
        write(b"Error: ");
        write(text);
        write(b"\n");
        exit()
    }
}

unsafe fn write(text: &[u8]) {
    unsafe { call(WRITE, 2, text.as_ptr() as usize, text.len(), 0) };
}

unsafe fn exit() -> ! {
    unsafe { call(EXIT_GROUP, 1, 0, 0, 0) };
    loop {}
}

const WRITE: usize = 1;
const OPEN: usize = 2;
const MMAP: usize = 9;
const RT_SIGACTION: usize = 13;
const RT_SIGPROCMASK: usize = 14;
const ACCESS: usize = 21;
const EXECVE: usize = 59;
const GETCWD: usize = 79;
const CHDIR: usize = 80;
const EXIT_GROUP: usize = 231;
const PRLIMIT64: usize = 302;
const SIG_SETMASK: usize = 2;
const O_PATH: usize = 0o10_000_000;
const O_CLOEXEC: usize = 0o2_000_000;

/// A system call of x86_64: the result, negative where it failed.
unsafe fn call(number: usize, a: usize, b: usize, c: usize, d: usize) -> isize {
    let result: isize;
    // SAFETY: the caller hands over what the call wants.
    unsafe {
        asm!("syscall", inlateout("rax") number => result, in("rdi") a, in("rsi") b, in("rdx") c,
            in("r10") d, lateout("rcx") _, lateout("r11") _);
    }
    result
}

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: only text goes out.
    unsafe { fail(b"saker could not begin") }
}
