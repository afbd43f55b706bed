//! A directory that stands for a machine's root, and sockets in it that answer as Docker does, hang
//! or lie.
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use serde_json::{Value, json};

use super::ID;

pub struct Directory(pub PathBuf);

impl Directory {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("saker-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn write(&self, path: &str, value: &Value) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, value.to_string()).unwrap();
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Listens, and hands each connection to `answer` on a thread of its own.
pub fn listen(path: &Path, answer: impl Fn(UnixStream) + Send + Sync + 'static) {
    let listener = UnixListener::bind(path).unwrap();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            thread::spawn(move || answer(stream));
        }
    });
}

/// The path that was asked for.
pub fn asked(stream: &mut UnixStream) -> String {
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    while !read.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return String::new(),
            Ok(length) => read.extend_from_slice(&buffer[..length]),
        }
    }
    let head = String::from_utf8_lossy(&read).into_owned();
    head.split(' ').nth(1).unwrap_or_default().into()
}

pub fn reply(stream: &mut UnixStream, status: &str, body: &str) {
    let length = body.len();
    let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}");
}

/// Answers as Docker does, of one container, and tells no events.
pub fn answer_as_docker(mut stream: UnixStream) {
    let path = asked(&mut stream);
    if path.starts_with("/events") {
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        let _ = stream.read(&mut [0]);
    } else if path == "/version" {
        reply(&mut stream, "200 OK", r#"{"Version":"20.10.24"}"#);
    } else if path == "/containers/json" {
        reply(&mut stream, "200 OK", "[]");
    } else if path == format!("/containers/{ID}/json") {
        let found = json!({
            "Id": ID, "Name": "/box", "Image": "sha256:beef", "Created": "2026-01-02T03:04:05Z",
            "Config": {
                "Image": "localhost:5000/some/box:1", "Labels": {"team": "red"}, "User": "7",
                "Healthcheck": {"Test": ["CMD", "/bin/check", "-q"]},
            },
            "HostConfig": {"Privileged": true, "PidMode": "host"},
            "Mounts": [{"Source": "/etc", "Destination": "/host/etc", "RW": true,
                "Mode": "", "Propagation": "rprivate"}],
        });
        reply(&mut stream, "200 OK", &found.to_string());
    } else {
        reply(&mut stream, "404 Not Found", "{}");
    }
}

/// Lies: a list without an end.
pub fn answer_without_end(mut stream: UnixStream) {
    asked(&mut stream);
    let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n");
    while stream.write_all(&[b'['; 1 << 12]).is_ok() {}
}

pub fn answer_garbage(mut stream: UnixStream) {
    asked(&mut stream);
    let _ = stream.write_all(&[0xff; 4096]);
}

pub fn hang(mut stream: UnixStream) {
    while stream.read(&mut [0; 4096]).is_ok_and(|length| length > 0) {}
}
