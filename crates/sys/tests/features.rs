//! What the trials say of the kernel that the tests run on. One test, for the trials want a
//! process with one thread.

use std::collections::BTreeMap;
use std::time::Instant;

use sys::features::Features;

/// Kernel options and the features that they bring, where the kernel shows its options.
const OPTIONS: &[(&str, &str)] = &[
    ("VETH", "veth"),
    ("BRIDGE", "bridge"),
    ("VLAN_8021Q", "vlan"),
    ("BRIDGE_VLAN_FILTERING", "vlan-filtering"),
    ("VXLAN", "vxlan"),
    ("BONDING", "bond"),
    ("DUMMY", "dummy"),
    ("NET_VRF", "vrf"),
    ("NET_IPIP", "ipip"),
    ("NET_IPGRE", "gre"),
    ("IPV6_SIT", "sit"),
    ("MACVLAN", "macvlan"),
    ("IPVLAN", "ipvlan"),
    ("IFB", "ifb"),
    ("WIREGUARD", "wireguard"),
    ("NET_SCH_NETEM", "netem"),
    ("NET_SCH_TBF", "tbf"),
    ("NET_SCH_HTB", "htb"),
    ("NET_SCH_PRIO", "prio"),
    ("NET_SCH_INGRESS", "ingress"),
    ("NET_CLS_U32", "u32"),
    ("NET_CLS_MATCHALL", "matchall"),
    ("NET_CLS_FLOWER", "flower"),
    ("NET_CLS_BPF", "cls_bpf"),
    ("NET_ACT_MIRRED", "mirred"),
    ("NF_TABLES", "nftables"),
    ("IP_NF_FILTER", "iptables-legacy"),
    ("MPLS_ROUTING", "mpls"),
    ("IP_MROUTE", "mroute"),
    ("XFRM_USER", "xfrm"),
];

#[test]
fn trials_agree_with_the_kernels_options() {
    let began = Instant::now();
    let features = Features::try_all();
    let took = began.elapsed();
    eprintln!("took {took:?}: {features:#?}");
    if !features.user_namespaces.works {
        eprintln!(
            "skipped: no user namespaces here: {}",
            features.user_namespaces.detail
        );
        return;
    }
    assert!(features.kernel.len() > 40, "{}", features.kernel.len());
    assert!(features.limits.processes().is_some());
    let Some(options) = options() else {
        eprintln!("skipped: this kernel does not show its options");
        return;
    };
    for (option, feature) in OPTIONS {
        // a module may be there or not; what is built in or left out is sure
        let expected = match options.get(*option).map(String::as_str) {
            Some("y") => true,
            Some(_) => continue,
            None => false,
        };
        let trial = &features.kernel[*feature];
        assert_eq!(trial.works, expected, "{feature}: {}", trial.detail);
    }
}

/// Options of the running kernel, without `CONFIG_`.
fn options() -> Option<BTreeMap<String, String>> {
    let output = std::process::Command::new("zcat")
        .arg("/proc/config.gz")
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout)
        .ok()
        .filter(|t| !t.is_empty())?;
    let pairs = text
        .lines()
        .filter_map(|l| l.strip_prefix("CONFIG_")?.split_once('='));
    Some(pairs.map(|(k, v)| (k.to_string(), v.to_string())).collect())
}
