//! The tracer's own "kernel memory": objects in the layout of layout.rs, made for one event and
//! forgotten with it. An address says what it is of, so that an object is filled when a filler
//! first reads it, and nothing is asked of /proc that no filler wants.
//!
//!     bits 56..64 TAG, 48..56 kind, 16..48 which of them, 0..16 place in the object
//!
//! (of the two arrays of a table of descriptors: 0..48 the place). No address of a program and none
//! of this process has the tag.
use std::collections::HashMap;

use super::facts::Facts;
use super::proc_text::Known;
use super::sockets::Ends;

const TAG: usize = 0xa5;
/// Objects of one event; a path of 2,000 components and all that the longest event asks for are
/// fewer. What is beyond reads as zeros and counts.
pub const OBJECTS: usize = 16_384;
/// Bytes of all texts of one event.
const TEXT_BYTES: usize = 1 << 20;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    Task = 1,
    Mm,
    Signal,
    Pid,
    PidNamespace,
    Proxy,
    MountNamespace,
    Fs,
    Files,
    Table,
    /// Pointers to open files, by descriptor.
    Descriptors,
    /// A bit for each descriptor that is closed by an execution.
    CloseBits,
    File,
    Dentry,
    Text,
    Mount,
    Inode,
    Super,
    Socket,
    Sock,
    UnixName,
    Inet6,
    Terminal,
    TerminalDriver,
    CssSet,
    Css,
    Subsystem,
    Group,
    Node,
    Cred,
    Groups,
    UserNamespace,
    Program,
    SignalInfo,
}

const KINDS: [Kind; 34] = [
    Kind::Task,
    Kind::Mm,
    Kind::Signal,
    Kind::Pid,
    Kind::PidNamespace,
    Kind::Proxy,
    Kind::MountNamespace,
    Kind::Fs,
    Kind::Files,
    Kind::Table,
    Kind::Descriptors,
    Kind::CloseBits,
    Kind::File,
    Kind::Dentry,
    Kind::Text,
    Kind::Mount,
    Kind::Inode,
    Kind::Super,
    Kind::Socket,
    Kind::Sock,
    Kind::UnixName,
    Kind::Inet6,
    Kind::Terminal,
    Kind::TerminalDriver,
    Kind::CssSet,
    Kind::Css,
    Kind::Subsystem,
    Kind::Group,
    Kind::Node,
    Kind::Cred,
    Kind::Groups,
    Kind::UserNamespace,
    Kind::Program,
    Kind::SignalInfo,
];

pub const fn address(kind: Kind, which: u32) -> usize {
    TAG << 56 | (kind as usize) << 48 | (which as usize) << 16
}

/// What an address is of: kind, which, place. None: it is none of ours.
pub fn parts(at: usize) -> Option<(Kind, u32, usize)> {
    if at >> 56 != TAG {
        return None;
    }
    let kind = *KINDS.get((at >> 48 & 0xff).wrapping_sub(1))?;
    Some(match kind {
        Kind::Descriptors | Kind::CloseBits => (kind, 0, at & 0xffff_ffff_ffff),
        _ => (kind, (at >> 16) as u32, at & 0xffff),
    })
}

/// An object being filled.
#[derive(Default)]
pub struct Object(Vec<u8>);

impl Object {
    /// Writes a number at a place; the object grows to hold it.
    pub fn put<T: Number>(&mut self, at: u32, value: T) -> &mut Self {
        self.put_bytes(at as usize, value.bytes().as_ref())
    }

    pub fn put_bytes(&mut self, at: usize, bytes: &[u8]) -> &mut Self {
        let end = at + bytes.len();
        if self.0.len() < end {
            self.0.resize(end, 0);
        }
        self.0[at..end].copy_from_slice(bytes);
        self
    }
}

pub trait Number {
    type Bytes: AsRef<[u8]>;
    fn bytes(self) -> Self::Bytes;
}
macro_rules! numbers {
    ($($number:ty)*) => { $(
        impl Number for $number {
            type Bytes = [u8; size_of::<$number>()];
            fn bytes(self) -> Self::Bytes {
                self.to_le_bytes()
            }
        }
    )* };
}
numbers! { u8 u16 u32 i32 u64 i64 usize }

/// One entry of the tree of names.
pub struct Entry {
    /// Its own number where it is a top.
    pub parent: u32,
    /// Number of the text, and its bytes without the NUL.
    pub name: u32,
    pub bytes: u32,
    /// The facts of its file; None where nobody asked for them.
    pub facts: Option<u32>,
}

/// All objects of one event.
#[derive(Default)]
pub struct Arena {
    objects: HashMap<usize, Vec<u8>>,
    texts: Vec<Vec<u8>>,
    text_bytes: usize,
    pub entries: Vec<Entry>,
    /// Those that have a parent, by it and their name.
    below: HashMap<(u32, Box<[u8]>), u32>,
    /// Facts of files, named by their place here.
    pub facts: Vec<Facts>,
    /// Of descriptors that were looked at: their facts, None where there is no such descriptor.
    pub open: HashMap<i32, Option<u32>>,
    /// Descriptors of sockets, by the number that stands in their address.
    pub socks: HashMap<u32, i32>,
    pub ends: HashMap<u32, Ends>,
    /// The current task has what /proc says of it.
    pub task_is_whole: bool,
    /// What was read of the event's thread.
    pub known: Known,
    /// Objects that the bounds refused, of all events.
    pub refused: u64,
}

/// The top of all paths: the first entry.
pub const TOP: u32 = 0;

impl Arena {
    /// Forgets the last event.
    pub fn clear(&mut self) {
        self.objects.clear();
        self.texts.clear();
        self.text_bytes = 0;
        self.entries.clear();
        self.below.clear();
        self.facts.clear();
        self.open.clear();
        self.socks.clear();
        self.ends.clear();
        self.task_is_whole = false;
        self.known = Known::default();
        let name = self.text(b"/");
        self.entries.push(Entry { parent: TOP, name, bytes: 1, facts: None });
    }

    pub fn has(&self, kind: Kind, which: u32) -> bool {
        self.objects.contains_key(&address(kind, which))
    }

    pub fn keep(&mut self, kind: Kind, which: u32, object: Object) {
        if self.objects.len() >= OBJECTS {
            self.refused += 1;
            return;
        }
        self.objects.insert(address(kind, which), object.0);
    }

    /// Copies what an object has at a place; zeros behind its end.
    pub fn copy(&self, kind: Kind, which: u32, at: usize, to: &mut [u8]) {
        to.fill(0);
        let bytes = match kind {
            Kind::Text => self.texts.get(which as usize),
            _ => self.objects.get(&address(kind, which)),
        };
        let Some(from) = bytes.and_then(|bytes| bytes.get(at..)) else { return };
        let len = from.len().min(to.len());
        to[..len].copy_from_slice(&from[..len]);
    }

    /// The text at a place, up to its NUL; None where there is none.
    pub fn text_at(&self, which: u32, at: usize) -> Option<&[u8]> {
        let from = self.texts.get(which as usize)?.get(at..)?;
        let end = from.iter().position(|&byte| byte == 0).unwrap_or(from.len());
        Some(&from[..end])
    }

    /// Keeps a text; its number.
    pub fn text(&mut self, text: &[u8]) -> u32 {
        if self.text_bytes + text.len() > TEXT_BYTES || text.len() > 0xfff0 {
            self.refused += 1;
            return u32::MAX;
        }
        self.text_bytes += text.len();
        let mut kept = text.to_vec();
        kept.push(0);
        self.texts.push(kept);
        self.texts.len() as u32 - 1
    }

    /// The entry of a name below another one; the same one for the same name.
    pub fn entry(&mut self, parent: u32, name: &[u8]) -> u32 {
        let key: (u32, Box<[u8]>) = (parent, name.into());
        if let Some(known) = self.below.get(&key) {
            return *known;
        }
        let own = self.add(Some(parent), name);
        self.below.insert(key, own);
        own
    }

    /// A file that lives in no directory, such as "memfd:name".
    pub fn alone(&mut self, name: &[u8]) -> u32 {
        self.add(None, name)
    }

    fn add(&mut self, parent: Option<u32>, name: &[u8]) -> u32 {
        if self.entries.len() >= OBJECTS {
            self.refused += 1;
            return TOP;
        }
        let own = self.entries.len() as u32;
        let text = self.text(name);
        let parent = parent.unwrap_or(own);
        self.entries.push(Entry { parent, name: text, bytes: name.len() as u32, facts: None });
        own
    }

    /// The entry that a path from the top leads to.
    pub fn path(&mut self, path: &[u8]) -> u32 {
        path.split(|&byte| byte == b'/')
            .filter(|name| !name.is_empty())
            .fold(TOP, |parent, name| self.entry(parent, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_tells_what_it_is_of() {
        let at = address(Kind::SignalInfo, 0xffff_fff0) + 0x123;
        assert_eq!(parts(at), Some((Kind::SignalInfo, 0xffff_fff0, 0x123)));
        let at = address(Kind::Descriptors, 0) + 8 * 1_000_000;
        assert_eq!(parts(at), Some((Kind::Descriptors, 0, 8_000_000)));
        assert_eq!(parts(0x7fff_ffff_f000), None);
        assert!(KINDS.iter().enumerate().all(|(at, kind)| *kind as usize == at + 1));
    }

    #[test]
    fn one_name_has_one_entry_and_the_bounds_count() {
        let mut arena = Arena::default();
        arena.clear();
        assert_eq!(arena.path(b"/"), TOP);
        assert_eq!(arena.path(b"/etc/passwd"), arena.path(b"/etc//passwd"));
        assert_ne!(arena.path(b"/etc/pass"), arena.path(b"/etc/passwd"));
        for at in 0..2 * OBJECTS as u32 {
            arena.keep(Kind::Pid, at, Object::default());
        }
        assert_eq!(arena.refused, OBJECTS as u64);
    }
}
