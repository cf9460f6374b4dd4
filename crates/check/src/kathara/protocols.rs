//! Tests of routing protocols: BGP with EVPN, OSPF, SCION, and what any daemon announces and
//! takes in.

use diag::yaml::{Key, Tree};
use indexmap::IndexMap;
use lab::{BgpNeighbor, Test};

use super::reader::{Reader, negated, quoted};

/// What any daemon may be asked.
const COMMON: [&str; 2] = ["networks", "injections"];

const BGP: [&str; 8] = [
    "neighbors",
    "peerings",
    "routes",
    "evpn_sessions",
    "vtep_devices",
    "evpn",
    "networks",
    "injections",
];
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
            "bgpd" => bgp(reader, tests),
            "ospfd" => ospf(reader, tests),
            "sciond" => scion(reader, tests),
            _ => {
                reader.fields(tests, &daemon.text, &COMMON);
            }
        }
    }
    for what in COMMON {
        for (daemon, tests) in reader_entries(tree) {
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

/// Entries that have been looked at before, so that nothing is said of them twice.
fn reader_entries(tree: &Tree) -> &[(Key, Tree)] {
    match &tree.value {
        diag::yaml::Value::Map(entries) => entries,
        _ => &[],
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

fn bgp(reader: &mut Reader<'_>, tests: &Tree) {
    reader.fields(tests, "bgpd", &BGP);
    if let Some(tree) = tests.get("neighbors") {
        for (node, list) in reader.entries(tree, "neighbors") {
            neighbors(reader, &node.text, list);
        }
    }
    if let Some(tree) = tests.get("peerings") {
        for (node, text, item) in reader.texts(tree, "peerings") {
            session(reader, node, text, None, item);
        }
    }
    if let Some(tree) = tests.get("routes") {
        for (node, item) in reader.pairs(tree, "routes") {
            bgp_route(reader, node, item);
        }
    }
    evpn(reader, tests);
    if let Some(tree) = tests.get("evpn") {
        let tree = reader.fields(tree, "evpn", &["evpn_sessions", "vtep_devices"]);
        evpn(reader, tree);
    }
}

/// `[{ip, asn}, …]`: these neighbours and no others. One without an address is known by its
/// interface; beside such a one no others can be ruled out.
fn neighbors(reader: &mut Reader<'_>, node: &str, list: &Tree) {
    let mut known = Vec::new();
    let mut unnumbered = Vec::new();
    let mut complete = true;
    for item in reader.items(list, node) {
        let item = reader.fields(item, "neighbors", &["ip", "asn"]);
        let ip = reader.needed(item, "ip");
        let text = ip.and_then(|t| reader.text(t, "ip"));
        let asn = reader.needed(item, "asn");
        let help = "a number, such as 65001";
        let asn = asn.and_then(|t| reader.parse(t, "a number of an autonomous system", help));
        match (ip, text, asn) {
            (Some(place), Some(text), Some(asn)) => match text.trim().parse() {
                Ok(ip) => known.push(BgpNeighbor {
                    ip,
                    asn,
                    any_state: false,
                }),
                Err(_) => unnumbered.push((place, text, asn)),
            },
            _ => complete = false,
        }
    }
    let exact = unnumbered.is_empty();
    if complete && !known.is_empty() {
        let ips: Vec<String> = known.iter().map(|n| n.ip.to_string()).collect();
        let only = if exact { "exactly " } else { "" };
        let name = format!("{node}: the BGP neighbours are {only}{}", ips.join(", "));
        let test = Test::Bgp {
            node: node.into(),
            neighbors: known,
            exact,
        };
        reader.add(name, test);
    }
    for (place, text, asn) in unnumbered {
        session(reader, node, text, Some(asn), place);
    }
}

/// An established session with a neighbour of which no more than its name is known, by what FRR
/// says of it: `remoteAs` stands before `bgpState` there.
fn session(reader: &mut Reader<'_>, node: &str, neighbor: &str, asn: Option<u32>, place: &Tree) {
    let neighbor = neighbor.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || ".:-_@".contains(c);
    if neighbor.is_empty() || !neighbor.chars().all(plain) {
        let message = format!("`{neighbor}` is no neighbour");
        return reader.error(place, &message, "write an address or an interface");
    }
    let of = asn.map(|asn| format!(" of AS {asn}")).unwrap_or_default();
    let has = asn.map(|asn| format!(r#""remoteAs":\s*{asn}\b.*"#));
    let test = Test::Command {
        node: node.into(),
        run: format!("vtysh -c 'show bgp neighbors {neighbor} json'"),
        matches: Some(format!(
            r#"(?s){}"bgpState":\s*"Established""#,
            has.unwrap_or_default()
        )),
        output: None,
        status: None,
    };
    let name = format!("{node}: BGP session with {neighbor}{of} is established");
    reader.add(name, test);
}

/// `{route, aspath: [[as, …], …]}`: a path for each way, one with an empty text for its own.
fn bgp_route(reader: &mut Reader<'_>, node: &str, item: &Tree) {
    let item = reader.fields(item, "routes", &["route", "aspath"]);
    let (route, list) = (reader.needed(item, "route"), reader.needed(item, "aspath"));
    let (Some(route), Some(list)) = (route, list) else {
        return;
    };
    let text = reader.text(route, "route");
    let Some(network) = text.and_then(|text| reader.prefix(route, text)) else {
        return;
    };
    let mut paths = Vec::new();
    for path in reader.items(list, "aspath") {
        let systems = reader
            .items(path, "aspath")
            .iter()
            .filter(|t| t.text() != Some("") && !t.is_null());
        let help = "such as [[1, 2], [3]]";
        let read =
            systems.filter_map(|t| reader.parse(t, "a number of an autonomous system", help));
        paths.push(read.collect());
    }
    let name = format!("{node}: BGP knows {network} over {} paths", paths.len());
    let test = Test::BgpRoute {
        node: node.into(),
        network: network.into(),
        paths,
    };
    reader.add(name, test);
}

/// `evpn_sessions: {device: [neighbour, …]}` and `vtep_devices: {device: {ip, vnis: […]}}`;
/// those of the former announce their VXLANs if they are among the latter, else they must not.
fn evpn(reader: &mut Reader<'_>, tests: &Tree) {
    let (sessions, vteps) = (tests.get("evpn_sessions"), tests.get("vtep_devices"));
    if let Some(tree) = sessions {
        for (node, text, _) in reader.texts(tree, "evpn_sessions") {
            let test = Test::EvpnNeighbor {
                node: node.into(),
                ip: text.trim().into(),
            };
            reader.add(
                format!("{node}: EVPN session with {text} is established"),
                test,
            );
        }
    }
    if let Some(tree) = vteps {
        for (node, device) in reader.entries(tree, "vtep_devices") {
            vtep(reader, &node.text, device);
        }
    }
    let (Some(sessions), Some(vteps)) = (sessions, vteps) else {
        return;
    };
    let (with, all) = (reader_entries(vteps), reader_entries(sessions));
    for (node, _) in with {
        announces_vnis(reader, &node.text, false);
    }
    for (node, _) in all.iter().filter(|(n, _)| vteps.get(&n.text).is_none()) {
        announces_vnis(reader, &node.text, true);
    }
}

fn vtep(reader: &mut Reader<'_>, node: &str, device: &Tree) {
    let device = reader.fields(device, "vtep_devices", &["ip", "vnis"]);
    let (ip, vnis) = (reader.needed(device, "ip"), reader.needed(device, "vnis"));
    let address = ip.and_then(|t| reader.address(t));
    let (Some(address), Some(vnis)) = (address, vnis) else {
        return;
    };
    for item in reader.items(vnis, "vnis") {
        let vni: Option<u32> = reader.parse(item, "a number of a VXLAN", "such as 100");
        if let Some(vni) = vni {
            let test = Test::Vtep {
                node: node.into(),
                vni,
                address,
            };
            reader.add(
                format!("{node}: VXLAN {vni} has the local address {address}"),
                test,
            );
        }
    }
}

fn announces_vnis(reader: &mut Reader<'_>, node: &str, absent: bool) {
    let verb = if absent {
        "does not announce"
    } else {
        "announces"
    };
    let test = Test::Configured {
        node: node.into(),
        daemon: "bgpd".into(),
        line: "^advertise-all-vni".into(),
        absent,
    };
    reader.add(format!("{node}: bgpd {verb} its VXLANs"), test);
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
