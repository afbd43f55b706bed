//! Whether a rule can match an event: its guard, over its numbers and the walks over its names.
use probe::sieve::guard::{ALL_MARKS, Text, text};
use probe::sieve::{Verdict, admits, admits_any, facts};

use super::effect;
use super::pass::Sieve;
use super::record::Record;
use super::tables::{Place, State, walk};

const AT_FDCWD: i32 = -100;
/// A name that the driver could not read.
const NO_NAME: &[u8] = b"(NULL)";

/// The walk over an open's path, as far as it was made to judge it.
#[derive(Clone, Copy)]
pub enum Walked {
    Not,
    /// Where it ends; `None`: that is not known.
    To(Option<Place>),
}

impl Sieve {
    /// Whether a rule can match the event.
    #[inline]
    pub fn wanted(&self, record: &Record, table: usize) -> bool {
        self.judged(record, table).0
    }

    /// Whether a rule can match the event; of an open whose path was walked for that, where the
    /// walk ended.
    #[inline]
    pub fn judged(&self, record: &Record, table: usize) -> (bool, Walked) {
        let guard = &self.guards[record.code];
        if guard.verdict != Verdict::Ask as u8 {
            return (guard.verdict != Verdict::Drop as u8, Walked::Not);
        }
        let Some(facts) = facts(guard, record) else { return (true, Walked::Not) };
        if !admits(guard, facts, ALL_MARKS) {
            return (false, Walked::Not);
        }
        if admits_any(guard, facts) || guard.texts[0].kind == text::NONE {
            return (true, Walked::Not);
        }
        let mut walked = Walked::Not;
        for (index, text) in guard.texts.iter().enumerate() {
            let marks = match text.kind {
                text::PATH => {
                    let place = self.joined(record, table, *text);
                    if index == 0 {
                        walked = Walked::To(place);
                    }
                    self.marks(place, record.text(usize::from(text.param)))
                }
                text::DESCRIPTOR => {
                    let number = record.descriptor(usize::from(text.param)).unwrap_or(-1);
                    match self.tables.all[table].state(number) {
                        State::Unknown => ALL_MARKS,
                        State::Absent => 0,
                        State::File | State::Pending => {
                            self.tables.all[table].slots[number as usize].marks
                        }
                    }
                }
                _ => continue,
            };
            if admits(guard, facts, marks) {
                return (true, walked);
            }
        }
        (false, walked)
    }

    /// Where the walk over a path ends, as it is joined with its directory; `None`: not known.
    #[inline]
    pub fn joined(&self, record: &Record, table: usize, text: Text) -> Option<Place> {
        let raw = record.text(usize::from(text.param));
        if raw.is_empty() || raw == NO_NAME {
            return None;
        }
        if raw[0] == b'/' {
            return walk(&self.names, None, raw);
        }
        if self.guards[record.code].effect != effect::OPEN {
            return None;
        }
        let table = &self.tables.all[table];
        let directory = match text.directory {
            text::CWD => AT_FDCWD,
            param => record.descriptor(usize::from(param))?,
        };
        if directory == AT_FDCWD {
            return walk(&self.names, Some(table.cwd?), raw);
        }
        let below = walk(&self.names, Some(table.place(directory)?), b"/");
        walk(&self.names, Some(below?), raw)
    }

    /// The marks of a name, given the walk over its joined text.
    #[inline]
    pub fn marks(&self, joined: Option<Place>, raw: &[u8]) -> u64 {
        let Some(place) = joined else { return ALL_MARKS };
        let found = place.walk.end(&self.names);
        let given = if raw.first() == Some(&b'/') || self.names.raw == 0 {
            found
        } else {
            walk(&self.names, None, raw).map_or(ALL_MARKS, |place| place.walk.end(&self.names))
        };
        if found == ALL_MARKS || given == ALL_MARKS {
            return ALL_MARKS;
        }
        found & self.names.joined | given & self.names.raw
    }
}
