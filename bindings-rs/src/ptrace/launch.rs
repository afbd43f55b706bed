//! Starts the command that is to be traced: a child of the tracer's thread, which waits until it is
//! seized and then becomes the program. In: arguments, whether a filter is wanted. Out: its id, and
//! what lets it go on.
use std::ffi::{CString, OsStr};
use std::fs;
use std::io::{Error, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::ptr;

use super::filter::Filter;
use crate::failure::{Code, Failure};

/// A child that has not become its program yet.
pub struct Waiting {
    pub pid: i32,
    go: fs::File,
    said: fs::File,
}

/// Why a shell could not start a command: it is not there, it cannot be executed.
pub const NOT_FOUND: i32 = 127;
pub const NOT_EXECUTABLE: i32 = 126;

/// The program of a command as execvp finds it; why there is none.
pub fn program_of(name: &[u8]) -> Result<Vec<u8>, (i32, String)> {
    let shown = String::from_utf8_lossy(name);
    let usable = |path: &[u8]| -> Result<(), i32> {
        let path = CString::new(path).map_err(|_| libc::ENOENT)?;
        let is_file =
            fs::metadata(OsStr::from_bytes(path.to_bytes())).map_err(|_| libc::ENOENT)?.is_file();
        // SAFETY: the path is NUL-ended.
        if is_file && unsafe { libc::access(path.as_ptr(), libc::X_OK) } == 0 {
            Ok(())
        } else {
            Err(libc::EACCES)
        }
    };
    let told = |error: i32, path: &str| {
        let code = if error == libc::EACCES { NOT_EXECUTABLE } else { NOT_FOUND };
        let reason = Error::from_raw_os_error(error).to_string();
        let reason = reason.split(" (os error").next().unwrap_or("").to_lowercase();
        (code, format!("Cannot start {path}: {reason}"))
    };
    if name.contains(&b'/') {
        return usable(name).map(|()| name.to_vec()).map_err(|error| told(error, &shown));
    }
    let search = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    let mut refused = None;
    for directory in std::env::split_paths(&search) {
        let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { &directory };
        let path = directory.join(OsStr::from_bytes(name)).into_os_string();
        match usable(path.as_bytes()) {
            Ok(()) => return Ok(path.into_encoded_bytes()),
            Err(libc::EACCES) => refused = refused.or(Some(path)),
            Err(_) => {}
        }
    }
    Err(match refused {
        Some(path) => told(libc::EACCES, &path.to_string_lossy()),
        None => (NOT_FOUND, format!("Cannot start {shown}: command not found (PATH)")),
    })
}

fn pipe() -> Result<(OwnedFd, OwnedFd), Failure> {
    let mut ends = [0i32; 2];
    // SAFETY: two numbers are written; what is made is owned at once.
    unsafe {
        if libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) != 0 {
            let error = Error::last_os_error();
            return Err(Failure::new(Code::Io, format!("Cannot make a pipe: {error}")));
        }
        Ok((OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])))
    }
}

fn c(bytes: &[u8]) -> Result<CString, Failure> {
    CString::new(bytes)
        .map_err(|_| Failure::new(Code::Invalid, "Cannot start a command whose words hold a NUL"))
}

/// The environment as this process was given it: what the runtime has changed is its own.
fn environment() -> Vec<CString> {
    let text = fs::read("/proc/self/environ").unwrap_or_default();
    text.split(|&byte| byte == 0)
        .filter(|entry| !entry.is_empty())
        .filter_map(|entry| CString::new(entry).ok())
        .collect()
}

/// Makes the child. It must be asked for by the thread that will trace it.
pub fn launch(words: &[Vec<u8>], filter: Option<&Filter>) -> Result<Waiting, Failure> {
    let first = words.first().map_or(&b""[..], Vec::as_slice);
    let program = c(&program_of(first).map_err(|(_, why)| Failure::new(Code::Invalid, why))?)?;
    let words = words.iter().map(|word| c(word)).collect::<Result<Vec<_>, _>>()?;
    let environment = environment();
    let pointers = |list: &[CString]| -> Vec<*const libc::c_char> {
        list.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect()
    };
    let (argv, envp) = (pointers(&words), pointers(&environment));
    let ((go_out, go_in), (said_out, said_in)) = (pipe()?, pipe()?);
    // SAFETY: between fork and exec the child makes system calls only, on what was made before.
    let pid = unsafe { libc::fork() };
    if pid < 0 {
        let error = Error::last_os_error();
        return Err(Failure::new(Code::Io, format!("Cannot start a process: {error}")));
    }
    if pid == 0 {
        // SAFETY: as above; the pointers are to what lives in the copied memory.
        unsafe {
            become_program(
                [go_out.as_raw_fd(), go_in.as_raw_fd(), said_in.as_raw_fd()],
                filter,
                program.as_ptr(),
                argv.as_ptr(),
                envp.as_ptr(),
            )
        }
    }
    Ok(Waiting { pid, go: go_in.into(), said: said_out.into() })
}

/// In the child: waits to be seized, then takes the filter and the program. What fails is said
/// through the pipe, which the program's start closes.
///
/// # Safety
/// Between fork and exec of a process with several threads: no allocation, no lock.
unsafe fn become_program(
    [go, going, said]: [i32; 3],
    filter: Option<&Filter>,
    program: *const libc::c_char,
    argv: *const *const libc::c_char,
    envp: *const *const libc::c_char,
) -> ! {
    // SAFETY: plain system calls.
    unsafe {
        // As a shell leaves them: the runtime ignores one, and has handlers for others, which an
        // execution takes back.
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        let mut none = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut());
        // The other end is the tracer's alone, so that its end is seen here.
        libc::close(going);
        let mut byte = 0u8;
        while libc::read(go, (&raw mut byte).cast(), 1) < 0 {}
        if byte == b'g' {
            let mut error = filter.map_or(0, |filter| filter.install());
            if error == 0 {
                libc::execve(program, argv, envp);
                error = super::ask::errno();
            }
            libc::write(said, (&raw const error).cast(), 4);
        }
        libc::_exit(NOT_EXECUTABLE)
    }
}

impl Waiting {
    /// Lets it become its program.
    pub fn go(&mut self) {
        let _ = self.go.write_all(b"g");
    }

    /// The error of its start, once it has ended or begun.
    pub fn error(&mut self) -> Option<i32> {
        let mut error = [0u8; 4];
        self.said.read_exact(&mut error).ok()?;
        Some(i32::from_ne_bytes(error))
    }
}
