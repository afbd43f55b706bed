//! One socket for as long as saker runs: connected to when something listens there, asked what
//! there is, followed, and begun anew when it fails, after pauses that grow.
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::channel::{Channel, told};
use super::containerd::Containerd;
use super::cri::Cri;
use super::cri_messages::{ContainerEvent, STOPPED};
use super::desk::{BY_CONTAINERD, BY_CRI, BY_DAEMON, BY_USER, Desk, Rank};
use super::docker::{Change, Docker};
use super::http::Trouble;
use super::info::{DOCKER, Info, LISTED_MAX, PODMAN};
use super::up::{Runtime, Up};

/// Between looks at a socket that is not there. Somebody who asks of a container ends it after
/// PAUSE_MIN, as any pause.
const ABSENT: Duration = Duration::from_secs(5);
/// After a failure, doubled each time.
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(20);
/// Who has no events to tell says so within this.
const ANSWER_BEGINS: Duration = Duration::from_millis(200);
/// Between lists of a CRI that tells no events, and how often a connection is looked at.
const LIST_AGAIN: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_secs(1);
/// Containers of one socket that are remembered as running.
const TOLD_MAX: usize = 16_384;

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

pub struct Watch {
    pub desk: Arc<Desk>,
    pub up: Arc<Up>,
    pub kind: Kind,
    pub socket: PathBuf,
    pub place: usize,
    pub with_size: bool,
    pub of_user: bool,
    /// Containers that it told of and that have not ended: those that a later list lacks ended
    /// while it did not answer.
    pub told: Mutex<HashSet<String>>,
}

impl Watch {
    pub async fn run(self) {
        let mut pause = PAUSE_MIN;
        loop {
            if !self.socket.exists() {
                self.down("is not there");
                pause = PAUSE_MIN;
                self.rest(ABSENT).await;
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
            self.rest(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    async fn rest(&self, pause: Duration) {
        // Who asks from now on is heard, even before the first pause is over.
        let asked = self.up.wait();
        sleep(PAUSE_MIN).await;
        let _ = timeout(pause.saturating_sub(PAUSE_MIN), asked).await;
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

    fn follows(&self, does: bool) {
        self.desk.change(self.place, |state| state.follows = does);
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
            let mut told = self.running();
            if told.len() < TOLD_MAX {
                told.insert(info.id.clone());
            }
            self.desk.know(self.rank(), info, false);
        }
    }

    fn ended(&self, id: &str) {
        self.running().remove(id);
        self.desk.ended(id);
    }

    /// These are all that there are, as long as a list holds them.
    fn listed(&self, ids: &[String]) {
        if ids.len() >= LISTED_MAX {
            return;
        }
        let ids: HashSet<&String> = ids.iter().collect();
        let gone: Vec<String> =
            self.running().iter().filter(|id| !ids.contains(id)).cloned().collect();
        for id in gone {
            self.ended(&id);
        }
    }

    fn running(&self) -> MutexGuard<'_, HashSet<String>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn follow_docker(&self, docker: &Docker) -> Result<(), Trouble> {
        // Followed before they are listed, so that none comes in between.
        let mut lines = docker.events().await?;
        self.follows(true);
        let ids = docker.running().await?;
        self.listed(&ids);
        for id in &ids {
            self.know(docker.inspect(id).await?.as_slice());
        }
        loop {
            match Docker::change(&lines.next().await?) {
                Some(Change::Came(id)) => {
                    if let Some(info) = self.tried(docker.inspect(&id).await) {
                        self.know(info.as_slice());
                    }
                }
                Some(Change::Went(id)) => self.ended(&id),
                None => {}
            }
        }
    }

    async fn follow_containerd(&self, containerd: &Containerd) -> Result<(), Trouble> {
        // Its answer begins with the first event, so that there is no waiting for that.
        let listed = async {
            let all = containerd.all().await?;
            self.listed(&all.iter().map(|info| info.id.clone()).collect::<Vec<_>>());
            self.know(&all);
            self.follows(true);
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
                Some((_, Change::Went(id))) => self.ended(&id),
                _ => {}
            }
        }
    }

    async fn follow_cri(&self, cri: &Cri) -> Result<(), Trouble> {
        self.list_cri(cri).await?;
        // Its answer begins with the first event, where there will be one.
        let asked = cri.events();
        tokio::pin!(asked);
        let answer = if let Ok(answer) = timeout(ANSWER_BEGINS, &mut asked).await {
            answer?
        } else {
            self.follows(true);
            asked.await?
        };
        if let Some(mut events) = answer {
            let mut told_any = false;
            while let Some(event) = events.message().await.map_err(|status| told(&status))? {
                self.follows(true);
                told_any = true;
                self.take_event(cri, &event).await;
            }
            if told_any {
                return Err("ended its stream of events".into());
            }
            // CRI-O has the call, and the stream is at its end unless it is told to have events.
            self.follows(false);
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
            self.listed(&cri.ids().await?);
        }
    }

    async fn take_event(&self, cri: &Cri, event: &ContainerEvent) {
        if event.kind >= STOPPED {
            self.ended(&event.container_id);
        } else if let Some(all) = self.tried(cri.inspect(&event.container_id).await) {
            self.know(&all);
        }
    }

    async fn list_cri(&self, cri: &Cri) -> Result<(), Trouble> {
        let ids = cri.ids().await?;
        self.listed(&ids);
        for id in &ids {
            self.know(&cri.inspect(id).await?);
        }
        Ok(())
    }
}
