//! Where the running kernel keeps things: reads its BTF and answers the names of
//! `probe::offsets::NAMES` with byte offsets, sizes and enumerators.
//!
//! BTF is a table of types in one file: a header, the types back to back, the strings. Type ids
//! count from 1. Only what the names need is kept: structs, unions, enums, and what lies between
//! a member and its struct (typedefs, qualifiers, arrays).
use std::collections::HashMap;

use probe::offsets::{ABSENT, NAMES};

const KIND_ARRAY: u32 = 3;
const KIND_STRUCT: u32 = 4;
const KIND_UNION: u32 = 5;
const KIND_ENUM: u32 = 6;
const KIND_ENUM64: u32 = 19;
/// Bytes behind the twelve of every type, by kind; None where they depend on the count.
const fn fixed_tail(kind: u32) -> Option<usize> {
    match kind {
        1 | 14 | 17 => Some(4),
        KIND_ARRAY => Some(12),
        2 | 7..=12 | 16 | 18 => Some(0),
        _ => None,
    }
}

/// The types of one kernel.
pub struct Kernel<'a> {
    types: &'a [u8],
    strings: &'a [u8],
    /// Where each type starts, by its id; 0 is void.
    starts: Vec<u32>,
    /// Ids of the structs (and enums) that names ask for.
    named: HashMap<&'a str, Vec<u32>>,
}

/// What is wrong with the BTF, or missing in it.
#[derive(Debug, PartialEq, Eq)]
pub enum Wrong {
    Format,
    Missing(String),
}

impl<'a> Kernel<'a> {
    /// Reads the types once; needs no more than a few milliseconds for a whole kernel.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Wrong> {
        if bytes.get(..2) != Some(&[0x9f, 0xeb]) {
            return Err(Wrong::Format);
        }
        let head = number(bytes, 4)? as usize;
        let part = |offset_at: usize, len_at: usize| {
            let from = head + number(bytes, offset_at)? as usize;
            let len = number(bytes, len_at)? as usize;
            bytes.get(from..from + len).ok_or(Wrong::Format)
        };
        let (types, strings) = (part(8, 12)?, part(16, 20)?);
        let mut kernel = Self { types, strings, starts: vec![0], named: HashMap::new() };
        let mut at = 0;
        while at + 12 <= types.len() {
            let info = number(types, at + 4)?;
            let (kind, count) = (info >> 24 & 0x1f, (info & 0xffff) as usize);
            let id = kernel.starts.len() as u32;
            kernel.starts.push(at as u32);
            if matches!(kind, KIND_STRUCT | KIND_UNION | KIND_ENUM | KIND_ENUM64) {
                kernel.named.entry(kernel.text(number(types, at)?)).or_default().push(id);
            }
            let tail = match (fixed_tail(kind), kind) {
                (Some(tail), _) => tail,
                (_, KIND_STRUCT | KIND_UNION | 15 | KIND_ENUM64) => 12 * count,
                (_, KIND_ENUM | 13) => 8 * count,
                _ => return Err(Wrong::Format),
            };
            at += 12 + tail;
        }
        Ok(kernel)
    }

    fn text(&self, at: u32) -> &'a str {
        let rest = self.strings.get(at as usize..).unwrap_or_default();
        let end = rest.iter().position(|&byte| byte == 0).unwrap_or(0);
        std::str::from_utf8(&rest[..end]).unwrap_or_default()
    }

    fn word(&self, id: u32, word: usize) -> u32 {
        self.starts
            .get(id as usize)
            .map_or(0, |&at| number(self.types, at as usize + 4 * word).unwrap_or(0))
    }

    fn kind(&self, id: u32) -> u32 {
        self.word(id, 1) >> 24 & 0x1f
    }

    fn count(&self, id: u32) -> usize {
        (self.word(id, 1) & 0xffff) as usize
    }

    /// The struct or union behind typedefs, qualifiers and arrays; None where there is none.
    fn body(&self, mut id: u32) -> Option<u32> {
        for _ in 0..16 {
            match self.kind(id) {
                KIND_STRUCT | KIND_UNION => return Some(id),
                KIND_ARRAY => id = self.word(id, 3),
                // Typedef, volatile, const, restrict, type tag. Not pointers: those are left.
                8..=11 | 18 => id = self.word(id, 2),
                _ => return None,
            }
        }
        None
    }

    /// Type and offset in bits of a member, also of one inside anonymous members.
    fn member(&self, id: u32, name: &str) -> Option<(u32, u32)> {
        let bitfields = self.word(id, 1) >> 31 != 0;
        for index in 0..self.count(id) {
            let at = 3 + 3 * index;
            let (text, kind, place) =
                (self.text(self.word(id, at)), self.word(id, at + 1), self.word(id, at + 2));
            let bits = if bitfields { place & 0x00ff_ffff } else { place };
            if text == name {
                return Some((kind, bits));
            }
            if text.is_empty()
                && let Some(body) = self.body(kind)
                && let Some((kind, inner)) = self.member(body, name)
            {
                return Some((kind, bits + inner));
            }
        }
        None
    }

    /// Offset in bits of `type.member.member`.
    fn path(&self, path: &str) -> Option<u32> {
        let mut parts = path.split('.');
        let ids = self.named.get(parts.next()?)?;
        let parts: Vec<&str> = parts.collect();
        // A name may stand for several types; the one that has the members is meant.
        ids.iter().find_map(|&id| {
            let (mut id, mut bits) = (id, 0);
            for part in &parts {
                let (kind, offset) = self.member(self.body(id)?, part)?;
                (id, bits) = (kind, bits + offset);
            }
            Some(bits)
        })
    }

    /// Value of an enumerator; an empty type name means an enumeration without a name.
    fn enumerator(&self, name: &str) -> Option<u32> {
        let (kind, value) = name.split_once('.')?;
        self.named.get(kind)?.iter().find_map(|&id| {
            let width = match self.kind(id) {
                KIND_ENUM => 2,
                KIND_ENUM64 => 3,
                _ => return None,
            };
            (0..self.count(id)).map(|index| 3 + width * index).find_map(|at| {
                (self.text(self.word(id, at)) == value).then(|| self.word(id, at + 1))
            })
        })
    }

    fn one(&self, name: &str) -> Option<u32> {
        if let Some(name) = name.strip_prefix("sizeof ") {
            let id = *self.named.get(name)?.first()?;
            return Some(self.word(id, 2));
        }
        if let Some(name) = name.strip_prefix("enum ") {
            return self.enumerator(name);
        }
        if let Some(name) = name.strip_prefix("bit ") {
            return self.path(name);
        }
        self.path(name).map(|bits| bits / 8)
    }

    /// The value of one of `NAMES`.
    pub fn resolve(&self, name: &str) -> Result<u32, Wrong> {
        let (optional, names) = name.strip_prefix('?').map_or((false, name), |names| (true, names));
        match names.split('|').find_map(|name| self.one(name)) {
            Some(value) => Ok(value),
            None if optional => Ok(ABSENT),
            None => Err(Wrong::Missing(names.to_owned())),
        }
    }

    /// The bytes of `probe::offsets::Offsets` for this kernel.
    pub fn offsets(&self) -> Result<Vec<u8>, Wrong> {
        let mut bytes = Vec::with_capacity(4 * NAMES.len());
        for name in NAMES {
            bytes.extend_from_slice(&self.resolve(name)?.to_le_bytes());
        }
        // The path walk reads a dentry's parent and name at once.
        let parent = self.path("dentry.d_parent");
        let name = self.path("dentry.d_name").or_else(|| self.path("dentry.__d_name"));
        if parent.map(|bits| bits + 64) != name {
            return Err(Wrong::Missing("dentry.d_name behind dentry.d_parent".to_owned()));
        }
        Ok(bytes)
    }
}

fn number(bytes: &[u8], at: usize) -> Result<u32, Wrong> {
    let four = bytes.get(at..at + 4).ok_or(Wrong::Format)?;
    Ok(u32::from_le_bytes(four.try_into().map_err(|_| Wrong::Format)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// BTF of: struct inner { int a; union { int b; long c; }; }; struct outer { long x; struct
    /// inner i; }; enum { TWO = 2 };
    #[expect(clippy::many_single_char_names, reason = "members of the types above")]
    fn small() -> Vec<u8> {
        let mut strings = vec![0u8];
        let mut text = |name: &str| {
            let at = strings.len() as u32;
            strings.extend_from_slice(name.as_bytes());
            strings.push(0);
            at
        };
        let (int, inner, outer) = (text("int"), text("inner"), text("outer"));
        let (a, b, c, x, i, two) =
            (text("a"), text("b"), text("c"), text("x"), text("i"), text("TWO"));
        let words: Vec<u32> = [
            vec![int, 1 << 24, 4, 32],
            vec![0, 5 << 24 | 2, 8, b, 1, 0, c, 1, 0],
            vec![inner, 4 << 24 | 2, 16, a, 1, 0, 0, 2, 64],
            vec![outer, 4 << 24 | 2, 24, x, 1, 0, i, 3, 64],
            vec![0, 6 << 24 | 1, 4, two, 2],
        ]
        .concat();
        let types: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let mut bytes = vec![0x9f, 0xeb, 1, 0];
        for word in [24, 0, types.len() as u32, types.len() as u32, strings.len() as u32] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        bytes.extend(types);
        bytes.extend(strings);
        bytes
    }

    #[test]
    fn members_inside_anonymous_unions_are_found() {
        let bytes = small();
        let kernel = Kernel::parse(&bytes).unwrap();
        assert_eq!(kernel.resolve("outer.i.c"), Ok(16));
        assert_eq!(kernel.resolve("inner.a"), Ok(0));
        assert_eq!(kernel.resolve("sizeof outer"), Ok(24));
        assert_eq!(kernel.resolve("bit inner.b"), Ok(64));
        assert_eq!(kernel.resolve("enum .TWO"), Ok(2));
    }

    #[test]
    fn a_renamed_member_is_found_by_its_second_name() {
        let bytes = small();
        let kernel = Kernel::parse(&bytes).unwrap();
        assert_eq!(kernel.resolve("inner.old|inner.b"), Ok(8));
    }

    #[test]
    fn a_missing_member_is_an_error_unless_it_may_be_missing() {
        let bytes = small();
        let kernel = Kernel::parse(&bytes).unwrap();
        assert_eq!(kernel.resolve("?inner.z"), Ok(ABSENT));
        assert_eq!(kernel.resolve("inner.z"), Err(Wrong::Missing("inner.z".to_owned())));
    }

    #[test]
    fn cut_or_foreign_bytes_are_refused() {
        let bytes = small();
        assert_eq!(Kernel::parse(&bytes[..20]).err(), Some(Wrong::Format));
        assert_eq!(Kernel::parse(b"elf").err(), Some(Wrong::Format));
    }

    #[test]
    fn the_running_kernel_has_every_name() {
        // A machine whose kernel carries no types can build, but not watch.
        let Ok(bytes) = std::fs::read("/sys/kernel/btf/vmlinux") else { return };
        let kernel = Kernel::parse(&bytes).unwrap();
        let offsets = kernel.offsets().unwrap();
        assert_eq!(offsets.len(), 4 * NAMES.len());
        assert_eq!(kernel.resolve("list_head.prev"), Ok(8));
    }
}
