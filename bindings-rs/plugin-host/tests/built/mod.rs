//! What tests of plugins share: the libraries, built here, and columns read back.
use std::path::PathBuf;
use std::process::Command;

use plugin_host::extraction::Asked;
use plugin_host::text_for_plugin;

/// The library, of the C source with these macros.
pub fn built(name: &str, source: &str, defines: &[&str]) -> String {
    let sources = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/plugins");
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("lib{name}.so"));
    let done = Command::new("cc")
        .args(["-O1", "-shared", "-fPIC", "-pthread", "-o"])
        .arg(&target)
        .args(defines.iter().map(|define| format!("-D{define}")))
        .arg(sources.join(format!("{source}.c")))
        .status();
    assert!(done.expect("cc").success());
    target.to_string_lossy().into_owned()
}

/// Values of a column: of each event a list of bytes.
pub fn values(bytes: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4")) as usize;
    let (events, count) = (word(0), word(4));
    let data = 16 + 4 * (events + count);
    let mut value = 0;
    let mut from = 0;
    let mut out = Vec::new();
    for event in 0..events {
        let mut these = Vec::new();
        for _ in 0..word(16 + 4 * event) {
            let to = word(16 + 4 * (events + value));
            these.push(bytes[data + from..data + to].to_vec());
            (from, value) = (to, value + 1);
        }
        out.push(these);
    }
    out
}

pub fn asked(field: u32, key: Option<&str>, index: Option<u64>) -> Asked {
    Asked { field, key: key.map(text_for_plugin), index }
}
