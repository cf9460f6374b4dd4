//! What FRR's daemons know and how they are configured, as `vtysh` tells it.

use ipnet::IpNet;
use lab::{BgpNeighbor, Test};
use serde_json::Value;

use super::Seen::{self, Right, Several, Wrong};
use super::{Finding, Look, matches, no_answer, regex};

impl Look<'_> {
    pub(super) fn at_daemon(&self, test: &Test) -> Result<Seen, String> {
        match test {
            Test::Bgp {
                neighbors, exact, ..
            } => {
                let summary = self.ask_json("show bgp summary json")?;
                Ok(Several(neighbors_in(
                    self.node, &summary, neighbors, *exact,
                )))
            }
            Test::BgpRoute { network, paths, .. } => {
                let family = if network.contains(':') {
                    "ipv6"
                } else {
                    "ipv4"
                };
                let table = self.ask_json(&format!("show bgp {family} unicast json"))?;
                Ok(paths_in(&table, network, paths))
            }
            Test::EvpnNeighbor { ip, .. } => {
                Ok(evpn_in(&self.ask_json("show bgp summary json")?, ip))
            }
            Test::OspfNeighbor {
                router_id, state, ..
            } => {
                let list = self.ask_json("show ip ospf neighbor json")?;
                let wanted = state.as_deref().unwrap_or("full");
                Ok(ospf_neighbor_in(&list, router_id, wanted))
            }
            Test::OspfRoute { network, .. } => Ok(ospf_route_in(
                &self.ask_json("show ip ospf route json")?,
                network,
            )),
            Test::OspfInterface {
                interface, values, ..
            } => {
                let list = self.ask_json("show ip ospf interface json")?;
                let found = list.get("interfaces").and_then(|i| i.get(interface));
                let Some(found) = found else {
                    return Ok(Wrong(format!("OSPF knows no interface {interface}")));
                };
                let one = |(key, wanted): (&String, &String)| value_in(found, key, wanted);
                Ok(Several(values.iter().map(one).collect()))
            }
            Test::BgpNetwork {
                network, absent, ..
            } => self.configured("bgpd", *absent, &|line| announces(line, network)),
            Test::Redistributes {
                into, from, absent, ..
            } => self.configured(&daemon(into), *absent, &|line| takes_in(line, from)),
            Test::Configured {
                daemon,
                line,
                absent,
                ..
            } => {
                let pattern = regex(line)?;
                self.configured(daemon, *absent, &|line| {
                    matches(&pattern, line).unwrap_or(false)
                })
            }
            _ => Ok(Seen::Never("this is no test of routing daemons".into())),
        }
    }

    fn ask_json(&self, command: &str) -> Result<Value, String> {
        self.json(&["vtysh", "-c", command])
    }

    /// Whether a daemon's running configuration has a line.
    fn configured(
        &self,
        daemon: &str,
        absent: bool,
        is_it: &dyn Fn(&str) -> bool,
    ) -> Result<Seen, String> {
        let command = format!("show running-config {daemon}");
        let argv = ["vtysh", "-c", &command];
        let output = self.exec(&argv)?;
        if output.status != 0 {
            return Err(no_answer(&argv, &output));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let found = text.lines().map(str::trim).find(|line| is_it(line));
        let seen = match found {
            Some(line) => format!("{daemon} has `{line}`"),
            None => format!("{daemon} has no such line in its configuration"),
        };
        Ok(Seen::of(found.is_some() != absent, seen))
    }
}

/// The daemon of a protocol, which may be named as the daemon.
fn daemon(protocol: &str) -> String {
    match protocol.ends_with('d') {
        true => protocol.into(),
        false => format!("{protocol}d"),
    }
}

/// `network PREFIX …`
fn announces(line: &str, network: &str) -> bool {
    let mut words = line.split_whitespace();
    words.next() == Some("network")
        && words
            .next()
            .is_some_and(|found| same_prefix(found, network))
}

/// `redistribute SOURCE …`; IS-IS names a family before the source.
fn takes_in(line: &str, source: &str) -> bool {
    let mut words = line.split_whitespace();
    words.next() == Some("redistribute")
        && words.find(|w| !matches!(*w, "ipv4" | "ipv6")) == Some(source)
}

fn same_prefix(a: &str, b: &str) -> bool {
    match (a.parse::<IpNet>(), b.parse::<IpNet>()) {
        (Ok(a), Ok(b)) => a.trunc() == b.trunc(),
        _ => a == b,
    }
}

/// Peers of all unicast families of a BGP summary, each once.
fn peers(summary: &Value) -> Vec<(&String, &Value)> {
    let families = ["ipv4Unicast", "ipv6Unicast"];
    let tables = families.iter().filter_map(|f| summary.get(f)?.get("peers"));
    let mut found: Vec<(&String, &Value)> = Vec::new();
    for (name, peer) in tables.filter_map(Value::as_object).flatten() {
        if found.iter().all(|(n, _)| *n != name) {
            found.push((name, peer));
        }
    }
    found
}

/// Two findings for each neighbour, its AS and its session, or one that it is not there.
fn neighbors_in(node: &str, summary: &Value, wanted: &[BgpNeighbor], exact: bool) -> Vec<Finding> {
    let peers = peers(summary);
    let about = format!("{node}: BGP neighbours");
    let mut out = Vec::new();
    let extra: Vec<&str> = peers
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| wanted.iter().all(|w| w.ip.to_string() != *name))
        .collect();
    if exact && !extra.is_empty() {
        let text = format!("further neighbours: {}", extra.join(", "));
        out.push(Finding::new(about.clone(), false, text));
    }
    for neighbor in wanted {
        let ip = neighbor.ip.to_string();
        match peers.iter().find(|(name, _)| **name == ip) {
            None => {
                let text = format!("{ip} is no neighbour");
                out.push(Finding::new(about.clone(), false, text));
            }
            Some((_, peer)) => out.extend(neighbor_in(node, peer, neighbor)),
        }
    }
    if out.is_empty() {
        out.push(Finding::new(
            about,
            true,
            format!("{} neighbours", peers.len()),
        ));
    }
    out
}

fn neighbor_in(node: &str, peer: &Value, wanted: &BgpNeighbor) -> Vec<Finding> {
    let about = format!("{node}: BGP neighbour {}", wanted.ip);
    let asn = peer.get("remoteAs").and_then(Value::as_u64);
    let text = format!("{} is of AS {}", wanted.ip, asn.unwrap_or(0));
    let right = asn == Some(u64::from(wanted.asn));
    let mut out = vec![Finding::new(
        format!("{about} of AS {}", wanted.asn),
        right,
        text,
    )];
    if !wanted.any_state {
        let state = text_of(peer, "state");
        let text = format!("the session with {} is {state}", wanted.ip);
        let right = state == "Established";
        out.push(Finding::new(format!("{about} established"), right, text));
    }
    out
}

/// Compares the AS paths of a network, whatever their order.
fn paths_in(table: &Value, network: &str, wanted: &[Vec<u32>]) -> Seen {
    let routes = table.get("routes").and_then(Value::as_object);
    let found = routes
        .into_iter()
        .flatten()
        .find(|(name, _)| same_prefix(name, network));
    let Some(list) = found.and_then(|(_, paths)| paths.as_array()) else {
        return Wrong(format!("BGP does not know {network}"));
    };
    let path = |route: &Value| -> Vec<u32> {
        let words = text_of(route, "path");
        words
            .split_whitespace()
            .filter_map(|w| w.parse().ok())
            .collect()
    };
    let mut found: Vec<Vec<u32>> = list.iter().map(path).collect();
    let mut wanted = wanted.to_vec();
    found.sort();
    wanted.sort();
    Seen::of(
        found == wanted,
        format!("{network} over the AS paths {found:?}"),
    )
}

fn evpn_in(summary: &Value, neighbor: &str) -> Seen {
    let Some(family) = summary.get("l2VpnEvpn") else {
        return Wrong("the address family l2vpn evpn is not active".into());
    };
    match family.get("peers").and_then(|p| p.get(neighbor)) {
        None => Wrong(format!("{neighbor} is no EVPN neighbour")),
        Some(peer) => {
            let state = text_of(peer, "state");
            Seen::of(
                state == "Established",
                format!("the session with {neighbor} is {state}"),
            )
        }
    }
}

/// Newer FRR says the bare state in `converged`, older ones say `Full/DR` in `state`.
fn ospf_neighbor_in(list: &Value, id: &str, wanted: &str) -> Seen {
    let found = list.get("neighbors").and_then(|n| n.get(id));
    let Some(sessions) = found.and_then(Value::as_array).filter(|s| !s.is_empty()) else {
        return Wrong(format!("{id} is no neighbour"));
    };
    let states: Vec<String> = sessions
        .iter()
        .map(|s| {
            let keys = ["converged", "nbrState", "state"];
            let text = keys.iter().map(|k| text_of(s, k)).find(|t| !t.is_empty());
            let text = text.unwrap_or_default();
            text.split('/').next().unwrap_or_default().to_string()
        })
        .collect();
    Seen::of(
        states.iter().any(|s| s.eq_ignore_ascii_case(wanted)),
        format!("{id} is {}", states.join(", ")),
    )
}

fn ospf_route_in(table: &Value, network: &str) -> Seen {
    let routes = table.get("routes").unwrap_or(table).as_object();
    let found = routes
        .into_iter()
        .flatten()
        .any(|(name, _)| same_prefix(name, network));
    match found {
        true => Right(format!("OSPF has a route to {network}")),
        false => Wrong(format!("OSPF has no route to {network}")),
    }
}

fn value_in(found: &Value, key: &str, wanted: &str) -> Finding {
    let seen = match found.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "not there".into(),
    };
    // how YAML's and Python's readers write truth
    let same =
        seen == wanted || (matches!(&*seen, "true" | "false") && seen.eq_ignore_ascii_case(wanted));
    Finding::new(format!("{key} {wanted}"), same, format!("{key} is {seen}"))
}

fn text_of<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::tests::see;
    use serde_json::json;

    fn neighbor(ip: &str, asn: u32, any_state: bool) -> BgpNeighbor {
        let ip = ip.parse().unwrap();
        BgpNeighbor { ip, asn, any_state }
    }

    fn passed(findings: &[Finding]) -> Vec<bool> {
        findings.iter().map(|f| f.passed).collect()
    }

    #[test]
    fn bgp_neighbours_by_address_as_and_state() {
        let summary = json!({
            "ipv4Unicast": {"peers": {
                "10.0.0.2": {"remoteAs": 2, "state": "Established"},
                "10.0.0.3": {"remoteAs": 3, "state": "Active"},
            }},
            "ipv6Unicast": {"peers": {
                "fd00::2": {"remoteAs": 2, "state": "Established"},
            }},
        });
        let see = |list: &[BgpNeighbor], exact| passed(&neighbors_in("n", &summary, list, exact));
        assert_eq!(see(&[neighbor("10.0.0.2", 2, false)], false), [true, true]);
        assert_eq!(see(&[neighbor("fd00::2", 2, false)], false), [true, true]);
        assert_eq!(see(&[neighbor("10.0.0.2", 7, false)], false), [false, true]);
        assert_eq!(see(&[neighbor("10.0.0.3", 3, false)], false), [true, false]);
        assert_eq!(see(&[neighbor("10.0.0.3", 3, true)], false), [true]);
        assert_eq!(see(&[neighbor("10.0.0.4", 3, true)], false), [false]);
        assert_eq!(see(&[neighbor("10.0.0.3", 3, true)], true), [false, true]);
    }

    #[test]
    fn as_paths_in_any_order() {
        let table = json!({"routes": {"10.1.0.0/16": [{"path": "2 3"}, {"path": ""}]}});
        let right = |network: &str, paths: &[Vec<u32>]| {
            matches!(paths_in(&table, network, paths), Right(_))
        };
        assert!(right("10.1.0.0/16", &[vec![], vec![2, 3]]));
        assert!(!right("10.1.0.0/16", &[vec![2, 3]]));
        assert!(!right("10.2.0.0/16", &[vec![]]));
    }

    #[test]
    fn ospf_of_older_and_newer_suites() {
        let old = json!({"neighbors": {"2.2.2.2": [{"state": "Full/Backup"}]}});
        let new = json!({"neighbors": {"2.2.2.2": [{"nbrState": "Full/DR", "converged": "Full"}]}});
        for list in [&old, &new] {
            let seen = ospf_neighbor_in(list, "2.2.2.2", "FULL");
            assert_eq!(seen, Right("2.2.2.2 is Full".into()));
            let seen = ospf_neighbor_in(list, "3.3.3.3", "full");
            assert_eq!(seen, Wrong("3.3.3.3 is no neighbour".into()));
        }
        let table = json!({"10.0.0.0/24": {}});
        assert!(matches!(ospf_route_in(&table, "10.0.0.0/24"), Right(_)));
        assert!(matches!(ospf_route_in(&table, "10.1.0.0/24"), Wrong(_)));
    }

    #[test]
    fn interface_values_as_people_write_them() {
        let found = json!({"cost": 10, "state": "DR", "ospfEnabled": true});
        assert!(value_in(&found, "cost", "10").passed);
        assert!(value_in(&found, "ospfEnabled", "True").passed);
        assert!(!value_in(&found, "state", "Backup").passed);
        assert_eq!(value_in(&found, "area", "0").message, "area is not there");
    }

    const CONFIG: &str = "Building configuration...\n!\nrouter bgp 2\n network 2.0.0.0/8\n \
        redistribute connected route-map x\n address-family l2vpn evpn\n  advertise-all-vni\n";

    #[test]
    fn lines_of_a_configuration() {
        let node = || "n".to_string();
        let network = |network: &str, absent| Test::BgpNetwork {
            node: node(),
            network: network.into(),
            absent,
        };
        let right = |test| matches!(see(CONFIG, &test), Right(_));
        assert!(right(network("2.0.0.0/8", false)));
        assert!(!right(network("2.0.0.0/16", false)));
        assert!(right(network("2.0.0.0/16", true)));
        let takes = |from: &str, absent| Test::Redistributes {
            node: node(),
            into: "bgp".into(),
            from: from.into(),
            absent,
        };
        assert!(right(takes("connected", false)));
        assert!(right(takes("static", true)));
        assert!(!right(takes("connected", true)));
        let line = |line: &str| Test::Configured {
            node: node(),
            daemon: "bgpd".into(),
            line: line.into(),
            absent: false,
        };
        assert!(right(line("^advertise-all-vni")));
        assert!(!right(line("^all-vni")));
        assert!(takes_in("redistribute ipv4 static level-1", "static"));
    }

    #[test]
    fn a_suite_that_does_not_answer_passes_nothing() {
        let test = Test::EvpnNeighbor {
            node: "n".into(),
            ip: "10.0.0.1".into(),
        };
        let Wrong(text) = see("bgpd is not running\n", &test) else {
            panic!("right")
        };
        assert!(text.contains("bgpd is not running"), "{text}");
    }
}
