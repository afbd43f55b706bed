//! What a source of records is made of (`Planned`). Of the probe: whether it still does what it
//! should; links, slots and routes are asked of the kernel, since somebody else may have changed
//! them.
#[cfg(test)]
use std::os::fd::AsFd as _;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::ptr;

use probe::fillers::FILLERS;
use probe::stage::FILLERS_AT;
use probe::table::{PROCEXIT_1_E, SYSCALL_EXECVE_19_X, SYSCALL_OPEN_BY_HANDLE_AT_X};

use crate::loader::Probe;
use crate::stages::{BATCHES, EXEC, EXEC_STAGES, GATE, HANDLE_END, SIFT, STAGES, SYS_EXIT};

/// A program of the plan; an empty reason means that it works.
pub struct Planned {
    pub name: &'static str,
    /// How it is attached: `tp_btf`, `raw_tracepoint`, `tracepoint`.
    pub kind: &'static str,
    pub target: &'static str,
    pub events: Vec<u16>,
    pub reason: String,
    /// The kernel did not take it; otherwise a reason says that it works no more.
    pub refused: bool,
}

const TP_BTF: &str = "tp_btf";

impl Probe {
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
                let refused = attached.link.is_none();
                let (name, target) = (attached.name, attached.target);
                Planned { name, kind: TP_BTF, target, events, reason, refused }
            })
            .collect();
        let routed = self.routes_changed();
        for (name, loaded) in &self.loaded {
            if self.spare.contains(name) {
                continue;
            }
            let exec = EXEC_STAGES.iter().find(|(stage, _)| stage == name);
            let stage = STAGES.iter().chain([&SIFT, &GATE]).find(|(stage, _)| stage == name);
            let filler = FILLERS.iter().position(|(filler, _)| filler == name);
            let slot = match (exec, stage, filler) {
                (Some((_, slot)), ..) | (_, Some((_, slot)), _) => *slot,
                (.., Some(index)) => FILLERS_AT + index as u32,
                _ => match BATCHES.iter().find(|(stage, ..)| stage == name) {
                    Some((_, slot, _)) => *slot,
                    None => continue,
                },
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
                kind: TP_BTF,
                target: if exec.is_some() { EXEC } else { SYS_EXIT },
                events: match filler {
                    None if *name == HANDLE_END => vec![SYSCALL_OPEN_BY_HANDLE_AT_X],
                    filler => filler.map(|index| FILLERS[index].1).into_iter().collect(),
                },
                reason,
                refused: loaded.refused.is_some(),
            });
        }
        plan.extend(self.rings.plan().map(|(name, events, reason)| Planned {
            name,
            kind: "raw_tracepoint",
            target: "io_uring",
            events,
            refused: !reason.is_empty(),
            reason,
        }));
        plan.extend(self.traced.plan().map(|(name, target, code, reason, refused)| Planned {
            name,
            kind: TP_BTF,
            target,
            events: vec![code],
            reason,
            refused,
        }));
        let calls = plan.iter_mut().find(|planned| planned.name == "sys_exit");
        if let (Some(reason), Some(calls)) = (routed, calls) {
            calls.reason = reason;
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
