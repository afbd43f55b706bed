//! One file of a capture: opened without waiting for a FIFO's reader, its owner's alone where it is
//! new, written in pieces after each of which it is whole.
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};

/// What may stand under the path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Nothing: a name that saker made up. No link is followed.
    New,
    /// Only looked at: an error where something would be overwritten.
    Look,
    /// A file, which is overwritten, a pipe or a character device.
    Given,
    /// Nothing is opened.
    StandardOutput,
}

pub struct Output {
    file: File,
    /// What cannot be cut back: a pipe, a device.
    is_regular: bool,
    /// The file is a sound capture up to here.
    sound: u64,
    /// What was there before is cut off with the first piece, not by an open that leads nowhere.
    is_fresh: bool,
}

/// Whether a file may be written under the path, without changing anything.
pub fn look(path: &[u8]) -> io::Result<()> {
    let Ok(found) = std::fs::metadata(OsStr::from_bytes(path)) else {
        // What else is amiss shows when it is opened.
        return Ok(());
    };
    let kind = found.file_type();
    if kind.is_dir() {
        return Err(io::Error::from_raw_os_error(libc::EISDIR));
    }
    if kind.is_socket() {
        return Err(io::Error::from_raw_os_error(libc::ENXIO));
    }
    if kind.is_file() && found.len() > 0 {
        return Err(io::Error::from_raw_os_error(libc::EEXIST));
    }
    Ok(())
}

impl Output {
    pub fn open(path: &[u8], how: How) -> io::Result<Self> {
        if how == How::StandardOutput {
            // What it is and holds is its owner's: nothing is cut off there.
            let file = File::from(io::stdout().as_fd().try_clone_to_owned()?);
            return Ok(Self { file, is_regular: false, sound: 0, is_fresh: false });
        }
        let mut options = OpenOptions::new();
        options.write(true).mode(0o600);
        // Close-on-exec is the library's own doing.
        let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
        if how == How::New {
            options.create_new(true).custom_flags(flags | libc::O_NOFOLLOW);
        } else {
            options.create(true).truncate(false).custom_flags(flags);
        }
        let file = options.open(OsStr::from_bytes(path))?;
        let kind = file.metadata()?.file_type();
        if kind.is_block_device() {
            return Err(io::Error::from_raw_os_error(libc::ENOTBLK));
        }
        let is_regular = kind.is_file();
        Ok(Self { file, is_regular, sound: 0, is_fresh: is_regular })
    }

    /// Writes the piece, or takes back what was written of it.
    pub fn write(&mut self, bytes: &[u8], moved: &dyn Fn()) -> io::Result<()> {
        if self.is_fresh {
            self.is_fresh = false;
            self.file.set_len(0)?;
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.file.write(&rest[..rest.len().min(CHUNK_BYTES)]) {
                Ok(0) => return self.cut_back(io::ErrorKind::WriteZero.into()),
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A pipe that is full.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    wait_for(self.file.as_fd());
                    continue;
                }
                Err(error) => return self.cut_back(error),
            }
            moved();
        }
        self.sound += bytes.len() as u64;
        Ok(())
    }

    /// What would be half a member or half a block goes.
    fn cut_back(&mut self, error: io::Error) -> io::Result<()> {
        if self.is_regular {
            // On a disk that fails this may too; the reader says then that it is cut short.
            let _ = self.file.set_len(self.sound);
        }
        Err(error)
    }
}

/// Written at once, so that a slow disk is seen to move.
const CHUNK_BYTES: usize = 256 << 10;
const POLL_MS: i32 = 1_000;

fn wait_for(descriptor: BorrowedFd<'_>) {
    let mut asked = libc::pollfd { fd: descriptor.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
    // SAFETY: one pollfd, which outlives the call.
    unsafe { libc::poll(&raw mut asked, 1, POLL_MS) };
}
