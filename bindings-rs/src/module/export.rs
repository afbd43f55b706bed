//! What the addon exports of the module besides the driver: a test program has nobody to export to.
#![allow(clippy::needless_pass_by_value, reason = "napi hands values over")]
use std::io;

use napi_derive::napi;

use super::device::Device;
use super::load;
use crate::failure::Code;

type Result<T> = std::result::Result<T, napi::Error<Code>>;

/// What the module that is loaded says of itself.
#[napi(object)]
pub struct ModuleAbout {
    /// Of the interface, and saker's own.
    pub version: u32,
    pub saker: String,
    /// Readers that have it open, and how many may.
    pub readers: u32,
    pub readers_max: u32,
    pub ring_bytes_max: u32,
    /// Opens that it refused since there were too many.
    pub refused: f64,
}

/// The interface that this addon speaks.
#[napi]
pub fn module_interface() -> u32 {
    probe::device::VERSION
}

/// Asks the module behind a device; throws where nobody answers.
#[allow(clippy::cast_precision_loss, reason = "2^53 refusals are more than there can be")]
#[napi]
pub fn module_about(device: String) -> Result<ModuleAbout> {
    let opened = Device::open(&device)?;
    let failed = |error: io::Error| {
        napi::Error::new(Code::Module, format!("Cannot ask {device} what it is: {error}"))
    };
    let about = opened.about().map_err(failed)?;
    let end = about.saker.iter().position(|byte| *byte == 0).unwrap_or(about.saker.len());
    Ok(ModuleAbout {
        version: about.version,
        saker: String::from_utf8_lossy(&about.saker[..end]).into_owned(),
        // This call is one of them.
        readers: about.readers.saturating_sub(1),
        readers_max: about.readers_max,
        ring_bytes_max: about.ring_bytes_max,
        refused: opened.statistics().map_or(0.0, |told| told.refused as f64),
    })
}

fn errno(done: io::Result<()>) -> i32 {
    done.err().map_or(0, |error| error.raw_os_error().unwrap_or(libc::EINVAL))
}

/// Loads a module's file; returns 0 or the number of the error.
#[napi]
pub fn load_module(path: String, parameters: String, is_compressed: bool) -> i32 {
    errno(load::load(&path, &parameters, is_compressed))
}

/// Unloads a module by its name; returns 0 or the number of the error.
#[napi]
pub fn unload_module(name: String) -> i32 {
    errno(load::unload(&name))
}
