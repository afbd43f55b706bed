//! Fields, names and parameters as a plugin may tell them.
use std::ffi::c_char;

use super::*;

fn refused(text: &str) -> String {
    field_of(&serde_json::from_str(text).expect("JSON")).expect_err("a refusal")
}

#[test]
fn a_field_must_have_what_falco_asks_of_one() {
    assert_eq!(refused("{}"), "field JSON entry has no type");
    assert_eq!(refused(r#"{"type":"string"}"#), "field JSON entry has no name");
    assert_eq!(refused(r#"{"type":"string","name":"a.b"}"#), "field JSON entry has no desc");
    assert_eq!(refused(r#"{"type":"int","name":"a","desc":"d"}"#), "invalid field type int");
    assert_eq!(
        refused(r#"{"type":"bool","name":"a","desc":"d","isList":1}"#),
        "field a isList property is not boolean"
    );
    assert_eq!(
        refused(r#"{"type":"bool","name":"a","desc":"d","arg":{"isRequired":true}}"#),
        "field a arg has isRequired true, but none of isKey nor isIndex is true"
    );
    assert_eq!(
        refused(r#"{"type":"bool","name":"a","desc":"d","properties":[1]}"#),
        "field a properties value is not string"
    );
}

#[test]
fn a_field_is_told_as_the_contract_has_it() {
    let text = r#"{"type":"ipnet","name":"a.b","desc":"d","isList":true,"display":"D",
        "arg":{"isKey":true},"addOutput":true,"properties":["hidden"]}"#;
    let field = field_of(&serde_json::from_str(text).expect("JSON")).expect("a field");
    assert_eq!(
        field.to_json(),
        json!({"name": "a.b", "type": "ipnet", "description": "d", "isList": true, "display": "D",
            "argument": {"isRequired": false, "isIndex": false, "isKey": true},
            "addOutput": true, "properties": ["hidden"]})
    );
}

unsafe extern "C" fn names() -> *const c_char {
    c"[\"a\", \"\", \"b\", \"a\"]".as_ptr()
}
unsafe extern "C" fn numbers() -> *const c_char {
    c"[1]".as_ptr()
}
unsafe extern "C" fn null() -> *const c_char {
    std::ptr::null()
}

#[test]
fn lists_of_names_are_arrays_of_texts() {
    assert_eq!(names_of("s", Some(names), true), Ok(vec!["a".into(), "b".into()]));
    assert_eq!(names_of("s", Some(numbers), true), Err("'s' did not return a json array".into()));
    assert_eq!(names_of("s", Some(null), true), Ok(vec![]));
    assert_eq!(
        names_of("s", Some(null), false),
        Err("'s' did not return a json array but it should".into())
    );
    assert_eq!(fields_of(Some(null)).err(), Some("get_fields returned a null string".into()));
    assert_eq!(fields_of(Some(numbers)).err(), Some("field JSON entry has no type".into()));
}

#[test]
fn open_params_have_values() {
    assert_eq!(open_params(""), Ok(json!([])));
    assert_eq!(open_params("{}"), Err("list_open_params returned a non-array JSON".into()));
    assert_eq!(open_params("[{}]"), Err("list_open_params has entry with no value".into()));
    assert_eq!(
        open_params(r#"[{"value":"v","desc":"d"}]"#),
        Ok(json!([{"value": "v", "description": "d", "separator": ""}]))
    );
}
