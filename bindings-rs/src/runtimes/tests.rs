//! The thread against sockets that answer as Docker does, hang, lie or never end, and against the
//! files that runtimes keep; what is told is what the engine would be told.
mod scene;

use std::fs;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::mpsc::{Sender, channel};

use super::desk::{BY_CONTAINERD, BY_CRI, BY_USER, Desk, News};
use super::docker::{Change, Docker, seconds};
use super::info::{DOCKER, Info, short};
use super::seek::{Place, Question, Seeker};
use super::watch::Kind;
use crate::bell::Bell;
use scene::{Directory, answer_as_docker, answer_garbage, answer_without_end, hang, listen};

const ID: &str = "aa11bb22cc33dd44ee55ff6600112233445566778899aabbccddeeff00112233";
/// Begins as `ID` does, as Falco shows it.
const TWIN: &str = "aa11bb22cc33000000000000000000000000000000000000000000000000ffff";

fn seek(root: &Path, sockets: &[(&str, &Path)]) -> (Arc<Desk>, Sender<Question>) {
    let desk = Arc::new(Desk::new(100));
    let (sender, questions) = channel(16);
    let seeker = Seeker {
        desk: Arc::clone(&desk),
        root: root.into(),
        with_size: false,
        patience: Duration::from_secs(2),
    };
    let place = |(kind, path): &(&str, &Path)| Place {
        kind: Kind::named(kind).unwrap(),
        named: (*kind).into(),
        path: path.strip_prefix(root).unwrap().to_str().unwrap().into(),
    };
    seeker.start(sockets.iter().map(place).collect(), questions).unwrap();
    (desk, sender)
}

fn ask(sender: &Sender<Question>, id: &str) {
    sender.try_send(Question { id: id.into() }).unwrap_or_else(|_| panic!());
}

/// The next news, which come within ten seconds.
fn news(desk: &Desk) -> News {
    let end = Instant::now() + Duration::from_secs(10);
    while Instant::now() < end {
        if let Some(first) = desk.take(1).pop() {
            return first;
        }
        thread::sleep(Duration::from_millis(5));
    }
    panic!("there were no news: {:?}", desk.sockets());
}

fn known(desk: &Desk) -> Value {
    match news(desk) {
        News::Known(json) => serde_json::from_str::<Value>(&json).unwrap()["container"].take(),
        News::Gone(id) => panic!("{id} is gone"),
        News::Unknown(id) => panic!("{id} is unknown"),
    }
}

/// What went wrong with a socket, once something has.
fn trouble(desk: &Desk) -> String {
    let end = Instant::now() + Duration::from_secs(20);
    while Instant::now() < end {
        if let Some(one) = desk.sockets().iter().find(|one| one.failures > 0) {
            return one.trouble.clone();
        }
        thread::sleep(Duration::from_millis(5));
    }
    panic!("nothing went wrong");
}

#[test]
fn what_docker_tells_of_a_container_becomes_its_json() {
    let place = Directory::new("docker-like");
    let socket = place.0.join("docker.sock");
    listen(&socket, answer_as_docker);
    let (desk, sender) = seek(&place.0, &[("docker", &socket)]);
    ask(&sender, ID);
    let found = known(&desk);
    let of = |key: &str| found[key].clone();
    assert_eq!([of("id"), of("full_id"), of("name")], [short(ID), ID, "box"]);
    assert_eq!([of("imagerepo"), of("imagetag")], ["localhost:5000/some/box", "1"]);
    assert_eq!([of("privileged"), of("host_pid"), of("host_ipc")], [true, true, false]);
    assert_eq!(of("Mounts")[0]["Destination"], "/host/etc");
    assert_eq!(of("labels"), json!({"team": "red"}));
    assert_eq!(of("Healthcheck"), json!({"exe": "/bin/check", "args": ["-q"]}));
    assert_eq!(of("created_time"), 1_767_323_045);
}

#[test]
fn an_id_that_no_runtime_knows_is_told_to_be_unknown() {
    let place = Directory::new("docker-unknown");
    let socket = place.0.join("docker.sock");
    listen(&socket, answer_as_docker);
    let (desk, sender) = seek(&place.0, &[("docker", &socket)]);
    ask(&sender, TWIN);
    assert!(matches!(news(&desk), News::Unknown(id) if id == TWIN));
}

#[test]
fn a_socket_that_hangs_holds_up_no_other() {
    let place = Directory::new("docker-hangs");
    let [hung, good] = ["hung.sock", "docker.sock"].map(|name| place.0.join(name));
    listen(&hung, hang);
    listen(&good, answer_as_docker);
    let sockets = [("podman", hung.as_path()), ("cri", &hung), ("docker", &good)];
    let (desk, sender) = seek(&place.0, &sockets);
    ask(&sender, ID);
    assert_eq!(known(&desk)["name"], "box");
    let up: Vec<_> = desk.sockets().into_iter().filter(|one| one.up).collect();
    assert_eq!(up.iter().map(|one| one.kind.as_str()).collect::<Vec<_>>(), ["docker"]);
}

#[test]
fn sockets_that_lie_are_told_of_and_bounded() {
    for (name, liar, said) in [
        ("endless", answer_without_end as fn(UnixStream), "more than 8388608 bytes"),
        ("garbage", answer_garbage, "did not speak HTTP"),
    ] {
        let place = Directory::new(name);
        let socket = place.0.join("docker.sock");
        listen(&socket, liar);
        let (desk, _sender) = seek(&place.0, &[("docker", &socket)]);
        let told = trouble(&desk);
        assert!(told.contains(said), "{name}: {told}");
    }
}

#[test]
fn a_socket_that_comes_later_is_found() {
    let place = Directory::new("docker-later");
    let socket = place.0.join("docker.sock");
    let (desk, sender) = seek(&place.0, &[("docker", &socket)]);
    ask(&sender, ID);
    assert!(matches!(news(&desk), News::Unknown(_)));
    listen(&socket, answer_as_docker);
    wait_for_socket(&desk);
    ask(&sender, ID);
    assert_eq!(known(&desk)["name"], "box");
}

#[test]
fn a_socket_that_comes_later_is_looked_for_when_somebody_asks() {
    let place = Directory::new("docker-asked");
    let socket = place.0.join("docker.sock");
    let (desk, sender) = seek(&place.0, &[("docker", &socket)]);
    let end = Instant::now() + Duration::from_secs(20);
    while desk.sockets().first().is_none_or(|one| one.trouble.is_empty()) && Instant::now() < end {
        thread::sleep(Duration::from_millis(5));
    }
    // From here on the next look of its own would come later than anybody waits for an answer.
    listen(&socket, answer_as_docker);
    ask(&sender, ID);
    assert_eq!(known(&desk)["name"], "box");
}

#[test]
fn a_socket_that_refused_for_long_is_tried_again_for_who_asks() {
    let place = Directory::new("docker-refused");
    let socket = place.0.join("docker.sock");
    // The file stays, and nobody listens.
    drop(UnixListener::bind(&socket).unwrap());
    let (desk, sender) = seek(&place.0, &[("docker", &socket)]);
    let end = Instant::now() + Duration::from_secs(20);
    // The next pause is longer than anybody waits for an answer here.
    while desk.sockets().first().is_none_or(|one| one.failures < 5) && Instant::now() < end {
        thread::sleep(Duration::from_millis(5));
    }
    fs::remove_file(&socket).unwrap();
    listen(&socket, answer_as_docker);
    ask(&sender, ID);
    assert_eq!(known(&desk)["name"], "box");
}

#[test]
fn the_engines_own_word_says_how_many_news_wait() {
    let desk = Desk::new(5);
    let mut words = [7];
    desk.ring_at(Bell::new(&mut words));
    let mut seen = Vec::new();
    // SAFETY: nobody else writes to it.
    let mut look = || seen.push(unsafe { words.as_ptr().read_volatile() });
    look();
    desk.unknown(ID);
    desk.unknown(TWIN);
    look();
    desk.take(1);
    look();
    desk.ring_at(None);
    desk.take(1);
    look();
    assert_eq!(seen, [0, 2, 1, 1]);
}

#[test]
fn files_of_a_running_container_tell_of_it_where_no_daemon_does() {
    let place = Directory::new("bundles");
    let bundle = "store/vfs-containers/one/userdata";
    place.write(
        &format!("run/runc/{ID}/state.json"),
        &json!({
            "config": {"labels": [format!("bundle=/{bundle}")]},
        }),
    );
    place.write(
        &format!("{bundle}/config.json"),
        &json!({
            "annotations": {"io.container.manager": "libpod"},
            "process": {"user": {"uid": 5}, "capabilities": {"bounding": ["CAP_SYS_ADMIN"]}},
            "mounts": [{"destination": "/h", "source": "/", "options": ["rbind", "ro", "rslave"]}],
            "linux": {"namespaces": [{"type": "mount"}, {"type": "network"}]},
        }),
    );
    place.write(
        "store/vfs-containers/containers.json",
        &json!([
            {"id": "other", "metadata": "{}"},
            {"id": ID, "image": "feed", "metadata": r#"{"name":"pot","image-name":"host/pot:2"}"#},
        ]),
    );
    let (desk, sender) = seek(&place.0, &[]);
    // By the whole id, and by its beginning where nobody else's begins so.
    for id in [ID, short(ID)] {
        ask(&sender, id);
        let found = known(&desk);
        let of = |key: &str| found[key].clone();
        assert_eq!([of("name"), of("imagerepo"), of("imagetag")], ["pot", "host/pot", "2"]);
        assert_eq!([of("privileged"), of("host_pid"), of("host_network")], [true, true, false]);
        let mount = &of("Mounts")[0];
        assert_eq!((&mount["RW"], &mount["Propagation"]), (&json!(false), &json!("rslave")));
    }
    place.write(&format!("run/runc/{TWIN}/state.json"), &json!({}));
    ask(&sender, short(ID));
    assert!(matches!(news(&desk), News::Unknown(_)));
}

/// Waits for the first of the sockets to answer.
fn wait_for_socket(desk: &Desk) {
    let end = Instant::now() + Duration::from_secs(20);
    while desk.sockets().first().is_none_or(|one| !one.up) && Instant::now() < end {
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_a_user_says_counts_less_than_what_root_s_files_tell() {
    let place = Directory::new("user-lies");
    let socket = place.0.join("run/user/1000/podman.sock");
    let told = json!({"process": {"capabilities": {"bounding": ["CAP_SYS_ADMIN"]}}});
    place.write("run/user/1000/lie/config.json", &json!({"hostname": "lie"}));
    place.write("bundle/config.json", &told);
    let state = |bundle: &str| json!({"config": {"labels": [format!("bundle={bundle}")]}});
    place.write(&format!("run/user/1000/runc/{TWIN}/state.json"), &state("/run/user/1000/lie"));
    listen(&socket, answer_as_docker);
    let (desk, sender) = seek(&place.0, &[("podman", &socket)]);
    wait_for_socket(&desk);
    // A container that only the user knows.
    ask(&sender, ID);
    assert_eq!(known(&desk)["name"], "box");
    ask(&sender, TWIN);
    assert_eq!(known(&desk)["name"], "");
    // One of root's: the user's word for it is not asked for any more.
    place.write(&format!("run/runc/{ID}/state.json"), &state("/bundle"));
    ask(&sender, ID);
    assert_eq!(known(&desk)["name"], "");
    let better = Info { id: TWIN.into(), name: "better".into(), ..Info::default() };
    desk.know(BY_CONTAINERD, &better, false);
    desk.know(BY_USER, &Info { name: "lie".into(), ..better }, true);
    assert_eq!(known(&desk)["name"], "better");
    assert!(desk.take(1).is_empty());
}

#[test]
fn nothing_is_told_twice_and_whoever_made_a_container_has_the_last_word() {
    let desk = Desk::new(5);
    let mut info = Info { id: ID.into(), name: "sandbox".into(), ..Info::default() };
    info.labels.insert("short".into(), "12345".into());
    info.labels.insert("long".into(), "123456".into());
    desk.know(BY_CRI, &info, false);
    desk.know(BY_CRI, &info, false);
    desk.know(BY_CONTAINERD, &Info { name: "worse".into(), ..info.clone() }, false);
    let told = desk.take(10);
    assert_eq!(told.len(), 1);
    assert!(matches!(&told[0], News::Known(json) if json.contains("sandbox")
        && json.contains("12345") && !json.contains("123456")));
    // Who asks is answered again.
    desk.know(BY_CRI, &info, true);
    assert_eq!(desk.take(10).len(), 1);
}

#[test]
fn events_of_docker_and_of_podman_say_who_came_and_went() {
    let came = |line: &str| match Docker::change(line.as_bytes()) {
        Some(Change::Came(id)) => format!("+{id}"),
        Some(Change::Went(id)) => format!("-{id}"),
        None => "nothing".into(),
    };
    assert_eq!(came(r#"{"Action":"create","Actor":{"ID":"ab"}}"#), "+ab");
    assert_eq!(came(r#"{"status":"died","id":"ab"}"#), "-ab");
    assert_eq!(came(r#"{"Action":"exec_create: sh","Actor":{"ID":"ab"}}"#), "nothing");
    assert_eq!(came(r#"{"Action":"create","Actor":{"ID":"../../x"}}"#), "nothing");
    assert_eq!(came("no JSON"), "nothing");
}

#[test]
fn images_are_taken_apart_whatever_stands_before_the_tag() {
    let parts = |name: &str| {
        let mut info = Info { runtime: DOCKER, ..Info::default() };
        info.set_image(name);
        [info.image_repo, info.image_tag, info.image_digest].join(" ")
    };
    assert_eq!(parts("box"), "box  ");
    assert_eq!(parts("box:1"), "box 1 ");
    assert_eq!(parts("host:5000/a/box"), "host:5000/a/box  ");
    assert_eq!(parts("host:5000/a/box:1@sha256:ee"), "host:5000/a/box 1 sha256:ee");
}

#[test]
fn times_are_read_with_their_zone() {
    assert_eq!(seconds("1970-01-01T00:00:01Z"), 1);
    assert_eq!(seconds("2026-01-02T03:04:05.123456789Z"), 1_767_323_045);
    assert_eq!(seconds("2026-01-02T05:04:05+02:00"), 1_767_323_045);
    assert_eq!(seconds("not a time"), 0);
}
