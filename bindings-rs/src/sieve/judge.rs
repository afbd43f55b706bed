//! Whether a rule can match an event: its guard, over its numbers and the walks over its names.
use std::rc::Rc;

use probe::sieve::guard::{ALL_MARKS, Text, text};
use probe::sieve::names::{IRREGULAR, STATES};
use probe::sieve::{Names, Verdict, Walk};

use super::directory::{Directory, join};
use super::pass::Sieve;
use super::place::{PATH_BYTES, Place, walk, walk_all};
use super::plan::{Left, Plan};
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

/// What numbers say of an event.
pub enum Fate {
    /// Whether a rule can match it.
    Decided(bool),
    /// These clauses ask for its names.
    Asked(Left),
}

impl Sieve {
    /// Whether a rule can match the event.
    #[inline]
    pub fn wanted(&mut self, record: &Record, table: usize) -> bool {
        let left = match self.numbers_say(record, table) {
            Fate::Decided(wanted) => return wanted,
            Fate::Asked(left) => left,
        };
        let text = self.guards[record.code].texts[0];
        if text.kind != text::PATH {
            return self.names_say(&left, record, table, None).0;
        }
        let start = self.start(record, table, text);
        self.names_say(&left, record, table, Some(&start)).0
    }

    /// What an event's numbers and its thread decide.
    #[inline]
    pub fn numbers_say(&self, record: &Record, table: usize) -> Fate {
        let guard = &self.guards[record.code];
        let Some(plan) = &self.plans[record.code] else {
            return Fate::Decided(guard.verdict != Verdict::Drop as u8);
        };
        let left = if plan.is_simple && record.parent_facts == u64::MAX {
            match plan.facts(record) {
                Some(facts) => plan.left(facts, record.facts),
                None => return Fate::Decided(plan.may_be(record.facts, u64::MAX) != 0),
            }
        } else {
            match self.left_of(plan, record, table) {
                Some(left) => left,
                None => return Fate::Decided(true),
            }
        };
        if left.clauses == 0 || left.is_plain || guard.texts[0].kind == text::NONE {
            return Fate::Decided(left.clauses != 0);
        }
        Fate::Asked(left)
    }

    /// Whether a rule can match an event by its names, and the marks of the first, if it is a path;
    /// `start`: what that starts from.
    #[inline]
    pub fn names_say(
        &self,
        left: &Left,
        record: &Record,
        table: usize,
        start: Option<&Start>,
    ) -> (bool, Option<u64>) {
        let [first, second] = self.guards[record.code].texts;
        let Some(plan) = &self.plans[record.code] else { return (true, None) };
        let (marks, found) = match start {
            Some(start) if first.kind == text::PATH => {
                let marks = self.marks(start, record.text(usize::from(first.param)));
                (marks, Some(marks))
            }
            _ => (self.marks_of(first, record, table), None),
        };
        if plan.takes(left, marks) {
            return (true, found);
        }
        let takes =
            second.kind != text::NONE && plan.takes(left, self.marks_of(second, record, table));
        (takes, found)
    }

    /// What is left of the clauses of an event that is asked for its parent, or its socket's ends;
    /// `None`: the event is kept.
    #[inline(never)]
    fn left_of(&self, plan: &Plan, record: &Record, table: usize) -> Option<Left> {
        let may_be = plan.may_be(record.facts, record.parent_facts);
        if may_be == 0 {
            return Some(Left::default());
        }
        let facts = self.facts(&self.guards[record.code], record, table)?;
        Some(plan.left_where(may_be, |clause| facts.satisfy(clause)))
    }

    /// The marks of a text of which is known what the event itself says.
    #[inline(never)]
    fn marks_of(&self, text: Text, record: &Record, table: usize) -> u64 {
        let param = usize::from(text.param);
        if text.kind == text::PATH {
            let raw = record.text(param);
            let is_whole = raw.first() == Some(&b'/');
            return if is_whole { self.marks(&Start::Whole, raw) } else { ALL_MARKS };
        }
        let number = record.descriptor(param).unwrap_or(-1);
        match self.tables.all[table].state(number) {
            State::Unknown | State::Socket => ALL_MARKS,
            State::Absent | State::Closed => 0,
            State::File | State::Pending => self.tables.all[table].slots[number as usize].marks,
        }
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
        let names = &self.names;
        match start {
            Start::Whole => {
                let Some(Place { walk, .. }) = walk(names, None, raw) else { return ALL_MARKS };
                // As the caller gave it, it is asked for just so, by the same walk.
                given_too(names, walk.end(names), &walk)
            }
            Start::Known(directory) => self.marks_below(directory, raw),
            Start::Unknown => ALL_MARKS,
        }
    }

    /// The same of a name below a directory.
    fn marks_below(&self, directory: &Directory, raw: &[u8]) -> u64 {
        let names = &self.names;
        let Some(Place { walk: from, length }) = directory.place(names) else { return ALL_MARKS };
        if length + raw.len() >= PATH_BYTES {
            return ALL_MARKS;
        }
        // As the caller gave it, the name is walked where that is asked for.
        let walked = if names.raw == 0 {
            walk_all(names, [from], raw).map(|[joined]| [joined, joined])
        } else {
            walk_all(names, [from, Walk::begin(names)], raw)
        };
        let Some([joined, given]) = walked else { return ALL_MARKS };
        let mut found = joined.end(names);
        if found == ALL_MARKS {
            // Dots and slashes have to be folded.
            let mut folded = Vec::new();
            join(&directory.text, raw, &mut folded);
            match walk(names, None, &folded) {
                Some(whole) if folded.first() == Some(&b'/') => found = whole.walk.end(names),
                _ => return ALL_MARKS,
            }
        }
        given_too(names, found, &given)
    }
}

/// What is found of a path, and of its name as the caller gave it, each as far as it is asked.
#[inline]
fn given_too(names: &Names, found: u64, given: &Walk) -> u64 {
    if found == ALL_MARKS || names.raw == 0 {
        return found;
    }
    let ends = names.ends[given.state as usize & (STATES - 1)];
    let given = (given.found | ends) & !IRREGULAR;
    found & names.joined | given & names.raw
}
