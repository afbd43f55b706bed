//! Events of tracepoints besides those of processes (ebpf-rs/src/traced.rs). In: the codes that
//! somebody wants. Out: their programs loaded, and attached as long as they are wanted: each of
//! these tracepoints fires more often than most calls.
use std::collections::BTreeMap;

use aya::programs::Program;
use aya::programs::links::FdLink;
use aya::{Btf, Ebpf};
use probe::traced::TRACED;

use crate::failure::{Code, Failure};

#[derive(Default)]
pub struct Traced {
    /// Programs, and why one is not loaded.
    loaded: BTreeMap<&'static str, Option<Failure>>,
    links: BTreeMap<&'static str, Result<FdLink, Failure>>,
}

impl Traced {
    /// Whether a program of these codes is still to be loaded.
    pub fn lacks(&self, interest: &[u16]) -> bool {
        TRACED
            .iter()
            .any(|(name, _, code)| interest.contains(code) && !self.loaded.contains_key(name))
    }

    /// Loads what `interest` needs; None: all.
    pub fn load(&mut self, ebpf: &mut Ebpf, interest: Option<&[u16]>, btf: &Btf) {
        for (name, point, code) in TRACED {
            let wanted = interest.is_none_or(|codes| codes.contains(code));
            if !wanted || self.loaded.contains_key(name) {
                continue;
            }
            let refused = match ebpf.program_mut(name) {
                Some(Program::BtfTracePoint(program)) => {
                    program.load(point, btf).err().map(|error| Failure::of_program(&error, name))
                }
                _ => Some(Failure::new(Code::Probe, format!("Cannot find program {name}"))),
            };
            self.loaded.insert(name, refused);
        }
    }

    /// Attaches the programs of `interest`, and no others.
    pub fn follow(&mut self, ebpf: &mut Ebpf, interest: &[u16]) {
        for (name, _, code) in TRACED {
            if !interest.contains(code) {
                self.links.remove(name);
            } else if let (Some(None), false) =
                (self.loaded.get(name), self.links.contains_key(name))
            {
                self.links.insert(name, attach(ebpf, name));
            }
        }
    }

    /// Its programs that should work: where they are attached, their event, and what is wrong.
    pub fn plan(&self) -> impl Iterator<Item = (&'static str, &'static str, u16, String, bool)> {
        TRACED.iter().filter_map(|(name, point, code)| {
            let (reason, refused) = match (self.loaded.get(name)?, self.links.get(name)) {
                (Some(failure), _) | (None, Some(Err(failure))) => (failure.message.clone(), true),
                (None, Some(Ok(link))) => match link.info() {
                    Ok(_) => (String::new(), false),
                    Err(error) => (format!("the link is gone: {error}"), false),
                },
                (None, None) => return None,
            };
            Some((*name, *point, *code, reason, refused))
        })
    }
}

/// Attaches the program of a tracepoint, once it is loaded.
pub fn attach(ebpf: &mut Ebpf, name: &str) -> Result<FdLink, Failure> {
    let Some(Program::BtfTracePoint(program)) = ebpf.program_mut(name) else {
        return Err(Failure::new(Code::Probe, format!("Cannot find program {name}")));
    };
    program
        .attach()
        .and_then(|id| program.take_link(id))
        .map_err(|error| Failure::of_program(&error, name))
        .map(FdLink::from)
}
