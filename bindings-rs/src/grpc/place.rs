//! Where clients come to: an address comes in, a listening socket goes out. A socket of the file
//! system is for the user that saker runs as alone: whoever connects reads all alerts.
use std::fs;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, fchmod};
use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use crate::failure::listen_reason as reason;

pub enum Address {
    Unix(PathBuf),
    Tcp(SocketAddr),
}

pub enum Listener {
    Unix(UnixListener, SocketFile),
    Tcp(TcpListener),
}

const BACKLOG: i32 = 64;

pub fn listen(address: &Address) -> Result<Listener, String> {
    match address {
        Address::Unix(path) => {
            let (listener, file) = listen_unix(path)?;
            Ok(Listener::Unix(listener, file))
        }
        Address::Tcp(address) => {
            let listener = TcpListener::bind(address).map_err(|error| reason(&error))?;
            listener.set_nonblocking(true).map_err(|error| reason(&error))?;
            Ok(Listener::Tcp(listener))
        }
    }
}

fn listen_unix(path: &Path) -> Result<(UnixListener, SocketFile), String> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)
            .map_err(|error| format!("cannot make {}: {}", directory.display(), reason(&error)))?;
    }
    remove_left(path)?;
    let told = |error: rustix::io::Errno| reason(&error.into());
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket =
        net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).map_err(told)?;
    // The kernel gives the file the mode that the socket has: it is nobody else's at any time.
    fchmod(socket.as_fd(), Mode::RUSR | Mode::WUSR).map_err(told)?;
    net::bind(&socket, &SocketAddrUnix::new(path).map_err(told)?).map_err(told)?;
    net::listen(&socket, BACKLOG).map_err(told)?;
    let file = SocketFile::of(path).map_err(|error| reason(&error))?;
    Ok((UnixListener::from(socket), file))
}

/// A socket that nobody listens on was left by one that was killed; anything else stays.
fn remove_left(path: &Path) -> Result<(), String> {
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
    if !found.file_type().is_socket() {
        return Err("there is something else than a socket".into());
    }
    match UnixStream::connect(path) {
        Ok(_) => Err("another program listens there".into()),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(|error| reason(&error))
        }
        Err(error) => Err(reason(&error)),
    }
}

/// The socket's own file, which goes with it.
pub struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<Self> {
        let found = fs::symlink_metadata(path)?;
        Ok(Self { path: path.into(), device: found.dev(), inode: found.ino() })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|found| found.dev() == self.device && found.ino() == self.inode);
        if ours {
            // Where it cannot be removed the next saker finds that nobody listens there.
            let _ = fs::remove_file(&self.path);
        }
    }
}
