//! What a node's process 1 does around itself: the private root, kernel parameters, interfaces.

use std::fs::{File, OpenOptions};
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};

use ipnet::IpNet;
use lab::{Lab, Node, Profile};
use sandbox::NodeRoot;
use sys::netlink;

use super::Context;
use crate::message::{FromNode, send};

/// Where startup scripts' output goes, as on Kathara's machines.
const LOG: &str = "/var/log/startup.log";

/// Makes the node; reports its network namespace as soon as it can be wired. Returns its log.
pub(super) fn build(context: Context<'_>, name: &str, socket: &OwnedFd) -> Result<OwnedFd, String> {
    let node = &context.lab.nodes[name];
    let mut warnings = Vec::new();
    // interfaces that come later take over what `default` says
    defaults(context.lab.profile, node);
    let network = File::open("/proc/thread-self/ns/net")
        .map_err(|e| format!("its network namespace cannot be opened: {e}"))?;
    send(socket, &FromNode::Network, &[network.as_fd()])
        .map_err(|e| format!("the supervisor does not listen: {e}"))?;
    drop(network);
    warnings.extend(limits(node));
    let none = Vec::new();
    let root = NodeRoot {
        name,
        hostname: node.hostname.as_deref().unwrap_or(name),
        hosts: &hosts_file(context, name),
        resolv: None,
        entries: context.snapshot.trees.get(name).unwrap_or(&none),
        blobs: &context.snapshot.blobs,
        mounts: &node.mounts,
    };
    warnings.extend(context.base.enter(&root).map_err(|e| e.to_string())?);
    let log = OpenOptions::new()
        .create(true)
        .read(true)
        .append(true)
        .open(LOG);
    let log = OwnedFd::from(log.map_err(|e| format!("{LOG} cannot be opened: {e}"))?);
    send(socket, &FromNode::Rooted { warnings }, &[log.as_fd()])
        .map_err(|e| format!("the supervisor does not listen: {e}"))?;
    Ok(log)
}

/// Kernel parameters that hold before there are interfaces. What a kernel lacks is no error
/// here: it says so when the lab asks for it.
fn defaults(profile: Profile, node: &Node) {
    let set = |key: &str, value: &str| {
        let _ = sys::sysctl::write(key, value);
    };
    for which in ["all", "default"] {
        set(&format!("net.ipv4.conf.{which}.rp_filter"), "0");
    }
    let forwards = node
        .forward
        .unwrap_or(profile != Profile::Telaio || node.interfaces.len() > 1);
    set("net.ipv4.ip_forward", if forwards { "1" } else { "0" });
    set("net.ipv4.icmp_ratelimit", "0");
    set("net.ipv4.ping_group_range", "0 2147483647");
    let ipv6 = node.ipv6.unwrap_or(profile != Profile::Kathara);
    for which in ["all", "default", "lo"] {
        set(
            &format!("net.ipv6.conf.{which}.disable_ipv6"),
            if ipv6 { "0" } else { "1" },
        );
    }
    // Netkit's machines leave IPv6 forwarding to the lab
    let forwards_ipv6 = match profile {
        Profile::Netkit => node.forward == Some(true),
        Profile::Kathara | Profile::Telaio => forwards,
    };
    if ipv6 {
        let forward = if forwards_ipv6 { "1" } else { "0" };
        let accept = if profile == Profile::Kathara || forwards_ipv6 {
            "0"
        } else {
            "1"
        };
        for which in ["all", "default"] {
            set(&format!("net.ipv6.conf.{which}.forwarding"), forward);
            set(&format!("net.ipv6.conf.{which}.accept_ra"), accept);
        }
        set("net.ipv6.icmp.ratelimit", "0");
    }
}

/// Resource limits, before there is anything to be limited.
fn limits(node: &Node) -> Vec<String> {
    let mut warnings = Vec::new();
    for (name, limit) in &node.limits.ulimits {
        match sys::process::set_limit(name, limit.soft, limit.hard) {
            Ok(true) => {}
            Ok(false) => warnings.push(format!("there is no resource limit `{name}`")),
            Err(e) => warnings.push(format!("limit `{name}` not set: {e}")),
        }
    }
    warnings
}

fn hosts_file(context: Context<'_>, name: &str) -> String {
    let mut text =
        String::from("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
    let node = &context.lab.nodes[name];
    if !node.interfaces.values().any(|i| !i.addresses.is_empty()) {
        let host = node.hostname.as_deref().unwrap_or(name);
        text.push_str(&format!("127.0.1.1\t{host}\n"));
    }
    text.push_str(context.hosts);
    text
}

/// The lines of `/etc/hosts` that all nodes share: every address that the lab itself gives.
pub fn hosts(lab: &Lab) -> String {
    let mut text = String::new();
    for (name, node) in &lab.nodes {
        let host = node.hostname.as_deref().unwrap_or(name);
        let alias = if host == name {
            String::new()
        } else {
            format!(" {name}")
        };
        for address in node.interfaces.values().flat_map(|i| &i.addresses) {
            text.push_str(&format!("{}\t{host}{alias}\n", address.addr()));
        }
    }
    text
}

/// Sets up interfaces, addresses, routes and the lab's kernel parameters.
pub(super) fn configure(lab: &Lab, name: &str) -> Result<Vec<String>, String> {
    let node = &lab.nodes[name];
    let mut warnings = Vec::new();
    let mut socket = netlink::Socket::open().map_err(|e| format!("no netlink socket: {e}"))?;
    let links = socket
        .links()
        .map_err(|e| format!("its interfaces cannot be listed: {e}"))?;
    let index = |name: &str| links.iter().find(|l| l.name == name).map(|l| l.index);
    if let Some(lo) = index("lo") {
        socket
            .set_up(lo, true)
            .map_err(|e| format!("lo cannot be set up: {e}"))?;
    }
    parameters(node, &mut warnings);
    for (interface, data) in &node.interfaces {
        let number =
            index(interface).ok_or_else(|| format!("interface {interface} is not there"))?;
        let up = data
            .up
            .unwrap_or(lab.profile != Profile::Netkit || !data.addresses.is_empty());
        if up {
            let done = socket.set_up(number, true);
            done.map_err(|e| format!("{interface} cannot be set up: {e}"))?;
        }
        for address in &data.addresses {
            if let Err(e) = socket.add_address(number, *address) {
                warnings.push(format!("{address} not set on {interface}: {e}"));
            }
        }
    }
    for route in &node.routes {
        if let Err(e) = add_route(&mut socket, route, &index) {
            warnings.push(format!("route to {} not set: {e}", route.to));
        }
    }
    Ok(warnings)
}

fn add_route(
    socket: &mut netlink::Socket,
    route: &lab::Route,
    index: &dyn Fn(&str) -> Option<u32>,
) -> Result<(), String> {
    let v6 = matches!(route.via, Some(IpAddr::V6(_)));
    let to = prefix(&route.to, v6).ok_or("that is no prefix")?;
    let dev = match route.dev.as_deref() {
        Some(dev) => Some(index(dev).ok_or_else(|| format!("there is no interface {dev}"))?),
        None => None,
    };
    socket
        .add_route(to, route.via, dev, route.metric)
        .map_err(|e| e.to_string())
}

/// A destination as labs write it: a prefix, an address, or `default`.
fn prefix(text: &str, v6: bool) -> Option<IpNet> {
    match text {
        "default" if v6 => "::/0".parse().ok(),
        "default" => "0.0.0.0/0".parse().ok(),
        _ => text
            .parse()
            .ok()
            .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from)),
    }
}

fn parameters(node: &Node, warnings: &mut Vec<String>) {
    for (key, value) in &node.sysctls {
        if let Err(e) = sys::sysctl::write(key, value) {
            warnings.push(format!("{key} = {value} not set: {e}"));
        }
    }
}

/// The environment of everything that runs in a node.
pub(super) fn environment(lab: &Lab, name: &str) -> Vec<(String, String)> {
    let host = lab.nodes[name].hostname.as_deref().unwrap_or(name);
    let fixed = [
        (
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ),
        ("HOME", "/root"),
        ("USER", "root"),
        ("LOGNAME", "root"),
        ("LANG", "C.UTF-8"),
        ("HOSTNAME", host),
    ];
    let mut list: Vec<(String, String)> = fixed
        .iter()
        .map(|(k, v)| ((*k).into(), (*v).into()))
        .collect();
    let own = lab.nodes[name].environment.iter();
    list.extend(own.map(|(k, v)| (k.clone(), v.clone())));
    list
}

/// Kathara's sign that startup is over, which scripts of labs wait for.
pub(super) fn mark_end_of_startup(lab: &Lab) {
    if lab.profile == Profile::Kathara {
        let _ = File::create("/tmp/EOS");
    }
}
