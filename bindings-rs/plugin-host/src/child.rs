//! A plugin's own process as saker has it: the program's bytes come in; a process that shares a
//! socket and a piece of memory with saker goes out, its printed lines, its size, how it ended.
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child as Process, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::port::LOG_MARK;
use crate::record::{Level, Record};
use crate::served::process_title;
use crate::wire::{Message, Shared, TOTAL, receive, send};

pub const SOCKET_FD: RawFd = 3;
pub const MEMORY_FD: RawFd = 4;
/// The argument of a process that may start others.
pub const MAY_START: &str = "processes";
/// Numbers that are none of these.
const ABOVE: RawFd = 16;
/// How long a process that is to end may take to do so by itself.
const LEAVE: Duration = Duration::from_millis(500);
const LEAVE_STEP: Duration = Duration::from_millis(2);
/// How long others may take to let go of a program that was just written.
const WRITTEN: Duration = Duration::from_secs(5);
/// Bytes of one line; what has no end is cut there.
const LINE_MAX: usize = 4096;
/// Bytes read of what it prints at a time, so that a flood holds nobody up.
const PRINTED_MAX: usize = 1 << 16;
/// Where the program may lie without a name, those that are root's own first. A file in memory
/// comes last: rules take what is started from there for an attack.
const PLACES: [&str; 4] = ["/run", "/var/tmp", "/tmp", "/dev/shm"];

pub struct Child {
    process: Process,
    socket: OwnedFd,
    pub shared: Shared,
    printed: File,
    line: Vec<u8>,
}

/// The program, open for reading alone; it has no name that anybody could find.
fn program(bytes: &[u8]) -> io::Result<BorrowedFd<'static>> {
    static PROGRAM: OnceLock<OwnedFd> = OnceLock::new();
    if let Some(program) = PROGRAM.get() {
        return Ok(program.as_fd());
    }
    let mut failure = io::Error::from_raw_os_error(libc::ENOEXEC);
    for place in PLACES.iter().map(|place| Some(*place)).chain([None]) {
        match placed(place, bytes) {
            Ok(program) => return Ok(PROGRAM.get_or_init(|| program).as_fd()),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn placed(place: Option<&str>, bytes: &[u8]) -> io::Result<OwnedFd> {
    let mut file = match place {
        Some(place) => {
            let flags = libc::O_TMPFILE | libc::O_CLOEXEC;
            OpenOptions::new().write(true).mode(0o700).custom_flags(flags).open(place)?
        }
        // SAFETY: a new descriptor, or -1.
        None => File::from(unsafe { owned(libc::memfd_create(c"saker-plugin".as_ptr(), 1))? }),
    };
    // SAFETY: plain numbers, for which 0 is a value.
    let mut mount: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: an open descriptor, and room for the answer.
    if unsafe { libc::fstatvfs(file.as_raw_fd(), &raw mut mount) } == 0
        && mount.f_flag & libc::ST_NOEXEC != 0
    {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    file.write_all(bytes)?;
    // A file that is open for writing is not started.
    let program = File::open(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
    // Not where the process has its socket and its memory: it is started by its number.
    // SAFETY: a new descriptor of one that is open.
    unsafe { owned(libc::fcntl(program.as_raw_fd(), libc::F_DUPFD_CLOEXEC, ABOVE)) }
}

/// Starts a process. One that another thread forked while the program was written has it open for
/// writing until it becomes a program itself, and so long the kernel starts it for nobody.
fn begin(command: &mut Command) -> io::Result<Process> {
    let until = Instant::now() + WRITTEN;
    loop {
        match command.spawn() {
            Err(error) if error.raw_os_error() == Some(libc::ETXTBSY) && Instant::now() < until => {
                sleep(LEAVE_STEP);
            }
            begun => return begun,
        }
    }
}

/// # Safety
/// `fd` is a new descriptor, or negative.
unsafe fn owned(fd: RawFd) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: as the caller says.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Memory for both: nobody can make it shorter, which would end who reads behind its end.
fn memory() -> io::Result<OwnedFd> {
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    let seals = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;
    // SAFETY: a new descriptor, and calls about it.
    unsafe {
        let memory = owned(libc::memfd_create(c"saker-plugin-batches".as_ptr(), flags))?;
        if libc::ftruncate(memory.as_raw_fd(), TOTAL as i64) < 0
            || libc::fcntl(memory.as_raw_fd(), libc::F_ADD_SEALS, seals) < 0
        {
            return Err(io::Error::last_os_error());
        }
        Ok(memory)
    }
}

fn sockets() -> io::Result<[OwnedFd; 2]> {
    let mut pair = [-1; 2];
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
    // SAFETY: room for two descriptors, which are new then.
    unsafe {
        if libc::socketpair(libc::AF_UNIX, kind, 0, pair.as_mut_ptr()) < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok([owned(pair[0])?, owned(pair[1])?])
    }
}

impl Child {
    /// Starts the program for the plugin of this name; `variable`: one that its process needs.
    pub fn start(
        bytes: &[u8],
        name: &str,
        rights: Option<&str>,
        variable: Option<(&str, &str)>,
    ) -> io::Result<Self> {
        let program = program(bytes)?;
        let [socket, theirs] = sockets()?;
        let memory = memory()?;
        let shared = Shared::map(memory.as_fd())?;
        let (printed, prints) = io::pipe()?;
        let title = process_title(name);
        let mut command = Command::new(format!("/proc/self/fd/{}", program.as_raw_fd()));
        command.arg0(&title).arg(std::process::id().to_string()).arg(name);
        command.args(rights);
        command.stdin(Stdio::null()).stdout(prints.try_clone()?).stderr(prints).process_group(0);
        command.envs(variable);
        // What is configured for saker alone is no plugin's business; HOME and the like are.
        let fds = [theirs.as_raw_fd(), memory.as_raw_fd()];
        // SAFETY: calls that a child of a fork may make. Both descriptors are moved out of the way
        // first, since either may stand where the other goes.
        unsafe {
            command.pre_exec(move || {
                let above = fds.map(|fd| libc::fcntl(fd, libc::F_DUPFD, ABOVE));
                let placed = libc::dup2(above[0], SOCKET_FD) | libc::dup2(above[1], MEMORY_FD);
                if placed < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
            });
        }
        let process = begin(&mut command)?;
        let printed = File::from(OwnedFd::from(printed));
        // SAFETY: a flag of a descriptor that is open.
        unsafe { libc::fcntl(printed.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
        Ok(Self { process, socket, shared, printed, line: Vec::new() })
    }

    pub fn send(&self, message: &Message) -> io::Result<()> {
        send(self.socket.as_fd(), message)
    }

    /// The next answer, if there is one within the time.
    pub fn receive(&self, within: Duration) -> io::Result<Option<Message>> {
        if !within.is_zero() {
            self.wait(within);
        }
        receive(self.socket.as_fd(), false)
    }

    /// Blocks until it answers or the time is over.
    pub fn wait(&self, most: Duration) {
        let mut waited =
            libc::pollfd { fd: self.socket.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        let ms = i32::try_from(most.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: one descriptor that is open.
        unsafe { libc::poll(&raw mut waited, 1, ms) };
    }

    /// Takes what it printed since the last time to the log, line by line.
    pub fn take_printed(&mut self, record: &Record) {
        let mut bytes = [0; 4096];
        let mut left = PRINTED_MAX;
        while let Ok(got @ 1..) = self.printed.read(&mut bytes) {
            for byte in &bytes[..got] {
                if *byte == b'\n' || self.line.len() >= LINE_MAX {
                    self.tell_line(record);
                }
                if *byte != b'\n' {
                    self.line.push(*byte);
                }
            }
            left = left.saturating_sub(got);
            if left == 0 {
                break;
            }
        }
    }

    fn tell_line(&mut self, record: &Record) {
        let line = String::from_utf8_lossy(&self.line).into_owned();
        self.line.clear();
        let mut marked = line.strip_prefix(LOG_MARK).unwrap_or_default().chars();
        match marked.next() {
            Some('c') => record.notice(Level::Critical, marked.as_str()),
            Some('w') => record.notice(Level::Warning, marked.as_str()),
            Some('i') => record.notice(Level::Info, marked.as_str()),
            _ => record.notice(Level::Info, &line),
        }
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<String> {
        self.process.try_wait().ok().flatten().map(told)
    }

    pub fn resident_bytes(&self) -> u64 {
        let path = format!("/proc/{}/statm", self.process.id());
        let pages = std::fs::read_to_string(path).unwrap_or_default();
        let resident = pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
        // SAFETY: a question about the machine.
        resident.unwrap_or(0) * unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as u64
    }

    pub fn threads(&self) -> u64 {
        let path = format!("/proc/{}/stat", self.process.id());
        let stat = std::fs::read_to_string(path).unwrap_or_default();
        // Behind its name, which may have blanks: the state, and so on.
        let behind = stat.rsplit(") ").next().unwrap_or_default();
        behind.split(' ').nth(17).and_then(|threads| threads.parse().ok()).unwrap_or(0)
    }

    /// Whether its end of the socket was closed.
    fn is_gone(&self) -> bool {
        let mut socket = libc::pollfd { fd: self.socket.as_raw_fd(), events: 0, revents: 0 };
        // SAFETY: one descriptor that is open.
        unsafe { libc::poll(&raw mut socket, 1, 0) };
        socket.revents & libc::POLLHUP != 0
    }

    /// Ends it at once; how it ended by itself, if it did.
    pub fn kill(self, record: &Record) -> Option<String> {
        // What ends lets its socket go first, and has its memory to give back before it is known
        // how it ended.
        let wait = if self.is_gone() { LEAVE } else { LEAVE_STEP };
        self.end(wait, record)
    }

    fn end(mut self, wait: Duration, record: &Record) -> Option<String> {
        let until = Instant::now() + wait;
        let own = loop {
            let own = self.ended();
            if own.is_some() || Instant::now() >= until {
                break own;
            }
            sleep(LEAVE_STEP);
        };
        // What it started is of its group, unless it left that.
        // SAFETY: a group of ours: its first process is not waited for yet, or was just now.
        unsafe { libc::kill(-(self.process.id() as i32), libc::SIGKILL) };
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.take_printed(record);
        if !self.line.is_empty() {
            self.tell_line(record);
        }
        own
    }

    /// Lets it end by itself for a while.
    pub fn leave(mut self, record: &Record) {
        // SAFETY: a descriptor that is open.
        unsafe { libc::shutdown(self.socket.as_raw_fd(), libc::SHUT_RDWR) };
        let end = Instant::now() + LEAVE;
        while self.ended().is_none() && Instant::now() < end {
            self.take_printed(record);
            sleep(LEAVE_STEP);
        }
        self.end(Duration::ZERO, record);
    }
}

fn told(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => {
            // SAFETY: a C string that holds until the next call.
            let name = unsafe { crate::said::line(libc::strsignal(signal)) };
            format!("its process was ended by signal {signal} ({name})")
        }
        (_, Some(code)) => format!("its process ended with exit code {code}"),
        _ => "its process ended".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_somebody_still_writes_is_started_once_it_is_let_go() {
        let path = std::env::temp_dir().join(format!("saker-written-{}", std::process::id()));
        std::fs::copy("/bin/true", &path).expect("a copy");
        let writer = OpenOptions::new().append(true).open(&path).expect("it opens");
        let holder = std::thread::spawn(move || {
            sleep(Duration::from_millis(100));
            drop(writer);
        });
        let ended = begin(&mut Command::new(&path)).and_then(|mut process| process.wait());
        holder.join().expect("it ends");
        std::fs::remove_file(&path).expect("it is there");
        assert!(ended.expect("it starts").success());
    }
}
