//! Checks in the native language: a test under its name, with `name` and `within` beside it.

use diag::yaml::{Tree, Value};
use diag::{Diagnostic, Diagnostics, Source};
use ipnet::IpNet;
use lab::{Check, Lab, Test};
use regex::Regex;
use serde::Deserialize;

use super::de::{from_tree, mark};
use crate::nearest::nearest;

/// What stands beside the test.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Beside {
    name: Option<String>,
    within: Option<f64>,
}

/// Reads one check.
pub(super) fn read(source: &Source, tree: &Tree) -> Result<Check, Diagnostic> {
    let Value::Map(entries) = &tree.value else {
        return Err(Diagnostic::error("a check is a mapping")
            .at(source.at(mark(source, tree)))
            .help("like `- reaches: {from: pc1, to: pc2}`"));
    };
    let (beside, test): (Vec<_>, Vec<_>) = entries
        .iter()
        .cloned()
        .partition(|(key, _)| matches!(key.text.as_str(), "name" | "within"));
    let part = |value| Tree {
        span: tree.span.clone(),
        value: Value::Map(value),
    };
    if let [_, (second, _), ..] = test.as_slice() {
        return Err(Diagnostic::error("a check has one test")
            .at(source.at(second.span.clone()))
            .help("begin a check of its own for it, with `- `"));
    }
    if test.is_empty() {
        return Err(Diagnostic::error("a check needs a test")
            .at(source.at(mark(source, tree)))
            .help("like `reaches: {from: pc1, to: pc2}`"));
    }
    let Beside { name, within } = from_tree(source, "checks", &part(beside))?;
    let test: Test = from_tree(source, "checks", &part(test))?;
    let check = Check { name, within, test };
    match bad_value(&check.test) {
        None => Ok(check),
        Some((key, message, help)) => {
            let Value::Map(entries) = &tree.value else {
                return Ok(check);
            };
            let value = entries.iter().find_map(|(_, t)| t.get(key)).unwrap_or(tree);
            let place = source.at(mark(source, value));
            Err(Diagnostic::error(message).at(place).help(help))
        }
    }
}

/// What no type says about a test's values: the key, what is wrong, and how to mend it.
fn bad_value(test: &Test) -> Option<(&'static str, String, &'static str)> {
    const PREFIX: &str = "like 10.1.0.0/16 or fd00:1::/64";
    let net = |key, text: &str| match text.parse::<IpNet>() {
        Ok(_) => None,
        Err(_) => Some((key, format!("bad prefix `{text}`"), PREFIX)),
    };
    let pattern = |key, text: &Option<String>| {
        let error = Regex::new(text.as_deref()?).err()?;
        let error = error.to_string();
        let last = error.lines().last().unwrap_or_default();
        let last = last.trim_start_matches("error: ");
        Some((
            key,
            format!("bad regular expression: {last}"),
            "put a `\\` before a character that means itself",
        ))
    };
    match test {
        Test::Route { to, .. } if to != "default" => net("to", to),
        Test::BgpNetwork { network, .. } => net("network", network),
        Test::Address { address, .. } => net("address", address),
        Test::Command { matches, .. } => pattern("matches", matches),
        Test::Http { body, .. } => pattern("body", body),
        _ => None,
    }
}

/// Names in `to` that no node has although one is near.
pub(super) fn odd_names(source: &Source, tree: &Tree, lab: &Lab) -> Diagnostics {
    let mut out = Diagnostics::new();
    let Value::List(list) = &tree.value else {
        return out;
    };
    let tests = list.iter().filter_map(|check| {
        let test = check.get("reaches").or_else(|| check.get("not_reaches"))?;
        test.get("to")
    });
    for to in tests {
        let Some(name) = to.text().filter(|n| !n.contains(['.', ':'])) else {
            continue;
        };
        let near = nearest(name, lab.nodes.keys().map(String::as_str));
        if let (Some(near), false) = (near, lab.nodes.contains_key(name)) {
            let text = format!("no node is called `{name}`: the node's resolver is asked");
            out.push(
                Diagnostic::warning(text)
                    .at(source.at(mark(source, to)))
                    .help(format!("did you mean `{near}`?")),
            );
        }
    }
    out
}
