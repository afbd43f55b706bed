//! Between the alerts and the clients: each client has a line of its own, so that none waits for
//! another and the alerts for nobody. What nobody follows waits for the next client that comes.
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio_stream::Stream;
use tonic::Status;

use super::line::{Dropped, Entry, Limits, Line, PRIORITIES};

/// Streams of alerts at a time.
pub const CLIENTS_MAX: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What waits, then the end.
    Get,
    /// Alerts as they come, until the client goes.
    Follow,
}

struct Client {
    kind: Kind,
    line: Line,
    waker: Option<Waker>,
    /// When it took an alert last, or began to have one waiting.
    moved: Instant,
    /// Alerts that it did not get since it had none waiting.
    missed: u64,
    ending: bool,
}

#[derive(Default)]
struct Inner {
    clients: BTreeMap<u64, Client>,
    next: u64,
    backlog: Line,
    sent: u64,
    dropped: Dropped,
    opened: u64,
    refused: u64,
    closed: bool,
}

/// How it stands.
pub struct HubState {
    pub clients: usize,
    pub opened: u64,
    pub refused: u64,
    /// Alerts that clients took, and those that wait, each client's counted.
    pub sent: u64,
    pub waiting: usize,
    pub dropped: Dropped,
    /// Alerts that the slowest client, or the line where nobody is, did not get.
    pub missed: u64,
}

pub struct Hub {
    limits: Limits,
    inner: Mutex<Inner>,
}

impl Hub {
    pub fn new(limits: Limits) -> Self {
        Self { limits, inner: Mutex::new(Inner::default()) }
    }

    /// Gives the alerts to all who follow, or keeps them for the next client.
    pub fn push(&self, entries: Vec<Entry>) {
        let mut woken = Vec::new();
        let mut guard = self.lock();
        let inner = &mut *guard;
        for entry in entries {
            let mut followed = false;
            for client in inner.clients.values_mut().filter(|client| client.kind == Kind::Follow) {
                followed = true;
                if client.line.is_empty() {
                    client.moved = Instant::now();
                }
                if !client.line.offer(entry.clone(), self.limits, &mut inner.dropped) {
                    client.missed += 1;
                }
                woken.extend(client.waker.take());
            }
            if !followed {
                inner.backlog.offer(entry, self.limits, &mut inner.dropped);
            }
        }
        drop(guard);
        woken.into_iter().for_each(Waker::wake);
    }

    /// A new client's stream; it gets what waits for nobody else.
    pub fn open(self: &Arc<Self>, kind: Kind) -> Result<Alerts, Status> {
        let mut inner = self.lock();
        if inner.closed {
            return Err(ending());
        }
        if inner.clients.len() >= CLIENTS_MAX {
            inner.refused += 1;
            let message = format!("there are {CLIENTS_MAX} clients already");
            return Err(Status::resource_exhausted(message));
        }
        let id = inner.next;
        inner.next += 1;
        inner.opened += 1;
        let client = Client {
            kind,
            line: std::mem::take(&mut inner.backlog),
            waker: None,
            moved: Instant::now(),
            missed: 0,
            ending: false,
        };
        inner.clients.insert(id, client);
        Ok(Alerts { hub: Arc::clone(self), id })
    }

    /// Whether no alert waits for a client, but for such that took none for so long.
    pub fn settled(&self, patience: Duration) -> bool {
        let inner = self.lock();
        inner.clients.values().all(|one| one.line.is_empty() || one.moved.elapsed() >= patience)
    }

    /// Ends all streams; what still waits is dropped.
    pub fn close(&self) {
        let mut guard = self.lock();
        let inner = &mut *guard;
        inner.closed = true;
        inner.backlog.drop_all(&mut inner.dropped);
        let mut woken = Vec::new();
        for client in inner.clients.values_mut() {
            client.line.drop_all(&mut inner.dropped);
            client.ending = true;
            woken.extend(client.waker.take());
        }
        drop(guard);
        woken.into_iter().for_each(Waker::wake);
    }

    pub fn state(&self) -> HubState {
        let inner = self.lock();
        let waiting: usize = inner.clients.values().map(|client| client.line.len()).sum();
        HubState {
            clients: inner.clients.len(),
            opened: inner.opened,
            refused: inner.refused,
            sent: inner.sent,
            waiting: waiting + inner.backlog.len(),
            dropped: inner.dropped,
            missed: inner.clients.values().map(|client| client.missed).max().unwrap_or(0),
        }
    }

    fn next(&self, id: u64, context: &Context) -> Poll<Option<Result<Bytes, Status>>> {
        let mut guard = self.lock();
        let inner = &mut *guard;
        let Some(client) = inner.clients.get_mut(&id) else { return Poll::Ready(None) };
        if let Some(entry) = client.line.take() {
            client.moved = Instant::now();
            inner.sent += 1;
            return Poll::Ready(Some(Ok(entry.bytes)));
        }
        client.missed = 0;
        if client.kind == Kind::Get && !client.ending {
            return Poll::Ready(None);
        }
        if inner.closed {
            let told = std::mem::take(&mut client.ending);
            return Poll::Ready(told.then(|| Err(ending())));
        }
        client.waker = Some(context.waker().clone());
        Poll::Pending
    }

    /// The client has gone. What waited for it waits for the next, unless others got it too.
    fn leave(&self, id: u64) {
        let mut guard = self.lock();
        let inner = &mut *guard;
        let Some(client) = inner.clients.remove(&id) else { return };
        if inner.closed || inner.clients.values().any(|one| one.kind == Kind::Follow) {
            return;
        }
        let mut later = std::mem::replace(&mut inner.backlog, client.line);
        while let Some(entry) = later.take() {
            inner.backlog.offer(entry, self.limits, &mut inner.dropped);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it holds the lock, and what is in there is sound at any time.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ending() -> Status {
    Status::unavailable("saker is ending")
}

/// What one client is sent.
pub struct Alerts {
    hub: Arc<Hub>,
    id: u64,
}

impl Stream for Alerts {
    type Item = Result<Bytes, Status>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.hub.next(self.id, context)
    }
}

impl Drop for Alerts {
    fn drop(&mut self) {
        self.hub.leave(self.id);
    }
}

const _: () = assert!(PRIORITIES == 8, "as many as falco.schema.priority has");
