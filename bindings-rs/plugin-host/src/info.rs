//! What a plugin says of itself: its functions come in, checked texts and lists go out, or one
//! line in Falco's words.
use std::ffi::CString;

use serde_json::{Map, Value, json};

use crate::abi::{
    EventTypes, FIELD_ABSTIME, FIELD_BOOL, FIELD_IPADDR, FIELD_IPNET, FIELD_RELTIME, FIELD_STRING,
    FIELD_U64, Plugin, SCHEMA_JSON, Said,
};
use crate::library::{Library, leading_version};
use crate::said::{self, JSON_MAX};

/// Fields of one plugin, and names in one of its lists.
const FIELDS_MAX: usize = 4096;
const NAMES_MAX: usize = 1024;
/// Event types that there can be.
const TYPES_MAX: usize = 1 << 16;

const TYPES: [(&str, u32); 7] = [
    ("string", FIELD_STRING),
    ("uint64", FIELD_U64),
    ("bool", FIELD_BOOL),
    ("reltime", FIELD_RELTIME),
    ("abstime", FIELD_ABSTIME),
    ("ipaddr", FIELD_IPADDR),
    ("ipnet", FIELD_IPNET),
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    pub is_required: bool,
    pub is_index: bool,
    pub is_key: bool,
}

#[derive(Clone, Debug)]
pub struct Field {
    pub name: String,
    /// The name as the plugin is asked for it.
    pub c_name: CString,
    pub kind: u32,
    pub description: String,
    pub display: String,
    pub is_list: bool,
    pub add_output: bool,
    pub argument: Option<Argument>,
    pub properties: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Info {
    pub name: String,
    pub version: String,
    pub description: String,
    pub contact: String,
    pub required_api_version: String,
    pub id: u32,
    pub source: String,
    pub fields: Vec<Field>,
    pub extract_sources: Vec<String>,
    pub parse_sources: Vec<String>,
    pub async_sources: Vec<String>,
    pub async_events: Vec<String>,
    pub init_schema: Option<String>,
}

impl Info {
    pub fn of(library: &Library) -> Result<Self, String> {
        let Library { functions, capabilities } = library;
        let word = |said: Option<Said>| words(said).unwrap_or_default();
        let mut info = Self {
            name: word(functions.get_name),
            version: word(functions.get_version),
            description: word(functions.get_description),
            contact: word(functions.get_contact),
            required_api_version: word(functions.get_required_api_version),
            ..Self::default()
        };
        if leading_version(&info.version).is_none() {
            let version = &info.version;
            return Err(format!("plugin provided an invalid version string: '{version}'"));
        }
        if capabilities.sourcing {
            // SAFETY: the interface's own types of these functions.
            info.id = functions.get_id.map_or(0, |id| unsafe { id() });
            if info.id != 0 {
                info.source = word(functions.get_event_source);
            }
            if info.source == "syscall" {
                let source = &info.source;
                return Err(format!("plugin can't implement the reserved event source '{source}'"));
            }
        }
        let wrong = |what: String| format!("error in plugin {}: {what}", info.name);
        let own = (!info.source.is_empty()).then(|| info.source.clone());
        let sources = |symbol: &str, said: Option<Said>| {
            let mut names = names_of(symbol, said, true)?;
            if let Some(own) = &own
                && !names.contains(own)
            {
                names.push(own.clone());
            }
            Ok::<_, String>(names)
        };
        if capabilities.extraction {
            info.fields = fields_of(functions.get_fields).map_err(wrong)?;
            let (symbol, said) = ("get_extract_event_sources", functions.get_extract_event_sources);
            info.extract_sources = sources(symbol, said).map_err(wrong)?;
        }
        if capabilities.parsing {
            let (symbol, said) = ("get_parse_event_sources", functions.get_parse_event_sources);
            info.parse_sources = sources(symbol, said).map_err(wrong)?;
        }
        if capabilities.asynchronous {
            let (symbol, said) = ("get_async_event_sources", functions.get_async_event_sources);
            info.async_sources = sources(symbol, said).map_err(wrong)?;
            let (symbol, said) = ("get_async_events", functions.get_async_events);
            info.async_events = names_of(symbol, said, false).map_err(wrong)?;
        }
        info.init_schema = schema_of(library).map_err(wrong)?;
        Ok(info)
    }

    /// As PluginInfo of src/plugins/contract.ts; the event types are known after `init`.
    pub fn to_json(&self, library: &Library) -> Value {
        let can = library.capabilities;
        let capabilities: Vec<&str> = [
            ("sourcing", can.sourcing),
            ("extraction", can.extraction),
            ("parsing", can.parsing),
            ("async", can.asynchronous),
            ("listening", can.listening),
        ]
        .into_iter()
        .filter_map(|(name, there)| there.then_some(name))
        .collect();
        let mut told = json!({
            "name": self.name, "version": self.version, "description": self.description,
            "contact": self.contact, "requiredApiVersion": self.required_api_version,
            "capabilities": capabilities, "id": self.id, "source": self.source,
            "fields": self.fields.iter().map(Field::to_json).collect::<Vec<_>>(),
            "extractSources": self.extract_sources, "extractEventTypes": [],
            "parseSources": self.parse_sources, "parseEventTypes": [],
            "asyncSources": self.async_sources, "asyncEvents": self.async_events,
        });
        if let Some(schema) = &self.init_schema {
            told["initSchema"] = json!(schema);
        }
        told
    }
}

impl Field {
    fn to_json(&self) -> Value {
        let kind = TYPES.iter().find(|(_, kind)| *kind == self.kind).map_or("", |(name, _)| name);
        let mut told = json!({
            "name": self.name, "type": kind, "description": self.description,
            "isList": self.is_list, "addOutput": self.add_output, "properties": self.properties,
        });
        if !self.display.is_empty() {
            told["display"] = json!(self.display);
        }
        if let Some(Argument { is_required, is_index, is_key }) = self.argument {
            told["argument"] =
                json!({ "isRequired": is_required, "isIndex": is_index, "isKey": is_key });
        }
        told
    }
}

/// One line that a plugin says of itself.
fn words(said: Option<Said>) -> Option<String> {
    // SAFETY: the interface's own type of the function.
    said.map(|said| unsafe { said::line(said()) })
}

fn json_text(said: Option<Said>) -> Option<String> {
    // SAFETY: the interface's own type of the function.
    said.and_then(|said| unsafe { said::bytes(said(), JSON_MAX) })
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

fn names_of(symbol: &str, said: Option<Said>, allow_empty: bool) -> Result<Vec<String>, String> {
    if said.is_none() {
        return Ok(Vec::new());
    }
    let text = json_text(said).unwrap_or_default();
    if text.is_empty() {
        let wrong = || format!("'{symbol}' did not return a json array but it should");
        return if allow_empty { Ok(Vec::new()) } else { Err(wrong()) };
    }
    let wrong = || format!("'{symbol}' did not return a json array");
    let Ok(Value::Array(items)) = serde_json::from_str(&text) else { return Err(wrong()) };
    if items.len() > NAMES_MAX {
        return Err(format!("'{symbol}' returned more than {NAMES_MAX} names"));
    }
    let mut names = Vec::new();
    for item in items {
        let Value::String(name) = item else { return Err(wrong()) };
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

fn fields_of(said: Option<Said>) -> Result<Vec<Field>, String> {
    let text = json_text(said).ok_or("get_fields returned a null string")?;
    let Ok(Value::Array(items)) = serde_json::from_str::<Value>(&text) else {
        return Err("get_fields returned an invalid JSON".into());
    };
    if items.is_empty() {
        return Err("plugins with extraction capability must export at least one field".into());
    }
    if items.len() > FIELDS_MAX {
        return Err(format!("get_fields returned more than {FIELDS_MAX} fields"));
    }
    items.iter().map(field_of).collect()
}

fn field_of(item: &Value) -> Result<Field, String> {
    let text = |key: &str| item[key].as_str().unwrap_or_default().to_owned();
    let needed = |key: &str| {
        Some(text(key))
            .filter(|text| !text.is_empty())
            .ok_or(format!("field JSON entry has no {key}"))
    };
    let kind = needed("type")?;
    let name = needed("name")?;
    let description = needed("desc")?;
    let Some((_, kind)) = TYPES.iter().find(|(known, _)| *known == kind) else {
        return Err(format!("invalid field type {kind}"));
    };
    let flag = |key: &str, of: &Value| match of.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(format!("field {name} {key} property is not boolean")),
    };
    let is_list = flag("isList", item)?;
    let add_output = flag("addOutput", item)?;
    let argument = match item.get("arg") {
        None | Some(Value::Null) => None,
        Some(arg) => {
            let is_required = flag("isRequired", arg)?;
            let is_index = flag("isIndex", arg)?;
            let is_key = flag("isKey", arg)?;
            if is_required && !is_index && !is_key {
                return Err(format!(
                    "field {name} arg has isRequired true, but none of isKey nor isIndex is true"
                ));
            }
            (is_index || is_key).then_some(Argument { is_required, is_index, is_key })
        }
    };
    let properties = match item.get("properties") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(properties)) => properties
            .iter()
            .map(|property| property.as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>()
            .ok_or(format!("field {name} properties value is not string"))?,
        Some(_) => return Err(format!("field {name} properties property is not array")),
    };
    let display = text("display");
    let kind = *kind;
    let c_name = said::for_plugin(&name);
    Ok(Field {
        name,
        c_name,
        kind,
        description,
        display,
        is_list,
        add_output,
        argument,
        properties,
    })
}

fn schema_of(library: &Library) -> Result<Option<String>, String> {
    let Some(schema) = library.functions.get_init_schema else { return Ok(None) };
    let mut kind = 0;
    // SAFETY: the interface's own type of the function, and a number of ours to write to.
    let text = unsafe { said::text(schema(&raw mut kind), JSON_MAX) };
    match kind {
        _ if text.is_empty() || kind == 0 => Ok(None),
        SCHEMA_JSON => Ok(Some(text)),
        other => Err(format!("get_init_schema returned an unknown schema type {other}")),
    }
}

/// The event types that a plugin asks for, once it is initialized.
///
/// # Safety
/// `plugin` is what its `init` gave.
pub unsafe fn event_types(asked: Option<EventTypes>, plugin: *mut Plugin) -> Vec<u16> {
    let Some(asked) = asked else { return Vec::new() };
    let mut count = 0;
    // SAFETY: as the caller says; the array has as many elements as it says.
    unsafe {
        let types = asked(&raw mut count, plugin);
        if types.is_null() {
            return Vec::new();
        }
        std::slice::from_raw_parts(types, (count as usize).min(TYPES_MAX)).to_vec()
    }
}

/// JSON of what `open` may be given, as src/plugins/contract.ts has it.
pub fn open_params(text: &str) -> Result<Value, String> {
    if text.is_empty() {
        return Ok(json!([]));
    }
    let Ok(Value::Array(items)) = serde_json::from_str::<Value>(text) else {
        return Err("list_open_params returned a non-array JSON".into());
    };
    let param = |item: &Value| {
        let word = |key: &str| item[key].as_str().unwrap_or_default();
        let value = word("value");
        if value.is_empty() {
            return Err("list_open_params has entry with no value".to_owned());
        }
        let fields =
            [("value", value), ("description", word("desc")), ("separator", word("separator"))];
        Ok(Value::Object(
            fields.map(|(key, word)| (key.into(), json!(word))).into_iter().collect::<Map<_, _>>(),
        ))
    };
    items.iter().take(NAMES_MAX).map(param).collect::<Result<Vec<_>, _>>().map(Value::Array)
}

#[cfg(test)]
#[path = "info_test.rs"]
mod tests;
