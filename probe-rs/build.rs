//! Turns events.json into constants: event codes, parameter counts, system call numbers.
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::{env, fs, path::Path};

fn main() {
    println!("cargo:rerun-if-changed=events.json");
    let source = fs::read_to_string("events.json").expect("events.json is beside build.rs");
    let table: serde_json::Value = serde_json::from_str(&source).expect("events.json is JSON");
    let mut out = String::new();

    let events = table["events"].as_array().expect("a list of events");
    for event in events {
        let id = event["id"].as_str().expect("an id");
        let code = event["code"].as_u64().expect("a code");
        writeln!(out, "pub const {id}: u16 = {code};").expect("a string grows");
    }
    let counts: Vec<String> = events
        .iter()
        .map(|event| event["params"].as_array().expect("params").len().to_string())
        .collect();
    writeln!(
        out,
        "/// Parameters of each event by its code, our own not counted.\n\
         pub const PARAM_COUNTS: [u8; {}] = [{}];",
        counts.len(),
        counts.join(", ")
    )
    .expect("a string grows");

    let descriptors: Vec<String> =
        events.iter().map(|event| has_descriptors(event).to_string()).collect();
    writeln!(
        out,
        "/// Whether the call that an event tells of makes or takes a descriptor, by its code.\n\
         pub const HAS_DESCRIPTORS: [bool; {}] = [{}];",
        descriptors.len(),
        descriptors.join(", ")
    )
    .expect("a string grows");

    let ids: Vec<String> = events.iter().map(|event| event["id"].to_string()).collect();
    writeln!(
        out,
        "/// Each event's id by its code.\npub const EVENT_IDS: [&str; {}] = [{}];",
        ids.len(),
        ids.join(", ")
    )
    .expect("a string grows");

    let lists = table["flags"].as_object().expect("lists of flags");
    for (list, flags) in lists {
        writeln!(out, "/// Flags as events have them.\npub mod {list} {{").expect("a string grows");
        let mut known = BTreeSet::new();
        for flag in flags.as_array().expect("a list of flags") {
            let (name, value) = (flag[0].as_str().expect("a name"), &flag[1]);
            let name = name.to_ascii_uppercase();
            if !known.insert(name.clone()) {
                continue;
            }
            writeln!(out, "    pub const {name}: u32 = {value};").expect("a string grows");
        }
        out.push_str("}\n");
    }

    let syscalls = table["syscalls"].as_array().expect("a list of system calls");
    writeln!(
        out,
        "/// Every system call known.\npub const SYSCALLS: [Syscall; {}] = [",
        syscalls.len()
    )
    .expect("a string grows");
    for call in syscalls {
        let number =
            |key: &str| call[key].as_u64().map_or("NONE".to_owned(), |number| number.to_string());
        writeln!(
            out,
            "    Syscall {{ sc: {}, name: {:?}, x86_64: {}, ia32: {}, exit: {} }},",
            call["sc"],
            call["name"].as_str().expect("a name"),
            number("x86_64"),
            number("ia32"),
            call["exit"].as_u64().unwrap_or(1),
        )
        .expect("a string grows");
    }
    out.push_str("];\n");

    let dir = env::var("OUT_DIR").expect("set by cargo");
    fs::write(Path::new(&dir).join("events.rs"), out).expect("OUT_DIR can be written");
}

/// Whether a current event of a call's return has a parameter that is a descriptor, or says that it
/// makes or uses one.
fn has_descriptors(event: &serde_json::Value) -> bool {
    let has = |key: &str, text: &str| {
        event[key].as_array().is_some_and(|list| list.iter().any(|item| item == text))
    };
    let returns = event["id"].as_str().is_some_and(|id| id.ends_with("_X"));
    let typed = event["params"]
        .as_array()
        .is_some_and(|params| params.iter().any(|param| param[1] == "FD"));
    returns
        && has("kind", "syscall")
        && !has("flags", "old_version")
        && !has("flags", "unused")
        && (typed || has("flags", "creates_fd") || has("flags", "uses_fd"))
}
