//! The thread that opens, writes and closes captures: requests come in, failures go out. It may
//! stand still for ever in any of its calls; nobody joins it.
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;
use std::thread;

use super::file::{How, Output, look};
use super::queue::{Queue, Request};

const STACK_BYTES: usize = 128 << 10;

pub fn start(queue: Arc<Queue>, reserve: usize) -> io::Result<()> {
    let mut writer = Writer { files: HashMap::new(), reserve: Reserve::new(reserve) };
    thread::Builder::new().name("saker-captures".to_owned()).stack_size(STACK_BYTES).spawn(
        move || {
            while let Some(request) = queue.take() {
                let failure = writer.carry_out(request, &queue);
                queue.finish(failure);
            }
        },
    )?;
    Ok(())
}

struct Writer {
    /// Those that are open; one that failed is closed, and what comes for it is left.
    files: HashMap<u32, Output>,
    reserve: Reserve,
}

impl Writer {
    fn carry_out(&mut self, request: Request, queue: &Queue) -> Option<(u32, i32)> {
        match request {
            Request::Open { file, path, how } => self.open(file, &path, how),
            Request::Write { file, bytes } => {
                let written = self.files.get_mut(&file)?.write(&bytes, &|| queue.moved());
                let failure = told(file, written.err()?);
                self.close(file);
                Some(failure)
            }
            Request::Close { file } => {
                self.close(file);
                None
            }
            Request::Remove { path } => {
                // Somebody may have taken it away already.
                let _ = std::fs::remove_file(OsStr::from_bytes(&path));
                None
            }
        }
    }

    fn open(&mut self, file: u32, path: &[u8], how: How) -> Option<(u32, i32)> {
        if how == How::Look {
            return look(path).err().map(|error| told(file, error));
        }
        match self.reserve.open(|| Output::open(path, how)) {
            Ok(output) => {
                self.files.insert(file, output);
                None
            }
            Err(error) => Some(told(file, error)),
        }
    }

    fn close(&mut self, file: u32) {
        self.files.remove(&file);
        self.reserve.refill();
    }
}

fn told(file: u32, error: io::Error) -> (u32, i32) {
    (file, error.raw_os_error().unwrap_or(libc::EIO))
}

/// Descriptors held back for captures, where this process has used up all that it may have.
struct Reserve {
    held: Vec<File>,
    count: usize,
}

impl Reserve {
    fn new(count: usize) -> Self {
        let mut reserve = Self { held: Vec::new(), count };
        reserve.refill();
        reserve
    }

    fn open<T>(&mut self, open: impl Fn() -> io::Result<T>) -> io::Result<T> {
        loop {
            let opened = open();
            let Err(error) = &opened else { return opened };
            // Another thread may be quicker to take what is given up here.
            if error.raw_os_error() != Some(libc::EMFILE) || self.held.pop().is_none() {
                self.refill();
                return opened;
            }
        }
    }

    /// Takes back what was given away, as far as there are descriptors again.
    fn refill(&mut self) {
        while self.held.len() < self.count {
            let Ok(file) = File::open("/dev/null") else { return };
            self.held.push(file);
        }
    }
}
