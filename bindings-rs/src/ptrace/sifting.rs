//! The sieve over the tracer's events: the same guards and the same automaton as before the probe's
//! rings (ebpf-rs/src/sieve.rs and opens.rs, whose words hold here too). In: an event with its
//! parameters, later with its paths. Out: whether it goes on.
use probe::event::{Event, HEADER_BYTES, OWN_PARAMS};
use probe::file::{S_IFMT, S_IFREG};
use probe::files::INODE;
use probe::kernel::Kernel as _;
use probe::lane::CRITICAL;
use probe::offset;
use probe::open::OPENED_FILE;
use probe::scratch::{EVENT_AT, EVENT_MASK, STRING_BYTES};
use probe::sieve::guard::{ALL_MARKS, Guard, Params, admits_any, admits_either, facts, text};
use probe::sieve::guard::{admits, number_of};
use probe::sieve::names::{IRREGULAR, STRIDE};
use probe::sieve::table::parts;
use probe::sieve::{Names, Verdict, Walk};
use probe::table::{self, PARAM_COUNTS};

use super::kernel::Tracee;
use crate::sift::guard_of;

const CODES: usize = PARAM_COUNTS.len();
/// What moving data does to the tables (src/sieve/state_effects.ts).
const TRANSFER: u8 = 5;
/// Files of which an open was kept, by a hash of their inodes: it only fills up.
const PLACES: usize = 1 << 21;
const GOLDEN_RATIO: u64 = 0x61c8_8646_80b5_83eb;
const DROP: u8 = Verdict::Drop as u8;
const ASK: u8 = Verdict::Ask as u8;

pub struct Sieve {
    /// None: everything is kept.
    asked: Option<(Vec<Guard>, Box<Names>)>,
    seen: Vec<u8>,
    pub dropped: Vec<u64>,
}

/// What is to be done with a finished event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    Kept,
    Dropped,
    /// The name of its descriptor's file decides.
    ByName,
}

impl Default for Sieve {
    fn default() -> Self {
        Self { asked: None, seen: vec![0; PLACES / 8], dropped: vec![0; CODES] }
    }
}

struct Written<'e, 'k>(&'e Event<'k, Tracee>);

/// Where a parameter begins, and its bytes.
#[expect(
    clippy::cast_ptr_alignment,
    reason = "the block is of words, lengths are read as they lie"
)]
fn place(e: &Event<Tracee>, param: u8) -> (usize, usize) {
    let param = (param & 31) as usize;
    // SAFETY: the State and the lengths lie in the block.
    unsafe {
        let state = e.base().cast::<probe::scratch::State>();
        let at = usize::from((*state).starts[param]) & EVENT_MASK;
        let lengths = e.base().add(EVENT_AT + HEADER_BYTES).cast::<u16>();
        (at, lengths.add(param).read_unaligned() as usize)
    }
}

impl Params for Written<'_, '_> {
    fn number(&self, param: u8, form: u8) -> Option<(i64, bool)> {
        let (at, length) = place(self.0, param);
        // SAFETY: masked, and more than eight bytes lie behind.
        number_of(length, form, || unsafe {
            self.0.base().add(EVENT_AT + at).cast::<u64>().read_unaligned()
        })
    }
}

/// A text of the event, without its NUL.
fn text_at<'a>(e: &Event<Tracee>, at: usize, bytes: usize) -> &'a [u8] {
    // SAFETY: masked; a parameter has at most 4 KiB, which lie in the block and are not changed
    // while it is looked at.
    unsafe { std::slice::from_raw_parts(e.base().add(EVENT_AT + at), bytes.min(4096)) }
}

fn marks(names: &Names, text: &[u8]) -> u64 {
    let mut walk = Walk::begin(names);
    for piece in text.chunks(STRIDE) {
        let mut bytes = [0u8; STRIDE];
        bytes[..piece.len()].copy_from_slice(piece);
        walk.last_stride(names, u64::from_le_bytes(bytes), piece.len());
    }
    walk.end(names)
}

pub fn is_open(code: u16) -> bool {
    matches!(
        code,
        table::SYSCALL_OPEN_X
            | table::SYSCALL_OPENAT_2_X
            | table::SYSCALL_OPENAT2_X
            | table::SYSCALL_CREAT_X
    )
}

impl Sieve {
    /// Exchanges the table; an empty one lets everything through.
    pub fn exchange(&mut self, bytes: &[u8], keeps_opens: bool) -> Result<(), &'static str> {
        self.asked = None;
        if bytes.is_empty() {
            return Ok(());
        }
        let table = parts(bytes)?;
        // SAFETY: all bytes of a Names may be zero.
        let mut names = unsafe { Box::<Names>::new_zeroed().assume_init() };
        table.fill(&mut names);
        let guards = (0..CODES).map(|code| guard_of(&table, code, keeps_opens)).collect();
        self.asked = Some((guards, names));
        Ok(())
    }

    fn guard(&self, code: u16) -> Option<(&Guard, &Names)> {
        let (guards, names) = self.asked.as_ref()?;
        Some((guards.get(code as usize)?, names))
    }

    pub fn count(&mut self, code: u16) {
        if let Some(count) = self.dropped.get_mut(code as usize) {
            *count += 1;
        }
    }

    /// Whether the code alone says that nobody can use it.
    pub fn drops_all(&self, code: u16) -> bool {
        self.guard(code).is_some_and(|(guard, _)| guard.verdict == DROP)
    }

    /// Whether numbers say, before any path is told, that an event that is no open is of no use.
    pub fn drops_by_numbers(&self, e: &mut Event<Tracee>) -> bool {
        let code = e.state().code;
        let Some((guard, _)) = self.guard(code) else { return false };
        if is_open(code) || guard.verdict != ASK {
            return false;
        }
        self.by_numbers(e) == Fate::Dropped
    }

    fn by_numbers(&self, e: &mut Event<Tracee>) -> Fate {
        let Some((guard, _)) = self.guard(e.state().code) else { return Fate::Kept };
        let Some(facts) = facts(guard, &Written(e)) else { return Fate::Kept };
        if admits_any(guard, facts) {
            // What a rule can match is what must not be lost.
            e.state().lane = CRITICAL;
            return Fate::Kept;
        }
        let may = guard.texts[0].kind != text::NONE && admits(guard, facts, ALL_MARKS);
        let by_descriptor =
            guard.texts[0].kind == text::DESCRIPTOR && guard.texts[1].kind == text::NONE;
        match (may, by_descriptor) {
            (true, true) => Fate::ByName,
            (true, false) => Fate::Kept,
            (false, _) if guard.effect == TRANSFER => Fate::ByName,
            (false, _) => Fate::Dropped,
        }
    }

    /// What is to be done with an event whose parameters and paths are written.
    pub fn fate(&mut self, e: &mut Event<Tracee>) -> Fate {
        let code = e.state().code;
        let Some((guard, _)) = self.guard(code) else { return Fate::Kept };
        match guard.verdict {
            DROP => Fate::Dropped,
            ASK if is_open(code) => {
                if self.open_is_of_use(e) {
                    self.note_kept(e);
                    Fate::Kept
                } else {
                    Fate::Dropped
                }
            }
            ASK => self.by_numbers(e),
            _ => {
                if is_open(code) {
                    self.note_kept(e);
                }
                Fate::Kept
            }
        }
    }

    fn seen(inode: u64) -> (usize, u8) {
        let at = (inode.wrapping_mul(GOLDEN_RATIO) >> 43) as usize & (PLACES - 1);
        (at / 8, 1 << (at % 8))
    }

    fn is_seen(&self, inode: u64) -> bool {
        let (byte, bit) = Self::seen(inode);
        self.seen[byte] & bit != 0
    }

    fn note_kept(&mut self, e: &mut Event<Tracee>) {
        if e.state().opened == OPENED_FILE {
            let (byte, bit) = Self::seen(e.state().inode);
            self.seen[byte] |= bit;
        }
    }

    /// Whether an event that uses a descriptor may be of use by the name of its file, whose path is
    /// our first parameter.
    pub fn keeps_used(&self, e: &mut Event<Tracee>) -> bool {
        let Some((guard, names)) = self.guard(e.state().code) else { return true };
        if e.state().truncated != 0 || e.state().further != 0 {
            return true;
        }
        let mode: u16 = e.copied(INODE, offset!(e.k, inode_mode));
        if mode & S_IFMT != S_IFREG {
            return true;
        }
        let Some(facts) = facts(guard, &Written(e)) else { return true };
        if !admits(guard, facts, ALL_MARKS) {
            return false;
        }
        if self.is_seen(e.copied(INODE, offset!(e.k, inode_ino))) {
            return true;
        }
        let (at, length) = own_path(e);
        if length < 2 {
            return true;
        }
        let found = marks(names, text_at(e, at, length - 1));
        found & IRREGULAR != 0 || admits(guard, facts, found & names.joined | names.raw)
    }

    fn open_is_of_use(&self, e: &mut Event<Tracee>) -> bool {
        let Some((guard, names)) = self.guard(e.state().code) else { return true };
        let (ret, own) = (e.state().ret, e.state().own);
        let (opened, inode) = (e.state().opened, e.state().inode);
        let odd = e.state().truncated != 0 || e.state().further != 0;
        let Some(facts) = facts(guard, &Written(e)) else { return true };
        if guard.texts[0].kind != text::PATH || odd {
            return true;
        }
        let (at, length) = place(e, guard.texts[0].param);
        if length < 2 || length >= STRING_BYTES as usize {
            return true;
        }
        let failed = ret < 0;
        let caller = text_at(e, at, length - 1);
        let is_whole = caller.starts_with(b"/");
        let (at, length) = own_path(e);
        if !failed && (own == 0 || length < 2) {
            return true;
        }
        let kernel = text_at(e, at, length.saturating_sub(1));
        let is_same = failed || is_whole && kernel == caller;
        // Of a relative name that led nowhere, the directory is not known here.
        let is_known = is_whole || !failed;
        let of_caller = if is_known { marks(names, caller) } else { ALL_MARKS };
        let of_kernel = if is_same { of_caller } else { marks(names, kernel) };
        if is_known && (of_caller | of_kernel) & IRREGULAR != 0 {
            return true;
        }
        let raw = of_caller & names.raw;
        let first = if is_known { of_kernel & names.joined | raw } else { ALL_MARKS };
        let second = if is_whole { of_caller & names.joined | raw } else { first };
        if admits_either(guard, facts, first, second) {
            if is_known {
                e.state().lane = CRITICAL;
            }
            return true;
        }
        let is_stream = (0..=2).contains(&ret);
        !failed && (!is_same || is_stream || opened != OPENED_FILE || self.is_seen(inode))
    }
}

/// Our first path.
fn own_path(e: &mut Event<Tracee>) -> (usize, usize) {
    let code = e.state().code as usize;
    let count = PARAM_COUNTS[code] as usize;
    debug_assert!(count + OWN_PARAMS <= 32);
    place(e, count as u8)
}
