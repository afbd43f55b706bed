//! A table of the plugin's own: executions by program name, one field, `count`. In: the host's and
//! other plugins' calls through the interface's functions. Out: the table as the host takes it.
use crate::falco::{Data, Entry, Field, FieldInfo, Fields, OldReader, Reader, Table, TableInput};
use crate::falco::{FAILURE, STRING, SUCCESS, U64, Visit, Writer};
use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_void};

/// Names that are counted at the most.
const NAMES: usize = 4096;

#[derive(Default)]
pub struct Programs {
    counts: BTreeMap<CString, Box<u64>>,
}

impl Programs {
    pub fn count(&mut self, name: &CStr) {
        if let Some(count) = self.counts.get_mut(name) {
            **count += 1;
        } else if self.counts.len() < NAMES {
            self.counts.insert(name.to_owned(), Box::new(1));
        }
    }

    pub fn of(&self, name: &CStr) -> Option<u64> {
        self.counts.get(name).map(|count| **count)
    }

    /// What the host is told of; it copies the structures, the table stays where it is.
    pub fn input(&mut self) -> TableInput {
        TableInput {
            name: c"census.programs".as_ptr(),
            key: STRING,
            table: (&raw mut *self).cast(),
            reader: READER.old,
            writer: WRITER,
            fields: FIELDS,
            reader_ext: &raw const READER,
            writer_ext: &raw const WRITER,
            fields_ext: &raw const FIELDS,
        }
    }
}

static READER: Reader = Reader { old: OldReader { name, size, get, read }, release, iterate };
static WRITER: Writer = Writer { clear, erase, create, destroy, add, write };
static FIELDS: Fields = Fields { list, get: get_field, add: add_field };

struct Infos([FieldInfo; 1]);
// SAFETY: the texts are constants.
unsafe impl Sync for Infos {}
static INFOS: Infos = Infos([FieldInfo { name: c"count".as_ptr(), kind: U64, read_only: 0 }]);
static COUNT: u8 = 0;

// SAFETY of all below: the host calls with the table that `input` gave, entries and fields that
// these functions gave, and from one thread at a time.
unsafe fn programs<'a>(table: Table) -> &'a mut Programs {
    unsafe { &mut *table.cast() }
}

unsafe extern "C" fn name(_: Table) -> *const c_char {
    c"census.programs".as_ptr()
}

unsafe extern "C" fn size(table: Table) -> u64 {
    unsafe { programs(table) }.counts.len() as u64
}

unsafe extern "C" fn get(table: Table, key: *const Data) -> Entry {
    let key = unsafe { CStr::from_ptr((*key).text) };
    match unsafe { programs(table) }.counts.get_mut(key) {
        Some(count) => (&raw mut **count).cast(),
        None => std::ptr::null_mut(),
    }
}

unsafe extern "C" fn read(_: Table, entry: Entry, field: Field, out: *mut Data) -> i32 {
    if !std::ptr::eq(field, (&raw const COUNT).cast()) {
        return FAILURE;
    }
    unsafe { (*out).u64 = *entry.cast::<u64>() };
    SUCCESS
}

unsafe extern "C" fn release(_: Table, _: Entry) {}

unsafe extern "C" fn iterate(table: Table, visit: Visit, state: *mut c_void) -> u32 {
    let programs = unsafe { programs(table) };
    let all = programs.counts.values_mut().all(|count| {
        let entry: Entry = (&raw mut **count).cast();
        unsafe { visit(state, entry) != 0 }
    });
    u32::from(all)
}

unsafe extern "C" fn clear(table: Table) -> i32 {
    unsafe { programs(table) }.counts.clear();
    SUCCESS
}

unsafe extern "C" fn erase(table: Table, key: *const Data) -> i32 {
    let key = unsafe { CStr::from_ptr((*key).text) };
    if unsafe { programs(table) }.counts.remove(key).is_some() { SUCCESS } else { FAILURE }
}

unsafe extern "C" fn create(_: Table) -> Entry {
    Box::into_raw(Box::new(0u64)).cast()
}

unsafe extern "C" fn destroy(_: Table, entry: Entry) {
    drop(unsafe { Box::from_raw(entry.cast::<u64>()) });
}

unsafe extern "C" fn add(table: Table, key: *const Data, entry: Entry) -> Entry {
    let key = unsafe { CStr::from_ptr((*key).text) }.to_owned();
    unsafe { programs(table) }.counts.insert(key, unsafe { Box::from_raw(entry.cast()) });
    entry
}

unsafe extern "C" fn write(_: Table, entry: Entry, field: Field, value: *const Data) -> i32 {
    if !std::ptr::eq(field, (&raw const COUNT).cast()) {
        return FAILURE;
    }
    unsafe { *entry.cast::<u64>() = (*value).u64 };
    SUCCESS
}

unsafe extern "C" fn list(_: Table, count: *mut u32) -> *mut FieldInfo {
    unsafe { *count = 1 };
    INFOS.0.as_ptr().cast_mut()
}

unsafe extern "C" fn get_field(_: Table, name: *const c_char, kind: i32) -> Field {
    if kind == U64 && unsafe { CStr::from_ptr(name) } == c"count" {
        return (&raw const COUNT).cast_mut().cast();
    }
    std::ptr::null_mut()
}

unsafe extern "C" fn add_field(_: Table, _: *const c_char, _: i32) -> Field {
    std::ptr::null_mut()
}
