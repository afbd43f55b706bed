//! What the engine said of executions: whatever else differs, one whose event tells the same
//! program, arguments, user and terminal is told the same, and is not asked of again.
use std::collections::HashMap;

use super::family::{PROCESS, thread_of};
use super::record::Record;

/// Executions that are remembered; all are forgotten when there are more.
const EXECUTIONS_MAX: usize = 1 << 12;
/// Those that tell more are asked of each time.
const BYTES_MAX: usize = 4 << 10;

/// Parameters of executions that src/state/events/foreseen.ts looks at: executable, arguments,
/// name, cgroups, terminal, flags of the file, user, path, group. Of the parent it matters whether
/// it is there, and of the environment, where no rule asks for it.
const TOLD: [usize; 9] = [1, 2, 13, 14, 16, 19, 26, 27, 29];
const PARENT: usize = 5;
const ENV: usize = 15;

/// What holds of the thread from then on, and for the rules of its execution.
pub type Answered = (u64, u64);

pub struct Executions {
    /// What is said depends on the environment too.
    asks_env: bool,
    known: HashMap<Box<[u8]>, Answered>,
    /// Of the execution that was looked for last and not found; empty: none was.
    asked: Vec<u8>,
}

impl Executions {
    pub fn new(asks_env: bool) -> Self {
        Self { asks_env, known: HashMap::new(), asked: Vec::new() }
    }

    /// What was said of one like this.
    pub fn recall(&mut self, record: &Record) -> Option<Answered> {
        let text = &mut self.asked;
        text.clear();
        text.extend_from_slice(&(record.code as u16).to_le_bytes());
        text.push(u8::from(record.length(PARENT) > 0));
        text.push(u8::from(record.length(ENV) > 0));
        text.push(u8::from(thread_of(record, PROCESS) == record.tid));
        record.put(&TOLD, text);
        if self.asks_env {
            record.put(&[ENV], text);
        }
        let found = self.known.get(&text[..]).copied();
        if found.is_some() || text.len() > BYTES_MAX {
            text.clear();
        }
        found
    }

    /// What the engine says of the one that was looked for last.
    pub fn learn(&mut self, answer: Answered) {
        if self.asked.is_empty() {
            return;
        }
        if self.known.len() >= EXECUTIONS_MAX {
            self.known.clear();
        }
        self.known.insert(self.asked.as_slice().into(), answer);
        self.asked.clear();
    }

    /// Users, containers or rules are others.
    pub fn forget(&mut self) {
        self.known.clear();
        self.asked.clear();
    }
}
