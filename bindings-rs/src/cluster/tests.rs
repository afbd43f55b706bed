//! The thread against servers that answer as the API server does, in pages and in streams, that are
//! gone, refuse, lie or never end; what is told is what the engine would be told.
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::api::Api;
use super::desk::Desk;
use super::door::{Door, Source};
use super::known::{Known, Listed};
use super::objects::{Meta, OwnerRef, Pod, Service, is_name};
use super::{ClusterOptions, ClusterSource, ask};

fn object(uid: &str, name: &str, more: &Value) -> Value {
    let mut made = json!({ "metadata": { "uid": uid, "name": name, "namespace": "shop" } });
    for (key, value) in more.as_object().unwrap() {
        match value.as_object().filter(|_| key == "metadata") {
            Some(inner) => made[key].as_object_mut().unwrap().extend(inner.clone()),
            None => made[key] = value.clone(),
        }
    }
    made
}

fn pod(uid: &str, labels: &Value) -> Value {
    let owner =
        json!([{ "kind": "ReplicaSet", "name": "web-7f", "uid": "r1", "controller": true }]);
    let metadata = json!({ "labels": labels, "ownerReferences": owner, "resourceVersion": "20" });
    let status = json!({ "podIP": "10.0.0.7" });
    let spec = json!({ "nodeName": "box" });
    object(uid, uid, &json!({ "metadata": metadata, "status": status, "spec": spec }))
}

type Answer = dyn Fn(&str, &mut TcpStream) + Send + Sync;

/// Hands each question's path to `answer`; returns the port.
fn listen(answer: Arc<Answer>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            thread::spawn(move || {
                while let Some(path) = asked(&mut stream) {
                    answer(&path, &mut stream);
                }
            });
        }
    });
    port
}

fn asked(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    let mut byte = [0];
    while !read.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(0) | Err(_) => return None,
            Ok(_) => read.push(byte[0]),
        }
    }
    Some(String::from_utf8_lossy(&read).split(' ').nth(1)?.into())
}

fn reply(stream: &mut TcpStream, status: &str, body: &Value) {
    let body = body.to_string();
    let length = body.len();
    let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}");
}

/// Begins a stream of changes, each of them a chunk.
fn follow(stream: &mut TcpStream, changes: &[Value]) {
    let _ = write!(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for change in changes {
        let line = format!("{change}\n");
        let _ = write!(stream, "{:x}\r\n{line}\r\n", line.len());
    }
}

fn page(items: &[Value], next: &str) -> Value {
    json!({ "metadata": { "resourceVersion": "10", "continue": next }, "items": items })
}

/// Of everything but pods.
fn answer_others(path: &str, stream: &mut TcpStream) {
    if path.contains("watch=true") {
        follow(stream, &[]);
        thread::sleep(Duration::from_secs(30));
    } else if path.starts_with("/api/v1/namespaces?") {
        reply(stream, "200 OK", &page(&[object("n1", "shop", &json!({}))], ""));
    } else if path.starts_with("/api/v1/services?") {
        let spec = json!({ "spec": { "selector": { "app": "web" } } });
        let all = [object("s1", "front", &spec), object("s2", "none", &json!({}))];
        reply(stream, "200 OK", &page(&all, ""));
    } else if path == "/apis/apps/v1/namespaces/shop/replicasets/web-7f" {
        let owner =
            json!([{ "kind": "Deployment", "name": "web", "uid": "d1", "controller": true }]);
        let more = json!({ "metadata": { "ownerReferences": owner } });
        reply(stream, "200 OK", &object("r1", "web-7f", &more));
    } else if path == "/apis/apps/v1/namespaces/shop/deployments/web" {
        let more = json!({ "metadata": { "labels": { "team": "red" } } });
        reply(stream, "200 OK", &object("d1", "web", &more));
    } else if path == "/version" {
        reply(stream, "200 OK", &json!({ "gitVersion": "v1.2.3" }));
    } else {
        reply(stream, "404 Not Found", &json!({ "message": "not here" }));
    }
}

fn options(port: u16) -> ClusterOptions {
    let none = || ClusterSource { file: String::new(), text: String::new() };
    ClusterOptions {
        is_collector: false,
        host: "127.0.0.1".into(),
        port,
        secure: false,
        server_name: String::new(),
        prefix: String::new(),
        node: "box".into(),
        authorities: none(),
        token: ClusterSource { file: String::new(), text: "s3cret".into() },
        certificate: none(),
        key: none(),
    }
}

/// Asks as the class does, until `is_done` of all that was told, and returns that.
fn told(
    options: ClusterOptions,
    is_done: impl Fn(&[Value], &Desk) -> bool,
) -> (Vec<Value>, Arc<Desk>) {
    let desk = Arc::new(Desk::default());
    let asking = ask(options, Arc::clone(&desk));
    thread::spawn(move || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().unwrap().block_on(asking);
    });
    let end = Instant::now() + Duration::from_secs(20);
    let mut all = Vec::new();
    while Instant::now() < end {
        all.extend(desk.take(1000).iter().map(|json| serde_json::from_str(json).unwrap()));
        if is_done(&all, &desk) {
            return (all, desk);
        }
        thread::sleep(Duration::from_millis(5));
    }
    panic!("told {all:?} within 20 s, then: {}", desk.state().trouble);
}

fn last<'a>(all: &'a [Value], uid: &str) -> Option<&'a Value> {
    all.iter().rev().find(|one| one["uid"] == uid)
}

#[test]
fn a_pod_is_told_with_what_it_belongs_to_once_its_owners_are_known() {
    let port = listen(Arc::new(|path, stream| {
        if path.starts_with("/api/v1/pods?watch") {
            let bookmark = json!({ "metadata": { "resourceVersion": "30" } });
            follow(
                stream,
                &[
                    json!({ "type": "ADDED", "object": pod("p3", &json!({ "app": "web" })) }),
                    json!({ "type": "BOOKMARK", "object": bookmark }),
                ],
            );
            thread::sleep(Duration::from_secs(30));
        } else if path.starts_with("/api/v1/pods?") {
            assert!(path.ends_with("&fieldSelector=spec.nodeName%3Dbox"), "{path}");
            let first = path.contains("continue=&");
            let one = pod(if first { "p1" } else { "p2" }, &json!({ "app": "web" }));
            let mut other = one.clone();
            other["metadata"]["uid"] = json!("of-another-node");
            other["spec"]["nodeName"] = json!("elsewhere");
            reply(stream, "200 OK", &page(&[one, other], if first { "more" } else { "" }));
        } else {
            answer_others(path, stream);
        }
    }));
    let (all, desk) = told(options(port), |all, _| last(all, "p3").is_some());
    let wanted = json!({
        "Deployment": { "list": ["d1"] },
        "Namespace": { "list": ["n1"] },
        "ReplicaSet": { "list": ["r1"] },
        "Service": { "list": ["s1"] },
    });
    for uid in ["p1", "p2", "p3"] {
        let one = last(&all, uid).unwrap();
        assert_eq!(one["refs"]["resources"], wanted, "{uid}");
        assert_eq!(one["status"], r#"{"podIP":"10.0.0.7"}"#);
    }
    let place = |uid: &str| all.iter().position(|one| one["uid"] == uid).unwrap();
    assert!(place("d1") < place("p1"), "what a pod belongs to comes first");
    let deployment: Value =
        serde_json::from_str(last(&all, "d1").unwrap()["meta"].as_str().unwrap()).unwrap();
    assert_eq!(deployment["labels"]["team"], "red");
    assert!(last(&all, "of-another-node").is_none());
    assert!(desk.state().up);
    assert_eq!(desk.state().pods, 3);
}

#[test]
fn what_is_too_old_to_be_followed_is_listed_anew() {
    let lists = Mutex::new(0);
    let port = listen(Arc::new(move |path, stream| {
        if path.starts_with("/api/v1/pods?watch") {
            if *lists.lock().unwrap() > 1 {
                follow(stream, &[]);
                thread::sleep(Duration::from_secs(30));
            }
            let status = json!({ "code": 410, "message": "too old resource version" });
            follow(stream, &[json!({ "type": "ERROR", "object": status })]);
            let _ = stream.write_all(b"0\r\n\r\n");
        } else if path.starts_with("/api/v1/pods?") {
            let mut lists = lists.lock().unwrap();
            *lists += 1;
            let uid = if *lists == 1 { "before" } else { "after" };
            reply(stream, "200 OK", &page(&[pod(uid, &json!({}))], ""));
        } else {
            answer_others(path, stream);
        }
    }));
    let (_, desk) = told(options(port), |all, _| last(all, "after").is_some());
    assert_eq!(desk.state().relists, 1);
    // That of the first list is there for a while still, for its last events.
    assert_eq!(desk.told(|kind, _| kind == "Pod"), ["after"]);
    assert_eq!(desk.state().pods, 2);
}

#[test]
fn a_server_that_refuses_lies_or_never_ends_costs_its_own_answers() {
    let reasons: [(&str, Box<Answer>); 4] = [
        (
            "answered 401: no … here",
            Box::new(|_, stream| {
                reply(stream, "401 Unauthorized", &json!({ "message": "no s3cret here" }));
            }),
        ),
        (
            "something else than JSON",
            Box::new(|_, stream| {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnope");
            }),
        ),
        (
            "answered with more than",
            Box::new(|_, stream| {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 90000000\r\n\r\n");
                while stream.write_all(&[b' '; 8192]).is_ok() {}
            }),
        ),
        (
            "did not speak HTTP",
            Box::new(|_, stream| {
                let _ = stream.write_all(b"220 mail.example ESMTP\r\n");
            }),
        ),
    ];
    for (reason, answer) in reasons {
        let port = listen(Arc::from(answer));
        let (all, desk) = told(options(port), |_, desk| desk.state().failures > 2);
        assert!(all.is_empty());
        let state = desk.state();
        assert!(state.trouble.contains(reason), "{reason}: {}", state.trouble);
        assert!(state.tried && !state.up);
    }
    let gone = listen(Arc::new(|_, _| {}));
    let mut secure = options(gone);
    secure.secure = true;
    let (_, desk) = told(secure, |_, desk| desk.state().failures > 2);
    assert!(desk.state().trouble.contains("certificate"), "{}", desk.state().trouble);
}

#[test]
fn a_stream_without_end_of_line_and_garbage_in_one_are_failures() {
    for (reason, line) in [("more than", None), ("no JSON", Some("{\"type\":\n"))] {
        let port = listen(Arc::new(move |path, stream| {
            if path.starts_with("/api/v1/pods?watch") {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
                match line {
                    Some(line) => drop(stream.write_all(line.as_bytes())),
                    None => while stream.write_all(&[b'x'; 8192]).is_ok() {},
                }
                let _ = stream.shutdown(std::net::Shutdown::Both);
            } else if path.starts_with("/api/v1/pods?") {
                reply(stream, "200 OK", &page(&[], ""));
            } else {
                answer_others(path, stream);
            }
        }));
        let (_, desk) = told(options(port), |_, desk| desk.state().trouble.contains(reason));
        assert!(desk.state().trouble.starts_with("pods: "), "{}", desk.state().trouble);
    }
}

#[test]
fn an_owner_that_nobody_may_ask_for_is_known_by_its_name() {
    let desk = Arc::new(Desk::default());
    let known = Known::new(Arc::clone(&desk));
    known.add_pod(Pod::of(&pod("p1", &json!({}))).unwrap());
    for listed in [Listed::Pods, Listed::Namespaces, Listed::Services] {
        known.settle(listed);
    }
    assert!(desk.take(10).is_empty(), "the owner was not asked for yet");
    let wanted = known.next_wanted().unwrap();
    assert_eq!((wanted.owner.name.as_str(), wanted.namespace.as_str()), ("web-7f", "shop"));
    assert!(known.next_wanted().is_none(), "it is asked for once at a time");
    known.answer("r1", None);
    let all: Vec<Value> =
        desk.take(10).iter().map(|json| serde_json::from_str(json).unwrap()).collect();
    assert_eq!(all.len(), 2);
    assert_eq!(all[0]["kind"], "ReplicaSet");
    assert!(all[0]["meta"].as_str().unwrap().contains("web-7f"));
    // Nothing new is told when it is asked for again.
    known.answer("r1", None);
    assert!(desk.take(10).is_empty());
    known.add_service(
        Service::of(&object("s1", "all", &json!({ "spec": { "selector": {} } }))).unwrap(),
    );
    assert!(desk.take(10).is_empty(), "a service without a selector chooses nothing");
    known.remove(Listed::Pods, "p1");
    assert!(desk.told(|_, _| true).is_empty());
}

#[test]
fn objects_are_bounded() {
    let long = "x".repeat(2000);
    assert!(Meta::of(&object("u", &long, &json!({}))).is_none());
    assert!(Meta::of(&json!({ "metadata": { "name": "n" } })).is_none());
    let labels: Value = (0..1000)
        .map(|at| (format!("l{at}"), json!("v")))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let many = Meta::of(&object("u", "n", &json!({ "metadata": { "labels": labels } }))).unwrap();
    assert_eq!(many.labels.len(), 256);
    let cut = json!({ "spec": { "selector": { "app": long } } });
    assert!(Service::of(&object("u", "n", &cut)).is_none());
    for name in ["", "..", "a/b", "a?b", "a b", ".a", &"a".repeat(254)] {
        assert!(!is_name(name), "{name}");
    }
    assert!(is_name("web-7f.a"));
}

#[test]
fn pods_beyond_the_bound_are_counted() {
    let desk = Arc::new(Desk::default());
    let known = Known::new(Arc::clone(&desk));
    for at in 0..2050 {
        let meta = Meta { uid: format!("p{at}"), name: "n".into(), ..Meta::default() };
        let owner =
            (at == 0).then(|| OwnerRef { kind: "Job".into(), name: "job".into(), uid: "j".into() });
        known.add_pod(Pod { meta, ip: String::new(), owner, static_uid: String::new() });
    }
    assert_eq!(desk.state().refused, 2);
    assert!(known.next_wanted().is_none(), "no field tells of jobs");
}

#[tokio::test]
async fn a_token_that_cannot_be_read_names_its_file() {
    let token = Source { file: "/nosuch/token".into(), text: String::new() };
    let door = Door { token, ..Door::default() };
    let api = Api { door, prefix: String::new(), desk: Arc::new(Desk::default()) };
    let error = api.door.token().await.unwrap_err();
    assert!(error.starts_with("needs the token /nosuch/token: "), "{error}");
}
