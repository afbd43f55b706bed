//! Names that lead through other roots, mounts, descriptors and links that change meanwhile.
use std::ffi::CString;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;
use std::{fs, ptr};

use libc::AT_FDCWD;
use probe::table as t;

use super::names::{Names, PATH2, all, expect_all, expect_events, folder, told};
use super::{Folder, Recorded, c, text};

#[test]
fn a_name_is_told_as_seen_from_the_root_of_its_process() {
    let folder = folder("chroot");
    let (root, names) = (c(folder.0.join("d/..")), Names::below(Path::new("/at/../../../dd")));
    symlink("/protected", folder.0.join("from-root")).unwrap();
    let linked = Names::below(Path::new("/from-root"));
    fs::remove_file(folder.0.join("dd")).unwrap();
    symlink("/d", folder.0.join("dd")).unwrap();
    for names in [&names, &linked] {
        let act = || unsafe {
            // SAFETY: valid strings.
            libc::chroot(root.as_ptr());
            all(names, AT_FDCWD)
        };
        let Some(events) = told(act) else { return };
        expect_all(&events, "/protected", "a root of its own");
        let chroot = events.iter().find(|event| event.code == t::SYSCALL_CHROOT_X).unwrap();
        assert_eq!(chroot.path(), folder.0.display().to_string());
    }
}

/// Gives a child mounts of its own.
unsafe fn unshare_mounts() {
    // SAFETY: valid strings; the namespace ends with the child.
    unsafe {
        libc::unshare(libc::CLONE_NEWNS);
        let private = libc::MS_REC | libc::MS_PRIVATE;
        libc::mount(c"none".as_ptr(), c"/".as_ptr(), ptr::null(), private, ptr::null());
    }
}

#[test]
fn mounts_have_both_names_and_names_lead_through_mounts() {
    let folder = folder("mounts");
    let (from, source, at) = (c(&folder.0), c("dd"), c("d/../at"));
    let (names, file) = (Names::below(Path::new("/proc/self/cwd/at")), c("at/passwd"));
    let (link, moved) = (c("at/pw"), c("protected/deep"));
    // /proc tells a name as its mount has it.
    let types = if super::is_traced() { &["tmpfs"][..] } else { &["bind", "tmpfs"][..] };
    for &fstype in types {
        let act = || unsafe {
            // SAFETY: valid strings.
            unshare_mounts();
            libc::chdir(from.as_ptr());
            if fstype == "bind" {
                libc::mount(source.as_ptr(), at.as_ptr(), ptr::null(), libc::MS_BIND, ptr::null());
            } else {
                let tmpfs = c"tmpfs".as_ptr();
                libc::mount(c"none".as_ptr(), at.as_ptr(), tmpfs, 0, ptr::null());
                libc::close(libc::open(file.as_ptr(), libc::O_CREAT | libc::O_WRONLY, 0o600));
                libc::symlink(c"passwd".as_ptr(), link.as_ptr());
            }
            let failed = all(&names, AT_FDCWD);
            libc::mount(at.as_ptr(), moved.as_ptr(), ptr::null(), libc::MS_MOVE, ptr::null());
            failed + libc::umount2(moved.as_ptr(), libc::MNT_DETACH)
        };
        let Some(mut events) = told(act) else { return };
        let of = |code: u16| -> Vec<_> {
            let mounts = events.iter().filter(|event| event.code == code);
            mounts.map(|event| (event.path(), text(event.own(PATH2)))).collect()
        };
        let path = |name: &str| folder.0.join(name).display().to_string();
        let mounts = of(t::SYSCALL_MOUNT_X);
        let source = if fstype == "bind" { path("protected") } else { String::new() };
        assert_eq!(mounts[1], (source, path("at")), "{fstype}");
        assert_eq!(mounts[2], (path("at"), path("protected/deep")), "{fstype}");
        assert_eq!(of(t::SYSCALL_UMOUNT2_X), [(path("protected/deep"), String::new())]);
        // A mount of what the root holds anyway hides nothing; other file systems have their names.
        let device = |path: &Path| fs::metadata(path).unwrap().dev();
        let same = fstype == "bind" && device(&folder.0) == device("/".as_ref());
        events
            .retain(|event| event.code != t::SYSCALL_SYMLINK_X && event.code != t::SYSCALL_MOUNT_X);
        expect_all(&events, &path(if same { "protected" } else { "at" }), fstype);
    }
}

#[test]
fn a_descriptor_that_is_linked_has_its_files_path() {
    let folder = folder("empty");
    let (from, file, new) = (c(&folder.0), c("d/passwd"), c("d/hard"));
    let act = || unsafe {
        // SAFETY: valid strings.
        libc::chdir(from.as_ptr());
        let fd = libc::open(file.as_ptr(), libc::O_RDONLY);
        libc::dup2(fd, 77);
        let old = c"/proc/self/fd/77".as_ptr();
        let (empty, follow) = (libc::AT_EMPTY_PATH, libc::AT_SYMLINK_FOLLOW);
        let mut failed = libc::linkat(fd, c"".as_ptr(), AT_FDCWD, new.as_ptr(), empty);
        failed += libc::unlink(new.as_ptr());
        failed += libc::linkat(AT_FDCWD, old, AT_FDCWD, new.as_ptr(), follow);
        failed + libc::fchownat(fd, c"".as_ptr(), 0, 0, empty)
    };
    let Some(events) = told(act) else { return };
    let expected = [
        (t::SYSCALL_LINKAT_2_X, "passwd", "hard"),
        (t::SYSCALL_LINKAT_2_X, "passwd", "hard"),
        (t::SYSCALL_FCHOWNAT_X, "passwd", ""),
    ];
    expect_events(&events, &expected, &folder.0.join("protected").display().to_string(), "itself");
}

#[test]
fn names_that_are_alike_and_long_names_are_told_apart() {
    let folder = Folder::new("alike");
    let long = "l".repeat(255);
    let names: Vec<String> = ["alike-alike-1", "alike-alike-2", "alike-alike-22", "alike-a", "a"]
        .map(String::from)
        .into_iter()
        .chain([long.clone(), format!("{}m", &long[..254]), "0123456789".repeat(4)])
        .collect();
    for name in &names {
        fs::create_dir(folder.0.join(name)).unwrap();
    }
    let paths: Vec<CString> = names.iter().map(|name| c(folder.0.join(name).join("."))).collect();
    let act = || {
        // SAFETY: valid strings.
        paths.iter().map(|path| unsafe { libc::chmod(path.as_ptr(), 0o755) }).sum()
    };
    let Some(events) = told(act) else { return };
    let expected: Vec<_> =
        names.iter().map(|name| (t::SYSCALL_CHMOD_X, name.as_str(), "")).collect();
    expect_events(&events, &expected, &folder.0.display().to_string(), "their names");
}

#[test]
fn a_call_that_failed_has_no_path_and_a_link_out_of_reach_no_made_up_one() {
    let folder = folder("unknown");
    let far = format!("{}/protected", "./".repeat(60));
    symlink(&far, folder.0.join("far")).unwrap();
    symlink("round", folder.0.join("round")).unwrap();
    let (from, round, far) = (c(&folder.0), c("round/passwd"), c("far/passwd"));
    let act = || unsafe {
        // SAFETY: valid strings.
        libc::chdir(from.as_ptr());
        libc::syscall(libc::SYS_chmod, round.as_ptr(), 0o600);
        libc::syscall(libc::SYS_chmod, far.as_ptr(), 0o600) as i32
    };
    let Some(events) = told(act) else { return };
    let paths: Vec<_> = events
        .iter()
        .filter(|event| event.code == t::SYSCALL_CHMOD_X)
        .map(Recorded::path)
        .collect();
    assert_eq!(paths[0], "");
    let known = folder.0.join("protected/passwd").display().to_string();
    assert!(paths[1].is_empty() || paths[1] == known, "{}", paths[1]);
}

#[test]
fn while_a_link_is_swapped_a_path_is_one_of_the_two_or_unknown() {
    const CALLS: usize = 2000;
    let folder = folder("swap");
    fs::create_dir(folder.0.join("other")).unwrap();
    fs::write(folder.0.join("other/passwd"), b"x").unwrap();
    symlink("other", folder.0.join("o")).unwrap();
    let (from, path) = (c(&folder.0), c("d/passwd"));
    let act = || unsafe {
        // SAFETY: valid strings; the swapping child is our own.
        libc::chdir(from.as_ptr());
        let swapper = libc::fork();
        if swapper == 0 {
            loop {
                let (d, o, exchange) = (c"d".as_ptr(), c"o".as_ptr(), 2);
                libc::syscall(libc::SYS_renameat2, AT_FDCWD, d, AT_FDCWD, o, exchange);
            }
        }
        for _ in 0..CALLS {
            libc::syscall(libc::SYS_chmod, path.as_ptr(), 0o600);
        }
        libc::kill(swapper, libc::SIGKILL);
        libc::waitpid(swapper, ptr::null_mut(), 0);
        0
    };
    let Some(events) = told(act) else { return };
    let known = ["protected/passwd", "other/passwd"].map(|name| folder.0.join(name));
    let mut told = 0;
    for event in events.iter().filter(|event| event.code == t::SYSCALL_CHMOD_X) {
        let path = event.path();
        assert!(path.is_empty() || known.contains(&path.clone().into()), "{path}");
        told += usize::from(!path.is_empty());
    }
    assert!(told > CALLS / 2, "{told} of {CALLS} are known");
}

#[test]
fn a_name_is_found_among_thousands_of_newer_ones() {
    let folder = folder("many");
    let home = folder.0.join("protected");
    let file = c(home.join("passwd"));
    for number in 0..5000 {
        fs::write(home.join(format!("{number}")), b"").unwrap();
    }
    // Of different hashes: one alone may agree on two sizes of the kernel's table. Many: one that
    // is not the first of its chain has learning begin anew.
    let newest = (0..64).map(|number| home.join(format!("newest-{number}"))).collect::<Vec<_>>();
    for name in &newest {
        fs::write(name, b"").unwrap();
    }
    let newest = newest.into_iter().map(c).collect::<Vec<_>>();
    let act = || unsafe {
        // SAFETY: valid strings. The first calls have the probe learn where the kernel's table is,
        // which each CPU does by itself.
        let mut one: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(0, &mut one);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const one);
        for name in &newest {
            libc::syscall(libc::SYS_chmod, name.as_ptr(), 0o600);
        }
        libc::syscall(libc::SYS_chmod, file.as_ptr(), 0o600) as i32
    };
    let Some(events) = told(act) else { return };
    let last = events.iter().rfind(|event| event.code == t::SYSCALL_CHMOD_X).unwrap();
    assert_eq!(last.path(), home.join("passwd").display().to_string());
}
