//! The sieve before the rings: what is kept, under which name, and while tables are exchanged.
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use probe::sieve::guard::{Clause, Guard, TESTS, Test, Text, Verdict, form, test, text};
use probe::sieve::table::{MAGIC, VERSION};
use probe::table::{self, PARAM_COUNTS};

use super::{Folder, LANE, Recorded, Recorder, c, open, options};

/// Keeps opens that succeed and whose name begins with the prefix.
fn table_of(prefix: &[u8], verdict: Verdict) -> Vec<u8> {
    let mut guard = Guard { effect: 1, verdict: verdict as u8, ..Guard::KEEP };
    (guard.tests_used, guard.clauses_used) = (1, 1);
    guard.texts[0] = Text { kind: text::PATH, param: 2, directory: 1, pad: 0 };
    guard.tests[0] = Test {
        kind: test::LESS,
        param: 0,
        form: form::RESULT,
        inverted: 1,
        bit: 3,
        pad: [0; 3],
        value: 0,
    };
    guard.clauses[0] = Clause { all: 1 << 3, none: 0, marks: 1, without: 0 };
    assert_eq!(TESTS, 16);

    // A state behind each byte of the prefix, and a last one where it cannot be any more. Class 0
    // is that of all other bytes, 1 that of NUL, 2 and on those of the prefix's own bytes.
    let mut bytes: Vec<u8> = prefix.to_vec();
    bytes.sort_unstable();
    bytes.dedup();
    let mut class = [0u8; 256];
    class[0] = 1;
    for (at, byte) in bytes.iter().enumerate() {
        class[usize::from(*byte)] = at as u8 + 2;
    }
    let (states, shift) = (prefix.len() + 2, 5);
    let lost = states - 1;
    let mut next = vec![lost as u16; states << shift];
    for state in 0..states {
        next[(state << shift) + 1] = state as u16;
    }
    for (state, byte) in prefix.iter().enumerate() {
        next[(state << shift) + usize::from(class[usize::from(*byte)])] = state as u16 + 1;
    }
    for cell in 0..1 << shift {
        next[(prefix.len() << shift) + cell] = prefix.len() as u16;
    }
    let mut marks = vec![0u64; states];
    marks[prefix.len()] = 1;

    let mut out = Vec::new();
    let codes = PARAM_COUNTS.len() as u32;
    for word in [MAGIC, VERSION, codes, states as u32, bytes.len() as u32 + 2, shift] {
        out.extend(word.to_le_bytes());
    }
    out.extend(u64::MAX.to_le_bytes());
    out.extend(0u64.to_le_bytes());
    let fcntl = Guard { effect: 3, verdict: Verdict::Drop as u8, ..Guard::KEEP };
    for code in 0..codes as u16 {
        let one = match code {
            table::SYSCALL_OPENAT_2_X => guard,
            table::SYSCALL_FCNTL_X => fcntl,
            _ => Guard::KEEP,
        };
        // SAFETY: a Guard is plain bytes without holes.
        out.extend(unsafe {
            std::slice::from_raw_parts((&raw const one).cast::<u8>(), size_of::<Guard>())
        });
    }
    out.extend(class);
    out.extend(marks.iter().flat_map(|bits| bits.to_le_bytes()));
    out.extend(vec![0; states * 8]);
    out.extend(next.iter().flat_map(|state| state.to_le_bytes()));
    out
}

fn sieved(table: &[u8]) -> Option<Recorder> {
    let codes = [table::SYSCALL_OPENAT_2_X, table::SYSCALL_FCNTL_X, table::PROCEXIT_1_E];
    let mut recorder = open(&options(), &codes)?;
    recorder.sift(table);
    Some(recorder)
}

fn openat(path: &Path) {
    // SAFETY: a valid path, and the descriptor is closed again.
    unsafe { libc::close(libc::openat(libc::AT_FDCWD, c(path).as_ptr(), libc::O_RDONLY)) };
}

fn names(events: &[Recorded]) -> Vec<String> {
    let opens = events.iter().filter(|event| event.code == table::SYSCALL_OPENAT_2_X);
    opens.map(|event| event.text(2)).collect()
}

fn kept_back(recorder: &Recorder) -> u64 {
    let counts = recorder.sifted();
    counts.iter().find(|(code, _)| *code == table::SYSCALL_OPENAT_2_X).map_or(0, |(_, n)| *n)
}

#[test]
fn an_open_is_kept_where_the_kernels_name_or_the_callers_is_of_use() {
    let Some(mut recorder) = sieved(&table_of(b"/etc/", Verdict::Ask)) else { return };
    let folder = Folder::new("sifted");
    let (plain, link) = (folder.file("plain"), folder.0.join("link"));
    symlink("/etc/hostname", &link).unwrap();
    let long = folder.file(&"x".repeat(200));
    let missing = Path::new("/etc/saker-is-not-there");
    let round = format!("/etc/..{}", plain.display());
    let (_, events) = recorder.of_child(|| {
        openat(&plain);
        openat(Path::new("/etc/hostname"));
        openat(&long);
        openat(&link);
        openat(missing);
        openat(Path::new(&round));
        openat(Path::new("relative"));
        std::env::set_current_dir(&folder.0).unwrap();
        openat(Path::new("plain"));
        0
    });
    // The open of a relative name that fails is dropped by its number.
    let link = link.display().to_string();
    assert_eq!(names(&events), ["/etc/hostname", &link, &round, "plain"]);
    let hostname = events.iter().find(|event| event.text(2) == "/etc/hostname").unwrap();
    assert_eq!(hostname.own(LANE), [0], "what a rule can match is critical");
    assert!(kept_back(&recorder) >= 4);

    recorder.sift(&[]);
    let (_, events) = recorder.of_child(|| {
        openat(&plain);
        0
    });
    assert_eq!(names(&events), [plain.display().to_string()]);
}

#[test]
fn a_table_that_drops_a_code_drops_it_and_leaves_the_others() {
    // Nobody else opens it: one of which an open was kept before the table came stays kept.
    let folder = Folder::new("dropped");
    let plain = folder.file("plain");
    let Some(mut recorder) = sieved(&table_of(b"/etc/", Verdict::Drop)) else { return };
    let (_, events) = recorder.of_child(|| {
        openat(&plain);
        0
    });
    assert_eq!(names(&events), [""; 0]);
    assert!(events.iter().any(|event| event.code == table::PROCEXIT_1_E));
}

#[test]
fn an_fcntl_of_no_use_to_rules_is_told_where_it_changes_a_descriptor() {
    let Some(mut recorder) = sieved(&table_of(b"/etc/", Verdict::Ask)) else { return };
    let (_, events) = recorder.of_child(|| {
        for command in [libc::F_GETFL, libc::F_GETFD, libc::F_DUPFD, libc::F_DUPFD_CLOEXEC] {
            // SAFETY: a descriptor of this child's own.
            unsafe { libc::fcntl(1, command, 100) };
        }
        0
    });
    let told = events.iter().filter(|event| event.code == table::SYSCALL_FCNTL_X);
    assert_eq!(told.map(|event| event.number(2)).collect::<Vec<_>>(), [1, 26]);
}

#[test]
fn no_open_of_use_is_dropped_while_tables_are_exchanged() {
    const OPENS: usize = 3_000;
    let tables = [table_of(b"/etc/host", Verdict::Ask), table_of(b"/et", Verdict::Ask)];
    let Some(mut recorder) = sieved(&tables[0]) else { return };
    let done = AtomicBool::new(false);
    let mut exchanges = 0;
    let pid = std::thread::scope(|scope| {
        let child = scope.spawn(|| {
            // SAFETY: the child only makes system calls and leaves by _exit.
            let pid = unsafe { libc::fork() };
            if pid == 0 {
                for _ in 0..OPENS {
                    openat(Path::new("/etc/hostname"));
                }
                // SAFETY: ends the child.
                unsafe { libc::_exit(0) };
            }
            // SAFETY: our own child.
            unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
            done.store(true, Ordering::Relaxed);
            pid
        });
        while !done.load(Ordering::Relaxed) {
            exchanges += 1;
            recorder.sift(&tables[exchanges % 2]);
        }
        child.join().unwrap()
    });
    let events = recorder.take();
    let told = events
        .iter()
        .filter(|event| event.code == table::SYSCALL_OPENAT_2_X && event.tid == pid as u64)
        .count();
    assert_eq!((told, exchanges > 0), (OPENS, true));
}
