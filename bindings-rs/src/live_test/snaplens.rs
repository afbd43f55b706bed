//! How much of the data of sockets is kept: of ports that were asked for, and of protocols.
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::{ptr, thread};

use probe::table;

use super::{Recorder, open, options};
use crate::settings::Options;

const LENGTH: usize = 20_000;
const CODES: [u16; 6] = [
    table::SYSCALL_WRITE_X,
    table::SYSCALL_READ_X,
    table::SOCKET_SENDTO_X,
    table::SYSCALL_WRITEV_X,
    table::SOCKET_SENDMSG_X,
    table::PROCEXIT_1_E,
];

/// A connection to a port of this machine's own, whose other end only reads.
fn connection() -> (TcpStream, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (mut other, _) = listener.accept().unwrap();
    thread::spawn(move || {
        let _ = other.write_all(&vec![b'y'; LENGTH]);
        while other.read(&mut [0; 8192]).is_ok_and(|got| got > 0) {}
    });
    (stream, port)
}

/// Bytes that are kept of what a child writes and reads by each call: write, sendto, writev,
/// sendmsg, read, and of what it writes to a file.
fn kept(recorder: &mut Recorder, stream: &TcpStream, data: &[u8]) -> [usize; 6] {
    use std::os::fd::AsRawFd as _;
    let fd = stream.as_raw_fd();
    let act = || unsafe {
        // SAFETY: valid buffers.
        let at = data.as_ptr().cast::<libc::c_void>();
        libc::write(fd, at, data.len());
        libc::sendto(fd, at, data.len(), 0, ptr::null(), 0);
        let half = data.len() / 2;
        let mut buffers = [
            libc::iovec { iov_base: at.cast_mut(), iov_len: half },
            libc::iovec { iov_base: at.add(half).cast_mut(), iov_len: data.len() - half },
        ];
        libc::writev(fd, buffers.as_ptr(), 2);
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = buffers.as_mut_ptr();
        message.msg_iovlen = 2;
        libc::sendmsg(fd, &raw const message, 0);
        let mut got = vec![0u8; LENGTH];
        libc::recv(fd, got.as_mut_ptr().cast(), LENGTH, libc::MSG_PEEK | libc::MSG_WAITALL);
        libc::read(fd, got.as_mut_ptr().cast(), 17_000);
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_WRONLY);
        libc::write(null, at, data.len());
        0
    };
    let (_, events) = recorder.of_child(act);
    let of = |code: u16, param: usize, which: usize| {
        let event = events.iter().filter(|event| event.code == code).nth(which);
        let data = &event.expect("an event").params[param];
        assert!(data.iter().all(|byte| *byte == data[0]) || data.starts_with(b"POST"));
        data.len()
    };
    [
        of(table::SYSCALL_WRITE_X, 1, 0),
        of(table::SOCKET_SENDTO_X, 1, 0),
        of(table::SYSCALL_WRITEV_X, 1, 0),
        of(table::SOCKET_SENDMSG_X, 1, 0),
        of(table::SYSCALL_READ_X, 1, 0),
        of(table::SYSCALL_WRITE_X, 1, 1),
    ]
}

#[test]
fn of_ports_that_were_asked_for_all_is_kept_that_there_is_room_for() {
    let (stream, port) = connection();
    let port = u32::from(port);
    let asked = Options { full_ports: (port, port), ..options() };
    let Some(mut recorder) = open(&asked, &CODES) else { return };
    let told = kept(&mut recorder, &stream, &vec![b'x'; LENGTH]);
    assert_eq!(told, [16_000, 16_000, 16_000, 16_000, 16_000, 80]);
    let (other, _) = connection();
    assert_eq!(kept(&mut recorder, &other, &vec![b'x'; LENGTH]), [80; 6]);
}

#[test]
fn of_protocols_that_are_known_more_is_kept() {
    let (stream, _) = connection();
    let asked = Options { dynamic_snaplen: true, ..options() };
    let Some(mut recorder) = open(&asked, &CODES) else { return };
    let mut request = b"POST /index HTTP/1.1\r\n".to_vec();
    request.resize(3000, b'x');
    // What lies in several buffers is not looked into, as in Falco.
    assert_eq!(kept(&mut recorder, &stream, &request), [2000, 2000, 80, 80, 80, 80]);
    let (stream, _) = connection();
    assert_eq!(kept(&mut recorder, &stream, &[b'x'; 3000]), [80; 6]);
}
