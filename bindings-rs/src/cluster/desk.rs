//! Between the thread that asks the cluster and the engine: news for the engine, bounded, each told
//! once, in the order in which they came; and how the cluster's side stands.
use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::objects::{Told, deleted};
use crate::bell::Bell;

/// News that the engine has not taken; it takes them many times a second.
const NEWS_MAX: usize = 16_384;
const NEWS_BYTES_MAX: usize = 32 << 20;
/// Objects that were told and are still there.
const TOLD_MAX: usize = 16_384;
/// What a deleted pod's last events may still need.
const LINGER: Duration = Duration::from_mins(1);

#[derive(Clone, Default)]
pub struct State {
    /// Pods of this node are followed.
    pub up: bool,
    /// There was an outcome of the first attempt.
    pub tried: bool,
    pub version: String,
    /// Why pods are not followed, or what else is not known.
    pub trouble: String,
    pub pods: u64,
    pub objects: u64,
    pub connects: u64,
    pub answers: u64,
    pub failures: u64,
    /// Lists that were asked for anew, since what followed them was gone (410).
    pub relists: u64,
    /// Objects that a bound refused.
    pub refused: u64,
    /// News that found no room, and are told later.
    pub dropped: u64,
}

struct Known {
    kind: String,
    hash: u64,
    /// When it is to be forgotten: it was deleted.
    due: Option<Instant>,
}

#[derive(Default)]
struct Inner {
    news: VecDeque<String>,
    bytes: usize,
    told: HashMap<String, Known>,
    state: State,
    bell: Option<Bell>,
}

impl Inner {
    fn ring(&self) {
        if let Some(bell) = &self.bell {
            bell.set(self.news.len());
        }
    }

    /// Whether it found room.
    fn put(&mut self, json: String) -> bool {
        if self.news.len() >= NEWS_MAX || self.bytes + json.len() > NEWS_BYTES_MAX {
            self.state.dropped += 1;
            return false;
        }
        self.bytes += json.len();
        self.news.push_back(json);
        self.ring();
        true
    }
}

#[derive(Default)]
pub struct Desk {
    inner: Mutex<Inner>,
}

impl Desk {
    /// Tells of an object, where that is news; false where it is to be told again later.
    pub fn tell(&self, told: &Told<'_>) -> bool {
        let json = told.json();
        let mut hasher = DefaultHasher::new();
        json.hash(&mut hasher);
        let hash = hasher.finish();
        let mut inner = self.lock();
        let uid = &told.meta.uid;
        if let Some(known) = inner.told.get_mut(uid) {
            if known.hash == hash {
                known.due = None;
                return true;
            }
        } else if inner.told.len() >= TOLD_MAX {
            inner.state.refused += 1;
            return true;
        }
        if !inner.put(json) {
            return false;
        }
        let kind = told.kind.to_owned();
        inner.told.insert(uid.clone(), Known { kind, hash, due: None });
        count(&mut inner);
        true
    }

    /// It was deleted: forgotten in a while.
    pub fn delete(&self, uid: &str) {
        let mut inner = self.lock();
        if let Some(known) = inner.told.get_mut(uid) {
            known.due.get_or_insert_with(|| Instant::now() + LINGER);
        }
    }

    /// Those of a kind that are told and not deleted.
    pub fn told(&self, is_meant: impl Fn(&str, &str) -> bool) -> Vec<String> {
        let inner = self.lock();
        let all = inner.told.iter().filter(|(_, known)| known.due.is_none());
        all.filter(|(uid, known)| is_meant(&known.kind, uid)).map(|(uid, _)| uid.clone()).collect()
    }

    /// To be called about once a second: what was deleted a while ago is told.
    pub fn sweep(&self) {
        let now = Instant::now();
        let mut inner = self.lock();
        let due = |known: &Known| known.due.is_some_and(|due| due <= now);
        let gone: Vec<(String, String)> = inner
            .told
            .iter()
            .filter(|(_, known)| due(known))
            .map(|(uid, known)| (known.kind.clone(), uid.clone()))
            .collect();
        for (kind, uid) in gone {
            if !inner.put(deleted(&kind, &uid)) {
                break;
            }
            inner.told.remove(&uid);
        }
        count(&mut inner);
    }

    /// Where the engine looks for news; nothing is written to the one before any more.
    pub fn ring_at(&self, bell: Option<Bell>) {
        let mut inner = self.lock();
        inner.bell = bell;
        inner.ring();
    }

    /// What the engine has not taken yet, oldest first.
    pub fn take(&self, max: usize) -> Vec<String> {
        let mut inner = self.lock();
        let many = inner.news.len().min(max);
        let taken: Vec<String> = inner.news.drain(..many).collect();
        inner.bytes -= taken.iter().map(String::len).sum::<usize>();
        inner.ring();
        taken
    }

    pub fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock().state);
    }

    pub fn state(&self) -> State {
        self.lock().state.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it holds the lock, and what is in there is sound at any time.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(inner: &mut Inner) {
    inner.state.objects = inner.told.len() as u64;
    inner.state.pods = inner.told.values().filter(|known| known.kind == "Pod").count() as u64;
}
