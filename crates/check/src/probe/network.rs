//! A node's addresses, routes and processes, as its kernel has them.

use std::collections::HashMap;
use std::fs;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use sys::netlink::Socket;

/// An address of an interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The interface.
    pub dev: String,
    /// The address with its prefix length.
    pub address: IpNet,
}

/// A route of the main table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Its destination.
    pub to: IpNet,
    /// Where to; several for equal-cost paths, none for a blackhole.
    pub via: Vec<Hop>,
    /// Whether the node is attached to that network: its destinations need no router.
    pub attached: bool,
    /// Its metric.
    pub metric: u32,
    /// Who made it (`kernel`, `static`, `ospf`, …).
    pub protocol: String,
}

/// A next hop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// The router; none on the link itself.
    pub gateway: Option<IpAddr>,
    /// The interface.
    pub dev: String,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its name as the kernel has it (15 bytes).
    pub name: String,
    /// Its words.
    pub command: Vec<String>,
}

fn names(socket: &mut Socket) -> Result<HashMap<u32, String>, String> {
    let links = socket.links().map_err(|e| e.to_string())?;
    Ok(links.into_iter().map(|l| (l.index, l.name)).collect())
}

/// The number of an interface.
pub(super) fn index(name: &str) -> Result<u32, String> {
    let mut socket = Socket::open().map_err(|e| e.to_string())?;
    let link = socket.link(name).map_err(|e| e.to_string())?;
    let link = link.ok_or_else(|| format!("there is no interface {name}"))?;
    Ok(link.index)
}

/// All addresses, link-local ones and 127.0.0.0/8 among them.
pub(super) fn addresses() -> Result<Vec<Address>, String> {
    let mut socket = Socket::open().map_err(|e| e.to_string())?;
    let names = names(&mut socket)?;
    let list = socket.addresses().map_err(|e| e.to_string())?;
    let address = |a: sys::netlink::address::Address| Address {
        dev: names.get(&a.index).cloned().unwrap_or_default(),
        address: a.net,
    };
    Ok(list.into_iter().map(address).collect())
}

/// Routes of the main table, connected ones included.
pub(super) fn routes() -> Result<Vec<Route>, String> {
    let mut socket = Socket::open().map_err(|e| e.to_string())?;
    let names = names(&mut socket)?;
    let list = socket.routes().map_err(|e| e.to_string())?;
    let hop = |h: &sys::netlink::route::Hop| Hop {
        gateway: h.via,
        dev: names.get(&h.index).cloned().unwrap_or_default(),
    };
    let route = |r: sys::netlink::route::Route| Route {
        to: r.to,
        via: r.hops.iter().map(hop).collect(),
        attached: is_attached(&r),
        metric: r.metric,
        protocol: r.protocol_name(),
    };
    // 254: the main table
    Ok(list
        .into_iter()
        .filter(|r| r.table == 254)
        .map(route)
        .collect())
}

/// IPv4 says it by the scope; IPv6, which has none, by ways without a router.
fn is_attached(route: &sys::netlink::route::Route) -> bool {
    match route.to {
        IpNet::V4(_) => route.scope_name() == "link",
        IpNet::V6(_) => !route.hops.is_empty() && route.hops.iter().all(|h| h.via.is_none()),
    }
}

/// All processes with words, so without the kernel's.
pub(super) fn processes() -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|e| process(e.file_name().to_str()?))
        .collect()
}

fn process(pid: &str) -> Option<Process> {
    pid.parse::<u32>().ok()?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    let words = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let word = |w: &[u8]| String::from_utf8_lossy(w).into_owned();
    let command = words
        .split(|b| *b == 0)
        .filter(|w| !w.is_empty())
        .map(word)
        .collect();
    Some(Process {
        name: name.trim_end().into(),
        command,
    })
}
