//! `modprobe`, `insmod`, `rmmod`, `lsmod`: a node loads no modules, since the kernel is the
//! host's. What a script asks for is there already, or it is missing and is named.

use std::fs;
use std::path::Path;

use sys::features::Features;

use super::{Failure, say};

/// Modules and the feature by which `sys::features` tries them.
#[rustfmt::skip]
const FEATURES: &[(&str, &str)] = &[
    ("8021q", "vlan"), ("bonding", "bond"), ("bridge", "bridge"), ("dummy", "dummy"), ("geneve", "geneve"), ("ip_gre", "gre"),
    ("gre", "gre"), ("hsr", "hsr"), ("ifb", "ifb"), ("ip6_gre", "ip6gre"), ("ip6_tunnel", "ip6tnl"), ("ipip", "ipip"),
    ("macvlan", "macvlan"), ("ipvlan", "ipvlan"), ("macsec", "macsec"), ("sit", "sit"), ("team", "team"), ("tun", "tun"), ("veth", "veth"),
    ("vrf", "vrf"), ("ip_vti", "vti"), ("vxlan", "vxlan"), ("wireguard", "wireguard"), ("sch_netem", "netem"), ("sch_tbf", "tbf"),
    ("sch_htb", "htb"), ("sch_hfsc", "hfsc"), ("sch_red", "red"), ("sch_sfq", "sfq"), ("sch_prio", "prio"), ("sch_cake", "cake"),
    ("sch_codel", "codel"), ("sch_fq_codel", "fq_codel"), ("ip_tables", "iptables"), ("iptable_nat", "iptables"),
    ("iptable_filter", "iptables"), ("nf_tables", "nftables"), ("ipv6", "ipv6"), ("mpls_router", "mpls"), ("mpls_iptunnel", "mpls"),
    ("mpls_gso", "mpls"), ("xfrm_user", "xfrm"),
];

pub(super) fn main(name: &str, args: &[&str]) -> Result<i32, Failure> {
    match name {
        "lsmod" => {
            let text = fs::read_to_string("/proc/modules").unwrap_or_default();
            say("Module                  Size  Used by");
            let words = |l: &str| l.split(' ').take(3).collect::<Vec<_>>().join(" ");
            text.lines().for_each(|l| say(&words(l)));
            Ok(0)
        }
        "rmmod" => Ok(0),
        _ if args.iter().any(|a| ["-r", "--remove"].contains(a)) => Ok(0),
        _ => {
            let modules = wanted(args);
            modules.iter().try_for_each(|m| load(name, m)).map(|()| 0)
        }
    }
}

/// The modules of a command line: with `-a` all its words, else the first, what follows being
/// that module's parameters.
fn wanted<'a>(args: &[&'a str]) -> Vec<&'a str> {
    let words: Vec<_> = args
        .iter()
        .copied()
        .filter(|a| !a.starts_with('-'))
        .collect();
    let many = args.iter().any(|a| ["-a", "--all"].contains(a));
    words
        .into_iter()
        .take(if many { usize::MAX } else { 1 })
        .collect()
}

fn load(command: &str, word: &str) -> Result<(), Failure> {
    let file = word.rsplit('/').next().unwrap_or(word);
    let module = file.split(".ko").next().unwrap_or(file).replace('-', "_");
    let feature = FEATURES
        .iter()
        .find(|(name, _)| *name == module)
        .map(|(_, feature)| *feature);
    if present(&module) || feature.map_or_else(|| built_in(&module), works) {
        return Ok(());
    }
    let feature = feature.map_or_else(String::new, |f| format!("{f}, which is "));
    Err(Failure::new(
        1,
        format!(
            "{command}: the host's kernel lacks {feature}module {module}; where it is to be had, load it on the host: sudo modprobe {module}"
        ),
    ))
}

/// Tried in a scratch namespace; where that cannot be made, nothing is known against it.
fn works(feature: &str) -> bool {
    Features::try_all()
        .kernel
        .get(feature)
        .is_none_or(|trial| trial.works)
}

fn present(module: &str) -> bool {
    let loaded = fs::read_to_string("/proc/modules").unwrap_or_default();
    loaded.lines().any(|l| l.split(' ').next() == Some(module))
        || Path::new("/sys/module").join(module).exists()
}

/// Built into the kernel, as its list says; without a list, nothing is known against it.
fn built_in(module: &str) -> bool {
    let end = format!("/{module}.ko");
    builtin_list().is_none_or(|text| text.lines().any(|l| l.replace('-', "_").ends_with(&end)))
}

fn builtin_list() -> Option<String> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").ok()?;
    fs::read_to_string(format!(
        "/usr/lib/modules/{}/modules.builtin",
        release.trim()
    ))
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_no_modules() {
        assert_eq!(wanted(&["-q", "bonding", "mode=1"]), ["bonding"]);
        assert_eq!(
            wanted(&["-a", "8021q", "mpls_router"]),
            ["8021q", "mpls_router"]
        );
    }

    #[test]
    fn a_missing_module_is_named() {
        // only with a list of what is built in can a module without a feature be missed
        let asked = main("modprobe", &["telaio_no_such_module"]);
        assert_eq!(asked.is_err(), builtin_list().is_some());
        assert_eq!(main("rmmod", &["x"]), Ok(0));
    }
}
