//! The class Plugin of ../../plugins.d.ts, as far as it parses, sends and listens.
#![allow(clippy::needless_pass_by_value, reason = "napi hands values over")]
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use super::tables::PluginTables;
use super::{Plugin, Result, refused};

#[napi]
impl Plugin {
    #[napi]
    pub fn use_tables(&mut self, tables: &PluginTables) -> Result<()> {
        self.port()?.use_tables(tables.registry());
        Ok(())
    }

    #[napi]
    pub fn begin_after(&mut self, path: String, config: String) -> Result<()> {
        self.port()?.begin_after(&path, &config).map_err(refused)
    }

    #[napi]
    pub fn parse(&mut self, bytes: Uint8Array, start: u32, end: u32, number: f64, source: String) {
        let Some(port) = &mut self.port else { return };
        #[allow(clippy::cast_possible_truncation, reason = "saturates")]
        if let Some(event) = bytes.get(start as usize..end as usize) {
            port.parse(event, number as u64, &source);
        }
    }

    #[napi]
    pub fn begin_async(&mut self, of_system_calls: bool) -> Result<()> {
        self.port()?.begin_async(of_system_calls).map_err(refused)
    }

    #[napi]
    pub fn take_async(&mut self, mut buffer: Uint8Array, source_id: u32) -> u32 {
        let Some(port) = &mut self.port else { return 0 };
        // SAFETY: the engine lends the buffer for this call and touches it only afterwards.
        port.take_async(unsafe { buffer.as_mut() }, source_id) as u32
    }

    #[napi]
    pub fn end_async(&mut self) {
        if let Some(port) = &mut self.port {
            port.end_async();
        }
    }

    #[napi]
    pub fn dump_state(&mut self, source_id: u32) -> Uint8Array {
        let port = self.port.as_mut();
        port.map(|port| port.dump_state(source_id)).unwrap_or_default().into()
    }

    #[napi]
    pub fn capture_open(&mut self) -> Result<()> {
        self.port()?.capture_open().map_err(refused)
    }

    #[napi]
    pub fn capture_close(&mut self) {
        if let Some(port) = &mut self.port {
            port.capture_close();
        }
    }
}
