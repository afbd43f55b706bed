//! Loads the probe: offsets patched in, maps sized, only the programs that are wanted, each into
//! its slot; a program that the kernel refuses does not stop the others.
use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

use aya::maps::{Array, Map, MapData, PerCpuArray, PerCpuHashMap, ProgramArray};
use aya::programs::links::FdLink;
use aya::programs::{BtfTracePoint, Program, ProgramError};
use aya::util::nr_cpus;
use aya::{Btf, Ebpf, EbpfLoader};
use probe::counters::ROWS;
use probe::fillers::FILLERS;
pub use probe::routes::GENERIC_CALL;
use probe::routes::{CALLS, fillers_of, short_of};
use probe::stage::FILLERS_AT;
use probe::table::{GENERIC_X, SYSCALLS};

use crate::at_once::load_at_once;
use crate::btf;
use crate::budget::Part;
use crate::counters::{ByCode, CountersValue};
use crate::failure::{Code, Failure};
use crate::maps::{map_fd, take};
use crate::pace::Told;
use crate::ring::Ring;
use crate::rings::Rings;
use crate::settings::{Options, kernel_types, lift_memory_limit, settings};
use crate::sift::Sieve;
use crate::stages::{
    BATCHES, DISPENSABLE, EXEC, EXEC_STAGES, EXIT, FORK, GATE, SIFT, STAGES, SYS_EXIT,
};
use crate::traced::{Traced, attach};

/// The programs that are attached, calls last: who is seen to begin is seen to execute.
const ENTRIES: [(&str, &str); 4] =
    [("forked", FORK), ("started", EXEC), ("ended", EXIT), ("sys_exit", SYS_EXIT)];

type Name = &'static str;

/// An attached program, or why it is not.
pub struct Attached {
    pub name: &'static str,
    pub target: &'static str,
    pub link: Option<FdLink>,
    pub reason: String,
}

pub struct Loaded {
    pub id: u32,
    pub refused: Option<Failure>,
}

/// A probe in the kernel.
pub struct Probe {
    pub ebpf: Ebpf,
    programs: ProgramArray<MapData>,
    exec_programs: ProgramArray<MapData>,
    /// The same two maps, to look into them.
    pub slots: OwnedFd,
    pub exec_slots: OwnedFd,
    #[cfg(test)]
    pub routes_map: OwnedFd,
    pub routes: Array<MapData, u64>,
    pub counters: PerCpuArray<MapData, CountersValue>,
    pub lost: ByCode,
    pub excess: PerCpuHashMap<MapData, u32, Part>,
    pub sieve: Sieve,
    pub rings: Rings,
    pub traced: Traced,
    pub told: Told,
    pub loaded: BTreeMap<&'static str, Loaded>,
    /// Of those: fillers that nobody wants yet (spare.rs), and what they are loaded with.
    pub spare: BTreeSet<&'static str>,
    pub types: Option<Btf>,
    pub attached: Vec<Attached>,
    pub expected_routes: Vec<u64>,
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
            .map_max_entries("SCRATCH", cpus as u32 * ROWS)
            .map_max_entries("LONG", cpus as u32)
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
            lost: ByCode::take(&mut ebpf, "LOST", ROWS)?,
            excess: take(&mut ebpf, "EXCESS")?,
            sieve: Sieve {
                guards: take(&mut ebpf, "GUARDS")?,
                names: take(&mut ebpf, "NAMES")?,
                sifted: ByCode::take(&mut ebpf, "SIFTED", 1)?,
                refused: None,
            },
            rings: Rings::new(
                take(&mut ebpf, "RING_PROGRAMS")?,
                take(&mut ebpf, "RING_ROUTES")?,
                &offsets,
            ),
            traced: Traced::default(),
            told: Told::new(take(&mut ebpf, "LAST_WAKE")?, &settings),
            ebpf,
            loaded: BTreeMap::new(),
            spare: BTreeSet::new(),
            types: None,
            attached: Vec::new(),
            expected_routes: vec![0; CALLS as usize],
        };
        let btf = Btf::parse(&types, aya::Endianness::default()).map_err(|error| {
            Failure::new(Code::NoBtf, format!("Cannot use the kernel's types: {error}"))
        })?;
        probe.load_wanted(interest, &btf);
        for (name, slot) in STAGES {
            if !probe.place(name, slot, SYS_EXIT, &btf) && !DISPENSABLE.contains(&name) {
                return Err(probe.refusal(name));
            }
        }
        probe.sieve.open()?;
        for (name, slot) in [SIFT, GATE] {
            if !probe.place(name, slot, SYS_EXIT, &btf) {
                // All else works without.
                probe.sieve.refused = Some(probe.refusal(name).message);
                probe.loaded.remove(name);
            }
        }
        probe.route(interest)?;
        probe.attach_all(&btf)?;
        Ok(probe)
    }

    /// Maps a ring, whose descriptor stays: programs that are loaded later name it.
    pub fn map_ring(&self, name: &str, bytes: u32) -> Result<Ring, Failure> {
        let Some(Map::RingBuf(map)) = self.ebpf.map(name) else {
            return Err(Failure::new(Code::Probe, format!("Cannot find map {name} in the probe")));
        };
        map.fd()
            .as_fd()
            .try_clone_to_owned()
            .and_then(|fd| Ring::map(Arc::new(fd), 0, bytes as usize))
            .map_err(|error| Failure::new(Code::NoMemory, format!("Cannot map {name}: {error}")))
    }

    /// Has the kernel verify programs on several CPUs at once. What it refuses is told when the
    /// program is placed.
    fn load_at_once(&mut self, names: &BTreeMap<&'static str, &'static str>, btf: &Btf) {
        let programs: Vec<(Name, (Name, &mut BtfTracePoint))> = self
            .ebpf
            .programs_mut()
            .filter_map(|(name, program)| match program {
                Program::BtfTracePoint(program) => {
                    names.get_key_value(name).map(|(name, target)| (*name, (*target, program)))
                }
                _ => None,
            })
            .collect();
        for (name, failure) in load_at_once(programs, |(target, program)| program.load(target, btf))
        {
            // What has a shorter form is tried once more when it is placed.
            if short_of(name).is_none() {
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
    pub fn place(&mut self, name: Name, slot: u32, target: Name, btf: &Btf) -> bool {
        if let Some(loaded) = self.loaded.get(name) {
            return loaded.refused.is_none();
        }
        let mut found = name;
        let mut loaded = self.load_program(name, target, btf);
        if let (Err(_), Some(short)) = (&loaded, short_of(name)) {
            found = short;
            loaded = self.load_program(short, target, btf);
        }
        let placed = loaded.and_then(|id| {
            let fd = match self.ebpf.program(found) {
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

    /// Loads the programs that `interest` needs; those that the kernel refuses say so in `plan`.
    pub fn load_wanted(&mut self, interest: &[u16], btf: &Btf) {
        let interested: BTreeSet<u16> = interest.iter().copied().collect();
        let wanted = |code: u16| interested.contains(&code);
        let missing = SYSCALLS
            .iter()
            .flat_map(|call| fillers_of(wanted, call).into_iter().flatten())
            .map(|(index, _)| (FILLERS[index].0, SYS_EXIT))
            .chain(STAGES.iter().chain([&SIFT, &GATE]).map(|(name, _)| (*name, SYS_EXIT)))
            .chain(EXEC_STAGES.iter().map(|(name, _)| (*name, EXEC)))
            .chain(ENTRIES)
            .filter(|(name, _)| !self.loaded.contains_key(name))
            .collect();
        self.load_at_once(&missing, btf);
        self.traced.load(&mut self.ebpf, Some(interest), btf);
        for (name, slot, code) in BATCHES {
            if interest.contains(&code) {
                self.spare.remove(name);
                self.place(name, slot, SYS_EXIT, btf);
            }
        }
        for call in &SYSCALLS {
            for (index, _) in fillers_of(wanted, call).into_iter().flatten() {
                self.spare.remove(FILLERS[index].0);
                self.place(FILLERS[index].0, FILLERS_AT + index as u32, SYS_EXIT, btf);
            }
        }
    }

    /// Sends the calls of `interest` to their programs; all others end at the first look.
    pub fn route(&mut self, interest: &[u16]) -> Result<(), Failure> {
        let wanted: BTreeSet<u16> = interest.iter().copied().collect();
        let mut routes = [0; CALLS as usize];
        probe::routes::fill(
            &mut routes,
            |code| wanted.contains(&code),
            |index| {
                self.loaded.get(FILLERS[index].0).is_some_and(|loaded| loaded.refused.is_none())
            },
        );
        for (number, &route) in routes.iter().enumerate() {
            if self.expected_routes[number] != route {
                self.routes
                    .set(number as u32, route, 0)
                    .map_err(|error| Failure::of_map(&error, "route a system call"))?;
            }
        }
        self.expected_routes = routes.to_vec();
        self.traced.follow(&mut self.ebpf, interest);
        self.rings.follow(&mut self.ebpf, interest)
    }

    #[cfg(test)]
    pub fn empty_slot_for_test(&mut self, slot: u32) {
        self.programs.clear_index(&slot).expect("the slot can be emptied");
    }

    /// Whether a change of interest needs programs that are not loaded yet.
    pub fn needs_loading(&self, interest: &[u16]) -> bool {
        self.traced.lacks(interest)
            || interest.iter().any(|code| {
                let code = if *code >= GENERIC_CALL { GENERIC_X } else { *code };
                FILLERS
                    .iter()
                    .any(|(name, filler)| *filler == code && !self.loaded.contains_key(name))
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
                None => {
                    self.load_program(name, target, btf).and_then(|_| attach(&mut self.ebpf, name))
                }
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
}
