//! What is asked of a plugin that runs besides events and values: that it parses, sends, listens.
//! In: events, moments. Out: blocks of asynchronous events, dumps.
use std::sync::Arc;

use crate::tables::registry::Registry;

pub trait EventPort {
    /// The state tables that it shares with others; to be called before it is initialized. Of no
    /// use where it runs in a process of its own.
    fn use_tables(&mut self, registry: Arc<Registry>);
    /// Another one whose tables and columns are to be there, as saker's own process would have
    /// them; to be called before it is initialized.
    fn begin_after(&mut self, path: &str, config: &str) -> Result<(), String>;
    /// Hands over an event of another source, its bytes from the header on.
    fn parse(&mut self, event: &[u8], number: u64, source: &str);
    /// From now on it may send asynchronous events.
    fn begin_async(&mut self, of_system_calls: bool) -> Result<(), String>;
    /// Blocks of such events for a source of that id; returns their bytes.
    fn take_async(&mut self, out: &mut [u8], source_id: u32) -> usize;
    fn end_async(&mut self);
    /// Blocks of events that tell its state.
    fn dump_state(&mut self, source_id: u32) -> Vec<u8>;
    fn capture_open(&mut self) -> Result<(), String>;
    fn capture_close(&mut self);
}
