//! Whether a rule can match an event: its guard, over its numbers and the walks over its names.
use std::rc::Rc;

use probe::sieve::Verdict;
use probe::sieve::guard::{ALL_MARKS, CLAUSES, Text, text};
use probe::sieve::names::{IRREGULAR, STATES};

use super::directory::{Directory, join};
use super::pass::Sieve;
use super::place::walk;
use super::record::Record;
use super::tables::State;

const AT_FDCWD: i32 = -100;
/// A name that the driver could not read.
pub const NO_NAME: &[u8] = b"(NULL)";

/// What an open's name starts from.
pub enum Start {
    /// The name is a whole path.
    Whole,
    /// A directory whose path is known.
    Known(Rc<Directory>),
    Unknown,
}

impl Sieve {
    /// Whether a rule can match the event, which is no open.
    #[inline]
    pub fn wanted(&mut self, record: &Record, table: usize) -> bool {
        let guard = &self.guards[record.code];
        let text = guard.texts[0];
        if guard.verdict != Verdict::Ask as u8 || text.kind != text::PATH {
            return self.judged(record, table, None).0;
        }
        let start = self.start(record, table, text);
        self.judged(record, table, Some(&start)).0
    }

    /// Whether a rule can match the event; of an open, which `start` is given of, the marks of its
    /// name, if they were asked for.
    #[inline]
    pub fn judged(
        &self,
        record: &Record,
        table: usize,
        start: Option<&Start>,
    ) -> (bool, Option<u64>) {
        let guard = &self.guards[record.code];
        if guard.verdict != Verdict::Ask as u8 {
            return (guard.verdict != Verdict::Drop as u8, None);
        }
        let used = usize::from(guard.clauses_used).min(CLAUSES);
        let clauses = guard.clauses[..used].iter().zip(&self.threads[record.code]).enumerate();
        // A bit for each clause that is still to be asked.
        let mut left = 0u32;
        for (at, (_, threads)) in clauses.clone() {
            left |= u32::from(threads & record.facts != 0) << at;
        }
        if record.parent_facts != u64::MAX {
            for (at, parents) in self.parents[record.code][..used].iter().enumerate() {
                left &= !(u32::from(parents & record.parent_facts == 0) << at);
            }
        }
        if left == 0 {
            return (false, None);
        }
        let Some(facts) = self.facts(guard, record, table) else { return (true, None) };
        let mut is_plain = false;
        for (at, (clause, _)) in clauses.clone() {
            if !facts.satisfy(clause) {
                left &= !(1 << at);
            } else if left >> at & 1 != 0 {
                is_plain |= clause.marks | clause.without == 0;
            }
        }
        if left == 0 || is_plain || guard.texts[0].kind == text::NONE {
            return (left != 0, None);
        }
        let admits = |marks: u64| {
            let mut named = clauses.clone().filter(|(at, _)| left >> at & 1 != 0);
            marks == ALL_MARKS || named.any(|(_, (clause, _))| clause.takes_marks(marks))
        };
        let mut found = None;
        for (index, text) in guard.texts.iter().enumerate() {
            let marks = match text.kind {
                text::PATH => {
                    let raw = record.text(usize::from(text.param));
                    let marks = match start.filter(|_| index == 0) {
                        Some(start) => self.marks(start, raw),
                        None if raw.first() == Some(&b'/') => self.marks(&Start::Whole, raw),
                        None => ALL_MARKS,
                    };
                    if index == 0 {
                        found = Some(marks);
                    }
                    marks
                }
                text::DESCRIPTOR => {
                    let number = record.descriptor(usize::from(text.param)).unwrap_or(-1);
                    match self.tables.all[table].state(number) {
                        State::Unknown | State::Socket => ALL_MARKS,
                        State::Absent | State::Closed => 0,
                        State::File | State::Pending => {
                            self.tables.all[table].slots[number as usize].marks
                        }
                    }
                }
                _ => continue,
            };
            if admits(marks) {
                return (true, found);
            }
        }
        (false, found)
    }

    /// What the name of an open starts from.
    #[inline]
    pub fn start(&mut self, record: &Record, table: usize, text: Text) -> Start {
        let raw = record.text(usize::from(text.param));
        if raw.is_empty() || raw == NO_NAME {
            return Start::Unknown;
        }
        if raw[0] == b'/' {
            return Start::Whole;
        }
        let directory = match text.directory {
            text::CWD => Some(AT_FDCWD),
            param => record.descriptor(usize::from(param)),
        };
        let known = match directory {
            Some(AT_FDCWD) => self.tables.all[table].cwd.clone(),
            Some(number) => self.path(table, number),
            None => None,
        };
        known.map_or(Start::Unknown, Start::Known)
    }

    /// The path of a descriptor's directory, if it is known.
    pub fn path(&mut self, table: usize, number: i32) -> Option<Rc<Directory>> {
        let at = usize::try_from(number).ok()?;
        let slot = self.tables.all[table].slots.get_mut(at)?;
        match slot.state {
            State::File => slot.path.clone(),
            State::Pending => {
                if slot.path.is_none() {
                    let record = Record::read(&slot.block, &self.counts)?;
                    let text = self.guards[record.code].texts[0];
                    if text.kind != text::PATH {
                        return None;
                    }
                    let raw = record.text(usize::from(text.param));
                    let base = slot.base.as_ref().map(|base| &base.text[..]);
                    if base.is_none() && raw.first() != Some(&b'/') {
                        return None;
                    }
                    join(base.unwrap_or(b""), raw, &mut self.joined);
                    slot.path = Directory::below(
                        slot.base.as_ref(),
                        raw,
                        &self.joined,
                        &self.tables.taken,
                        &self.names,
                    );
                }
                slot.path.clone()
            }
            _ => None,
        }
    }

    /// The marks of a name.
    #[inline]
    pub fn marks(&self, start: &Start, raw: &[u8]) -> u64 {
        let from = match start {
            Start::Whole => None,
            Start::Known(directory) => match directory.place(&self.names) {
                Some(place) => Some(place),
                None => return ALL_MARKS,
            },
            Start::Unknown => return ALL_MARKS,
        };
        let Some(walked) = walk(&self.names, from, raw) else { return ALL_MARKS };
        let mut found = walked.walk.end(&self.names);
        if let (ALL_MARKS, Start::Known(directory)) = (found, start) {
            // Dots and slashes have to be folded.
            let mut folded = Vec::new();
            join(&directory.text, raw, &mut folded);
            match walk(&self.names, None, &folded) {
                Some(whole) if folded.first() == Some(&b'/') => found = whole.walk.end(&self.names),
                _ => return ALL_MARKS,
            }
        }
        if found == ALL_MARKS || self.names.raw == 0 {
            return found;
        }
        // As the caller gave it, it is asked for just so: of a whole path that is the same walk.
        let given = match start {
            Start::Whole => walked,
            _ => match walk(&self.names, None, raw) {
                Some(given) => given,
                None => return ALL_MARKS,
            },
        };
        let ends = self.names.ends[given.walk.state as usize & (STATES - 1)];
        let given = (given.walk.found | ends) & !IRREGULAR;
        found & self.names.joined | given & self.names.raw
    }
}
