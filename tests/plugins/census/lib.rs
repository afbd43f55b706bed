//! A plugin in Rust that counts executions: it parses events, keeps a column in the host's table of
//! threads and a table of its own, sends asynchronous events, listens to captures, and extracts
//! fields of all that. In: init_config "tick=MS" (none: no events). Out: the functions below.
#![deny(unsafe_op_in_unsafe_fn)]
mod falco;
mod programs;
mod state;
mod ticks;

use falco::{
    Data, Event, EventInput, ExtractInput, FAILURE, Handler, InitInput, ListenInput, Owner,
};
use falco::{ParseInput, SUCCESS};
use state::{Census, on_execution};
use std::ffi::{CStr, c_char, c_void};
use std::sync::atomic::Ordering;
use std::time::Duration;

macro_rules! text {
    ($($name:ident: $text:expr;)*) => {$(
        #[unsafe(no_mangle)]
        pub extern "C" fn $name() -> *const c_char {
            $text.as_ptr()
        }
    )*};
}

text! {
    plugin_get_required_api_version: c"3.12.0";
    plugin_get_name: c"census";
    plugin_get_description: c"Counts executions, for tests";
    plugin_get_contact: c"saker's tests";
    plugin_get_version: c"0.2.0";
    plugin_get_extract_event_sources: c"[\"syscall\", \"lines\"]";
    plugin_get_parse_event_sources: c"[\"syscall\", \"lines\"]";
    plugin_get_async_event_sources: c"[\"syscall\", \"lines\"]";
    plugin_get_async_events: c"[\"census.tick\", \"census.state\"]";
    plugin_get_fields: state::FIELDS;
}

static PARSED: [u16; 3] = [293, 331, falco::PLUGIN_EVENT];

/// Executions and lines are parsed.
///
/// # Safety
/// The host calls it with room for the count.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn plugin_get_parse_event_types(
    count: *mut u32,
    _: *mut Census,
) -> *const u16 {
    unsafe { *count = PARSED.len() as u32 };
    PARSED.as_ptr()
}

/// # Safety
/// The host calls all of these as the interface says, with the state that this gave.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn plugin_init(input: *const InitInput, rc: *mut i32) -> *mut Census {
    let input = unsafe { &*input };
    let config = if input.config.is_null() { c"" } else { unsafe { CStr::from_ptr(input.config) } };
    let tick = config.to_str().ok().and_then(|text| text.strip_prefix("tick="));
    let mut census = Box::new(Census::new(tick.and_then(|text| text.parse().ok())));
    let done = unsafe { census.begin(input) };
    if let (Err(why), Some(log)) = (&done, input.log) {
        unsafe { log(input.owner, std::ptr::null(), why.as_ptr(), 3) };
    }
    if let Err(why) = &done {
        census.error.clone_from(why);
    }
    unsafe { *rc = if done.is_ok() { SUCCESS } else { FAILURE } };
    Box::into_raw(census)
}

/// # Safety
/// See `plugin_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn plugin_destroy(census: *mut Census) {
    let mut census = unsafe { Box::from_raw(census) };
    census.ticks.stop();
}

/// # Safety
/// See `plugin_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn plugin_get_last_error(census: *mut Census) -> *const c_char {
    if census.is_null() { c"".as_ptr() } else { unsafe { &*census }.error.as_ptr() }
}

/// # Safety
/// See `plugin_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn plugin_parse_event(
    census: *mut Census,
    input: *const EventInput,
    tables: *const ParseInput,
) -> i32 {
    let (census, input) = unsafe { (&mut *census, &*input) };
    let event: Event = unsafe { *input.event };
    census.parsed += 1;
    if event.kind == falco::PLUGIN_EVENT {
        census.lines += 1;
        return SUCCESS;
    }
    unsafe { on_execution(census, event.tid as i64, &*tables) }
}

/// # Safety
/// See `plugin_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn plugin_extract_fields(
    census: *mut Census,
    input: *const EventInput,
    asked: *const ExtractInput,
) -> i32 {
    let (census, asked) = unsafe { (&mut *census, &*asked) };
    let event: Event = unsafe { *(*input).event };
    census.values.clear();
    let fields = unsafe { std::slice::from_raw_parts_mut(asked.fields, asked.count as usize) };
    for field in fields {
        unsafe { census.extract(event, &*asked.reader, field) };
    }
    SUCCESS
}

/// # Safety
/// See `plugin_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn plugin_set_async_event_handler(
    census: *mut Census,
    owner: Owner,
    handler: Option<Handler>,
) -> i32 {
    let census = unsafe { &mut *census };
    census.ticks.stop();
    if let (Some(handler), Some(pause)) = (handler, census.tick) {
        census.ticks.start(owner, handler, Duration::from_millis(pause));
    }
    SUCCESS
}

/// # Safety
/// See `plugin_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn plugin_dump_state(
    census: *mut Census,
    owner: Owner,
    handler: Handler,
) -> i32 {
    let data = format!("parsed {}", unsafe { &*census }.parsed);
    if ticks::send(owner, handler, "census.state", data.as_bytes()) { SUCCESS } else { FAILURE }
}

unsafe extern "C" fn routine(census: *mut c_void, _: *mut c_void) -> u32 {
    let census: *mut Census = census.cast();
    // Only the counter is touched: the rest of the state is another thread's.
    unsafe { &(*census).rounds }.fetch_add(1, Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(5));
    1
}

/// # Safety
/// See `plugin_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn plugin_capture_open(
    census: *mut Census,
    input: *const ListenInput,
) -> i32 {
    let (census, input) = unsafe { (&mut *census, &*input) };
    unsafe { census.mark_all(&*input.reader, &*input.writer) };
    let subscribe = unsafe { &*input.routines }.subscribe;
    census.routine = unsafe { subscribe(input.owner, routine, std::ptr::null_mut()) };
    if census.routine.is_null() { FAILURE } else { SUCCESS }
}

/// # Safety
/// See `plugin_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn plugin_capture_close(
    census: *mut Census,
    input: *const ListenInput,
) -> i32 {
    let (census, input) = unsafe { (&mut *census, &*input) };
    let unsubscribe = unsafe { &*input.routines }.unsubscribe;
    unsafe { unsubscribe(input.owner, census.routine) }
}

/// A key of a table that is a number.
pub(crate) fn number(number: i64) -> Data {
    Data { i64: number }
}
