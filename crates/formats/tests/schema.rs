//! The JSON Schema says the same as the reader.

use std::fs;
use std::path::Path;

use formats::Options;
use serde_json::Value;

/// Whether a value is as a schema says: the part of JSON Schema that ours uses.
fn fits(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    if let Some(path) = schema.get("$ref").and_then(Value::as_str) {
        let target = root.pointer(path.trim_start_matches('#'));
        fits(root, target.ok_or(format!("no {path}"))?, value)?;
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(list) = schema.get(key).and_then(Value::as_array) {
            let tries: Vec<_> = list.iter().map(|s| fits(root, s, value)).collect();
            if tries.iter().all(Result::is_err) {
                let why: Vec<String> = tries.into_iter().filter_map(Result::err).collect();
                return Err(format!("none of: {}", why.join(" / ")));
            }
        }
    }
    if let Some(types) = schema.get("type") {
        let types = types.as_array().cloned().unwrap_or(vec![types.clone()]);
        if !types.iter().filter_map(Value::as_str).any(|t| is(t, value)) {
            return Err(format!("{value} is no {types:?}"));
        }
    }
    if schema.get("const").is_some_and(|c| c != value) {
        return Err(format!("{value} is not {}", schema["const"]));
    }
    if let Some(list) = schema.get("enum").and_then(Value::as_array)
        && !list.contains(value)
    {
        return Err(format!("{value} is none of {list:?}"));
    }
    match value {
        Value::Object(map) => object(root, schema, map),
        Value::Array(list) => list.iter().try_for_each(|v| match schema.get("items") {
            Some(items) => fits(root, items, v),
            None => Ok(()),
        }),
        _ => Ok(()),
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

fn object(
    root: &Value,
    schema: &Value,
    map: &serde_json::Map<String, Value>,
) -> Result<(), String> {
    let required = schema.get("required").and_then(Value::as_array);
    for key in required.into_iter().flatten().filter_map(Value::as_str) {
        if !map.contains_key(key) {
            return Err(format!("`{key}` is missing"));
        }
    }
    for (key, value) in map {
        let known = schema.get("properties").and_then(|p| p.get(key));
        match (known, schema.get("additionalProperties")) {
            (Some(known), _) => fits(root, known, value).map_err(|e| format!("{key}: {e}"))?,
            (None, Some(Value::Bool(false))) => return Err(format!("unknown key `{key}`")),
            (None, Some(rest @ Value::Object(_))) => {
                fits(root, rest, value).map_err(|e| format!("{key}: {e}"))?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn checked(text: &str) -> Result<(), String> {
    let value: Value = diag::yaml::read(&diag::Source::new("x", text)).unwrap();
    let schema = formats::schema();
    fits(&schema, &schema, &value)
}

#[test]
fn what_is_written_and_what_people_write_fits() {
    let native = Path::new("tests/labs/native/telaio.yaml");
    let triangle = Path::new("../../examples/triangle/telaio.yaml");
    for path in [native, triangle] {
        checked(&fs::read_to_string(path).unwrap()).unwrap();
    }
    for name in ["kathara", "netkit", "jh", "folders", "native"] {
        let path = Path::new("tests/labs").join(name);
        let lab = formats::read(&path, &Options::default()).unwrap().lab;
        let text = formats::to_yaml(&lab).unwrap();
        checked(&text).unwrap_or_else(|e| panic!("{name}: {e}\n{text}"));
    }
}

#[test]
fn what_the_reader_refuses_does_not_fit() {
    for text in [
        "telaio: 2",
        "telaio: 1\nnodez: {}",
        "telaio: 1\nnodes: {a: {interfaces: {eth0: {adresses: []}}}}",
        "telaio: 1\nnodes: {a: {interfaces: {eth0: 5}}}",
        "telaio: 1\nnodes: {a: {startup: {fil: x}}}",
        "telaio: 1\nnodes: {a: {forward: maybe}}",
        "telaio: 1\nnodes: {a: {routes: [{via: 10.0.0.1}]}}",
        "telaio: 1\nprofile: katara",
        "telaio: 1\nchecks: [{reaches: {from: a}}]",
        "telaio: 1\nchecks: [{reaches: {from: a, to: b, too: c}}]",
        "telaio: 1\nchecks: [{reachs: {from: a, to: b}}]",
    ] {
        assert!(checked(text).is_err(), "{text}");
    }
}
