//! The thread: a watch for each socket, and an answer for each id that is asked for, from the best
//! of the runtimes that know it, or from the files that they keep of running containers.
use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep, timeout};

use super::desk::{Desk, Rank};
use super::info::Info;
use super::up::{Up, ask};
use super::watch::{Kind, Watch};
use super::{below, bundle};
use crate::async_thread;

/// Ids that are asked about at a time.
const SEARCHES_MAX: usize = 32;
/// Sockets, those of users counted.
const SOCKETS_MAX: usize = 64;
/// Between looks for sockets of users.
const LOOK_AGAIN: Duration = Duration::from_secs(3);
/// A file may lie on a mount that hangs.
const READ: Duration = Duration::from_millis(300);
/// Between questions about a container that nobody knows yet, doubled each time.
const AGAIN_MIN: Duration = Duration::from_millis(20);
/// What the others are waited for when one has answered, doubled each time.
const GRACE_MIN: Duration = Duration::from_millis(250);

pub struct Question {
    /// As much of it as the engine knows.
    pub id: String,
}

/// A socket, or with `*` in place of a directory several.
pub struct Place {
    pub kind: Kind,
    pub named: String,
    pub path: String,
}

pub struct Seeker {
    pub desk: Arc<Desk>,
    pub root: PathBuf,
    pub with_size: bool,
    pub patience: Duration,
}

impl Seeker {
    /// Runs until nobody can ask any more.
    pub fn start(self, places: Vec<Place>, questions: Receiver<Question>) -> io::Result<()> {
        async_thread::run("saker-runtimes", move || self.run(places, questions))
    }

    async fn run(self, places: Vec<Place>, mut questions: Receiver<Question>) {
        let seeker = Arc::new(self);
        let up = Arc::new(Up::default());
        tokio::spawn(Arc::clone(&seeker).look(places, Arc::clone(&up)));
        let searches = Arc::new(Semaphore::new(SEARCHES_MAX));
        while let Some(question) = questions.recv().await {
            // A socket that rests after a failure is tried again for it.
            up.wanted();
            let Ok(permit) = Arc::clone(&searches).acquire_owned().await else { return };
            let (seeker, up) = (Arc::clone(&seeker), Arc::clone(&up));
            tokio::spawn(async move {
                let _permit = permit;
                seeker.search(question, &up).await;
            });
        }
    }

    /// Starts a watch for each socket, and for those of users when they appear.
    async fn look(self: Arc<Self>, places: Vec<Place>, up: Arc<Up>) {
        let mut watched = HashSet::new();
        loop {
            for place in &places {
                for (path, of_user) in self.paths(&place.path) {
                    let key = (place.named.clone(), path.clone());
                    if watched.len() >= SOCKETS_MAX || !watched.insert(key) {
                        continue;
                    }
                    let shown = path.display().to_string();
                    let watch = Watch {
                        told: Mutex::default(),
                        desk: Arc::clone(&self.desk),
                        up: Arc::clone(&up),
                        kind: place.kind,
                        place: self.desk.add_socket(&place.named, &shown),
                        socket: path,
                        with_size: self.with_size,
                        of_user,
                    };
                    tokio::spawn(watch.run());
                }
            }
            sleep(LOOK_AGAIN).await;
            self.desk.sweep();
        }
    }

    /// The paths that a place stands for, and whether they are a user's own.
    fn paths(&self, place: &str) -> Vec<(PathBuf, bool)> {
        let Some((before, after)) = place.split_once("/*/") else {
            return vec![(below(&self.root, place), place.contains("/user/"))];
        };
        let Ok(all) = std::fs::read_dir(below(&self.root, before)) else { return Vec::new() };
        let sockets = all.flatten().take(SOCKETS_MAX).map(|entry| entry.path().join(after));
        sockets.filter(|socket| socket.exists()).map(|socket| (socket, true)).collect()
    }

    /// Asks again and again, as long as somebody may wait for it: runtimes start a container's
    /// first process before or after they know it themselves.
    async fn search(&self, Question { id: asked }: Question, up: &Up) {
        let deadline = Instant::now() + self.patience;
        let files = self.read(asked.clone()).await;
        let (mut id, mut found) = files.unwrap_or_else(|| (asked.clone(), None));
        let mut pause = AGAIN_MIN;
        let mut grace = GRACE_MIN;
        let mut rounds = 0;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let answer = ask(up, &self.desk, &id, left, grace).await;
            // What root's own files tell counts more than what a user says.
            if let Some((rank, all)) = answer
                && found.as_ref().is_none_or(|(files, _)| rank < *files)
            {
                for info in &all {
                    self.desk.know(rank, info, true);
                }
                return;
            }
            rounds += 1;
            // Two rounds are enough for whoever made it to know it.
            if let Some((rank, info)) = &found
                && (rounds > 1 || up.all().is_empty())
            {
                return self.desk.know(*rank, info, true);
            }
            // Sockets are looked for from the start on; where none answers, none may be there yet.
            if left.is_zero() {
                return self.desk.unknown(&asked);
            }
            sleep(pause.min(left)).await;
            // They are written while the container is made.
            if found.is_none()
                && let Some((whole, now)) = self.read(asked.clone()).await
            {
                (id, found) = (whole, now);
            }
            pause *= 2;
            grace *= 2;
        }
    }

    /// The whole id and what the files tell of it, read where a mount may hang.
    async fn read(&self, id: String) -> Option<(String, Option<(Rank, Info)>)> {
        let root = self.root.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let whole = if id.len() < 64 { bundle::whole_id(&root, &id) } else { None };
            let id = whole.unwrap_or(id);
            let found = bundle::find(&root, &id);
            (id, found)
        });
        timeout(READ, reading).await.ok()?.ok()
    }
}
