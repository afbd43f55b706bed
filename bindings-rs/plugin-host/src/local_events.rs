//! A plugin in saker's own process that parses, sends and listens: as `listening` has it.
use std::sync::Arc;
use std::time::SystemTime;

use crate::event_port::EventPort;
use crate::local::Local;
use crate::said::for_plugin;
use crate::tables::registry::Registry;

impl EventPort for Local {
    fn use_tables(&mut self, registry: Arc<Registry>) {
        self.instance.owner.state.share(registry);
    }

    /// They are there: all share `use_tables`.
    fn begin_after(&mut self, _path: &str, _config: &str) -> Result<(), String> {
        Ok(())
    }

    fn parse(&mut self, event: &[u8], number: u64, source: &str) {
        // Nearly always the same source: its name is made once.
        if self.parsed_source.as_bytes() != source.as_bytes() {
            self.parsed_source = for_plugin(source);
        }
        self.instance.parse(event, number, &self.parsed_source);
    }

    fn begin_async(&mut self, of_system_calls: bool) -> Result<(), String> {
        self.instance.begin_async(of_system_calls)
    }

    fn take_async(&mut self, out: &mut [u8], source_id: u32) -> usize {
        self.instance.take_async(out, now_ns(), source_id)
    }

    fn end_async(&mut self) {
        self.instance.end_async();
    }

    fn dump_state(&mut self, source_id: u32) -> Vec<u8> {
        self.instance.dump_state(now_ns(), source_id)
    }

    fn capture_open(&mut self) -> Result<(), String> {
        self.instance.capture_open()
    }

    fn capture_close(&mut self) {
        self.instance.capture_close();
    }
}

fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos() as u64)
}
