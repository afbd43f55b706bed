//! Maps of the probe's object, by their names.
use std::os::fd::{AsFd as _, OwnedFd};

use aya::Ebpf;
use aya::maps::Map;

use crate::failure::{Code, Failure};

/// Takes a map out of the object; programs that are loaded later do not find it there.
pub fn take<T: TryFrom<aya::maps::Map, Error = aya::maps::MapError>>(
    ebpf: &mut Ebpf,
    name: &str,
) -> Result<T, Failure> {
    let map = ebpf
        .take_map(name)
        .ok_or_else(|| Failure::new(Code::Probe, format!("Cannot find map {name} in the probe")))?;
    T::try_from(map).map_err(|error| Failure::of_map(&error, &format!("use map {name}")))
}

/// A descriptor of our own for a map.
pub fn map_fd(ebpf: &Ebpf, name: &str) -> Result<OwnedFd, Failure> {
    match ebpf.map(name) {
        Some(
            Map::ProgramArray(map) | Map::Array(map) | Map::HashMap(map) | Map::PerCpuArray(map),
        ) => map
            .fd()
            .as_fd()
            .try_clone_to_owned()
            .map_err(|error| Failure::new(Code::Io, format!("Cannot hold map {name}: {error}"))),
        _ => Err(Failure::new(Code::Probe, format!("Cannot find map {name} in the probe"))),
    }
}
