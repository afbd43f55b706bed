//! Loads and unloads the module by the kernel's own calls, without a program that does. In: a file,
//! a name. Out: 0, or the number of the error, which the caller has words for.
use std::ffi::CString;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};

/// The kernel unpacks the file itself (Linux 5.17 with CONFIG_MODULE_DECOMPRESS).
const COMPRESSED: libc::c_int = 4;

/// Loads the module of a file that nobody but root can have written.
pub fn load(path: &str, parameters: &str, is_compressed: bool) -> io::Result<()> {
    let parameters = CString::new(parameters)?;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_CLOEXEC | libc::O_NONBLOCK)
        .open(path)?;
    let about = file.metadata()?;
    if !about.is_file() || about.uid() != 0 || about.mode() & 0o022 != 0 {
        return Err(io::Error::from_raw_os_error(libc::EACCES));
    }
    let flags = if is_compressed { COMPRESSED } else { 0 };
    // SAFETY: a descriptor and a text of ours.
    let done = unsafe {
        libc::syscall(libc::SYS_finit_module, file.as_raw_fd(), parameters.as_ptr(), flags)
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Unloads a module that nobody uses; EAGAIN where somebody does.
pub fn unload(name: &str) -> io::Result<()> {
    let name = CString::new(name)?;
    // SAFETY: a text of ours.
    let done = unsafe { libc::syscall(libc::SYS_delete_module, name.as_ptr(), libc::O_NONBLOCK) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_file_that_others_may_write_is_not_loaded() {
        let path = std::env::temp_dir().join(format!("saker-load-{}.ko", std::process::id()));
        fs::write(&path, b"no module").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o622)).unwrap();
        let refused = load(path.to_str().unwrap(), "", false).unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::EACCES));
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn what_is_no_module_is_refused_by_the_kernel() {
        let path = std::env::temp_dir().join(format!("saker-load-it-{}.ko", std::process::id()));
        fs::write(&path, b"no module").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        // ENOEXEC, or EPERM and ENOSYS of kernels and users that load none.
        assert!(load(path.to_str().unwrap(), "", false).is_err());
        fs::remove_file(&path).unwrap();
        assert!(unload("no module of this name").is_err());
    }
}
