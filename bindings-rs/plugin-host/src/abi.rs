//! Falco's plugin interface, version 3 (3.12.0), as declarations of our own: what crosses between
//! a plugin and its owner. In: nothing. Out: types, their sizes checked when this is compiled.
use std::ffi::{c_char, c_void};
use std::mem::{offset_of, size_of};

/// The interface that is offered here: major, minor, patch.
pub const API_VERSION: [u32; 3] = [3, 12, 0];
/// Bytes of the buffer that a plugin's asynchronous call writes its error to, its NUL included.
pub const ERROR_MAX: usize = 1024;
/// Types of the events that plugins make: of a source, and asynchronous ones.
pub const EVENT_PLUGIN: u16 = 322;
pub const EVENT_ASYNC: u16 = 402;

/// How a call went; a number and no `enum`, since a plugin may answer with any other.
pub type Rc = i32;
pub const SUCCESS: Rc = 0;
pub const FAILURE: Rc = 1;
pub const TIMEOUT: Rc = -1;
pub const EOF: Rc = 2;
pub const NOT_SUPPORTED: Rc = 3;

/// True unless 0.
pub type Bool = u32;

/// The one kind of schema of init_config; 0: none.
pub const SCHEMA_JSON: u32 = 1;

/// Types of fields that are extracted.
pub const FIELD_U64: u32 = 8;
pub const FIELD_STRING: u32 = 9;
pub const FIELD_RELTIME: u32 = 20;
pub const FIELD_ABSTIME: u32 = 21;
pub const FIELD_BOOL: u32 = 25;
pub const FIELD_IPADDR: u32 = 40;
pub const FIELD_IPNET: u32 = 41;

/// Types of keys and fields of state tables.
pub type StateType = u32;
pub const STATE_I8: StateType = 1;
pub const STATE_I16: StateType = 2;
pub const STATE_I32: StateType = 3;
pub const STATE_I64: StateType = 4;
pub const STATE_U8: StateType = 5;
pub const STATE_U16: StateType = 6;
pub const STATE_U32: StateType = 7;
pub const STATE_U64: StateType = 8;
pub const STATE_STRING: StateType = 9;
pub const STATE_TABLE: StateType = 10;
pub const STATE_BOOL: StateType = 25;

/// Severities of log lines: 1 fatal to 8 trace.
pub type Severity = u32;
pub const SEVERITY_ERROR: Severity = 3;
pub const SEVERITY_WARNING: Severity = 4;
pub const SEVERITY_INFO: Severity = 6;

/// `void` in C.
pub type Plugin = c_void;
pub type Handle = c_void;
pub type Owner = c_void;
pub type Table = c_void;
pub type Entry = c_void;
pub type Field = c_void;
pub type Routine = c_void;
pub type IteratorState = c_void;
pub type RoutineState = c_void;

/// The header of an event; the lengths of its parameters follow, then the parameters.
#[repr(C, packed)]
#[derive(Clone, Copy)]
pub struct Event {
    pub ts: u64,
    pub tid: u64,
    pub len: u32,
    pub kind: u16,
    pub nparams: u32,
}

#[repr(C)]
pub struct EventInput {
    pub event: *const Event,
    pub number: u64,
    pub source: *const c_char,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ByteBuffer {
    pub len: u32,
    pub bytes: *const c_void,
}

/// Where in the event's data the values stood; arrays of the plugin, or NULL.
#[repr(C)]
pub struct ValueOffsets {
    pub start: *mut u32,
    pub length: *mut u32,
}

/// Where the values of a field are: an array of what the field's type says.
#[repr(C)]
#[derive(Clone, Copy)]
pub union Values {
    pub text: *const *const c_char,
    pub u64: *const u64,
    pub boolean: *const Bool,
    pub buffer: *const ByteBuffer,
    pub any: *const c_void,
}

#[repr(C)]
pub struct ExtractField {
    pub values: Values,
    pub count: u64,
    pub id: u32,
    pub name: *const c_char,
    pub key: *const c_char,
    pub index: u64,
    pub has_argument: Bool,
    pub kind: u32,
    pub is_list: Bool,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub union StateData {
    pub s8: i8,
    pub s16: i16,
    pub s32: i32,
    pub s64: i64,
    pub u8: u8,
    pub u16: u16,
    pub u32: u32,
    pub u64: u64,
    pub text: *const c_char,
    pub boolean: Bool,
    pub table: *mut Table,
}

#[repr(C)]
pub struct TableInfo {
    pub name: *const c_char,
    pub key_type: StateType,
}

#[repr(C)]
pub struct FieldInfo {
    pub name: *const c_char,
    pub kind: StateType,
    pub read_only: Bool,
}

/// Kinds of the values of metrics: u32, s32, u64, s64, double, float, int.
#[repr(C)]
#[derive(Clone, Copy)]
pub union MetricValue {
    pub u32: u32,
    pub s32: i32,
    pub u64: u64,
    pub s64: i64,
    pub double: f64,
    pub float: f32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Metric {
    pub name: *const c_char,
    /// 0: it only grows.
    pub kind: u32,
    pub value: MetricValue,
    pub value_type: u32,
}

pub type ListFields = unsafe extern "C" fn(*mut Table, *mut u32) -> *const FieldInfo;
pub type FindField = unsafe extern "C" fn(*mut Table, *const c_char, StateType) -> *mut Field;

/// The same with and without `ext`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct FieldsVtable {
    pub list: Option<ListFields>,
    pub get: Option<FindField>,
    pub add: Option<FindField>,
}

pub type TableName = unsafe extern "C" fn(*mut Table) -> *const c_char;
pub type TableSize = unsafe extern "C" fn(*mut Table) -> u64;
pub type GetEntry = unsafe extern "C" fn(*mut Table, *const StateData) -> *mut Entry;
pub type ReadField =
    unsafe extern "C" fn(*mut Table, *mut Entry, *const Field, *mut StateData) -> Rc;
pub type ReleaseEntry = unsafe extern "C" fn(*mut Table, *mut Entry);
pub type EachEntry = unsafe extern "C" fn(*mut IteratorState, *mut Entry) -> Bool;
pub type Iterate = unsafe extern "C" fn(*mut Table, Option<EachEntry>, *mut IteratorState) -> Bool;

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct ReaderVtable {
    pub name: Option<TableName>,
    pub size: Option<TableSize>,
    pub get: Option<GetEntry>,
    pub read: Option<ReadField>,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct ReaderVtableExt {
    pub name: Option<TableName>,
    pub size: Option<TableSize>,
    pub get: Option<GetEntry>,
    pub read: Option<ReadField>,
    pub release: Option<ReleaseEntry>,
    pub iterate: Option<Iterate>,
}

pub type ClearTable = unsafe extern "C" fn(*mut Table) -> Rc;
pub type EraseEntry = unsafe extern "C" fn(*mut Table, *const StateData) -> Rc;
pub type CreateEntry = unsafe extern "C" fn(*mut Table) -> *mut Entry;
pub type AddEntry = unsafe extern "C" fn(*mut Table, *const StateData, *mut Entry) -> *mut Entry;
pub type WriteField =
    unsafe extern "C" fn(*mut Table, *mut Entry, *const Field, *const StateData) -> Rc;

/// The same with and without `ext`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct WriterVtable {
    pub clear: Option<ClearTable>,
    pub erase: Option<EraseEntry>,
    pub create: Option<CreateEntry>,
    pub destroy: Option<ReleaseEntry>,
    pub add: Option<AddEntry>,
    pub write: Option<WriteField>,
}

/// A table of a plugin's own, offered to all others.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct TableInput {
    pub name: *const c_char,
    pub key_type: StateType,
    pub table: *mut Table,
    pub reader: ReaderVtable,
    pub writer: WriterVtable,
    pub fields: FieldsVtable,
    pub reader_ext: *mut ReaderVtableExt,
    pub writer_ext: *mut WriterVtable,
    pub fields_ext: *mut FieldsVtable,
}

pub type ListTables = unsafe extern "C" fn(*mut Owner, *mut u32) -> *mut TableInfo;
pub type GetTable = unsafe extern "C" fn(*mut Owner, *const c_char, StateType) -> *mut Table;
pub type AddTable = unsafe extern "C" fn(*mut Owner, *const TableInput) -> Rc;

#[repr(C)]
pub struct InitTables {
    pub list: Option<ListTables>,
    pub get: Option<GetTable>,
    pub add: Option<AddTable>,
    pub fields: FieldsVtable,
    pub fields_ext: *mut FieldsVtable,
    pub reader_ext: *mut ReaderVtableExt,
    pub writer_ext: *mut WriterVtable,
}

pub type OwnerError = unsafe extern "C" fn(*mut Owner) -> *const c_char;
pub type Log = unsafe extern "C" fn(*mut Owner, *const c_char, *const c_char, Severity);

#[repr(C)]
pub struct InitInput {
    pub config: *const c_char,
    pub owner: *mut Owner,
    pub owner_error: Option<OwnerError>,
    pub tables: *const InitTables,
    pub log: Option<Log>,
}

#[repr(C)]
pub struct ExtractInput {
    pub owner: *mut Owner,
    pub owner_error: Option<OwnerError>,
    pub count: u32,
    pub fields: *mut ExtractField,
    pub reader: ReaderVtable,
    pub reader_ext: *mut ReaderVtableExt,
    pub offsets: *mut ValueOffsets,
}

#[repr(C)]
pub struct ParseInput {
    pub owner: *mut Owner,
    pub owner_error: Option<OwnerError>,
    pub reader: ReaderVtable,
    pub writer: WriterVtable,
    pub reader_ext: *mut ReaderVtableExt,
    pub writer_ext: *mut WriterVtable,
}

#[repr(C)]
pub struct ConfigInput {
    pub config: *const c_char,
}

pub type RoutineStep = unsafe extern "C" fn(*mut Plugin, *mut RoutineState) -> Bool;
pub type Subscribe =
    unsafe extern "C" fn(*mut Owner, Option<RoutineStep>, *mut RoutineState) -> *mut Routine;
pub type Unsubscribe = unsafe extern "C" fn(*mut Owner, *mut Routine) -> Rc;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct RoutineVtable {
    pub subscribe: Option<Subscribe>,
    pub unsubscribe: Option<Unsubscribe>,
}

#[repr(C)]
pub struct ListenInput {
    pub owner: *mut Owner,
    pub routine: *mut RoutineVtable,
    pub reader_ext: *mut ReaderVtableExt,
    pub writer_ext: *mut WriterVtable,
    pub owner_error: Option<OwnerError>,
}

/// What a plugin calls from any of its threads; the last is room for ERROR_MAX bytes, or NULL.
pub type AsyncHandler = unsafe extern "C" fn(*mut Owner, *const Event, *mut c_char) -> Rc;
pub type Said = unsafe extern "C" fn() -> *const c_char;
pub type SaidOfPlugin = unsafe extern "C" fn(*mut Plugin) -> *const c_char;
pub type EventTypes = unsafe extern "C" fn(*mut u32, *mut Plugin) -> *const u16;
pub type HandlerSetter = unsafe extern "C" fn(*mut Plugin, *mut Owner, Option<AsyncHandler>) -> Rc;
pub type Listener = unsafe extern "C" fn(*mut Plugin, *const ListenInput) -> Rc;

/// The functions that a library exports as `plugin_…`; what is not there is None.
#[derive(Clone, Copy, Default)]
pub struct Functions {
    pub get_required_api_version: Option<Said>,
    pub get_version: Option<Said>,
    pub get_last_error: Option<SaidOfPlugin>,
    pub get_name: Option<Said>,
    pub get_description: Option<Said>,
    pub get_contact: Option<Said>,
    pub get_init_schema: Option<unsafe extern "C" fn(*mut u32) -> *const c_char>,
    pub init: Option<unsafe extern "C" fn(*const InitInput, *mut Rc) -> *mut Plugin>,
    pub destroy: Option<unsafe extern "C" fn(*mut Plugin)>,
    pub get_id: Option<unsafe extern "C" fn() -> u32>,
    pub get_event_source: Option<Said>,
    pub open: Option<unsafe extern "C" fn(*mut Plugin, *const c_char, *mut Rc) -> *mut Handle>,
    pub close: Option<unsafe extern "C" fn(*mut Plugin, *mut Handle)>,
    pub next_batch: Option<
        unsafe extern "C" fn(*mut Plugin, *mut Handle, *mut u32, *mut *mut *mut Event) -> Rc,
    >,
    pub get_progress:
        Option<unsafe extern "C" fn(*mut Plugin, *mut Handle, *mut u32) -> *const c_char>,
    pub list_open_params: Option<unsafe extern "C" fn(*mut Plugin, *mut Rc) -> *const c_char>,
    pub event_to_string:
        Option<unsafe extern "C" fn(*mut Plugin, *const EventInput) -> *const c_char>,
    pub get_fields: Option<Said>,
    pub extract_fields:
        Option<unsafe extern "C" fn(*mut Plugin, *const EventInput, *const ExtractInput) -> Rc>,
    pub get_extract_event_sources: Option<Said>,
    pub get_extract_event_types: Option<EventTypes>,
    pub get_parse_event_types: Option<EventTypes>,
    pub get_parse_event_sources: Option<Said>,
    pub parse_event:
        Option<unsafe extern "C" fn(*mut Plugin, *const EventInput, *const ParseInput) -> Rc>,
    pub get_async_event_sources: Option<Said>,
    pub get_async_events: Option<Said>,
    pub set_async_event_handler: Option<HandlerSetter>,
    pub dump_state: Option<HandlerSetter>,
    pub set_config: Option<unsafe extern "C" fn(*mut Plugin, *const ConfigInput) -> Rc>,
    pub get_metrics: Option<unsafe extern "C" fn(*mut Plugin, *mut u32) -> *const Metric>,
    pub capture_open: Option<Listener>,
    pub capture_close: Option<Listener>,
    pub get_required_event_schema_version: Option<SaidOfPlugin>,
}

// What a C compiler makes of these types on the machines that saker runs on (LP64).
const _: () = {
    assert!(size_of::<Event>() == 26 && offset_of!(Event, nparams) == 22);
    assert!(size_of::<EventInput>() == 24 && offset_of!(EventInput, source) == 16);
    assert!(size_of::<ByteBuffer>() == 16 && offset_of!(ByteBuffer, bytes) == 8);
    assert!(size_of::<ValueOffsets>() == 16 && size_of::<Values>() == 8);
    assert!(size_of::<ExtractField>() == 64 && offset_of!(ExtractField, id) == 16);
    assert!(offset_of!(ExtractField, name) == 24 && offset_of!(ExtractField, key) == 32);
    assert!(offset_of!(ExtractField, index) == 40 && offset_of!(ExtractField, is_list) == 56);
    assert!(size_of::<StateData>() == 8 && size_of::<TableInfo>() == 16);
    assert!(size_of::<FieldInfo>() == 16 && offset_of!(FieldInfo, read_only) == 12);
    assert!(size_of::<Metric>() == 32 && offset_of!(Metric, value) == 16);
    assert!(offset_of!(Metric, value_type) == 24);
    assert!(size_of::<FieldsVtable>() == 24 && size_of::<ReaderVtable>() == 32);
    assert!(size_of::<ReaderVtableExt>() == 48 && size_of::<WriterVtable>() == 48);
    assert!(size_of::<TableInput>() == 152 && offset_of!(TableInput, reader) == 24);
    assert!(offset_of!(TableInput, fields) == 104 && offset_of!(TableInput, fields_ext) == 144);
    assert!(size_of::<InitTables>() == 72 && offset_of!(InitTables, fields_ext) == 48);
    assert!(size_of::<InitInput>() == 40 && offset_of!(InitInput, log) == 32);
    assert!(size_of::<ExtractInput>() == 80 && offset_of!(ExtractInput, reader) == 32);
    assert!(offset_of!(ExtractInput, reader_ext) == 64 && offset_of!(ExtractInput, offsets) == 72);
    assert!(size_of::<ParseInput>() == 112 && offset_of!(ParseInput, reader_ext) == 96);
    assert!(size_of::<ListenInput>() == 40 && offset_of!(ListenInput, owner_error) == 32);
    assert!(size_of::<RoutineVtable>() == 16 && size_of::<ConfigInput>() == 8);
};
