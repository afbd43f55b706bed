//! JSON schemas of plugins' configurations: a schema and a configuration come in; what does not fit
//! goes out as one line. Asked are: `$ref` within the schema, `type`, `enum`, `const`, `required`,
//! `properties`, `patternProperties`, `additionalProperties`, `dependencies` (and what they are
//! called later), numbers of properties and items, `items`, `uniqueItems`, bounds of numbers and
//! lengths, `pattern`, `multipleOf`, `allOf`, `anyOf`, `oneOf`, `not`, `if`/`then`/`else`. Not
//! asked, thus never refused: `format` (which says what a text is for), expressions that look
//! around or back, schemas elsewhere.
use std::collections::HashSet;

use regex_lite::RegexBuilder;
use serde_json::{Map, Value};

/// How deep schema and configuration may go into each other; a schema may refer to itself.
const DEPTH_MAX: usize = 64;
/// Steps in all: combinations of schemas can multiply.
const STEPS_MAX: usize = 100_000;
/// Bytes of one expression, as it is followed.
const PATTERN_MAX: usize = 1 << 20;

/// Holds a plugin's `init_config` against its schema. Returns what the plugin is to be given: an
/// empty configuration is `{}` where there is a schema.
pub fn check_config(plugin: &str, schema: &str, config: &str) -> Result<String, String> {
    let wrong = |what: &str| format!("error in plugin {plugin}{what}");
    let Ok(root @ Value::Object(_)) = serde_json::from_str::<Value>(schema) else {
        return Err(wrong(": get_init_schema did not return a json object"));
    };
    let config = if config.is_empty() { "{}" } else { config };
    let value = serde_json::from_str::<Value>(config)
        .map_err(|error| wrong(&format!(": init config is not a valid json: {error}")))?;
    let mut check = Check { root: &root, steps: 0 };
    match check.hold(&root, &value, &mut Place(vec!["<root>".into()]), 0) {
        Ok(()) => Ok(config.to_owned()),
        Err(Misfit { place, what }) => Err(wrong(&format!(" init config: In {place}, {what}"))),
    }
}

struct Misfit {
    place: String,
    what: String,
}

/// Where in the configuration, as `<root>[key][0]`.
struct Place(Vec<String>);

impl Place {
    fn misfit<T>(&self, what: impl Into<String>) -> Result<T, Misfit> {
        Err(Misfit { place: self.0.concat(), what: what.into() })
    }
    fn within<T>(
        &mut self,
        part: &str,
        go: impl FnOnce(&mut Self) -> Result<T, Misfit>,
    ) -> Result<T, Misfit> {
        self.0.push(format!("[{part}]"));
        let gone = go(self);
        self.0.pop();
        gone
    }
}

struct Check<'a> {
    root: &'a Value,
    steps: usize,
}

type Held = Result<(), Misfit>;

impl<'a> Check<'a> {
    fn hold(&mut self, schema: &'a Value, value: &Value, place: &mut Place, depth: usize) -> Held {
        self.steps += 1;
        if depth > DEPTH_MAX || self.steps > STEPS_MAX {
            return place.misfit("the schema goes too deep to be followed");
        }
        let schema = match schema {
            Value::Bool(true) => return Ok(()),
            Value::Bool(false) => return place.misfit("nothing is allowed here"),
            Value::Object(schema) => schema,
            _ => return place.misfit("the schema is no object there"),
        };
        if let Some(Value::String(reference)) = schema.get("$ref") {
            return match self.referred(reference) {
                Some(target) => self.hold(target, value, place, depth + 1),
                None => place.misfit(format!("the schema has no {reference}")),
            };
        }
        check_kind(schema, value, place)?;
        match value {
            Value::Number(_) => check_number(schema, value, place)?,
            Value::String(text) => {
                let length = text.chars().count();
                check_count(schema, ["minLength", "maxLength"], length, "characters", place)?;
                let pattern = schema.get("pattern").and_then(Value::as_str);
                if let Some(pattern) = pattern.filter(|it| has_match(it, text) == Some(false)) {
                    return place.misfit(format!("the value must be of the form {pattern}"));
                }
            }
            Value::Array(items) => self.hold_items(schema, items, place, depth)?,
            Value::Object(object) => self.hold_object(schema, object, place, depth)?,
            Value::Null | Value::Bool(_) => {}
        }
        self.hold_combined(schema, value, place, depth)
    }

    fn referred(&self, reference: &str) -> Option<&'a Value> {
        let path = reference.strip_prefix('#')?;
        self.root.pointer(&path.replace("%25", "%"))
    }

    fn hold_items(
        &mut self,
        schema: &'a Map<String, Value>,
        items: &[Value],
        place: &mut Place,
        depth: usize,
    ) -> Held {
        check_count(schema, ["minItems", "maxItems"], items.len(), "items", place)?;
        if schema.get("uniqueItems") == Some(&Value::Bool(true)) {
            let mut seen = HashSet::new();
            if !items.iter().all(|item| seen.insert(item.to_string())) {
                return place.misfit("the items must differ");
            }
        }
        for (index, item) in items.iter().enumerate() {
            let of_item = match schema.get("items") {
                Some(Value::Array(each)) => each.get(index).or(schema.get("additionalItems")),
                other => other,
            };
            let Some(of_item) = of_item else { continue };
            place.within(&index.to_string(), |place| self.hold(of_item, item, place, depth + 1))?;
        }
        Ok(())
    }

    fn hold_object(
        &mut self,
        schema: &'a Map<String, Value>,
        object: &Map<String, Value>,
        place: &mut Place,
        depth: usize,
    ) -> Held {
        let bounds = ["minProperties", "maxProperties"];
        check_count(schema, bounds, object.len(), "properties", place)?;
        for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
            if let Some(name) = name.as_str()
                && !object.contains_key(name)
            {
                return place.misfit(format!("the required property '{name}' is missing"));
            }
        }
        self.hold_dependencies(schema, object, place, depth)?;
        let map = |key: &str| schema.get(key).and_then(Value::as_object);
        for (name, value) in object {
            let mut is_known = false;
            let known = map("properties").and_then(|properties| properties.get(name));
            let patterns = map("patternProperties").into_iter().flatten();
            // A name that an expression may allow is not known to be additional.
            let of_pattern = patterns.filter_map(|(pattern, one)| {
                let fits = has_match(pattern, name);
                is_known |= fits.is_none();
                (fits == Some(true)).then_some(one)
            });
            let mut all: Vec<&Value> = known.into_iter().chain(of_pattern).collect();
            if all.is_empty() && !is_known {
                match schema.get("additionalProperties") {
                    Some(Value::Bool(false)) => {
                        return place.misfit(format!("there is no property '{name}'"));
                    }
                    other => all.extend(other),
                }
            }
            for of_value in all {
                place.within(name, |place| self.hold(of_value, value, place, depth + 1))?;
            }
        }
        Ok(())
    }

    /// What must be there where a property is.
    fn hold_dependencies(
        &mut self,
        schema: &'a Map<String, Value>,
        object: &Map<String, Value>,
        place: &mut Place,
        depth: usize,
    ) -> Held {
        for key in ["dependencies", "dependentRequired", "dependentSchemas"] {
            let asked = schema.get(key).and_then(Value::as_object).into_iter().flatten();
            for (name, wanted) in asked.filter(|(name, _)| object.contains_key(*name)) {
                let Value::Array(names) = wanted else {
                    self.hold(wanted, &Value::Object(object.clone()), place, depth + 1)?;
                    continue;
                };
                let mut missing = names.iter().filter_map(Value::as_str);
                if let Some(missing) = missing.find(|other| !object.contains_key(*other)) {
                    return place
                        .misfit(format!("with '{name}' the property '{missing}' is required"));
                }
            }
        }
        Ok(())
    }

    fn hold_combined(
        &mut self,
        schema: &'a Map<String, Value>,
        value: &Value,
        place: &mut Place,
        depth: usize,
    ) -> Held {
        let list = |key: &str| schema.get(key).and_then(Value::as_array);
        for each in list("allOf").into_iter().flatten() {
            self.hold(each, value, place, depth + 1)?;
        }
        if let Some(any) = list("anyOf") {
            let mut first = None;
            let fits = any.iter().any(|each| match self.hold(each, value, place, depth + 1) {
                Ok(()) => true,
                Err(misfit) => {
                    first.get_or_insert(misfit);
                    false
                }
            });
            if let (false, Some(Misfit { what, .. })) = (fits, first) {
                return place.misfit(format!("none of the allowed forms fits: {what}"));
            }
        }
        if let Some(one) = list("oneOf") {
            let fitting =
                one.iter().filter(|each| self.hold(each, value, place, depth + 1).is_ok()).count();
            if fitting != 1 {
                return place.misfit(format!("{fitting} of the forms fit, of which one must"));
            }
        }
        if let Some(not) = schema.get("not")
            && self.hold(not, value, place, depth + 1).is_ok()
        {
            return place.misfit("the value is of a form that is not allowed");
        }
        if let Some(condition) = schema.get("if") {
            let holds = self.hold(condition, value, place, depth + 1).is_ok();
            if let Some(then) = schema.get(if holds { "then" } else { "else" }) {
                self.hold(then, value, place, depth + 1)?;
            }
        }
        Ok(())
    }
}

/// Whether the expression matches somewhere in the text; None: it cannot be followed.
fn has_match(pattern: &str, text: &str) -> Option<bool> {
    let built = RegexBuilder::new(pattern).size_limit(PATTERN_MAX).build();
    built.ok().map(|pattern| pattern.is_match(text))
}

fn check_kind(schema: &Map<String, Value>, value: &Value, place: &Place) -> Held {
    let is = |kind: &str| match (kind, value) {
        ("null", Value::Null)
        | ("boolean", Value::Bool(_))
        | ("number", Value::Number(_))
        | ("string", Value::String(_))
        | ("array", Value::Array(_))
        | ("object", Value::Object(_)) => true,
        ("integer", Value::Number(number)) => {
            number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|n| n.fract() == 0.0)
        }
        _ => false,
    };
    let (fits, wanted) = match schema.get("type") {
        Some(Value::String(kind)) => (is(kind), kind.clone()),
        Some(Value::Array(kinds)) => {
            let kinds: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
            (kinds.iter().any(|kind| is(kind)), kinds.join(" or "))
        }
        _ => (true, String::new()),
    };
    if !fits {
        return place.misfit(format!("the value must be of type {wanted}"));
    }
    if let Some(Value::Array(allowed)) = schema.get("enum")
        && !allowed.contains(value)
    {
        let allowed: Vec<String> = allowed.iter().take(20).map(Value::to_string).collect();
        return place.misfit(format!("the value must be one of {}", allowed.join(", ")));
    }
    match schema.get("const") {
        Some(only) if only != value => place.misfit(format!("the value must be {only}")),
        _ => Ok(()),
    }
}

fn check_number(schema: &Map<String, Value>, value: &Value, place: &Place) -> Held {
    let number = value.as_f64().unwrap_or(f64::NAN);
    let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
    // Of draft 4 a flag beside the bound, later a bound of its own.
    let excludes = |key: &str| schema.get(key) == Some(&Value::Bool(true));
    let least = bound("minimum");
    let most = bound("maximum");
    let (above, below) = (bound("exclusiveMinimum"), bound("exclusiveMaximum"));
    let strictly_above = least.filter(|_| excludes("exclusiveMinimum")).or(above);
    let strictly_below = most.filter(|_| excludes("exclusiveMaximum")).or(below);
    let refusals = [
        (least.filter(|least| number < *least), "at least"),
        (most.filter(|most| number > *most), "at most"),
        (strictly_above.filter(|bound| number <= *bound), "more than"),
        (strictly_below.filter(|bound| number >= *bound), "less than"),
        (
            bound("multipleOf").filter(|of| *of > 0.0 && (number / of).fract() != 0.0),
            "a multiple of",
        ),
    ];
    for (bound, what) in refusals {
        if let Some(bound) = bound {
            return place.misfit(format!("the value must be {what} {bound}"));
        }
    }
    Ok(())
}

fn check_count(
    schema: &Map<String, Value>,
    [least, most]: [&str; 2],
    count: usize,
    what: &str,
    place: &Place,
) -> Held {
    let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
    #[allow(clippy::cast_precision_loss, reason = "counts of a text of some megabytes")]
    let number = count as f64;
    if let Some(least) = bound(least).filter(|least| number < *least) {
        return place.misfit(format!("there must be at least {least} {what}"));
    }
    match bound(most).filter(|most| number > *most) {
        Some(most) => place.misfit(format!("there must be at most {most} {what}")),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "schema_test.rs"]
mod tests;
