//! What one plugin has of the state tables: the tables, entries and fields that its pointers lead
//! to, and the texts that it was given. In: the registry. Out: addresses that hold until they are
//! given back, or until the plugin is called again.
#![allow(clippy::vec_box, reason = "pointers to the elements are out")]
use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char};
use std::sync::Arc;

use crate::abi::{FieldInfo, STATE_STRING, StateType, TableInfo};
use crate::tables::machine::{Which, gives_way};
use crate::tables::registry::{Foreign, Registry};
use crate::tables::value::type_name;

/// Entries that a plugin holds, tables within entries, and texts that one call may ask for.
const ENTRIES_MAX: usize = 1 << 16;
const INNER_MAX: usize = 1 << 16;
const TEXT_BYTES_MAX: usize = 256 << 20;

/// What a pointer to a table leads to.
pub struct Handle {
    pub access: *const Access,
    pub table: AnyTable,
}

#[derive(Clone)]
pub enum AnyTable {
    Own(Own),
    Foreign(Arc<Foreign>),
}

/// The table of threads, or one within a thread; `is_detached`: of an entry that is in no table.
#[derive(Clone, Copy, Debug)]
pub struct Own {
    pub which: Which,
    pub tid: i64,
    pub is_detached: bool,
}

/// What a pointer to an entry of such a table leads to.
pub struct OwnEntry {
    pub of: Own,
    pub key: i64,
    place: usize,
    is_free: bool,
}

impl OwnEntry {
    /// The thread that a table within this entry is of.
    pub fn tid(&self) -> i64 {
        if self.of.which == Which::Threads { self.key } else { self.of.tid }
    }
}

/// What a pointer to a field of such a table leads to.
pub struct OwnField {
    pub which: Which,
    pub kind: StateType,
    pub place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Static(usize),
    Column(usize),
}

#[derive(Default)]
struct Entries {
    all: Vec<Box<OwnEntry>>,
    free: Vec<usize>,
    /// Places of those that end with the call.
    passing: Vec<usize>,
}

#[derive(Default)]
struct Texts {
    all: Vec<CString>,
    bytes: usize,
}

/// A list as the interface wants it, and what its names point to.
struct Listed<T> {
    names: Vec<CString>,
    infos: Vec<T>,
}

pub struct Access {
    pub registry: Arc<Registry>,
    tables: RefCell<Vec<Box<Handle>>>,
    inner: RefCell<Vec<Box<Handle>>>,
    entries: RefCell<Entries>,
    fields: RefCell<Vec<Box<OwnField>>>,
    texts: RefCell<Texts>,
    listed: RefCell<Listed<TableInfo>>,
    listed_fields: RefCell<Listed<FieldInfo>>,
}

/// How far what lasts until the next call was filled.
#[derive(Clone, Copy)]
pub struct Mark {
    inner: usize,
    texts: usize,
}

impl Access {
    pub fn new(registry: Arc<Registry>) -> Box<Self> {
        Box::new(Self {
            registry,
            tables: RefCell::default(),
            inner: RefCell::default(),
            entries: RefCell::default(),
            fields: RefCell::default(),
            texts: RefCell::default(),
            listed: RefCell::new(Listed { names: Vec::new(), infos: Vec::new() }),
            listed_fields: RefCell::new(Listed { names: Vec::new(), infos: Vec::new() }),
        })
    }

    /// The plugin is called again: what was given to it for the last call is not used any more.
    pub fn begin_call(&self) {
        self.back_to(Mark { inner: 0, texts: 0 });
        let mut entries = self.entries.borrow_mut();
        let Entries { all, free, passing } = &mut *entries;
        for place in passing.drain(..) {
            if !all[place].is_free {
                all[place].is_free = true;
                free.push(place);
            }
        }
    }

    pub fn mark(&self) -> Mark {
        Mark { inner: self.inner.borrow().len(), texts: self.texts.borrow().all.len() }
    }

    pub fn back_to(&self, mark: Mark) {
        self.inner.borrow_mut().truncate(mark.inner);
        let mut texts = self.texts.borrow_mut();
        let freed: usize = texts.all.drain(mark.texts..).map(|text| text.count_bytes()).sum();
        texts.bytes -= freed;
    }

    /// A table that is held as long as the plugin.
    pub fn table(&self, table: AnyTable) -> *mut Handle {
        let mut tables = self.tables.borrow_mut();
        if let Some(there) = tables.iter().find(|there| is_same(&there.table, &table)) {
            return std::ptr::from_ref(&**there).cast_mut();
        }
        tables.push(Box::new(Handle { access: self, table }));
        tables.last().map_or(std::ptr::null_mut(), |it| std::ptr::from_ref(&**it).cast_mut())
    }

    /// A table within an entry, until the plugin is called again.
    pub fn inner_table(&self, own: Own) -> Result<*mut Handle, String> {
        let mut inner = self.inner.borrow_mut();
        if inner.len() >= INNER_MAX {
            return Err(format!("one call asks for {INNER_MAX} tables at the most"));
        }
        inner.push(Box::new(Handle { access: self, table: AnyTable::Own(own) }));
        Ok(inner.last().map_or(std::ptr::null_mut(), |it| std::ptr::from_ref(&**it).cast_mut()))
    }

    /// `passes`: it is given back when the plugin is called again, since the older functions have
    /// no other way.
    pub fn entry(&self, of: Own, key: i64, passes: bool) -> Result<*mut OwnEntry, String> {
        let mut entries = self.entries.borrow_mut();
        let Entries { all, free, passing } = &mut *entries;
        let place = free.pop().unwrap_or(all.len());
        if place >= ENTRIES_MAX {
            return Err(format!("a plugin holds {ENTRIES_MAX} entries of tables at the most"));
        }
        if passes {
            passing.push(place);
        }
        let entry = OwnEntry { of, key, place, is_free: false };
        match all.get_mut(place) {
            Some(there) => **there = entry,
            None => all.push(Box::new(entry)),
        }
        Ok(std::ptr::from_mut(&mut *all[place]))
    }

    pub fn release(&self, entry: &OwnEntry) {
        let place = entry.place;
        let mut entries = self.entries.borrow_mut();
        let Entries { all, free, passing } = &mut *entries;
        if let Some(entry) = all.get_mut(place).filter(|entry| !entry.is_free) {
            entry.is_free = true;
            free.push(place);
            passing.retain(|passed| *passed != place);
        }
    }

    /// Entries that the plugin holds.
    pub fn held(&self) -> usize {
        let entries = self.entries.borrow();
        entries.all.len() - entries.free.len()
    }

    /// A text until the plugin is called again.
    pub fn text(&self, mut bytes: Vec<u8>) -> Result<*const c_char, String> {
        // A text ends where its first NUL is, for a reader in C.
        if let Some(end) = bytes.iter().position(|&byte| byte == 0) {
            bytes.truncate(end);
        }
        self.c_text(CString::new(bytes).unwrap_or_default())
    }

    pub fn c_text(&self, text: CString) -> Result<*const c_char, String> {
        let mut texts = self.texts.borrow_mut();
        if texts.bytes + text.count_bytes() > TEXT_BYTES_MAX {
            return Err(format!("one call asks for {TEXT_BYTES_MAX} bytes of texts at the most"));
        }
        texts.bytes += text.count_bytes();
        let pointer = text.as_ptr();
        texts.all.push(text);
        Ok(pointer)
    }

    pub fn list(&self, count: &mut u32) -> *mut TableInfo {
        let (names, types): (Vec<_>, Vec<_>) = self.registry.list().into_iter().unzip();
        let infos = names.iter().zip(types);
        let infos = infos.map(|(name, key_type)| TableInfo { name: name.as_ptr(), key_type });
        let listed = Listed { infos: infos.collect(), names };
        *count = listed.names.len() as u32;
        let mut place = self.listed.borrow_mut();
        *place = listed;
        place.infos.as_mut_ptr()
    }

    pub fn list_fields(&self, which: Which, count: &mut u32) -> *const FieldInfo {
        let statics = which.fields().iter().filter(|it| !self.is_hidden(which, it.name));
        let statics = statics.map(|it| (it.name.to_owned(), it.kind, 1));
        let mut all: Vec<(CString, StateType, u32)> = statics.collect();
        if which == Which::Threads {
            self.registry.with_columns(|columns| {
                all.extend(columns.all().iter().map(|it| (it.name.clone(), it.kind, 0)));
            });
        }
        let info = |(name, kind, read_only): &(CString, StateType, u32)| FieldInfo {
            name: name.as_ptr(),
            kind: *kind,
            read_only: *read_only,
        };
        // The names stay where they are when their list is moved.
        let infos = all.iter().map(info).collect();
        *count = all.len() as u32;
        let names = all.into_iter().map(|(name, ..)| name).collect();
        let mut place = self.listed_fields.borrow_mut();
        *place = Listed { names, infos };
        place.infos.as_ptr()
    }

    /// A field that is there, of this type.
    pub fn field(
        &self,
        which: Which,
        name: &CStr,
        kind: StateType,
    ) -> Result<*mut OwnField, String> {
        let shown = name.to_string_lossy();
        let of_column = |place: usize| {
            let there = self.registry.with_columns(|columns| columns.all()[place].kind);
            (Place::Column(place), there)
        };
        let own = which.fields().iter().position(|it| it.name == name);
        let found = match own.filter(|_| !self.is_hidden(which, name)) {
            Some(place) => Some((Place::Static(place), which.fields()[place].kind)),
            None if which != Which::Threads => None,
            None => self.registry.with_columns(|columns| columns.find(name)).map(of_column),
        };
        let table = which.name().to_string_lossy();
        let Some((place, there)) = found else {
            return Err(format!("the state table \"{table}\" has no field \"{shown}\""));
        };
        if there != kind {
            let (there, wanted) = (type_name(there), type_name(kind));
            return Err(format!(
                "the field \"{shown}\" of \"{table}\" is a {there}, not a {wanted}"
            ));
        }
        Ok(self.kept(which, kind, place))
    }

    /// The same, added where it is not there.
    pub fn add_field(
        &self,
        which: Which,
        name: &CStr,
        kind: StateType,
    ) -> Result<*mut OwnField, String> {
        if which.fields().iter().any(|it| it.name == name && !gives_way(name)) {
            return self.field(which, name, kind);
        }
        if which != Which::Threads {
            let table = which.name().to_string_lossy();
            return Err(format!("the state table \"{table}\" takes no further fields"));
        }
        let place = self.registry.with_columns(|columns| columns.add(name, kind))?;
        Ok(self.kept(which, kind, Place::Column(place)))
    }

    /// A column stands in the place of a field of the host's.
    fn is_hidden(&self, which: Which, name: &CStr) -> bool {
        let has_column = || self.registry.with_columns(|columns| columns.find(name).is_some());
        which == Which::Threads && gives_way(name) && has_column()
    }

    fn kept(&self, which: Which, kind: StateType, place: Place) -> *mut OwnField {
        let mut fields = self.fields.borrow_mut();
        if let Some(there) = fields.iter().find(|it| it.which == which && it.place == place) {
            return std::ptr::from_ref(&**there).cast_mut();
        }
        fields.push(Box::new(OwnField { which, kind, place }));
        fields.last().map_or(std::ptr::null_mut(), |it| std::ptr::from_ref(&**it).cast_mut())
    }
}

impl OwnField {
    pub fn is_text(&self) -> bool {
        self.kind == STATE_STRING
    }

    pub fn name(&self, access: &Access) -> String {
        match self.place {
            Place::Static(place) => self.which.fields()[place].name.to_string_lossy().into(),
            Place::Column(place) => access
                .registry
                .with_columns(|columns| columns.all()[place].name.to_string_lossy().into()),
        }
    }
}

fn is_same(one: &AnyTable, other: &AnyTable) -> bool {
    match (one, other) {
        (AnyTable::Own(one), AnyTable::Own(other)) => one.which == other.which,
        (AnyTable::Foreign(one), AnyTable::Foreign(other)) => Arc::ptr_eq(one, other),
        _ => false,
    }
}
