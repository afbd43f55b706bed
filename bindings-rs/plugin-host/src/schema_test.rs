//! Configurations held against schemas.
use super::check_config;

const SCHEMA: &str = r##"{"$ref": "#/definitions/Config", "definitions": {"Config": {
    "type": "object", "required": ["name"], "additionalProperties": false, "properties": {
        "name": {"type": "string", "minLength": 2},
        "size": {"type": "integer", "minimum": 1, "maximum": 8},
        "kind": {"enum": ["a", "b"]},
        "hosts": {"type": "array", "maxItems": 2, "items": {"$ref": "#/definitions/Host"}}}},
    "Host": {"type": "object", "properties": {"port": {"type": ["integer", "null"]}}}}}"##;

fn refusal(config: &str) -> String {
    let refusal = check_config("p", SCHEMA, config).expect_err("a refusal");
    refusal.strip_prefix("error in plugin p").expect("the plugin's name").to_owned()
}

#[test]
fn what_does_not_fit_is_told_with_its_place() {
    let fits = r#"{"name": "ab", "size": 8, "kind": "b", "hosts": [{"port": null}]}"#;
    assert_eq!(check_config("p", SCHEMA, fits), Ok(fits.to_owned()));
    let missing = " init config: In <root>, the required property 'name' is missing";
    assert_eq!(refusal(""), missing);
    assert_eq!(
        refusal(r#"{"name": "ab", "nam": 1}"#),
        " init config: In <root>, there is no property 'nam'"
    );
    assert_eq!(
        refusal(r#"{"name": "a"}"#),
        " init config: In <root>[name], there must be at least 2 characters"
    );
    assert_eq!(
        refusal(r#"{"name": "ab", "size": 9}"#),
        " init config: In <root>[size], the value must be at most 8"
    );
    assert_eq!(
        refusal(r#"{"name": "ab", "size": 1.5}"#),
        " init config: In <root>[size], the value must be of type integer"
    );
    assert_eq!(
        refusal(r#"{"name": "ab", "kind": "c"}"#),
        " init config: In <root>[kind], the value must be one of \"a\", \"b\""
    );
    assert_eq!(
        refusal(r#"{"name": "ab", "hosts": [{}, {"port": "x"}]}"#),
        " init config: In <root>[hosts][1][port], the value must be of type integer or null"
    );
    assert!(refusal("prefix").starts_with(": init config is not a valid json: "));
}

#[test]
fn forms_are_combined() {
    let one = r#"{"oneOf": [{"type": "string"}, {"const": 1}], "not": {"const": "x"}}"#;
    assert!(check_config("p", one, "\"y\"").is_ok());
    assert!(check_config("p", one, "1").is_ok());
    assert!(check_config("p", one, "\"x\"").is_err());
    assert!(check_config("p", one, "2").is_err());
    let any = r#"{"anyOf": [{"minimum": 3}, {"type": "string"}]}"#;
    assert!(check_config("p", any, "2").is_err());
    assert!(check_config("p", any, "3").is_ok());
    let when = r#"{"if": {"required": ["a"]}, "then": {"required": ["b"]}}"#;
    assert!(check_config("p", when, r#"{"a": 1}"#).is_err());
    assert!(check_config("p", when, "{}").is_ok());
}

#[test]
fn a_schema_without_end_is_told() {
    let endless = r##"{"$ref": "#"}"##;
    assert!(check_config("p", endless, "{}").expect_err("a refusal").ends_with("be followed"));
    let wide = r##"{"anyOf": [{"$ref": "#"}, {"$ref": "#"}], "x": 0}"##;
    assert!(check_config("p", wide, "{}").is_err());
    assert!(check_config("p", "[]", "{}").is_err());
    assert!(check_config("p", "nonsense", "{}").is_err());
}

#[test]
fn texts_and_names_have_forms() {
    let schema = r#"{"properties": {"a": {"pattern": "^[a-z]+$"}}, "patternProperties":
        {"^n_": {"type": "integer"}, "(?=x)": {"type": "integer"}}}"#;
    let strict = r#"{"patternProperties": {"^n_": {}}, "additionalProperties": false}"#;
    assert!(check_config("p", schema, r#"{"a": "abc", "n_1": 1, "x": "x"}"#).is_ok());
    let refused = check_config("p", schema, r#"{"a": "ab1"}"#).expect_err("a refusal");
    assert!(refused.ends_with("In <root>[a], the value must be of the form ^[a-z]+$"), "{refused}");
    let refused = check_config("p", schema, r#"{"n_1": "x"}"#).expect_err("a refusal");
    assert!(refused.ends_with("In <root>[n_1], the value must be of type integer"), "{refused}");
    assert!(check_config("p", strict, r#"{"n_": 1}"#).is_ok());
    assert!(check_config("p", strict, r#"{"n": 1}"#).is_err());
    // What cannot be followed refuses nothing.
    let around = r#"{"properties": {"a": {"pattern": "(?=b)"}}}"#;
    assert!(check_config("p", around, r#"{"a": "c"}"#).is_ok());
}

#[test]
fn properties_depend_on_others() {
    let schema = r#"{"dependencies": {"user": ["password"], "tls": {"required": ["port"]}},
        "dependentRequired": {"key": ["certificate"]}}"#;
    let refused = |config: &str| check_config("p", schema, config).err().unwrap_or_default();
    assert!(refused(r#"{"user": 1}"#).ends_with("with 'user' the property 'password' is required"));
    assert!(refused(r#"{"tls": 1}"#).ends_with("the required property 'port' is missing"));
    assert!(refused(r#"{"key": 1}"#).contains("'certificate'"));
    assert_eq!(refused(r#"{"user": 1, "password": 1, "tls": 1, "port": 1}"#), "");
}
