//! Who makes executions in vain, as far as events tell. In: births and executions. Out: what tells
//! one caller from another, and what was said of one.
use super::family::is_exec;
use super::record::Record;

/// Parameters of the clone family and of executions: arguments, user and group.
const ARGS: usize = 2;
const OF_BIRTHS: [usize; 3] = [ARGS, 16, 17];
const OF_EXECUTIONS: [usize; 3] = [ARGS, 26, 29];

/// What holds of executions in vain of whoever has these arguments, user and group, apart from what
/// a process has of its parent.
#[derive(Clone)]
pub struct Failures {
    caller: Box<[u8]>,
    pub facts: u64,
}

fn params(record: &Record) -> [usize; 3] {
    if is_exec(record) { OF_EXECUTIONS } else { OF_BIRTHS }
}

impl Failures {
    /// Those of whoever an event tells of.
    pub fn new(record: &Record, facts: u64) -> Self {
        let params = params(record);
        let mut caller = Vec::with_capacity(record.told_bytes(&params));
        record.put(&params, &mut caller);
        Self { caller: caller.into(), facts }
    }

    /// Whether an event tells of the same.
    pub fn are_of(&self, record: &Record) -> bool {
        record.tells(&params(record), &self.caller)
    }
}
