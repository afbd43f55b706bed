//! From the pointers that a plugin hands back to what they lead to, and from answers to what the
//! interface says of failures. In: pointers that `access` gave. Out: references, results.
#![allow(clippy::missing_safety_doc, reason = "all of them are called as the interface says")]
use crate::abi::{Entry, FAILURE, Rc, SUCCESS, Table};
use crate::last_error;
use crate::tables::access::{Access, AnyTable, Handle, OwnEntry};
use crate::tables::registry::Foreign;

pub type Answer<T> = Result<T, String>;

/// The answer, or what the interface says where there is none.
pub fn or<T>(answer: Answer<T>, otherwise: T) -> T {
    answer.unwrap_or_else(|why| {
        last_error::set(&why);
        otherwise
    })
}

pub fn rc(answer: Answer<()>) -> Rc {
    or(answer.map(|()| SUCCESS), FAILURE)
}

/// The table, and the plugin's access to it, on the thread that may use it.
pub unsafe fn opened<'a>(table: *mut Table) -> Answer<(&'a Access, &'a AnyTable)> {
    // SAFETY: the pointer is one that `Access::table` or `inner_table` gave, or NULL.
    let handle = unsafe { table.cast::<Handle>().as_ref() }.ok_or("no table was given")?;
    // SAFETY: the access outlives what it gives.
    let access = unsafe { &*handle.access };
    access.registry.check_thread()?;
    if let AnyTable::Foreign(foreign) = &handle.table
        && foreign.is_gone.get()
    {
        return Err(format!("the plugin of the state table {:?} is gone", foreign.name));
    }
    Ok((access, &handle.table))
}

pub unsafe fn own_entry<'a>(entry: *mut Entry) -> Answer<&'a OwnEntry> {
    // SAFETY: the pointer is one that `Access::entry` gave, or NULL.
    Ok(unsafe { entry.cast::<OwnEntry>().as_ref() }.ok_or("no entry was given")?)
}

pub fn lacks(foreign: &Foreign, what: &str) -> String {
    format!("the state table {:?} of a plugin has no function to {what}", foreign.name)
}
