//! The last error of a plugin's owner, for `get_owner_last_error`: of each thread its own, so that
//! what one thread reads no other can free. In: one line. Out: a C string, until the thread's next
//! error.
use std::cell::RefCell;
use std::ffi::{CString, c_char};

use crate::abi::Owner;

thread_local! {
    static LAST: RefCell<Option<CString>> = const { RefCell::new(None) };
}

pub fn set(line: &str) {
    let text = CString::new(line.replace('\0', "?")).unwrap_or_default();
    LAST.set(Some(text));
}

/// What a plugin calls; NULL where nothing went wrong on its thread.
///
/// # Safety
/// None is needed: the owner is not looked at.
pub unsafe extern "C" fn last_error(_: *mut Owner) -> *const c_char {
    LAST.with_borrow(|last| last.as_ref().map_or(std::ptr::null(), |text| text.as_ptr()))
}

/// The same as text, for what is told of a failed call.
pub fn text() -> Option<String> {
    LAST.with_borrow(|last| last.as_ref().map(|text| text.to_string_lossy().into_owned()))
}
