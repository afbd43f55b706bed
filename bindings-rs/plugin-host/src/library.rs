//! A plugin's library: a path comes in, the functions that it exports go out, once they are what
//! the interface asks for; else one line that says what is not, in Falco's words.
use std::ffi::{CStr, c_char, c_void};
use std::mem::transmute_copy;

use crate::abi::{API_VERSION, Functions};
use crate::said;

/// What a plugin can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "five independent capabilities")]
pub struct Capabilities {
    pub sourcing: bool,
    pub extraction: bool,
    pub parsing: bool,
    pub asynchronous: bool,
    pub listening: bool,
}

/// It stays loaded until the process ends: threads of a plugin may run on, and many runtimes (Go's
/// among them) cannot be unloaded.
#[derive(Clone)]
pub struct Library {
    pub functions: Functions,
    pub capabilities: Capabilities,
}

impl Library {
    /// Loads and checks it.
    pub fn load(path: &str) -> Result<Self, String> {
        let name = said::for_plugin(path);
        // SAFETY: a C string; what the library does when it is loaded is its own.
        let library = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_LOCAL | libc::RTLD_NOW) };
        if library.is_null() {
            // SAFETY: dlerror gives NULL or a C string that holds until the next call.
            let why = unsafe { said::line(libc::dlerror()) };
            return Err(format!("can't load plugin dynamic library: {why}"));
        }
        Self::checked(resolved(library))
    }

    /// Functions that are offered by a table instead of a library.
    pub fn checked(functions: Functions) -> Result<Self, String> {
        check_version(&functions)?;
        check_symbols(&functions)?;
        let capabilities = capabilities(&functions)?;
        if capabilities == Capabilities::default() {
            return Err("plugin does not implement any capability".into());
        }
        Ok(Self { functions, capabilities })
    }
}

fn resolved(library: *mut c_void) -> Functions {
    let mut functions = Functions::default();
    macro_rules! resolve {
        ($($name:ident),* $(,)?) => {$(
            let symbol = concat!("plugin_", stringify!($name), "\0");
            // SAFETY: the symbol has the type that the interface gives it, and a pointer to a
            // function has the size of an Option of one.
            functions.$name = unsafe { function(library, symbol) };
        )*};
    }
    resolve!(
        get_required_api_version,
        get_version,
        get_last_error,
        get_name,
        get_description,
        get_contact,
        get_init_schema,
        init,
        destroy,
        get_id,
        get_event_source,
        open,
        close,
        next_batch,
        get_progress,
        list_open_params,
        event_to_string,
        get_fields,
        extract_fields,
        get_extract_event_sources,
        get_extract_event_types,
        get_parse_event_types,
        get_parse_event_sources,
        parse_event,
        get_async_event_sources,
        get_async_events,
        set_async_event_handler,
        dump_state,
        set_config,
        get_metrics,
        capture_open,
        capture_close,
        get_required_event_schema_version,
    );
    functions
}

/// # Safety
/// `T` is an `extern "C"` function of the type that the symbol has; the name ends in a NUL.
unsafe fn function<T>(library: *mut c_void, name: &str) -> Option<T> {
    // SAFETY: as the caller says.
    unsafe {
        let symbol = libc::dlsym(library, name.as_ptr().cast::<c_char>());
        (!symbol.is_null()).then(|| transmute_copy(&symbol))
    }
}

fn check_version(functions: &Functions) -> Result<(), String> {
    let Some(version) = functions.get_required_api_version else {
        return Err("plugin_get_required_api_version symbol not implemented".into());
    };
    // SAFETY: the interface's own type of this function.
    let version = unsafe { said::line(version()) };
    let Some(wanted) = leading_version(&version) else {
        return Err(format!("plugin provided an invalid required API version: '{version}'"));
    };
    let [major, minor, patch] = API_VERSION;
    let refusal = if wanted[0] != major {
        "major versions disagree"
    } else if wanted[1] > minor {
        "framework's minor is less than the requested one"
    } else if wanted[1] == minor && wanted[2] > patch {
        "framework's patch is less than the requested one"
    } else {
        return Ok(());
    };
    Err(format!(
        "plugin required API version '{version}' not compatible with the framework's API version \
         '{major}.{minor}.{patch}': {refusal}"
    ))
}

/// Three numbers with dots between them; what follows them does not matter.
pub fn leading_version(text: &str) -> Option<[u32; 3]> {
    let mut parts = text.splitn(3, '.');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next()?.parse().ok()?;
    let last = parts.next()?;
    let digits = last.find(|c: char| !c.is_ascii_digit()).unwrap_or(last.len());
    Some([major, minor, last[..digits].parse().ok()?])
}

fn check_symbols(functions: &Functions) -> Result<(), String> {
    let needed = [
        ("get_version", functions.get_version.is_some()),
        ("get_name", functions.get_name.is_some()),
        ("get_description", functions.get_description.is_some()),
        ("get_contact", functions.get_contact.is_some()),
        ("init", functions.init.is_some()),
        ("destroy", functions.destroy.is_some()),
        ("get_last_error", functions.get_last_error.is_some()),
    ];
    match needed.iter().find(|(_, there)| !there) {
        Some((name, _)) => Err(format!("required symbol not implemented: '{name}'")),
        None => Ok(()),
    }
}

fn capabilities(functions: &Functions) -> Result<Capabilities, String> {
    let mut broken = Vec::new();
    let open = functions.open.is_some();
    let close = functions.close.is_some();
    let next = functions.next_batch.is_some();
    let sourcing = open && close && next;
    if sourcing {
        // SAFETY: the interface's own types of these functions.
        let (has_id, has_source) = unsafe {
            (
                functions.get_id.is_some_and(|id| id() != 0),
                functions.get_event_source.is_some_and(|source| is_said(source())),
            )
        };
        if has_id != has_source {
            broken.push(
                "must implement both 'plugin_get_id' and 'plugin_get_event_source' or neither \
                 (event sourcing)",
            );
        }
    } else if open || close || next {
        broken.push(
            "must implement all of 'plugin_open', 'plugin_close', and 'plugin_next_batch' (event \
             sourcing)",
        );
    }
    let extraction = functions.extract_fields.is_some();
    if extraction && functions.get_fields.is_none() {
        broken.push(
            "must implement both 'plugin_get_fields' and 'plugin_extract_fields' (field \
             extraction)",
        );
    }
    let asynchronous = functions.set_async_event_handler.is_some();
    if asynchronous && functions.get_async_events.is_none() {
        broken.push(
            "must implement both 'plugin_get_async_events' and 'plugin_set_async_event_handler' \
             (async events)",
        );
    }
    let listening = functions.capture_open.is_some();
    if listening && functions.capture_close.is_none() {
        broken.push(
            "must implement both 'plugin_capture_open' and 'plugin_capture_close' (capture \
             listening)",
        );
    }
    if !broken.is_empty() {
        return Err(format!("broken plugin capabilities: {}", broken.join(", ")));
    }
    let parsing = functions.parse_event.is_some();
    Ok(Capabilities { sourcing, extraction, parsing, asynchronous, listening })
}

fn is_said(text: *const c_char) -> bool {
    // SAFETY: a plugin's C string, or NULL.
    !text.is_null() && !unsafe { CStr::from_ptr(text) }.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    unsafe extern "C" fn newer() -> *const c_char {
        c"3.13.0".as_ptr()
    }
    unsafe extern "C" fn other() -> *const c_char {
        c"2.0.0".as_ptr()
    }
    unsafe extern "C" fn none() -> *const c_char {
        c"three".as_ptr()
    }
    unsafe extern "C" fn null() -> *const c_char {
        std::ptr::null()
    }
    unsafe extern "C" fn fits() -> *const c_char {
        c"3.0.0".as_ptr()
    }

    fn refusal(functions: &Functions) -> String {
        Library::checked(*functions).err().expect("a refusal")
    }

    fn asking(version: unsafe extern "C" fn() -> *const c_char) -> Functions {
        Functions { get_required_api_version: Some(version), ..Functions::default() }
    }

    #[test]
    fn versions_are_compared_as_falco_compares_them() {
        assert!(
            refusal(&asking(newer)).ends_with("framework's minor is less than the requested one")
        );
        assert!(refusal(&asking(other)).ends_with("'3.12.0': major versions disagree"));
        assert!(refusal(&asking(none)).ends_with("required API version: 'three'"));
        assert!(refusal(&asking(null)).ends_with("required API version: ''"));
        assert_eq!(
            refusal(&Functions::default()),
            "plugin_get_required_api_version symbol not implemented"
        );
        assert_eq!(refusal(&asking(fits)), "required symbol not implemented: 'get_version'");
    }

    #[test]
    fn a_file_that_is_no_library_is_told() {
        let missing = Library::load("/nowhere/libnone.so").err().expect("a refusal");
        assert!(missing.starts_with("can't load plugin dynamic library: "), "{missing}");
        assert!(missing.contains("/nowhere/libnone.so"), "{missing}");
    }

    #[test]
    fn a_version_is_three_numbers() {
        assert_eq!(leading_version("0.3.1"), Some([0, 3, 1]));
        assert_eq!(leading_version("0.3.1-rc1"), Some([0, 3, 1]));
        assert_eq!(leading_version("0.3"), None);
        assert_eq!(leading_version("0.3."), None);
        assert_eq!(leading_version("99999999999.0.0"), None);
    }
}
