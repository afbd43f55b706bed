//! What the kernel has for a descriptor of ours, and where a driver looks up files of rules
//! (`Parts`), which the probe has in maps (ebpf-rs/src/reader.rs). In: a descriptor. Out: the
//! file's numbers, and where it was opened.
use std::mem::zeroed;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::sync::{Mutex, PoisonError};

use aya::Ebpf;
use aya::maps::{Array, HashMap, Map, MapData, MapError};
use aya::programs::Program;
use probe::further::NAME_BYTES;
use probe::kernel::Host;

use crate::failure::{Code, Failure};
use crate::loader::Probe;
use crate::maps::map_fd;

const BPF_PROG_TEST_RUN: libc::c_long = 10;

/// As the probe's map has it.
#[repr(C)]
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub ino: u64,
    pub dev: u32,
    pub pad: u32,
}
#[repr(transparent)]
#[derive(Clone, Copy)]
struct HostValue(Host);
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Looked {
    pub place: Host,
    pub ino: u64,
    pub dev: u32,
    pub mode: u32,
}
// SAFETY: plain numbers without holes.
unsafe impl aya::Pod for Key {}
// SAFETY: as above.
unsafe impl aya::Pod for HostValue {}
// SAFETY: as above.
unsafe impl aya::Pod for Looked {}

/// What a thread that follows files of rules works with. What finds no room is left out.
pub trait Parts: Send {
    /// What the kernel has for a descriptor of ours.
    fn look(&self, fd: i32) -> Option<Looked>;
    /// The root that names on the host are told from.
    fn set_host(&mut self, host: Host);
    /// The name that rules have for a file, with its NUL; None: they have none.
    fn set_name(&mut self, key: Key, name: Option<&[u8; NAME_BYTES]>);
    /// Where the host has mounted the whole file system of a device first; None: nowhere.
    fn set_mount(&mut self, device: u32, mount: Option<u64>);
}

/// The probe's: the program that looks at a thread's descriptors, and the maps.
pub struct ProbeParts {
    program: OwnedFd,
    looked: Array<MapData, Looked>,
    host: Array<MapData, HostValue>,
    names: HashMap<MapData, Key, [u8; NAME_BYTES]>,
    mounts: HashMap<MapData, u32, u64>,
}

impl Probe {
    /// What knows files by their inodes, for two threads, once; why this kernel has no such thing.
    pub fn take_named(&mut self) -> Result<[ProbeParts; 2], Failure> {
        const NAME: &str = "look_at_reader";
        let Some(Program::RawTracePoint(program)) = self.ebpf.program_mut(NAME) else {
            return Err(Failure::new(Code::Probe, format!("Cannot find program {NAME}")));
        };
        program.load().map_err(|error| Failure::of_program(&error, NAME))?;
        let fd = program.fd().map_err(|error| Failure::of_program(&error, NAME))?;
        let hold = || {
            fd.as_fd().try_clone_to_owned().map_err(|error| {
                Failure::new(Code::Io, format!("Cannot hold program {NAME}: {error}"))
            })
        };
        let programs = [hold()?, hold()?];
        let parts = |program| -> Result<ProbeParts, Failure> {
            Ok(ProbeParts {
                program,
                looked: shared(&self.ebpf, "LOOKED")?,
                host: shared(&self.ebpf, "HOST")?,
                names: shared(&self.ebpf, "NAMED")?,
                mounts: shared(&self.ebpf, "MOUNTS")?,
            })
        };
        let [one, other] = programs;
        Ok([parts(one)?, parts(other)?])
    }
}

/// A map by a descriptor of the thread's own: programs that are loaded later name the probe's.
fn shared<T: TryFrom<Map, Error = MapError>>(ebpf: &Ebpf, name: &str) -> Result<T, Failure> {
    let failed = |error: &MapError| Failure::of_map(error, &format!("use map {name}"));
    let data = MapData::from_fd(map_fd(ebpf, name)?).map_err(|error| failed(&error))?;
    let map = match ebpf.map(name) {
        Some(Map::HashMap(_)) => Map::HashMap(data),
        _ => Map::Array(data),
    };
    T::try_from(map).map_err(|error| failed(&error))
}

/// The members of union bpf_attr for this command.
#[repr(C)]
struct TestRun {
    program: u32,
    result: u32,
    data_in_bytes: u32,
    data_out_bytes: u32,
    data_in: u64,
    data_out: u64,
    repeat: u32,
    duration: u32,
    context_in_bytes: u32,
    context_out_bytes: u32,
    context_in: u64,
    context_out: u64,
    flags: u32,
    cpu: u32,
    batch: u32,
    pad: u32,
}

static LOOKING: Mutex<()> = Mutex::new(());

impl Parts for ProbeParts {
    fn look(&self, fd: i32) -> Option<Looked> {
        // There is one place for what is found.
        let _looking = LOOKING.lock().unwrap_or_else(PoisonError::into_inner);
        let context = [fd as u32 as u64];
        // SAFETY: plain numbers.
        let mut run: TestRun = unsafe { zeroed() };
        run.program = self.program.as_raw_fd() as u32;
        run.context_in_bytes = size_of_val(&context) as u32;
        run.context_in = context.as_ptr() as u64;
        // SAFETY: the context lives until the call returns.
        let done = unsafe {
            libc::syscall(
                libc::SYS_bpf,
                BPF_PROG_TEST_RUN,
                &raw const run,
                size_of::<TestRun>() - 4,
            )
        };
        if done != 0 { None } else { self.looked.get(&0, 0).ok() }
    }

    fn set_host(&mut self, host: Host) {
        let _ = self.host.set(0, HostValue(host), 0);
    }

    fn set_name(&mut self, key: Key, name: Option<&[u8; NAME_BYTES]>) {
        let _ = match name {
            Some(name) => self.names.insert(key, name, 0),
            None => self.names.remove(&key),
        };
    }

    fn set_mount(&mut self, device: u32, mount: Option<u64>) {
        let _ = match mount {
            Some(mount) => self.mounts.insert(device, mount, 0),
            None => self.mounts.remove(&device),
        };
    }
}
