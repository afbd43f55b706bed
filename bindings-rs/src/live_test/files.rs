//! Opens, names, directories.
use std::ffi::CString;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::{fs, ptr};

use probe::table;

use super::{Folder, LANE, c, expect, recorder};

fn openat(path: &CString, flags: i32) -> i32 {
    // SAFETY: a valid path.
    unsafe { libc::openat(libc::AT_FDCWD, path.as_ptr(), flags, 0o640) }
}

#[test]
fn an_open_through_links_shows_the_file_that_the_kernel_opened() {
    let folder = Folder::new("links");
    let target = folder.file("target");
    std::os::unix::fs::symlink(&target, folder.0.join("link")).unwrap();
    fs::create_dir(folder.0.join("deep")).unwrap();
    std::os::unix::fs::symlink(folder.0.join("deep"), folder.0.join("dir")).unwrap();
    let root = PathBuf::from(format!("/proc/self/root{}", target.display()));
    for asked in [folder.0.join("link"), folder.0.join("dir/../target"), root] {
        let path = c(&asked);
        expect(
            table::SYSCALL_OPENAT_2_X,
            || openat(&path, libc::O_RDONLY),
            |_, events| {
                let event = events.last().unwrap();
                assert_eq!(event.text(2), asked.display().to_string());
                assert_eq!(event.path(), target.display().to_string());
            },
        );
    }
}

#[test]
fn an_open_that_makes_a_file_has_all_parameters() {
    let folder = Folder::new("made");
    let path = folder.0.join("new");
    let asked = c(&path);
    let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC | libc::O_CLOEXEC;
    expect(
        table::SYSCALL_OPENAT_2_X,
        || openat(&asked, flags).min(0),
        |_, events| {
            let event = events.last().unwrap();
            let stat = fs::metadata(&path).unwrap();
            assert!(event.number(0) >= 0);
            assert_eq!(event.number(1), -100);
            let expected = 1 << 1 | 1 << 2 | 1 << 8 | 1 << 12 | 1 << 14;
            // The overlay's layers depend on where the temporary directory lies.
            assert_eq!(event.number(3) & !(3 << 15), expected);
            assert_eq!(event.number(4), 0o640);
            assert_eq!(event.number(5), (stat.dev() & 0xffff_ffff) as i64);
            assert_eq!(event.number(6), stat.ino() as i64);
            assert_eq!(event.own(LANE), [0], "a write is critical");
        },
    );
}

#[test]
fn an_open_that_fails_has_its_error_and_no_path() {
    let asked = c("/nowhere/at/all");
    expect(
        table::SYSCALL_OPENAT_2_X,
        || openat(&asked, 0) & 1,
        |_, events| {
            let event = events.last().unwrap();
            assert_eq!(event.number(0), i64::from(-libc::ENOENT));
            assert_eq!(event.text(2), "/nowhere/at/all");
            assert_eq!((event.number(5), event.number(6), event.path()), (0, 0, String::new()));
        },
    );
}

#[test]
fn openat2_and_creat_and_open_have_their_paths() {
    let folder = Folder::new("kinds");
    let path = folder.file("f");
    let asked = c(&path);
    let how: [u64; 3] = [0, 0, 4];
    let act = || unsafe {
        // SAFETY: valid arguments.
        libc::syscall(libc::SYS_openat2, libc::AT_FDCWD, asked.as_ptr(), how.as_ptr(), 24);
        libc::syscall(libc::SYS_creat, asked.as_ptr(), 0o600);
        libc::syscall(libc::SYS_open, asked.as_ptr(), libc::O_RDWR, 0);
        0
    };
    let Some(mut recorder) = recorder() else { return };
    let (_, events) = recorder.of_child(act);
    drop(recorder);
    for (code, name) in
        [(table::SYSCALL_OPENAT2_X, 2), (table::SYSCALL_CREAT_X, 1), (table::SYSCALL_OPEN_X, 1)]
    {
        let event = events.iter().find(|event| event.code == code).expect("an event");
        assert!(event.number(0) >= 0);
        assert_eq!(event.text(name), path.display().to_string());
        assert_eq!(event.path(), path.display().to_string());
    }
    let opened = events.iter().find(|event| event.code == table::SYSCALL_OPENAT2_X).unwrap();
    assert_eq!((opened.number(3) & 0xfff, opened.number(5)), (1, 1 << 3));
}

#[test]
fn a_path_of_hundreds_of_folders_is_whole_and_of_a_longer_one_both_ends_are_kept() {
    let folder = Folder::new("deep");
    let folders = |count: usize| {
        let act = {
            let root = c(&folder.0);
            let (step, file) = (c("d"), c("f"));
            move || unsafe {
                // SAFETY: valid paths.
                libc::chdir(root.as_ptr());
                for _ in 0..count {
                    libc::mkdir(step.as_ptr(), 0o700);
                    libc::chdir(step.as_ptr());
                }
                openat(&file, libc::O_CREAT | libc::O_WRONLY).min(0)
            }
        };
        let mut recorder = recorder()?;
        let (_, events) = recorder.of_child(act);
        let event = events.into_iter().rfind(|event| event.code == table::SYSCALL_OPENAT_2_X);
        Some(event.expect("an open").path())
    };
    let here = folder.0.display();
    for count in [300, 1900] {
        let Some(path) = folders(count) else { return };
        assert_eq!(path, format!("{here}{}/f", "/d".repeat(count)));
    }
    let path = folders(2300).unwrap();
    if super::is_traced() {
        // /proc tells no path that is longer than a page.
        assert_eq!(path, "");
        return;
    }
    assert!(path.starts_with(&format!("{here}/d/d/")) && path.ends_with("/d/d/f"), "{path}");
    assert!(path.contains("/…") && path.len() > 1000, "{path}");
}

#[test]
fn how_a_file_is_open_is_the_kernels_word_whatever_becomes_of_the_callers() {
    let folder = Folder::new("how");
    let (pipe, path) = (folder.0.join("pipe"), c(folder.0.join("pipe")));
    let act = || unsafe {
        // SAFETY: valid arguments; the memory is shared with the child's own child.
        libc::mkfifo(path.as_ptr(), 0o600);
        let how: *mut [u64; 3] = libc::mmap(
            ptr::null_mut(),
            4096,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
        .cast();
        *how = [libc::O_WRONLY as u64, 0, 0];
        let opener = libc::getpid();
        if libc::fork() == 0 {
            // Once the kernel has its copy, it sleeps until there is a reader. Where it is traced
            // it stands still before that, in the same call.
            let read = |name| fs::read_to_string(format!("/proc/{opener}/{name}"));
            for _ in 0..5000 {
                let is_opening = read("syscall")
                    .is_ok_and(|line| line.starts_with(&format!("{} ", libc::SYS_openat2)));
                if is_opening && read("status").is_ok_and(|text| text.contains("State:\tS")) {
                    break;
                }
                libc::usleep(1000);
            }
            (&raw mut (*how)[0]).write_volatile(0);
            libc::_exit(libc::open(path.as_ptr(), libc::O_RDONLY).min(0));
        }
        let fd = libc::syscall(libc::SYS_openat2, libc::AT_FDCWD, path.as_ptr(), how, 24);
        libc::wait(ptr::null_mut());
        i32::from(fd < 0)
    };
    super::expect(table::SYSCALL_OPENAT2_X, act, |_, events| {
        let event = &events[0];
        assert!(event.number(0) >= 0);
        assert_eq!(event.path(), pipe.display().to_string());
        // PPM_O_WRONLY.
        assert_eq!(event.number(3) & 3, 2, "{:#x}", event.number(3));
    });
}

#[test]
fn a_path_is_as_seen_from_the_root_of_the_process_and_through_mounts() {
    let folder = Folder::new("root");
    folder.file("inside");
    fs::create_dir(folder.0.join("at")).unwrap();
    fs::create_dir(folder.0.join("from")).unwrap();
    fs::write(folder.0.join("from/f"), b"x").unwrap();
    let (root, inside) = (c(&folder.0), c("/inside"));
    let act = || unsafe {
        // SAFETY: valid paths.
        libc::chroot(root.as_ptr());
        openat(&inside, 0).min(0)
    };
    expect(table::SYSCALL_OPENAT_2_X, act, |_, events| {
        assert_eq!(events.last().unwrap().path(), "/inside");
    });
    let (from, at, file) =
        (c(folder.0.join("from")), c(folder.0.join("at")), c(folder.0.join("at/f")));
    let act = || unsafe {
        // SAFETY: valid paths; the mount is in a namespace that ends with the child.
        libc::unshare(libc::CLONE_NEWNS);
        let none = c"none";
        libc::mount(
            none.as_ptr(),
            c"/".as_ptr(),
            ptr::null(),
            libc::MS_REC | libc::MS_PRIVATE,
            ptr::null(),
        );
        libc::mount(from.as_ptr(), at.as_ptr(), ptr::null(), libc::MS_BIND, ptr::null());
        openat(&file, 0).min(0)
    };
    expect(table::SYSCALL_OPENAT_2_X, act, |_, events| {
        let event = events.last().unwrap();
        assert!(event.number(0) >= 0);
        // A mount of what the root holds anyway hides nothing; that of another file system names.
        let device = |path: &std::path::Path| fs::metadata(path).unwrap().dev();
        // /proc tells a name as its mount has it.
        let same = device(&folder.0) == device("/".as_ref()) && !super::is_traced();
        let expected = folder.0.join(if same { "from/f" } else { "at/f" });
        assert_eq!(event.path(), expected.display().to_string());
    });
}

#[test]
fn names_and_directories_are_told() {
    let folder = Folder::new("names");
    folder.file("a");
    let (home, a, b, d) = (c(&folder.0), c("a"), c("b"), c("d"));
    let act = || unsafe {
        // SAFETY: valid paths.
        libc::chdir(home.as_ptr());
        libc::mkdir(d.as_ptr(), 0o750);
        let fd = libc::open(d.as_ptr(), libc::O_RDONLY);
        libc::renameat(libc::AT_FDCWD, a.as_ptr(), libc::AT_FDCWD, b.as_ptr());
        libc::symlink(b.as_ptr(), a.as_ptr());
        libc::chmod(b.as_ptr(), 0o4755);
        libc::fchmod(fd, 0o700);
        libc::unlinkat(libc::AT_FDCWD, b.as_ptr(), 0);
        libc::fchdir(fd);
        libc::syscall(libc::SYS_rmdir, c"/nowhere".as_ptr());
        0
    };
    let Some(mut recorder) = recorder() else { return };
    let (_, events) = recorder.of_child(act);
    drop(recorder);
    let of = |code: u16| events.iter().find(|event| event.code == code).expect("an event");
    assert_eq!(of(table::SYSCALL_CHDIR_X).path(), folder.0.display().to_string());
    assert_eq!(of(table::SYSCALL_FCHDIR_X).path(), folder.0.join("d").display().to_string());
    assert_eq!(of(table::SYSCALL_FCHMOD_X).path(), folder.0.join("d").display().to_string());
    let made = of(table::SYSCALL_MKDIR_2_X);
    assert_eq!((made.number(0), made.text(1), made.number(2)), (0, "d".into(), 0o750));
    let renamed = of(table::SYSCALL_RENAMEAT_X);
    assert_eq!(
        (renamed.number(0), renamed.number(1), renamed.text(2), renamed.number(3), renamed.text(4)),
        (0, -100, "a".into(), -100, "b".into())
    );
    let linked = of(table::SYSCALL_SYMLINK_X);
    assert_eq!((linked.text(1), linked.text(2)), ("b".into(), "a".into()));
    assert_eq!(of(table::SYSCALL_CHMOD_X).number(2), 0o4755);
    let removed = of(table::SYSCALL_UNLINKAT_2_X);
    assert_eq!((removed.number(0), removed.text(2), removed.number(3)), (0, "b".into(), 0));
    assert_eq!(of(table::SYSCALL_RMDIR_2_X).number(0), i64::from(-libc::ENOENT));
}
