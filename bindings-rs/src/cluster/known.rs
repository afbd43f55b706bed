//! What is known of the cluster, as far as pods of this node need it: objects of lists and changes
//! come in, each pod goes out joined with what it belongs to, and what is still to be asked.
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::desk::Desk;
use super::objects::{Meta, OwnerRef, Pod, Refs, Service, Told, weight};

/// A node has a few hundred at most.
const PODS_MAX: usize = 2_048;
const OWNERS_MAX: usize = 2 * PODS_MAX;
const SERVICES_MAX: usize = 32_768;
const NAMESPACES_MAX: usize = 16_384;
/// Of all of them, about.
const BYTES_MAX: usize = 64 << 20;
/// What is known of an owner is asked anew after so long, and after failures, doubled each time.
const REFRESH: Duration = Duration::from_mins(30);
const AGAIN_MIN: Duration = Duration::from_secs(1);
const AGAIN_MAX: Duration = Duration::from_mins(5);
/// A new replica set tells that its deployment changed.
const FRESH: Duration = Duration::from_secs(10);

pub const REPLICA_SET: &str = "ReplicaSet";
pub const REPLICATION_CONTROLLER: &str = "ReplicationController";
pub const DEPLOYMENT: &str = "Deployment";

/// The lists that are followed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    Pods,
    Namespaces,
    Services,
}

/// An owner that is to be asked for.
#[derive(Clone)]
pub struct Wanted {
    pub owner: OwnerRef,
    pub namespace: String,
}

struct Owner {
    wanted: Wanted,
    /// What was answered, and who owns it.
    answer: Option<(Meta, Option<OwnerRef>)>,
    asked: Option<Instant>,
    due: Instant,
    again: Duration,
}

#[derive(Default)]
struct Inner {
    pods: HashMap<String, Pod>,
    /// By their names.
    namespaces: HashMap<String, Meta>,
    services: HashMap<String, Service>,
    owners: HashMap<String, Owner>,
    bytes: usize,
    /// Lists of which there was an outcome: pods are told when there is one of each.
    settled: [bool; 3],
    /// Something found no room, and is to be told again.
    missed: bool,
}

impl Inner {
    /// Whether there is room for so many bytes more, which are taken then.
    fn takes(&mut self, bytes: usize) -> bool {
        if self.bytes + bytes > BYTES_MAX {
            return false;
        }
        self.bytes += bytes;
        true
    }
}

pub struct Known {
    inner: Mutex<Inner>,
    pub desk: Arc<Desk>,
    /// There is somebody to ask for.
    pub wanted: Notify,
}

impl Known {
    pub fn new(desk: Arc<Desk>) -> Self {
        Self { inner: Mutex::default(), desk, wanted: Notify::new() }
    }

    /// There was a first outcome of a list, whatever it is.
    pub fn settle(&self, listed: Listed) {
        let mut inner = self.lock();
        if !std::mem::replace(&mut inner.settled[listed as usize], true) {
            self.tell_all(&mut inner);
        }
    }

    pub fn add_pod(&self, pod: Pod) {
        let mut inner = self.lock();
        let uid = pod.meta.uid.clone();
        let before = inner.pods.remove(&uid);
        inner.bytes -= before.map_or(0, |one| one.meta.weight());
        if inner.pods.len() >= PODS_MAX || !inner.takes(pod.meta.weight()) {
            return self.desk.change(|state| state.refused += 1);
        }
        inner.pods.insert(uid.clone(), pod);
        self.tell(&mut inner, &uid);
    }

    pub fn add_namespace(&self, meta: Meta) {
        let mut inner = self.lock();
        let name = meta.name.clone();
        let before = inner.namespaces.remove(&name);
        inner.bytes -= before.as_ref().map_or(0, Meta::weight);
        if inner.namespaces.len() >= NAMESPACES_MAX || !inner.takes(meta.weight()) {
            return self.desk.change(|state| state.refused += 1);
        }
        inner.namespaces.insert(name.clone(), meta);
        self.tell_namespace(&mut inner, &name);
    }

    pub fn add_service(&self, service: Service) {
        let mut inner = self.lock();
        let (uid, namespace) = (service.meta.uid.clone(), service.meta.namespace.clone());
        let before = inner.services.remove(&uid);
        inner.bytes -= before.as_ref().map_or(0, service_weight);
        if inner.services.len() >= SERVICES_MAX || !inner.takes(service_weight(&service)) {
            return self.desk.change(|state| state.refused += 1);
        }
        inner.services.insert(uid, service);
        self.tell_namespace(&mut inner, &namespace);
    }

    pub fn remove(&self, listed: Listed, uid: &str) {
        self.remove_from(&mut self.lock(), listed, uid);
        self.forget();
    }

    /// A list came anew: what is not in it any more was deleted meanwhile.
    pub fn keep_only(&self, listed: Listed, uids: &HashSet<String>) {
        let mut inner = self.lock();
        let all: Vec<String> = match listed {
            Listed::Pods => inner.pods.keys().cloned().collect(),
            Listed::Namespaces => inner.namespaces.values().map(|one| one.uid.clone()).collect(),
            Listed::Services => inner.services.keys().cloned().collect(),
        };
        for uid in all.iter().filter(|uid| !uids.contains(*uid)) {
            self.remove_from(&mut inner, listed, uid);
        }
        drop(inner);
        self.forget();
    }

    fn remove_from(&self, inner: &mut Inner, listed: Listed, uid: &str) {
        match listed {
            Listed::Pods => {
                let gone = inner.pods.remove(uid);
                inner.bytes -= gone.map_or(0, |one| one.meta.weight());
            }
            Listed::Namespaces => {
                let name = inner.namespaces.values().find(|one| one.uid == uid);
                let name = name.map(|one| one.name.clone()).unwrap_or_default();
                let gone = inner.namespaces.remove(&name);
                inner.bytes -= gone.as_ref().map_or(0, Meta::weight);
            }
            Listed::Services => {
                let Some(gone) = inner.services.remove(uid) else { return };
                inner.bytes -= service_weight(&gone);
                self.tell_namespace(inner, &gone.meta.namespace);
            }
        }
    }

    /// The next owner that is to be asked for now.
    pub fn next_wanted(&self) -> Option<Wanted> {
        let now = Instant::now();
        let mut inner = self.lock();
        // Those that were never asked for come first: pods wait for them.
        let due = inner.owners.values_mut().filter(|one| one.due <= now);
        let next = due.min_by_key(|one| (one.asked.is_some(), one.due))?;
        // Whatever comes of it, it is not asked for at once again.
        next.due = now + next.again;
        next.again = (next.again * 2).min(AGAIN_MAX);
        Some(next.wanted.clone())
    }

    /// What came of asking; `None`: nothing, it failed or is another by now.
    pub fn answer(&self, uid: &str, answer: Option<(Meta, Option<OwnerRef>)>) {
        let now = Instant::now();
        let mut inner = self.lock();
        let Some(owner) = inner.owners.get_mut(uid) else { return };
        owner.asked = Some(now);
        let namespace = owner.wanted.namespace.clone();
        if let Some((meta, above)) = answer {
            owner.due = now + REFRESH;
            owner.again = AGAIN_MIN;
            owner.answer = Some((meta, above.clone()));
            if let Some(above) = above {
                self.want(&mut inner, &above, &namespace);
            }
        }
        self.tell_namespace(&mut inner, &namespace);
    }

    fn want(&self, inner: &mut Inner, owner: &OwnerRef, namespace: &str) {
        if !matches!(owner.kind.as_str(), REPLICA_SET | REPLICATION_CONTROLLER | DEPLOYMENT) {
            return;
        }
        let now = Instant::now();
        if let Some(known) = inner.owners.get_mut(&owner.uid) {
            let is_old = known.asked.is_some_and(|at| now.duration_since(at) > FRESH);
            // Asked by a replica set that was just answered for.
            if owner.kind == DEPLOYMENT && is_old && known.answer.is_some() {
                known.due = now;
                self.wanted.notify_one();
            }
            return;
        }
        if inner.owners.len() >= OWNERS_MAX {
            return self.desk.change(|state| state.refused += 1);
        }
        let wanted = Wanted { owner: owner.clone(), namespace: namespace.into() };
        let one = Owner { wanted, answer: None, asked: None, due: now, again: AGAIN_MIN };
        inner.owners.insert(owner.uid.clone(), one);
        self.wanted.notify_one();
    }

    fn tell_all(&self, inner: &mut Inner) {
        let all: Vec<String> = inner.pods.keys().cloned().collect();
        for uid in all {
            self.tell(inner, &uid);
        }
    }

    fn tell_namespace(&self, inner: &mut Inner, namespace: &str) {
        let all = inner.pods.values().filter(|pod| pod.meta.namespace == namespace);
        let all: Vec<String> = all.map(|pod| pod.meta.uid.clone()).collect();
        for uid in all {
            self.tell(inner, &uid);
        }
    }

    /// Tells of a pod and of what it belongs to, the pod last; not yet where an owner was never
    /// asked for.
    fn tell(&self, inner: &mut Inner, uid: &str) {
        let Some(pod) = inner.pods.get(uid).cloned() else { return };
        if let Some(owner) = &pod.owner {
            self.want(inner, owner, &pod.meta.namespace);
        }
        if inner.settled != [true; 3] {
            return;
        }
        let mut refs = Refs::new();
        let mut objects: Vec<Told<'_>> = Vec::new();
        let mut above = pod.owner.clone();
        let mut kinds: Vec<(String, Meta)> = Vec::new();
        while let Some(owner) = above.take().filter(|_| kinds.len() < 2) {
            let known = inner.owners.get(&owner.uid);
            if known.is_some_and(|one| one.asked.is_none()) {
                return;
            }
            let answer = known.and_then(|one| one.answer.clone());
            let meta = match &answer {
                Some((meta, _)) => meta.clone(),
                None => Meta {
                    uid: owner.uid.clone(),
                    name: owner.name.clone(),
                    namespace: pod.meta.namespace.clone(),
                    ..Meta::default()
                },
            };
            above = answer.and_then(|(_, above)| above);
            kinds.push((owner.kind, meta));
        }
        if let Some(namespace) = inner.namespaces.get(&pod.meta.namespace) {
            kinds.push(("Namespace".into(), namespace.clone()));
        }
        let mut services: Vec<&Service> =
            inner.services.values().filter(|one| one.chooses(&pod.meta)).collect();
        services.sort_by(|one, other| one.meta.name.cmp(&other.meta.name));
        kinds.extend(services.into_iter().map(|one| ("Service".into(), one.meta.clone())));
        for (kind, meta) in &kinds {
            refs.entry(kind.clone()).or_default().push(meta.uid.clone());
            objects.push(Told { kind, meta: meta.clone(), ..Told::default() });
        }
        let (ip, static_uid) = (pod.ip.as_str(), pod.static_uid.as_str());
        objects.push(Told { kind: "Pod", meta: pod.meta.clone(), ip, static_uid, refs });
        for object in &objects {
            inner.missed |= !self.desk.tell(object);
        }
    }

    /// Forgets what no pod belongs to any more.
    fn forget(&self) {
        let mut inner = self.lock();
        let mut needed: HashSet<String> = inner.pods.keys().cloned().collect();
        for pod in inner.pods.values() {
            let mut above = pod.owner.clone();
            while let Some(owner) = above.take().filter(|one| needed.insert(one.uid.clone())) {
                let answer = inner.owners.get(&owner.uid).and_then(|one| one.answer.as_ref());
                above = answer.and_then(|(_, above)| above.clone());
            }
            let namespace = inner.namespaces.get(&pod.meta.namespace);
            needed.extend(namespace.map(|one| one.uid.clone()));
            let chosen = inner.services.values().filter(|one| one.chooses(&pod.meta));
            needed.extend(chosen.map(|one| one.meta.uid.clone()));
        }
        inner.owners.retain(|uid, _| needed.contains(uid));
        drop(inner);
        for uid in self.desk.told(|_, uid| !needed.contains(uid)) {
            self.desk.delete(&uid);
        }
    }

    /// To be called about once a second: what found no room is told again.
    pub fn sweep(&self) {
        self.desk.sweep();
        let mut inner = self.lock();
        if std::mem::take(&mut inner.missed) {
            self.tell_all(&mut inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it holds the lock, and what is in there is sound at any time.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn service_weight(service: &Service) -> usize {
    service.meta.weight() + weight(&service.selector)
}
