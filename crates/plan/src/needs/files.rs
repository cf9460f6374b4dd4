//! Needs that stand in configuration files: they count once the service that reads the file
//! is started.

use diag::{Place, Source};
use lab::Snapshot;

use super::kernel;
use crate::Feature;

/// A feature and the line that asks for it.
type Found = (Feature, Place);

/// What starting a service makes the kernel do, by the node's files.
pub(super) fn of_service(snapshot: &Snapshot, node: &str, service: &str) -> Vec<Found> {
    match service {
        "networking" | "ifup" => of_files(snapshot, node, "/etc/network/interfaces", interfaces),
        "frr" | "quagga" | "zebra" => {
            let folder = format!("/etc/{service}");
            of_files(snapshot, node, &folder, routing)
        }
        "sysctl" | "procps" => of_files(snapshot, node, "/etc/sysctl", settings),
        _ => Vec::new(),
    }
}

/// Runs `read` over the lines of all files of a node whose path begins with `prefix`.
fn of_files(
    snapshot: &Snapshot,
    node: &str,
    prefix: &str,
    read: fn(&str) -> Option<Feature>,
) -> Vec<Found> {
    let mut out = Vec::new();
    for (path, text) in super::walk::texts(snapshot, node, prefix) {
        let source = Source::new(format!("{node}:{path}"), text);
        let mut at = 0;
        for line in source.text().split_inclusive('\n') {
            let words = line.trim();
            if let Some(feature) = read(words) {
                let start = at + line.find(words).unwrap_or(0);
                out.push((feature, source.at(start..start + words.len())));
            }
            at += line.len();
        }
    }
    out
}

/// A line of `interfaces(5)`.
fn interfaces(line: &str) -> Option<Feature> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (first, rest) = words.split_first()?;
    match first.replace('_', "-").as_str() {
        "iface" => interface_name(rest.first()?),
        "vlan-raw-device" => Some(Feature::Vlan),
        "bond-slaves" | "bond-mode" => Some(Feature::Bond),
        "bridge-ports" => Some(Feature::Bridge),
        "bridge-vlan-aware" => Some(Feature::VlanFiltering),
        "pre-up" | "up" | "post-up" => kernel::of_command(rest).first().copied(),
        _ => None,
    }
}

/// `eth0.10` and `vlan10` are VLAN interfaces by their names.
fn interface_name(name: &str) -> Option<Feature> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let tagged = name.split_once('.').is_some_and(|(_, tag)| digits(tag));
    let named = name.strip_prefix("vlan").is_some_and(digits);
    (tagged || named).then_some(Feature::Vlan)
}

/// A line of a routing daemon's configuration.
fn routing(line: &str) -> Option<Feature> {
    let mut words = line.split_whitespace();
    match (words.next()?, words.next()) {
        ("mpls", Some("ldp" | "label" | "lsp" | "enable")) => Some(Feature::Mpls),
        ("segment-routing", Some("srv6")) => Some(Feature::Srv6),
        _ => None,
    }
}

/// A line of `sysctl.conf(5)`.
fn settings(line: &str) -> Option<Feature> {
    let (key, _) = line.split_once('=')?;
    kernel::of_sysctl(key.trim().trim_start_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_lines() {
        assert_eq!(interfaces("iface eth0.10 inet static"), Some(Feature::Vlan));
        assert_eq!(interfaces("iface eth0 inet static"), None);
        assert_eq!(interfaces("bridge_ports eth0 eth1"), Some(Feature::Bridge));
        let line = "post-up tc qdisc add dev eth0 root netem delay 1ms";
        assert_eq!(interfaces(line), Some(Feature::Netem));
        assert_eq!(interfaces("# iface eth0.10"), None);
    }

    #[test]
    fn routing_and_settings_lines() {
        assert_eq!(routing("mpls ldp"), Some(Feature::Mpls));
        assert_eq!(routing("router bgp 1"), None);
        assert_eq!(
            settings("net.mpls.conf.eth0.input = 1"),
            Some(Feature::Mpls)
        );
        assert_eq!(settings("net.ipv4.ip_forward=1"), None);
    }
}
