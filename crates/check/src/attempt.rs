//! One attempt at a check: what is seen now, and whether that is what must be.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use lab::{Lab, Test};
use regex::Regex;
use serde::de::DeserializeOwned;

use crate::probe::dns::Answer;
use crate::probe::{Address, Echo, PROGRAM, Process, Route};
use crate::{NodeAccess, Output};

/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What an attempt found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// What must be.
    Right(String),
    /// Something else, so far.
    Wrong(String),
    /// Something else, and waiting cannot change that.
    Never(String),
}

use Seen::{Never, Right, Wrong};

/// Whether it passes only when something is *not* there, which is also so before it comes.
pub(crate) fn is_negative(test: &Test) -> bool {
    matches!(
        test,
        Test::NotReaches { .. }
            | Test::Route { absent: true, .. }
            | Test::Daemon { absent: true, .. }
            | Test::BgpNetwork { absent: true, .. }
            | Test::Redistributes { absent: true, .. }
            | Test::RouteCount { .. }
    )
}

/// Tries a test once.
pub(crate) fn attempt(lab: &Lab, access: &dyn NodeAccess, test: &Test) -> Seen {
    let node = test.node();
    if !lab.nodes.contains_key(node) {
        return Never(format!("the lab has no node `{node}`"));
    }
    let look = Look { lab, access, node };
    look.at(test).unwrap_or_else(Wrong)
}

struct Look<'a> {
    lab: &'a Lab,
    access: &'a dyn NodeAccess,
    node: &'a str,
}

impl Look<'_> {
    fn at(&self, test: &Test) -> Result<Seen, String> {
        match test {
            Test::Reaches { to, .. } => self.reaches(to),
            Test::NotReaches { to, .. } => self.not_reaches(to),
            Test::Route {
                to,
                via,
                absent,
                exact,
                ..
            } => self.route(to, via, *absent, *exact),
            Test::RouteCount { count, .. } => self.route_count(*count),
            Test::Daemon { name, absent, .. } => self.daemon(name, *absent),
            Test::Address {
                interface, address, ..
            } => self.address(interface, address),
            Test::Dns {
                name,
                record,
                server,
                answer,
                authoritative,
                ..
            } => {
                let kind = record.map_or("A".into(), |r| format!("{r:?}").to_uppercase());
                self.dns(name, &kind, *server, answer.as_deref(), *authoritative)
            }
            Test::Http {
                url, status, body, ..
            } => self.http(url, status.unwrap_or(200), body.as_deref()),
            Test::Command {
                run,
                matches,
                output,
                status,
                ..
            } => self.command(run, matches.as_deref(), output.as_deref(), *status),
            Test::Node { .. } => Ok(Right("it is there".into())),
            Test::Plugged {
                interface, segment, ..
            } => Ok(self.plugged(interface, segment)),
            Test::Sysctl { key, value, .. } => self.sysctl(key, value),
            Test::Bgp { neighbors, .. } => self.bgp(neighbors),
            Test::BgpNetwork {
                network, absent, ..
            } => self.configured("bgp", *absent, &|words| match words {
                ["network", found, ..] => same_prefix(found, network),
                _ => false,
            }),
            Test::Redistributes {
                into, from, absent, ..
            } => {
                let into = into
                    .strip_suffix('d')
                    .filter(|i| i.len() > 2)
                    .unwrap_or(into);
                let wanted = from.as_str();
                self.configured(
                    into,
                    *absent,
                    &|words| matches!(words, ["redistribute", found, ..] if *found == wanted),
                )
            }
            Test::Startup { .. } => self.startup(),
        }
    }

    /// Runs the probe in the node.
    fn probe<T: DeserializeOwned>(&self, words: &[&str]) -> Result<T, String> {
        let mut argv = vec![PROGRAM, "__probe"];
        argv.extend(words);
        let output = self.exec(&argv)?;
        let text = String::from_utf8_lossy(&output.stdout);
        let json: serde_json::Value = serde_json::from_str(text.trim()).map_err(|_| {
            let errors = String::from_utf8_lossy(&output.stderr);
            format!(
                "the probe failed with status {}: {}",
                output.status,
                errors.trim()
            )
        })?;
        if let Some(error) = json.get("error").and_then(|e| e.as_str()) {
            return Err(error.to_string());
        }
        serde_json::from_value(json).map_err(|e| format!("the probe said something else: {e}"))
    }

    fn exec(&self, argv: &[&str]) -> Result<Output, String> {
        self.access
            .exec(self.node, argv, PATIENCE)
            .map_err(|e| e.to_string())
    }

    /// What a target stands for: each address of a node of the lab, else itself.
    fn targets(&self, to: &str) -> Result<Vec<String>, String> {
        if !self.lab.nodes.contains_key(to) {
            return Ok(vec![to.into()]);
        }
        let there = Look { node: to, ..*self };
        let list: Vec<Address> = there.probe(&["addresses"])?;
        let own = list
            .iter()
            .map(|a| a.address.addr())
            .filter(|a| !is_local(*a));
        let own: Vec<String> = own.map(|a| a.to_string()).collect();
        if own.is_empty() {
            return Err(format!("{to} has no address"));
        }
        Ok(own)
    }

    fn echo(&self, to: &str) -> Result<Vec<Echo>, String> {
        let targets = self.targets(to)?;
        let mut words = vec!["ping"];
        words.extend(targets.iter().map(String::as_str));
        self.probe(&words)
    }

    fn reaches(&self, to: &str) -> Result<Seen, String> {
        let list = self.echo(to)?;
        let silent: Vec<String> = list.iter().filter(|e| !e.reached).map(told).collect();
        Ok(match silent.as_slice() {
            [] => Right(format!("{} answered", names(&list))),
            silent => Wrong(silent.join(", ")),
        })
    }

    fn not_reaches(&self, to: &str) -> Result<Seen, String> {
        let list = self.echo(to)?;
        let answered: Vec<&str> = list
            .iter()
            .filter(|e| e.reached)
            .map(|e| e.to.as_str())
            .collect();
        Ok(match answered.as_slice() {
            [] => Right(list.iter().map(told).collect::<Vec<_>>().join(", ")),
            answered => Wrong(format!("{} answered", answered.join(", "))),
        })
    }

    fn route(
        &self,
        to: &str,
        via: &[lab::NextHop],
        absent: bool,
        exact: bool,
    ) -> Result<Seen, String> {
        let list: Vec<Route> = self.probe(&["routes"])?;
        let found: Vec<&Route> = list.iter().filter(|r| is_destination(r, to, via)).collect();
        let hops: Vec<_> = found.iter().flat_map(|r| &r.via).collect();
        let has = |wanted: &lab::NextHop| {
            hops.iter().any(|h| {
                wanted.gateway.is_none_or(|g| h.gateway == Some(g))
                    && wanted.dev.as_deref().is_none_or(|d| d == h.dev)
            })
        };
        let right = !found.is_empty() && via.iter().all(has) && (!exact || hops.len() == via.len());
        let seen = match found.as_slice() {
            [] => format!("no route to {to}"),
            _ => format!(
                "{to} {}",
                hops.iter().map(|h| hop(h)).collect::<Vec<_>>().join(", ")
            ),
        };
        Ok(if right != absent {
            Right(seen)
        } else {
            Wrong(seen)
        })
    }

    fn route_count(&self, count: usize) -> Result<Seen, String> {
        let list: Vec<Route> = self.probe(&["routes"])?;
        let found = list.iter().filter(|r| matches!(r.to, IpNet::V4(_))).count();
        let seen = format!("{found} IPv4 routes");
        Ok(if found == count {
            Right(seen)
        } else {
            Wrong(seen)
        })
    }

    fn daemon(&self, name: &str, absent: bool) -> Result<Seen, String> {
        let list: Vec<Process> = self.probe(&["processes"])?;
        let runs = list.iter().any(|p| is_daemon(p, name));
        let seen = format!("{name} {}", if runs { "runs" } else { "does not run" });
        Ok(if runs != absent {
            Right(seen)
        } else {
            Wrong(seen)
        })
    }

    fn address(&self, interface: &str, address: &str) -> Result<Seen, String> {
        let wanted: IpNet = address
            .parse()
            .map_err(|_| format!("{address} is no address/length"))?;
        let list: Vec<Address> = self.probe(&["addresses"])?;
        let own: Vec<String> = list
            .iter()
            .filter(|a| a.dev == interface)
            .map(|a| a.address.to_string())
            .collect();
        let right = list
            .iter()
            .any(|a| a.dev == interface && a.address == wanted);
        let seen = match own.as_slice() {
            [] => format!("{interface} has no address"),
            own => format!("{interface} has {}", own.join(", ")),
        };
        Ok(if right { Right(seen) } else { Wrong(seen) })
    }

    fn dns(
        &self,
        name: &str,
        kind: &str,
        server: Option<IpAddr>,
        wanted: Option<&str>,
        authoritative: bool,
    ) -> Result<Seen, String> {
        let server = server.map(|s| s.to_string());
        let mut words = vec!["dns", name, kind];
        words.extend(server.as_deref());
        let answer: Answer = self.probe(&words)?;
        let seen = match answer.data.as_slice() {
            [] => format!(
                "{}: no {kind} record for {name} (code {})",
                answer.server, answer.code
            ),
            data => format!("{}: {}", answer.server, data.join(", ")),
        };
        let clean = |text: &str| text.trim_end_matches('.').to_ascii_lowercase();
        let right = match wanted {
            // of an MX record the name alone may be asked for
            Some(wanted) => answer.data.iter().any(|d| {
                clean(d) == clean(wanted) || d.rsplit(' ').next().map(clean) == Some(clean(wanted))
            }),
            None => !answer.data.is_empty(),
        };
        Ok(match right && (!authoritative || answer.authoritative) {
            true => Right(seen),
            false if right => Wrong(format!("{seen}, but not of the server's own zone")),
            false => Wrong(seen),
        })
    }

    fn http(&self, url: &str, status: u16, body: Option<&str>) -> Result<Seen, String> {
        #[derive(serde::Deserialize)]
        struct Page {
            status: u16,
            body: String,
        }
        let page: Page = self.probe(&["http", url])?;
        let start: String = page.body.chars().take(60).collect();
        let seen = format!("status {}, {:?}", page.status, start.trim());
        let matches = match body {
            Some(pattern) => regex(pattern)?.is_match(&page.body),
            None => true,
        };
        Ok(if page.status == status && matches {
            Right(seen)
        } else {
            Wrong(seen)
        })
    }

    fn command(
        &self,
        run: &str,
        matches: Option<&str>,
        wanted: Option<&str>,
        status: Option<i32>,
    ) -> Result<Seen, String> {
        let output = self.exec(&["/bin/bash", "-c", run])?;
        let text = String::from_utf8_lossy(&output.stdout);
        let plain = matches.is_none() && wanted.is_none();
        let status = status.or(plain.then_some(0));
        let right = status.is_none_or(|s| s == output.status)
            && wanted.is_none_or(|w| w.trim() == text.trim())
            && match matches {
                Some(pattern) => regex(pattern)?.is_match(&text),
                None => true,
            };
        let errors = String::from_utf8_lossy(&output.stderr);
        let said: String = text
            .trim()
            .chars()
            .chain(errors.trim().chars())
            .take(200)
            .collect();
        let seen = format!("status {}, {said:?}", output.status);
        Ok(if right { Right(seen) } else { Wrong(seen) })
    }

    fn plugged(&self, interface: &str, segment: &str) -> Seen {
        let data = &self.lab.nodes[self.node];
        match data.interfaces.get(interface).map(|i| i.segment.as_deref()) {
            None => Never(format!("there is no interface {interface}")),
            Some(Some(found)) if found == segment => Right(format!("{interface} is on {found}")),
            Some(found) => Never(format!("{interface} is on {}", found.unwrap_or("nothing"))),
        }
    }

    fn sysctl(&self, key: &str, value: &str) -> Result<Seen, String> {
        #[derive(serde::Deserialize)]
        struct Parameter {
            value: String,
        }
        let seen: Parameter = self.probe(&["sysctl", key])?;
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = format!("{key} is {}", words(&seen.value));
        Ok(if words(&seen.value) == words(value) {
            Right(text)
        } else {
            Wrong(text)
        })
    }

    fn bgp(&self, wanted: &[lab::BgpNeighbor]) -> Result<Seen, String> {
        let output = self.exec(&["vtysh", "-c", "show bgp summary json"])?;
        let json: serde_json::Value = serde_json::from_slice(&output.stdout)
            .map_err(|_| "bgpd does not answer".to_string())?;
        let mut missing = Vec::new();
        for neighbor in wanted {
            if let Some(problem) = bgp_problem(&json, neighbor) {
                missing.push(format!("{}: {problem}", neighbor.ip));
            }
        }
        Ok(match missing.as_slice() {
            [] => Right("all neighbours are there".into()),
            missing => Wrong(missing.join(", ")),
        })
    }

    /// Whether a routing protocol's running configuration has a line.
    fn configured(
        &self,
        protocol: &str,
        absent: bool,
        is_it: &dyn Fn(&[&str]) -> bool,
    ) -> Result<Seen, String> {
        let output = self.exec(&["vtysh", "-c", "show running-config"])?;
        if output.status != 0 {
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_string());
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let mut inside = false;
        let mut found = None;
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            if !line.starts_with(' ') {
                inside = matches!(words.as_slice(), ["router", p, ..] if *p == protocol);
            } else if inside && is_it(&words) {
                found = Some(line.trim().to_string());
            }
        }
        let there = found.is_some();
        let seen = found.unwrap_or_else(|| format!("no such line under `router {protocol}`"));
        Ok(if there != absent {
            Right(seen)
        } else {
            Wrong(seen)
        })
    }

    fn startup(&self) -> Result<Seen, String> {
        match self.access.startup(self.node).map_err(|e| e.to_string())? {
            None => Ok(Wrong("it still runs".into())),
            Some(failed) if failed.is_empty() => Ok(Right("no command failed".into())),
            Some(failed) => Ok(Never(failed.join("; "))),
        }
    }
}

fn regex(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|e| format!("bad regular expression: {e}"))
}

fn told(echo: &Echo) -> String {
    match &echo.error {
        Some(error) => error.clone(),
        None => format!("{} is silent", echo.to),
    }
}

fn names(list: &[Echo]) -> String {
    list.iter()
        .map(|e| e.to.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => a.is_loopback(),
        IpAddr::V6(a) => a.is_loopback() || a.is_unicast_link_local(),
    }
}

/// Whether a route leads to a destination as people write it.
fn is_destination(route: &Route, to: &str, via: &[lab::NextHop]) -> bool {
    if to == "default" {
        let v6 = via.iter().any(|h| h.gateway.is_some_and(|g| g.is_ipv6()));
        return route.to.prefix_len() == 0 && matches!(route.to, IpNet::V6(_)) == v6;
    }
    let wanted = to
        .parse::<IpNet>()
        .or_else(|_| to.parse::<IpAddr>().map(IpNet::from));
    wanted.is_ok_and(|w| w.trunc() == route.to)
}

fn same_prefix(a: &str, b: &str) -> bool {
    match (a.parse::<IpNet>(), b.parse::<IpNet>()) {
        (Ok(a), Ok(b)) => a.trunc() == b.trunc(),
        _ => a == b,
    }
}

fn hop(hop: &crate::probe::Hop) -> String {
    match hop.gateway {
        Some(gateway) => format!("via {gateway} dev {}", hop.dev),
        None => format!("dev {}", hop.dev),
    }
}

/// Whether a process is a daemon of that name: by its own name or by its program's. Names of
/// services that run under another are known.
fn is_daemon(process: &Process, name: &str) -> bool {
    let base = |path: &str| path.rsplit('/').next().unwrap_or(path).to_string();
    let programs: &[&str] = match name {
        "bind" | "bind9" => &["named"],
        "frr" | "quagga" => &["zebra"],
        "ssh" => &["sshd"],
        "apache" | "httpd" => &["apache2"],
        "isc-dhcp-server" => &["dhcpd"],
        other => &[other],
    };
    programs.iter().any(|program| {
        let cut: String = program.chars().take(15).collect();
        process.name == cut
            || process.command.first().is_some_and(|c| base(c.trim_end_matches(':')) == *program)
            // scripts: the interpreter comes first
            || process.command.get(1).is_some_and(|c| c.contains('/') && base(c) == *program)
    })
}

fn bgp_problem(json: &serde_json::Value, wanted: &lab::BgpNeighbor) -> Option<String> {
    let families = json.as_object()?.values();
    let ip = wanted.ip.to_string();
    let mut peers = families.filter_map(|f| f.get("peers")?.get(&ip));
    let Some(peer) = peers.next() else {
        return Some("no such neighbour".into());
    };
    let asn = peer.get("remoteAs").and_then(serde_json::Value::as_u64);
    if asn != Some(u64::from(wanted.asn)) {
        return Some(format!("its AS is {}", asn.unwrap_or(0)));
    }
    let state = peer
        .get("state")
        .and_then(|s| s.as_str())
        .unwrap_or_default();
    (!wanted.any_state && state != "Established").then(|| format!("state {state}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn daemons_by_name_and_program() {
        let process = |name: &str, command: &[&str]| Process {
            name: name.into(),
            command: command.iter().map(|c| (*c).into()).collect(),
        };
        assert!(is_daemon(
            &process("named", &["/usr/sbin/named", "-u", "bind"]),
            "bind9"
        ));
        assert!(is_daemon(
            &process("python3", &["python3", "/usr/bin/ryu"]),
            "ryu"
        ));
        assert!(!is_daemon(
            &process("bash", &["bash", "-c", "ospfd"]),
            "ospfd"
        ));
        assert!(is_daemon(
            &process("ospfd", &["/usr/lib/frr/ospfd", "-d"]),
            "ospfd"
        ));
    }

    #[test]
    fn destinations_as_people_write_them() {
        let route = |to: &str| Route {
            to: to.parse().unwrap(),
            via: Vec::new(),
            protocol: String::new(),
        };
        assert!(is_destination(&route("0.0.0.0/0"), "default", &[]));
        assert!(!is_destination(&route("::/0"), "default", &[]));
        assert!(is_destination(&route("10.1.0.0/16"), "10.1.0.0/16", &[]));
        assert!(is_destination(&route("10.1.0.9/32"), "10.1.0.9", &[]));
        assert!(!is_destination(&route("10.1.0.0/24"), "10.1.0.0/16", &[]));
    }

    #[test]
    fn bgp_neighbours_by_address_as_and_state() {
        let json = serde_json::json!({"ipv4Unicast": {"peers": {
            "10.0.0.2": {"remoteAs": 2, "state": "Established"},
            "10.0.0.3": {"remoteAs": 3, "state": "Active"},
        }}});
        let neighbor = |ip: &str, asn, any_state| lab::BgpNeighbor {
            ip: ip.parse().unwrap(),
            asn,
            any_state,
        };
        assert_eq!(bgp_problem(&json, &neighbor("10.0.0.2", 2, false)), None);
        assert!(bgp_problem(&json, &neighbor("10.0.0.2", 7, false)).is_some());
        assert!(bgp_problem(&json, &neighbor("10.0.0.3", 3, false)).is_some());
        assert_eq!(bgp_problem(&json, &neighbor("10.0.0.3", 3, true)), None);
        assert!(bgp_problem(&json, &neighbor("10.0.0.4", 3, true)).is_some());
    }
}
