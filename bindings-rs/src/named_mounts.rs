//! Where the host has its file systems, for the probe to name files by that are reached through
//! another mount. In: the host's mountinfo. Out: a map of the first whole mount of each device,
//! kept true by named.rs's thread.
//!
//! Only file systems on disks and in memory: what is asked of another machine or of a program may
//! never answer, and an overlay's files have their names by its layers.
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _, IntoRawFd as _, OwnedFd};

use crate::named_parts::{look_up_below, owned};
use crate::reader::Parts;

/// As the probe's map has room for.
const MOUNTS_MAX: usize = 1024;
/// Of such a list, what is read at the most.
const LIST_BYTES_MAX: u64 = 4 * 1024 * 1024;
const KINDS: [&str; 18] = [
    "bcachefs", "btrfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs", "iso9660", "jfs",
    "ntfs3", "ramfs", "reiserfs", "squashfs", "tmpfs", "vfat", "xfs", "zfs",
];

pub struct Mounts {
    list: Option<File>,
    /// By the mount's number: what was found there.
    known: BTreeMap<u64, Option<(u32, u64)>>,
    told: BTreeMap<u32, u64>,
    pub refused: u64,
}

impl Mounts {
    /// `root`: where the host's files are; `is_own`: it is the root that this process has.
    pub fn new(root: &OwnedFd, is_own: bool) -> Self {
        let how = libc::O_RDONLY | libc::O_CLOEXEC;
        let name = if is_own { c"/proc/self/mountinfo" } else { c"proc/1/mountinfo" };
        // SAFETY: a name of ours; the descriptor is this call's own.
        let list = unsafe { owned(libc::openat(root.as_raw_fd(), name.as_ptr(), how)) };
        let list = list.ok().map(|fd| {
            // SAFETY: handed over.
            unsafe { File::from_raw_fd(fd.into_raw_fd()) }
        });
        Self { list, known: BTreeMap::new(), told: BTreeMap::new(), refused: 0 }
    }

    /// What says that mounts changed (POLLPRI); -1: nothing does.
    pub fn fd(&self) -> i32 {
        self.list.as_ref().map_or(-1, std::os::fd::AsRawFd::as_raw_fd)
    }

    /// Has the map say what is mounted where.
    pub fn look(&mut self, parts: &mut dyn Parts, root: &OwnedFd) {
        let Some(list) = &mut self.list else { return };
        let mut text = Vec::new();
        let read = list.rewind().and_then(|()| list.take(LIST_BYTES_MAX).read_to_end(&mut text));
        if read.is_err() {
            return;
        }
        let mut known = BTreeMap::new();
        let mut mounts = BTreeMap::new();
        self.refused = 0;
        for (number, device, point) in text.split(|byte| *byte == b'\n').filter_map(whole) {
            if mounts.len() >= MOUNTS_MAX {
                self.refused += 1;
                continue;
            }
            // Numbers are used again.
            let before = self.known.get(&number).copied();
            let before = before.filter(|known| known.is_none_or(|(dev, _)| dev == device));
            let looked = before.unwrap_or_else(|| {
                let place = parts.look(look_up_below(root, &point)?.as_raw_fd())?;
                // Else something else is mounted over it.
                (place.dev == device).then_some((place.dev, place.place.root.mnt as u64))
            });
            known.insert(number, looked);
            if let Some((device, mount)) = looked {
                mounts.entry(device).or_insert(mount);
            }
        }
        for device in self.told.keys().filter(|device| !mounts.contains_key(device)) {
            parts.set_mount(*device, None);
        }
        for (device, mount) in &mounts {
            if self.told.get(device) != Some(mount) {
                parts.set_mount(*device, Some(*mount));
            }
        }
        (self.known, self.told) = (known, mounts);
    }
}

/// Number, device as the kernel has it, and mount point of a line that tells of a whole file system
/// of ours.
fn whole(line: &[u8]) -> Option<(u64, u32, Vec<u8>)> {
    let text = |part: &[u8]| std::str::from_utf8(part).ok().map(str::to_owned);
    let mut parts = line.split(|byte| *byte == b' ');
    let number = text(parts.next()?)?.parse().ok()?;
    let device = text(parts.nth(1)?)?;
    let (major, minor) = device.split_once(':')?;
    let device = major.parse::<u32>().ok()? << 20 | minor.parse::<u32>().ok()?;
    if parts.next()? != b"/" {
        return None;
    }
    let point = unescaped(parts.next()?);
    let kind = text(parts.skip_while(|part| *part != b"-").nth(1)?)?;
    KINDS.contains(&kind.as_str()).then_some((number, device, point))
}

/// Spaces and the like are octal there.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let digits = text.get(at + 1..at + 4).filter(|_| text[at] == b'\\');
        let code =
            digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        out.push(code.unwrap_or(text[at]));
        at += if code.is_some() { 4 } else { 1 };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn a_line_tells_of_a_whole_file_system_of_ours() {
        let of = |line: &str| whole(line.as_bytes());
        let told = of("36 35 98:0 / /mnt\\040two rw,noatime shared:1 - ext4 /dev/root rw");
        assert_eq!(told, Some((36, 98 << 20, b"/mnt two".to_vec())));
        assert_eq!(of("36 35 98:0 /sub /mnt rw - ext4 /dev/root rw"), None);
        assert_eq!(of("36 35 0:9 / /mnt rw - fuse.sshfs host rw"), None);
        assert_eq!(of("36 35 0:9 / /mnt"), None);
        assert_eq!(of(""), None);
    }
}
