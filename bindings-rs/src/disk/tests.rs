//! The writer's thread on real files: in order, whole pieces, bounded, never waited for.
use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::file::How;
use super::queue::{Queue, Request};
use super::writer;

const LONG: Duration = Duration::from_secs(59);

struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("saker-disk-{}-{name}", std::process::id()));
        fs::create_dir(&path).expect("a directory");
        Self(path)
    }

    fn file(&self, name: &[u8]) -> PathBuf {
        self.0.join(std::ffi::OsStr::from_bytes(name))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn bytes(path: &Path) -> Vec<u8> {
    path.as_os_str().as_bytes().to_vec()
}

fn started(bytes_max: usize) -> Arc<Queue> {
    let queue = Arc::new(Queue::new(bytes_max));
    writer::start(Arc::clone(&queue), 2).expect("a thread");
    queue
}

fn open(queue: &Queue, file: u32, path: &Path, how: How) {
    queue.put(Request::Open { file, path: bytes(path), how });
}

fn fifo(path: &Path) {
    let name = CString::new(bytes(path)).expect("no NUL");
    // SAFETY: the name is a string that ends with NUL.
    assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
}

#[test]
fn pieces_are_written_in_order_into_a_file_of_its_owner_whatever_bytes_its_name_has() {
    let place = Place::new("order");
    let path = place.file(b"a\xff\n.scap");
    let queue = started(1 << 20);
    open(&queue, 1, &path, How::New);
    for piece in [b"one ", b"two "] {
        assert!(queue.put_bytes(1, piece, Duration::ZERO));
    }
    queue.put(Request::Close { file: 1 });
    assert!(queue.wait(LONG));
    assert_eq!(fs::read(&path).expect("the file"), b"one two ");
    let mode = fs::metadata(&path).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(queue.take_failures().is_empty());
    queue.put(Request::Remove { path: bytes(&path) });
    assert!(queue.wait(LONG));
    assert!(!path.exists());
    queue.end();
}

#[test]
fn what_is_there_is_overwritten_only_where_it_is_given_and_only_by_a_piece() {
    let place = Place::new("given");
    let path = place.file(b"there");
    fs::write(&path, "older and longer").expect("a file");
    symlink(&path, place.file(b"link")).expect("a link");
    let queue = started(1 << 20);
    open(&queue, 1, &path, How::New);
    open(&queue, 2, &place.file(b"link"), How::New);
    open(&queue, 3, &path, How::Look);
    open(&queue, 4, &place.0, How::Look);
    open(&queue, 5, &place.file(b"none"), How::Look);
    open(&queue, 6, &path, How::Given);
    assert!(queue.wait(LONG));
    let told = queue.take_failures();
    let expected = [libc::EEXIST, libc::EEXIST, libc::EEXIST, libc::EISDIR];
    assert_eq!(told, [(1, expected[0]), (2, expected[1]), (3, expected[2]), (4, expected[3])]);
    assert_eq!(fs::read(&path).expect("the file"), b"older and longer");
    assert!(!place.file(b"none").exists());
    assert!(queue.put_bytes(6, b"new", Duration::ZERO));
    assert!(queue.wait(LONG));
    assert_eq!(fs::read(&path).expect("the file"), b"new");
    queue.end();
}

#[test]
fn a_fifo_without_a_reader_and_a_full_disk_are_told_and_what_comes_for_them_is_left() {
    let place = Place::new("fails");
    let path = place.file(b"fifo");
    fifo(&path);
    let queue = started(1 << 20);
    open(&queue, 1, &path, How::Given);
    open(&queue, 2, Path::new("/dev/full"), How::Given);
    for file in [1, 2, 2] {
        assert!(queue.put_bytes(file, b"piece", Duration::ZERO));
    }
    assert!(queue.wait(LONG));
    assert_eq!(queue.take_failures(), [(1, libc::ENXIO), (2, libc::ENOSPC)]);
    let state = queue.state();
    assert_eq!((state.bytes, state.requests, state.failures), (0, 0, 0));
    queue.end();
}

#[test]
fn a_pipe_that_nobody_empties_holds_up_its_thread_alone_and_the_bound_refuses() {
    let place = Place::new("pipe");
    let path = place.file(b"fifo");
    fifo(&path);
    let reader = {
        use std::os::unix::fs::OpenOptionsExt as _;
        let mut options = fs::OpenOptions::new();
        options.read(true).custom_flags(libc::O_NONBLOCK).open(&path).expect("a reader")
    };
    let queue = started(300_000);
    open(&queue, 1, &path, How::Given);
    // One that is larger than the bound is taken where nothing waits.
    let large = vec![7; 400_000];
    assert!(queue.put_bytes(1, &large, Duration::ZERO));
    assert!(!queue.put_bytes(1, b"more", Duration::ZERO));
    assert!(!queue.wait(Duration::from_millis(20)));
    assert_eq!(queue.state().bytes, 400_000);
    let total = std::thread::spawn(move || {
        use std::io::Read as _;
        let mut reader = reader;
        let mut buffer = vec![0; 65_536];
        let mut total = 0;
        while total < 400_004 {
            match reader.read(&mut buffer) {
                Ok(count) => total += count,
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
        total
    });
    assert!(queue.put_bytes(1, b"more", LONG), "there is room once it is read");
    assert!(queue.wait(LONG));
    assert_eq!(total.join().expect("the reader"), 400_004);
    queue.end();
}
