//! Rules for what lies between nodes: links, segments, addresses; and for checks.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use diag::Diagnostic;

use super::Rules;
use crate::Test;

impl Rules<'_> {
    /// Ends of `links` that do not exist or are plugged twice.
    pub(super) fn links(&mut self) {
        let lab = self.lab;
        let mut used: HashMap<&str, usize> = HashMap::new();
        for (index, link) in lab.links.iter().enumerate() {
            for (side, end) in link.iter().enumerate() {
                let interface = end
                    .split_once(':')
                    .and_then(|(n, i)| lab.nodes.get(n)?.interfaces.get(i));
                let other = used.insert(end, index);
                let bad = match (interface, other) {
                    (None, _) => {
                        Diagnostic::error(format!("link end `{end}` is no interface of this lab"))
                            .help("write `node:interface`, both defined under `nodes`")
                    }
                    (Some(i), _) if i.segment.is_some() => Diagnostic::error(format!(
                        "`{end}` is plugged into a segment and a link at once"
                    ))
                    .help("remove its `segment` or this link"),
                    (Some(_), Some(other)) if other == index => {
                        Diagnostic::error(format!("a link joins `{end}` to itself"))
                            .help("name another interface at its other end")
                    }
                    (Some(_), Some(other)) => Diagnostic::error(format!(
                        "`{end}` is an end of two links (number {} and {})",
                        other + 1,
                        index + 1
                    ))
                    .help("three interfaces and more need a segment: give each `segment: NAME`"),
                    (Some(_), None) => continue,
                };
                self.push(&["links", &index.to_string(), &side.to_string()], bad);
            }
        }
    }

    /// Names of segments and interfaces of the host in them.
    pub(super) fn segments(&mut self) {
        let lab = self.lab;
        for name in lab.segments.keys().filter(|n| !good_segment(n)) {
            self.push(&["segments", name], bad_segment(name));
        }
        for (node, interface, name) in lab.nodes.iter().flat_map(|(node, n)| {
            n.interfaces
                .iter()
                .filter_map(move |(i, v)| Some((node, i, v.segment.as_deref()?)))
        }) {
            if !good_segment(name) {
                let path = ["nodes", node.as_str(), "interfaces", interface, "segment"];
                self.push(&path, bad_segment(name));
            }
        }
        let mut used = HashSet::new();
        for (name, segment) in &lab.segments {
            for (i, external) in segment.external.iter().enumerate() {
                let path = ["segments", name, "external", &i.to_string()];
                if external.vlan.is_some_and(|v| !(1..=4094).contains(&v)) {
                    let help = "802.1Q has the tags 1 to 4094";
                    self.push(&path, Diagnostic::error("bad VLAN number").help(help));
                }
                if !super::good_interface(&external.interface) {
                    let name = &external.interface;
                    let bad = Diagnostic::error(format!("bad interface name `{name}`"));
                    self.push(
                        &path,
                        bad.help("name an interface of the host, like `eth1`"),
                    );
                }
                if !used.insert((&external.interface, external.vlan)) {
                    let name = &external.interface;
                    let twice = Diagnostic::error(format!(
                        "`{name}` of the host is plugged in twice with the same tag"
                    ));
                    self.push(
                        &path,
                        twice.help("one segment gets it, or give each another `vlan`"),
                    );
                }
            }
        }
    }

    /// Addresses that no interface may have, and those that two members of a segment share.
    pub(super) fn addresses(&mut self) {
        let lab = self.lab;
        let mut seen: HashMap<(&str, IpAddr), (&str, &str)> = HashMap::new();
        for (name, node) in &lab.nodes {
            for (if_name, interface) in &node.interfaces {
                for (i, net) in interface.addresses.iter().enumerate() {
                    let (addr, i) = (net.addr(), i.to_string());
                    let path = ["nodes", name, "interfaces", if_name, "addresses", &i];
                    if addr.is_multicast() || addr.is_unspecified() {
                        let bad = Diagnostic::error(format!("{addr} is no interface's address"));
                        self.push(&path, bad.help("write an address of one host"));
                    }
                    let Some(segment) = &interface.segment else {
                        continue;
                    };
                    if let Some((n, i)) = seen.insert((segment, addr), (name, if_name)) {
                        let twice = Diagnostic::warning(format!(
                            "{n}:{i} and {name}:{if_name} have the same address {addr} on segment `{segment}`"
                        ));
                        self.push(&path, twice.help("only one of them will be reached by it"));
                    }
                }
            }
        }
    }

    /// Nodes that checks name, and their deadlines.
    pub(super) fn checks(&mut self) {
        let lab = self.lab;
        for (i, check) in lab.checks.iter().enumerate() {
            let path = ["checks", &i.to_string()];
            let node = check.test.node();
            if !lab.nodes.contains_key(node) && !matches!(check.test, Test::Node { .. }) {
                let bad = Diagnostic::error(format!(
                    "the check runs in `{node}`, which is no node of this lab"
                ));
                self.push(&path, bad.help("name a node that stands under `nodes`"));
            }
            if check.within.is_some_and(|s| !(0.0..=86_400.0).contains(&s)) {
                let bad = Diagnostic::error("bad deadline");
                self.push(&path, bad.help("`within` is in seconds, 0 to 86400"));
            }
        }
    }
}

fn bad_segment(name: &str) -> Diagnostic {
    Diagnostic::error(format!("bad segment name `{name}`"))
        .help("a segment's name has 1 to 63 letters, digits, `_`, `-` and `.`")
}

/// Whether it can be a segment's name.
fn good_segment(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}

#[cfg(test)]
mod tests {
    use crate::{External, Interface, Lab, Node, Segment, validate};

    #[test]
    fn an_interface_of_the_host_has_one_place() {
        let external = |vlan| External {
            interface: "eth1".into(),
            vlan,
        };
        let segment = Segment {
            external: vec![external(Some(7)), external(Some(8)), external(None)],
            ..Segment::default()
        };
        let mut lab = Lab::default();
        lab.segments.insert("A".into(), segment.clone());
        assert!(validate(&lab).is_empty());
        lab.segments.insert("B".into(), segment);
        assert_eq!(validate(&lab).iter().count(), 3);
    }

    #[test]
    fn an_address_twice_on_a_segment_is_only_a_warning() {
        let interface = Interface {
            segment: Some("A".into()),
            addresses: vec!["10.0.0.1/24".parse().unwrap()],
            ..Interface::default()
        };
        let mut lab = Lab::default();
        for name in ["a", "b"] {
            let mut node = Node::default();
            node.interfaces.insert("eth0".into(), interface.clone());
            lab.nodes.insert(name.into(), node);
        }
        let found = validate(&lab);
        assert_eq!(found.iter().count(), 1);
        assert!(!found.has_errors());
    }
}
