//! The tests' plugin of numbered lines (tests/plugins/lines.c), built here, through the door that
//! saker has: what it gives, what is asked of it, how it fails; and one that wants no event
//! (tests/plugins/picky.c).
mod built;

use std::time::Duration;

use built::{asked, built, values};
use plugin_host::column::is_column;
use plugin_host::event_port::EventPort as _;
use plugin_host::extraction::Asked;
use plugin_host::local::Local;
use plugin_host::port::{Lending, Port, Span, State};
use plugin_host::record::{Level, read};
use plugin_host::remote::{Options, Remote};
use serde_json::{Value, json};

fn lines(name: &str) -> Local {
    Local::load(&built(name, "lines", &[])).expect("a plugin")
}

fn opened(name: &str, params: &str) -> Local {
    let mut plugin = lines(name);
    plugin.init(r#"{"prefix": "row"}"#).expect("init");
    plugin.open(params).expect("open");
    plugin
}

fn column(plugin: &mut dyn Port, asked: &Asked, span: Span) -> Vec<Vec<Vec<u8>>> {
    let mut out = vec![0; 8];
    let needed = plugin.column(asked, span, &mut out);
    assert!(needed < 0);
    out.resize(-needed as usize, 0);
    assert_eq!(plugin.column(asked, span, &mut out), -needed);
    assert!(is_column(&out, span.count));
    values(&out)
}

const ALL: Span = Span { lent: false, first: 0, count: 100 };

#[test]
fn it_tells_what_it_is() {
    let plugin = lines("told");
    let info: Value = serde_json::from_str(&plugin.info()).expect("JSON");
    assert_eq!(info["name"], "lines");
    assert_eq!(info["version"], "0.3.1");
    assert_eq!((&info["id"], &info["source"]), (&json!(999), &json!("lines")));
    assert_eq!(info["capabilities"], json!(["sourcing", "extraction"]));
    assert_eq!(info["extractSources"], json!(["lines"]));
    assert_eq!(info["fields"][8]["argument"]["isKey"], true);
}

#[test]
fn a_plugin_whose_time_limit_passed_between_two_questions_is_asked_again() {
    let mut plugin = opened("stale", "count=3 batch=1 stale=20");
    let mut buffer = vec![0; 1 << 16];
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(30));
        assert!(plugin.read(&mut buffer) > 0);
    }
}

#[test]
fn lines_come_as_blocks_with_values_of_every_type() {
    let mut plugin = opened("given", "count=10 batch=4 time=1000000000");
    let mut buffer = vec![0; 1 << 16];
    let bytes = plugin.read(&mut buffer) as usize;
    let mut found = Vec::new();
    assert!(plugin_host::blocks::events_of(&buffer[..bytes], &mut found));
    assert_eq!(found.len(), 4);
    let event = &buffer[found[1].0..found[1].1];
    assert_eq!(event[34..38], 999_u32.to_le_bytes());
    assert_eq!(event[..8], 1_001_000_000_u64.to_le_bytes());
    assert_eq!(&event[38..], b"row 1 n=1 parity=odd");

    let number = |n: u64| vec![n.to_le_bytes().to_vec()];
    let asked_number = asked(0, None, None);
    let all: Vec<_> = (0..4).map(number).collect();
    assert_eq!(column(&mut plugin, &asked_number, ALL), all);
    let rest = Span { first: 2, count: 1, ..ALL };
    assert_eq!(column(&mut plugin, &asked_number, rest), [number(2)]);
    let texts = |texts: &[&str]| texts.iter().map(|t| t.as_bytes().to_vec()).collect::<Vec<_>>();
    let second = Span { first: 1, count: 1, ..ALL };
    let one = |plugin: &mut Local, asked: Asked| column(plugin, &asked, second).remove(0);
    assert_eq!(one(&mut plugin, asked(1, None, None)), texts(&["row 1 n=1 parity=odd"]));
    assert_eq!(one(&mut plugin, asked(2, None, None)), number(0));
    assert_eq!(one(&mut plugin, asked(4, None, None)), number(1_001_000_000));
    assert_eq!(one(&mut plugin, asked(5, None, None))[0].len(), 16);
    assert_eq!(one(&mut plugin, asked(6, None, None))[0][16], 128);
    assert_eq!(one(&mut plugin, asked(7, None, Some(2))), texts(&["n=1"]));
    assert_eq!(one(&mut plugin, asked(8, Some("parity"), None)), texts(&["odd"]));
    assert_eq!(one(&mut plugin, asked(8, Some("none"), None)), texts(&[]));
    assert_eq!(one(&mut plugin, asked(9, None, None)), texts(&["(none)"]));
    assert_eq!(one(&mut plugin, asked(9, Some("a"), None)), texts(&["a"]));
    assert_eq!(one(&mut plugin, asked(9, Some("3"), Some(3))), texts(&["3#3"]));
    assert_eq!(one(&mut plugin, asked(10, None, None)), texts(&["row", "1", "n=1", "parity=odd"]));
    assert_eq!(one(&mut plugin, asked(12, None, None)).len(), 2);
    assert_eq!(one(&mut plugin, asked(99, None, None)), texts(&[]));

    // An event of others.
    let mut out = vec![0; 256];
    let lending = Lending { source: "lines", number: 7 };
    let size = plugin.column_of(event, &lending, &asked_number, &mut out) as usize;
    assert_eq!(values(&out[..size]), [number(1)]);
    let size = plugin.column_of(&event[..30], &lending, &asked_number, &mut out) as usize;
    assert_eq!(values(&out[..size]), [Vec::<Vec<u8>>::new()]);
    assert_eq!(plugin.event_text(event, 1).as_deref(), Some("[row 1 n=1 parity=odd]"));
    assert_eq!(plugin.progress().map(|(part, _)| part), Some(4000));
    assert_eq!(read(&plugin.record().errors), 0);
}

#[test]
fn a_small_buffer_takes_a_batch_in_pieces_and_an_end_is_one() {
    let mut plugin = opened("pieces", "count=5 batch=5");
    let mut buffer = vec![0; 200];
    let mut seen = 0_u64;
    loop {
        match plugin.read(&mut buffer) {
            -1 => break,
            0 => plugin.wait(Duration::from_millis(5)),
            _ => {
                for numbers in column(&mut plugin, &asked(0, None, None), ALL) {
                    assert_eq!(numbers, [seen.to_le_bytes().to_vec()]);
                    seen += 1;
                }
            }
        }
    }
    assert_eq!(seen, 5);
    assert_eq!(plugin.now().state, State::Ended);
    let mut plugin = opened("dropped", "count=2 size=4000");
    assert_eq!(plugin.read(&mut buffer), 0);
    assert_eq!(read(&plugin.record().dropped), 2);
}

#[test]
fn what_it_refuses_is_told_in_one_line() {
    let mut plugin = lines("refused");
    assert_eq!(
        plugin.init(r#"{"prefix": ""}"#).expect_err("a refusal"),
        "error in plugin lines init config: In <root>[prefix], there must be at least 1 characters"
    );
    assert_eq!(
        plugin.init(r#"{"prefix": "refused"}"#).expect_err("a refusal"),
        "could not initialize plugin: the prefix \"refused\" is refused"
    );
    let mut plugin = lines("asked");
    plugin.init("").expect("init");
    assert_eq!(plugin.open("nonsense=1"), Err("\"nonsense=1\" is no parameter of lines".into()));
    let params: Value = serde_json::from_str(&plugin.open_params().expect("params")).expect("JSON");
    assert_eq!(params[1]["separator"], " ");
    plugin.set_config(r#"{"prefix": "other"}"#).expect("config");
    assert!(plugin.set_config("[]").is_err());
    let metrics = plugin.metrics();
    let metric = |name: &str| metrics.iter().find(|metric| metric.name == name).map(|m| m.value);
    assert_eq!((metric("lines.configs"), metric("lines.half")), (Some(1.0), Some(0.5)));
    assert_eq!(plugin.record().take()[0].line, "initialized");
}

#[test]
fn a_source_that_fails_is_opened_anew_after_a_pause() {
    let mut plugin = opened("failing", "count=1 end=fail");
    let mut buffer = vec![0; 1 << 12];
    assert!(plugin.read(&mut buffer) > 0);
    assert_eq!(plugin.read(&mut buffer), 0);
    assert_eq!(plugin.now().state, State::Pausing);
    assert_eq!(plugin.record().last_error().as_deref(), Some("no line after 1"));
    let told = plugin.record().take().pop().expect("a notice");
    assert_eq!(told.level, Level::Critical);
    assert_eq!(told.line, "no line after 1; its source is opened anew in 1 s");
    while plugin.read(&mut buffer) == 0 {
        plugin.wait(Duration::from_millis(200));
    }
    assert_eq!(read(&plugin.record().restarts), 1);
    assert_eq!(plugin.now().state, State::Running);
}

#[test]
fn a_library_that_is_not_what_falco_asks_for_is_told() {
    let refusal =
        |name: &str, defines: &[&str]| Local::load(&built(name, "hostile", defines)).err();
    assert_eq!(
        refusal("without_init", &["WITHOUT_INIT"]).as_deref(),
        Some("required symbol not implemented: 'init'")
    );
    let version = refusal("other_api", &["HOSTILE_API=\"4.0.0\""]).expect("a refusal");
    assert!(version.ends_with("'3.12.0': major versions disagree"), "{version}");
    let fields = refusal("no_json", &["HOSTILE_FIELDS=\"{\""]).expect("a refusal");
    assert_eq!(fields, "error in plugin hostile: get_fields returned an invalid JSON");
}

#[test]
fn an_event_that_is_not_parsed_for_no_reason_is_no_error() {
    let mut plugin = Local::load(&built("picky", "picky", &[])).expect("a plugin");
    plugin.init("").expect("init");
    let event = [0; 26];
    for number in 1..10 {
        plugin.parse(&event, number, "syscall");
    }
    assert_eq!((read(&plugin.record().errors), plugin.record().last_error()), (0, None));
    plugin.parse(&event, 10, "syscall");
    let record = plugin.record();
    let why = "it could not parse an event: it ends in 0";
    assert_eq!((read(&record.errors), record.last_error().as_deref()), (1, Some(why)));
    assert_eq!(record.take().len(), 1);
}

#[test]
fn a_plugin_begins_after_another_whose_column_it_needs() {
    let giver = built("giver", "picky", &["PICKY_NAME=\"giver\"", "PICKY_ADDS=\"given\""]);
    let taker = built("taker", "picky", &["PICKY_NAME=\"taker\"", "PICKY_NEEDS=\"given\""]);
    let program = std::fs::read(env!("CARGO_BIN_EXE_plugin-host")).expect("the program");
    let load = || {
        let options = Options {
            program: &program,
            path: &taker,
            name: "taker",
            memory_bytes: 1 << 28,
            may_start: false,
        };
        Remote::load(&options).expect("a plugin")
    };
    let alone = load().init("").unwrap_err();
    assert_eq!(alone, "could not initialize plugin: it lacks a column");
    let mut after = load();
    after.begin_after(&giver, "").expect("the other");
    after.init("").expect("init");
    let why = load().begin_after("/nowhere.so", "").unwrap_err();
    assert!(why.contains("/nowhere.so"), "{why}");
}
