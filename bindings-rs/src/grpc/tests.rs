//! Lines and clients without a network, sockets of the file system, and what keys and certificates
//! are refused with.
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use prost::Message;
use tokio_stream::Stream;

use super::hub::{Alerts, CLIENTS_MAX, Hub, Kind};
use super::line::{Entry, Limits, Line};
use super::place::{Address, listen};
use super::{GrpcAlert, entry_of, messages::OutputsResponse};
use crate::tls::{Files, Pem, acceptor};

const ROOMY: Limits = Limits { entries: 100, bytes: 1 << 20 };

fn entry(number: u8, priority: u8) -> Entry {
    Entry { bytes: vec![number].into(), priority }
}

fn numbers(line: &mut Line) -> Vec<u8> {
    std::iter::from_fn(|| line.take()).map(|entry| entry.bytes[0]).collect()
}

/// What a client takes without waiting; `None` at the end where its stream has ended.
fn taken(alerts: &mut Alerts) -> (Vec<u8>, bool) {
    let mut context = Context::from_waker(Waker::noop());
    let mut all = Vec::new();
    loop {
        match Pin::new(&mut *alerts).poll_next(&mut context) {
            Poll::Ready(Some(Ok(bytes))) => all.push(bytes[0]),
            Poll::Ready(Some(Err(_)) | None) => return (all, true),
            Poll::Pending => return (all, false),
        }
    }
}

#[test]
fn a_full_line_lets_the_latest_of_the_least_important_go() {
    let mut line = Line::default();
    let mut dropped = [0; 8];
    let limits = Limits { entries: 3, bytes: 100 };
    for (number, priority) in [(1, 4), (2, 6), (3, 6)] {
        assert!(line.offer(entry(number, priority), limits, &mut dropped));
    }
    assert!(!line.offer(entry(4, 4), limits, &mut dropped));
    assert!(!line.offer(entry(5, 6), limits, &mut dropped));
    assert_eq!(dropped, [0, 0, 0, 0, 0, 0, 2, 0]);
    assert_eq!(numbers(&mut line), [1, 2, 4]);
}

#[test]
fn a_line_is_bounded_by_bytes_and_takes_one_alert_in_any_case() {
    let mut line = Line::default();
    let mut dropped = [0; 8];
    let limits = Limits { entries: 10, bytes: 4 };
    let large = Entry { bytes: vec![9; 100].into(), priority: 5 };
    assert!(line.offer(large, limits, &mut dropped));
    assert!(!line.offer(entry(1, 5), limits, &mut dropped));
    assert!(!line.offer(entry(2, 0), limits, &mut dropped));
    assert_eq!(dropped, [0, 0, 0, 0, 0, 2, 0, 0]);
    assert_eq!(numbers(&mut line), [2]);
}

#[test]
fn each_client_has_all_alerts_and_loses_only_its_own() {
    let hub = Arc::new(Hub::new(Limits { entries: 2, bytes: 100 }));
    let mut quick = hub.open(Kind::Follow).unwrap();
    let mut stuck = hub.open(Kind::Follow).unwrap();
    let mut all = Vec::new();
    for number in 0..5 {
        hub.push(vec![entry(number, 4)]);
        all.extend(taken(&mut quick).0);
    }
    assert_eq!(all, [0, 1, 2, 3, 4]);
    let state = hub.state();
    assert_eq!((state.dropped[4], state.missed, state.waiting, state.sent), (3, 3, 2, 5));
    assert!(!hub.settled(Duration::from_mins(1)));
    assert!(hub.settled(Duration::ZERO));
    assert_eq!(taken(&mut stuck).0, [0, 1]);
    assert_eq!(hub.state().missed, 0);
    assert!(hub.settled(Duration::from_mins(1)));
}

#[test]
fn what_nobody_follows_waits_for_the_next_and_get_ends_behind_it() {
    let hub = Arc::new(Hub::new(ROOMY));
    hub.push(vec![entry(1, 4), entry(2, 4)]);
    let mut first = hub.open(Kind::Get).unwrap();
    hub.push(vec![entry(3, 4)]);
    assert_eq!(taken(&mut first), (vec![1, 2], true));
    drop(first);
    assert_eq!(taken(&mut hub.open(Kind::Get).unwrap()), (vec![3], true));
    assert_eq!(taken(&mut hub.open(Kind::Get).unwrap()), (vec![], true));
}

#[test]
fn what_a_client_left_behind_waits_for_the_next_unless_another_has_it() {
    let hub = Arc::new(Hub::new(ROOMY));
    let follower = hub.open(Kind::Follow).unwrap();
    hub.push(vec![entry(1, 4), entry(2, 4)]);
    drop(follower);
    hub.push(vec![entry(3, 4)]);
    let mut next = hub.open(Kind::Follow).unwrap();
    assert_eq!(taken(&mut next), (vec![1, 2, 3], false));
    let other = hub.open(Kind::Follow).unwrap();
    hub.push(vec![entry(4, 4)]);
    drop(other);
    assert_eq!(taken(&mut next), (vec![4], false));
    assert_eq!(hub.state().waiting, 0);
}

#[test]
fn clients_are_few_and_all_are_told_of_the_end() {
    let hub = Arc::new(Hub::new(ROOMY));
    let mut all: Vec<Alerts> = (0..CLIENTS_MAX).map(|_| hub.open(Kind::Follow).unwrap()).collect();
    assert!(hub.open(Kind::Get).is_err());
    assert_eq!(hub.state().refused, 1);
    hub.push(vec![entry(1, 2)]);
    hub.close();
    assert!(all.iter_mut().all(|client| taken(client) == (vec![], true)));
    assert_eq!(hub.state().dropped[2], CLIENTS_MAX as u64);
}

struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("saker-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn a_socket_is_its_owners_alone_and_goes_with_its_listener() {
    let place = Place::new("grpc-socket");
    let path = place.0.join("made/falco.sock");
    let address = Address::Unix(path.clone());
    let listener = listen(&address).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(listen(&address).is_err_and(|reason| reason == "another program listens there"));
    drop(listener);
    assert!(!path.exists());
}

#[test]
fn a_socket_that_was_left_gives_way_and_another_file_does_not() {
    let place = Place::new("grpc-left");
    let path = place.0.join("falco.sock");
    drop(UnixListener::bind(&path).unwrap());
    let listener = listen(&Address::Unix(path.clone())).unwrap();
    // What took its place meanwhile is not ours to remove.
    fs::remove_file(&path).unwrap();
    fs::write(&path, "other").unwrap();
    drop(listener);
    assert_eq!(fs::read_to_string(&path).unwrap(), "other");
    assert!(listen(&Address::Unix(path)).is_err_and(|reason| reason.contains("else")));
}

#[test]
fn files_without_keys_or_certificates_are_named() {
    let pem = |name: &str, text: &str| Pem { name: name.into(), text: text.into() };
    let files = Files {
        private_key: pem("key", ""),
        cert_chain: pem("chain", ""),
        root_certs: pem("roots", "nothing"),
    };
    let reason = acceptor(&files, b"h2").err().unwrap();
    assert_eq!(reason, "roots: expected a certificate (PEM), found none");
}

#[test]
fn an_alert_has_falcos_fields() {
    let alert = GrpcAlert {
        seconds: 1,
        nanos: 2,
        priority: 4,
        source: "syscall".into(),
        rule: "R".into(),
        output: "o".into(),
        fields: ["proc.name", "sh", "fd.name", "<NA>"].map(String::from).into(),
        hostname: "h".into(),
        tags: vec!["t".into()],
    };
    let entry = entry_of(alert);
    let read = OutputsResponse::decode(entry.bytes).unwrap();
    assert_eq!(read.output_fields["fd.name"], "<NA>");
    assert_eq!((read.priority, read.source_deprecated, entry.priority), (4, 0, 4));
}
