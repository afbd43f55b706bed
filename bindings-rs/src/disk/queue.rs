//! What waits for the thread that writes captures: requests in their order, bounded by the bytes
//! that they hold. In: requests of the engine. Out: the same to the writer, and how it stands.
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::file::How;

pub enum Request {
    Open {
        file: u32,
        path: Vec<u8>,
        how: How,
    },
    /// Whole blocks: what a failure leaves of a file ends behind one of these.
    Write {
        file: u32,
        bytes: Vec<u8>,
    },
    Close {
        file: u32,
    },
    Remove {
        path: Vec<u8>,
    },
}

/// How the writer stands.
pub struct State {
    /// Bytes that are not written yet.
    pub bytes: usize,
    /// Requests that are not done yet.
    pub requests: usize,
    /// Failures that nobody has taken.
    pub failures: usize,
    /// For how long the present call has been going on.
    pub stuck: Duration,
}

struct Inner {
    waiting: VecDeque<Request>,
    bytes: usize,
    /// The request that the writer has taken, and when its last call began.
    under_way: Option<(usize, Instant)>,
    failures: Vec<(u32, i32)>,
    ended: bool,
}

pub struct Queue {
    bytes_max: usize,
    inner: Mutex<Inner>,
    /// Something waits, or the end has come.
    filled: Condvar,
    /// Something was done.
    done: Condvar,
}

impl Queue {
    pub fn new(bytes_max: usize) -> Self {
        let inner = Inner {
            waiting: VecDeque::new(),
            bytes: 0,
            under_way: None,
            failures: Vec::new(),
            ended: false,
        };
        Self { bytes_max, inner: Mutex::new(inner), filled: Condvar::new(), done: Condvar::new() }
    }

    pub fn put(&self, request: Request) {
        self.lock().waiting.push_back(request);
        self.filled.notify_one();
    }

    /// Takes a copy of the piece where there is room for it within the time. One that is larger
    /// than the bound is taken where nothing else waits.
    pub fn put_bytes(&self, file: u32, piece: &[u8], timeout: Duration) -> bool {
        let bytes_max = self.bytes_max;
        let has_no_room =
            |inner: &mut Inner| inner.bytes > 0 && inner.bytes + piece.len() > bytes_max;
        let inner = self.lock();
        let waited = self.done.wait_timeout_while(inner, timeout, has_no_room);
        let Ok((mut inner, _)) = waited else { return false };
        if has_no_room(&mut inner) {
            return false;
        }
        inner.bytes += piece.len();
        inner.waiting.push_back(Request::Write { file, bytes: piece.to_vec() });
        self.filled.notify_one();
        true
    }

    /// Waits until nothing waits any more, or the time is over.
    pub fn wait(&self, timeout: Duration) -> bool {
        let is_busy = |inner: &mut Inner| !inner.waiting.is_empty() || inner.under_way.is_some();
        let waited = self.done.wait_timeout_while(self.lock(), timeout, is_busy);
        waited.is_ok_and(|(mut inner, _)| !is_busy(&mut inner))
    }

    pub fn state(&self) -> State {
        let inner = self.lock();
        State {
            bytes: inner.bytes,
            requests: inner.waiting.len() + usize::from(inner.under_way.is_some()),
            failures: inner.failures.len(),
            stuck: inner.under_way.map_or(Duration::ZERO, |(_, began)| began.elapsed()),
        }
    }

    pub fn take_failures(&self) -> Vec<(u32, i32)> {
        std::mem::take(&mut self.lock().failures)
    }

    /// Nothing more comes.
    pub fn end(&self) {
        self.lock().ended = true;
        self.filled.notify_one();
    }

    /// For the writer: the next request, once there is one; nothing at the end.
    pub fn take(&self) -> Option<Request> {
        let is_idle = |inner: &mut Inner| inner.waiting.is_empty() && !inner.ended;
        let mut inner = self.filled.wait_while(self.lock(), is_idle).ok()?;
        let request = inner.waiting.pop_front()?;
        let bytes = if let Request::Write { bytes, .. } = &request { bytes.len() } else { 0 };
        inner.under_way = Some((bytes, Instant::now()));
        Some(request)
    }

    /// For the writer: the request goes on.
    pub fn moved(&self) {
        if let Some((_, began)) = &mut self.lock().under_way {
            *began = Instant::now();
        }
    }

    /// For the writer: the request that it took is done.
    pub fn finish(&self, failure: Option<(u32, i32)>) {
        let mut inner = self.lock();
        if let Some((bytes, _)) = inner.under_way.take() {
            inner.bytes -= bytes;
        }
        inner.failures.extend(failure);
        drop(inner);
        self.done.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it holds the lock, and what is in there is sound at any time.
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
