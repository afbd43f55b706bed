//! The module's part in following files of rules (named.rs): what the kernel has for a descriptor,
//! and the names that the module looks up.
use probe::device::{LOOK, Looked, Mounted, Named, PUT_MOUNT, PUT_NAME, SET_HOST};
use probe::further::NAME_BYTES;
use probe::kernel::Host;

use super::device::Device;
use crate::reader::{self, Key, Parts};

pub struct ModuleParts(pub Device);

impl Parts for ModuleParts {
    fn look(&self, fd: i32) -> Option<reader::Looked> {
        let mut looked = Looked { fd, ..Looked::default() };
        self.0.take(LOOK, std::slice::from_mut(&mut looked)).ok()?;
        let Looked { place, ino, dev, mode, .. } = looked;
        Some(reader::Looked { place, ino, dev, mode })
    }

    fn set_host(&mut self, host: Host) {
        let _ = self.0.put(SET_HOST, &[host]);
    }

    fn set_name(&mut self, key: Key, name: Option<&[u8; NAME_BYTES]>) {
        let Key { ino, dev, .. } = key;
        let name = name.copied().unwrap_or([0; NAME_BYTES]);
        let _ = self.0.put(PUT_NAME, &[Named { ino, dev, pad: 0, name }]);
    }

    fn set_mount(&mut self, device: u32, mount: Option<u64>) {
        let mounted = Mounted { mnt: mount.unwrap_or(0), dev: device, pad: 0 };
        let _ = self.0.put(PUT_MOUNT, &[mounted]);
    }
}
