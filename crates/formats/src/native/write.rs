//! Writes a lab in the native language.

use lab::Lab;
use serde_json::{Map, Value, json};

use super::emit;

/// The text of a `telaio.yaml` that says what a lab is, short forms used.
pub(crate) fn to_yaml(lab: &Lab) -> Result<String, String> {
    let value = serde_json::to_value(lab).map_err(|e| e.to_string())?;
    let Value::Object(mut fields) = value else {
        return Err("a lab is no mapping".into());
    };
    fields["telaio"] = 1.into();
    let mut nodes = match fields.shift_remove("nodes") {
        Some(Value::Object(nodes)) => nodes,
        _ => Map::new(),
    };
    let defaults = common(&mut nodes);
    for node in nodes.values_mut().filter_map(Value::as_object_mut) {
        short_node(node);
    }
    let mut out = Map::new();
    for key in ["telaio", "name", "info", "profile"] {
        if let Some(value) = fields.shift_remove(key) {
            out.insert(key.into(), value);
        }
    }
    if !defaults.is_empty() {
        let mut defaults = defaults;
        short_node(&mut defaults);
        out.insert("defaults".into(), Value::Object(defaults));
    }
    out.insert("nodes".into(), Value::Object(nodes));
    out.extend(fields);
    for segment in out
        .get_mut("segments")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(|s| s.values_mut())
        .filter(|s| s.as_object().is_some_and(Map::is_empty))
    {
        *segment = Value::Null;
    }
    let open = |path: &[&str]| {
        matches!(
            path,
            ["nodes" | "defaults" | "info" | "links" | "checks"] | ["nodes", _]
        )
    };
    Ok(emit::emit(&Value::Object(out), &open))
}

/// Keys whose lists `defaults` can begin for every node.
const LISTS: [&str; 3] = ["files", "mounts", "startup"];
/// Keys whose value can be every node's.
const SINGLE: [&str; 7] = [
    "image",
    "forward",
    "ipv6",
    "routing",
    "shell",
    "terminals",
    "limits",
];
/// Keys whose entries can be every node's.
const MAPS: [&str; 2] = ["environment", "sysctls"];

/// Takes out of all nodes what all of them have.
fn common(nodes: &mut Map<String, Value>) -> Map<String, Value> {
    let mut defaults = Map::new();
    if nodes.len() < 2 {
        return defaults;
    }
    for key in LISTS {
        shared_items(nodes, key, false, &mut defaults);
    }
    shared_items(nodes, "shutdown", true, &mut defaults);
    for key in SINGLE {
        let mut values = nodes.values().map(|n| n.get(key));
        if let Some(Some(first)) = values.next()
            && values.all(|v| v == Some(first))
        {
            defaults.insert(key.into(), first.clone());
            each(nodes, |node| drop(node.shift_remove(key)));
        }
    }
    for key in MAPS {
        shared_entries(nodes, key, &mut defaults);
    }
    defaults
}

fn each(nodes: &mut Map<String, Value>, change: impl Fn(&mut Map<String, Value>)) {
    nodes
        .values_mut()
        .filter_map(Value::as_object_mut)
        .for_each(change);
}

fn list<'a>(node: &'a Value, key: &str) -> &'a [Value] {
    node.get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// Items at the beginning of every node's list, or at its end.
fn shared_items(
    nodes: &mut Map<String, Value>,
    key: &str,
    at_end: bool,
    defaults: &mut Map<String, Value>,
) {
    let at = |list: &[Value], i: usize| match at_end {
        true => list
            .len()
            .checked_sub(i + 1)
            .and_then(|i| list.get(i))
            .cloned(),
        false => list.get(i).cloned(),
    };
    let mut items = Vec::new();
    loop {
        let mut all = nodes.values().map(|n| at(list(n, key), items.len()));
        match all.next() {
            Some(Some(first)) if all.all(|v| v.as_ref() == Some(&first)) => items.push(first),
            _ => break,
        }
    }
    if items.is_empty() {
        return;
    }
    each(nodes, |node| {
        if let Some(list) = node.get_mut(key).and_then(Value::as_array_mut) {
            match at_end {
                true => list.truncate(list.len() - items.len()),
                false => drop(list.drain(..items.len())),
            }
            if list.is_empty() {
                node.shift_remove(key);
            }
        }
    });
    if at_end {
        items.reverse();
    }
    defaults.insert(key.into(), Value::Array(items));
}

/// Entries that are in every node's mapping.
fn shared_entries(nodes: &mut Map<String, Value>, key: &str, defaults: &mut Map<String, Value>) {
    let Some(first) = nodes.values().next().and_then(|n| n.get(key)?.as_object()) else {
        return;
    };
    let in_all = |k: &str, v: &Value| {
        nodes
            .values()
            .all(|n| n.get(key).and_then(|m| m.get(k)) == Some(v))
    };
    let shared: Map<String, Value> = first
        .iter()
        .filter(|(k, v)| in_all(k, v))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    if shared.is_empty() {
        return;
    }
    each(nodes, |node| {
        if let Some(map) = node.get_mut(key).and_then(Value::as_object_mut) {
            map.retain(|k, _| !shared.contains_key(k));
            if map.is_empty() {
                node.shift_remove(key);
            }
        }
    });
    defaults.insert(key.into(), Value::Object(shared));
}

/// Uses the short forms in a node ([`super::shorthand`]).
fn short_node(node: &mut Map<String, Value>) {
    if let Some(interfaces) = node.get_mut("interfaces").and_then(Value::as_object_mut) {
        interfaces.values_mut().for_each(short_interface);
    }
    for item in items(node, "files") {
        if item.as_object().is_some_and(|m| m.len() == 2)
            && item["to"] == "/"
            && item["from"].is_string()
        {
            *item = item["from"].take();
        }
    }
    for key in ["startup", "shutdown", "files"] {
        if let Some(value) = node.get_mut(key)
            && let Some([one]) = value.as_array().map(Vec::as_slice)
        {
            *value = one.clone();
        }
    }
    for item in items(node, "ports") {
        let text = format!(
            "{}:{}/{}",
            item["host"],
            item["guest"],
            item["protocol"].as_str().unwrap_or_default()
        );
        *item = text.into();
    }
    if let Some(limits) = node.get_mut("limits").and_then(Value::as_object_mut) {
        short_limits(limits);
    }
}

fn items<'a>(node: &'a mut Map<String, Value>, key: &str) -> impl Iterator<Item = &'a mut Value> {
    node.get_mut(key)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}

fn short_interface(value: &mut Value) {
    let Some(map) = value.as_object() else { return };
    let short = match (map.len(), map.get("segment"), map.get("addresses")) {
        (0, _, _) => Value::Null,
        (1, Some(segment), _) => segment.clone(),
        (1, _, Some(addresses)) => match addresses.as_array().map(Vec::as_slice) {
            Some([one]) => one.clone(),
            _ => addresses.clone(),
        },
        _ => return,
    };
    *value = short;
}

fn short_limits(limits: &mut Map<String, Value>) {
    if let Some(memory) = limits.get_mut("memory") {
        let units = [(30, "G"), (20, "M"), (10, "K")];
        let bytes = memory.as_u64().unwrap_or(0);
        let unit = units
            .iter()
            .find(|(bits, _)| bytes > 0 && bytes % (1 << bits) == 0);
        if let Some((bits, unit)) = unit {
            *memory = format!("{}{unit}", bytes >> bits).into();
        }
    }
    let ulimits = limits.get_mut("ulimits").and_then(Value::as_object_mut);
    for limit in ulimits.into_iter().flat_map(|u| u.values_mut()) {
        *limit = match limit["soft"] == limit["hard"] {
            true => limit["soft"].take(),
            false => json!(format!("{}:{}", limit["soft"], limit["hard"])),
        };
    }
}
