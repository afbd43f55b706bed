//! Sockets, data, descriptors.
use std::os::unix::ffi::OsStrExt as _;
use std::ptr;

use probe::table;

use super::{Folder, LANE, expect, recorder, sc, signed, text};

/// A listening socket on the loopback, and its port.
fn listener() -> (std::net::TcpListener, u16) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

pub(super) fn address(port: u16) -> libc::sockaddr_in {
    libc::sockaddr_in {
        sin_family: libc::AF_INET as u16,
        sin_port: port.to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes([127, 0, 0, 1]) },
        sin_zero: [0; 8],
    }
}

pub(super) fn connect(to: &libc::sockaddr_in) -> i32 {
    // SAFETY: a valid address.
    unsafe {
        let fd = libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
        libc::connect(fd, ptr::from_ref(to).cast(), 16);
        fd
    }
}

#[test]
fn a_connection_has_its_tuple_from_the_kernel() {
    let (listening, port) = listener();
    let to = address(port);
    expect(
        table::SOCKET_CONNECT_X,
        || connect(&to).min(0),
        |_, events| {
            let event = &events[0];
            assert_eq!(event.number(0), 0);
            let tuple = &event.params[1];
            assert_eq!(tuple.len(), 13);
            assert_eq!(
                (tuple[0], &tuple[1..5], &tuple[7..11]),
                (2, &[127, 0, 0, 1][..], &[127, 0, 0, 1][..])
            );
            assert_ne!(signed(&tuple[5..7]), 0);
            assert_eq!(signed(&tuple[11..13]), i64::from(port));
            let mut told = vec![2, 127, 0, 0, 1];
            told.extend_from_slice(&port.to_le_bytes());
            assert_eq!(event.params[3], told);
            assert_eq!(event.own(LANE), [0]);
        },
    );
    drop(listening);
    expect(
        table::SOCKET_CONNECT_X,
        || connect(&to).min(0),
        |_, events| {
            assert_eq!(events[0].number(0), i64::from(-libc::ECONNREFUSED));
            assert!(events[0].params[1].is_empty());
        },
    );
    expect(
        table::SOCKET_SOCKET_X,
        || connect(&to).min(0),
        |_, events| {
            let event = &events[0];
            assert_eq!((event.number(1), event.number(4)), (2, 1 << 12));
        },
    );
}

#[test]
fn an_accepted_connection_has_its_tuple_and_queue() {
    let act = || unsafe {
        // SAFETY: valid addresses; one process is both ends.
        let listener = libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0);
        let mut at = address(0);
        libc::bind(listener, (&raw const at).cast(), 16);
        libc::listen(listener, 5);
        let mut len = 16;
        libc::getsockname(listener, (&raw mut at).cast(), &raw mut len);
        connect(&at);
        libc::accept4(listener, ptr::null_mut(), ptr::null_mut(), libc::SOCK_NONBLOCK);
        0
    };
    let Some(mut recorder) = recorder() else { return };
    let (_, events) = recorder.of_child(act);
    drop(recorder);
    let of = |code: u16| events.iter().find(|event| event.code == code).expect("an event");
    let (connect, accept) = (of(table::SOCKET_CONNECT_X), of(table::SOCKET_ACCEPT4_6_X));
    assert_eq!(accept.params[1], connect.params[1], "both ends see the same tuple");
    assert_eq!((accept.number(4), accept.number(5)), (5, 1 << 6));
    let listen = of(table::SOCKET_LISTEN_X);
    assert_eq!((listen.number(0), listen.number(2)), (0, 5));
    let bind = of(table::SOCKET_BIND_X);
    assert_eq!((bind.number(0), &bind.params[1][..]), (0, &[2, 127, 0, 0, 1, 0, 0][..]));
}

#[test]
fn unix_sockets_have_their_path() {
    let folder = Folder::new("unix");
    let path = folder.0.join("s");
    let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let bytes = path.as_os_str().as_bytes();
    let mut to = libc::sockaddr_un { sun_family: libc::AF_UNIX as u16, sun_path: [0; 108] };
    for (to, from) in to.sun_path.iter_mut().zip(bytes) {
        *to = *from as libc::c_char;
    }
    let len = 2 + bytes.len() as u32;
    let act = || unsafe {
        // SAFETY: a valid address.
        let fd = libc::socket(libc::AF_UNIX, libc::SOCK_STREAM, 0);
        libc::connect(fd, (&raw const to).cast(), len);
        0
    };
    expect(table::SOCKET_CONNECT_X, act, |_, events| {
        let event = &events[0];
        assert_eq!(event.number(0), 0);
        assert_eq!(text(&event.params[1][17..]), path.display().to_string());
        assert_eq!(
            (event.params[3][0], text(&event.params[3][1..])),
            (1, path.display().to_string())
        );
    });
}

#[test]
fn ipv6_addresses_are_whole() {
    let Ok(listener) = std::net::TcpListener::bind("[::1]:0") else {
        eprintln!("not run: no IPv6 here");
        return;
    };
    let port = listener.local_addr().unwrap().port();
    let mut to: libc::sockaddr_in6 = unsafe { std::mem::zeroed() };
    to.sin6_family = libc::AF_INET6 as u16;
    to.sin6_port = port.to_be();
    to.sin6_addr.s6_addr[15] = 1;
    let act = || unsafe {
        // SAFETY: a valid address.
        let fd = libc::socket(libc::AF_INET6, libc::SOCK_STREAM, 0);
        libc::connect(fd, (&raw const to).cast(), 28);
        0
    };
    expect(table::SOCKET_CONNECT_X, act, |_, events| {
        let tuple = &events[0].params[1];
        assert_eq!((tuple.len(), tuple[0]), (37, 10));
        assert_eq!((tuple[16], tuple[34]), (1, 1));
        assert_eq!(signed(&tuple[35..37]), i64::from(port));
    });
}

#[test]
fn descriptor_calls_have_their_numbers() {
    let act = || unsafe {
        // SAFETY: plain descriptors.
        libc::dup2(1, 60);
        libc::dup3(1, 61, libc::O_CLOEXEC);
        let fd = libc::dup(1);
        libc::fcntl(1, libc::F_DUPFD_CLOEXEC, 70);
        libc::close(fd);
        let mut pair = [0; 2];
        libc::pipe2(pair.as_mut_ptr(), libc::O_CLOEXEC);
        libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, pair.as_mut_ptr());
        libc::memfd_create(c"m".as_ptr(), libc::MFD_CLOEXEC);
        libc::syscall(libc::SYS_getcpu, ptr::null_mut::<u32>(), ptr::null_mut::<u32>(), 0);
        0
    };
    let Some(mut recorder) = recorder() else { return };
    let (_, events) = recorder.of_child(act);
    drop(recorder);
    let of = |code: u16| events.iter().find(|event| event.code == code).expect("an event");
    let numbers = |code: u16, count: usize| -> Vec<i64> {
        (0..count).map(|index| of(code).number(index)).collect()
    };
    assert_eq!(numbers(table::SYSCALL_DUP2_X, 3), [60, 1, 60]);
    assert_eq!(numbers(table::SYSCALL_DUP3_X, 4), [61, 1, 61, 1 << 12]);
    assert_eq!(of(table::SYSCALL_DUP_1_X).number(1), 1);
    assert_eq!(numbers(table::SYSCALL_FCNTL_X, 4)[1..], [1, 26, 70]);
    assert!(of(table::SYSCALL_FCNTL_X).number(0) >= 70);
    assert_eq!(of(table::SYSCALL_CLOSE_X).number(0), 0);
    let pipe = of(table::SYSCALL_PIPE2_X);
    assert!(pipe.number(1) > 2 && pipe.number(2) > 2 && pipe.number(3) > 0);
    assert_eq!(pipe.number(4), 1 << 12);
    let pair = of(table::SOCKET_SOCKETPAIR_X);
    assert!(pair.number(3) != 0 && pair.number(4) != 0 && pair.number(5) == 1);
    let memory = of(table::SYSCALL_MEMFD_CREATE_X);
    assert_eq!((memory.text(1), memory.number(2)), ("m".into(), 1));
    let generic = of(table::GENERIC_X);
    assert_eq!(numbers(table::GENERIC_X, 2), [i64::from(sc("getcpu")), libc::SYS_getcpu]);
    assert_eq!(generic.own(LANE), [1]);
}

#[test]
fn sent_and_received_data_is_kept_to_the_snaplen() {
    let data = [b'x'; 200];
    let act = || unsafe {
        // SAFETY: valid buffers.
        let mut pair = [0; 2];
        libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, pair.as_mut_ptr());
        libc::sendto(pair[0], data.as_ptr().cast(), 200, 0, ptr::null(), 0);
        let mut got = [0u8; 300];
        libc::recvfrom(pair[1], got.as_mut_ptr().cast(), 300, 0, ptr::null_mut(), ptr::null_mut());
        let mut vectors = [
            libc::iovec { iov_base: data.as_ptr() as *mut _, iov_len: 3 },
            libc::iovec { iov_base: data.as_ptr() as *mut _, iov_len: 100 },
        ];
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = vectors.as_mut_ptr();
        message.msg_iovlen = 2;
        libc::sendmsg(pair[0], &raw const message, 0);
        let mut batch: [libc::mmsghdr; 3] = std::mem::zeroed();
        for (index, one) in batch.iter_mut().enumerate() {
            one.msg_hdr.msg_iov = vectors.as_mut_ptr();
            one.msg_hdr.msg_iovlen = index + 1;
        }
        libc::sendmmsg(pair[0], batch.as_mut_ptr(), 2, 0);
        0
    };
    let Some(mut recorder) = recorder() else { return };
    let (_, events) = recorder.of_child(act);
    drop(recorder);
    let of = |code: u16| events.iter().find(|event| event.code == code).expect("an event");
    let sent = of(table::SOCKET_SENDTO_X);
    assert_eq!((sent.number(0), sent.params[1].len(), sent.number(3)), (200, 80, 200));
    let got = of(table::SOCKET_RECVFROM_X);
    assert_eq!((got.number(0), got.params[1].len(), got.number(4)), (200, 80, 300));
    let batch: Vec<_> = events
        .iter()
        .filter(|event| event.code == table::SOCKET_SENDMMSG_X)
        .map(|event| (event.number(0), event.number(2), event.params[3].len()))
        .collect();
    assert_eq!(batch, [(3, 3, 3), (103, 103, 80)], "one event for each message");
    let message = of(table::SOCKET_SENDMSG_X);
    assert_eq!((message.number(0), message.params[1].len(), message.number(3)), (103, 80, 103));
}
