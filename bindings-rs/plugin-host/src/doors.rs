//! The functions that a plugin calls its owner by: for tables, asynchronous events, routines. In:
//! the owner's pointer as it was handed over. Out: what its state answers; where that refuses, what
//! the interface says of failures, with the reason.
use std::ffi::{CStr, c_char};
use std::ptr::null_mut;

use crate::abi::{
    self, ERROR_MAX, Event, FAILURE, FieldsVtable, InitTables, ListenInput, ParseInput, Rc,
    ReaderVtableExt, Routine, RoutineState, RoutineStep, RoutineVtable, SUCCESS, StateType, Table,
    TableInfo, TableInput, WriterVtable,
};
use crate::last_error::{self, last_error};
use crate::owner::Owner;
use crate::state::State;
use crate::tables::access::{AnyTable, Own};
use crate::tables::machine::Which;
use crate::tables::reading::{FIELDS, READER, READER_EXT};
use crate::tables::registry::Found;
use crate::tables::writing::WRITER;

static ROUTINES: RoutineVtable =
    RoutineVtable { subscribe: Some(subscribe), unsubscribe: Some(unsubscribe) };

/// What a plugin is told of tables when it is initialized. It holds for ever.
pub fn init_tables() -> InitTables {
    InitTables {
        list: Some(list_tables),
        get: Some(get_table),
        add: Some(add_table),
        fields: FIELDS,
        fields_ext: fields_ext(),
        reader_ext: reader_ext(),
        writer_ext: writer_ext(),
    }
}

pub fn parse_input(owner: &Owner) -> ParseInput {
    ParseInput {
        owner: owner.pointer(),
        owner_error: Some(last_error),
        reader: READER,
        writer: WRITER,
        reader_ext: reader_ext(),
        writer_ext: writer_ext(),
    }
}

pub fn listen_input(owner: &Owner) -> ListenInput {
    ListenInput {
        owner: owner.pointer(),
        routine: (&raw const ROUTINES).cast_mut(),
        reader_ext: reader_ext(),
        writer_ext: writer_ext(),
        owner_error: Some(last_error),
    }
}

// Plugins read these; the interface only forgot to say so.
pub fn reader_ext() -> *mut ReaderVtableExt {
    (&raw const READER_EXT).cast_mut()
}

fn writer_ext() -> *mut WriterVtable {
    (&raw const WRITER).cast_mut()
}

fn fields_ext() -> *mut FieldsVtable {
    (&raw const FIELDS).cast_mut()
}

/// The state of the owner that a plugin hands back.
unsafe fn state<'a>(owner: *mut abi::Owner) -> Result<&'a State, String> {
    // SAFETY: the plugin hands back the owner that it was given, which outlives it.
    Ok(&unsafe { Owner::of(owner) }.ok_or("no owner was given")?.state)
}

/// The state, on the thread that may use tables.
unsafe fn at_home<'a>(owner: *mut abi::Owner) -> Result<&'a State, String> {
    // SAFETY: as above.
    let state = unsafe { state(owner) }?;
    state.access.registry.check_thread()?;
    Ok(state)
}

fn or<T>(answer: Result<T, String>, otherwise: T) -> T {
    answer.unwrap_or_else(|why| {
        last_error::set(&why);
        otherwise
    })
}

unsafe extern "C" fn list_tables(owner: *mut abi::Owner, count: *mut u32) -> *mut TableInfo {
    let list = || {
        // SAFETY: a place for a number, or NULL.
        let count = unsafe { count.as_mut() }.ok_or("no place for the count was given")?;
        // SAFETY: as `state` says.
        Ok(unsafe { at_home(owner) }?.access.list(count))
    };
    or(list(), null_mut())
}

unsafe extern "C" fn get_table(
    owner: *mut abi::Owner,
    name: *const c_char,
    key_type: StateType,
) -> *mut Table {
    let get = || {
        if name.is_null() {
            return Err("a state table without a name".into());
        }
        // SAFETY: a C string; as `state` says.
        let (access, name) = unsafe { (&at_home(owner)?.access, CStr::from_ptr(name)) };
        let table = match access.registry.find(name, key_type)? {
            Found::Threads => {
                AnyTable::Own(Own { which: Which::Threads, tid: 0, is_detached: false })
            }
            Found::Foreign(foreign) => AnyTable::Foreign(foreign),
        };
        Ok(access.table(table).cast())
    };
    or(get(), null_mut())
}

unsafe extern "C" fn add_table(owner: *mut abi::Owner, input: *const TableInput) -> Rc {
    let add = || {
        // SAFETY: the interface's own type or NULL; as `state` says.
        unsafe {
            let input = input.as_ref().ok_or("no state table was given")?;
            at_home(owner)?.access.registry.add(owner.addr(), input)?;
        }
        Ok(SUCCESS)
    };
    or(add(), FAILURE)
}

unsafe extern "C" fn subscribe(
    owner: *mut abi::Owner,
    step: Option<RoutineStep>,
    routine_state: *mut RoutineState,
) -> *mut Routine {
    let subscribe = || {
        let step = step.ok_or("a routine without a function")?;
        // SAFETY: as `state` says.
        let state = unsafe { state(owner) }?;
        state.routines.subscribe(step, state.plugin(), routine_state)
    };
    or(subscribe(), null_mut())
}

unsafe extern "C" fn unsubscribe(owner: *mut abi::Owner, routine: *mut Routine) -> Rc {
    // SAFETY: as `state` says.
    let done = unsafe { state(owner) }.and_then(|state| state.routines.unsubscribe(routine));
    or(done.map(|()| SUCCESS), FAILURE)
}

/// Takes an asynchronous event, from any thread.
pub unsafe extern "C" fn send(owner: *mut abi::Owner, event: *const Event, why: *mut c_char) -> Rc {
    // SAFETY: as `state` says; the event is as long as it says.
    let sent = unsafe { state(owner).and_then(|state| state.events.offer(event)) };
    // SAFETY: room for an error, or NULL.
    unsafe { told(sent, why) }
}

/// Takes an event of a dump of the plugin's state.
pub unsafe extern "C" fn dump(owner: *mut abi::Owner, event: *const Event, why: *mut c_char) -> Rc {
    let dump = || {
        // SAFETY: as `state` says; the event is as long as it says.
        let state = unsafe { state(owner) }?;
        // SAFETY: as above.
        state.add_to_dump(unsafe { state.events.checked(event) }?)
    };
    // SAFETY: room for an error, or NULL.
    unsafe { told(dump(), why) }
}

/// Writes why it failed where the plugin wants it.
///
/// # Safety
/// There is room for `ERROR_MAX` bytes, or the pointer is NULL.
unsafe fn told(answer: Result<(), String>, room: *mut c_char) -> Rc {
    let Err(why) = answer else { return SUCCESS };
    if !room.is_null() {
        let bytes = &why.as_bytes()[..why.len().min(ERROR_MAX - 1)];
        // SAFETY: as above.
        unsafe {
            room.cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            room.add(bytes.len()).write(0);
        }
    }
    last_error::set(&why);
    FAILURE
}
