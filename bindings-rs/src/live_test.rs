//! Loads the built probe, lets a child make system calls, and compares each parameter of the
//! child's events with what it did. Needs root and scripts/build embed; says so where it has not.
mod commands;
mod controls;
mod counts;
mod data;
mod descriptors;
mod failures;
mod files;
mod go;
mod losses;
mod memory;
mod messages;
mod names;
mod narrow;
mod objects;
mod places;
mod processes;
mod rings;
mod shares;
mod sifted;
mod snaplens;
mod sockets;
mod source;
mod tail_calls;
mod waits;
mod whole;
mod younger;

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};
use std::{fs, ptr};

use probe::event::{HEADER_BYTES, OWN_PARAMS};
use probe::fillers::FILLERS;
use probe::table::{self, PARAM_COUNTS};

use crate::gaps::Gaps;
use crate::loader::Probe;
use crate::merge::drain;
use crate::module::ModuleRecords;
use crate::ptrace::{Target, TracerRecords};
use crate::records::Records as _;
use crate::ring::Ring;
use crate::settings::Options;
use go::Go;

/// Our own parameters, counted from the first.
pub(super) const PATH: usize = 0;
pub(super) const FILES: usize = 2;
pub(super) const SEQUENCE: usize = 3;
pub(super) const LANE: usize = 4;

/// The driver that is tried: the probe, or what SAKER_TEST_DRIVER names, for the same tests but
/// those that docs/drivers.md names.
pub(super) enum Source {
    Probe {
        probe: Box<Probe>,
        critical: Ring,
        bulk: Ring,
    },
    /// kmod
    Module(Box<ModuleRecords>),
    /// ptrace
    Tracer(TracerRecords),
}

pub(super) struct Recorder {
    pub(super) source: Source,
    pub(super) gaps: Gaps,
}

/// Whether the suite runs with the tracer. What it does not see is told in docs/drivers.md, and
/// each test that leaves something out for it says so.
pub(super) fn is_traced() -> bool {
    std::env::var_os("SAKER_TEST_DRIVER").is_some_and(|driver| driver == "ptrace")
}

pub(super) struct Recorded {
    pub(super) code: u16,
    pub(super) tid: u64,
    pub(super) cpu: u16,
    pub(super) params: Vec<Vec<u8>>,
}

impl Recorded {
    pub(super) fn own(&self, which: usize) -> &[u8] {
        &self.params[PARAM_COUNTS[self.code as usize] as usize + which]
    }
    pub(super) fn number(&self, index: usize) -> i64 {
        signed(&self.params[index])
    }
    pub(super) fn numbers(&self, places: &[usize]) -> Vec<i64> {
        places.iter().map(|&at| self.number(at)).collect()
    }
    /// A parameter's text without its NUL.
    pub(super) fn text(&self, index: usize) -> String {
        text(&self.params[index])
    }
    pub(super) fn path(&self) -> String {
        text(self.own(PATH))
    }
}

pub(super) fn signed(bytes: &[u8]) -> i64 {
    match *bytes {
        [a] => i64::from(a),
        [a, b] => i64::from(u16::from_le_bytes([a, b])),
        [a, b, c, d] => i64::from(u32::from_le_bytes([a, b, c, d])),
        _ => i64::from_le_bytes(bytes.try_into().expect("a number has 1, 2, 4 or 8 bytes")),
    }
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.strip_suffix(&[0]).unwrap_or(bytes)).into_owned()
}

pub(super) fn object() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../dist/embed/probe.o")
}

pub(super) fn options() -> Options {
    Options {
        critical_ring_bytes: 4 << 20,
        bulk_ring_bytes: 4 << 20,
        snaplen: 80,
        drop_failed: false,
        self_pid: std::process::id(),
        full_ports: (0, 0),
        dynamic_snaplen: false,
    }
}

/// A probe of its own for a test of the probe.
pub(super) fn open(options: &Options, interest: &[u16]) -> Option<Recorder> {
    if is_traced() {
        eprintln!("not run: a test of the probe");
        return None;
    }
    // SAFETY: asks for a number only.
    if unsafe { libc::geteuid() } != 0 {
        eprintln!("not run: it needs root");
        return None;
    }
    if std::env::var("SAKER_TEST_DRIVER").as_deref() == Ok("kmod") {
        let module = ModuleRecords::open(probe::device::PATH, options, interest);
        let source = Source::Module(Box::new(module.expect("the module's device opens")));
        return Some(Recorder { source, gaps: Gaps::new(0) });
    }
    let Ok(object) = fs::read(object()) else {
        eprintln!("not run: it needs scripts/build embed");
        return None;
    };
    let probe = Box::new(Probe::load(&object, options, interest).expect("the probe loads"));
    let critical = probe.map_ring("CRITICAL_RING", options.critical_ring_bytes).expect("a ring");
    let bulk = probe.map_ring("BULK_RING", options.bulk_ring_bytes).expect("a ring");
    let source = Source::Probe { probe, critical, bulk };
    Some(Recorder { source, gaps: Gaps::new(0) })
}

/// The driver of all tests that ask for none of their own.
fn open_any(options: &Options, interest: &[u16]) -> Option<Recorder> {
    if !is_traced() {
        return open(options, interest);
    }
    let records =
        TracerRecords::open(Target::Nothing, options, interest).expect("the tracer begins");
    Some(Recorder { source: Source::Tracer(records), gaps: Gaps::new(0) })
}

/// Calls without an event of their own that tests make.
const GENERIC: [&str; 8] = [
    "getcpu",
    "truncate",
    "utimes",
    "utimensat",
    "setxattr",
    "ftruncate",
    "fallocate",
    "fchmodat2",
];

/// One probe for all tests.
pub(super) fn recorder() -> Option<MutexGuard<'static, Recorder>> {
    static RECORDER: OnceLock<Option<Mutex<Recorder>>> = OnceLock::new();
    let mut recorder = RECORDER
        .get_or_init(|| open_any(&options(), &every()).map(Mutex::new))
        .as_ref()
        .map(|mutex| mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner))?;
    let usual: Vec<u16> = every().into_iter().filter(|code| !is_frequent(*code)).collect();
    recorder.route(&usual);
    Some(recorder)
}

/// All that the probe can tell of, but of calls without an event only those that tests make.
pub(super) fn every() -> Vec<u16> {
    FILLERS
        .iter()
        .map(|(_, code)| *code)
        .filter(|code| *code != table::GENERIC_X)
        .chain(GENERIC.map(|call| crate::loader::GENERIC_CALL | sc(call)))
        .chain([table::PROCEXIT_1_E])
        .collect()
}

/// Calls that the rest of the machine makes so often that they are recorded only for the tests
/// that ask for them: from mmap on, in the order of the fillers.
fn is_frequent(code: u16) -> bool {
    let place = |code: u16| FILLERS.iter().position(|(_, filled)| *filled == code);
    place(code) >= place(table::SYSCALL_MMAP_X)
}

pub(super) fn sc(name: &str) -> u16 {
    table::SYSCALLS.iter().find(|call| call.name == name).expect("a known call").sc
}

impl Recorder {
    /// All that waits in the rings.
    pub(super) fn take(&mut self) -> Vec<Recorded> {
        let mut buffer = vec![0; 16 << 20];
        let used = match &mut self.source {
            Source::Probe { critical, bulk, .. } => {
                drain(critical, bulk, &mut buffer, &mut self.gaps)
            }
            Source::Module(records) => {
                // It hands out what is older than a moment.
                std::thread::sleep(Duration::from_millis(2));
                records.drain(&mut buffer, &mut self.gaps).expect("the rings are read")
            }
            Source::Tracer(records) => records.drain(&mut buffer, &mut self.gaps).expect("blocks"),
        };
        let mut events = Vec::new();
        let mut at = 0;
        while at < used {
            let word = |at: usize| u32::from_le_bytes(buffer[at..at + 4].try_into().unwrap());
            let half = |at: usize| u16::from_le_bytes(buffer[at..at + 2].try_into().unwrap());
            let total = word(at + 4) as usize;
            assert_eq!((word(at), word(at + total - 4), total % 4), (0x216, total as u32, 0));
            let event = at + 10;
            let (bytes, code, count) =
                (word(event + 16) as usize, half(event + 20), word(event + 22) as usize);
            assert_eq!(count, PARAM_COUNTS[code as usize] as usize + OWN_PARAMS, "code {code}");
            let mut data = event + HEADER_BYTES + 2 * count;
            let params = (0..count)
                .map(|index| {
                    let len = half(event + HEADER_BYTES + 2 * index) as usize;
                    data += len;
                    buffer[data - len..data].to_vec()
                })
                .collect();
            assert_eq!(data, event + bytes, "the lengths of code {code} add up");
            events.push(Recorded {
                code,
                tid: u64::from(word(event + 8)),
                cpu: half(at + 8),
                params,
            });
            at += total;
        }
        events
    }

    /// Runs `act` in a child and returns the child's events, its exit the last.
    pub(super) fn of_child(&mut self, act: impl FnOnce() -> i32) -> (u64, Vec<Recorded>) {
        let (pid, mut events) = self.of_family(act);
        events.retain(|event| event.tid == pid);
        (pid, events)
    }

    /// Runs `act` in a child and returns all that was recorded until its exit, of others too.
    pub(super) fn of_family(&mut self, act: impl FnOnce() -> i32) -> (u64, Vec<Recorded>) {
        self.take();
        let go = Go::new();
        // SAFETY: the child only makes system calls and leaves by _exit.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0);
        if pid == 0 {
            if is_traced() {
                go.wait();
            }
            let status = act();
            // SAFETY: ends the child.
            unsafe { libc::_exit(status) };
        }
        if let Source::Tracer(records) = &self.source {
            records.attach(pid).expect("a child of ours can be traced");
            go.say();
        }
        let mut events = Vec::new();
        let is_end =
            |event: &Recorded| event.tid == pid as u64 && event.code == table::PROCEXIT_1_E;
        // The rings are emptied meanwhile: the rest of the machine fills them too.
        // (A tracer of this process waits for the child itself, and would miss the stops that
        // another thread of the process is told of.)
        // SAFETY: our own child.
        while !is_traced() && unsafe { libc::waitpid(pid, ptr::null_mut(), libc::WNOHANG) } == 0 {
            events.extend(self.take());
            std::thread::sleep(Duration::from_millis(1));
        }
        let end = Instant::now() + Duration::from_secs(if is_traced() { 30 } else { 5 });
        while Instant::now() < end {
            events.extend(self.take());
            std::thread::sleep(Duration::from_millis(1));
            if events.iter().any(is_end) {
                break;
            }
        }
        (pid as u64, events)
    }
}

/// Runs `act` in a child and returns its events of `codes` alone, in order.
pub(super) fn record(codes: &[u16], act: impl FnOnce() -> i32) -> Vec<Recorded> {
    let Some(mut recorder) = recorder() else { return Vec::new() };
    let wanted: Vec<u16> = codes.iter().copied().chain([table::PROCEXIT_1_E]).collect();
    recorder.route(&wanted);
    let (_, events) = recorder.of_child(act);
    events.into_iter().filter(|event| codes.contains(&event.code)).collect()
}

/// The events of one code.
pub(super) fn of(events: &[Recorded], code: u16) -> Vec<&Recorded> {
    events.iter().filter(|event| event.code == code).collect()
}

/// Runs `act` in a child and hands its events of `code` to `check`.
pub(super) fn expect(code: u16, act: impl FnOnce() -> i32, check: impl FnOnce(u64, &[Recorded])) {
    let Some(mut recorder) = recorder() else { return };
    let (pid, events) = recorder.of_child(act);
    drop(recorder);
    let named: Vec<Recorded> = events.into_iter().filter(|event| event.code == code).collect();
    assert!(!named.is_empty(), "no event of code {code}");
    check(pid, &named);
}

pub(super) fn c(text: impl AsRef<Path>) -> CString {
    CString::new(text.as_ref().as_os_str().as_bytes()).expect("no NUL inside")
}

/// A directory of its own for each test, removed when it ends.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("saker-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(fs::canonicalize(path).unwrap())
    }
    pub(super) fn file(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, b"x").unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
