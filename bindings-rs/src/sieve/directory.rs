//! Paths as fields show them, kept as text: what names below a directory go on from, however it was
//! named itself (`..` included), and what an open that is held back is told by.
use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use probe::sieve::Names;

use super::place::{PATH_BYTES, Place, walk};

/// Bytes of all directories' paths together, at the most; others are not known.
const BYTES_MAX: usize = 4 << 20;
/// What one takes besides its text.
const FIXED_BYTES: usize = 80;

/// What directories take now.
pub type Taken = Rc<Cell<usize>>;

/// A directory's path, and the walk over it once it is asked for.
pub struct Directory {
    /// Ends with a slash.
    pub text: Box<[u8]>,
    place: OnceCell<Option<Place>>,
    taken: Taken,
}

impl Directory {
    /// `path`: folded, with or without a slash at its end. `None` where there is no room.
    pub fn new(path: &[u8], taken: &Taken) -> Option<Rc<Directory>> {
        if path.is_empty() || path.len() >= PATH_BYTES {
            return None;
        }
        let mut text = Vec::with_capacity(path.len() + 1);
        text.extend_from_slice(path);
        if text.last() != Some(&b'/') {
            text.push(b'/');
        }
        let bytes = taken.get() + text.len() + FIXED_BYTES;
        if bytes > BYTES_MAX {
            return None;
        }
        taken.set(bytes);
        let place = OnceCell::new();
        Some(Rc::new(Directory { text: text.into(), place, taken: taken.clone() }))
    }

    /// The directory of this path, which `name` below `base` was joined to.
    pub fn below(
        base: Option<&Rc<Directory>>,
        name: &[u8],
        path: &[u8],
        taken: &Taken,
        names: &Names,
    ) -> Option<Rc<Directory>> {
        let made = Directory::new(path, taken)?;
        // The walk goes on where that of the base ended, as long as nothing was folded.
        if let Some(base) = base
            && let Some(Some(place)) = base.place.get()
            && made.text.strip_prefix(&base.text[..]).and_then(|rest| rest.strip_suffix(b"/"))
                == Some(name)
        {
            let _ = made.place.set(walk(names, Some(*place), &made.text[base.text.len()..]));
        }
        Some(made)
    }

    /// Where names below it go on; `None`: that is not known.
    #[inline]
    pub fn place(&self, names: &Names) -> Option<Place> {
        *self.place.get_or_init(|| walk(names, None, &self.text))
    }

    /// Whether a name below it is joined to a whole path that says all.
    pub fn anchors(&self, name: &[u8]) -> bool {
        self.text[0] == b'/' && self.text.len() + name.len() < PATH_BYTES
    }

    /// The same for other rules.
    pub fn again(&self) -> Option<Rc<Directory>> {
        Directory::new(&self.text, &self.taken)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        self.taken.set(self.taken.get() - self.text.len() - FIXED_BYTES);
    }
}

/// Puts the path of a name into `out`, as src/state/tables/paths.ts joins it with a directory that
/// ends with a slash (empty: with none): dots and repeated slashes are taken out.
pub fn join(directory: &[u8], name: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(directory);
    let is_whole = directory.is_empty();
    let mut from = 0;
    while from < name.len() && name[from] != 0 {
        let byte = name[from];
        let byte_at = |at: usize| name.get(at).copied().unwrap_or(0);
        let begins = out.last().is_none_or(|last| *last == b'/');
        if byte == b'.' && begins {
            let (next, after) = (byte_at(from + 1), byte_at(from + 2));
            if next == b'.' && (after == b'/' || after == 0) {
                to_parent(out);
                from += if after == b'/' { 3 } else { 2 };
                continue;
            }
            if next == b'/' || next == 0 {
                from += if next == b'/' { 2 } else { 1 };
                continue;
            }
        } else if byte == b'/' && begins && !(out.is_empty() && is_whole) {
            from += 1;
            continue;
        }
        out.push(byte);
        from += 1;
    }
    if out.len() > 1 && out.last() == Some(&b'/') {
        out.pop();
    }
}

/// Takes the last component out; the slash before it stays.
fn to_parent(out: &mut Vec<u8>) {
    if out.len() <= 1 {
        return;
    }
    out.pop();
    while out.last().is_some_and(|last| *last != b'/') {
        out.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::join;

    fn joined(directory: &str, name: &str) -> String {
        let mut out = Vec::new();
        join(directory.as_bytes(), name.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn names_are_folded_as_fields_show_them() {
        for (directory, name, path) in [
            ("/usr/lib/", "a", "/usr/lib/a"),
            ("/usr/lib/", "..", "/usr"),
            ("/usr/lib/", "../..", "/"),
            ("/usr/lib/", "../../../x", "/x"),
            ("/", "..", "/"),
            ("/usr/", ".", "/usr"),
            ("/usr/", "./a//b/.//c/", "/usr/a/b/c"),
            ("/usr/", "a/../b/..", "/usr"),
            ("/usr/", "..a/.b", "/usr/..a/.b"),
            ("", "/a/./b/../c//", "/a/c"),
            ("", "//", "/"),
            ("", "/..", "/"),
            ("/usr/", "a\0b", "/usr/a"),
        ] {
            assert_eq!(joined(directory, name), path, "{directory} and {name}");
        }
    }
}
