//! Which kernel features a command uses.

use crate::Feature;

/// Words of `ip` whose next word is their value.
const IP_VALUES: &[&str] = &[
    "-n", "-netns", "-f", "-family", "-b", "-batch", "-rc", "-rcvbuf",
];

/// The kernel features that a command uses, from its words (the program first, without a
/// folder). A word that is not known is empty.
pub(super) fn of_command(words: &[&str]) -> Vec<Feature> {
    let Some((program, rest)) = words.split_first() else {
        return Vec::new();
    };
    match *program {
        "ip" => of_ip(rest),
        "tc" => of_tc(rest),
        "bridge" => of_bridge(rest),
        "sysctl" => of_settings(rest),
        "modprobe" | "insmod" => Vec::new(),
        _ => of_program(program, rest).into_iter().collect(),
    }
}

/// The features that `modprobe` and `insmod` ask for: hints, since loading alone does nothing.
pub(super) fn of_modules(words: &[&str]) -> Vec<Feature> {
    let names = words.iter().skip(1).filter(|w| !w.starts_with('-'));
    let name = |w: &&str| {
        let file = w.rsplit('/').next().unwrap_or(w);
        Feature::of_module(file.split(".ko").next().unwrap_or(file))
    };
    match words.first() {
        Some(&"modprobe" | &"insmod") => names.filter_map(name).collect(),
        _ => Vec::new(),
    }
}

/// The feature that a kernel parameter belongs to, by its name with dots or slashes.
pub(super) fn of_sysctl(key: &str) -> Option<Feature> {
    let key = key.replace('/', ".");
    if key.starts_with("net.mpls.") {
        return Some(Feature::Mpls);
    }
    (key.contains(".seg6_") || key.contains(".seg6.")).then_some(Feature::Srv6)
}

fn of_settings(words: &[&str]) -> Vec<Feature> {
    let keys = words
        .iter()
        .filter_map(|w| w.split_once('='))
        .map(|(k, _)| k.trim());
    keys.filter_map(of_sysctl).collect()
}

fn of_program(program: &str, rest: &[&str]) -> Option<Feature> {
    Some(match program {
        "vconfig" if rest.contains(&"add") => Feature::Vlan,
        "brctl" if rest.contains(&"addbr") => Feature::Bridge,
        "ifenslave" => Feature::Bond,
        "teamd" => Feature::Team,
        "wg" | "wg-quick" => Feature::Wireguard,
        "openvpn" | "tunctl" | "tincd" => Feature::Tun,
        "ipsec" | "swanctl" | "setkey" | "racoon" => Feature::Xfrm,
        "smcroute" | "smcroutectl" | "mrouted" => Feature::MulticastRouting,
        "nft" => Feature::Nftables,
        "iptables" | "iptables-restore" | "ip6tables" | "ip6tables-restore" | "iptables-nft"
        | "arptables" | "ebtables" => Feature::Iptables,
        "iptables-legacy" | "iptables-legacy-restore" | "ip6tables-legacy" => {
            Feature::IptablesLegacy
        }
        _ => return None,
    })
}

fn of_bridge(words: &[&str]) -> Vec<Feature> {
    let mut plain = words.iter().filter(|w| !w.starts_with('-'));
    let object = plain.next().copied().unwrap_or_default();
    let verb = plain.next().copied().unwrap_or_default();
    let is_vlan = !object.is_empty() && "vlan".starts_with(object) && verb.starts_with('a');
    is_vlan
        .then_some(Feature::VlanFiltering)
        .into_iter()
        .collect()
}

fn of_ip(words: &[&str]) -> Vec<Feature> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(option) = words.get(at).filter(|w| w.starts_with('-')) {
        let takes_value = IP_VALUES.contains(option);
        let is_mpls = *option == "-M" || (takes_value && words.get(at + 1) == Some(&"mpls"));
        out.extend(is_mpls.then_some(Feature::Mpls));
        at += if takes_value { 2 } else { 1 };
    }
    let (Some(object), rest) = (words.get(at), words.get(at + 1..).unwrap_or_default()) else {
        return out;
    };
    // the order in which `ip` itself resolves abbreviations
    let objects = [
        "route", "rule", "link", "tunnel", "tuntap", "xfrm", "mroute", "vrf", "sr",
    ];
    let known = objects
        .iter()
        .find(|o| !object.is_empty() && o.starts_with(object));
    match known {
        Some(&"link") => out.extend(of_link(rest)),
        Some(&"tunnel") => out.extend(of_tunnel(rest)),
        Some(&"tuntap") => out.push(Feature::Tun),
        Some(&"xfrm") => out.push(Feature::Xfrm),
        Some(&"vrf") => out.push(Feature::Vrf),
        Some(&"sr") => out.push(Feature::Srv6),
        Some(&"route") => out.extend(of_route(rest)),
        _ => {}
    }
    out
}

fn of_link(words: &[&str]) -> Vec<Feature> {
    let mut out = Vec::new();
    let kind = value_of(words, "type").unwrap_or_default();
    if words.first().is_some_and(|verb| verb.starts_with('a')) {
        out.extend(Feature::of_link(kind));
    }
    let filters = value_of(words, "vlan_filtering").is_some_and(|v| v != "0");
    out.extend((kind == "bridge" && filters).then_some(Feature::VlanFiltering));
    out
}

fn of_tunnel(words: &[&str]) -> Option<Feature> {
    let adds = words.first().is_some_and(|verb| verb.starts_with('a'));
    adds.then(|| value_of(words, "mode"))
        .flatten()
        .and_then(Feature::of_tunnel)
}

fn of_route(words: &[&str]) -> Option<Feature> {
    match value_of(words, "encap")? {
        "mpls" => Some(Feature::Mpls),
        "seg6" | "seg6local" => Some(Feature::Srv6),
        _ => None,
    }
}

/// The word behind a word.
fn value_of<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
    let at = words.iter().position(|w| *w == name)?;
    words.get(at + 1).copied()
}

fn of_tc(words: &[&str]) -> Vec<Feature> {
    let mut plain = words.iter().skip_while(|w| w.starts_with('-')).copied();
    let object = plain.next().unwrap_or_default();
    let verb = plain.next().unwrap_or_default();
    let rest: Vec<&str> = plain.collect();
    let changes = ["add", "replace", "change"]
        .iter()
        .any(|v| !verb.is_empty() && v.starts_with(verb));
    if !changes || object.is_empty() {
        return Vec::new();
    }
    if "qdisc".starts_with(object) {
        return tc_kind(&rest, false)
            .and_then(Feature::of_queue)
            .into_iter()
            .collect();
    }
    if "filter".starts_with(object) {
        let redirects = rest.contains(&"mirred").then_some(Feature::Mirred);
        let kind = tc_kind(&rest, true).and_then(Feature::of_filter);
        return kind.into_iter().chain(redirects).collect();
    }
    Vec::new()
}

/// The first word that is no place or number: the kind. In a filter `prio` is a number's name.
fn tc_kind<'a>(words: &[&'a str], filter: bool) -> Option<&'a str> {
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        match word {
            "dev" | "parent" | "handle" | "classid" | "protocol" | "pref" | "preference"
            | "block" | "ingress_block" | "egress_block" | "chain" => drop(words.next()),
            "prio" if filter => drop(words.next()),
            "estimator" => drop(words.nth(1)),
            "root" | "egress" => {}
            "ingress" if filter => {}
            kind => return Some(kind),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(command: &str, expected: &[Feature]) {
        let words: Vec<&str> = command.split(' ').collect();
        assert_eq!(of_command(&words), expected, "{command}");
    }

    #[test]
    fn ip_commands() {
        check(
            "ip link add link eth0 name eth0.10 type vlan id 10",
            &[Feature::Vlan],
        );
        check("ip -4 l a v type vxlan id 5 dev lo", &[Feature::Vxlan]);
        check(
            "ip link set br type bridge vlan_filtering 1",
            &[Feature::VlanFiltering],
        );
        check("ip link set br type bridge vlan_filtering 0", &[]);
        check("ip link set eth0 up", &[]);
        check("ip link del v type vlan", &[]);
        check("ip tunnel add t mode ipip remote 1.2.3.4", &[Feature::Ipip]);
        check(
            "ip -f mpls route add 100 via inet 1.2.3.4",
            &[Feature::Mpls],
        );
        check(
            "ip route add 1.0.0.0/8 encap mpls 100 via inet 1.2.3.4",
            &[Feature::Mpls],
        );
        check("ip route add default via 10.0.0.1", &[]);
        check("ip address add 10.0.0.1/24 dev eth0", &[]);
        check("ip", &[]);
    }

    #[test]
    fn tc_commands() {
        check(
            "tc qdisc add dev eth0 root netem delay 1ms",
            &[Feature::Netem],
        );
        check(
            "tc qdisc replace dev eth0 root handle 1: prio bands 3",
            &[Feature::Prio],
        );
        check(
            "tc q a dev eth0 parent 1:1 handle 10: tbf rate 1mbit",
            &[Feature::Tbf],
        );
        check("tc qdisc add dev eth0 ingress", &[Feature::Ingress]);
        check("tc qdisc del dev eth0 root netem", &[]);
        check(
            "tc filter add dev eth0 parent ffff: protocol ip prio 1 u32 match u32 0 0 action mirred egress",
            &[Feature::U32, Feature::Mirred],
        );
        check(
            "tc class add dev eth0 parent 1: classid 1:1 htb rate 1mbit",
            &[],
        );
    }

    #[test]
    fn other_programs() {
        check("bridge vlan add vid 10 dev eth0", &[Feature::VlanFiltering]);
        check("bridge vlan show", &[]);
        check("vconfig add eth0 5", &[Feature::Vlan]);
        check("sysctl -w net.mpls.platform_labels=100", &[Feature::Mpls]);
        check(
            "iptables -t nat -A POSTROUTING -j MASQUERADE",
            &[Feature::Iptables],
        );
        assert_eq!(of_modules(&["modprobe", "-q", "8021q"]), [Feature::Vlan]);
        assert_eq!(
            of_modules(&["insmod", "/lib/x/bonding.ko"]),
            [Feature::Bond]
        );
    }
}
