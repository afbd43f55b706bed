//! The process of a plugin (src/main.rs), started as saker does: what comes out of it is what a
//! plugin in this process gives, and whatever it does harms nobody else.
mod built;

use std::path::Path;
use std::time::{Duration, Instant};

use built::{asked, built, values};
use plugin_host::blocks::{events_of, u32_at};
use plugin_host::event_port::EventPort as _;
use plugin_host::port::{Lending, Port, Span, State};
use plugin_host::record::{Level, read};
use plugin_host::remote::{Options, Remote};
use serde_json::Value;

const ALL: Span = Span { lent: false, first: 0, count: 100_000 };

fn program() -> Vec<u8> {
    std::fs::read(env!("CARGO_BIN_EXE_plugin-host")).expect("the program")
}

fn remote(path: &str, memory_mb: u64) -> Result<Remote, String> {
    let program = program();
    let memory_bytes = memory_mb << 20;
    Remote::load(&Options {
        program: &program,
        path,
        name: "tested",
        memory_bytes,
        may_start: false,
    })
}

fn column(plugin: &mut Remote, field: u32) -> Vec<Vec<Vec<u8>>> {
    let mut out = vec![0; 1 << 20];
    let size = plugin.column(&asked(field, None, None), ALL, &mut out);
    values(&out[..size as usize])
}

/// Reads until there are events or the source ends.
fn batch(plugin: &mut Remote, buffer: &mut [u8]) -> i64 {
    let end = Instant::now() + Duration::from_mins(1);
    loop {
        match plugin.read(buffer) {
            0 if Instant::now() < end => plugin.wait(Duration::from_millis(100)),
            bytes => return bytes,
        }
    }
}

fn hostile(mode: &str) -> Remote {
    hostile_within(256, mode)
}

fn hostile_within(memory_mb: u64, mode: &str) -> Remote {
    let path = built(&format!("hostile_{mode}"), "hostile", &[]);
    let mut plugin = remote(&path, memory_mb).expect("a plugin");
    plugin.init(&format!("mode={mode} after=2 pause=1")).expect("init");
    plugin.open("").expect("open");
    plugin
}

/// Reads until it pauses; what was told of it.
fn until_it_fails(plugin: &mut Remote) -> String {
    let mut buffer = vec![0; 1 << 20];
    let end = Instant::now() + Duration::from_mins(1);
    while plugin.now().state != State::Pausing && Instant::now() < end {
        if plugin.read(&mut buffer) == 0 {
            plugin.wait(Duration::from_millis(50));
        } else {
            column(plugin, 0);
            column(plugin, 1);
        }
    }
    assert_eq!(plugin.now().state, State::Pausing);
    let told = plugin.record().take().pop().expect("a notice");
    assert_eq!(told.level, Level::Critical);
    told.line
}

#[test]
fn batches_and_columns_are_those_of_the_plugin() {
    let path = built("remote", "lines", &[]);
    let mut plugin = remote(&path, 256).expect("a plugin");
    let info: Value = serde_json::from_str(&plugin.info()).expect("JSON");
    assert_eq!((&info["name"], &info["id"]), (&"lines".into(), &999.into()));
    assert!(plugin.init(r#"{"prefix": ""}"#).expect_err("a refusal").contains("<root>[prefix]"));
    plugin.init("").expect("init");
    assert!(plugin.open_params().expect("params").contains("count=10"));
    assert_eq!(plugin.open("no=1").err().as_deref(), Some("\"no=1\" is no parameter of lines"));
    plugin.open("count=1000 batch=50 time=0").expect("open");
    let mut buffer = vec![0; 1 << 20];
    let mut seen = 0_u64;
    loop {
        let bytes = batch(&mut plugin, &mut buffer);
        if bytes < 0 {
            break;
        }
        let mut found = Vec::new();
        assert!(events_of(&buffer[..bytes as usize], &mut found));
        let numbers = column(&mut plugin, 0);
        let texts = column(&mut plugin, 1);
        assert_eq!((numbers.len(), texts.len()), (found.len(), found.len()));
        for (place, (start, end)) in found.iter().enumerate() {
            assert_eq!(numbers[place], [seen.to_le_bytes().to_vec()]);
            assert_eq!(texts[place][0], &buffer[start + 38..*end]);
            seen += 1;
        }
        let (start, end) = found[0];
        let event = &buffer[start..end];
        let lending = Lending { source: "lines", number: 1 };
        let mut out = vec![0; 256];
        let size = plugin.column_of(event, &lending, &asked(0, None, None), &mut out);
        assert_eq!(values(&out[..size as usize])[0], numbers[0]);
        assert_eq!(plugin.lend(&buffer[..bytes as usize], &lending), found.len());
        let mut out = vec![0; 1 << 16];
        let lent = Span { lent: true, first: 1, count: 2 };
        let size = plugin.column(&asked(0, None, None), lent, &mut out);
        assert_eq!(values(&out[..size as usize]), numbers[1..3]);
    }
    assert_eq!(seen, 1000);
    assert_eq!(plugin.now().state, State::Ended);
    assert_eq!(plugin.progress().map(|(part, _)| part), Some(10_000));
    assert!(plugin.metrics().iter().any(|metric| metric.name == "lines.made"));
    assert_eq!((read(&plugin.record().errors), read(&plugin.record().restarts)), (0, 0));
    assert_eq!(plugin.record().take()[0].line, "initialized");
}

#[test]
fn what_comes_with_a_batch_stays_right_when_other_fields_are_asked() {
    let mut plugin = remote(&built("watched", "lines", &[]), 256).expect("a plugin");
    plugin.init("").expect("init");
    plugin.open("count=500 batch=5").expect("open");
    let mut buffer = vec![0; 1 << 16];
    let mut batches = 0_u64;
    while batch(&mut plugin, &mut buffer) > 0 {
        // The number is no longer asked after some batches, the text always.
        if batches < 10 {
            column(&mut plugin, 0);
        }
        let first = batches * 5;
        let parity = ["even", "odd"][(first % 2) as usize];
        let text = format!("line {first} n={first} parity={parity}");
        assert_eq!(column(&mut plugin, 1)[0], [text.into_bytes()]);
        batches += 1;
    }
    assert_eq!(batches, 100);
}

#[test]
fn events_that_are_lent_have_the_values_of_each_by_itself() {
    let path = built("lent", "lines", &[]);
    let mut source = remote(&path, 256).expect("a plugin");
    let mut other = remote(&path, 256).expect("a plugin");
    source.init("").expect("init");
    other.init("").expect("init");
    source.open("count=600 batch=30").expect("open");
    let mut buffer = vec![0; 1 << 16];
    let mut number = 1;
    let mut batches = 0;
    loop {
        let bytes = batch(&mut source, &mut buffer);
        if bytes < 0 {
            break;
        }
        let lending = Lending { source: "lines", number };
        let events = other.lend(&buffer[..bytes as usize], &lending);
        // One field of all, a second of some, in another order once they come together.
        let whole = Span { lent: true, first: 0, count: events };
        let part = Span { lent: true, first: 7, count: 9 };
        let mut out = vec![0; 1 << 16];
        let mut ask = |field: u32, span: Span| {
            let size = other.column(&asked(field, None, None), span, &mut out);
            values(&out[..size as usize])
        };
        let asked_for = if batches % 2 == 0 {
            [ask(0, whole), ask(1, part)]
        } else {
            let texts = ask(1, part);
            [ask(0, whole), texts]
        };
        let expected = [column(&mut source, 0), column(&mut source, 1)[7..16].to_vec()];
        assert_eq!(asked_for, expected);
        number += events as u64;
        batches += 1;
    }
    assert_eq!((number, batches), (601, 20));
    assert_eq!(read(&other.record().errors), 0);
}

#[test]
fn a_plugin_that_sends_and_listens_does_so_from_its_process() {
    let mut plugin = remote(&built("ticks", "ticks", &[]), 256).expect("a plugin");
    plugin.init("tick=5").expect("init");
    let mut out = vec![0; 1 << 16];
    assert_eq!(plugin.take_async(&mut out, 0), 0);
    plugin.capture_open().expect("a listener");
    plugin.begin_async(true).expect("a sender");
    let end = Instant::now() + Duration::from_mins(1);
    let mut found = Vec::new();
    while found.len() < 10 && Instant::now() < end {
        let bytes = plugin.take_async(&mut out, 7);
        assert!(events_of(&out[..bytes], &mut found));
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(found.len() >= 10, "{}", found.len());
    plugin.end_async();
    assert_eq!(plugin.take_async(&mut out, 7), 0);
    let dump = plugin.dump_state(7);
    let mut dumped = Vec::new();
    assert!(events_of(&dump, &mut dumped));
    let (start, end) = dumped[0];
    let told = String::from_utf8_lossy(&dump[start..end]);
    assert!(told.contains(" opened=1 ") && !told.contains("rounds=0"), "{told}");
    // The id of its source stands in front of its name.
    assert_eq!((dumped.len(), u32_at(&dump, start + 38)), (1, 7));
    assert_eq!(read(&plugin.record().errors), 0);
}

#[test]
fn who_opens_a_source_is_told_how_its_process_ended() {
    let open = |mode: &str| {
        let path = built(&format!("hostile_{mode}"), "hostile", &[]);
        let mut plugin = remote(&path, 256).expect("a plugin");
        plugin.init(&format!("mode={mode}")).expect("init");
        plugin.open("").unwrap_err()
    };
    let crashed = open("open_crash");
    assert!(crashed.starts_with("its process was ended by signal 11"), "{crashed}");
    let panicked = open("open_panic");
    let said = "its process was ended by signal 6 (Aborted); it printed: panic: it cannot go on";
    assert_eq!(panicked, said);
    assert_eq!(open("open_fail"), "nothing to open here");
}

#[test]
fn a_process_that_ends_is_started_anew() {
    let mut plugin = hostile("next_crash");
    let told = until_it_fails(&mut plugin);
    assert!(told.contains("signal 11") && told.ends_with("started anew in 1 s"), "{told}");
    let mut buffer = vec![0; 1 << 20];
    assert!(batch(&mut plugin, &mut buffer) > 0);
    assert_eq!(read(&plugin.record().restarts), 1);
    let mut plugin = hostile("exit_quietly");
    let told = until_it_fails(&mut plugin);
    assert!(told.contains("exit code 3"), "{told}");
}

#[test]
fn events_that_are_none_are_refused() {
    for (mode, why) in [
        ("next_short", "has 3 bytes"),
        ("next_long", "has 4294967295 bytes"),
        ("next_type", "malformed plugin event"),
        ("next_params", "malformed plugin event"),
        ("next_lengths", "malformed plugin event"),
        ("next_id", "unexpected plugin ID"),
        ("next_null", "nowhere (NULL)"),
        ("next_null_event", "nowhere (NULL)"),
        ("next_count", "65536 at the most"),
        ("next_wild", "signal 11"),
        ("next_abort", "signal 6"),
    ] {
        let told = until_it_fails(&mut hostile(mode));
        assert!(told.contains(why), "{mode}: {told}");
    }
}

#[test]
fn who_does_not_answer_when_asked_for_values_is_ended() {
    // Asked at once, and with a batch once the field is asked often.
    for after in [0, 20] {
        let path = built(&format!("silent_{after}"), "hostile", &[]);
        let mut plugin = remote(&path, 256).expect("a plugin");
        plugin.init(&format!("mode=extract_block after={after} pause=1")).expect("init");
        plugin.open("").expect("open");
        let told = until_it_fails(&mut plugin);
        assert!(told.contains("did not answer within 1 s"), "{told}");
        assert!(read(&plugin.record().timeouts) > 0);
    }
    // Asked of what another source gave.
    let mut source = hostile("none");
    let mut buffer = vec![0; 1 << 16];
    let mut blocks = Vec::new();
    while blocks.len() < 500 {
        let bytes = batch(&mut source, &mut buffer) as usize;
        blocks.extend_from_slice(&buffer[..bytes]);
    }
    let mut plugin = remote(&built("silent_lent", "hostile", &[]), 256).expect("a plugin");
    plugin.init("mode=extract_block after=4").expect("init");
    let events = plugin.lend(&blocks, &Lending { source: "hostile", number: 1 });
    assert!(events > 4);
    let whole = Span { lent: true, first: 0, count: events };
    let mut out = vec![0; 1 << 16];
    let size = plugin.column(&asked(0, None, None), whole, &mut out);
    assert!(values(&out[..size as usize]).iter().all(Vec::is_empty));
    assert_eq!(plugin.now().state, State::Pausing);
    assert_eq!(read(&plugin.record().timeouts), 1);
}

#[test]
fn a_process_starts_no_others_and_may_not_have_too_many_threads() {
    let mut plugin = hostile("fork_bomb");
    let mut buffer = vec![0; 1 << 16];
    for _ in 0..10 {
        assert!(batch(&mut plugin, &mut buffer) > 0);
    }
    assert!(plugin.record().take().iter().any(|notice| notice.line == "0 of 50 were forked"));
    assert_eq!(read(&plugin.record().errors), 0);
    // One that may is killed with what it started.
    let (program, path) = (program(), built("may_fork", "hostile", &[]));
    let options = Options {
        program: &program,
        path: &path,
        name: "t",
        memory_bytes: 1 << 28,
        may_start: true,
    };
    let mut plugin = Remote::load(&options).expect("a plugin");
    plugin.init("mode=fork_bomb after=2 pause=1").expect("init");
    plugin.open("").expect("open");
    let told = |plugin: &mut Remote| {
        let lines = plugin.record().take();
        lines.iter().any(|notice| notice.line == "50 of 50 were forked")
    };
    while !told(&mut plugin) {
        assert!(batch(&mut plugin, &mut buffer) > 0);
    }
    drop(plugin);
    // Their stacks take memory, too.
    let told = until_it_fails(&mut hostile_within(16 << 10, "threads"));
    assert!(told.contains("threads, more than the 1024 it may"), "{told}");
}

#[test]
fn what_is_not_loaded_is_told_and_leaves_no_process() {
    let missing = remote("/nowhere/libnone.so", 256).err().expect("a refusal");
    assert!(missing.starts_with("can't load plugin dynamic library: "), "{missing}");
    let refused = remote(&built("no_init", "hostile", &["WITHOUT_INIT"]), 256).err();
    assert_eq!(refused.as_deref(), Some("required symbol not implemented: 'init'"));
    assert!(Path::new("/proc/self").exists());
}

#[test]
fn a_process_that_takes_too_much_memory_is_ended() {
    let mut plugin = hostile("leak");
    let told = until_it_fails(&mut plugin);
    assert!(told.contains("more than the 256 MB that it may"), "{told}");
}

#[test]
fn a_call_that_does_not_return_holds_nobody_up() {
    let mut plugin = hostile("next_block");
    let mut buffer = vec![0; 1 << 20];
    let end = Instant::now() + Duration::from_secs(30);
    while plugin.now().blocked < Duration::from_millis(300) && Instant::now() < end {
        if plugin.read(&mut buffer) == 0 {
            plugin.wait(Duration::from_millis(20));
        }
    }
    assert!(plugin.now().blocked >= Duration::from_millis(300));
    let began = Instant::now();
    drop(plugin);
    assert!(began.elapsed() < Duration::from_secs(20));
}
