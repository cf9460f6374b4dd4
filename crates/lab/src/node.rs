//! Machines and their interfaces.

use std::net::IpAddr;

use indexmap::IndexMap;
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{FileItem, Mac, Mount, Script, is_default};

/// A machine of a lab.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Node {
    /// Its host name, where that is not its name in the lab.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The image that the original tool would run; a hint for choosing a routing suite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Network interfaces by name, in the order they are made.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub interfaces: IndexMap<String, Interface>,
    /// Static routes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
    /// Whether it forwards between its interfaces (IPv4, and IPv6 where that is on); by
    /// default as the profile says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward: Option<bool>,
    /// Whether IPv6 is on; by default as the profile says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<bool>,
    /// The routing daemons and their configuration.
    #[serde(skip_serializing_if = "is_default")]
    pub routing: Routing,
    /// Files that it finds at start; a later item replaces what an earlier one wrote.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileItem>,
    /// Folders of the host that it shares.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<Mount>,
    /// Run in this order once the node and all its wires are there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub startup: Vec<Script>,
    /// Run in this order before the node ends.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shutdown: Vec<Script>,
    /// Environment of everything that runs in it.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub environment: IndexMap<String, String>,
    /// Kernel parameters (`net.…` only), set before startup.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub sysctls: IndexMap<String, String>,
    /// Limits on what it may use.
    #[serde(skip_serializing_if = "is_default")]
    pub limits: Limits,
    /// Nodes whose startup must have ended well before this one's begins.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    /// The shell of `telaio shell`, `/bin/bash` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell: Option<String>,
    /// How many terminals `up --terminals` opens for it (1 by default).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminals: Option<u32>,
    /// Ports of it that the host should reach.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<Port>,
    /// Options of the tool that the lab was written for which nothing here carries out
    /// (`bridged`, `privileged`, `kernel`, …), as they stood there.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub hints: IndexMap<String, Vec<String>>,
}

/// A network interface of a node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Interface {
    /// The segment it is plugged into; none: unplugged (or in `links`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment: Option<String>,
    /// Its hardware address; by default made from the names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<Mac>,
    /// Addresses with prefix length (`10.0.0.1/24`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub addresses: Vec<IpNet>,
    /// Largest packet in bytes, 1500 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// Whether it is up before startup; by default as the profile says, and always when it has
    /// addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up: Option<bool>,
}

/// A static route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Destination prefix, or `default`.
    pub to: String,
    /// Next hop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub via: Option<IpAddr>,
    /// Interface, needed where there is no next hop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dev: Option<String>,
    /// Preference, lower first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<u32>,
}

/// Routing daemons and their configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Routing {
    /// The suite. Without one it follows from the node's files (`/etc/frr`, `/etc/quagga`,
    /// `/etc/zebra`, `/etc/bird`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suite: Option<Suite>,
    /// Daemons started before the startup scripts (`ospfd`, `bgpd`, …; `zebra` and `staticd`
    /// come by themselves; `bird`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub daemons: Vec<String>,
    /// The configuration as the suite reads it (`frr.conf`, `bird.conf`).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub config: String,
}

/// A family of routing daemons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Suite {
    /// FRRouting.
    Frr,
    /// Quagga: its files are adapted to FRR.
    Quagga,
    /// GNU Zebra: its files are adapted to FRR.
    Zebra,
    /// BIRD 2.
    Bird,
}

/// Limits on what a node may use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Memory in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Processor cores, 0.5 for half a one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus: Option<f64>,
    /// Resource limits by name (`nofile`, `nproc`, …).
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub ulimits: IndexMap<String, Ulimit>,
}

/// A soft and a hard resource limit; -1 is unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ulimit {
    /// What applies.
    pub soft: i64,
    /// How far a process may raise it.
    pub hard: i64,
}

/// A port of a node, to be reached from the host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Port {
    /// Port number on the host.
    pub host: u16,
    /// Port number in the node.
    pub guest: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
}
