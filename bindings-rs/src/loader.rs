//! Loads the probe: offsets patched in, maps sized, only the programs that are wanted, each into
//! its slot; a program that the kernel refuses does not stop the others.
use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::sync::Mutex;
use std::{env, fs, ptr, thread};

use aya::maps::{Array, Map, MapData, PerCpuArray, ProgramArray};
use aya::programs::links::FdLink;
use aya::programs::{BtfTracePoint, Program, ProgramError};
use aya::util::nr_cpus;
use aya::{Btf, Ebpf, EbpfLoader};
use probe::fillers::FILLERS;
use probe::stage::FILLERS_AT;
use probe::table::{GENERIC_X, PROCEXIT_1_E, SYSCALL_EXECVE_19_X, SYSCALLS, Syscall};

use crate::btf;
use crate::failure::{Code, Failure};
use crate::ring::Ring;

/// An interest at or above this asks for one call without an event of its own: the rest of the
/// number is the call's `sc`. GENERIC_X alone asks for all of them.
pub const GENERIC_CALL: u16 = 0x8000;
/// Call numbers that the probe looks at; a route for each entry in the halves of one word.
const CALLS: u32 = 512;
const IA32: u32 = 32;
const SYS_EXIT: &str = "sys_exit";
const EXEC: &str = "sched_process_exec";
const EXIT: &str = "sched_process_exit";

/// Stages on `sys_exit` and their slots (probe::stage).
const STAGES: [(&str, u32); 6] = [
    ("stage_walk", 1),
    ("stage_cgroups", 3),
    ("stage_clone_end", 4),
    ("stage_exec_middle", 5),
    ("stage_exec_end", 6),
    ("stage_handle_end", 7),
];
/// Stages of a program's start.
const EXEC_STAGES: [(&str, u32); 4] = [
    ("started_walk", 1),
    ("started_cgroups", 3),
    ("started_exec_middle", 5),
    ("started_exec_end", 6),
];

/// The programs that are attached.
const ENTRIES: [(&str, &str); 3] = [("sys_exit", SYS_EXIT), ("started", EXEC), ("ended", EXIT)];

/// What the caller chose.
pub struct Options {
    pub critical_ring_bytes: u32,
    pub bulk_ring_bytes: u32,
    pub snaplen: u32,
    pub drop_failed: bool,
    pub self_pid: u32,
}

/// An attached program, or why it is not.
pub struct Attached {
    pub name: &'static str,
    pub target: &'static str,
    link: Option<FdLink>,
    reason: String,
}

/// One event's program.
struct Loaded {
    id: u32,
    refused: Option<Failure>,
}

/// Counters of the probe, summed over the CPUs (ebpf-rs/src/record.rs).
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Counters {
    pub events: u64,
    pub lost: [u64; 2],
    pub truncated: u64,
    pub sequence: [u64; 2],
}

// SAFETY: plain numbers, as the probe writes them.
unsafe impl aya::Pod for Counters {}

/// A probe in the kernel.
pub struct Probe {
    ebpf: Ebpf,
    programs: ProgramArray<MapData>,
    exec_programs: ProgramArray<MapData>,
    /// The same two maps, to look into them.
    slots: OwnedFd,
    exec_slots: OwnedFd,
    #[cfg(test)]
    routes_map: OwnedFd,
    routes: Array<MapData, u64>,
    counters: PerCpuArray<MapData, Counters>,
    loaded: BTreeMap<&'static str, Loaded>,
    pub attached: Vec<Attached>,
    expected_routes: Vec<u64>,
}

/// The kernel's types. A test may name another file, to be like a kernel that has none.
fn kernel_types() -> Result<Vec<u8>, Failure> {
    let path = env::var("SAKER_BTF").unwrap_or_else(|_| "/sys/kernel/btf/vmlinux".to_owned());
    fs::read(&path).map_err(|error| {
        Failure::new(
            Code::NoBtf,
            format!(
                "Cannot read the kernel's types {path:?}: {error}; it needs CONFIG_DEBUG_INFO_BTF"
            ),
        )
    })
}

/// Nanoseconds from the epoch to the boot.
fn boot_epoch_ns() -> u64 {
    let now = |clock: libc::clockid_t| {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the clock writes to `time` only.
        unsafe { libc::clock_gettime(clock, &raw mut time) };
        time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
    };
    // The closest pair of readings of a few: a preemption between the two would shift all times.
    (0..8)
        .map(|_| {
            let before = now(libc::CLOCK_BOOTTIME);
            let wall = now(libc::CLOCK_REALTIME);
            let after = now(libc::CLOCK_BOOTTIME);
            (after - before, wall.wrapping_sub(u64::midpoint(before, after)))
        })
        .min()
        .map_or(0, |(_, offset)| offset)
}

/// Kernels before 5.11 charge maps to the limit of locked memory.
fn lift_memory_limit() {
    let limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: only reads the limit. Where it fails, the maps tell.
    unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limit) };
}

fn settings(options: &Options) -> Vec<u8> {
    let mut bytes = boot_epoch_ns().to_le_bytes().to_vec();
    for word in [options.self_pid, options.snaplen.min(4000), u32::from(options.drop_failed), 0] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes
}

fn take<T: TryFrom<aya::maps::Map, Error = aya::maps::MapError>>(
    ebpf: &mut Ebpf,
    name: &str,
) -> Result<T, Failure> {
    let map = ebpf
        .take_map(name)
        .ok_or_else(|| Failure::new(Code::Probe, format!("Cannot find map {name} in the probe")))?;
    T::try_from(map).map_err(|error| Failure::of_map(&error, &format!("use map {name}")))
}

/// A descriptor of our own for a map.
fn map_fd(ebpf: &Ebpf, name: &str) -> Result<OwnedFd, Failure> {
    match ebpf.map(name) {
        Some(Map::ProgramArray(map) | Map::Array(map)) => map
            .fd()
            .as_fd()
            .try_clone_to_owned()
            .map_err(|error| Failure::new(Code::Io, format!("Cannot hold map {name}: {error}"))),
        _ => Err(Failure::new(Code::Probe, format!("Cannot find map {name} in the probe"))),
    }
}

impl Probe {
    /// Loads and attaches what `interest` needs. Also returns the object, for its rings.
    pub fn load(object: &[u8], options: &Options, interest: &[u16]) -> Result<Self, Failure> {
        let types = kernel_types()?;
        lift_memory_limit();
        let offsets =
            btf::Kernel::parse(&types).and_then(|kernel| kernel.offsets()).map_err(|wrong| {
                Failure::new(Code::NoBtf, format!("Cannot use the kernel's types: {wrong:?}"))
            })?;
        let cpus = nr_cpus().map_err(|(_, error)| {
            Failure::new(Code::Io, format!("Cannot count the CPUs: {error}"))
        })?;
        let settings = settings(options);
        let mut loader = EbpfLoader::new();
        loader
            .btf(None)
            .override_global("OFFSETS", &offsets[..], true)
            .override_global("SETTINGS", &settings[..], true)
            .map_max_entries("SCRATCH", cpus as u32)
            .map_max_entries("CRITICAL_RING", options.critical_ring_bytes)
            .map_max_entries("BULK_RING", options.bulk_ring_bytes);
        let mut ebpf = loader.load(object).map_err(|error| Failure::of_object(&error))?;
        let slots = map_fd(&ebpf, "PROGRAMS")?;
        let exec_slots = map_fd(&ebpf, "EXEC_PROGRAMS")?;
        let mut probe = Self {
            slots,
            exec_slots,
            #[cfg(test)]
            routes_map: map_fd(&ebpf, "ROUTES")?,
            programs: take(&mut ebpf, "PROGRAMS")?,
            exec_programs: take(&mut ebpf, "EXEC_PROGRAMS")?,
            routes: take(&mut ebpf, "ROUTES")?,
            counters: take(&mut ebpf, "COUNTERS")?,
            ebpf,
            loaded: BTreeMap::new(),
            attached: Vec::new(),
            expected_routes: vec![0; CALLS as usize],
        };
        let btf = Btf::parse(&types, aya::Endianness::default()).map_err(|error| {
            Failure::new(Code::NoBtf, format!("Cannot use the kernel's types: {error}"))
        })?;
        probe.load_wanted(interest, &btf);
        for (name, slot) in STAGES {
            if !probe.place(name, slot, SYS_EXIT, &btf) {
                return Err(probe.refusal(name));
            }
        }
        probe.route(interest)?;
        probe.attach_all(&btf)?;
        Ok(probe)
    }

    /// A ring of the probe.
    pub fn take_ring(&mut self, name: &str, bytes: u32) -> Result<Ring, Failure> {
        let Some(Map::RingBuf(map)) = self.ebpf.take_map(name) else {
            return Err(Failure::new(Code::Probe, format!("Cannot find map {name} in the probe")));
        };
        map.fd()
            .as_fd()
            .try_clone_to_owned()
            .and_then(|fd| Ring::map(fd, bytes as usize))
            .map_err(|error| Failure::new(Code::NoMemory, format!("Cannot map {name}: {error}")))
    }

    /// Has the kernel verify programs on several CPUs at once. What it refuses is told when the
    /// program is placed.
    fn load_at_once(&mut self, names: &BTreeMap<&'static str, &'static str>, btf: &Btf) {
        let mut programs: Vec<(&'static str, &'static str, &mut BtfTracePoint)> = self
            .ebpf
            .programs_mut()
            .filter_map(|(name, program)| match program {
                Program::BtfTracePoint(program) => {
                    names.get_key_value(name).map(|(name, target)| (*name, *target, program))
                }
                _ => None,
            })
            .collect();
        let threads = thread::available_parallelism().map_or(1, |count| count.get().min(4));
        let (queue, refused) = (Mutex::new(programs.iter_mut()), Mutex::new(BTreeMap::new()));
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    loop {
                        let next = queue.lock().ok().and_then(|mut queue| queue.next());
                        let Some((name, target, program)) = next else { break };
                        if let Err(error) = program.load(target, btf)
                            && let Ok(mut refused) = refused.lock()
                        {
                            refused.insert(*name, Failure::of_program(&error, name));
                        }
                    }
                });
            }
        });
        if let Ok(refused) = refused.into_inner() {
            for (name, failure) in refused {
                self.loaded.insert(name, Loaded { id: 0, refused: Some(failure) });
            }
        }
    }

    /// The id of a program, which is loaded if it is not yet.
    fn load_program(&mut self, name: &str, target: &str, btf: &Btf) -> Result<u32, Failure> {
        let program: &mut BtfTracePoint = match self.ebpf.program_mut(name) {
            Some(Program::BtfTracePoint(program)) => program,
            _ => {
                return Err(Failure::new(
                    Code::Probe,
                    format!("Cannot find program {name} in the probe"),
                ));
            }
        };
        match program.load(target, btf) {
            Ok(()) | Err(ProgramError::AlreadyLoaded) => {}
            Err(error) => return Err(Failure::of_program(&error, name)),
        }
        program.info().map(|info| info.id()).map_err(|error| Failure::of_program(&error, name))
    }

    /// Loads a program, once, and puts it into its slot.
    fn place(&mut self, name: &'static str, slot: u32, target: &'static str, btf: &Btf) -> bool {
        if let Some(loaded) = self.loaded.get(name) {
            return loaded.refused.is_none();
        }
        let placed = self.load_program(name, target, btf).and_then(|id| {
            let fd = match self.ebpf.program(name) {
                Some(Program::BtfTracePoint(program)) => program
                    .fd()
                    .map_err(|error| Failure::of_program(&error, name))?
                    .try_clone()
                    .map_err(|error| {
                        Failure::new(Code::Io, format!("Cannot hold program {name}: {error}"))
                    })?,
                _ => return Err(Failure::new(Code::Probe, name)),
            };
            let map = if target == EXEC { &mut self.exec_programs } else { &mut self.programs };
            map.set(slot, &fd, 0)
                .map_err(|error| Failure::of_map(&error, &format!("place program {name}")))?;
            Ok(id)
        });
        let (id, refused) = match placed {
            Ok(id) => (id, None),
            Err(failure) => (0, Some(failure)),
        };
        let good = refused.is_none();
        self.loaded.insert(name, Loaded { id, refused });
        good
    }

    /// The filler of a call and the code under which it is recorded, where somebody wants it.
    fn filler_of(wanted: &BTreeSet<u16>, call: &Syscall) -> Option<usize> {
        let own = FILLERS.iter().position(|(_, code)| *code == call.exit && *code != GENERIC_X);
        if own.is_some() {
            return own.filter(|_| wanted.contains(&call.exit));
        }
        // An event of its own that has no filler yet is told by the generic event.
        let named = call.exit != GENERIC_X && wanted.contains(&call.exit);
        if named || wanted.contains(&GENERIC_X) || wanted.contains(&(GENERIC_CALL | call.sc)) {
            return FILLERS.iter().position(|(_, code)| *code == GENERIC_X);
        }
        None
    }

    /// Loads the programs that `interest` needs; those that the kernel refuses say so in `plan`.
    pub fn load_wanted(&mut self, interest: &[u16], btf: &Btf) {
        let wanted = interest.iter().copied().collect();
        let missing = SYSCALLS
            .iter()
            .filter_map(|call| Self::filler_of(&wanted, call))
            .map(|index| (FILLERS[index].0, SYS_EXIT))
            .chain(STAGES.iter().map(|(name, _)| (*name, SYS_EXIT)))
            .chain(EXEC_STAGES.iter().map(|(name, _)| (*name, EXEC)))
            .chain(ENTRIES)
            .filter(|(name, _)| !self.loaded.contains_key(name))
            .collect();
        self.load_at_once(&missing, btf);
        for call in &SYSCALLS {
            if let Some(index) = Self::filler_of(&wanted, call) {
                self.place(FILLERS[index].0, FILLERS_AT + index as u32, SYS_EXIT, btf);
            }
        }
    }

    /// Sends the calls of `interest` to their programs; all others end at the first look.
    pub fn route(&mut self, interest: &[u16]) -> Result<(), Failure> {
        const SOCKETCALL: usize = 102;
        let wanted = interest.iter().copied().collect();
        let mut routes = vec![0u64; CALLS as usize];
        for call in &SYSCALLS {
            let Some(index) = Self::filler_of(&wanted, call) else { continue };
            if self.loaded.get(FILLERS[index].0).is_none_or(|loaded| loaded.refused.is_some()) {
                continue;
            }
            let route = u64::from(FILLERS_AT + index as u32) | u64::from(call.sc) << 16;
            if let Some(entry) = routes.get_mut(call.x86_64 as usize) {
                *entry |= route;
            }
            if let Some(entry) = routes.get_mut(call.ia32 as usize) {
                *entry |= route << IA32;
            }
        }
        // socketcall carries other calls: it is looked into whenever one of those is wanted.
        let inner = (359..=373).any(|call| routes[call] >> IA32 != 0);
        routes[SOCKETCALL] |= u64::from(inner) << IA32;
        for (number, &route) in routes.iter().enumerate() {
            if self.expected_routes[number] != route {
                self.routes
                    .set(number as u32, route, 0)
                    .map_err(|error| Failure::of_map(&error, "route a system call"))?;
            }
        }
        self.expected_routes = routes;
        Ok(())
    }

    /// Whether a change of interest needs programs that are not loaded yet.
    pub fn needs_loading(&self, interest: &[u16]) -> bool {
        interest.iter().any(|code| {
            let code = if *code >= GENERIC_CALL { GENERIC_X } else { *code };
            FILLERS.iter().any(|(name, filler)| *filler == code && !self.loaded.contains_key(name))
        })
    }

    fn refusal(&self, name: &str) -> Failure {
        self.loaded
            .get(name)
            .and_then(|loaded| loaded.refused.clone())
            .unwrap_or_else(|| Failure::new(Code::Probe, format!("Cannot load program {name}")))
    }

    fn attach_all(&mut self, btf: &Btf) -> Result<(), Failure> {
        for (name, slot) in EXEC_STAGES {
            self.place(name, slot, EXEC, btf);
        }
        for (name, target) in ENTRIES {
            let attached = match self.loaded.get(name).and_then(|loaded| loaded.refused.clone()) {
                Some(failure) => Err(failure),
                None => self.load_program(name, target, btf).and_then(|_| self.attach(name)),
            };
            match attached {
                Ok(link) => self.attached.push(Attached {
                    name,
                    target,
                    link: Some(link),
                    reason: String::new(),
                }),
                // Without the system calls nothing can be watched.
                Err(failure) if name == "sys_exit" => return Err(failure),
                Err(failure) => self.attached.push(Attached {
                    name,
                    target,
                    link: None,
                    reason: failure.message,
                }),
            }
        }
        Ok(())
    }

    fn attach(&mut self, name: &str) -> Result<FdLink, Failure> {
        let Some(Program::BtfTracePoint(program)) = self.ebpf.program_mut(name) else {
            return Err(Failure::new(Code::Probe, format!("Cannot find program {name}")));
        };
        program
            .attach()
            .and_then(|id| program.take_link(id))
            .map_err(|error| Failure::of_program(&error, name))
            .map(FdLink::from)
    }

    pub fn counters(&self) -> Counters {
        let mut sum = Counters::default();
        if let Ok(values) = self.counters.get(&0, 0) {
            for one in values.iter() {
                sum.events += one.events;
                sum.truncated += one.truncated;
                for lane in 0..2 {
                    sum.lost[lane] += one.lost[lane];
                    sum.sequence[lane] += one.sequence[lane];
                }
            }
        }
        sum
    }

    /// Every program that should work, and whether it does: the links and the tables of programs
    /// and routes are asked for, since somebody else may have changed them.
    pub fn plan(&self) -> Vec<Planned> {
        let mut plan: Vec<Planned> = self
            .attached
            .iter()
            .map(|attached| {
                let reason = match &attached.link {
                    None => attached.reason.clone(),
                    Some(link) => match link.info() {
                        Ok(_) => String::new(),
                        Err(error) => format!("the link is gone: {error}"),
                    },
                };
                let events = match attached.name {
                    "started" => vec![SYSCALL_EXECVE_19_X],
                    "ended" => vec![PROCEXIT_1_E],
                    _ => Vec::new(),
                };
                Planned { name: attached.name, target: attached.target, events, reason }
            })
            .collect();
        let routed = self.routes_changed();
        for (name, loaded) in &self.loaded {
            let exec = EXEC_STAGES.iter().find(|(stage, _)| stage == name);
            let stage = STAGES.iter().find(|(stage, _)| stage == name);
            let filler = FILLERS.iter().position(|(filler, _)| filler == name);
            let slot = match (exec, stage, filler) {
                (Some((_, slot)), ..) | (_, Some((_, slot)), _) => *slot,
                (.., Some(index)) => FILLERS_AT + index as u32,
                _ => continue,
            };
            let map = if exec.is_some() { &self.exec_slots } else { &self.slots };
            let reason = match &loaded.refused {
                Some(failure) => failure.message.clone(),
                None if slot_id(map, slot) != Some(loaded.id) => {
                    "the program was taken out of its slot".to_owned()
                }
                None => String::new(),
            };
            plan.push(Planned {
                name,
                target: if exec.is_some() { EXEC } else { SYS_EXIT },
                events: filler.map(|index| FILLERS[index].1).into_iter().collect(),
                reason,
            });
        }
        if let Some(reason) = routed {
            plan[0].reason = reason;
        }
        plan
    }

    /// What an intruder would do: sends one wanted call nowhere, behind our back.
    #[cfg(test)]
    pub fn unroute_for_test(&self) {
        let map = self.routes_map.as_fd().as_raw_fd();
        let number = self.expected_routes.iter().position(|&route| route != 0).unwrap_or(0) as u32;
        element(BPF_MAP_UPDATE_ELEM, map, number, &mut 0u64);
    }

    /// Why calls no longer go where they should, if so.
    fn routes_changed(&self) -> Option<String> {
        self.expected_routes.iter().enumerate().find_map(|(number, &route)| {
            match self.routes.get(&(number as u32), 0) {
                Ok(found) if found == route => None,
                Ok(_) => Some(format!("somebody changed the route of system call {number}")),
                Err(error) => Some(format!("the routes cannot be read: {error}")),
            }
        })
    }
}

/// A program of the plan; an empty reason means that it works.
pub struct Planned {
    pub name: &'static str,
    pub target: &'static str,
    pub events: Vec<u16>,
    pub reason: String,
}

const BPF_MAP_LOOKUP_ELEM: libc::c_long = 1;
#[cfg(test)]
const BPF_MAP_UPDATE_ELEM: libc::c_long = 2;

/// One command on one element of a map whose values are T; whether it worked.
fn element<T>(command: libc::c_long, map: i32, key: u32, value: &mut T) -> bool {
    /// The first members of union bpf_attr for such commands.
    #[repr(C)]
    struct Element {
        map: u32,
        key: u64,
        value: u64,
        flags: u64,
    }
    let element = Element {
        map: map as u32,
        key: &raw const key as u64,
        value: ptr::from_mut(value) as u64,
        flags: 0,
    };
    // SAFETY: the key points to four bytes and the value to a T, the sizes of the map.
    unsafe { libc::syscall(libc::SYS_bpf, command, &raw const element, size_of::<Element>()) == 0 }
}

/// The id of the program in a slot of a program array.
fn slot_id(map: &OwnedFd, slot: u32) -> Option<u32> {
    let mut id = 0u32;
    element(BPF_MAP_LOOKUP_ELEM, map.as_raw_fd(), slot, &mut id).then_some(id)
}
