//! What saker does for plugins that are made with Falco's kit for Go. In: a plugin's schema and
//! `init_config`; out: the configuration that it is given. In: its library; out: what its process
//! has to know from its start.
use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::ptr::null_mut;

use serde_json::Value;

const KEY: &str = "useAsync";
/// What Go's linker puts before what it tells of how a program was made.
const MADE_WITH_GO: &[u8] = b"\xff Go buildinf:";

/// The kit can answer questions for values by a thread of its own, for which the one that asks
/// spins. That thread sleeps 10 ms after each millisecond without a question, and where there are
/// more spinning threads than processors, they keep each other from running. saker asks for many
/// values in one call, so there is nothing to gain: where a plugin's schema has the switch for it,
/// it is off, unless the configuration says something else.
pub fn without_spinning(schema: &str, config: String) -> String {
    let schema = serde_json::from_str::<Value>(schema).unwrap_or_default();
    let root = match schema["$ref"].as_str().and_then(|path| path.strip_prefix('#')) {
        Some(path) => schema.pointer(path).unwrap_or(&schema),
        None => &schema,
    };
    let has_switch = root["properties"][KEY]["type"] == "boolean";
    let given = serde_json::from_str::<Value>(&config).unwrap_or_default();
    let Some(given) = given.as_object().filter(|given| has_switch && !given.contains_key(KEY))
    else {
        return config;
    };
    // What else stands there stays as it was written.
    let rest = config.trim().strip_suffix('}').unwrap_or_default().trim_end();
    let comma = if given.is_empty() { "" } else { "," };
    format!("{rest}{comma}\"{KEY}\":false}}")
}

/// A variable for the process of a plugin in Go that has no such switch. The kit has the thread
/// where Go runs on more than one processor at a time, which Go takes from the variables that a
/// process began with. One that was set for saker decides.
pub fn variable(path: &str) -> Option<(&'static str, &'static str)> {
    const PROCESSORS: &str = "GOMAXPROCS";
    let spins = std::env::var_os(PROCESSORS).is_none() && holds(path, MADE_WITH_GO, KEY)?;
    spins.then_some((PROCESSORS, "1"))
}

/// Whether a file has the one and not the other; None: it cannot be read.
fn holds(path: &str, wanted: &[u8], unwanted: &str) -> Option<bool> {
    let file = File::open(path).ok()?;
    let size = usize::try_from(file.metadata().ok()?.len()).ok().filter(|size| *size > 0)?;
    let (rights, flags) = (libc::PROT_READ, libc::MAP_PRIVATE);
    // SAFETY: a new mapping of an open file, which is read within its size and taken away. A file
    // that is made shorter meanwhile would end any program that loads it.
    unsafe {
        let at = libc::mmap(null_mut(), size, rights, flags, file.as_raw_fd(), 0);
        if at == libc::MAP_FAILED {
            return None;
        }
        let has =
            |bytes: &[u8]| !libc::memmem(at, size, bytes.as_ptr().cast(), bytes.len()).is_null();
        let answer = has(wanted) && !has(unwanted.as_bytes());
        libc::munmap(at, size);
        Some(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = r#"{"properties": {"useAsync": {"type": "boolean"}}}"#;
    const REFERRED: &str = r##"{"$ref": "#/definitions/Config", "definitions": {
        "Config": {"properties": {"useAsync": {"type": "boolean"}}}}}"##;

    #[test]
    fn the_spinning_thread_is_off_unless_it_is_asked_for() {
        let given = |schema: &str, config: &str| without_spinning(schema, config.into());
        for schema in [PLAIN, REFERRED] {
            assert_eq!(given(schema, "{}"), r#"{"useAsync":false}"#);
            assert_eq!(given(schema, "{ }\n"), r#"{"useAsync":false}"#);
            let big = r#"{"a": 12345678901234567890123}"#;
            let with = r#"{"a": 12345678901234567890123,"useAsync":false}"#;
            assert_eq!(given(schema, big), with);
            let asked = r#"{"useAsync": true}"#;
            assert_eq!(given(schema, asked), asked);
            assert_eq!(given(schema, "[]"), "[]");
        }
        assert_eq!(given("{}", "{}"), "{}");
        assert_eq!(given(r#"{"properties": {"useAsync": {"type": "string"}}}"#, "{}"), "{}");
    }
    #[test]
    fn a_library_of_go_without_the_switch_runs_on_one_processor() {
        let directory = std::env::temp_dir().join(format!("saker-go-{}", std::process::id()));
        std::fs::create_dir(&directory).expect("a directory");
        let told = |name: &str, parts: &[&[u8]]| {
            let path = directory.join(name);
            std::fs::write(&path, parts.concat()).expect("a file");
            variable(path.to_str().expect("its name"))
        };
        let one = Some(("GOMAXPROCS", "1"));
        assert_eq!(told("go", &[b"ELF", MADE_WITH_GO, b"more"]), one);
        assert_eq!(told("switch", &[b"ELF", MADE_WITH_GO, b"json:\"useAsync\""]), None);
        assert_eq!(told("c", &[b"ELF"]), None);
        assert_eq!(told("empty", &[]), None);
        assert_eq!(variable("/nowhere.so"), None);
        std::fs::remove_dir_all(directory).expect("removed");
    }
}
