//! Programs of events that nobody wants yet: loaded a few at a time once saker watches, so that
//! later rules find them there when the right to load programs has been given up.
use aya::Btf;
use probe::fillers::FILLERS;
use probe::stage::FILLERS_AT;

use crate::failure::{Code, Failure};
use crate::loader::Probe;
use crate::settings::kernel_types;
use crate::stages::{BATCHES, SYS_EXIT};

impl Probe {
    /// Loads at most so many of them; whether none is left.
    pub fn load_spare(&mut self, at_most: usize) -> Result<bool, Failure> {
        let missing: Vec<usize> = FILLERS
            .iter()
            .enumerate()
            .filter(|(_, (name, _))| !self.loaded.contains_key(name))
            .map(|(index, _)| index)
            .take(at_most)
            .collect();
        if missing.is_empty() {
            self.types = None;
            return Ok(self.rings.load_spare(&mut self.ebpf, at_most));
        }
        // Kept until all are loaded: to read them takes longer than to load a program.
        let types = match self.types.take() {
            Some(types) => types,
            None => Btf::parse(&kernel_types()?, aya::Endianness::default()).map_err(|error| {
                Failure::new(Code::NoBtf, format!("Cannot use the kernel's types: {error}"))
            })?,
        };
        self.traced.load(&mut self.ebpf, None, &types);
        for (name, slot, _) in BATCHES {
            if !self.loaded.contains_key(name) {
                self.spare.insert(name);
                self.place(name, slot, SYS_EXIT, &types);
            }
        }
        for index in missing {
            let name = FILLERS[index].0;
            self.spare.insert(name);
            self.place(name, FILLERS_AT + index as u32, SYS_EXIT, &types);
        }
        self.types = Some(types);
        Ok(false)
    }
}
