//! The owner that a plugin sees: its calls come in (from any of its threads), lines for the log go
//! out; what else it asks its owner for is answered by `doors`, of the owner's state.
use std::ffi::c_char;

use crate::abi::{self, Severity};
use crate::said::{self, WORDS_MAX};
use crate::state::State;

/// Takes a plugin's lines; called from any thread.
pub type Log = Box<dyn Fn(Severity, &str) + Send + Sync>;

/// What plugins get hold of as `owner`: it stays where it is as long as the plugin lives.
pub struct Owner {
    log: Log,
    pub state: State,
}

impl Owner {
    pub fn new(log: Log) -> Box<Self> {
        Box::new(Self { log, state: State::default() })
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
