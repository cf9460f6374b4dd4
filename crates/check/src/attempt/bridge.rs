//! Bridges, their VLANs, and VXLANs, as `ip` and `bridge` tell of them.

use std::net::IpAddr;

use indexmap::IndexMap;
use lab::BridgePort;
use serde_json::Value;

use super::Seen::{self, Several, Wrong};
use super::{Finding, Look};

impl Look<'_> {
    pub(super) fn vtep(&self, vni: u32, address: IpAddr) -> Result<Seen, String> {
        let links = self.json(&["ip", "-d", "-j", "link"])?;
        let Some(link) = by_vni(&links, vni) else {
            return Ok(Wrong(format!("no interface is of VXLAN {vni}")));
        };
        let keys = ["local", "local6"];
        let found = keys.iter().find_map(|k| data(link)?.get(*k)?.as_str());
        let found = found.unwrap_or("none");
        let right = found.parse() == Ok(address);
        Ok(Seen::of(
            right,
            format!("{} has the local address {found}", name(link)),
        ))
    }

    pub(super) fn bridge(
        &self,
        ports: &IndexMap<String, BridgePort>,
        vxlan: &IndexMap<String, u16>,
    ) -> Result<Seen, String> {
        let links = self.json(&["ip", "-d", "-j", "link"])?;
        let vlans = self.json(&["bridge", "-j", "vlan"])?;
        let tunnels = vxlan.keys().filter_map(|vni| {
            let link = by_vni(&links, vni.parse().ok()?)?;
            Some(name(link))
        });
        let members: Vec<&str> = ports.keys().map(String::as_str).chain(tunnels).collect();
        let together = together(self.node, &links, &members);
        if !together.passed {
            return Ok(Several(vec![together]));
        }
        let mut all = vec![together];
        for (interface, port) in ports {
            all.extend(port_findings(self.node, &vlans, interface, port));
        }
        for (vni, pvid) in vxlan {
            let link = vni.parse().ok().and_then(|n| by_vni(&links, n));
            all.push(tunnel_finding(self.node, &vlans, vni, link, *pvid));
        }
        Ok(Several(all))
    }
}

/// Whether interfaces are ports of one and the same bridge.
fn together(node: &str, links: &Value, members: &[&str]) -> Finding {
    let about = format!("{node}: {} on one bridge", members.join(", "));
    let mut bridges: Vec<&str> = Vec::new();
    for member in members {
        let Some(link) = by_name(links, member) else {
            return Finding::new(about, false, format!("there is no interface {member}"));
        };
        match link.get("master").and_then(Value::as_str) {
            None => return Finding::new(about, false, format!("{member} is on no bridge")),
            Some(master) => bridges.push(master),
        }
    }
    let first = bridges.first().copied().unwrap_or("none");
    let pairs = || members.iter().zip(&bridges);
    match pairs().find(|(_, bridge)| **bridge != first) {
        None => Finding::new(about, true, format!("all on {first}")),
        Some(_) => {
            let texts: Vec<String> = pairs().map(|(m, b)| format!("{m} on {b}")).collect();
            Finding::new(about, false, texts.join(", "))
        }
    }
}

fn port_findings(node: &str, vlans: &Value, interface: &str, port: &BridgePort) -> Vec<Finding> {
    let tags = tags(vlans, interface);
    let mut out = Vec::new();
    if let Some(wanted) = &port.vlans {
        let mut wanted = wanted.clone();
        wanted.sort_unstable();
        let mut found: Vec<u16> = tags.iter().map(|t| t.0).filter(|t| *t != 1).collect();
        found.sort_unstable();
        let about = format!("{node}: VLANs {wanted:?} on {interface}");
        let text = format!("{interface} has the VLANs {found:?}");
        out.push(Finding::new(about, found == wanted, text));
    }
    if let Some(wanted) = port.pvid {
        out.push(pvid_finding(node, &tags, interface, wanted));
    }
    out
}

fn pvid_finding(node: &str, tags: &[(u16, bool)], interface: &str, wanted: u16) -> Finding {
    let found = tags.iter().find(|t| t.1).map(|t| t.0);
    let text = match found {
        Some(vlan) => format!("frames without a tag are of VLAN {vlan} on {interface}"),
        None => format!("frames without a tag are of no VLAN on {interface}"),
    };
    let about = format!("{node}: untagged VLAN {wanted} on {interface}");
    Finding::new(about, found == Some(wanted), text)
}

fn tunnel_finding(
    node: &str,
    vlans: &Value,
    vni: &str,
    link: Option<&Value>,
    pvid: u16,
) -> Finding {
    match link.map(name) {
        Some(interface) => pvid_finding(node, &tags(vlans, interface), interface, pvid),
        None => Finding::new(
            format!("{node}: untagged VLAN {pvid} on VXLAN {vni}"),
            false,
            format!("no interface is of VXLAN {vni}"),
        ),
    }
}

/// An interface's VLANs, each with whether it is that of frames without a tag. Ranges are told
/// by their first and last.
fn tags(vlans: &Value, interface: &str) -> Vec<(u16, bool)> {
    let list = by_name(vlans, interface).and_then(|i| i.get("vlans")?.as_array());
    let mut out = Vec::new();
    for vlan in list.into_iter().flatten() {
        let number = |key: &str| Some(vlan.get(key)?.as_u64()?.min(4095) as u16);
        let Some(first) = number("vlan") else {
            continue;
        };
        let flags = vlan.get("flags").and_then(Value::as_array);
        let pvid = flags.is_some_and(|f| f.iter().any(|f| f == "PVID"));
        let last = number("vlanEnd").unwrap_or(first);
        out.extend((first..=last).map(|tag| (tag, pvid)));
    }
    out
}

fn by_name<'a>(list: &'a Value, wanted: &str) -> Option<&'a Value> {
    let found = |link: &&Value| name(link) == wanted;
    list.as_array()?.iter().find(found)
}

fn by_vni(links: &Value, vni: u32) -> Option<&Value> {
    let of = |link: &&Value| {
        let kind = link.get("linkinfo").and_then(|i| i.get("info_kind"));
        let id = data(link).and_then(|d| d.get("id"));
        kind.is_some_and(|k| k == "vxlan") && id.and_then(Value::as_u64) == Some(u64::from(vni))
    };
    links.as_array()?.iter().find(of)
}

fn data(link: &Value) -> Option<&Value> {
    link.get("linkinfo")?.get("info_data")
}

fn name(link: &Value) -> &str {
    let name = link.get("ifname").and_then(Value::as_str);
    name.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn links() -> Value {
        json!([
            {"ifname": "br0", "linkinfo": {"info_kind": "bridge", "info_data": {}}},
            {"ifname": "eth0", "master": "br0"},
            {"ifname": "eth1", "master": "br0"},
            {"ifname": "eth2", "master": "br1"},
            {"ifname": "eth3"},
            {"ifname": "vtep10", "master": "br0",
             "linkinfo": {"info_kind": "vxlan", "info_data": {"id": 10, "local": "10.0.0.1"}}},
        ])
    }

    #[test]
    fn ports_of_one_bridge() {
        let see = |members: &[&str]| together("n", &links(), members);
        assert!(see(&["eth0", "eth1"]).passed);
        assert_eq!(see(&["eth0", "eth2"]).message, "eth0 on br0, eth2 on br1");
        assert_eq!(see(&["eth3"]).message, "eth3 is on no bridge");
        assert_eq!(see(&["eth9"]).message, "there is no interface eth9");
    }

    #[test]
    fn vlans_but_the_first_and_the_untagged_one() {
        let vlans = json!([{"ifname": "eth0", "vlans": [
            {"vlan": 1}, {"vlan": 10, "flags": ["PVID"]}, {"vlan": 20, "vlanEnd": 22},
        ]}]);
        let port = BridgePort {
            vlans: Some(vec![22, 21, 20, 10]),
            pvid: Some(10),
        };
        let found = port_findings("n", &vlans, "eth0", &port);
        assert!(found.iter().all(|f| f.passed), "{found:?}");
        let port = BridgePort {
            vlans: Some(vec![20]),
            pvid: Some(20),
        };
        let found = port_findings("n", &vlans, "eth0", &port);
        assert!(found.iter().all(|f| !f.passed), "{found:?}");
        assert_eq!(found[0].message, "eth0 has the VLANs [10, 20, 21, 22]");
    }

    #[test]
    fn vxlans_by_their_numbers() {
        assert_eq!(by_vni(&links(), 10).map(name), Some("vtep10"));
        assert_eq!(by_vni(&links(), 11), None);
    }
}
