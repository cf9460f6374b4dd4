//! Short forms of the native language, written out before the model's types read them. Places
//! stay those of the short form.
//!
//! | short | means |
//! |---|---|
//! | `eth0: A` | `eth0: {segment: A}` |
//! | `eth0: 10.0.0.1/24`, `eth0: [10.0.0.1/24, fd00::1/64]` | `eth0: {addresses: […]}` |
//! | `files: pc1`, `files: [pc1]` | `files: [{from: pc1, to: /}]` |
//! | `startup: echo hi`, `startup: {file: x}` | `startup: [echo hi]`, `startup: [{file: x}]` |
//! | `routes: [default via 10.0.0.1 dev eth0 metric 5]` | `routes: [{to: default, via: …}]` |
//! | `mounts: ["data:/data:ro"]` | `mounts: [{host: data, at: /data, read_only: true}]` |
//! | `ports: ["8080:80/tcp"]` | `ports: [{host: 8080, guest: 80, protocol: tcp}]` |
//! | `memory: 64M` | `memory: 67108864` |
//! | `ulimits: {nofile: 1024:2048}` | `ulimits: {nofile: {soft: 1024, hard: 2048}}` |
//! | `external: [eth1]` | `external: [{interface: eth1}]` |

use diag::Span;
use diag::yaml::{Key, Tree, Value};

use crate::conf::values;

/// Writes out the short forms in a node.
pub(super) fn node(tree: &mut Tree) {
    let Value::Map(entries) = &mut tree.value else {
        return;
    };
    for (key, value) in entries {
        match key.text.as_str() {
            "interfaces" => each_entry(value, interface),
            "files" => each(value, file),
            "startup" | "shutdown" => wrap(value),
            "depends_on" => wrap(value),
            "routes" => each(value, route),
            "mounts" => each(value, mount),
            "ports" => each(value, port),
            "limits" => limits(value),
            "routing" => routing(value),
            _ => {}
        }
    }
}

/// Writes out the short forms in a segment.
pub(super) fn segment(tree: &mut Tree) {
    if let Some(external) = get(tree, "external") {
        each(external, |tree| {
            if tree.text().is_some() {
                let inner = tree.clone();
                *tree = map(&tree.span, [("interface", inner)]);
            }
        });
    }
}

/// A single value where a list is wanted becomes a list of one.
fn wrap(tree: &mut Tree) {
    if !matches!(tree.value, Value::List(_)) && !tree.is_null() {
        let inner = tree.clone();
        tree.value = Value::List(vec![inner]);
    }
}

fn each(tree: &mut Tree, change: impl Fn(&mut Tree)) {
    wrap(tree);
    if let Value::List(list) = &mut tree.value {
        list.iter_mut().for_each(change);
    }
}

fn each_entry(tree: &mut Tree, change: impl Fn(&mut Tree)) {
    if let Value::Map(entries) = &mut tree.value {
        entries.iter_mut().for_each(|(_, value)| change(value));
    }
}

fn get<'a>(tree: &'a mut Tree, key: &str) -> Option<&'a mut Tree> {
    match &mut tree.value {
        Value::Map(entries) => entries
            .iter_mut()
            .find(|(k, _)| k.text == key)
            .map(|(_, v)| v),
        _ => None,
    }
}

fn map<const N: usize>(span: &Span, entries: [(&str, Tree); N]) -> Tree {
    let entries = entries.map(|(key, value)| {
        let key = Key {
            text: key.to_string(),
            span: span.clone(),
        };
        (key, value)
    });
    Tree {
        span: span.clone(),
        value: Value::Map(entries.into()),
    }
}

fn scalar(span: &Span, text: impl Into<String>) -> Tree {
    let value = Value::Scalar {
        text: text.into(),
        plain: false,
    };
    Tree {
        span: span.clone(),
        value,
    }
}

fn interface(tree: &mut Tree) {
    let span = tree.span.clone();
    match &tree.value {
        Value::List(_) => {
            let list = tree.clone();
            *tree = map(&span, [("addresses", list)]);
        }
        Value::Scalar { text, .. } if !tree.is_null() => {
            let key = if text.contains('/') {
                "addresses"
            } else {
                "segment"
            };
            let inner = tree.clone();
            *tree = map(&span, [(key, inner)]);
        }
        _ => {}
    }
    if let Some(addresses) = get(tree, "addresses") {
        wrap(addresses);
    }
}

fn file(tree: &mut Tree) {
    if tree.text().is_some() {
        let span = tree.span.clone();
        let from = tree.clone();
        *tree = map(&span, [("from", from), ("to", scalar(&span, "/"))]);
    }
}

/// `DESTINATION [via ADDRESS] [dev INTERFACE] [metric N]`, as `ip route` takes it.
fn route(tree: &mut Tree) {
    let Some(text) = tree.text() else { return };
    let mut words = text.split_whitespace();
    let mut entries = Vec::new();
    let mut push = |key: &str, text: &str| {
        let key = Key {
            text: key.to_string(),
            span: tree.span.clone(),
        };
        entries.push((key, scalar(&tree.span, text)));
    };
    let Some(to) = words.next() else { return };
    push("to", to);
    while let Some(word) = words.next() {
        match (word, words.next()) {
            ("via" | "dev" | "metric", Some(value)) => push(word, value),
            _ => return,
        }
    }
    tree.value = Value::Map(entries);
}

fn mount(tree: &mut Tree) {
    let Some(text) = tree.text() else { return };
    let span = tree.span.clone();
    let parts: Vec<&str> = text.split(':').collect();
    let (host, at, read_only) = match parts.as_slice() {
        [host, at] => (*host, *at, "false"),
        [host, at, "ro"] => (*host, *at, "true"),
        _ => return,
    };
    *tree = map(
        &span,
        [
            ("host", scalar(&span, host)),
            ("at", scalar(&span, at)),
            ("read_only", scalar(&span, read_only)),
        ],
    );
}

fn port(tree: &mut Tree) {
    let Some(Ok(port)) = tree.text().map(values::port) else {
        return;
    };
    let span = tree.span.clone();
    *tree = map(
        &span,
        [
            ("host", scalar(&span, port.host.to_string())),
            ("guest", scalar(&span, port.guest.to_string())),
            ("protocol", scalar(&span, port.protocol)),
        ],
    );
}

fn limits(tree: &mut Tree) {
    if let Some(memory) = get(tree, "memory")
        && let Some(Ok(bytes)) = memory.text().map(|t| values::memory(t, 1))
    {
        *memory = scalar(&memory.span, bytes.to_string());
    }
    let Some(ulimits) = get(tree, "ulimits") else {
        return;
    };
    each_entry(ulimits, |tree| {
        let Some(limit) = tree.text().and_then(values::limit) else {
            return;
        };
        let span = tree.span.clone();
        *tree = map(
            &span,
            [
                ("soft", scalar(&span, limit.soft.to_string())),
                ("hard", scalar(&span, limit.hard.to_string())),
            ],
        );
    });
}

fn routing(tree: &mut Tree) {
    if let Some(daemons) = get(tree, "daemons") {
        wrap(daemons);
    }
}

/// Gives a node what `defaults` says and it does not: mappings are joined, lists are put after
/// those of the defaults (before them for `shutdown`), anything else of the node's counts.
pub(super) fn inherit(node: &mut Tree, defaults: &Tree) {
    if node.is_null() {
        node.value = Value::Map(Vec::new());
    }
    let (Value::Map(own), Value::Map(given)) = (&mut node.value, &defaults.value) else {
        return;
    };
    for (key, value) in given {
        let Some((_, mine)) = own.iter_mut().find(|(k, _)| k.text == key.text) else {
            own.push((key.clone(), value.clone()));
            continue;
        };
        match (&mut mine.value, &value.value) {
            (Value::Map(_), Value::Map(_)) => inherit(mine, value),
            (Value::List(list), Value::List(more)) if key.text == "shutdown" => {
                list.extend(more.iter().cloned());
            }
            (Value::List(list), Value::List(more)) => {
                list.splice(0..0, more.iter().cloned());
            }
            _ => {}
        }
    }
}
