//! Tests of routing protocols: OSPF, SCION, and what any daemon announces and takes in.

use diag::yaml::Tree;
use indexmap::IndexMap;
use lab::Test;

use super::bgp;
use super::reader::{Reader, entries_of, negated, quoted};

/// What any daemon may be asked.
const COMMON: [&str; 2] = ["networks", "injections"];

const OSPF: [&str; 5] = [
    "neighbors",
    "routes",
    "interfaces",
    "networks",
    "injections",
];
const SCION: [&str; 4] = ["address", "paths", "networks", "injections"];

/// `daemon: {what: {device: …}}`.
pub(super) fn protocols(reader: &mut Reader<'_>, tree: &Tree) {
    for (daemon, tests) in reader.entries(tree, "protocols") {
        match daemon.text.as_str() {
            "bgpd" => bgp::bgp(reader, tests),
            "ospfd" => ospf(reader, tests),
            "sciond" => scion(reader, tests),
            _ => {
                reader.fields(tests, &daemon.text, &COMMON);
            }
        }
    }
    for what in COMMON {
        for (daemon, tests) in entries_of(tree) {
            let Some(list) = tests.get(what) else {
                continue;
            };
            for (node, text, item) in reader.texts(list, what) {
                match what {
                    "networks" => announced(reader, &daemon.text, node, text, item),
                    _ => injected(reader, &daemon.text, node, text),
                }
            }
        }
    }
}

fn announced(reader: &mut Reader<'_>, daemon: &str, node: &str, text: &str, item: &Tree) {
    let (text, absent) = negated(text);
    let Some(network) = reader.prefix(item, text) else {
        return;
    };
    let verb = if absent {
        "does not announce"
    } else {
        "announces"
    };
    let name = format!("{node}: {daemon} {verb} {network}");
    let node = node.to_string();
    let test = match daemon {
        "bgpd" => Test::BgpNetwork {
            node,
            network: network.into(),
            absent,
        },
        _ => Test::Configured {
            node,
            daemon: daemon.into(),
            line: format!(r"^network\s+{}(\s|$)", regex::escape(network)),
            absent,
        },
    };
    reader.add(name, test);
}

fn injected(reader: &mut Reader<'_>, daemon: &str, node: &str, text: &str) {
    let (from, absent) = negated(text);
    let verb = if absent {
        "does not take in"
    } else {
        "takes in"
    };
    let name = format!("{node}: {daemon} {verb} {from} routes");
    let words: Vec<String> = from.split_whitespace().map(regex::escape).collect();
    let node = node.to_string();
    let test = match words.as_slice() {
        [_] => Test::Redistributes {
            node,
            into: daemon.into(),
            from: from.into(),
            absent,
        },
        words => Test::Configured {
            node,
            daemon: daemon.into(),
            line: format!(r"^redistribute\s+{}(\s|$)", words.join(r"\s+")),
            absent,
        },
    };
    reader.add(name, test);
}

fn ospf(reader: &mut Reader<'_>, tests: &Tree) {
    reader.fields(tests, "ospfd", &OSPF);
    if let Some(tree) = tests.get("neighbors") {
        for (node, item) in reader.pairs(tree, "neighbors") {
            ospf_neighbor(reader, node, item);
        }
    }
    if let Some(tree) = tests.get("routes") {
        for (node, item) in reader.pairs(tree, "routes") {
            ospf_route(reader, node, item);
        }
    }
    if let Some(tree) = tests.get("interfaces") {
        for (node, list) in reader.entries(tree, "interfaces") {
            for (interface, values) in reader.entries(list, &node.text) {
                ospf_interface(reader, &node.text, &interface.text, values);
            }
        }
    }
}

fn ospf_neighbor(reader: &mut Reader<'_>, node: &str, item: &Tree) {
    let item = reader.fields(item, "neighbors", &["router_id", "state"]);
    let id = reader.needed(item, "router_id");
    let Some(id) = id.and_then(|t| reader.text(t, "router_id")) else {
        return;
    };
    let state = item.get("state").and_then(|t| reader.optional(t, "state"));
    let name = format!("{node}: OSPF neighbour {id} is {}", state.unwrap_or("FULL"));
    let test = Test::OspfNeighbor {
        node: node.into(),
        router_id: id.into(),
        state: state.map(Into::into),
    };
    reader.add(name, test);
}

/// `{route}`, or the route alone.
fn ospf_route(reader: &mut Reader<'_>, node: &str, item: &Tree) {
    let route = match item.text() {
        Some(_) => Some(item),
        None => {
            let item = reader.fields(item, "routes", &["route"]);
            reader.needed(item, "route")
        }
    };
    let Some(route) = route else {
        return;
    };
    let text = reader.text(route, "route");
    if let Some(network) = text.and_then(|text| reader.prefix(route, text)) {
        let test = Test::OspfRoute {
            node: node.into(),
            network: network.into(),
        };
        reader.add(format!("{node}: OSPF has a route to {network}"), test);
    }
}

fn ospf_interface(reader: &mut Reader<'_>, node: &str, interface: &str, tree: &Tree) {
    let mut values = IndexMap::new();
    for (key, value) in reader.entries(tree, interface) {
        if let Some(text) = reader.text(value, &key.text) {
            values.insert(key.text.clone(), text.to_string());
        }
    }
    if values.is_empty() {
        return;
    }
    let keys: Vec<&str> = values.keys().map(String::as_str).collect();
    let name = format!("{node}: OSPF on {interface}: {}", keys.join(", "));
    let test = Test::OspfInterface {
        node: node.into(),
        interface: interface.into(),
        values,
    };
    reader.add(name, test);
}

/// `address: {device: text}` and `paths: {device: {destination: [path, …]}}`, by what `scion`
/// prints; its text has a path in the same words as the file (`1-ff00:0:1 2>3 1-ff00:0:4`).
fn scion(reader: &mut Reader<'_>, tests: &Tree) {
    reader.fields(tests, "sciond", &SCION);
    if let Some(tree) = tests.get("address") {
        for (node, value) in reader.entries(tree, "address") {
            if let Some(text) = reader.text(value, "address") {
                let test = command(&node.text, "scion address".into(), Some(text.into()), None);
                reader.add(format!("{}: the SCION address is {text}", node.text), test);
            }
        }
    }
    if let Some(tree) = tests.get("paths") {
        for (node, list) in reader.entries(tree, "paths") {
            for (to, path, _) in reader.texts(list, &node.text) {
                let run = format!(
                    "scion showpaths --refresh --no-color --maxpaths 1000 {}",
                    quoted(to)
                );
                let pattern = format!(r"\[{}\]", regex::escape(path.trim()));
                let test = command(&node.text, run, None, Some(pattern));
                reader.add(format!("{}: SCION knows the path {path}", node.text), test);
            }
        }
    }
}

fn command(node: &str, run: String, output: Option<String>, matches: Option<String>) -> Test {
    Test::Command {
        node: node.into(),
        run,
        matches,
        output,
        status: None,
    }
}
