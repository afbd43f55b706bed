//! The decision on each event of a capture: handed to the engine, passed over, or held back.
//!
//! An open that no rule can want is held back, not forgotten: once an event that the engine gets
//! names its descriptor, or changes what its path started from, the open is handed over first, as
//! an event that only keeps the tables right. So the engine's tables are what they would be.
use probe::sieve::effect;
use probe::sieve::guard::ALL_MARKS;
use probe::sieve::{Guard, Names};
use probe::table as t;

use super::ends::EndSets;
use super::executions::Executions;
use super::family::created;
use super::life::{Lives, Programs, Question};
pub use super::out::{Done, NoRoom};
use super::out::{Out, TIME_ONLY};
use super::plan::Plan;
use super::record::{F_DUPFD, F_DUPFD_CLOEXEC, Record, word};
use super::tables::{State, Tables};
use super::usual::Usual;

/// Why a pass over a buffer ended.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Stop {
    /// All blocks were looked at.
    End = 0,
    /// The list or the room for copies is full: once it is taken, the pass goes on.
    Full = 1,
    /// The engine has to say whose table a thread has.
    Ask = 2,
}

/// What rules and outputs want to know of descriptors.
pub struct Asked {
    /// Their names, by other events than those that open.
    pub descriptors: bool,
    /// Their names as the caller gave them.
    pub raw: bool,
    /// All: none is held back.
    pub all: bool,
}

#[allow(clippy::struct_excessive_bools, reason = "each is a fact by itself")]
pub struct Sieve {
    pub names: Box<Names>,
    pub guards: Vec<Guard>,
    pub usual: Usual,
    /// By code; `None` where the guard decides by itself.
    pub plans: Vec<Option<Plan>>,
    /// Parameters of events by code.
    pub counts: Vec<u8>,
    /// For each code, a bit for each parameter that holds a descriptor; bit 31: a list of them.
    pub descriptors: Vec<u32>,
    pub asked: Asked,
    /// For each code, the parameter with the descriptor that it uses; -1: none.
    pub uses: Vec<i8>,
    pub tables: Tables,
    pub pending: usize,
    /// A thread ended with the last event that the engine got: it is gone when the next one comes.
    pub tells_time: bool,
    /// Processes that the engine was not told of, and whether any may be held back.
    pub lives: Lives,
    pub holds_lives: bool,
    /// For each code, a bit for each parameter that is the id of a thread.
    pub pids: Vec<u32>,
    /// For each code, of which threads events are whose rules look at other threads.
    pub lookers: Vec<u64>,
    /// Addresses and ports that rules ask for.
    pub ends: EndSets,
    /// What programs are, and what holds of who runs them.
    pub programs: Programs,
    /// What the engine said of executions.
    pub executions: Executions,
    /// What the engine is asked, and what it said of the event's program: what holds of its thread
    /// from then on, and for the rules of the event itself.
    pub question: Question,
    pub answered: Option<(u64, u64)>,
    /// The engine got the first event.
    pub began: bool,
    /// Nothing that rules ask or show is about descriptors: the engine needs no table of them.
    pub ignores_descriptors: bool,
    /// An old capture tells of connects as they begin: each belongs to the next that ends.
    pub sees_entries: bool,
    /// A path, and blocks on their way to the engine: their memory is used again.
    pub joined: Vec<u8>,
    pub told: Vec<u8>,
    /// A thread that the engine does not know.
    pub stranger: Option<i64>,
    /// It does, but fields look at the descriptors of its process, which are others.
    pub is_apart: bool,
    /// Events passed over, by code.
    pub passed: Vec<u64>,
}

/// Whether it is looked at all descriptors of the process to say who is the client of a socket.
fn compares(code: u16) -> bool {
    matches!(
        code,
        t::SOCKET_SEND_X
            | t::SOCKET_SENDTO_X
            | t::SOCKET_SENDMSG_X
            | t::SOCKET_SENDMMSG_X
            | t::SOCKET_RECV_X
            | t::SOCKET_RECVFROM_X
            | t::SOCKET_RECVMSG_X
            | t::SOCKET_RECVMMSG_X
    )
}

impl Sieve {
    /// Goes over the blocks from `at` on; `room` lies behind them. Returns how far it came.
    pub fn pass(
        &mut self,
        blocks: &[u8],
        mut at: usize,
        room: &mut [u8],
        out: &mut Out,
    ) -> (usize, Stop) {
        if self.tables.is_overfull() || self.asked.all {
            if self.flush_all(room, out).is_err() {
                return (at, Stop::Full);
            }
            if self.tables.is_overfull() {
                if self.reveal_all(room, out).is_err() {
                    return (at, Stop::Full);
                }
                self.tables.forget_all();
            }
        }
        let holds = self.holds_lives && self.lives.knows_all();
        if !holds && self.reveal_all(room, out).is_err() {
            return (at, Stop::Full);
        }
        let mut record = Record::nothing();
        while at < blocks.len() {
            if !out.has_room(1) {
                return (at, Stop::Full);
            }
            let (next, passed) = self.pass_usual(blocks, at);
            out.passed += passed;
            if next > at {
                at = next;
                continue;
            }
            let length = if blocks.len() - at < 12 { 0 } else { word(blocks, at + 4) as usize };
            if length < 12 || length > blocks.len() - at {
                // Unsound: the engine says so, and sees no more of this buffer.
                out.put(at, 0);
                return (blocks.len(), Stop::End);
            }
            let block = &blocks[at..at + length];
            let done = if record.take(block, &self.counts).is_none() {
                self.odd(at, room, out)
            } else if let Some(table) = self.usual_open(&mut record) {
                if !self.ignores_descriptors {
                    self.open(&record, at, table, false, room, out)
                } else if self.wanted(&record, table) {
                    self.hand_over(&record, at, effect::OPEN, true, room, out)
                } else {
                    self.pass_over(&record, out);
                    Ok(())
                }
            } else {
                if std::mem::take(&mut self.tells_time) {
                    out.put(at, TIME_ONLY);
                }
                if self.asks(&record) {
                    return (at, Stop::Ask);
                }
                record.facts = self.facts_for(&record);
                record.parent_facts = self.parent_facts_for(&record);
                self.event(&record, at, room, out)
            };
            if done.is_err() {
                return (at, Stop::Full);
            }
            (self.stranger, self.answered, self.is_apart) = (None, None, false);
            at += length;
        }
        (at, Stop::End)
    }

    /// Hands over all that is held back, and forgets what is known: other tables come.
    pub fn begin_anew(&mut self, room: &mut [u8], out: &mut Out) -> Stop {
        if self.reveal_all(room, out).is_err() || self.flush_all(room, out).is_err() {
            return Stop::Full;
        }
        self.tables.forget_all();
        self.executions.forget();
        self.lives.know(None, &[]);
        Stop::End
    }

    /// Not an event, or not a sound one: it may change everything.
    pub fn odd(&mut self, at: usize, room: &mut [u8], out: &mut Out) -> Done {
        self.reveal_all(room, out)?;
        self.flush_all(room, out)?;
        self.tables.forget_all();
        self.executions.forget();
        self.lives.know(None, &[]);
        if !out.has_room(0) {
            return Err(NoRoom);
        }
        out.put(at, 0);
        Ok(())
    }

    #[inline]
    pub fn event(&mut self, record: &Record, at: usize, room: &mut [u8], out: &mut Out) -> Done {
        let effect = self.guards[record.code].effect;
        self.lives.pass_time(record.ns());
        if effect == effect::META {
            self.reveal_for_meta(record, room, out)?;
            if record.code != usize::from(t::SCHEDSWITCH_6_E) {
                self.executions.forget();
                self.tables.forget_failures();
            }
            if !out.has_room(0) {
                return Err(NoRoom);
            }
            out.put(at, 0);
            return Ok(());
        }
        // Of the first one the engine takes the time.
        let forced = !self.began;
        if effect == effect::MUCH {
            if !forced && self.lives_on(record, room, out)? {
                self.pass_over(record, out);
                return Ok(());
            }
            self.foresee(record);
        }
        let Some(table) = self.tables.of(record.tid) else {
            // The engine makes it up, with a table of its own or a copy of its parent's.
            self.settle_family(record, None, room, out)?;
            return self.hand_over(record, at, effect, true, room, out);
        };
        if effect == effect::THREAD {
            self.changes_caller(record, table);
        }
        if self.ignores_descriptors && effect::OF_DESCRIPTORS.contains(&effect) {
            if forced || self.wanted(record, table) {
                return self.hand_over(record, at, effect, true, room, out);
            }
            self.pass_over(record, out);
            return Ok(());
        }
        if effect == effect::MUCH {
            return self.much(record, at, table, forced, room, out);
        }
        if effect == effect::OPEN {
            return self.open(record, at, table, forced, room, out);
        }
        if forced || self.wanted(record, table) {
            self.ready(record, table, room, out)?;
            self.prepare(record, true, room, out)?;
            self.after(record, effect, table);
            return self.hand_over(record, at, effect, true, room, out);
        }
        let keep = match effect {
            effect::CLOSE => self.close(record, table, room, out)?,
            effect::FCNTL => self.fcntl(record, table, room, out)?,
            effect::DUP => self.dup(record, table, room, out)?,
            effect::TRANSFER => {
                let number = self.used(record).unwrap_or(-1);
                let state = self.tables.all[table].state(number);
                let keep = self.asked.all || matches!(state, State::Unknown | State::Socket);
                if keep {
                    self.ready(record, table, room, out)?;
                }
                keep
            }
            effect::THREAD => true,
            effect::DESCRIPTORS => {
                let keep = self.socket(record, table, room, out)?;
                if keep {
                    self.ready(record, table, room, out)?;
                }
                keep
            }
            _ => false,
        };
        if keep {
            self.make_way(record, false, room, out)?;
            self.after(record, effect, table);
            return self.hand_over(record, at, effect, false, room, out);
        }
        self.pass_over(record, out);
        Ok(())
    }

    /// Hands over what is held back and what the event may be about.
    fn ready(&mut self, record: &Record, table: usize, room: &mut [u8], out: &mut Out) -> Done {
        if compares(record.code as u16) {
            self.flush(table, room, out)?;
        }
        self.touch_all(record, table, room, out)
    }

    /// The event goes to the engine; one that no rule wants, of a process that is held back, waits
    /// with it.
    pub fn hand_over(
        &mut self,
        record: &Record,
        at: usize,
        effect: u8,
        wanted: bool,
        room: &mut [u8],
        out: &mut Out,
    ) -> Done {
        if !wanted && self.waits(record, effect) {
            self.lives.append_own(record);
            self.pass_over(record, out);
            return Ok(());
        }
        self.prepare(record, wanted, room, out)?;
        out.put(at, 0);
        self.began = true;
        self.note_told(record);
        self.tells_time = usize::from(t::PROCEXIT_1_E) == record.code;
        if effect == effect::MUCH {
            self.note_end(record);
            // A new thread: what its number stood for is over.
            for tid in [record.tid, created(record)] {
                if tid > 0 {
                    self.tables.forget_thread(tid);
                }
            }
        }
        Ok(())
    }

    /// What has to be done before an event is handed over changes what is known.
    pub fn make_way(
        &mut self,
        record: &Record,
        wanted: bool,
        room: &mut [u8],
        out: &mut Out,
    ) -> Done {
        let effect = self.guards[record.code].effect;
        if !wanted && self.waits(record, effect) {
            return Ok(());
        }
        self.prepare(record, wanted, room, out)
    }

    #[inline]
    pub fn pass_over(&mut self, record: &Record, out: &mut Out) {
        self.passed[record.code] += 1;
        out.passed += 1;
    }

    /// What a kept event leaves of what is known.
    pub fn after(&mut self, record: &Record, effect: u8, table: usize) {
        let result = record.result().filter(|result| *result >= 0);
        let used = self.used(record);
        let table = &mut self.tables.all[table];
        match effect {
            effect::CLOSE => {
                let failed = record.result().is_some_and(|result| result < 0);
                if let (Some(number), false) = (used, failed) {
                    table.note(number, State::Absent, 0, None);
                }
            }
            effect::FCNTL | effect::DUP => {
                let copies =
                    effect == effect::DUP || matches!(record.command(), F_DUPFD | F_DUPFD_CLOEXEC);
                // What the engine copies of a file is one of the same name.
                let from = used.and_then(|number| table.file(number));
                if let (Some(result), true) = (result, copies) {
                    match from {
                        Some((path, marks)) => {
                            table.note(result as i32, State::File, marks, path);
                        }
                        None => table.note(result as i32, State::Unknown, ALL_MARKS, None),
                    }
                }
            }
            effect::DESCRIPTORS => {
                let mut bits = self.descriptors[record.code] & 0x7fff_ffff | 1;
                while bits != 0 {
                    let param = bits.trailing_zeros() as usize;
                    bits &= bits - 1;
                    if let Some(number) = record.descriptor(param) {
                        table.note(number, State::Unknown, ALL_MARKS, None);
                    }
                }
            }
            _ => {}
        }
    }

    /// The descriptor that a call uses.
    #[inline]
    pub fn used(&self, record: &Record) -> Option<i32> {
        record.descriptor(usize::try_from(self.uses[record.code]).ok()?)
    }
}
