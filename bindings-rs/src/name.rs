//! Names of files are bytes, and the runtime's are text: a file whose name is no UTF-8 is opened
//! here, and reached by its descriptor's name in /proc from then on.
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;

/// Opens the file for appending, or makes a new one that is its owner's alone. Waits for no reader
/// of a FIFO; closed on execution, as the library does with all that it opens.
fn open(path: &[u8]) -> io::Result<OwnedFd> {
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600).custom_flags(flags);
    Ok(options.open(OsStr::from_bytes(path))?.into())
}

/// What the addon exports; a test program has nobody to export to.
#[cfg(not(test))]
mod export {
    use std::os::fd::{AsRawFd as _, OwnedFd};

    use napi::bindgen_prelude::Uint8Array;
    use napi_derive::napi;

    /// The class NamedFile of ../index.d.ts.
    #[napi]
    pub struct NamedFile {
        held: Result<OwnedFd, i32>,
    }

    #[napi]
    impl NamedFile {
        #[napi(factory)]
        #[allow(clippy::needless_pass_by_value, reason = "napi hands values over")]
        pub fn open(path: Uint8Array) -> Self {
            let opened = super::open(&path);
            Self { held: opened.map_err(|error| error.raw_os_error().unwrap_or(libc::EIO)) }
        }

        /// The descriptor, or a negative number of the system's error.
        #[napi]
        pub fn descriptor(&self) -> i32 {
            match &self.held {
                Ok(descriptor) => descriptor.as_raw_fd(),
                Err(errno) => -errno,
            }
        }

        #[napi]
        pub fn close(&mut self) {
            self.held = Err(libc::EBADF);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::fd::AsRawFd as _;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_whose_name_is_no_text_is_made_and_reached_by_its_descriptor() {
        let place = std::env::temp_dir().join(format!("saker-name-{}", std::process::id()));
        fs::create_dir(&place).expect("a directory");
        let path = place.join(OsStr::from_bytes(b"a\xff"));
        let held = open(path.as_os_str().as_bytes()).expect("a new file");
        fs::write(format!("/proc/self/fd/{}", held.as_raw_fd()), "text").expect("reached");
        assert_eq!(fs::read(&path).expect("the file"), b"text");
        let mode = fs::metadata(&path).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(open(place.as_os_str().as_bytes()).is_err(), "a directory");
        fs::remove_dir_all(&place).expect("removed");
    }
}
