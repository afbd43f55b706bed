//! The machine as it is when the watching starts. In goes `/proc` (below a host root), out come
//! the state blocks of a `.scap` file: machine, interfaces, users, processes, descriptors.
//!
//! Everything that is read here may vanish while it is read and may be named by an attacker, so
//! all of it is bytes, a process that goes away is left out, and every list has a bound.

mod block;
mod cgroup;
mod cgroup_view;
mod descriptor;
mod machine;
mod namespaces;
mod overlay;
mod proc_dir;
mod scan;
mod socket;
mod status;

use block::Blocks;
use machine::{CONTAINER_ACCOUNTS_MAX, HOST_ACCOUNTS_MAX};
use scan::Scan;
use std::path::Path;

/// The machine below `host_root` (`/` on the host itself) as `.scap` blocks. The process
/// `self_pid` is left out. Fails where `/proc` cannot be read there.
pub fn machine_blocks(host_root: &Path, self_pid: u32) -> std::io::Result<Vec<u8>> {
    let mut scan = Scan::open(host_root)?;
    scan.processes(self_pid)?;
    let mut blocks = Blocks::new();
    machine::write_machine(&mut blocks, host_root);
    machine::write_interfaces(&mut blocks);
    machine::write_users(&mut blocks, host_root, HOST_ACCOUNTS_MAX);
    scan.write(&mut blocks);
    Ok(blocks.into_bytes())
}

/// One thread, the main thread of its process and the process's descriptors as `.scap` blocks;
/// empty where the thread is gone.
pub fn process_blocks(host_root: &Path, tid: u32) -> std::io::Result<Vec<u8>> {
    let mut scan = Scan::open(host_root)?;
    let mut blocks = Blocks::new();
    if scan.thread(tid) {
        scan.write(&mut blocks);
    }
    Ok(blocks.into_bytes())
}

/// Users and groups below the root of process `pid` as a `.scap` block, or those of the host where
/// `pid` is 0; an empty list where the process is gone.
pub fn account_blocks(host_root: &Path, pid: u32) -> Vec<u8> {
    let mut blocks = Blocks::new();
    if pid == 0 {
        machine::write_users(&mut blocks, host_root, HOST_ACCOUNTS_MAX);
    } else {
        let root = host_root.join(format!("proc/{pid}/root"));
        machine::write_users(&mut blocks, &root, CONTAINER_ACCOUNTS_MAX);
    }
    blocks.into_bytes()
}

/// What the addon exports; a test program has nobody to export to.
#[cfg(not(test))]
#[allow(clippy::needless_pass_by_value, reason = "napi hands strings over by value")]
mod export {
    use napi::bindgen_prelude::Uint8Array;
    use napi_derive::napi;
    use std::path::Path;
    use std::time::Duration;

    use crate::aside::Aside;

    /// A container's files may lie on a mount that hangs; its users then have no names.
    static READERS: Aside = Aside::new(4);
    const READ: Duration = Duration::from_millis(250);

    type Result<T> = napi::Result<T, &'static str>;

    fn bytes(blocks: std::io::Result<Vec<u8>>, host_root: &str) -> Result<Uint8Array> {
        blocks.map(Uint8Array::from).map_err(|error| {
            napi::Error::new("IO", format!("cannot read {host_root}/proc: {error}"))
        })
    }

    #[napi]
    pub fn snapshot(host_root: String, self_pid: u32) -> Result<Uint8Array> {
        bytes(super::machine_blocks(Path::new(root(&host_root)), self_pid), &host_root)
    }

    #[napi]
    pub fn snapshot_process(host_root: String, pid: u32) -> Result<Uint8Array> {
        bytes(super::process_blocks(Path::new(root(&host_root)), pid), &host_root)
    }

    #[napi]
    pub fn snapshot_accounts(host_root: String, pid: u32) -> Uint8Array {
        if pid == 0 {
            return super::account_blocks(Path::new(root(&host_root)), pid).into();
        }
        let read = move || super::account_blocks(Path::new(root(&host_root)), pid);
        READERS.within(READ, read).unwrap_or_default().into()
    }

    /// An empty host root means the host itself.
    fn root(host_root: &str) -> &str {
        if host_root.is_empty() { "/" } else { host_root }
    }
}

#[cfg(test)]
mod tests;
