//! Tests of BGP: neighbours, routes, EVPN.

use diag::yaml::Tree;
use lab::{BgpNeighbor, Test};

use super::reader::{Reader, entries_of};

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

/// All that is asked of `bgpd` alone.
pub(super) fn bgp(reader: &mut Reader<'_>, tests: &Tree) {
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
    let (with, all) = (entries_of(vteps), entries_of(sessions));
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
