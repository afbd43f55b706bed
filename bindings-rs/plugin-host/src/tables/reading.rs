//! The functions of the interface by which a plugin reads state tables and finds their fields. In:
//! pointers that `access` gave. Out: values; where something cannot be, what the interface says
//! (NULL, a failure), with the reason as the owner's last error.
#![allow(clippy::missing_safety_doc, reason = "all of them are called as the interface says")]
use std::ffi::{CStr, c_char};
use std::ptr::{null, null_mut};

use crate::abi::{
    Bool, EachEntry, Entry, Field, FieldInfo, FieldsVtable, IteratorState, Rc, ReaderVtable,
    ReaderVtableExt, SUCCESS, StateData, StateType, Table,
};
use crate::tables::access::{Access, AnyTable, Own, OwnEntry, OwnField, Place};
use crate::tables::columns::Cell;
use crate::tables::machine::Told;
use crate::tables::pointers::{Answer, lacks, opened, or, own_entry, rc};
use crate::tables::value::{number, put_number};

pub static READER: ReaderVtable =
    ReaderVtable { name: Some(name), size: Some(size), get: Some(get_once), read: Some(read) };
pub static READER_EXT: ReaderVtableExt = ReaderVtableExt {
    name: Some(name),
    size: Some(size),
    get: Some(get),
    read: Some(read),
    release: Some(release),
    iterate: Some(iterate),
};
pub static FIELDS: FieldsVtable =
    FieldsVtable { list: Some(list_fields), get: Some(get_field), add: Some(add_field) };

unsafe extern "C" fn name(table: *mut Table) -> *const c_char {
    // SAFETY: as the interface says, here and in all functions below.
    let (_, table) = match unsafe { opened(table) } {
        Ok(opened) => opened,
        Err(why) => return or(Err(why), null()),
    };
    match table {
        AnyTable::Own(own) => own.which.name().as_ptr(),
        AnyTable::Foreign(foreign) => foreign.name.as_ptr(),
    }
}

unsafe extern "C" fn size(table: *mut Table) -> u64 {
    let size = || match unsafe { opened(table) }? {
        (_, AnyTable::Own(own)) if own.is_detached => Ok(0),
        (access, AnyTable::Own(own)) => Ok(access.registry.machine().size(own.which, own.tid)),
        (_, AnyTable::Foreign(foreign)) => {
            let size = foreign.reader.size.ok_or_else(|| lacks(foreign, "tell its size"))?;
            Ok(unsafe { size(foreign.input.table) })
        }
    };
    or(size(), u64::MAX)
}

unsafe fn found(table: *mut Table, key: *const StateData, once: bool) -> Answer<*mut Entry> {
    let key_data = unsafe { key.as_ref() }.ok_or("no key was given")?;
    match unsafe { opened(table) }? {
        (access, AnyTable::Own(own)) => {
            let key = number(*key_data, own.which.key_type()) as i64;
            if own.is_detached || !access.registry.machine().has(own.which, own.tid, key) {
                return Err(format!("no entry {key} in {:?}", own.which.name()));
            }
            Ok(access.entry(*own, key, once)?.cast())
        }
        (_, AnyTable::Foreign(foreign)) => {
            let get = foreign.reader.get.ok_or_else(|| lacks(foreign, "find entries"))?;
            Ok(unsafe { get(foreign.input.table, key) })
        }
    }
}

unsafe extern "C" fn get(table: *mut Table, key: *const StateData) -> *mut Entry {
    or(unsafe { found(table, key, false) }, null_mut())
}

/// The older function: nothing gives its entries back.
unsafe extern "C" fn get_once(table: *mut Table, key: *const StateData) -> *mut Entry {
    or(unsafe { found(table, key, true) }, null_mut())
}

unsafe extern "C" fn read(
    table: *mut Table,
    entry: *mut Entry,
    field: *const Field,
    out: *mut StateData,
) -> Rc {
    let read = || {
        let out = unsafe { out.as_mut() }.ok_or("no place for the value was given")?;
        match unsafe { opened(table) }? {
            (access, AnyTable::Own(_)) => {
                let field = unsafe { field.cast::<OwnField>().as_ref() };
                let field = field.ok_or("no field was given")?;
                read_own(access, unsafe { own_entry(entry) }?, field, out)
            }
            (_, AnyTable::Foreign(foreign)) => {
                let read = foreign.reader.read.ok_or_else(|| lacks(foreign, "read fields"))?;
                match unsafe { read(foreign.input.table, entry, field, out) } {
                    SUCCESS => Ok(()),
                    _ => Err(format!("a field of {:?} could not be read", foreign.name)),
                }
            }
        }
    };
    rc(read())
}

fn read_own(
    access: &Access,
    entry: &OwnEntry,
    field: &OwnField,
    out: &mut StateData,
) -> Answer<()> {
    if field.which != entry.of.which {
        let (of, name) = (entry.of.which.name(), field.name(access));
        return Err(format!("the field \"{name}\" is none of an entry of {of:?}"));
    }
    let registry = &access.registry;
    let place = match field.place {
        Place::Static(place) => place,
        Place::Column(column) => {
            // The registry may not be held while a text is put away.
            let cell = registry.with_columns(|columns| columns.read(entry.key, column).clone());
            match cell {
                Cell::Text(text) => out.text = access.c_text(text)?,
                Cell::Number(number) => put_number(out, field.kind, number),
                Cell::Empty if field.is_text() => out.text = c"".as_ptr(),
                Cell::Empty => put_number(out, field.kind, 0),
            }
            return Ok(());
        }
    };
    if let Some(which) = field.which.fields()[place].within {
        let own = Own { which, tid: entry.tid(), is_detached: entry.of.is_detached };
        out.table = access.inner_table(own)?.cast();
        return Ok(());
    }
    let told = if entry.of.is_detached {
        if field.is_text() { Told::Text(Vec::new()) } else { Told::Number(0) }
    } else {
        let told = registry.machine().read(field.which, entry.of.tid, entry.key, place);
        told.ok_or_else(|| format!("the entry {} is gone", entry.key))?
    };
    match told {
        Told::Text(text) if field.is_text() => out.text = access.text(text)?,
        Told::Number(number) if !field.is_text() => put_number(out, field.kind, number),
        _ => return Err(format!("the field \"{}\" has no value", field.name(access))),
    }
    Ok(())
}

unsafe extern "C" fn release(table: *mut Table, entry: *mut Entry) {
    let release = || {
        match unsafe { opened(table) }? {
            (access, AnyTable::Own(_)) => access.release(unsafe { own_entry(entry) }?),
            (_, AnyTable::Foreign(foreign)) => {
                if let Some(release) = foreign.reader.release {
                    unsafe { release(foreign.input.table, entry) };
                }
            }
        }
        Ok(())
    };
    or(release(), ());
}

unsafe extern "C" fn iterate(
    table: *mut Table,
    each: Option<EachEntry>,
    state: *mut IteratorState,
) -> Bool {
    let iterate = || {
        let each_entry = each.ok_or("no function was given")?;
        let (access, own) = match unsafe { opened(table) }? {
            (access, AnyTable::Own(own)) => (access, own),
            (_, AnyTable::Foreign(foreign)) => {
                let iterate = foreign.reader.iterate.ok_or_else(|| lacks(foreign, "be walked"))?;
                return Ok(unsafe { iterate(foreign.input.table, each, state) });
            }
        };
        if own.is_detached {
            return Ok(1);
        }
        for key in access.registry.machine().keys(own.which, own.tid) {
            let mark = access.mark();
            let entry = access.entry(*own, key, false)?;
            let goes_on = unsafe { each_entry(state, entry.cast()) } != 0;
            access.release(unsafe { &*entry });
            access.back_to(mark);
            if !goes_on {
                return Ok(0);
            }
        }
        Ok(1)
    };
    or(iterate(), 0)
}

unsafe extern "C" fn list_fields(table: *mut Table, count: *mut u32) -> *const FieldInfo {
    let list = || {
        let count = unsafe { count.as_mut() }.ok_or("no place for the count was given")?;
        match unsafe { opened(table) }? {
            (access, AnyTable::Own(own)) => Ok(access.list_fields(own.which, count)),
            (_, AnyTable::Foreign(foreign)) => {
                let list = foreign.fields.list.ok_or_else(|| lacks(foreign, "list fields"))?;
                Ok(unsafe { list(foreign.input.table, count) })
            }
        }
    };
    or(list(), null())
}

unsafe extern "C" fn get_field(
    table: *mut Table,
    name: *const c_char,
    kind: StateType,
) -> *mut Field {
    or(unsafe { field_of(table, name, kind, false) }, null_mut())
}

unsafe extern "C" fn add_field(
    table: *mut Table,
    name: *const c_char,
    kind: StateType,
) -> *mut Field {
    or(unsafe { field_of(table, name, kind, true) }, null_mut())
}

unsafe fn field_of(
    table: *mut Table,
    name: *const c_char,
    kind: StateType,
    adds: bool,
) -> Answer<*mut Field> {
    let shown = if name.is_null() { None } else { Some(unsafe { CStr::from_ptr(name) }) };
    let shown = shown.ok_or("a field without a name")?;
    match unsafe { opened(table) }? {
        (access, AnyTable::Own(own)) if adds => {
            Ok(access.add_field(own.which, shown, kind)?.cast())
        }
        (access, AnyTable::Own(own)) => Ok(access.field(own.which, shown, kind)?.cast()),
        (_, AnyTable::Foreign(foreign)) => {
            let function = if adds { foreign.fields.add } else { foreign.fields.get };
            let function = function.ok_or_else(|| lacks(foreign, "give such a field"))?;
            let field = unsafe { function(foreign.input.table, name, kind) };
            let none = || format!("the state table {:?} has no field {shown:?}", foreign.name);
            if field.is_null() { Err(none()) } else { Ok(field) }
        }
    }
}
