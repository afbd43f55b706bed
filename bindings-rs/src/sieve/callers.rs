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
    pub caller: Box<[u8]>,
    pub facts: u64,
}

pub fn caller_of(record: &Record) -> Box<[u8]> {
    let mut text = Vec::new();
    for param in if is_exec(record) { OF_EXECUTIONS } else { OF_BIRTHS } {
        let bytes = record.bytes(param);
        text.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        text.extend_from_slice(bytes);
    }
    text.into()
}
