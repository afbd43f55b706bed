//! Data that is read, written, copied; positions and locks of files.
use std::ptr;

use probe::table as t;

use super::{FILES, Folder, LANE, Recorded, c, of, record, signed};

const FILE: i32 = 100;
const OTHER: i32 = 101;
const SHUT: i32 = 900_000;

/// A file open for both at FILE, another at OTHER.
fn opened(folder: &Folder) {
    let (one, two) = (c(folder.file("one")), c(folder.file("two")));
    // SAFETY: valid paths.
    unsafe {
        for (path, to) in [(one, FILE), (two, OTHER)] {
            let fd = libc::open(path.as_ptr(), libc::O_RDWR | libc::O_TRUNC);
            libc::dup2(fd, to);
            libc::close(fd);
        }
    }
}

fn check_file(event: &Recorded, number: i32, folder: &Folder, name: &str) {
    assert_eq!(signed(&event.own(FILES)[..4]), i64::from(number));
    assert_eq!(event.path(), folder.0.join(name).display().to_string());
}

const EBADF: i64 = -libc::EBADF as i64;

#[test]
fn reads_and_writes_have_their_data_and_their_file() {
    let folder = Folder::new("data");
    let long = [b'l'; 300];
    // In memory before the call, which fails before it looks at it.
    let nobody = *b"nobody";
    let act = || unsafe {
        // SAFETY: valid buffers.
        opened(&folder);
        let mut back = [0u8; 300];
        libc::write(FILE, b"hello".as_ptr().cast(), 5);
        libc::write(FILE, long.as_ptr().cast(), 300);
        libc::write(SHUT, nobody.as_ptr().cast(), 6);
        libc::lseek(FILE, 0, libc::SEEK_SET);
        libc::read(FILE, back.as_mut_ptr().cast(), 3);
        libc::read(FILE, back.as_mut_ptr().cast(), 300);
        libc::read(SHUT, back.as_mut_ptr().cast(), 8);
        0
    };
    let events = record(&[t::SYSCALL_READ_X, t::SYSCALL_WRITE_X], act);
    if events.is_empty() {
        return;
    }
    let ours = |event: &&Recorded| [FILE, SHUT].map(i64::from).contains(&event.number(2));
    let of = |code| events.iter().filter(|e| e.code == code).filter(ours).collect::<Vec<_>>();
    let written = of(t::SYSCALL_WRITE_X);
    let told = |event: &Recorded| (event.number(0), event.number(2), event.number(3));
    assert_eq!((told(written[0]), &written[0].params[1][..]), ((5, 100, 5), &b"hello"[..]));
    check_file(written[0], FILE, &folder, "one");
    assert_eq!(written[0].own(LANE), [1]);
    assert_eq!((told(written[1]), &written[1].params[1][..]), ((300, 100, 300), &long[..80]));
    assert_eq!(
        (told(written[2]), &written[2].params[1][..]),
        ((EBADF, 900_000, 6), &b"nobody"[..])
    );
    let read = of(t::SYSCALL_READ_X);
    assert_eq!((told(read[0]), &read[0].params[1][..]), ((3, 100, 3), &b"hel"[..]));
    check_file(read[0], FILE, &folder, "one");
    assert_eq!(told(read[1]), (300, 100, 300));
    assert_eq!(read[1].params[1], [b"lo", &long[..78]].concat());
    assert_eq!((told(read[2]), read[2].params[1].len()), ((EBADF, 900_000, 8), 0));
}

/// Many small buffers, some of them empty.
fn vectors(bytes: &[u8]) -> Vec<libc::iovec> {
    bytes
        .chunks(1)
        .flat_map(|one| [(one.as_ptr(), 1), (one.as_ptr(), 0)])
        .map(|(at, len)| libc::iovec { iov_base: at.cast_mut().cast(), iov_len: len })
        .collect()
}

#[test]
fn lists_of_buffers_are_told_together() {
    let folder = Folder::new("vectors");
    let text = *b"0123456789abcdefghijklmnopqrst";
    let act = || unsafe {
        // SAFETY: valid buffers.
        opened(&folder);
        let list = vectors(&text);
        let count = list.len() as i32;
        libc::writev(FILE, list.as_ptr(), count);
        libc::pwritev(FILE, list.as_ptr(), count, 0x1_0000_0010);
        libc::writev(SHUT, list.as_ptr(), count);
        libc::pwritev(SHUT, list.as_ptr(), 3, 7);
        libc::lseek(FILE, 0, libc::SEEK_SET);
        let mut back = [0u8; 30];
        let list = vectors(&back);
        libc::readv(FILE, list.as_ptr(), count);
        libc::preadv(FILE, list.as_ptr(), 20, 0x1_0000_0013);
        libc::readv(SHUT, list.as_ptr(), count);
        libc::preadv(SHUT, list.as_ptr(), count, 9);
        back[0] = 0;
        i32::from(back[0])
    };
    let codes =
        [t::SYSCALL_READV_X, t::SYSCALL_PREADV_X, t::SYSCALL_WRITEV_X, t::SYSCALL_PWRITEV_X];
    let events = record(&codes, act);
    if events.is_empty() {
        return;
    }
    let of = |code| of(&events, code);
    let written = of(t::SYSCALL_WRITEV_X);
    // Result, data, descriptor, size.
    assert_eq!((written[0].number(0), &written[0].params[1][..]), (30, &text[..]));
    assert_eq!((written[0].number(2), written[0].number(3)), (100, 30));
    check_file(written[0], FILE, &folder, "one");
    assert_eq!((written[1].number(0), &written[1].params[1][..]), (EBADF, &text[..]));
    assert_eq!((written[1].number(2), written[1].number(3)), (900_000, 30));
    let placed = of(t::SYSCALL_PWRITEV_X);
    assert_eq!((placed[0].number(0), &placed[0].params[1][..]), (30, &text[..]));
    assert_eq!((placed[0].number(2), placed[0].number(3)), (100, 30));
    assert_eq!(placed[0].number(4), 0x1_0000_0010);
    check_file(placed[0], FILE, &folder, "one");
    assert_eq!((placed[1].number(0), &placed[1].params[1][..]), (EBADF, &b"01"[..]));
    assert_eq!((placed[1].number(3), placed[1].number(4)), (2, 7));
    // Result, size, data, descriptor.
    let read = of(t::SYSCALL_READV_X);
    assert_eq!((read[0].number(0), read[0].number(1)), (30, 30));
    assert_eq!((&read[0].params[2][..], read[0].number(3)), (&text[..], 100));
    check_file(read[0], FILE, &folder, "one");
    assert_eq!((read[1].number(0), read[1].number(1), read[1].params[2].len()), (EBADF, 0, 0));
    let placed = of(t::SYSCALL_PREADV_X);
    assert_eq!((placed[0].number(0), placed[0].number(1)), (10, 10));
    assert_eq!((&placed[0].params[2][..], placed[0].number(3)), (&text[3..13], 100));
    assert_eq!(placed[0].number(4), 0x1_0000_0013);
    check_file(placed[0], FILE, &folder, "one");
    assert_eq!((placed[1].number(0), placed[1].number(4)), (EBADF, 9));
}

#[test]
fn copies_tell_both_descriptors() {
    let folder = Folder::new("copies");
    let act = || unsafe {
        // SAFETY: valid arguments.
        opened(&folder);
        libc::write(FILE, b"hello".as_ptr().cast(), 5);
        let mut at: libc::off_t = 1;
        libc::sendfile(OTHER, FILE, &raw mut at, 3);
        libc::sendfile(OTHER, SHUT, ptr::null_mut(), 3);
        let (mut from, mut to) = (0i64, 9i64);
        libc::copy_file_range(FILE, &raw mut from, OTHER, &raw mut to, 4, 0);
        libc::copy_file_range(SHUT, ptr::null_mut(), OTHER, ptr::null_mut(), 4, 0);
        let mut pair = [0; 2];
        libc::pipe(pair.as_mut_ptr());
        libc::dup2(pair[1], 102);
        from = 0;
        libc::splice(FILE, &raw mut from, 102, ptr::null_mut(), 5, libc::SPLICE_F_MORE);
        libc::splice(FILE, ptr::null_mut(), SHUT, ptr::null_mut(), 6, 1 | 2);
        0
    };
    let codes = [t::SYSCALL_SENDFILE_X, t::SYSCALL_COPY_FILE_RANGE_X, t::SYSCALL_SPLICE_X];
    let events = record(&codes, act);
    if events.is_empty() {
        return;
    }
    let of = |code| of(&events, code);
    let sent = of(t::SYSCALL_SENDFILE_X);
    // Result, offset after the call, out, in, size.
    assert_eq!(sent[0].numbers(&[0, 1, 2, 3, 4]), [3, 4, 101, 100, 3]);
    check_file(sent[0], OTHER, &folder, "two");
    assert_eq!(sent[1].numbers(&[0, 1, 2, 3, 4]), [EBADF, 0, 101, 900_000, 3]);
    let copied = of(t::SYSCALL_COPY_FILE_RANGE_X);
    assert_eq!(copied[0].numbers(&[0, 1, 3, 5]), [4, 101, 100, 4]);
    assert!(copied[0].number(2) != 0 && copied[0].number(4) != 0, "addresses of the offsets");
    check_file(copied[0], OTHER, &folder, "two");
    assert_eq!(copied[1].numbers(&[0, 1, 2, 3, 4, 5]), [EBADF, 101, 0, 900_000, 0, 4]);
    let spliced = of(t::SYSCALL_SPLICE_X);
    assert_eq!(spliced[0].numbers(&[0, 1, 2, 3, 4]), [5, 100, 102, 5, 4]);
    assert_eq!(signed(&spliced[0].own(FILES)[..4]), 102);
    assert_eq!(spliced[1].numbers(&[0, 1, 2, 3, 4]), [EBADF, 100, 900_000, 6, 3]);
}

#[test]
fn positions_locks_and_questions_have_their_descriptor() {
    let folder = Folder::new("questions");
    let act = || unsafe {
        // SAFETY: valid arguments.
        opened(&folder);
        libc::lseek(FILE, 70_000, libc::SEEK_CUR);
        libc::lseek(SHUT, -3, libc::SEEK_END);
        let mut waiting = 0i32;
        libc::ioctl(FILE, libc::FIONREAD, &raw mut waiting);
        libc::syscall(libc::SYS_ioctl, SHUT, 0x5401, 77);
        let mut stat: libc::stat = std::mem::zeroed();
        libc::syscall(libc::SYS_fstat, FILE, &raw mut stat);
        libc::syscall(libc::SYS_fstat, SHUT, &raw mut stat);
        libc::flock(FILE, libc::LOCK_EX | libc::LOCK_NB);
        libc::flock(SHUT, libc::LOCK_UN);
        let directory = c(&folder.0);
        libc::dup2(libc::open(directory.as_ptr(), libc::O_RDONLY), 103);
        let mut entries = [0u8; 1024];
        libc::syscall(libc::SYS_getdents, 103, entries.as_mut_ptr(), 1024);
        libc::syscall(libc::SYS_getdents64, 103, entries.as_mut_ptr(), 1024);
        libc::syscall(libc::SYS_getdents, FILE, entries.as_mut_ptr(), 1024);
        libc::syscall(libc::SYS_getdents64, SHUT, entries.as_mut_ptr(), 1024);
        libc::chdir(directory.as_ptr());
        libc::syscall(libc::SYS_getcwd, entries.as_mut_ptr(), 1024);
        libc::syscall(libc::SYS_getcwd, entries.as_mut_ptr(), 2);
        0
    };
    let codes = [
        t::SYSCALL_LSEEK_X,
        t::SYSCALL_IOCTL_3_X,
        t::SYSCALL_FSTAT_X,
        t::SYSCALL_FLOCK_X,
        t::SYSCALL_GETDENTS_X,
        t::SYSCALL_GETDENTS64_X,
        t::SYSCALL_GETCWD_X,
    ];
    let events = record(&codes, act);
    if events.is_empty() {
        return;
    }
    let of = |code| of(&events, code);
    let sought = of(t::SYSCALL_LSEEK_X);
    assert_eq!(sought[0].numbers(&[0, 1, 2, 3]), [70_000, 100, 70_000, 1]);
    check_file(sought[0], FILE, &folder, "one");
    assert_eq!(sought[1].numbers(&[0, 1, 2, 3]), [EBADF, 900_000, -3, 2]);
    let asked = of(t::SYSCALL_IOCTL_3_X);
    assert_eq!(asked[0].numbers(&[0, 1, 2]), [0, 100, libc::FIONREAD as i64]);
    assert_ne!(asked[0].number(3), 0);
    check_file(asked[0], FILE, &folder, "one");
    assert_eq!(asked[1].numbers(&[0, 1, 2, 3]), [EBADF, 900_000, 0x5401, 77]);
    let stats = of(t::SYSCALL_FSTAT_X);
    assert_eq!(stats[0].numbers(&[0, 1]), [0, 100]);
    check_file(stats[0], FILE, &folder, "one");
    assert_eq!(stats[1].numbers(&[0, 1]), [EBADF, 900_000]);
    let locks = of(t::SYSCALL_FLOCK_X);
    assert_eq!(locks[0].numbers(&[0, 1, 2]), [0, 100, 2 | 4]);
    check_file(locks[0], FILE, &folder, "one");
    assert_eq!(locks[1].numbers(&[0, 1, 2]), [EBADF, 900_000, 8]);
    for code in [t::SYSCALL_GETDENTS_X, t::SYSCALL_GETDENTS64_X] {
        let listed = of(code);
        assert_eq!(listed[0].number(1), 103);
        assert_eq!(listed[0].path(), folder.0.display().to_string());
        assert!(listed[1].number(0) < 0);
    }
    assert!(of(t::SYSCALL_GETDENTS_X)[0].number(0) > 0);
    let cwd = of(t::SYSCALL_GETCWD_X);
    let here = folder.0.display().to_string();
    assert_eq!((cwd[0].number(0), cwd[0].text(1)), (here.len() as i64 + 1, here));
    assert_eq!((cwd[1].number(0), cwd[1].params[1].len()), (i64::from(-libc::ERANGE), 0));
}
