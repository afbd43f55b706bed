//! The module's device (probe-rs/src/device.rs has what its two ends agree on), command by command.
use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::sync::Arc;

use probe::counters::Counters;
use probe::device::{self, About, Buffer, Excess, Looked, Mounted, Named, RingBytes, Statistics};
use probe::kernel::Host;

use crate::failure::{Code, Failure};
use crate::named_parts::owned;

/// # Safety
/// Any bytes are such a value, and it has no holes.
pub unsafe trait Plain {}
// SAFETY: plain numbers and bytes, as probe-rs asserts; so are all below.
unsafe impl Plain for u8 {}
// SAFETY: as above.
unsafe impl Plain for u16 {}
// SAFETY: as above.
unsafe impl Plain for u32 {}
// SAFETY: as above.
unsafe impl Plain for u64 {}
// SAFETY: as above.
unsafe impl Plain for About {}
// SAFETY: as above.
unsafe impl Plain for Counters {}
// SAFETY: as above.
unsafe impl Plain for Excess {}
// SAFETY: as above.
unsafe impl Plain for Host {}
// SAFETY: as above.
unsafe impl Plain for Looked {}
// SAFETY: as above.
unsafe impl Plain for Mounted {}
// SAFETY: as above.
unsafe impl Plain for Named {}
// SAFETY: as above.
unsafe impl Plain for RingBytes {}
// SAFETY: as above.
unsafe impl Plain for Statistics {}

/// One reader of the module: an open file of the device.
#[derive(Clone)]
pub struct Device(pub Arc<OwnedFd>);

impl Device {
    /// Opens the device; whether its version is ours is not looked at.
    pub fn open(path: &str) -> Result<Self, Failure> {
        let name = CString::new(path)
            .map_err(|_| Failure::new(Code::Invalid, "Cannot open a device with a NUL"))?;
        // SAFETY: a path of ours; the descriptor is this call's own.
        let opened = unsafe { owned(libc::open(name.as_ptr(), libc::O_RDWR | libc::O_CLOEXEC)) };
        opened.map(|fd| Self(Arc::new(fd))).map_err(|error| {
            let (code, why) = match error.raw_os_error() {
                Some(libc::ENOENT | libc::ENODEV | libc::ENXIO) => {
                    (Code::Module, "the kernel module is not loaded".to_owned())
                }
                Some(libc::EBUSY) => (
                    Code::Module,
                    "it has as many readers as may be (the module's parameter max_readers)"
                        .to_owned(),
                ),
                Some(libc::EPERM | libc::EACCES) => (
                    Code::Module,
                    "no permission; run as root, with CAP_SYS_ADMIN or with CAP_BPF and \
                     CAP_PERFMON"
                        .to_owned(),
                ),
                _ => (Code::Module, error.to_string()),
            };
            Failure::new(code, format!("Cannot open {path}: {why}"))
        })
    }

    fn call(&self, command: u32, buffer: &Buffer) -> io::Result<usize> {
        // SAFETY: the buffer's bytes are the caller's, for as long as the call lasts.
        let done = unsafe { libc::ioctl(self.0.as_raw_fd(), command.into(), buffer) };
        usize::try_from(done).map_err(|_| io::Error::last_os_error())
    }

    /// Hands values over.
    pub fn put<T: Plain>(&self, command: u32, values: &[T]) -> io::Result<()> {
        let bytes = size_of_val(values) as u64;
        self.call(command, &Buffer { at: values.as_ptr() as u64, bytes }).map(|_| ())
    }

    /// The same with a value that is not plain, as the module reads it.
    pub fn put_sieve(&self, sieve: Option<&device::Sieve>) -> io::Result<()> {
        let at = sieve.map_or(0, |sieve| std::ptr::from_ref(sieve) as u64);
        let bytes = sieve.map_or(0, |_| size_of::<device::Sieve>() as u64);
        self.call(device::SET_SIEVE, &Buffer { at, bytes }).map(|_| ())
    }

    /// Fills `values`, of which the module may fill less; returns how many it filled.
    pub fn take<T: Plain>(&self, command: u32, values: &mut [T]) -> io::Result<usize> {
        let bytes = size_of_val(values) as u64;
        let got = self.call(command, &Buffer { at: values.as_mut_ptr() as u64, bytes })?;
        Ok(got / size_of::<T>())
    }

    pub fn about(&self) -> io::Result<About> {
        let mut about = About::default();
        self.take(device::ABOUT, std::slice::from_mut(&mut about))?;
        Ok(about)
    }

    pub fn statistics(&self) -> io::Result<Statistics> {
        let mut statistics = Statistics::default();
        self.take(device::STATISTICS, std::slice::from_mut(&mut statistics))?;
        Ok(statistics)
    }
}
