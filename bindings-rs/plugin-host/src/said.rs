//! Texts that a plugin says: pointers to bytes that end in a NUL come in, texts within bounds go
//! out. A pointer that leads nowhere ends the process that follows it; what it leads to is not
//! trusted to end, nor to be UTF-8.
use std::ffi::{CStr, c_char};

/// Bytes of a name, a version, an error.
pub const WORDS_MAX: usize = 4096;
/// Bytes of what a plugin says in JSON: fields, schemas.
pub const JSON_MAX: usize = 4 << 20;

/// The bytes in front of the NUL, at most so many.
///
/// # Safety
/// `text` is NULL or points to bytes that end in a NUL or are at least `max`.
pub unsafe fn bytes<'a>(text: *const c_char, max: usize) -> Option<&'a [u8]> {
    if text.is_null() {
        return None;
    }
    // SAFETY: as the caller says; the walk ends at the bound.
    unsafe {
        let length = libc::strnlen(text, max);
        Some(std::slice::from_raw_parts(text.cast(), length))
    }
}

/// The same as a text; "" for NULL. What is no UTF-8 is replaced.
///
/// # Safety
/// As `bytes`.
pub unsafe fn text(said: *const c_char, max: usize) -> String {
    // SAFETY: as the caller says.
    unsafe { bytes(said, max) }
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .unwrap_or_default()
}

/// One line of it, so that an error is one line wherever it is told.
///
/// # Safety
/// As `bytes`.
pub unsafe fn line(said: *const c_char) -> String {
    // SAFETY: as the caller says.
    one_line(&unsafe { text(said, WORDS_MAX) })
}

/// Every kind of break and control becomes a blank.
pub fn one_line(text: &str) -> String {
    let blank = |c: char| if c.is_control() { ' ' } else { c };
    text.trim().chars().map(blank).collect()
}

/// A text for a plugin; it ends in front of a NUL.
pub fn for_plugin(text: &str) -> std::ffi::CString {
    let end = text.find('\0').unwrap_or(text.len());
    CStr::from_bytes_until_nul(format!("{}\0", &text[..end]).as_bytes())
        .map(CStr::to_owned)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_ends_at_the_bound_or_the_nul() {
        let long = [b'a'; 100];
        // SAFETY: 100 bytes, of which at most 10 are read; the other texts end in a NUL.
        unsafe {
            assert_eq!(text(long.as_ptr().cast(), 10), "aaaaaaaaaa");
            assert_eq!(text(std::ptr::null(), 10), "");
            assert_eq!(text(c"b\xffc".as_ptr(), 10), "b\u{fffd}c");
            assert_eq!(line(c" one\ntwo\x1b[2J\n".as_ptr()), "one two [2J");
        }
        assert_eq!(for_plugin("a\0b").as_bytes(), b"a");
    }
}
