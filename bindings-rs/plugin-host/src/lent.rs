//! What saker has in hand of a plugin's process: events that were lent to it, columns that came of
//! a batch, asynchronous events.
use std::sync::Arc;

use crate::async_events::AsyncEvents;
use crate::extraction::Asked;

/// Events of another source that stand in the memory.
pub struct Lent {
    pub source: String,
    /// `evt.num` of the first.
    pub number: u64,
    pub bytes: usize,
    pub events: usize,
}

/// How events stand there: as whole blocks, or one by itself from its header on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum At {
    List,
    Single,
}

/// Columns of all events of a batch, one for each field; an empty one did not come.
#[derive(Default)]
pub struct Columns {
    pub of: Arc<[Asked]>,
    pub bytes: Vec<Vec<u8>>,
}

impl Columns {
    pub fn find(&self, asked: &Asked) -> Option<&[u8]> {
        let slot = self.of.iter().position(|of| of == asked)?;
        self.bytes.get(slot).map(Vec::as_slice).filter(|column| !column.is_empty())
    }

    pub fn forget(&mut self) {
        self.of = Arc::default();
    }
}

/// Asynchronous events on saker's side: checked, waiting to be taken.
#[derive(Default)]
pub struct Sent {
    pub events: AsyncEvents,
    /// How many its process had sent when it was asked last.
    pub seen: u64,
}
