//! `modprobe`, `insmod`, `rmmod`, `lsmod`: a node loads no modules, since the kernel is the
//! host's. What a script asks for is there already, or it is missing and is named.

use std::fs;
use std::path::Path;
use std::process::Command;

use sys::process::Namespaces;

use super::{Failure, say};

/// How one sees whether a feature is there.
#[derive(Clone, Copy)]
enum Probe {
    /// `ip link add name t …` can be said.
    Link(&'static str),
    /// `tc qdisc add dev v root …` can be said.
    Queue(&'static str),
    /// A path exists.
    Path(&'static str),
}

use Probe::{Link, Path as At, Queue};

/// Modules and their probes, `v` being an Ethernet interface.
#[rustfmt::skip]
const PROBES: &[(&str, Probe)] = &[
    ("8021q", Link("link v type vlan id 5")), ("bonding", Link("type bond")), ("bridge", Link("type bridge")),
    ("dummy", Link("type dummy")), ("geneve", Link("type geneve id 5 remote 10.0.0.1")),
    ("ip_gre", Link("type gre remote 10.0.0.1")), ("gre", Link("type gre remote 10.0.0.1")), ("ifb", Link("type ifb")),
    ("ip6_gre", Link("type ip6gre remote 2001:db8::1")), ("ip6_tunnel", Link("type ip6tnl remote 2001:db8::1")),
    ("ipip", Link("type ipip remote 10.0.0.1")), ("macvlan", Link("link v type macvlan")), ("ipvlan", Link("link v type ipvlan")),
    ("macsec", Link("link v type macsec")), ("sit", Link("type sit remote 10.0.0.1")), ("team", Link("type team")),
    ("vrf", Link("type vrf table 10")), ("ip_vti", Link("type vti remote 10.0.0.1 key 1")), ("vxlan", Link("type vxlan id 5 dstport 4789")),
    ("wireguard", Link("type wireguard")), ("sch_netem", Queue("netem delay 1ms")), ("sch_tbf", Queue("tbf rate 1mbit burst 10k latency 1ms")),
    ("sch_htb", Queue("htb")), ("sch_hfsc", Queue("hfsc")), ("sch_sfq", Queue("sfq")), ("sch_prio", Queue("prio")),
    ("sch_cake", Queue("cake")), ("sch_codel", Queue("codel")), ("sch_fq_codel", Queue("fq_codel")),
    ("tun", At("/dev/net/tun")), ("ipv6", At("/proc/sys/net/ipv6")), ("mpls_router", At("/proc/sys/net/mpls")),
    ("mpls_iptunnel", At("/proc/sys/net/mpls")), ("mpls_gso", At("/proc/sys/net/mpls")), ("sctp", At("/proc/net/sctp")),
    ("br_netfilter", At("/proc/sys/net/bridge")),
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
    let probe = PROBES.iter().find(|(name, _)| *name == module);
    if present(&module) || probe.map_or_else(|| built_in(&module), |(_, probe)| works(*probe)) {
        return Ok(());
    }
    Err(Failure::new(
        1,
        format!(
            "{command}: the host's kernel lacks the module {module}; where it is to be had, load it on the host: sudo modprobe {module}"
        ),
    ))
}

/// Tries it in a network of its own; where that cannot be made, nothing is known against it.
fn works(probe: Probe) -> bool {
    if let At(path) = probe {
        return Path::new(path).exists();
    }
    let child = sys::process::clone(Namespaces::NET, || i32::from(!try_inside(probe)));
    child.and_then(|c| c.wait()).is_ok_and(|status| status == 0)
}

/// False only if the kernel says that it has no such thing.
fn try_inside(probe: Probe) -> bool {
    run("ip", "link add name v type veth peer name w");
    let refused = match probe {
        Link(words) => run("ip", &format!("link add name t {words}")),
        Queue(words) => run("tc", &format!("qdisc add dev v root {words}")),
        At(_) => return true,
    };
    let missing = [
        "Unknown device type",
        "not supported",
        "Specified qdisc kind is unknown",
        "No such file or directory",
    ];
    !refused.is_some_and(|text| missing.iter().any(|m| text.contains(m)))
}

/// What a command complains of, if it fails.
fn run(program: &str, words: &str) -> Option<String> {
    let out = Command::new(program)
        .args(words.split(' '))
        .env("LC_ALL", "C")
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    (!out.status.success()).then_some(text)
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
