//! What one plugin has of its owner besides a log: state tables, the queue of its asynchronous
//! events, its routines, what it dumps of itself. In: the registry of tables. Out: these together.
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::abi::Plugin;
use crate::async_events::AsyncEvents;
use crate::routines::Routines;
use crate::tables::access::Access;
use crate::tables::machine::NoThreads;
use crate::tables::registry::Registry;

/// Bytes that one dump of a plugin's state may have.
const DUMP_MAX: usize = 64 << 20;

pub struct State {
    pub access: Box<Access>,
    pub events: AsyncEvents,
    pub routines: Routines,
    /// Events of the dump under way; None: there is none.
    dump: Mutex<Option<Vec<Box<[u8]>>>>,
    /// The plugin's own state, for its routines.
    plugin: AtomicPtr<Plugin>,
    /// Calls that the plugin answered with a failure: events that it could not parse.
    pub failed: AtomicU64,
}

impl Default for State {
    /// There are no threads, and no other plugin's tables.
    fn default() -> Self {
        Self {
            access: Access::new(Registry::new(Box::new(NoThreads))),
            events: AsyncEvents::default(),
            routines: Routines::default(),
            dump: Mutex::default(),
            plugin: AtomicPtr::default(),
            failed: AtomicU64::new(0),
        }
    }
}

impl State {
    /// The plugin is to share these tables; to be called before it knows of any.
    pub fn share(&mut self, registry: Arc<Registry>) {
        self.access = Access::new(registry);
    }

    pub fn set_plugin(&self, plugin: *mut Plugin) {
        self.plugin.store(plugin, Ordering::Release);
    }

    pub fn plugin(&self) -> *mut Plugin {
        self.plugin.load(Ordering::Acquire)
    }

    pub fn begin_dump(&self) {
        *self.dump() = Some(Vec::new());
    }

    /// Takes an event of the dump under way.
    pub fn add_to_dump(&self, event: Box<[u8]>) -> Result<(), String> {
        let mut dump = self.dump();
        let Some(events) = dump.as_mut() else {
            return Err("an event of a dump, but none is asked for".into());
        };
        let bytes: usize = events.iter().map(|event| event.len()).sum();
        if bytes + event.len() > DUMP_MAX {
            return Err(format!("a dump of state has {DUMP_MAX} bytes at the most"));
        }
        events.push(event);
        Ok(())
    }

    pub fn end_dump(&self) -> Vec<Box<[u8]>> {
        self.dump().take().unwrap_or_default()
    }

    fn dump(&self) -> MutexGuard<'_, Option<Vec<Box<[u8]>>>> {
        self.dump.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
