//! All state tables that the plugins of one engine's thread share: threads with their columns, and
//! the tables of plugins' own. In: tables that plugins add, threads that are gone. Out: tables by
//! name. Everything is asked on the thread that made it; other threads are refused.
use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString};
use std::sync::Arc;

use crate::abi::{FieldsVtable, ReaderVtableExt, StateType, TableInput, WriterVtable};
use crate::tables::columns::Columns;
use crate::tables::machine::{Machine, Which};
use crate::tables::value::{is_type, type_name};

/// Tables of plugins' own at the most.
const FOREIGN_MAX: usize = 64;

/// A table of a plugin's own.
pub struct Foreign {
    pub name: CString,
    pub key_type: StateType,
    /// Whose it is: its owner's address.
    pub provider: usize,
    pub input: TableInput,
    pub reader: ReaderVtableExt,
    pub writer: WriterVtable,
    pub fields: FieldsVtable,
    /// Its plugin has been destroyed.
    pub is_gone: Cell<bool>,
}

pub enum Found {
    Threads,
    Foreign(Arc<Foreign>),
}

pub struct Registry {
    machine: Box<dyn Machine>,
    home: usize,
    columns: RefCell<Columns>,
    foreign: RefCell<Vec<Arc<Foreign>>>,
}

// SAFETY: every door asks `check_thread` first; what is within is touched on one thread alone.
unsafe impl Send for Registry {}
// SAFETY: as above.
unsafe impl Sync for Registry {}

thread_local! {
    static HERE: u8 = const { 0 };
}

/// Differs from thread to thread.
fn here() -> usize {
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

impl Registry {
    pub fn new(machine: Box<dyn Machine>) -> Arc<Self> {
        Arc::new(Self {
            machine,
            home: here(),
            columns: RefCell::default(),
            foreign: RefCell::default(),
        })
    }

    pub fn check_thread(&self) -> Result<(), String> {
        if here() == self.home {
            return Ok(());
        }
        Err("state tables can be used by the thread that calls the plugin alone".into())
    }

    pub fn machine(&self) -> &dyn Machine {
        &*self.machine
    }

    pub fn with_columns<T>(&self, with: impl FnOnce(&mut Columns) -> T) -> T {
        with(&mut self.columns.borrow_mut())
    }

    /// A thread ended, or its id is another's now.
    pub fn forget(&self, tid: i64) {
        self.columns.borrow_mut().forget(tid);
    }

    pub fn forget_all(&self) {
        self.columns.borrow_mut().forget_all();
    }

    /// Whether anything would have to be forgotten.
    pub fn has_columns(&self) -> bool {
        !self.columns.borrow().all().is_empty()
    }

    /// Values that the bounds refused.
    pub fn refused(&self) -> u64 {
        self.columns.borrow().refused
    }

    /// Names and key types, the threads first.
    pub fn list(&self) -> Vec<(CString, StateType)> {
        let threads = (Which::Threads.name().to_owned(), Which::Threads.key_type());
        let foreign = self.foreign.borrow();
        let others = foreign.iter().filter(|table| !table.is_gone.get());
        std::iter::once(threads)
            .chain(others.map(|table| (table.name.clone(), table.key_type)))
            .collect()
    }

    pub fn find(&self, name: &CStr, key_type: StateType) -> Result<Found, String> {
        let shown = name.to_string_lossy();
        let (found, is) = if name == Which::Threads.name() {
            (Found::Threads, Which::Threads.key_type())
        } else {
            let foreign = self.foreign.borrow();
            let found = foreign.iter().find(|it| it.name.as_c_str() == name && !it.is_gone.get());
            let Some(found) = found else {
                return Err(format!("there is no state table \"{shown}\""));
            };
            (Found::Foreign(found.clone()), found.key_type)
        };
        if is != key_type {
            let (is, wanted) = (type_name(is), type_name(key_type));
            return Err(format!("the state table \"{shown}\" has keys of type {is}, not {wanted}"));
        }
        Ok(found)
    }

    /// Takes a table of a plugin's own.
    ///
    /// # Safety
    /// The name ends with a NUL, and the vtables that are not NULL are there.
    pub unsafe fn add(&self, provider: usize, input: &TableInput) -> Result<(), String> {
        if input.name.is_null() || input.table.is_null() {
            return Err("a state table without a name or a pointer".into());
        }
        // SAFETY: as above.
        let name = unsafe { CStr::from_ptr(input.name) }.to_owned();
        let shown = name.to_string_lossy();
        if !is_type(input.key_type) {
            return Err(format!("the state table \"{shown}\" has keys of no known type"));
        }
        if self.list().iter().any(|(there, _)| *there == name) {
            return Err(format!("there is a state table \"{shown}\" already"));
        }
        let mut foreign = self.foreign.borrow_mut();
        foreign.retain(|table| !table.is_gone.get());
        if foreign.len() >= FOREIGN_MAX {
            return Err(format!("there are {FOREIGN_MAX} state tables of plugins already"));
        }
        // SAFETY: as above.
        let (reader, writer, fields) = unsafe { vtables(input) };
        if reader.get.is_none() || reader.read.is_none() || fields.get.is_none() {
            return Err(format!("the state table \"{shown}\" lacks functions to read it"));
        }
        let (key_type, is_gone) = (input.key_type, Cell::new(false));
        let table =
            Foreign { name, key_type, provider, input: *input, reader, writer, fields, is_gone };
        #[allow(clippy::arc_with_non_send_sync, reason = "touched on one thread, see Registry")]
        foreign.push(Arc::new(table));
        Ok(())
    }

    /// The plugin is destroyed: nobody may use its tables any more.
    pub fn remove_of(&self, provider: usize) {
        let mut foreign = self.foreign.borrow_mut();
        foreign.iter().filter(|it| it.provider == provider).for_each(|it| it.is_gone.set(true));
        foreign.retain(|table| !table.is_gone.get());
    }
}

/// The newer vtables where they are given, else what the older ones have.
///
/// # Safety
/// Pointers that are not NULL lead to vtables.
unsafe fn vtables(input: &TableInput) -> (ReaderVtableExt, WriterVtable, FieldsVtable) {
    let old = &input.reader;
    let reader = ReaderVtableExt {
        name: old.name,
        size: old.size,
        get: old.get,
        read: old.read,
        release: None,
        iterate: None,
    };
    // SAFETY: as above.
    unsafe {
        (
            input.reader_ext.as_ref().copied().unwrap_or(reader),
            input.writer_ext.as_ref().copied().unwrap_or(input.writer),
            input.fields_ext.as_ref().copied().unwrap_or(input.fields),
        )
    }
}
