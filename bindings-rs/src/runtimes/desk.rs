//! Between the thread that asks the runtimes and the engine: news for the engine, bounded, in the
//! order in which they came; and how each socket stands.
use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::info::Info;
use crate::bell::Bell;

/// News that the engine has not taken; it takes them many times a second.
const NEWS_MAX: usize = 8192;
const NEWS_BYTES_MAX: usize = 32 << 20;
/// Containers whose last news are remembered, so that nothing is told twice.
const KNOWN_MAX: usize = 16_384;
/// What an ended container's last events may still need.
const LINGER: Duration = Duration::from_mins(1);

pub enum News {
    /// The JSON of a container.
    Known(String),
    /// It has ended a while ago.
    Gone(String),
    /// No runtime knows the id that was asked for.
    Unknown(String),
}

impl News {
    fn bytes(&self) -> usize {
        let (Self::Known(text) | Self::Gone(text) | Self::Unknown(text)) = self;
        text.len()
    }
}

/// Whose word counts more: where several runtimes know a container, the one that made it says more
/// of it than the one below.
pub type Rank = u8;
pub const BY_CRI: Rank = 0;
pub const BY_DAEMON: Rank = 1;
pub const BY_CONTAINERD: Rank = 2;
pub const BY_FILES: Rank = 3;
/// A user's own socket or files: he may say what he likes, of containers of others too.
pub const BY_USER: Rank = 4;
pub const BY_USERS_FILES: Rank = 5;

#[derive(Clone, Debug, Default)]
pub struct SocketState {
    pub kind: String,
    pub path: String,
    /// It answers.
    pub up: bool,
    pub version: String,
    /// Why it does not answer.
    pub trouble: String,
    /// Whether it tells of containers that come and go.
    pub follows: bool,
    pub connects: u64,
    pub answers: u64,
    pub failures: u64,
}

#[derive(Clone, Copy, Default)]
pub struct Totals {
    pub asked: u64,
    /// Asked while too many questions waited.
    pub refused: u64,
    pub found: u64,
    pub unknown: u64,
    /// News that found no room.
    pub dropped: u64,
}

#[derive(Default)]
struct Inner {
    news: VecDeque<News>,
    bytes: usize,
    known: HashMap<String, (Rank, u64)>,
    order: VecDeque<String>,
    ended: VecDeque<(Instant, String)>,
    sockets: Vec<SocketState>,
    totals: Totals,
    bell: Option<Bell>,
}

impl Inner {
    fn ring(&self) {
        if let Some(bell) = &self.bell {
            bell.set(self.news.len());
        }
    }
}

pub struct Desk {
    inner: Mutex<Inner>,
    pub label_max: usize,
}

impl Desk {
    pub fn new(label_max: usize) -> Self {
        Self { inner: Mutex::default(), label_max }
    }

    /// A container as a runtime tells it. `asked`: somebody waits for it, so it is told again.
    pub fn know(&self, rank: Rank, info: &Info, asked: bool) {
        let json = info.json(self.label_max);
        let mut hasher = DefaultHasher::new();
        json.hash(&mut hasher);
        let now = (rank, hasher.finish());
        let mut inner = self.lock();
        let before = inner.known.get(&info.id).copied();
        if before.is_some() && !asked {
            // Its runtime says that it is there: it was begun again.
            inner.ended.retain(|(_, id)| *id != info.id);
        }
        if before.is_some_and(|(better, _)| better < rank) && (!asked || rank >= BY_USER) {
            return;
        }
        if before == Some(now) && !asked {
            return;
        }
        if before.is_none() {
            if inner.order.len() >= KNOWN_MAX
                && let Some(oldest) = inner.order.pop_front()
            {
                inner.known.remove(&oldest);
            }
            inner.order.push_back(info.id.clone());
        }
        inner.known.insert(info.id.clone(), now);
        inner.totals.found += 1;
        put(&mut inner, News::Known(json));
    }

    pub fn unknown(&self, id: &str) {
        let mut inner = self.lock();
        inner.totals.unknown += 1;
        put(&mut inner, News::Unknown(id.into()));
    }

    /// It has ended: forgotten in a while.
    pub fn ended(&self, id: &str) {
        let mut inner = self.lock();
        if !inner.known.contains_key(id) || inner.ended.iter().any(|(_, one)| one == id) {
            return;
        }
        inner.ended.push_back((Instant::now() + LINGER, id.into()));
        if inner.ended.len() > KNOWN_MAX {
            let oldest = inner.ended.pop_front();
            let_go(&mut inner, oldest);
        }
    }

    /// Lets go of what ended a while ago: to be called every few seconds.
    pub fn sweep(&self) {
        let mut inner = self.lock();
        let now = Instant::now();
        while inner.ended.front().is_some_and(|(due, _)| *due <= now) {
            let due = inner.ended.pop_front();
            let_go(&mut inner, due);
        }
    }

    /// Where the engine looks for news; nothing is written to the one before any more.
    pub fn ring_at(&self, bell: Option<Bell>) {
        let mut inner = self.lock();
        inner.bell = bell;
        inner.ring();
    }

    pub fn asked(&self, admitted: bool) {
        let totals = &mut self.lock().totals;
        totals.asked += 1;
        totals.refused += u64::from(!admitted);
    }

    /// What the engine has not taken yet, oldest first.
    pub fn take(&self, max: usize) -> Vec<News> {
        let mut guard = self.lock();
        let inner = &mut *guard;
        let many = inner.news.len().min(max);
        let taken: Vec<News> = inner.news.drain(..many).collect();
        inner.bytes -= taken.iter().map(News::bytes).sum::<usize>();
        inner.ring();
        taken
    }

    /// Adds a socket, and returns its place.
    pub fn add_socket(&self, kind: &str, path: &str) -> usize {
        let mut inner = self.lock();
        let (kind, path) = (kind.to_owned(), path.to_owned());
        inner.sockets.push(SocketState { kind, path, ..SocketState::default() });
        inner.sockets.len() - 1
    }

    pub fn change(&self, place: usize, change: impl FnOnce(&mut SocketState)) {
        if let Some(state) = self.lock().sockets.get_mut(place) {
            change(state);
        }
    }

    pub fn sockets(&self) -> Vec<SocketState> {
        self.lock().sockets.clone()
    }

    pub fn totals(&self) -> Totals {
        self.lock().totals
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it holds the lock, and what is in there is sound at any time.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn let_go(inner: &mut Inner, one: Option<(Instant, String)>) {
    let Some((_, id)) = one else { return };
    inner.known.remove(&id);
    inner.order.retain(|known| *known != id);
    put(inner, News::Gone(id));
}

fn put(inner: &mut Inner, news: News) {
    let bytes = news.bytes();
    if inner.news.len() >= NEWS_MAX || inner.bytes + bytes > NEWS_BYTES_MAX {
        inner.totals.dropped += 1;
        return;
    }
    inner.bytes += bytes;
    inner.news.push_back(news);
    inner.ring();
}
