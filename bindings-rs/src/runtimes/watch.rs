//! One socket for as long as saker runs: connected to when something listens there, asked what
//! there is, followed, and begun anew when it fails, after pauses that grow.
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::channel::{Channel, told};
use super::containerd::Containerd;
use super::cri::Cri;
use super::cri_messages::STOPPED;
use super::desk::{BY_CONTAINERD, BY_CRI, BY_DAEMON, BY_USER, Desk, Rank};
use super::docker::{Change, Docker};
use super::http::Trouble;
use super::info::{DOCKER, Info, PODMAN};

/// Between looks at a socket that is not there.
const ABSENT: Duration = Duration::from_millis(500);
/// After a failure, doubled each time.
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(20);
/// Between lists of a CRI that tells no events, and how often a connection is looked at.
const LIST_AGAIN: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_secs(1);

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

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Docker,
    Podman,
    Containerd,
    Cri,
}

impl Kind {
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "docker" => Self::Docker,
            "podman" => Self::Podman,
            "containerd" => Self::Containerd,
            "cri" => Self::Cri,
            _ => return None,
        })
    }
}

/// Those that answer now, by their place among the sockets.
#[derive(Default)]
pub struct Up(Mutex<Vec<(usize, Rank, Runtime)>>);

impl Up {
    pub fn all(&self) -> Vec<(usize, Rank, Runtime)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, place: usize, runtime: Option<(Rank, Runtime)>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(one, ..)| *one != place);
        all.extend(runtime.map(|(rank, runtime)| (place, rank, runtime)));
    }

    /// Whether somebody better than containerd itself answers for what is in one of its
    /// namespaces.
    fn covers(&self, namespace: &str) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().any(|(_, _, runtime)| match runtime {
            Runtime::Docker(docker) => namespace == "moby" && docker.runtime == DOCKER,
            Runtime::Cri(_) => namespace == "k8s.io",
            Runtime::Containerd(_) => false,
        })
    }
}

pub struct Watch {
    pub desk: Arc<Desk>,
    pub up: Arc<Up>,
    pub kind: Kind,
    pub socket: PathBuf,
    pub place: usize,
    pub with_size: bool,
    pub of_user: bool,
}

impl Watch {
    pub async fn run(self) {
        let mut pause = PAUSE_MIN;
        loop {
            if !self.socket.exists() {
                self.down("is not there");
                pause = PAUSE_MIN;
                sleep(ABSENT).await;
                continue;
            }
            let trouble = match self.connect().await {
                Ok(runtime) => {
                    pause = PAUSE_MIN;
                    self.follow(runtime).await
                }
                Err(trouble) => trouble,
            };
            self.down(&trouble);
            self.desk.change(self.place, |state| state.failures += 1);
            sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    fn down(&self, trouble: &str) {
        self.up.set(self.place, None);
        self.desk.change(self.place, |state| {
            state.up = false;
            state.follows = false;
            state.trouble = trouble.into();
        });
    }

    async fn connect(&self) -> Result<Runtime, Trouble> {
        let (runtime, version, rank) = match self.kind {
            Kind::Docker | Kind::Podman => {
                let runtime = if self.kind == Kind::Docker { DOCKER } else { PODMAN };
                let (socket, with_size) = (self.socket.clone(), self.with_size);
                let mut docker = Docker { socket, runtime, with_size };
                let version = docker.version().await?;
                if version.starts_with("Podman") {
                    // Podman's stand-in for Docker's socket.
                    docker.runtime = PODMAN;
                }
                let rank = if self.of_user { BY_USER } else { BY_DAEMON };
                (Runtime::Docker(docker), version, rank)
            }
            Kind::Containerd => {
                let channel = Channel::open(&self.socket).await?;
                let containerd = Containerd { channel, with_size: self.with_size };
                let version = containerd.version().await?;
                (Runtime::Containerd(containerd), version, BY_CONTAINERD)
            }
            Kind::Cri => {
                let channel = Channel::open(&self.socket).await?;
                let (cri, version) = Cri::greet(channel).await?;
                (Runtime::Cri(cri), version, BY_CRI)
            }
        };
        self.up.set(self.place, Some((rank, runtime.clone())));
        self.desk.change(self.place, |state| {
            state.up = true;
            state.version.clone_from(&version);
            state.trouble.clear();
            state.connects += 1;
            state.answers += 1;
        });
        Ok(runtime)
    }

    /// Follows until it fails.
    async fn follow(&self, runtime: Runtime) -> Trouble {
        let result = match runtime {
            Runtime::Docker(docker) => self.follow_docker(&docker).await,
            Runtime::Containerd(containerd) => self.follow_containerd(&containerd).await,
            Runtime::Cri(cri) => self.follow_cri(&cri).await,
        };
        result.err().unwrap_or_default()
    }

    fn follows(&self) {
        self.desk.change(self.place, |state| state.follows = true);
    }

    fn rank(&self) -> Rank {
        match self.kind {
            Kind::Cri => BY_CRI,
            Kind::Containerd => BY_CONTAINERD,
            _ if self.of_user => BY_USER,
            _ => BY_DAEMON,
        }
    }

    /// A question that failed costs its own answer; events are followed on.
    fn tried<T>(&self, answer: Result<T, Trouble>) -> Option<T> {
        answer
            .map_err(|trouble| {
                self.desk.change(self.place, |state| {
                    state.failures += 1;
                    state.trouble = trouble;
                });
            })
            .ok()
    }

    fn know(&self, all: &[Info]) {
        for info in all {
            self.desk.know(self.rank(), info, false);
        }
    }

    async fn follow_docker(&self, docker: &Docker) -> Result<(), Trouble> {
        // Followed before they are listed, so that none comes in between.
        let mut lines = docker.events().await?;
        self.follows();
        for id in docker.running().await? {
            self.know(docker.inspect(&id).await?.as_slice());
        }
        loop {
            match Docker::change(&lines.next().await?) {
                Some(Change::Came(id)) => {
                    if let Some(info) = self.tried(docker.inspect(&id).await) {
                        self.know(info.as_slice());
                    }
                }
                Some(Change::Went(id)) => self.desk.ended(&id),
                None => {}
            }
        }
    }

    async fn follow_containerd(&self, containerd: &Containerd) -> Result<(), Trouble> {
        // Its answer begins with the first event, so that there is no waiting for that.
        let listed = async {
            self.know(&containerd.all().await?);
            self.follows();
            Ok(())
        };
        let (mut events, ()) = tokio::try_join!(containerd.events(), listed)?;
        loop {
            let event = events.message().await.map_err(|status| told(&status))?;
            let event = event.ok_or("ended its stream of events")?;
            match Containerd::change(&event) {
                Some((namespace, Change::Came(id))) if !self.up.covers(&namespace) => {
                    if let Some(info) = self.tried(containerd.inspect_in(&namespace, &id).await) {
                        self.know(info.as_slice());
                    }
                }
                Some((_, Change::Went(id))) => self.desk.ended(&id),
                _ => {}
            }
        }
    }

    async fn follow_cri(&self, cri: &Cri) -> Result<(), Trouble> {
        let mut known = self.list_cri(cri).await?;
        if let Some(mut events) = cri.events().await? {
            self.follows();
            loop {
                let event = events.message().await.map_err(|status| told(&status))?;
                let event = event.ok_or("ended its stream of events")?;
                if event.kind >= STOPPED {
                    self.desk.ended(&event.container_id);
                } else if let Some(all) = self.tried(cri.inspect(&event.container_id).await) {
                    self.know(&all);
                }
            }
        }
        // Asked for when they are seen; what is no longer listed has ended.
        loop {
            let mut waited = Duration::ZERO;
            while waited < LIST_AGAIN {
                sleep(LOOK).await;
                waited += LOOK;
                if cri.channel.is_closed() {
                    return Err("closed the connection".into());
                }
            }
            let now = cri.ids().await?;
            for id in known.iter().filter(|id| !now.contains(id)) {
                self.desk.ended(id);
            }
            known = now;
        }
    }

    async fn list_cri(&self, cri: &Cri) -> Result<Vec<String>, Trouble> {
        let ids = cri.ids().await?;
        for id in &ids {
            self.know(&cri.inspect(id).await?);
        }
        Ok(ids)
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
