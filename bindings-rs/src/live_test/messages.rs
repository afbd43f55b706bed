//! Messages, options and ends of sockets; data at a place of a file.
use std::ptr;

use probe::table as t;

use super::sockets::{address, connect};
use super::{Folder, c, of, record};

const EBADF: i64 = -libc::EBADF as i64;

#[test]
fn data_at_a_place_of_a_file_is_told_with_the_place() {
    let folder = Folder::new("places-of-data");
    let file = c(folder.file("file"));
    // What a call fails before it looks at must be in memory already: not a constant's page.
    let lost = *b"lost";
    let act = || unsafe {
        // SAFETY: valid buffers.
        libc::dup2(libc::open(file.as_ptr(), libc::O_RDWR), 130);
        let mut back = [0u8; 8];
        libc::pwrite(130, b"hello".as_ptr().cast(), 5, 0x1_0000_0001);
        libc::pwrite(900_000, lost.as_ptr().cast(), 4, 2);
        libc::pread(130, back.as_mut_ptr().cast(), 8, 0x1_0000_0002);
        libc::pread(900_000, back.as_mut_ptr().cast(), 8, 3);
        0
    };
    let events = record(&[t::SYSCALL_PREAD_X, t::SYSCALL_PWRITE_X], act);
    let [written, lost, read, failed] = &events[..] else {
        assert!(events.is_empty());
        return;
    };
    assert_eq!(written.numbers(&[0, 2, 3, 4]), [5, 130, 5, 0x1_0000_0001]);
    assert_eq!((&written.params[1][..], &lost.params[1][..]), (&b"hello"[..], &b"lost"[..]));
    assert_eq!(lost.numbers(&[0, 2, 3, 4]), [EBADF, 900_000, 4, 2]);
    assert_eq!(read.numbers(&[0, 2, 3, 4]), [4, 130, 8, 0x1_0000_0002]);
    assert_eq!((&read.params[1][..], failed.params[1].len()), (&b"ello"[..], 0));
    assert_eq!(failed.numbers(&[0, 2, 3, 4]), [EBADF, 900_000, 8, 3]);
}

#[test]
fn a_message_of_many_buffers_is_whole_at_both_ends() {
    let text = *b"0123456789abcdefghijklmnopqrstuvwxyzABCD";
    let act = || unsafe {
        // SAFETY: valid buffers.
        let mut pair = [0; 2];
        libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, pair.as_mut_ptr());
        libc::dup2(pair[0], 131);
        libc::dup2(pair[1], 132);
        let mut room = [0u8; 40];
        let list = |bytes: *const u8| -> [libc::iovec; 40] {
            std::array::from_fn(|place| libc::iovec {
                iov_base: bytes.add(place).cast_mut().cast(),
                iov_len: 1,
            })
        };
        let (mut out, mut into) = (list(text.as_ptr()), list(room.as_mut_ptr()));
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = out.as_mut_ptr();
        message.msg_iovlen = 40;
        libc::sendmsg(131, &raw const message, 0);
        libc::sendmsg(900_000, &raw const message, 0);
        let mut control = [0u8; 64];
        message.msg_iov = into.as_mut_ptr();
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = 64;
        libc::recvmsg(132, &raw mut message, 0);
        libc::recvmsg(900_000, &raw mut message, 0);
        let mut batch: [libc::mmsghdr; 2] = std::mem::zeroed();
        batch[0].msg_hdr.msg_iov = into.as_mut_ptr();
        batch[0].msg_hdr.msg_iovlen = 40;
        libc::send(131, b"more".as_ptr().cast(), 4, 0);
        libc::recvmmsg(132, batch.as_mut_ptr(), 1, 0, ptr::null_mut());
        libc::recvmmsg(900_000, batch.as_mut_ptr(), 1, 0, ptr::null_mut());
        0
    };
    let codes = [t::SOCKET_SENDMSG_X, t::SOCKET_RECVMSG_X, t::SOCKET_RECVMMSG_X];
    let events = record(&codes, act);
    let [sent, lost, got, failed, batch, none] = &events[..] else {
        assert!(events.is_empty());
        return;
    };
    assert_eq!((sent.numbers(&[0, 2, 3]), &sent.params[1][..]), (vec![40, 131, 40], &text[..]));
    assert_eq!(sent.params[4][0], 1, "a unix socket");
    assert_eq!(
        (lost.numbers(&[0, 2, 3]), &lost.params[1][..]),
        (vec![EBADF, 900_000, 40], &text[..])
    );
    assert!(lost.params[4].is_empty());
    assert_eq!((got.numbers(&[0, 1, 5]), &got.params[2][..]), (vec![40, 40, 132], &text[..]));
    assert_eq!(got.params[3][0], 1);
    assert_eq!(failed.numbers(&[0, 1, 5]), [EBADF, 0, 900_000]);
    assert!(failed.params[2].is_empty() && failed.params[4].is_empty());
    assert_eq!(batch.numbers(&[0, 1, 2]), [4, 132, 4]);
    assert_eq!((&batch.params[3][..], batch.params[4][0]), (&b"more"[..], 1));
    assert_eq!((none.numbers(&[0, 1, 2]), none.params[3].len()), (vec![EBADF, 900_000, 0], 0));
}

#[test]
fn options_and_ends_of_sockets_are_told() {
    let act = || unsafe {
        // SAFETY: valid addresses; one process is both ends.
        let listener = libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0);
        let (mut at, mut length) = (address(0), 16);
        libc::bind(listener, (&raw const at).cast(), 16);
        libc::listen(listener, 3);
        libc::getsockname(listener, (&raw mut at).cast(), &raw mut length);
        libc::dup2(connect(&at), 133);
        libc::accept(listener, ptr::null_mut(), ptr::null_mut());
        libc::accept(900_000, ptr::null_mut(), ptr::null_mut());
        let (mut value, mut size) = (1i32, 4u32);
        let at = (&raw mut value).cast::<libc::c_void>();
        libc::setsockopt(133, libc::SOL_SOCKET, libc::SO_KEEPALIVE, at, 4);
        libc::setsockopt(900_000, libc::SOL_SOCKET, libc::SO_KEEPALIVE, at, 4);
        libc::getsockopt(133, libc::SOL_SOCKET, libc::SO_TYPE, at, &raw mut size);
        libc::getsockopt(900_000, libc::SOL_SOCKET, libc::SO_TYPE, at, &raw mut size);
        libc::shutdown(133, libc::SHUT_WR);
        libc::shutdown(900_000, libc::SHUT_RDWR);
        0
    };
    let codes = [
        t::SOCKET_ACCEPT_5_X,
        t::SOCKET_SETSOCKOPT_X,
        t::SOCKET_GETSOCKOPT_X,
        t::SOCKET_SHUTDOWN_X,
    ];
    let events = record(&codes, act);
    if events.is_empty() {
        return;
    }
    let accepted = of(&events, codes[0]);
    assert!(accepted[0].number(0) > 2);
    assert_eq!((accepted[0].params[1].len(), accepted[0].number(4)), (13, 3));
    assert_eq!((accepted[1].number(0), accepted[1].params[1].len()), (EBADF, 0));
    let set = of(&events, codes[1]);
    // SOL_SOCKET, SO_KEEPALIVE, a number of 32 bits.
    assert_eq!(set[0].numbers(&[0, 1, 2, 3, 5]), [0, 133, 1, 9, 4]);
    assert_eq!(set[0].params[4], [2, 1, 0, 0, 0]);
    assert_eq!(set[1].numbers(&[0, 1, 2, 3, 5]), [EBADF, 900_000, 1, 9, 4]);
    let asked = of(&events, codes[2]);
    assert_eq!(asked[0].numbers(&[0, 1, 2, 3, 5]), [0, 133, 1, 3, 4]);
    assert_eq!(asked[0].params[4], [2, 1, 0, 0, 0], "a stream");
    assert_eq!(asked[1].numbers(&[0, 1]), [EBADF, 900_000]);
    let ended = of(&events, codes[3]);
    assert_eq!(ended[0].numbers(&[0, 1, 2]), [0, 133, 1]);
    assert_eq!(ended[1].numbers(&[0, 1, 2]), [EBADF, 900_000, 2]);
}
