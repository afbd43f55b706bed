//! What the plugin knows: its accessors of the host's tables, its counts, and the values that it
//! gave last. In: the host's tables. Out: values of fields.
use crate::falco::{Data, Entry, Event, ExtractField, FAILURE, Field, I64, InitInput, ParseInput};
use crate::falco::{Reader, STRING, SUCCESS, TABLE, Table, U64, Writer};
use crate::number;
use crate::programs::Programs;
use crate::ticks::Ticks;
use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU64, Ordering};

pub const FIELDS: &CStr = c"[
{\"type\": \"uint64\", \"name\": \"census.executions\", \"desc\": \"Of this thread\"},
{\"type\": \"uint64\", \"name\": \"census.program\", \"desc\": \"Executions of a program\",
 \"arg\": {\"isRequired\": true, \"isKey\": true}},
{\"type\": \"uint64\", \"name\": \"census.parsed\", \"desc\": \"Events parsed so far\"},
{\"type\": \"string\", \"name\": \"census.comm\", \"desc\": \"The thread's name\"},
{\"type\": \"uint64\", \"name\": \"census.fds\", \"desc\": \"Open descriptors\"},
{\"type\": \"string\", \"name\": \"census.fd\", \"desc\": \"Name of a descriptor\",
 \"arg\": {\"isRequired\": true, \"isIndex\": true}},
{\"type\": \"string\", \"name\": \"census.args\", \"isList\": true, \"desc\": \"Its arguments\"},
{\"type\": \"uint64\", \"name\": \"census.rounds\", \"desc\": \"Runs of the routine\"},
{\"type\": \"uint64\", \"name\": \"census.marked\", \"desc\": \"1: there when it began\"},
{\"type\": \"uint64\", \"name\": \"census.lines\", \"desc\": \"Lines parsed so far\"}]";

/// The column of thread states, and what it is asked by.
#[derive(Clone, Copy)]
pub struct Threads {
    table: Table,
    comm: Field,
    fds: Field,
    args: Field,
    executions: Field,
    marked: Field,
    fd_name: Field,
    argument: Field,
}

/// Values stay where they are until the next extraction.
#[derive(Default)]
pub struct Values {
    numbers: Vec<Box<u64>>,
    texts: Vec<CString>,
    lists: Vec<Vec<*const c_char>>,
}

impl Values {
    pub fn clear(&mut self) {
        self.numbers.clear();
        self.texts.clear();
        self.lists.clear();
    }

    fn number(&mut self, value: u64) -> (*const c_void, u64) {
        self.numbers.push(Box::new(value));
        (self.numbers.last().map_or(std::ptr::null(), |last| (&raw const **last).cast()), 1)
    }

    fn texts(&mut self, texts: Vec<CString>) -> (*const c_void, u64) {
        let list: Vec<_> = texts.iter().map(|text| text.as_ptr()).collect();
        self.texts.extend(texts);
        let given = (list.as_ptr().cast(), list.len() as u64);
        self.lists.push(list);
        given
    }
}

pub struct Census {
    pub tick: Option<u64>,
    pub error: CString,
    pub parsed: u64,
    pub lines: u64,
    pub rounds: AtomicU64,
    pub routine: *mut c_void,
    pub ticks: Ticks,
    pub values: Values,
    programs: Programs,
    threads: Option<Threads>,
}

impl Census {
    pub fn new(tick: Option<u64>) -> Self {
        Self {
            tick,
            error: CString::default(),
            parsed: 0,
            lines: 0,
            rounds: AtomicU64::new(0),
            routine: null_mut(),
            ticks: Ticks::default(),
            values: Values::default(),
            programs: Programs::default(),
            threads: None,
        }
    }

    /// Asks for the host's tables and gives it one. Without a table of threads it only counts.
    pub unsafe fn begin(&mut self, input: &InitInput) -> Result<(), CString> {
        let tables = unsafe { &*input.tables };
        let table = unsafe { (tables.get)(input.owner, c"threads".as_ptr(), I64) };
        if !table.is_null() {
            self.threads = Some(unsafe { threads(input, table) }?);
        }
        let own = self.programs.input();
        let rc = unsafe { (tables.add)(input.owner, &raw const own) };
        if rc == SUCCESS { Ok(()) } else { Err(unsafe { why(input) }) }
    }

    /// Every thread that is there gets its mark.
    pub unsafe fn mark_all(&mut self, reader: &Reader, writer: &Writer) {
        let Some(threads) = self.threads else { return };
        let mut all = (threads, writer.write);
        unsafe { (reader.iterate)(threads.table, mark, (&raw mut all).cast()) };
    }

    pub unsafe fn extract(&mut self, event: Event, reader: &Reader, field: &mut ExtractField) {
        let value = match field.id {
            1 => unsafe { self.program(field.key) },
            2 => Some(self.values.number(self.parsed)),
            7 => Some(self.values.number(self.rounds.load(Ordering::Relaxed))),
            9 => Some(self.values.number(self.lines)),
            _ => unsafe { self.of_thread(event.tid as i64, reader, field) },
        };
        (field.values, field.count) = value.unwrap_or((std::ptr::null(), 0));
    }

    unsafe fn program(&mut self, key: *const c_char) -> Option<(*const c_void, u64)> {
        let key = (!key.is_null()).then(|| unsafe { CStr::from_ptr(key) })?;
        self.programs.of(key).map(|count| self.values.number(count))
    }

    unsafe fn of_thread(
        &mut self,
        tid: i64,
        reader: &Reader,
        field: &ExtractField,
    ) -> Option<(*const c_void, u64)> {
        let threads = self.threads?;
        let entry = unsafe { (reader.old.get)(threads.table, &number(tid)) };
        if entry.is_null() {
            return None;
        }
        let read = |field| unsafe { read(reader, threads.table, entry, field) };
        let value = match field.id {
            0 => read(threads.executions).map(|it| self.values.number(unsafe { it.u64 })),
            3 => read(threads.comm).map(|it| self.values.texts(vec![unsafe { text(it) }])),
            4 => read(threads.fds)
                .map(|it| self.values.number(unsafe { (reader.old.size)(it.table) })),
            5 => read(threads.fds).and_then(|it| {
                let name = unsafe { one(reader, it.table, field.index, threads.fd_name) };
                name.map(|name| self.values.texts(vec![name]))
            }),
            6 => read(threads.args).map(|it| {
                let size = unsafe { (reader.old.size)(it.table) };
                let args =
                    (0..size).filter_map(|i| unsafe { one(reader, it.table, i, threads.argument) });
                self.values.texts(args.collect())
            }),
            8 => read(threads.marked).map(|it| self.values.number(unsafe { it.u64 })),
            _ => None,
        };
        unsafe { (reader.release)(threads.table, entry) };
        value
    }
}

unsafe extern "C" fn mark(all: *mut c_void, entry: Entry) -> u32 {
    type All = (Threads, unsafe extern "C" fn(Table, Entry, Field, *const Data) -> i32);
    let (threads, write) = unsafe { *all.cast::<All>() };
    let one = Data { u64: 1 };
    unsafe { write(threads.table, entry, threads.marked, &raw const one) };
    1
}

/// One more execution of the thread, and of its program.
pub unsafe fn on_execution(census: &mut Census, tid: i64, tables: &ParseInput) -> i32 {
    let Some(threads) = census.threads else { return SUCCESS };
    let (reader, writer) = unsafe { (&*tables.reader, &*tables.writer) };
    let entry = unsafe { (reader.old.get)(threads.table, &number(tid)) };
    if entry.is_null() {
        return FAILURE;
    }
    let count = unsafe { read(reader, threads.table, entry, threads.executions) };
    let next = Data { u64: count.map_or(0, |it| unsafe { it.u64 }) + 1 };
    let rc = unsafe { (writer.write)(threads.table, entry, threads.executions, &raw const next) };
    if let Some(comm) = unsafe { read(reader, threads.table, entry, threads.comm) } {
        census.programs.count(&unsafe { text(comm) });
    }
    unsafe { (reader.release)(threads.table, entry) };
    rc
}

unsafe fn threads(input: &InitInput, table: Table) -> Result<Threads, CString> {
    let tables = unsafe { &*input.tables };
    let (fields, reader, writer) =
        unsafe { (&*tables.fields_ext, &*tables.reader_ext, &*tables.writer_ext) };
    let checked =
        |field: Field| if field.is_null() { Err(unsafe { why(input) }) } else { Ok(field) };
    let get = |name: &CStr, kind| checked(unsafe { (fields.get)(table, name.as_ptr(), kind) });
    let add = |name: &CStr| checked(unsafe { (fields.add)(table, name.as_ptr(), U64) });
    let (fds, args) = (get(c"file_descriptors", TABLE)?, get(c"args", TABLE)?);
    // Fields of tables within entries are asked of an entry that is made for that alone.
    let entry = checked(unsafe { (writer.create)(table) })?;
    let inner = |field, name: &CStr| {
        let within = unsafe { read(reader, table, entry, field) }.ok_or(unsafe { why(input) })?;
        checked(unsafe { (fields.get)(within.table, name.as_ptr(), STRING) })
    };
    let (fd_name, argument) = (inner(fds, c"name")?, inner(args, c"value")?);
    unsafe { (writer.destroy)(table, entry) };
    let (comm, executions) = (get(c"comm", STRING)?, add(c"census.executions")?);
    let marked = add(c"census.marked")?;
    Ok(Threads { table, comm, fds, args, executions, marked, fd_name, argument })
}

unsafe fn read(reader: &Reader, table: Table, entry: Entry, field: Field) -> Option<Data> {
    let mut data = Data { u64: 0 };
    let rc = unsafe { (reader.old.read)(table, entry, field, &raw mut data) };
    (rc == SUCCESS).then_some(data)
}

/// A text field of one entry of a table within an entry.
unsafe fn one(reader: &Reader, table: Table, key: u64, field: Field) -> Option<CString> {
    let entry = unsafe { (reader.old.get)(table, &number(key as i64)) };
    if entry.is_null() {
        return None;
    }
    let value = unsafe { read(reader, table, entry, field) }.map(|it| unsafe { text(it) });
    unsafe { (reader.release)(table, entry) };
    value
}

unsafe fn text(data: Data) -> CString {
    unsafe { CStr::from_ptr(data.text) }.to_owned()
}

unsafe fn why(input: &InitInput) -> CString {
    let error = unsafe { (input.last_error)(input.owner) };
    if error.is_null() {
        c"no reason given".into()
    } else {
        unsafe { CStr::from_ptr(error) }.into()
    }
}
