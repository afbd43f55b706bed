//! The runtimes that answer now, and what the best of them says of a container.
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::{Instant, timeout};

use super::containerd::Containerd;
use super::cri::Cri;
use super::desk::{Desk, Rank};
use super::docker::Docker;
use super::http::Trouble;
use super::info::{DOCKER, Info};

/// A runtime that answers.
#[derive(Clone)]
pub enum Runtime {
    Docker(Docker),
    Containerd(Containerd),
    Cri(Cri),
}

impl Runtime {
    pub async fn inspect(&self, id: &str) -> Result<Vec<Info>, Trouble> {
        match self {
            Self::Docker(docker) => Ok(docker.inspect(id).await?.into_iter().collect()),
            Self::Containerd(containerd) => Ok(containerd.inspect(id).await?.into_iter().collect()),
            Self::Cri(cri) => cri.inspect(id).await,
        }
    }
}

/// Those that answer now, by their place among the sockets.
#[derive(Default)]
pub struct Up {
    answering: Mutex<Vec<(usize, Rank, Runtime)>>,
    asked: Notify,
}

impl Up {
    pub fn all(&self) -> Vec<(usize, Rank, Runtime)> {
        self.lock().clone()
    }

    /// Somebody asks of a container, which one that does not answer now may have made.
    pub fn wanted(&self) {
        self.asked.notify_waiters();
    }

    /// Until somebody asks, from now on.
    pub fn wait(&self) -> Notified<'_> {
        self.asked.notified()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(usize, Rank, Runtime)>> {
        self.answering.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set(&self, place: usize, runtime: Option<(Rank, Runtime)>) {
        let mut all = self.lock();
        all.retain(|(one, ..)| *one != place);
        all.extend(runtime.map(|(rank, runtime)| (place, rank, runtime)));
    }

    /// Whether somebody better than containerd itself answers for what is in one of its
    /// namespaces.
    pub fn covers(&self, namespace: &str) -> bool {
        let all = self.lock();
        all.iter().any(|(_, _, runtime)| match runtime {
            Runtime::Docker(docker) => namespace == "moby" && docker.runtime == DOCKER,
            Runtime::Cri(_) => namespace == "k8s.io",
            Runtime::Containerd(_) => false,
        })
    }
}

/// What the best of those that answer says of a container; `None` where none knows it. Once one has
/// answered, the others are waited for no longer than `grace`: one of them may hang.
pub async fn ask(
    up: &Up,
    desk: &Desk,
    id: &str,
    limit: Duration,
    grace: Duration,
) -> Option<(Rank, Vec<Info>)> {
    let mut asked = tokio::task::JoinSet::new();
    let all = up.all();
    let mut outstanding: Vec<Rank> = all.iter().map(|(_, rank, _)| *rank).collect();
    for (place, rank, runtime) in all {
        let id = id.to_owned();
        asked.spawn(async move { (place, rank, runtime.inspect(&id).await) });
    }
    let end = Instant::now() + limit;
    let mut best: Option<(Rank, Vec<Info>)> = None;
    let mut answered = false;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let wait = if answered { left.min(grace) } else { left };
        let Ok(Some(Ok((place, rank, answer)))) = timeout(wait, asked.join_next()).await else {
            return best;
        };
        if let Some(at) = outstanding.iter().position(|one| *one == rank) {
            outstanding.swap_remove(at);
        }
        match answer {
            Err(trouble) => desk.change(place, |state| {
                state.failures += 1;
                state.trouble = trouble;
            }),
            Ok(found) => {
                answered = true;
                desk.change(place, |state| state.answers += 1);
                if !found.is_empty() && best.as_ref().is_none_or(|(known, _)| rank < *known) {
                    best = Some((rank, found));
                }
            }
        }
        if let Some((rank, _)) = &best
            && outstanding.iter().all(|other| other >= rank)
        {
            return best;
        }
    }
}
