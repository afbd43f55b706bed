//! What a plugin in Rust sees of Falco's plugin interface, version 3: the structures that the host
//! hands in, in our own words. In: nothing. Out: types of the interface's layout.
#![allow(dead_code, reason = "the interface is declared whole")]
use std::ffi::{c_char, c_void};

pub const SUCCESS: i32 = 0;
pub const FAILURE: i32 = 1;
pub const U64: i32 = 8;
pub const I64: i32 = 4;
pub const STRING: i32 = 9;
pub const TABLE: i32 = 10;
pub const PLUGIN_EVENT: u16 = 322;
pub const ASYNC_EVENT: u16 = 402;

pub type Owner = *mut c_void;
pub type Table = *mut c_void;
pub type Entry = *mut c_void;
pub type Field = *mut c_void;
pub type LastError = unsafe extern "C" fn(Owner) -> *const c_char;

#[repr(C, packed)]
#[derive(Clone, Copy)]
pub struct Event {
    pub ts: u64,
    pub tid: u64,
    pub len: u32,
    pub kind: u16,
    pub params: u32,
}

#[repr(C)]
pub struct EventInput {
    pub event: *const Event,
    pub number: u64,
    pub source: *const c_char,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub union Data {
    pub i64: i64,
    pub u64: u64,
    pub text: *const c_char,
    pub table: Table,
}

#[repr(C)]
pub struct TableInfo {
    pub name: *const c_char,
    pub key: i32,
}

#[repr(C)]
pub struct FieldInfo {
    pub name: *const c_char,
    pub kind: i32,
    pub read_only: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Fields {
    pub list: unsafe extern "C" fn(Table, *mut u32) -> *mut FieldInfo,
    pub get: unsafe extern "C" fn(Table, *const c_char, i32) -> Field,
    pub add: unsafe extern "C" fn(Table, *const c_char, i32) -> Field,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct OldReader {
    pub name: unsafe extern "C" fn(Table) -> *const c_char,
    pub size: unsafe extern "C" fn(Table) -> u64,
    pub get: unsafe extern "C" fn(Table, *const Data) -> Entry,
    pub read: unsafe extern "C" fn(Table, Entry, Field, *mut Data) -> i32,
}

pub type Visit = unsafe extern "C" fn(*mut c_void, Entry) -> u32;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Reader {
    pub old: OldReader,
    pub release: unsafe extern "C" fn(Table, Entry),
    pub iterate: unsafe extern "C" fn(Table, Visit, *mut c_void) -> u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Writer {
    pub clear: unsafe extern "C" fn(Table) -> i32,
    pub erase: unsafe extern "C" fn(Table, *const Data) -> i32,
    pub create: unsafe extern "C" fn(Table) -> Entry,
    pub destroy: unsafe extern "C" fn(Table, Entry),
    pub add: unsafe extern "C" fn(Table, *const Data, Entry) -> Entry,
    pub write: unsafe extern "C" fn(Table, Entry, Field, *const Data) -> i32,
}

#[repr(C)]
pub struct TableInput {
    pub name: *const c_char,
    pub key: i32,
    pub table: Table,
    pub reader: OldReader,
    pub writer: Writer,
    pub fields: Fields,
    pub reader_ext: *const Reader,
    pub writer_ext: *const Writer,
    pub fields_ext: *const Fields,
}

#[repr(C)]
pub struct InitTables {
    pub list: unsafe extern "C" fn(Owner, *mut u32) -> *mut TableInfo,
    pub get: unsafe extern "C" fn(Owner, *const c_char, i32) -> Table,
    pub add: unsafe extern "C" fn(Owner, *const TableInput) -> i32,
    pub fields: Fields,
    pub fields_ext: *const Fields,
    pub reader_ext: *const Reader,
    pub writer_ext: *const Writer,
}

#[repr(C)]
pub struct InitInput {
    pub config: *const c_char,
    pub owner: Owner,
    pub last_error: LastError,
    pub tables: *const InitTables,
    pub log: Option<unsafe extern "C" fn(Owner, *const c_char, *const c_char, i32)>,
}

#[repr(C)]
pub struct ExtractField {
    pub values: *const c_void,
    pub count: u64,
    pub id: u32,
    pub name: *const c_char,
    pub key: *const c_char,
    pub index: u64,
    pub has_argument: u32,
    pub kind: u32,
    pub list: u32,
}

#[repr(C)]
pub struct ExtractInput {
    pub owner: Owner,
    pub last_error: LastError,
    pub count: u32,
    pub fields: *mut ExtractField,
    pub old_reader: OldReader,
    pub reader: *const Reader,
    pub offsets: *mut c_void,
}

#[repr(C)]
pub struct ParseInput {
    pub owner: Owner,
    pub last_error: LastError,
    pub old_reader: OldReader,
    pub old_writer: Writer,
    pub reader: *const Reader,
    pub writer: *const Writer,
}

pub type Routine = unsafe extern "C" fn(*mut c_void, *mut c_void) -> u32;

#[repr(C)]
pub struct Routines {
    pub subscribe: unsafe extern "C" fn(Owner, Routine, *mut c_void) -> *mut c_void,
    pub unsubscribe: unsafe extern "C" fn(Owner, *mut c_void) -> i32,
}

#[repr(C)]
pub struct ListenInput {
    pub owner: Owner,
    pub routines: *const Routines,
    pub reader: *const Reader,
    pub writer: *const Writer,
    pub last_error: LastError,
}

pub type Handler = unsafe extern "C" fn(Owner, *const Event, *mut c_char) -> i32;
