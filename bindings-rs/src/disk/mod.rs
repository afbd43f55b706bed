//! The class CaptureDisk of ../index.d.ts: captures are opened, written and closed by a thread of
//! its own, so that a mount that hangs holds up no engine. Requests go in, bounded by their bytes;
//! what became of them is looked up, never waited for unless the caller says how long.
#![allow(clippy::needless_pass_by_value, reason = "napi hands values over")]
mod file;
mod queue;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use crate::failure::{Code, Failure};
use file::How;
use queue::{Queue, Request};

type Result<T> = std::result::Result<T, napi::Error<Code>>;

#[napi(object)]
pub struct DiskOptions {
    pub bytes_max: u32,
    pub reserve: u32,
}

#[napi(object)]
pub struct DiskFailure {
    pub file: u32,
    pub errno: i32,
}

#[napi(object)]
pub struct DiskState {
    pub waiting_bytes: u32,
    pub requests: u32,
    pub failures: u32,
    pub stuck_ms: u32,
}

#[napi]
pub struct CaptureDisk {
    queue: Arc<Queue>,
    files: u32,
}

#[napi]
impl CaptureDisk {
    #[napi(factory)]
    pub fn make(options: DiskOptions) -> Result<Self> {
        let queue = Arc::new(Queue::new(options.bytes_max as usize));
        writer::start(Arc::clone(&queue), options.reserve as usize).map_err(|error| {
            Failure::new(Code::Io, format!("Cannot start the thread of captures: {error}"))
        })?;
        Ok(Self { queue, files: 0 })
    }

    /// Asks for a file to be opened; returns its number.
    #[napi]
    pub fn open(&mut self, path: Uint8Array, how: u32) -> u32 {
        self.files += 1;
        let how = match how {
            0 => How::New,
            1 => How::Look,
            2 => How::Given,
            _ => How::StandardOutput,
        };
        self.queue.put(Request::Open { file: self.files, path: path.to_vec(), how });
        self.files
    }

    /// Takes a piece as a whole; false where there is no room, and none within the time.
    #[napi]
    pub fn write(&mut self, file: u32, bytes: Uint8Array, length: u32, wait_ms: u32) -> bool {
        let Some(piece) = bytes.get(..length as usize) else { return false };
        let timeout = Duration::from_millis(u64::from(wait_ms));
        self.queue.put_bytes(file, piece, timeout)
    }

    #[napi]
    pub fn close(&mut self, file: u32) {
        self.queue.put(Request::Close { file });
    }

    #[napi]
    pub fn remove(&mut self, path: Uint8Array) {
        self.queue.put(Request::Remove { path: path.to_vec() });
    }

    /// Waits until all is done, or the time is over; whether all is done.
    #[napi]
    pub fn wait(&self, timeout_ms: u32) -> bool {
        self.queue.wait(Duration::from_millis(u64::from(timeout_ms)))
    }

    #[napi]
    pub fn state(&self) -> DiskState {
        let state = self.queue.state();
        DiskState {
            waiting_bytes: state.bytes as u32,
            requests: state.requests as u32,
            failures: state.failures as u32,
            stuck_ms: u32::try_from(state.stuck.as_millis()).unwrap_or(u32::MAX),
        }
    }

    #[napi]
    pub fn take_failures(&self) -> Vec<DiskFailure> {
        let taken = self.queue.take_failures();
        taken.into_iter().map(|(file, errno)| DiskFailure { file, errno }).collect()
    }
}

impl Drop for CaptureDisk {
    /// What waits is still written where it can be; nobody waits for it.
    fn drop(&mut self) {
        self.queue.end();
    }
}

#[cfg(test)]
mod tests;
