//! Routes in a node's kernel.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use lab::{ExpectedRoute, NextHop, Test};

use super::{Finding, Look, Seen, Several};
use crate::probe::{Hop, Route};

impl Look<'_> {
    pub(super) fn at_routes(&self, test: &Test) -> Result<Seen, String> {
        let list: Vec<Route> = self.probe(&["routes"])?;
        Ok(match test {
            Test::Route {
                to,
                via,
                absent,
                exact,
                ..
            } => route(&list, to, via, *absent, *exact),
            Test::RouteCount { count, .. } => {
                let found = list.iter().filter(|r| matches!(r.to, IpNet::V4(_))).count();
                Seen::of(found == *count, format!("{found} IPv4 routes"))
            }
            Test::Routes { routes, .. } => Several(table(self.node, &list, routes)?),
            _ => Seen::Never("this is no test of routes".into()),
        })
    }
}

/// Whether a table has a route; of several to one prefix that with the least metric counts,
/// which is the one that is used.
fn route(list: &[Route], to: &str, via: &[NextHop], absent: bool, exact: bool) -> Seen {
    let all: Vec<&Route> = list.iter().filter(|r| is_destination(r, to, via)).collect();
    let best = all.iter().map(|r| r.metric).min();
    let found: Vec<&&Route> = all.iter().filter(|r| Some(r.metric) == best).collect();
    let hops: Vec<&Hop> = found.iter().flat_map(|r| &r.via).collect();
    let has = |wanted: &NextHop| hops.iter().any(|h| is_hop(h, wanted));
    let right = !found.is_empty() && via.iter().all(has) && (!exact || hops.len() == via.len());
    let seen = match found.as_slice() {
        [] => format!("no route to {to}"),
        _ if hops.is_empty() => format!("{to} leads nowhere"),
        _ => format!("{to} {}", hops_text(&hops)),
    };
    Seen::of(right != absent, seen)
}

/// Compares a whole table: all differences, or one finding that there are none.
fn table(node: &str, list: &[Route], wanted: &[ExpectedRoute]) -> Result<Vec<Finding>, String> {
    let about = format!("{node}: routing table");
    let mut differences = Vec::new();
    let routed: BTreeMap<IpNet, &Route> = list
        .iter()
        .filter(|r| !r.attached)
        .map(|r| (r.to, r))
        .collect();
    let wanted: BTreeMap<IpNet, &ExpectedRoute> = wanted
        .iter()
        .map(|w| Ok((destination(&w.to)?, w)))
        .collect::<Result<_, String>>()?;
    let of_4 = |nets: &mut dyn Iterator<Item = &IpNet>| nets.filter(|n| is_v4(n)).count();
    let (has, must) = (of_4(&mut routed.keys()), of_4(&mut wanted.keys()));
    if has != must {
        differences.push(format!("{has} routes instead of {must}"));
    }
    for (to, expected) in &wanted {
        match routed.get(to) {
            Some(found) => differences.extend(hop_differences(to, found, &expected.via)),
            None if list.iter().any(|r| r.to == *to) => differences.push(format!(
                "no route to {to}: {node} is attached to that network, which does not count"
            )),
            None => differences.push(format!("no route to {to}")),
        }
    }
    let extra = routed
        .keys()
        .filter(|n| is_v4(n) && !wanted.contains_key(n));
    differences.extend(extra.map(|to| format!("a route to {to}, which must not be there")));
    if differences.is_empty() {
        return Ok(vec![Finding::new(about, true, format!("{has} routes"))]);
    }
    let finding = |text| Finding::new(about.clone(), false, text);
    Ok(differences.into_iter().map(finding).collect())
}

fn is_v4(net: &IpNet) -> bool {
    matches!(net, IpNet::V4(_))
}

fn hop_differences(to: &IpNet, found: &Route, wanted: &[NextHop]) -> Vec<String> {
    if wanted.is_empty() {
        return Vec::new();
    }
    let hops: Vec<&Hop> = found.via.iter().collect();
    if hops.len() != wanted.len() {
        return vec![format!(
            "{to} has {} next hops instead of {}: {}",
            hops.len(),
            wanted.len(),
            hops_text(&hops)
        )];
    }
    let missing = wanted.iter().filter(|w| !hops.iter().any(|h| is_hop(h, w)));
    missing
        .map(|w| format!("{to} not {}, but {}", wanted_text(w), hops_text(&hops)))
        .collect()
}

fn is_hop(hop: &Hop, wanted: &NextHop) -> bool {
    wanted.gateway.is_none_or(|g| hop.gateway == Some(g))
        && wanted.dev.as_deref().is_none_or(|d| d == hop.dev)
}

/// A destination as people write it: a prefix, an address, or `default`.
fn destination(text: &str) -> Result<IpNet, String> {
    if text == "default" {
        return Ok(IpNet::V4(ipnet::Ipv4Net::default()));
    }
    let net = text.parse::<IpNet>();
    let net = net.or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    net.map(|n| n.trunc())
        .map_err(|_| format!("{text} is no prefix"))
}

/// Whether a route leads to a destination. `default` is IPv4's, unless a next hop is of IPv6.
fn is_destination(route: &Route, to: &str, via: &[NextHop]) -> bool {
    if to == "default" {
        let v6 = via.iter().any(|h| h.gateway.is_some_and(|g| g.is_ipv6()));
        return route.to.prefix_len() == 0 && is_v4(&route.to) != v6;
    }
    destination(to).is_ok_and(|w| w == route.to)
}

fn hops_text(hops: &[&Hop]) -> String {
    let text = |hop: &&Hop| match hop.gateway {
        Some(gateway) => format!("via {gateway} dev {}", hop.dev),
        None => format!("dev {}", hop.dev),
    };
    hops.iter().map(text).collect::<Vec<_>>().join(", ")
}

fn wanted_text(hop: &NextHop) -> String {
    let gateway = hop.gateway.map(|g| format!("via {g}"));
    let dev = hop.dev.as_ref().map(|d| format!("dev {d}"));
    gateway.into_iter().chain(dev).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(gateway: &str, dev: &str) -> Hop {
        Hop {
            gateway: gateway.parse().ok(),
            dev: dev.into(),
        }
    }

    fn to(net: &str, via: Vec<Hop>) -> Route {
        Route {
            to: net.parse().unwrap(),
            attached: via.iter().any(|h| h.gateway.is_none()),
            via,
            metric: 0,
            protocol: "static".into(),
        }
    }

    fn wanted(gateway: &str, dev: &str) -> NextHop {
        NextHop {
            gateway: gateway.parse().ok(),
            dev: (!dev.is_empty()).then(|| dev.into()),
        }
    }

    #[test]
    fn destinations_as_people_write_them() {
        let found = |net: &str, text: &str| is_destination(&to(net, vec![]), text, &[]);
        assert!(found("0.0.0.0/0", "default"));
        assert!(!found("::/0", "default"));
        assert!(found("10.1.0.0/16", "10.1.0.0/16"));
        assert!(found("10.1.0.0/16", "10.1.2.3/16"));
        assert!(found("10.1.0.9/32", "10.1.0.9"));
        assert!(found("fd00::/64", "fd00:0::1/64"));
        assert!(!found("10.1.0.0/24", "10.1.0.0/16"));
        let six = [wanted("fd00::1", "")];
        assert!(is_destination(&to("::/0", vec![]), "default", &six));
    }

    #[test]
    fn next_hops_in_any_order_and_exactly() {
        let list = [to(
            "10.1.0.0/16",
            vec![hop("10.0.0.1", "eth0"), hop("10.0.0.2", "eth1")],
        )];
        let see = |via: &[NextHop], absent, exact| {
            let seen = route(&list, "10.1.0.0/16", via, absent, exact);
            matches!(seen, Seen::Right(_))
        };
        let both = [wanted("10.0.0.2", ""), wanted("", "eth0")];
        assert!(see(&both, false, true));
        assert!(see(&both[..1], false, false));
        assert!(!see(&both[..1], false, true));
        assert!(!see(&[wanted("10.0.0.2", "eth0")], false, false));
        assert!(see(&[wanted("10.0.0.9", "")], true, false));
        assert!(!see(&[], true, false));
    }

    #[test]
    fn the_least_metric_is_used() {
        let mut floating = to("10.1.0.0/16", vec![hop("10.0.0.2", "eth1")]);
        floating.metric = 200;
        let list = [floating, to("10.1.0.0/16", vec![hop("10.0.0.1", "eth0")])];
        let via = [wanted("10.0.0.2", "")];
        let seen = route(&list, "10.1.0.0/16", &via, false, false);
        let text = "10.1.0.0/16 via 10.0.0.1 dev eth0";
        assert_eq!(seen, Seen::Wrong(text.into()));
    }

    fn compare(list: &[Route], expected: &[(&str, &[NextHop])]) -> Vec<String> {
        let expected: Vec<ExpectedRoute> = expected
            .iter()
            .map(|(to, via)| ExpectedRoute {
                to: (*to).into(),
                via: via.to_vec(),
            })
            .collect();
        let found = table("r1", list, &expected).unwrap();
        let wrong = found.into_iter().filter(|f| !f.passed);
        wrong.map(|f| f.message).collect()
    }

    #[test]
    fn a_table_is_compared_without_networks_that_a_node_is_attached_to() {
        let list = [
            to("10.0.0.0/24", vec![hop("", "eth0")]),
            to("0.0.0.0/0", vec![hop("10.0.0.1", "eth0")]),
            to("fd00::/64", vec![hop("fe80::1", "eth0")]),
        ];
        let default: (&str, &[NextHop]) = ("default", &[]);
        assert!(compare(&list, &[default]).is_empty());
        assert!(compare(&list, &[("0.0.0.0/0", &[wanted("", "eth0")])]).is_empty());
        assert!(compare(&list, &[default, ("fd00::/64", &[])]).is_empty());
        assert_eq!(
            compare(&list, &[default, ("10.0.0.0/24", &[])]),
            [
                "1 routes instead of 2",
                "no route to 10.0.0.0/24: r1 is attached to that network, which does not count",
            ]
        );
        assert_eq!(
            compare(&list, &[("10.9.0.0/16", &[])]),
            [
                "no route to 10.9.0.0/16",
                "a route to 0.0.0.0/0, which must not be there"
            ]
        );
        assert_eq!(
            compare(&list, &[("default", &[wanted("10.0.0.7", "")])]),
            ["0.0.0.0/0 not via 10.0.0.7, but via 10.0.0.1 dev eth0"]
        );
    }
}
