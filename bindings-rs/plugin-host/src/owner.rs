//! The owner that a plugin sees: its calls come in (from any of its threads), lines for the log and
//! errors go out. Of state tables it is told what `TableDoor` holds; the one here has none.
use std::ffi::{CString, c_char, c_void};
use std::ptr::null_mut;
use std::sync::atomic::AtomicPtr;
use std::sync::{Mutex, PoisonError};

use crate::abi::{
    self, Bool, EachEntry, Entry, FAILURE, Field, FieldInfo, FieldsVtable, InitTables,
    IteratorState, Rc, ReaderVtable, ReaderVtableExt, Severity, StateData, StateType, Table,
    TableInfo, TableInput, WriterVtable,
};
use crate::said::{self, WORDS_MAX, for_plugin};

/// Takes a plugin's lines; called from any thread.
pub type Log = Box<dyn Fn(Severity, &str) + Send + Sync>;

/// What plugins get hold of as `owner`: it stays where it is as long as the plugin lives.
pub struct Owner {
    log: Log,
    error: Mutex<CString>,
    /// What the functions of `tables` find their own things by.
    pub registry: AtomicPtr<c_void>,
    pub tables: TableDoor,
}

/// Functions over state tables, and where they are handed over.
pub struct TableDoor {
    pub reader: ReaderVtable,
    pub reader_ext: Box<ReaderVtableExt>,
    pub writer: WriterVtable,
    pub writer_ext: Box<WriterVtable>,
    pub fields_ext: Box<FieldsVtable>,
    pub list: abi::ListTables,
    pub get: abi::GetTable,
    pub add: abi::AddTable,
}

impl Owner {
    pub fn new(log: Log, tables: TableDoor) -> Box<Self> {
        let error = Mutex::new(CString::default());
        Box::new(Self { log, error, registry: AtomicPtr::new(null_mut()), tables })
    }

    pub fn pointer(&self) -> *mut abi::Owner {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    /// # Safety
    /// `owner` is what `pointer` gave, and its Owner lives.
    pub unsafe fn of<'a>(owner: *mut abi::Owner) -> Option<&'a Self> {
        // SAFETY: as the caller says; an Owner is changed through locks alone.
        unsafe { owner.cast::<Self>().as_ref() }
    }

    /// What a plugin is told by `get_owner_last_error`.
    pub fn set_error(&self, error: &str) {
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = for_plugin(error);
    }

    pub fn init_tables(&mut self) -> InitTables {
        let tables = &mut self.tables;
        InitTables {
            list: Some(tables.list),
            get: Some(tables.get),
            add: Some(tables.add),
            fields: *tables.fields_ext,
            fields_ext: &raw mut *tables.fields_ext,
            reader_ext: &raw mut *tables.reader_ext,
            writer_ext: &raw mut *tables.writer_ext,
        }
    }
}

/// The line of a plugin's log: what it says under the component it names.
///
/// # Safety
/// `owner` is the one that the plugin was given; the texts are C strings or NULL.
pub unsafe extern "C" fn log(
    owner: *mut abi::Owner,
    component: *const c_char,
    message: *const c_char,
    severity: Severity,
) {
    // SAFETY: the plugin hands back the owner that it was given, and C strings or NULL.
    unsafe {
        let Some(owner) = Owner::of(owner) else { return };
        let component = said::line(component);
        let message = said::text(message, WORDS_MAX);
        if component.is_empty() {
            (owner.log)(severity, &message);
        } else {
            (owner.log)(severity, &format!("{component}: {message}"));
        }
    }
}

/// The owner's last error, or NULL; it holds until the owner's next call fails.
///
/// # Safety
/// `owner` is the one that the plugin was given.
pub unsafe extern "C" fn last_error(owner: *mut abi::Owner) -> *const c_char {
    // SAFETY: the plugin hands back the owner that it was given.
    let Some(owner) = (unsafe { Owner::of(owner) }) else { return std::ptr::null() };
    let error = owner.error.lock().unwrap_or_else(PoisonError::into_inner);
    if error.is_empty() { std::ptr::null() } else { error.as_ptr() }
}

impl Default for TableDoor {
    /// There are no tables: lists are empty, all else fails and leaves a reason.
    fn default() -> Self {
        let reader = ReaderVtable {
            name: Some(no_name),
            size: Some(no_size),
            get: Some(no_entry),
            read: Some(no_read),
        };
        let reader_ext = Box::new(ReaderVtableExt {
            name: Some(no_name),
            size: Some(no_size),
            get: Some(no_entry),
            read: Some(no_read),
            release: Some(no_release),
            iterate: Some(no_iteration),
        });
        let writer = WriterVtable {
            clear: Some(no_clear),
            erase: Some(no_erase),
            create: Some(no_create),
            destroy: Some(no_release),
            add: Some(no_add),
            write: Some(no_write),
        };
        let fields =
            FieldsVtable { list: Some(no_fields), get: Some(no_field), add: Some(no_field) };
        Self {
            reader,
            reader_ext,
            writer,
            writer_ext: Box::new(writer),
            fields_ext: Box::new(fields),
            list: no_tables,
            get: no_table,
            add: no_new_table,
        }
    }
}

/// Addresses of lists without elements.
static NO_TABLES: [usize; 2] = [0; 2];

unsafe extern "C" fn no_tables(_owner: *mut abi::Owner, count: *mut u32) -> *mut TableInfo {
    // SAFETY: the plugin's own number to write to.
    unsafe { count.write(0) };
    NO_TABLES.as_ptr().cast_mut().cast()
}
unsafe extern "C" fn no_table(
    owner: *mut abi::Owner,
    name: *const c_char,
    _key: StateType,
) -> *mut Table {
    // SAFETY: the plugin hands back the owner that it was given, and a C string or NULL.
    unsafe {
        if let Some(owner) = Owner::of(owner) {
            let name = said::line(name);
            owner.set_error(&format!("no state table '{name}' here: the plugin is not in_process"));
        }
    }
    null_mut()
}
unsafe extern "C" fn no_new_table(owner: *mut abi::Owner, _table: *const TableInput) -> Rc {
    // SAFETY: the plugin hands back the owner that it was given.
    if let Some(owner) = unsafe { Owner::of(owner) } {
        owner.set_error("no state tables here: the plugin is not in_process");
    }
    FAILURE
}
unsafe extern "C" fn no_fields(_table: *mut Table, count: *mut u32) -> *const FieldInfo {
    // SAFETY: the plugin's own number to write to.
    unsafe { count.write(0) };
    NO_TABLES.as_ptr().cast()
}
unsafe extern "C" fn no_field(
    _table: *mut Table,
    _name: *const c_char,
    _kind: StateType,
) -> *mut Field {
    null_mut()
}
unsafe extern "C" fn no_name(_table: *mut Table) -> *const c_char {
    std::ptr::null()
}
unsafe extern "C" fn no_size(_table: *mut Table) -> u64 {
    u64::MAX
}
unsafe extern "C" fn no_entry(_table: *mut Table, _key: *const StateData) -> *mut Entry {
    null_mut()
}
unsafe extern "C" fn no_read(
    _table: *mut Table,
    _entry: *mut Entry,
    _field: *const Field,
    _out: *mut StateData,
) -> Rc {
    FAILURE
}
unsafe extern "C" fn no_release(_table: *mut Table, _entry: *mut Entry) {}
unsafe extern "C" fn no_iteration(
    _table: *mut Table,
    _each: Option<EachEntry>,
    _state: *mut IteratorState,
) -> Bool {
    0
}
unsafe extern "C" fn no_clear(_table: *mut Table) -> Rc {
    FAILURE
}
unsafe extern "C" fn no_erase(_table: *mut Table, _key: *const StateData) -> Rc {
    FAILURE
}
unsafe extern "C" fn no_create(_table: *mut Table) -> *mut Entry {
    null_mut()
}
unsafe extern "C" fn no_add(
    _table: *mut Table,
    _key: *const StateData,
    _entry: *mut Entry,
) -> *mut Entry {
    null_mut()
}
unsafe extern "C" fn no_write(
    _table: *mut Table,
    _entry: *mut Entry,
    _field: *const Field,
    _from: *const StateData,
) -> Rc {
    FAILURE
}
