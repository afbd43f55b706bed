//! The functions of the interface by which a plugin changes state tables: columns of threads, and
//! tables of other plugins. Saker's own fields and entries are for reading. In: pointers that
//! `access` gave. Out: successes and failures, these with a reason as the owner's last error.
#![allow(clippy::missing_safety_doc, reason = "all of them are called as the interface says")]
use std::ptr::null_mut;

use crate::abi::{Entry, Field, Rc, SUCCESS, StateData, Table, WriterVtable};
use crate::tables::access::{Access, AnyTable, Own, OwnEntry, OwnField, Place};
use crate::tables::machine::Which;
use crate::tables::pointers::{Answer, lacks, opened, or, own_entry, rc};
use crate::tables::registry::Foreign;
use crate::tables::value::{number, text};

pub static WRITER: WriterVtable = WriterVtable {
    clear: Some(clear),
    erase: Some(erase),
    create: Some(create),
    destroy: Some(destroy),
    add: Some(add),
    write: Some(write),
};

pub fn is_sakers(own: &Own, what: &str) -> String {
    format!("the state table {:?} is saker's: a plugin cannot {what}", own.which.name())
}

unsafe extern "C" fn clear(table: *mut Table) -> Rc {
    let clear = || match unsafe { opened(table) }? {
        (_, AnyTable::Own(own)) => Err(is_sakers(own, "clear it")),
        (_, AnyTable::Foreign(foreign)) => {
            let clear = foreign.writer.clear.ok_or_else(|| lacks(foreign, "clear it"))?;
            done(foreign, unsafe { clear(foreign.input.table) })
        }
    };
    rc(clear())
}

unsafe extern "C" fn erase(table: *mut Table, key: *const StateData) -> Rc {
    let erase = || match unsafe { opened(table) }? {
        (_, AnyTable::Own(own)) => Err(is_sakers(own, "erase its entries")),
        (_, AnyTable::Foreign(foreign)) => {
            let erase = foreign.writer.erase.ok_or_else(|| lacks(foreign, "erase entries"))?;
            done(foreign, unsafe { erase(foreign.input.table, key) })
        }
    };
    rc(erase())
}

fn done(foreign: &Foreign, rc: Rc) -> Answer<()> {
    if rc == SUCCESS { Ok(()) } else { Err(format!("{:?} could not be changed", foreign.name)) }
}

unsafe extern "C" fn destroy(table: *mut Table, entry: *mut Entry) {
    let destroy = || {
        match unsafe { opened(table) }? {
            (access, AnyTable::Own(_)) => access.release(unsafe { own_entry(entry) }?),
            (_, AnyTable::Foreign(foreign)) => {
                let destroy = foreign.writer.destroy.ok_or_else(|| lacks(foreign, "destroy"))?;
                unsafe { destroy(foreign.input.table, entry) };
            }
        }
        Ok(())
    };
    or(destroy(), ());
}

/// An entry that is in no table: of saker's tables, to ask for the tables within it.
unsafe extern "C" fn create(table: *mut Table) -> *mut Entry {
    let create = || match unsafe { opened(table) }? {
        (access, AnyTable::Own(own)) => {
            Ok(access.entry(Own { is_detached: true, ..*own }, 0, false)?.cast())
        }
        (_, AnyTable::Foreign(foreign)) => {
            let create = foreign.writer.create.ok_or_else(|| lacks(foreign, "make entries"))?;
            Ok(unsafe { create(foreign.input.table) })
        }
    };
    or(create(), null_mut())
}

unsafe extern "C" fn add(
    table: *mut Table,
    key: *const StateData,
    entry: *mut Entry,
) -> *mut Entry {
    let add = || match unsafe { opened(table) }? {
        (access, AnyTable::Own(own)) => {
            // The entry is the table's from now on, even where it does not take it.
            access.release(unsafe { own_entry(entry) }?);
            Err(is_sakers(own, "add entries"))
        }
        (_, AnyTable::Foreign(foreign)) => {
            let add = foreign.writer.add.ok_or_else(|| lacks(foreign, "add entries"))?;
            Ok(unsafe { add(foreign.input.table, key, entry) })
        }
    };
    or(add(), null_mut())
}

unsafe extern "C" fn write(
    table: *mut Table,
    entry: *mut Entry,
    field: *const Field,
    value: *const StateData,
) -> Rc {
    let write = || match unsafe { opened(table) }? {
        (access, AnyTable::Own(_)) => {
            let field = unsafe { field.cast::<OwnField>().as_ref() }.ok_or("no field was given")?;
            let value = unsafe { value.as_ref() }.ok_or("no value was given")?;
            unsafe { write_own(access, own_entry(entry)?, field, *value) }
        }
        (_, AnyTable::Foreign(foreign)) => {
            let write = foreign.writer.write.ok_or_else(|| lacks(foreign, "write fields"))?;
            done(foreign, unsafe { write(foreign.input.table, entry, field, value) })
        }
    };
    rc(write())
}

unsafe fn write_own(
    access: &Access,
    entry: &OwnEntry,
    field: &OwnField,
    value: StateData,
) -> Answer<()> {
    let Place::Column(column) = field.place else {
        let what = format!("write the field \"{}\"", field.name(access));
        return Err(is_sakers(&entry.of, &what));
    };
    if entry.of.which != Which::Threads || entry.of.is_detached {
        return Err("values can be written to threads that are in the table alone".into());
    }
    let registry = &access.registry;
    let key = entry.key;
    // An entry may outlive its thread: nothing would ever drop what is written then.
    if !registry.with_columns(|columns| columns.has(key))
        && !registry.machine().has(Which::Threads, 0, key)
    {
        return Err(format!("the thread {key} is gone"));
    }
    if !field.is_text() {
        let number = number(value, field.kind);
        return registry.with_columns(|columns| columns.write_number(key, column, number));
    }
    let text = unsafe { text(value) }.unwrap_or(c"");
    registry.with_columns(|columns| columns.write_text(key, column, text))
}
