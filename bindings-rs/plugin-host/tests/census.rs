//! The tests' plugin in Rust (tests/plugins/census) as a host runs it: it parses executions with
//! the table of threads, keeps a column and a table of its own, sends asynchronous events, dumps
//! its state, and listens to captures. In: a machine of two threads. Out: what its fields show.
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use plugin_host::column::Column;
use plugin_host::extraction::{Asked, Given};
use plugin_host::instance::Instance;
use plugin_host::record::Record;
use plugin_host::tables::machine::{Machine, Told, Which};
use plugin_host::tables::registry::Registry;

const EXECVE: u16 = 293;
const SYSCALLS: &CStr = c"syscall";

/// Built once, by the compiler that builds this.
fn library() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("libcensus.so");
        let source =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/plugins/census/lib.rs");
        let compiler = Path::new(env!("CARGO")).with_file_name("rustc");
        let mut command = Command::new(compiler);
        command.args(["--edition", "2024", "--crate-type", "cdylib", "--crate-name", "census"]);
        command.args(["-C", "panic=abort", "-o"]).arg(&place).arg(source);
        assert!(command.status().expect("rustc runs").success());
        place
    })
}

type Threads = Rc<RefCell<BTreeMap<i64, &'static str>>>;

/// Threads by name, each with two arguments and one descriptor.
struct Few(Threads);

impl Machine for Few {
    fn size(&self, which: Which, tid: i64) -> u64 {
        self.keys(which, tid).len() as u64
    }
    fn has(&self, which: Which, tid: i64, key: i64) -> bool {
        self.keys(which, tid).contains(&key)
    }
    fn keys(&self, which: Which, _: i64) -> Vec<i64> {
        match which {
            Which::Threads => self.0.borrow().keys().copied().collect(),
            Which::Fds => vec![3],
            Which::Args => vec![0, 1],
            _ => Vec::new(),
        }
    }
    fn read(&self, which: Which, tid: i64, key: i64, field: usize) -> Option<Told> {
        let text = match (which, which.fields()[field].name.to_bytes()) {
            (Which::Threads, b"comm") => (*self.0.borrow().get(&key)?).to_string(),
            (Which::Args, b"value") => format!("{tid}-{key}"),
            (Which::Fds, b"name") => format!("/of/{tid}/{key}"),
            _ => return None,
        };
        Some(Told::Text(text.into_bytes()))
    }
}

struct Bench {
    census: Instance,
    threads: Threads,
    registry: Arc<Registry>,
}

fn bench(config: &str) -> Bench {
    let threads = Rc::new(RefCell::new(BTreeMap::from([(7, "sh"), (8, "cat")])));
    let registry = Registry::new(Box::new(Few(threads.clone())));
    let path = library().to_str().expect("a text");
    let log = Box::new(|_, _: &str| {});
    let mut census = Instance::load(path, Arc::new(Record::default()), log).unwrap();
    census.owner.state.share(registry.clone());
    census.init(config).unwrap();
    Bench { census, threads, registry }
}

fn event(kind: u16, tid: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(1_000u64.to_le_bytes());
    bytes.extend(tid.to_le_bytes());
    bytes.extend(26u32.to_le_bytes());
    bytes.extend(kind.to_le_bytes());
    bytes.extend(0u32.to_le_bytes());
    bytes
}

impl Bench {
    fn executes(&mut self, tid: i64) {
        self.census.parse(&event(EXECVE, tid), 1, SYSCALLS);
    }

    /// The values of a field of an execution by that thread, numbers as texts.
    fn values(&mut self, name: &str, tid: i64) -> Vec<String> {
        let (name, argument) = name.split_once('[').unwrap_or((name, ""));
        let argument = argument.trim_end_matches(']');
        let place = self.census.info.fields.iter().position(|it| it.name == name).unwrap();
        let is_text = self.census.info.fields[place].kind == 9;
        let index = argument.parse().ok();
        let key =
            (index.is_none() && !argument.is_empty()).then(|| CString::new(argument).unwrap());
        let asked = [Asked { field: place as u32, key, index }];
        let bytes = event(EXECVE, tid);
        let mut columns = [Column::default()];
        self.census.extract(Given { bytes: &bytes, number: 1 }, SYSCALLS, &asked, &mut columns);
        let Column { ends, bytes, .. } = &columns[0];
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let ranges = starts.zip(ends).map(|(from, to)| &bytes[from as usize..*to as usize]);
        ranges
            .map(|value| match value.try_into() {
                Ok(eight) if !is_text => u64::from_le_bytes(eight).to_string(),
                _ => String::from_utf8_lossy(value).into_owned(),
            })
            .collect()
    }
}

#[test]
fn a_plugin_counts_in_a_column_of_threads_and_in_a_table_of_its_own() {
    let mut bench = bench("");
    bench.executes(7);
    bench.executes(7);
    bench.executes(8);
    // Of no thread that is known: the plugin says that it failed.
    bench.executes(99);
    assert_eq!(bench.values("census.executions", 7), ["2"]);
    assert_eq!(bench.values("census.executions", 8), ["1"]);
    assert!(bench.values("census.executions", 99).is_empty());
    assert_eq!(bench.values("census.program[sh]", 8), ["2"]);
    assert!(bench.values("census.program[nothing]", 8).is_empty());
    assert_eq!(bench.values("census.parsed", 8), ["4"]);
    assert_eq!(bench.values("census.comm", 8), ["cat"]);
    assert_eq!(bench.values("census.args", 7), ["7-0", "7-1"]);
    assert_eq!(bench.values("census.fds", 7), ["1"]);
    assert_eq!(bench.values("census.fd[3]", 7), ["/of/7/3"]);
    assert!(bench.values("census.fd[4]", 7).is_empty());
    let failed = &bench.census.owner.state.failed;
    assert_eq!(failed.load(std::sync::atomic::Ordering::Relaxed), 1);
    // The thread ends; another gets its id.
    bench.registry.forget(7);
    bench.threads.borrow_mut().insert(7, "other");
    assert_eq!(bench.values("census.executions", 7), ["0"]);
}

#[test]
fn two_plugins_share_columns_and_see_each_others_tables_until_they_end() {
    let mut bench = bench("");
    let names =
        |registry: &Registry| registry.list().into_iter().map(|it| it.0).collect::<Vec<_>>();
    assert_eq!(names(&bench.registry), [c"threads".to_owned(), c"census.programs".to_owned()]);
    bench.executes(8);
    // The same once more: its table's name is taken.
    let path = library().to_str().expect("a text");
    let (record, log) = (Arc::new(Record::default()), Box::new(|_, _: &str| {}));
    let mut twin = Instance::load(path, record, log).unwrap();
    twin.owner.state.share(bench.registry.clone());
    let refused = twin.init("").unwrap_err();
    assert!(refused.contains("there is a state table \"census.programs\" already"), "{refused}");
    drop(twin);
    let Bench { census, registry, .. } = bench;
    drop(census);
    assert_eq!(names(&registry), [c"threads".to_owned()]);
}

fn until<T>(mut asked: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = asked() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(50), "nothing came");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

#[test]
fn asynchronous_events_come_from_the_plugins_thread_until_they_are_stopped() {
    let mut bench = bench("tick=1");
    bench.census.begin_async(true).unwrap();
    let mut out = vec![0; 1 << 16];
    let first = until(|| Some(bench.census.take_async(&mut out, 5, 0)).filter(|&bytes| bytes > 0));
    assert!(holds(&out[..first], "census.tick\0tick 1"));
    bench.census.end_async();
    let taken = bench.census.async_counts().taken;
    bench.census.take_async(&mut out, 5, 0);
    assert_eq!(bench.census.take_async(&mut out, 5, 0), 0);
    assert!(bench.census.async_counts().taken >= taken);
    // It begins again, as for the next source.
    bench.census.begin_async(true).unwrap();
    until(|| Some(bench.census.take_async(&mut out, 5, 0)).filter(|&bytes| bytes > 0));
    // Dropped while it sends: it is stopped, and its threads are waited for.
}

#[test]
fn a_dump_of_state_is_a_block_for_a_capture() {
    let mut bench = bench("");
    bench.executes(7);
    let blocks = bench.census.dump_state(77, 0);
    assert!(holds(&blocks, "census.state\0parsed 1"));
    assert_eq!(blocks.len() % 4, 0);
    assert_eq!(u32::from_le_bytes(blocks[4..8].try_into().unwrap()) as usize, blocks.len());
}

#[test]
fn a_plugin_that_listens_marks_all_threads_and_has_a_routine_until_the_end() {
    let mut bench = bench("");
    assert_eq!(bench.values("census.marked", 7), ["0"]);
    bench.census.capture_open().unwrap();
    assert_eq!(bench.values("census.marked", 7), ["1"]);
    assert_eq!(bench.values("census.marked", 8), ["1"]);
    until(|| (bench.values("census.rounds", 7) != ["0"]).then_some(()));
    assert_eq!(bench.census.owner.state.routines.count(), 1);
    bench.census.capture_close();
    assert_eq!(bench.census.owner.state.routines.count(), 0);
}
