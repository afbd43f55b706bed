//! Calls that name a file: whatever way a name takes, the event carries the kernel's path.
use std::ffi::CString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use libc::AT_FDCWD;
use probe::table as t;

use super::{Folder, LANE, Recorded, c, recorder, text};

pub(super) const PATH2: usize = 1;

/// protected/passwd, and links that lead there.
pub(super) fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    fs::create_dir_all(folder.0.join("protected/deep")).unwrap();
    fs::create_dir(folder.0.join("at")).unwrap();
    fs::write(folder.0.join("protected/passwd"), b"x").unwrap();
    symlink("protected", folder.0.join("d")).unwrap();
    symlink(folder.0.join("d"), folder.0.join("dd")).unwrap();
    symlink("passwd", folder.0.join("protected/pw")).unwrap();
    folder
}

/// The events of what a child does, its exit left out.
pub(super) fn told(act: impl FnOnce() -> i32) -> Option<Vec<Recorded>> {
    let mut recorder = recorder()?;
    let (_, events) = recorder.of_child(act);
    drop(recorder);
    let status = events.iter().find(|event| event.code == t::PROCEXIT_1_E).expect("an exit");
    assert_eq!(status.number(0), 0, "the child did all that it should");
    Some(events.into_iter().filter(|event| event.code != t::PROCEXIT_1_E).collect())
}

/// Strings for a child, which allocates nothing.
pub(super) struct Names(Vec<(&'static str, CString)>);
impl Names {
    pub(super) fn below(prefix: &Path) -> Self {
        let names = ["passwd", "pw", "dir", "node", "sym", "hard", "moved", "again", "third"];
        Self(names.map(|name| (name, c(prefix.join(name)))).into())
    }
    fn of(&self, name: &str) -> *const libc::c_char {
        self.0.iter().find(|(known, _)| *known == name).expect("a name").1.as_ptr()
    }
}

/// Every call once, `at` for those that take a directory; names begin with that of `names`.
/// Returns how many failed.
pub(super) unsafe fn all(names: &Names, at: i32) -> i32 {
    let n = |name| names.of(name);
    // SAFETY: valid strings.
    let results = unsafe {
        [
            libc::syscall(libc::SYS_mkdirat, at, n("dir"), 0o700),
            libc::syscall(libc::SYS_unlinkat, at, n("dir"), libc::AT_REMOVEDIR),
            libc::syscall(libc::SYS_mknodat, at, n("node"), libc::S_IFIFO | 0o600, 0),
            libc::syscall(libc::SYS_symlinkat, c"nowhere".as_ptr(), at, n("sym")),
            libc::syscall(libc::SYS_linkat, at, n("passwd"), at, n("hard"), 0),
            libc::syscall(libc::SYS_renameat, at, n("hard"), at, n("moved")),
            libc::syscall(libc::SYS_renameat2, at, n("moved"), at, n("again"), 0),
            libc::syscall(libc::SYS_fchmodat, at, n("pw"), 0o640),
            libc::syscall(libc::SYS_fchownat, at, n("pw"), 0, 0, 0),
            libc::syscall(libc::SYS_fchownat, at, n("pw"), 0, 0, libc::AT_SYMLINK_NOFOLLOW),
            libc::syscall(libc::SYS_linkat, at, n("pw"), at, n("third"), libc::AT_SYMLINK_FOLLOW),
        ]
    };
    let removed = ["node", "sym", "again", "third"]
        // SAFETY: as above.
        .map(|name| unsafe { libc::syscall(libc::SYS_unlinkat, at, n(name), 0) });
    results.iter().chain(&removed).filter(|&&result| result != 0).count() as i32
}

/// What `all` must be told as, where the names lie in `home`.
pub(super) fn expect_all(events: &[Recorded], home: &str, way: &str) {
    let expected = [
        (t::SYSCALL_MKDIRAT_X, "dir", ""),
        (t::SYSCALL_UNLINKAT_2_X, "dir", ""),
        (t::SYSCALL_MKNODAT_X, "node", ""),
        (t::SYSCALL_SYMLINKAT_X, "sym", ""),
        (t::SYSCALL_LINKAT_2_X, "passwd", "hard"),
        (t::SYSCALL_RENAMEAT_X, "hard", "moved"),
        (t::SYSCALL_RENAMEAT2_X, "moved", "again"),
        (t::SYSCALL_FCHMODAT_X, "passwd", ""),
        (t::SYSCALL_FCHOWNAT_X, "passwd", ""),
        (t::SYSCALL_FCHOWNAT_X, "pw", ""),
        (t::SYSCALL_LINKAT_2_X, "passwd", "third"),
        (t::SYSCALL_UNLINKAT_2_X, "node", ""),
        (t::SYSCALL_UNLINKAT_2_X, "sym", ""),
        (t::SYSCALL_UNLINKAT_2_X, "again", ""),
        (t::SYSCALL_UNLINKAT_2_X, "third", ""),
    ];
    expect_events(events, &expected, home, way);
}

/// The events of these codes, and the kernel's two paths of each.
pub(super) fn expect_events(
    events: &[Recorded],
    expected: &[(u16, &str, &str)],
    home: &str,
    way: &str,
) {
    let codes: Vec<u16> = expected.iter().map(|(code, ..)| *code).collect();
    let seen: Vec<_> = events
        .iter()
        .filter(|event| codes.contains(&event.code))
        .map(|event| (event.code, event.path(), text(event.own(PATH2))))
        .collect();
    let full = |name: &str| if name.is_empty() { String::new() } else { format!("{home}/{name}") };
    let expected: Vec<_> =
        expected.iter().map(|(code, one, two)| (*code, full(one), full(two))).collect();
    assert_eq!(seen, expected, "by way of {way}");
}

#[test]
fn a_name_is_told_by_the_kernels_path_whatever_way_it_takes() {
    let folder = folder("ways");
    let home = folder.0.join("protected");
    let (here, home) = (folder.0.display(), home.display());
    let ways = [
        home.to_string(),
        format!("{here}/d"),
        format!("{here}/dd"),
        format!("{here}//d/./deep/.."),
        "protected".to_owned(),
        "d".to_owned(),
        "at/../dd".to_owned(),
        format!("/proc/self/root{here}/d"),
        format!("/proc/thread-self/root{here}/protected"),
        format!("/../..{here}/protected"),
        "/proc/self/cwd/protected".to_owned(),
        "/proc/self/cwd/d".to_owned(),
        format!("/proc/self/cwd/..{}/d", &folder.0.display().to_string()["/tmp".len()..]),
    ];
    let home = home.to_string();
    for way in &ways {
        let (from, names) = (c(&folder.0), Names::below(Path::new(way)));
        let act = || unsafe {
            // SAFETY: valid strings.
            libc::chdir(from.as_ptr());
            all(&names, AT_FDCWD)
        };
        let Some(events) = told(act) else { return };
        expect_all(&events, &home, way);
    }
}

/// The calls that take no directory. Returns how many failed.
unsafe fn plain(names: &Names) -> i32 {
    let n = |name| names.of(name);
    // SAFETY: valid strings.
    let results = unsafe {
        [
            libc::syscall(libc::SYS_mkdir, n("dir"), 0o700),
            libc::syscall(libc::SYS_rmdir, n("dir")),
            libc::syscall(libc::SYS_mknod, n("node"), libc::S_IFIFO | 0o600, 0),
            libc::syscall(libc::SYS_symlink, c"nowhere".as_ptr(), n("sym")),
            libc::syscall(libc::SYS_link, n("passwd"), n("hard")),
            libc::syscall(libc::SYS_rename, n("hard"), n("moved")),
            libc::syscall(libc::SYS_chmod, n("pw"), 0o640),
            libc::syscall(libc::SYS_chown, n("pw"), 0, 0),
            libc::syscall(libc::SYS_lchown, n("pw"), 0, 0),
            libc::syscall(libc::SYS_unlink, n("node")),
            libc::syscall(libc::SYS_unlink, n("sym")),
            libc::syscall(libc::SYS_unlink, n("moved")),
        ]
    };
    results.iter().filter(|&&result| result != 0).count() as i32
}

#[test]
fn calls_without_a_directory_are_told_by_the_kernels_path_too() {
    let folder = folder("plain");
    let home = folder.0.join("protected").display().to_string();
    let from = c(&folder.0);
    let ways = [folder.0.join("dd"), "d".into(), "/proc/self/cwd/d".into()];
    for way in &ways {
        let names = Names::below(way);
        let act = || unsafe {
            // SAFETY: valid strings.
            libc::chdir(from.as_ptr());
            plain(&names)
        };
        let Some(events) = told(act) else { return };
        let expected = [
            (t::SYSCALL_MKDIR_2_X, "dir", ""),
            (t::SYSCALL_RMDIR_2_X, "dir", ""),
            (t::SYSCALL_MKNOD_X, "node", ""),
            (t::SYSCALL_SYMLINK_X, "sym", ""),
            (t::SYSCALL_LINK_2_X, "passwd", "hard"),
            (t::SYSCALL_RENAME_X, "hard", "moved"),
            (t::SYSCALL_CHMOD_X, "passwd", ""),
            (t::SYSCALL_CHOWN_X, "passwd", ""),
            (t::SYSCALL_LCHOWN_X, "pw", ""),
            (t::SYSCALL_UNLINK_2_X, "node", ""),
            (t::SYSCALL_UNLINK_2_X, "sym", ""),
            (t::SYSCALL_UNLINK_2_X, "moved", ""),
        ];
        expect_events(&events, &expected, &home, &way.display().to_string());
    }
}

#[test]
fn a_name_is_told_from_a_descriptor_and_in_a_directory_that_was_renamed() {
    let folder = folder("dirfd");
    let (from, link, none) = (c(&folder.0), c("dd"), Names::below(Path::new("")));
    let dots = Names::below(Path::new("../d"));
    for names in [&none, &dots] {
        let act = || unsafe {
            // SAFETY: valid strings.
            libc::chdir(from.as_ptr());
            all(names, libc::open(link.as_ptr(), libc::O_RDONLY))
        };
        let Some(events) = told(act) else { return };
        expect_all(&events, &folder.0.join("protected").display().to_string(), "a descriptor");
    }
    let (inside, old, new) =
        (c(folder.0.join("d")), c(folder.0.join("protected")), c(folder.0.join("kept")));
    let cwd = Names::below(Path::new("/proc/self/cwd"));
    for (names, old, new) in [(&none, &old, &new), (&cwd, &new, &old)] {
        let act = || unsafe {
            // SAFETY: valid strings.
            let _ = libc::chdir(inside.as_ptr()) == 0 || libc::chdir(new.as_ptr()) == 0;
            libc::chdir(old.as_ptr());
            libc::rename(old.as_ptr(), new.as_ptr());
            all(names, AT_FDCWD)
        };
        let events = told(act).unwrap();
        let renamed: Vec<Recorded> =
            events.into_iter().filter(|event| event.code != t::SYSCALL_RENAME_X).collect();
        expect_all(&renamed, new.to_str().unwrap(), "a renamed directory");
    }
}

#[test]
fn calls_without_an_event_of_their_own_are_told_by_both_paths() {
    let folder = folder("generic");
    let (from, file) = (c(&folder.0), c("d/pw"));
    let act = || unsafe {
        // SAFETY: valid strings.
        libc::chdir(from.as_ptr());
        let (name, now) = (file.as_ptr(), std::ptr::null::<u8>());
        let at = libc::open(c"dd".as_ptr(), libc::O_RDONLY);
        let nofollow = libc::AT_SYMLINK_NOFOLLOW;
        let mut failed = libc::syscall(libc::SYS_truncate, name, 1);
        failed += libc::syscall(libc::SYS_utimes, name, now);
        failed += libc::syscall(libc::SYS_utimensat, AT_FDCWD, name, now, nofollow);
        failed += libc::syscall(libc::SYS_utimensat, at, c"pw".as_ptr(), now, 0);
        let opened = libc::open(name, libc::O_RDONLY);
        failed += libc::syscall(libc::SYS_utimensat, opened, now, now, 0);
        // Where this fails, it has no path.
        libc::syscall(libc::SYS_setxattr, c"nowhere".as_ptr(), c"user.x".as_ptr(), now, 0, 0);
        failed as i32
    };
    let Some(events) = told(act) else { return };
    let seen: Vec<_> = events
        .iter()
        .filter(|event| event.code == t::GENERIC_X)
        .map(|event| (event.number(0), event.path(), text(event.own(PATH2))))
        .collect();
    let full = |name: &str| folder.0.join("protected").join(name).display().to_string();
    let call = |name: &str| i64::from(super::sc(name));
    let (said, unsaid) = (String::from("d/pw"), String::new());
    let expected = [
        (call("truncate"), full("passwd"), said.clone()),
        (call("utimes"), full("passwd"), said.clone()),
        (call("utimensat"), full("pw"), said),
        (call("utimensat"), full("passwd"), unsaid.clone()),
        (call("utimensat"), full("passwd"), unsaid.clone()),
        (call("setxattr"), unsaid.clone(), unsaid),
    ];
    assert_eq!(seen, expected);
    let critical = events.iter().find(|event| event.code == t::GENERIC_X).unwrap().own(LANE);
    assert_eq!(critical, [0], "a change is critical");
}

#[test]
fn questions_about_a_file_have_its_path_and_their_parameters() {
    let folder = folder("stat");
    let (from, file) = (c(&folder.0), c("d/pw"));
    let act = || unsafe {
        // SAFETY: valid strings, and room for the answers.
        libc::chdir(from.as_ptr());
        let (name, mut answer) = (file.as_ptr(), std::mem::zeroed::<libc::stat>());
        let answer = &raw mut answer;
        let nofollow = libc::AT_SYMLINK_NOFOLLOW;
        let mut failed = libc::syscall(libc::SYS_stat, name, answer);
        failed += libc::syscall(libc::SYS_lstat, name, answer);
        failed += libc::syscall(libc::SYS_newfstatat, AT_FDCWD, name, answer, nofollow);
        failed += libc::syscall(libc::SYS_access, name, libc::R_OK | libc::W_OK);
        failed as i32
    };
    let Some(events) = told(act) else { return };
    let expected = [
        (t::SYSCALL_STAT_X, "passwd", ""),
        (t::SYSCALL_LSTAT_X, "pw", ""),
        (t::SYSCALL_NEWFSTATAT_X, "pw", ""),
        (t::SYSCALL_ACCESS_X, "passwd", ""),
    ];
    let home = folder.0.join("protected").display().to_string();
    expect_events(&events, &expected, &home, "questions");
    let of = |code: u16| events.iter().find(|event| event.code == code).unwrap();
    assert_eq!(
        (of(t::SYSCALL_STAT_X).number(0), of(t::SYSCALL_STAT_X).text(1)),
        (0, "d/pw".into())
    );
    let newer = of(t::SYSCALL_NEWFSTATAT_X);
    assert_eq!((newer.number(1), newer.text(2), newer.number(3)), (-100, "d/pw".into(), 0x100));
    let access = of(t::SYSCALL_ACCESS_X);
    assert_eq!((access.text(1), access.number(2)), ("d/pw".into(), 6));
}
