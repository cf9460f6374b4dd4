//! Rules for one node: routes, kernel parameters, limits, paths.

use std::path::{Component, Path};

use diag::Diagnostic;
use ipnet::IpNet;

use super::Rules;
use crate::{Node, Route};

/// Names of resource limits (getrlimit(2), in lower case and without `RLIMIT_`).
pub const ULIMITS: [&str; 16] = [
    "as",
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

impl Rules<'_> {
    pub(super) fn node(&mut self, name: &str, node: &Node) {
        for (i, route) in node.routes.iter().enumerate() {
            if let Err(bad) = route_rule(node, route) {
                self.push(&["nodes", name, "routes", &i.to_string()], bad);
            }
        }
        self.sysctls(name, node);
        self.limits(name, node);
        self.paths(name, node);
        for (i, interface) in &node.interfaces {
            if interface.mtu.is_some_and(|m| !(68..=65_535).contains(&m)) {
                let bad = Diagnostic::error(format!("bad MTU of {name}:{i}"));
                let path = ["nodes", name, "interfaces", i, "mtu"];
                self.push(&path, bad.help("packets have 68 to 65535 bytes"));
            }
        }
        for (i, port) in node.ports.iter().enumerate() {
            let known = matches!(port.protocol.as_str(), "tcp" | "udp" | "sctp");
            if port.host == 0 || port.guest == 0 || !known {
                let bad = Diagnostic::error("bad port")
                    .help("ports are 1 to 65535, the protocol is `tcp`, `udp` or `sctp`");
                self.push(&["nodes", name, "ports", &i.to_string()], bad);
            }
        }
        for key in node.environment.keys() {
            if key.is_empty() || key.contains(['=', '\0']) {
                let bad =
                    Diagnostic::error(format!("bad name of an environment variable: `{key}`"));
                self.push(&["nodes", name, "environment", key], bad);
            }
        }
        if node.terminals.is_some_and(|n| n > 16) {
            let bad = Diagnostic::error("more than 16 terminals for a node");
            self.push(&["nodes", name, "terminals"], bad);
        }
    }

    fn sysctls(&mut self, name: &str, node: &Node) {
        for key in node.sysctls.keys() {
            let good = key.split('.').count() > 2
                && key.starts_with("net.")
                && key.split('.').all(|part| {
                    !part.is_empty()
                        && part
                            .bytes()
                            .all(|b| b.is_ascii_graphic() && !b"\\".contains(&b))
                        && !part.split('/').any(|p| p.is_empty() || p == "..")
                });
            if !good {
                let bad = Diagnostic::error(format!("`{key}` is no kernel parameter of a node"))
                    .help("only those of the network can be set, like `net.ipv4.ip_forward`");
                self.push(&["nodes", name, "sysctls", key], bad);
            }
        }
    }

    fn limits(&mut self, name: &str, node: &Node) {
        let limits = &node.limits;
        if limits.memory.is_some_and(|m| m < 4 << 20) {
            let bad = Diagnostic::error("a node needs 4 MiB of memory at least");
            self.push(&["nodes", name, "limits", "memory"], bad);
        }
        if limits.cpus.is_some_and(|c| !c.is_finite() || c <= 0.0) {
            let bad = Diagnostic::error("bad number of processor cores");
            let path = ["nodes", name, "limits", "cpus"];
            self.push(
                &path,
                bad.help("write a number above 0, 0.5 for half a core"),
            );
        }
        for (key, limit) in &limits.ulimits {
            let path = ["nodes", name, "limits", "ulimits", key];
            if !ULIMITS.contains(&key.as_str()) {
                let bad = Diagnostic::error(format!("unknown resource limit `{key}`"));
                self.push(&path, bad.help(format!("there are {}", ULIMITS.join(", "))));
            }
            let above = limit.hard >= 0 && (limit.soft < 0 || limit.soft > limit.hard);
            if above || limit.soft < -1 || limit.hard < -1 {
                let bad = Diagnostic::error(format!("bad values of the resource limit `{key}`"))
                    .help("the soft one is at most the hard one; -1 is unlimited");
                self.push(&path, bad);
            }
        }
    }

    /// Paths in the node.
    fn paths(&mut self, name: &str, node: &Node) {
        let files = node.files.iter().map(|f| ("files", f.to.as_path()));
        let mounts = node.mounts.iter().map(|m| ("mounts", m.at.as_path()));
        for (list, i, path) in files
            .enumerate()
            .map(|(i, (l, p))| (l, i, p))
            .chain(mounts.enumerate().map(|(i, (l, p))| (l, i, p)))
        {
            if !inside(path) {
                let bad = Diagnostic::error(format!("bad path in a node: `{}`", path.display()))
                    .help("it starts with `/` and has no `..`");
                self.push(&["nodes", name, list, &i.to_string()], bad);
            }
        }
    }
}

/// Absolute and without `..`.
fn inside(path: &Path) -> bool {
    path.is_absolute() && !path.components().any(|c| c == Component::ParentDir)
}

fn route_rule(node: &Node, route: &Route) -> Result<(), Diagnostic> {
    let bad = |text: String| Diagnostic::error(text);
    let to = match route.to.as_str() {
        "default" => None,
        text => Some(text.parse::<IpNet>().map_err(|_| {
            bad(format!("bad route destination `{text}`"))
                .help("write a prefix like 10.1.0.0/16 or fd00:1::/64, or `default`")
        })?),
    };
    if let Some(net) = to.filter(|n| n.trunc() != *n) {
        return Err(
            bad(format!("{net} is a host's address, not a prefix")).help(format!(
                "write {}, or {}/{}",
                net.trunc(),
                net.addr(),
                net.max_prefix_len()
            )),
        );
    }
    match (route.via, &route.dev) {
        (None, None) => {
            return Err(bad(format!("the route to {} leads nowhere", route.to))
                .help("give it `via: ADDRESS` or `dev: INTERFACE`"));
        }
        (Some(via), _) if to.is_some_and(|t| t.addr().is_ipv4() && via.is_ipv6()) => {
            return Err(bad(format!("an IPv4 route cannot go via {via}"))
                .help("name an IPv4 address of the next router"));
        }
        (Some(via), _) if to.is_some_and(|t| t.addr().is_ipv6() && via.is_ipv4()) => {
            return Err(bad(format!("an IPv6 route cannot go via {via}"))
                .help("name an IPv6 address of the next router"));
        }
        _ => {}
    }
    match &route.dev {
        Some(dev) if dev != "lo" && !node.interfaces.contains_key(dev) => Err(bad(format!(
            "the route to {} leaves by `{dev}`, which is no interface of this node",
            route.to
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(to: &str, via: Option<&str>, dev: Option<&str>) -> bool {
        let mut node = Node::default();
        node.interfaces
            .insert("eth0".into(), crate::Interface::default());
        let route = Route {
            to: to.into(),
            via: via.map(|v| v.parse().unwrap()),
            dev: dev.map(Into::into),
            metric: None,
        };
        route_rule(&node, &route).is_ok()
    }

    #[test]
    fn routes_lead_somewhere() {
        assert!(route("default", Some("10.0.0.1"), None));
        assert!(route("10.0.0.0/8", None, Some("eth0")));
        assert!(!route("10.0.0.0/8", None, None));
        assert!(!route("10.0.0.0/8", Some("fd00::1"), None));
        assert!(!route("10.0.0.1/8", Some("10.0.0.1"), None));
        assert!(!route("10.0.0.0/8", None, Some("eth1")));
        assert!(!route("ten", None, Some("eth0")));
    }

    #[test]
    fn paths_stay_in_the_node() {
        assert!(inside(Path::new("/a/b")));
        assert!(!inside(Path::new("a")) && !inside(Path::new("/a/../b")));
    }
}
