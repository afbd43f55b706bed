//! State tables as a plugin uses them: through the functions alone. In: a machine of two threads.
//! Out: what plugins read, what they may not do, and what is left when threads are gone.
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{CStr, c_void};
use std::ptr::{null, null_mut};
use std::rc::Rc as Shared;
use std::sync::Arc;

use crate::abi::{
    self, Bool, Entry, FAILURE, Field, Rc, STATE_I64, STATE_STRING, STATE_TABLE, STATE_U32,
    STATE_U64, SUCCESS, StateData, Table, TableInput,
};
use crate::last_error;
use crate::tables::access::{Access, AnyTable, Own};
use crate::tables::machine::{Machine, Told, Which};
use crate::tables::reading::{FIELDS, READER, READER_EXT};
use crate::tables::registry::{Found, Registry};
use crate::tables::writing::WRITER;

/// Threads by id: their name and arguments.
type Threads = Shared<RefCell<BTreeMap<i64, (&'static str, Vec<&'static str>)>>>;

struct Few(Threads);

impl Machine for Few {
    fn size(&self, which: Which, tid: i64) -> u64 {
        self.keys(which, tid).len() as u64
    }
    fn has(&self, which: Which, tid: i64, key: i64) -> bool {
        self.keys(which, tid).contains(&key)
    }
    fn keys(&self, which: Which, tid: i64) -> Vec<i64> {
        let threads = self.0.borrow();
        match which {
            Which::Threads => threads.keys().copied().collect(),
            Which::Args => (0..threads.get(&tid).map_or(0, |it| it.1.len()) as i64).collect(),
            _ => Vec::new(),
        }
    }
    fn read(&self, which: Which, tid: i64, key: i64, field: usize) -> Option<Told> {
        let threads = self.0.borrow();
        let text = |text: &str| Some(Told::Text(text.as_bytes().to_vec()));
        match (which, which.fields()[field].name.to_bytes()) {
            (Which::Threads, b"comm") => text(threads.get(&key)?.0),
            (Which::Threads, b"container_id") => text("of the host"),
            (Which::Threads, b"tid") => threads.get(&key).map(|_| Told::Number(key as u64)),
            (Which::Threads, b"uid") => threads.get(&key).map(|_| Told::Number(0xffff_ffff)),
            (Which::Args, _) => text(threads.get(&tid)?.1.get(key as usize)?),
            _ => None,
        }
    }
}

struct Bench {
    threads: Threads,
    registry: Arc<Registry>,
    access: Box<Access>,
    table: *mut Table,
}

fn bench() -> Bench {
    let two = [(7, ("sh", vec!["-c", "true"])), (8, ("cat", vec![]))];
    let threads = Shared::new(RefCell::new(BTreeMap::from(two)));
    let registry = Registry::new(Box::new(Few(threads.clone())));
    let access = Access::new(registry.clone());
    let own = Own { which: Which::Threads, tid: 0, is_detached: false };
    let table = access.table(AnyTable::Own(own)).cast();
    Bench { threads, registry, access, table }
}

fn data(number: i64) -> StateData {
    StateData { s64: number }
}

fn entry(table: *mut Table, key: i64) -> *mut Entry {
    unsafe { READER_EXT.get.unwrap()(table, &raw const *Box::leak(Box::new(data(key)))) }
}

fn field(table: *mut Table, name: &CStr, kind: u32) -> *mut Field {
    unsafe { FIELDS.get.unwrap()(table, name.as_ptr(), kind) }
}

fn read(table: *mut Table, entry: *mut Entry, field: *mut Field) -> Option<StateData> {
    let mut out = data(-1);
    let rc = unsafe { READER_EXT.read.unwrap()(table, entry, field, &raw mut out) };
    (rc == SUCCESS).then_some(out)
}

fn text(value: Option<StateData>) -> Option<String> {
    value.map(|it| unsafe { CStr::from_ptr(it.text) }.to_string_lossy().into_owned())
}

fn write(table: *mut Table, entry: *mut Entry, field: *mut Field, value: StateData) -> Rc {
    unsafe { WRITER.write.unwrap()(table, entry, field, &raw const value) }
}

fn add_field(table: *mut Table, name: &CStr, kind: u32) -> *mut Field {
    unsafe { FIELDS.add.unwrap()(table, name.as_ptr(), kind) }
}

#[test]
fn threads_and_the_tables_within_them_are_read() {
    let bench = bench();
    let (comm, args) =
        (field(bench.table, c"comm", STATE_STRING), field(bench.table, c"args", STATE_TABLE));
    let shell = entry(bench.table, 7);
    assert_eq!(text(read(bench.table, shell, comm)).as_deref(), Some("sh"));
    let uid = read(bench.table, shell, field(bench.table, c"uid", STATE_U32)).unwrap();
    assert_eq!(unsafe { uid.u64 }, 0xffff_ffff);
    let inner = unsafe { read(bench.table, shell, args).unwrap().table };
    let value = field(inner, c"value", STATE_STRING);
    assert_eq!(unsafe { READER_EXT.size.unwrap()(inner) }, 2);
    assert_eq!(text(read(inner, entry(inner, 1), value)).as_deref(), Some("true"));
    assert!(entry(inner, 2).is_null());
    assert_eq!(unsafe { READER_EXT.size.unwrap()(bench.table) }, 2);
    let name = unsafe { CStr::from_ptr(READER_EXT.name.unwrap()(inner)) };
    assert_eq!(name, c"args");
    // A field of one table is none of an entry of another.
    assert!(read(bench.table, shell, value).is_none());
    assert!(last_error::text().unwrap().contains("none of an entry of"));
    assert!(entry(bench.table, 99).is_null());
    assert!(last_error::text().unwrap().contains("no entry 99"));
}

#[test]
fn fields_are_known_by_name_and_type() {
    let bench = bench();
    assert!(field(bench.table, c"comm", STATE_U64).is_null());
    assert!(last_error::text().unwrap().contains("is a string, not a uint64"));
    assert!(field(bench.table, c"nothing", STATE_U64).is_null());
    assert!(last_error::text().unwrap().contains("no field \"nothing\""));
    assert_eq!(
        add_field(bench.table, c"comm", STATE_STRING),
        field(bench.table, c"comm", STATE_STRING)
    );
    let mine = add_field(bench.table, c"mine", STATE_U64);
    assert_eq!(field(bench.table, c"mine", STATE_U64), mine);
    let mut count = 0;
    let listed = unsafe { FIELDS.list.unwrap()(bench.table, &raw mut count) };
    let listed = unsafe { std::slice::from_raw_parts(listed, count as usize) };
    let names: Vec<_> = listed.iter().map(|it| unsafe { CStr::from_ptr(it.name) }).collect();
    assert_eq!(names.len(), 34);
    assert_eq!((names[0], names[33]), (c"tid", c"mine"));
    assert_eq!((listed[0].read_only, listed[33].read_only), (1, 0));
}

#[test]
fn the_container_id_is_the_hosts_until_a_plugin_has_a_column_of_it() {
    let bench = bench();
    let name = c"container_id";
    let shell = entry(bench.table, 7);
    let listed = || {
        let mut count = 0;
        let listed = unsafe { FIELDS.list.unwrap()(bench.table, &raw mut count) };
        let listed = unsafe { std::slice::from_raw_parts(listed, count as usize) };
        listed.iter().filter(|it| unsafe { CStr::from_ptr(it.name) } == name).count()
    };
    let hosts = field(bench.table, name, STATE_STRING);
    assert_eq!(text(read(bench.table, shell, hosts)).as_deref(), Some("of the host"));
    assert_eq!(listed(), 1);
    let mine = add_field(bench.table, name, STATE_STRING);
    assert_ne!(mine, hosts);
    assert_eq!(field(bench.table, name, STATE_STRING), mine);
    assert_eq!(write(bench.table, shell, mine, StateData { text: c"mine".as_ptr() }), SUCCESS);
    assert_eq!(text(read(bench.table, shell, mine)).as_deref(), Some("mine"));
    assert_eq!(listed(), 1);
}

#[test]
fn a_column_is_each_threads_own_and_goes_with_it() {
    let bench = bench();
    let mine = add_field(bench.table, c"mine", STATE_STRING);
    let (shell, cat) = (entry(bench.table, 7), entry(bench.table, 8));
    assert_eq!(text(read(bench.table, shell, mine)).as_deref(), Some(""));
    assert_eq!(write(bench.table, shell, mine, StateData { text: c"abc".as_ptr() }), SUCCESS);
    assert_eq!(text(read(bench.table, shell, mine)).as_deref(), Some("abc"));
    assert_eq!(text(read(bench.table, cat, mine)).as_deref(), Some(""));
    assert!(bench.registry.has_columns());
    bench.threads.borrow_mut().remove(&7);
    bench.registry.forget(7);
    // The plugin kept the entry: nothing may be written that nobody would drop.
    assert_eq!(write(bench.table, shell, mine, StateData { text: c"abc".as_ptr() }), FAILURE);
    assert!(last_error::text().unwrap().contains("the thread 7 is gone"));
    bench.threads.borrow_mut().insert(7, ("another", vec![]));
    assert_eq!(text(read(bench.table, entry(bench.table, 7), mine)).as_deref(), Some(""));
}

#[test]
fn what_is_sakers_can_only_be_read() {
    let bench = bench();
    let comm = field(bench.table, c"comm", STATE_STRING);
    let shell = entry(bench.table, 7);
    let new = StateData { text: c"bash".as_ptr() };
    assert_eq!(write(bench.table, shell, comm, new), FAILURE);
    assert!(last_error::text().unwrap().contains("cannot write the field \"comm\""));
    let key = data(7);
    unsafe {
        assert_eq!(WRITER.clear.unwrap()(bench.table), FAILURE);
        assert_eq!(WRITER.erase.unwrap()(bench.table, &raw const key), FAILURE);
        let made = WRITER.create.unwrap()(bench.table);
        // Of an entry in no table, fields of the tables within can be asked for.
        let args = field(bench.table, c"args", STATE_TABLE);
        let inner = read(bench.table, made, args).unwrap().table;
        assert!(!field(inner, c"value", STATE_STRING).is_null());
        assert_eq!(READER_EXT.size.unwrap()(inner), 0);
        assert!(WRITER.add.unwrap()(bench.table, &raw const key, made).is_null());
        assert!(add_field(inner, c"more", STATE_U64).is_null());
    }
}

unsafe extern "C" fn names(state: *mut c_void, entry: *mut Entry) -> Bool {
    let (table, comm, seen): &mut (*mut Table, *mut Field, Vec<String>) =
        unsafe { &mut *state.cast() };
    seen.push(text(read(*table, entry, *comm)).unwrap());
    Bool::from(seen.len() < 2)
}

#[test]
fn a_walk_sees_every_thread_until_the_plugin_stops_it() {
    let bench = bench();
    let comm = field(bench.table, c"comm", STATE_STRING);
    let mut state = (bench.table, comm, Vec::<String>::new());
    let walk = READER_EXT.iterate.unwrap();
    assert_eq!(unsafe { walk(bench.table, Some(names), (&raw mut state).cast()) }, 0);
    assert_eq!(state.2, ["sh", "cat"]);
    bench.threads.borrow_mut().remove(&8);
    state.2.clear();
    assert_eq!(unsafe { walk(bench.table, Some(names), (&raw mut state).cast()) }, 1);
    assert_eq!(bench.access.held(), 0);
}

#[test]
fn entries_are_given_back_or_end_with_the_call() {
    let bench = bench();
    let held = entry(bench.table, 7);
    let key = data(8);
    unsafe { READER.get.unwrap()(bench.table, &raw const key) };
    assert_eq!(bench.access.held(), 2);
    bench.access.begin_call();
    assert_eq!(bench.access.held(), 1);
    unsafe { READER_EXT.release.unwrap()(bench.table, held) };
    unsafe { READER_EXT.release.unwrap()(bench.table, held) };
    assert_eq!(bench.access.held(), 0);
    for _ in 0..1 << 16 {
        assert!(!entry(bench.table, 7).is_null());
    }
    assert!(entry(bench.table, 7).is_null());
    assert!(last_error::text().unwrap().contains("65536 entries"));
}

#[test]
fn null_pointers_and_other_threads_are_refused() {
    let bench = bench();
    let comm = field(bench.table, c"comm", STATE_STRING);
    assert!(entry(null_mut(), 7).is_null());
    assert!(read(bench.table, null_mut(), comm).is_none());
    assert!(read(bench.table, entry(bench.table, 7), null_mut()).is_none());
    assert!(unsafe { FIELDS.get.unwrap()(bench.table, null(), STATE_U64) }.is_null());
    let (table, comm) = (bench.table.expose_provenance(), comm.expose_provenance());
    std::thread::spawn(move || {
        let table = std::ptr::with_exposed_provenance_mut(table);
        assert!(entry(table, 7).is_null());
        let why = last_error::text().unwrap();
        assert!(why.contains("alone"), "{why}");
        assert!(read(table, null_mut(), std::ptr::with_exposed_provenance_mut(comm)).is_none());
    })
    .join()
    .unwrap();
}

// A plugin's table of its own: one entry, whose one field is a number.
static NUMBER: i64 = 0;

unsafe extern "C" fn one_entry(table: *mut Table, key: *const StateData) -> *mut Entry {
    if unsafe { CStr::from_ptr((*key).text) } == c"there" { table } else { null_mut() }
}
unsafe extern "C" fn one_number(
    table: *mut Table,
    _: *mut Entry,
    field: *const Field,
    out: *mut StateData,
) -> Rc {
    if !std::ptr::eq(field, (&raw const NUMBER).cast()) {
        return FAILURE;
    }
    unsafe { (*out).u64 = *table.cast::<u64>() };
    SUCCESS
}
unsafe extern "C" fn one_field(_: *mut Table, name: *const i8, kind: u32) -> *mut Field {
    let is_there = unsafe { CStr::from_ptr(name) } == c"number" && kind == STATE_U64;
    if is_there { (&raw const NUMBER).cast_mut().cast() } else { null_mut() }
}

fn offered(number: &mut u64) -> TableInput {
    let reader =
        abi::ReaderVtable { get: Some(one_entry), read: Some(one_number), ..Default::default() };
    TableInput {
        name: c"offered".as_ptr(),
        key_type: STATE_STRING,
        table: std::ptr::from_mut(number).cast(),
        reader,
        writer: abi::WriterVtable::default(),
        fields: abi::FieldsVtable { get: Some(one_field), ..Default::default() },
        reader_ext: null_mut(),
        writer_ext: null_mut(),
        fields_ext: null_mut(),
    }
}

#[test]
fn a_plugins_own_table_is_used_by_others_until_it_is_gone() {
    let bench = bench();
    let mut number = 41;
    let input = offered(&mut number);
    unsafe { bench.registry.add(1, &input) }.unwrap();
    assert!(unsafe { bench.registry.add(2, &input) }.unwrap_err().contains("already"));
    let names =
        |registry: &Registry| registry.list().into_iter().map(|it| it.0).collect::<Vec<_>>();
    assert_eq!(names(&bench.registry), [c"threads".into(), c"offered".to_owned()]);
    assert!(bench.registry.find(c"offered", STATE_I64).is_err());
    let Ok(Found::Foreign(foreign)) = bench.registry.find(c"offered", STATE_STRING) else {
        panic!("not found")
    };
    let table: *mut Table = bench.access.table(AnyTable::Foreign(foreign)).cast();
    let number_field = field(table, c"number", STATE_U64);
    let key = StateData { text: c"there".as_ptr() };
    let entry = unsafe { READER_EXT.get.unwrap()(table, &raw const key) };
    assert_eq!(unsafe { read(table, entry, number_field).unwrap().u64 }, 41);
    // What its plugin has no function for.
    assert_eq!(write(table, entry, number_field, data(1)), FAILURE);
    assert!(last_error::text().unwrap().contains("no function to write fields"));
    assert_eq!(unsafe { READER_EXT.size.unwrap()(table) }, u64::MAX);
    bench.registry.remove_of(1);
    assert_eq!(names(&bench.registry).len(), 1);
    assert!(read(table, entry, number_field).is_none());
    assert!(last_error::text().unwrap().contains("is gone"));
}

#[test]
fn a_table_that_cannot_be_read_is_not_taken() {
    let bench = bench();
    let mut number = 0;
    let mut input = offered(&mut number);
    input.reader.get = None;
    assert!(unsafe { bench.registry.add(1, &input) }.unwrap_err().contains("lacks functions"));
    input = offered(&mut number);
    input.key_type = 77;
    assert!(unsafe { bench.registry.add(1, &input) }.unwrap_err().contains("no known type"));
    input.name = c"threads".as_ptr();
    input.key_type = STATE_STRING;
    assert!(unsafe { bench.registry.add(1, &input) }.unwrap_err().contains("already"));
    input.name = null();
    assert!(unsafe { bench.registry.add(1, &input) }.is_err());
}
