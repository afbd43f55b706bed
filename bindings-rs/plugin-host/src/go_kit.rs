//! What saker does for plugins that are made with Falco's kit for Go. In: a plugin's schema and
//! `init_config`; out: the configuration that it is given.
use serde_json::Value;

const KEY: &str = "useAsync";

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
}
