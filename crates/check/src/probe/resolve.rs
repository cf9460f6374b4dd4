//! A node's resolver: `/etc/hosts`, then the name servers of `/etc/resolv.conf`.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::dns;

/// What a node's `/etc/resolv.conf` says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolver {
    /// The name servers, in the order they are asked.
    pub servers: Vec<IpAddr>,
    /// Domains that names are completed with.
    pub search: Vec<String>,
}

impl Resolver {
    /// The node's own; an absent file says nothing.
    pub(super) fn read() -> Self {
        Self::parse(&std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default())
    }

    /// From the text of a `resolv.conf`. The last of several `search` lines counts.
    fn parse(text: &str) -> Self {
        let mut out = Self::default();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") => {
                    let server = words.next().and_then(|w| w.parse().ok());
                    out.servers.extend::<Option<IpAddr>>(server);
                }
                Some("search" | "domain") => {
                    out.search = words.map(|w| w.trim_end_matches('.').into()).collect();
                }
                _ => {}
            }
        }
        out
    }

    /// The names to ask for in place of one, in order: a name with a final dot is whole, one
    /// without any dot is completed first.
    pub(super) fn candidates(&self, name: &str) -> Vec<String> {
        let plain = name.trim_end_matches('.');
        let itself = std::iter::once(plain.to_string());
        if name.ends_with('.') {
            return itself.collect();
        }
        let completed = self.search.iter().map(|s| format!("{plain}.{s}"));
        match plain.contains('.') {
            true => itself.chain(completed).collect(),
            false => completed.chain(itself).collect(),
        }
    }
}

/// All addresses of a name, or the address that it is; those of IPv4 first.
pub(super) fn addresses(name: &str, patience: Duration) -> Result<Vec<IpAddr>, String> {
    if let Ok(address) = name.parse() {
        return Ok(vec![address]);
    }
    let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    let mut found = in_hosts(&hosts, name);
    if !found.is_empty() {
        found.sort_by_key(IpAddr::is_ipv6);
        return Ok(found);
    }
    let mut problem = format!("{name} has no address");
    for kind in ["A", "AAAA"] {
        match dns::find(name, kind, None, patience) {
            Ok(answer) => found.extend(answer.data.iter().filter_map(|d| d.parse::<IpAddr>().ok())),
            Err(e) => problem = format!("{name}: {e}"),
        }
    }
    match found.is_empty() {
        true => Err(problem),
        false => Ok(found),
    }
}

/// Addresses of a name in the text of `/etc/hosts`.
fn in_hosts(text: &str, name: &str) -> Vec<IpAddr> {
    let line = |line: &str| -> Option<IpAddr> {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let address = words.next()?.parse().ok()?;
        let named = words.any(|w| w.eq_ignore_ascii_case(name.trim_end_matches('.')));
        named.then_some(address)
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolv_conf_is_read() {
        let text = "# x\nsearch a.org b.org.\nnameserver 10.0.0.1\nnameserver bad\n";
        let resolver = Resolver::parse(text);
        assert_eq!(resolver.servers, ["10.0.0.1".parse::<IpAddr>().unwrap()]);
        assert_eq!(resolver.search, ["a.org", "b.org"]);
        assert_eq!(resolver.candidates("x"), ["x.a.org", "x.b.org", "x"]);
        assert_eq!(
            resolver.candidates("x.y"),
            ["x.y", "x.y.a.org", "x.y.b.org"]
        );
        assert_eq!(resolver.candidates("x."), ["x"]);
    }

    #[test]
    fn hosts_are_found_by_each_of_their_names() {
        let text = "127.0.0.1 localhost\n10.0.0.1\tPC1 pc1.lab # pc9\nbad pc1\nfd00::1 pc1\n";
        let of = |name| -> Vec<String> {
            let found = in_hosts(text, name);
            found.iter().map(IpAddr::to_string).collect()
        };
        assert_eq!(of("pc1"), ["10.0.0.1", "fd00::1"]);
        assert_eq!(of("pc1.lab"), ["10.0.0.1"]);
        assert!(of("pc9").is_empty());
    }
}
