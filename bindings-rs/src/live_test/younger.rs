//! Younger calls without an event of their own: told as generic events and as the older call, and
//! those about a descriptor with its file.
use probe::scratch::{VIA_FCHMODAT2, VIA_PREADV2, VIA_PWRITEV2};
use probe::table as t;

use super::{FILES, Folder, LANE, Recorded, c, of, sc, signed};
use crate::loader::GENERIC_CALL;

const PREADV2: libc::c_long = 327;
const PWRITEV2: libc::c_long = 328;
const FCHMODAT2: libc::c_long = 452;
const EBADF: i64 = -9;

fn via(event: &Recorded) -> u8 {
    event.own(LANE)[0] >> 1
}

#[test]
fn younger_calls_are_told_as_the_older_ones_too() {
    let folder = Folder::new("younger");
    let file = folder.file("file");
    let path = c(&file);
    let act = || unsafe {
        // SAFETY: valid paths and buffers.
        let fd = libc::open(path.as_ptr(), libc::O_RDWR);
        libc::dup2(fd, 140);
        let vector = libc::iovec { iov_base: c"younger".as_ptr() as *mut _, iov_len: 7 };
        libc::syscall(PWRITEV2, 140, &raw const vector, 1, 2, 0, 0);
        let mut back = [0u8; 16];
        let vector = libc::iovec { iov_base: back.as_mut_ptr().cast(), iov_len: 16 };
        libc::syscall(PREADV2, 140, &raw const vector, 1, 2, 0, 0);
        libc::syscall(PREADV2, 900_000, &raw const vector, 1, 2, 0, 0);
        libc::syscall(FCHMODAT2, libc::AT_FDCWD, path.as_ptr(), 0o711, 0);
        0
    };
    let Some(mut recorder) = super::recorder() else { return };
    let older = [t::SYSCALL_PWRITEV_X, t::SYSCALL_PREADV_X, t::SYSCALL_FCHMODAT_X];
    let generic = [GENERIC_CALL | sc("fchmodat2"), t::PROCEXIT_1_E];
    recorder.route(&[&older[..], &generic].concat());
    let (_, events) = recorder.of_child(act);
    drop(recorder);
    let both = of(&events, t::GENERIC_X);
    assert_eq!(
        both.iter().map(|event| (event.number(0), via(event))).collect::<Vec<_>>(),
        [(i64::from(sc("fchmodat2")), 0)]
    );
    let file = file.display().to_string();
    let wrote = of(&events, t::SYSCALL_PWRITEV_X)[0];
    assert_eq!((wrote.number(0), &wrote.params[1][..]), (7, &b"younger"[..]));
    assert_eq!((wrote.number(2), wrote.number(4), via(wrote)), (140, 2, VIA_PWRITEV2));
    assert_eq!(wrote.path(), file);
    let read = of(&events, t::SYSCALL_PREADV_X);
    assert_eq!((read[0].number(0), &read[0].params[2][..]), (7, &b"younger"[..]));
    assert_eq!((read[0].number(3), read[0].number(4), via(read[0])), (140, 2, VIA_PREADV2));
    assert_eq!(read[1].number(0), EBADF);
    // Kernels before 6.6 do not have the call.
    let changed = of(&events, t::SYSCALL_FCHMODAT_X)[0];
    assert_eq!(via(changed), VIA_FCHMODAT2);
    if changed.number(0) == 0 {
        assert_eq!((changed.path(), changed.text(2)), (file.clone(), file.clone()));
    }
}

#[test]
fn calls_without_an_event_are_told_with_the_file_of_their_descriptor() {
    let folder = Folder::new("described");
    let file = folder.file("file");
    let path = c(&file);
    let act = || unsafe {
        // SAFETY: a valid path.
        let fd = libc::open(path.as_ptr(), libc::O_RDWR);
        libc::dup2(fd, 141);
        libc::ftruncate(141, 3);
        libc::fallocate(141, 0, 0, 10);
        libc::ftruncate(900_000, 3);
        0
    };
    let calls = ["ftruncate", "fallocate"].map(|name| GENERIC_CALL | sc(name));
    let Some(mut recorder) = super::recorder() else { return };
    let wanted: Vec<u16> = calls.into_iter().chain([t::PROCEXIT_1_E]).collect();
    recorder.route(&wanted);
    let (_, events) = recorder.of_child(act);
    let events = of(&events, t::GENERIC_X);
    let told: Vec<(i64, i64, String)> = events
        .iter()
        .map(|event| {
            let number = event.own(FILES).get(..4).map_or(-1, signed);
            (event.number(0), number, event.path())
        })
        .collect();
    let file = file.display().to_string();
    let (cut, made) = (i64::from(sc("ftruncate")), i64::from(sc("fallocate")));
    let expected = [(cut, 141, file.clone()), (made, 141, file), (cut, 900_000, String::new())];
    assert_eq!(told, expected);
}
