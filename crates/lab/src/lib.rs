//! The model of a lab: pure data that every lab language is read into and everything else
//! works from. Its serde form is the native language (`telaio.yaml`), and the JSON Schema is
//! generated from it. It reads no file, knows no kernel, and runs nothing.

mod check;
mod files;
mod mac;
mod names;
mod node;
pub mod packages;
mod snapshot;
mod topology;
mod validate;

pub use check::{BgpNeighbor, BridgePort, Check, ExpectedRoute, NextHop, Record, RouteKind, Test};
pub use files::{FileItem, Mount, Script};
pub use mac::Mac;
pub use names::{NameError, check_node_name};
pub use node::{Interface, Limits, Node, Port, Route, Routing, Suite, Ulimit};
pub use snapshot::{Entry, EntryKind, Snapshot};
pub use topology::{External, Segment};
pub use validate::{Locate, ULIMITS, validate, validate_at};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A whole network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lab {
    /// Version of this language: 1.
    pub telaio: u32,
    /// The lab's name; `up --name` overrides it.
    #[serde(default)]
    pub name: String,
    /// What the lab is about.
    #[serde(default, skip_serializing_if = "Info::is_empty")]
    pub info: Info,
    /// Whose habits nodes follow where the file is silent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub profile: Profile,
    /// The machines, by name.
    #[serde(default)]
    pub nodes: IndexMap<String, Node>,
    /// The shared media that interfaces are plugged into, by name. A segment that interfaces
    /// name and that is not listed here is an ordinary one.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub segments: IndexMap<String, Segment>,
    /// Cables: each joins two interfaces (`[pc1:eth0, r1:eth0]`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<[String; 2]>,
    /// What the lab must show.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
}

/// What a lab says about itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Info {
    /// One line or more on what it shows.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Its own version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Who wrote it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub author: String,
    /// Where to write to them.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// Where to read on.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub web: String,
}

impl Info {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whose habits nodes follow where a lab is silent: what forwards, what is up, where a shared
/// folder goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Interfaces up; IPv4 and IPv6 on; a node forwards if it has two interfaces or says so.
    #[default]
    Telaio,
    /// Kathara 3.8: interfaces up, IPv4 forwarding on, IPv6 off unless asked for.
    Kathara,
    /// Netkit 2, Netkit-NG and netkit-jh: interfaces down, IPv4 forwarding on.
    Netkit,
}

/// For `skip_serializing_if`.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Lab {
    /// Members of each segment, in the order nodes and interfaces stand in the lab:
    /// segment name to `(node, interface)` names.
    pub fn members(&self) -> IndexMap<&str, Vec<(&str, &str)>> {
        let mut out: IndexMap<&str, Vec<(&str, &str)>> = self
            .segments
            .keys()
            .map(|name| (name.as_str(), Vec::new()))
            .collect();
        for (node_name, node) in &self.nodes {
            for (if_name, interface) in &node.interfaces {
                if let Some(segment) = &interface.segment {
                    out.entry(segment).or_default().push((node_name, if_name));
                }
            }
        }
        out
    }

    /// The MAC address of an interface: the one that the lab gives, else one made from the
    /// lab's, node's and interface's names, the same at every start.
    pub fn mac(&self, node: &str, interface: &str) -> Mac {
        self.nodes
            .get(node)
            .and_then(|n| n.interfaces.get(interface))
            .and_then(|i| i.mac)
            .unwrap_or_else(|| Mac::from_names(&[node, interface]))
    }
}
