//! The JSON Schema of the native language: the model's own, and the short forms beside it.

use serde_json::{Value, json};

/// The schema, in the draft that schemars writes (2020-12).
pub(crate) fn schema() -> Value {
    let mut schema = schemars::schema_for!(lab::Lab).to_value();
    schema["title"] = "Telaio lab".into();
    schema["description"] = "A network lab in the language of Telaio.".into();
    let node = json!({ "$ref": "#/$defs/Node" });
    schema["properties"]["telaio"] = json!({
        "description": "Version of this language: 1.",
        "const": 1,
    });
    schema["properties"]["defaults"] = json!({
        "description": "What every node begins with: mappings are joined, lists come before the node's own (`shutdown`: after), anything else counts where the node is silent.",
        "$ref": "#/$defs/Node",
    });
    nullable(
        &mut schema["properties"]["nodes"]["additionalProperties"],
        node,
    );
    let segment = json!({ "$ref": "#/$defs/Segment" });
    nullable(
        &mut schema["properties"]["segments"]["additionalProperties"],
        segment,
    );
    let Some(defs) = schema.get_mut("$defs").and_then(Value::as_object_mut) else {
        return schema;
    };
    short(
        defs,
        "Interface",
        "A segment's name, an address, a list of addresses, or a mapping.",
        &[
            json!({ "type": "string" }),
            strings(),
            json!({ "type": "null" }),
        ],
    );
    short(
        defs,
        "FileItem",
        "A folder whose content goes to `/`, or a mapping.",
        &[text()],
    );
    short(defs, "Mount", "`HOST:AT[:ro]`, or a mapping.", &[text()]);
    short(
        defs,
        "Route",
        "`DESTINATION [via ADDRESS] [dev INTERFACE] [metric N]`, or a mapping.",
        &[text()],
    );
    short(
        defs,
        "Port",
        "`[HOST:]GUEST[/PROTOCOL]`, or a mapping.",
        &[text(), json!({ "type": "integer" })],
    );
    short(
        defs,
        "Ulimit",
        "A number, `SOFT:HARD`, or a mapping; -1 is unlimited.",
        &[text(), json!({ "type": "integer" })],
    );
    short(
        defs,
        "External",
        "The interface's name, or a mapping.",
        &[text()],
    );
    for (owner, key) in [
        ("Node", "files"),
        ("Node", "mounts"),
        ("Node", "routes"),
        ("Node", "ports"),
        ("Node", "startup"),
        ("Node", "shutdown"),
        ("Node", "depends_on"),
        ("Routing", "daemons"),
        ("Segment", "external"),
        ("Interface", "addresses"),
    ] {
        one_or_more(defs, owner, key);
    }
    if let Some(memory) = property(defs, "Limits", "memory") {
        *memory = json!({
            "description": "Memory: a number and a unit like `64M` or `1G`, or bytes.",
            "type": ["integer", "string", "null"],
        });
    }
    scalars(defs);
    for check in ["Check", "Test"] {
        if let Some(check) = defs.get_mut(check) {
            loose(check);
        }
    }
    schema
}

/// Lets texts that a check compares with be written as numbers and words of YAML.
fn loose(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            for (key, value) in map {
                let text = value
                    .get("type")
                    .is_some_and(|t| t == "string" || t.is_array());
                match key.as_str() {
                    "value" | "output" | "answer" if text => {
                        value["type"] = json!(["string", "number", "boolean", "null"]);
                    }
                    _ => loose(value),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(loose),
        _ => {}
    }
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn strings() -> Value {
    json!({ "type": "array", "items": { "type": "string" } })
}

fn nullable(place: &mut Value, schema: Value) {
    *place = json!({ "anyOf": [schema, { "type": "null" }] });
}

type Defs = serde_json::Map<String, Value>;

/// The full form of a definition, which is kept under the name `XMapping` once it has short ones.
fn property<'a>(defs: &'a mut Defs, owner: &str, key: &str) -> Option<&'a mut Value> {
    let full = format!("{owner}Mapping");
    let owner = if defs.contains_key(&full) {
        full.as_str()
    } else {
        owner
    };
    defs.get_mut(owner)?.get_mut("properties")?.get_mut(key)
}

/// Lets a definition have short forms.
fn short(defs: &mut Defs, name: &str, about: &str, forms: &[Value]) {
    let Some(full) = defs.remove(name) else {
        return;
    };
    let full_name = format!("{name}Mapping");
    let mut any = vec![json!({ "$ref": format!("#/$defs/{full_name}") })];
    any.extend(forms.iter().cloned());
    defs.insert(full_name, full);
    defs.insert(
        name.to_string(),
        json!({ "description": about, "anyOf": any }),
    );
}

/// Lets a list of one be written without being a list.
fn one_or_more(defs: &mut Defs, owner: &str, key: &str) {
    let Some(place) = property(defs, owner, key) else {
        return;
    };
    let Some(items) = place.get("items").cloned() else {
        return;
    };
    let about = place.get("description").cloned().unwrap_or_default();
    *place = json!({
        "description": about,
        "anyOf": [{ "type": "array", "items": items.clone() }, items],
    });
}

/// Lets values that are texts to the model be written as numbers and words of YAML.
fn scalars(defs: &mut Defs) {
    for key in ["environment", "sysctls"] {
        if let Some(values) = property(defs, "Node", key) {
            values["additionalProperties"] =
                json!({ "type": ["string", "number", "boolean", "null"] });
        }
    }
    for key in ["description", "version", "author", "email", "web"] {
        if let Some(value) = property(defs, "Info", key) {
            value["type"] = json!(["string", "number"]);
        }
    }
}
