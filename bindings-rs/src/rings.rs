//! io_uring's part of the probe: its programs loaded, its operations sent to them, and the two
//! tracepoints attached while somebody wants an event of theirs. What the kernel refuses leaves
//! everything else as it is, and is told in the plan.
use std::collections::{BTreeMap, BTreeSet};

use aya::Ebpf;
use aya::maps::{Array, MapData, ProgramArray};
use aya::programs::links::FdLink;
use aya::programs::{Program, ProgramError, RawTracePoint};
use probe::offsets::{ABSENT, NAMES};
use probe::ring::{OPERATION_EVENTS, RING_FILLERS};
use probe::routes::GENERIC_CALL;
use probe::stage;
use probe::table::{GENERIC_X, SYSCALLS, Syscall};

use crate::at_once::load_at_once;
use crate::failure::{Code, Failure};

const RING_STAGES: [(&str, u32); 8] = [
    ("ring_start", stage::START),
    ("ring_walk", stage::WALK),
    ("ring_far", stage::FAR),
    ("ring_look_up", stage::LOOK_UP),
    ("ring_files", stage::FILES),
    ("ring_further", stage::FURTHER),
    ("ring_end", stage::END),
    ("ring_sift", stage::SIFT),
];
/// What is attached: of each the first program that can be, and where. Newer kernels refuse the
/// first of the answers' programs, older ones have the second name of what is asked.
const RING_ENTRIES: [[(&str, &str); 2]; 2] = [
    [("ring_done_members", "io_uring_complete"), ("ring_done", "io_uring_complete")],
    [("ring_asked", "io_uring_submit_req"), ("ring_asked", "io_uring_submit_sqe")],
];
/// What the kernel refuses at once is told by this, where it is; else it counts as lost.
const REFUSALS: (&str, &str) = ("ring_refused", "io_uring_req_failed");
/// What a kernel must tell of a request.
const NEEDED: [&str; 5] = [
    "?io_kiocb.cqe.res",
    "?io_kiocb.cqe.fd",
    "?io_kiocb.file",
    "?filename.name",
    "?io_open.filename",
];

pub struct Rings {
    pub programs: ProgramArray<MapData>,
    pub routes: Array<MapData, u64>,
    /// Programs, and why one is not loaded.
    loaded: BTreeMap<&'static str, Option<Failure>>,
    links: Vec<FdLink>,
    /// Why nothing is seen of io_uring.
    refused: Option<String>,
}

fn call_of(name: &str) -> Option<&'static Syscall> {
    SYSCALLS.iter().find(|call| call.name == name)
}

/// Where an operation goes, if somebody wants it: its place among the fillers and its route.
fn route_of(wanted: &BTreeSet<u16>, code: u16, name: &str) -> Option<(usize, u64)> {
    let call = call_of(name)?;
    let asked =
        wanted.contains(&code) || code == GENERIC_X && wanted.contains(&(GENERIC_CALL | call.sc));
    let place = RING_FILLERS.iter().position(|(_, filled)| *filled == code).filter(|_| asked)?;
    let slot = u64::from(stage::FILLERS_AT) + place as u64;
    Some((place, slot | u64::from(call.sc) << 16 | u64::from(call.x86_64) << 32))
}

impl Rings {
    pub fn new(
        programs: ProgramArray<MapData>,
        routes: Array<MapData, u64>,
        offsets: &[u8],
    ) -> Self {
        let missing = NEEDED.into_iter().find(|needed| {
            let at = NAMES.iter().position(|name| name == needed).map_or(0, |place| 4 * place);
            offsets.get(at..at + 4).is_none_or(|bytes| bytes == ABSENT.to_le_bytes())
        });
        let refused = missing.map(|name| {
            format!("this kernel (before 5.19) does not have {}", name.trim_start_matches('?'))
        });
        Self { programs, routes, loaded: BTreeMap::new(), links: Vec::new(), refused }
    }

    /// Loads what `interest` needs, and sends the operations there.
    pub fn follow(&mut self, ebpf: &mut Ebpf, interest: &[u16]) -> Result<(), Failure> {
        if self.refused.is_some() {
            return Ok(());
        }
        let wanted: BTreeSet<u16> = interest.iter().copied().collect();
        let routes: Vec<(u8, usize, u64)> = OPERATION_EVENTS
            .iter()
            .filter_map(|&(operation, code, name)| {
                route_of(&wanted, code, name).map(|(place, route)| (operation, place, route))
            })
            .collect();
        if routes.is_empty() {
            self.links.clear();
            return Ok(());
        }
        let mut slots: BTreeMap<&'static str, Option<u32>> = RING_STAGES
            .iter()
            .map(|&(name, slot)| (name, Some(slot)))
            .chain(RING_ENTRIES.iter().flatten().map(|&(name, _)| (name, None)))
            .chain([(REFUSALS.0, None)])
            .collect();
        for &(_, place, _) in &routes {
            slots.insert(RING_FILLERS[place].0, Some(stage::FILLERS_AT + place as u32));
        }
        slots.retain(|name, _| !self.loaded.contains_key(name));
        self.load(ebpf, &slots);
        if let Some(failure) = self.loaded.get("ring_end").and_then(Option::as_ref) {
            self.refused = Some(failure.message.clone());
            return Ok(());
        }
        for &(operation, code, _) in OPERATION_EVENTS {
            let route = routes
                .iter()
                .find(|(number, place, _)| {
                    *number == operation
                        && self.loaded.get(RING_FILLERS[*place].0).is_some_and(Option::is_none)
                })
                .map_or(0, |(.., route)| *route);
            self.routes.set(u32::from(operation), route, 0).map_err(|error| {
                Failure::of_map(&error, &format!("route operations of code {code}"))
            })?;
        }
        if self.links.is_empty() {
            self.attach(ebpf);
        }
        Ok(())
    }

    /// Loads at most so many of the programs that nobody wants yet; whether none is left.
    pub fn load_spare(&mut self, ebpf: &mut Ebpf, at_most: usize) -> bool {
        if self.refused.is_some() || self.links.is_empty() {
            return true;
        }
        let missing: BTreeMap<&'static str, Option<u32>> = RING_FILLERS
            .iter()
            .enumerate()
            .filter(|(_, (name, _))| !self.loaded.contains_key(name))
            .map(|(place, (name, _))| (*name, Some(stage::FILLERS_AT + place as u32)))
            .take(at_most)
            .collect();
        if missing.is_empty() {
            return true;
        }
        self.load(ebpf, &missing);
        false
    }

    fn load(&mut self, ebpf: &mut Ebpf, slots: &BTreeMap<&'static str, Option<u32>>) {
        let programs: Vec<(&'static str, &mut RawTracePoint)> = ebpf
            .programs_mut()
            .filter_map(|(name, program)| match program {
                Program::RawTracePoint(program) => {
                    slots.get_key_value(name).map(|(name, _)| (*name, program))
                }
                _ => None,
            })
            .collect();
        let names: Vec<&'static str> = programs.iter().map(|(name, _)| *name).collect();
        let mut all = load_at_once(programs, |program| program.load());
        for name in names {
            let mut refused = all.remove(name);
            if let (None, Some(Some(slot))) = (&refused, slots.get(name)) {
                refused = self.place(ebpf, name, *slot).err();
            }
            self.loaded.insert(name, refused);
        }
    }

    fn place(&mut self, ebpf: &Ebpf, name: &str, slot: u32) -> Result<(), Failure> {
        let Some(Program::RawTracePoint(program)) = ebpf.program(name) else {
            return Err(Failure::new(Code::Probe, format!("Cannot find program {name}")));
        };
        let fd = program.fd().map_err(|error| Failure::of_program(&error, name))?;
        self.programs
            .set(slot, fd, 0)
            .map_err(|error| Failure::of_map(&error, &format!("place program {name}")))
    }

    fn attach(&mut self, ebpf: &mut Ebpf) {
        for ways in RING_ENTRIES {
            let mut refused = None;
            for (name, point) in ways {
                let Some(Program::RawTracePoint(program)) = ebpf.program_mut(name) else {
                    continue;
                };
                match attached(program, point) {
                    Ok(link) => {
                        self.links.push(link);
                        refused = None;
                        break;
                    }
                    Err(error) => refused = Some((name, Failure::of_program(&error, name))),
                }
            }
            if let Some((name, failure)) = refused {
                self.loaded.insert(name, Some(failure));
                self.links.clear();
                return;
            }
        }
        let (name, point) = REFUSALS;
        if let Some(Program::RawTracePoint(program)) = ebpf.program_mut(name)
            && let Ok(link) = attached(program, point)
        {
            self.links.push(link);
        }
    }

    /// Its programs with their events, and what is wrong with them: nothing where they work.
    pub fn plan(&self) -> impl Iterator<Item = (&'static str, Vec<u16>, String)> + '_ {
        let whole = self.refused.as_ref().map(|reason| ("ring_done", reason.clone()));
        let each = self.loaded.iter().map(|(name, refused)| {
            let reason = refused.as_ref().map(|failure| failure.message.clone());
            (*name, reason.unwrap_or_default())
        });
        whole.into_iter().chain(each).map(|(name, reason)| {
            let events = RING_FILLERS.iter().filter(|(filler, _)| *filler == name);
            (name, events.map(|(_, code)| *code).collect(), reason)
        })
    }
}

fn attached(program: &mut RawTracePoint, point: &str) -> Result<FdLink, ProgramError> {
    let id = program.attach(point)?;
    program.take_link(id).map(FdLink::from)
}
