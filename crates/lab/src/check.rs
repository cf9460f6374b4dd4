//! What a lab must show.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing that must become true before its deadline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// What people read; made from the test when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Deadline in seconds from the start of the checks (default 60).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<f64>,
    /// The test.
    #[serde(flatten)]
    pub test: Test,
}

/// A test. All run inside the lab.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Test {
    /// A node gets an ICMP or ICMPv6 echo reply.
    Reaches {
        /// The node that asks.
        from: String,
        /// An address, a node of the lab (every one of its addresses), or a name that the
        /// node's resolver answers.
        to: String,
    },
    /// A node gets no echo reply.
    NotReaches {
        /// The node that asks.
        from: String,
        /// As in `reaches`.
        to: String,
    },
    /// A node's routing table has (or has not) a route.
    Route {
        /// The node.
        node: String,
        /// Destination prefix, or `default`.
        to: String,
        /// Next hops and interfaces, all of which it must have (`via`, `dev` or both).
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        via: Vec<NextHop>,
        /// That it must not be there.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        absent: bool,
        /// That the next hops must be exactly these.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        exact: bool,
    },
    /// How many routes a node's table has.
    RouteCount {
        /// The node.
        node: String,
        /// How many, connected ones included.
        count: usize,
    },
    /// A process runs (or does not).
    Daemon {
        /// The node.
        node: String,
        /// The process's name.
        name: String,
        /// That it must not run.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        absent: bool,
    },
    /// An interface has an address.
    Address {
        /// The node.
        node: String,
        /// The interface.
        interface: String,
        /// Address with prefix length.
        address: String,
    },
    /// A DNS server answers.
    Dns {
        /// The node that asks.
        node: String,
        /// The name to ask for.
        name: String,
        /// `A` by default.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        record: Option<Record>,
        /// The server; by default as the node's resolv.conf says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>")]
        server: Option<IpAddr>,
        /// An answer that must be among those given; any, when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<String>,
        /// That the answer must be an authoritative one.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        authoritative: bool,
    },
    /// A web server answers.
    Http {
        /// The node that asks.
        node: String,
        /// `http://…`.
        url: String,
        /// Status, 200 by default.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// Regular expression that the body must match.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<String>,
    },
    /// A command's outcome.
    Command {
        /// The node.
        node: String,
        /// Run by `bash -c`.
        run: String,
        /// Regular expression that its output must match somewhere.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        matches: Option<String>,
        /// Exactly its output, white space at both ends aside.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<String>,
        /// Its exit status; 0 where neither `matches` nor `output` is given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<i32>,
    },
    /// A node with this name is in the lab.
    Node {
        /// The node.
        node: String,
    },
    /// An interface is plugged into a segment.
    Plugged {
        /// The node.
        node: String,
        /// The interface.
        interface: String,
        /// The segment.
        segment: String,
    },
    /// A kernel parameter's value.
    Sysctl {
        /// The node.
        node: String,
        /// Its name with dots.
        key: String,
        /// Its value.
        value: String,
    },
    /// A BGP speaker's neighbours are known with the right AS and (unless `any_state`) established.
    Bgp {
        /// The node.
        node: String,
        /// The neighbours.
        neighbors: Vec<BgpNeighbor>,
    },
    /// A BGP speaker announces a network.
    BgpNetwork {
        /// The node.
        node: String,
        /// The prefix.
        network: String,
        /// That it must not.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        absent: bool,
    },
    /// A routing protocol takes in routes of another source.
    Redistributes {
        /// The node.
        node: String,
        /// The protocol that announces (`ospf`, `rip`, `bgp`, …).
        into: String,
        /// The source (`connected`, `static`, `ospf`, `bgp`, …).
        from: RouteKind,
        /// That it must not.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        absent: bool,
    },
    /// Startup ended without a failed command.
    Startup {
        /// The node.
        node: String,
    },
}

/// A next hop that a route must have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NextHop {
    /// The gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub gateway: Option<IpAddr>,
    /// The interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dev: Option<String>,
}

/// A BGP neighbour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BgpNeighbor {
    /// Its address.
    #[schemars(with = "String")]
    pub ip: IpAddr,
    /// Its autonomous system.
    pub asn: u32,
    /// That the session need not be established.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub any_state: bool,
}

/// Where routes come from, in the words of the routing suites (`connected`, `static`, `kernel`,
/// `ospf`, `rip`, `bgp`, `isis`, …).
pub type RouteKind = String;

/// A DNS record type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Record {
    /// IPv4 address.
    A,
    /// IPv6 address.
    Aaaa,
    /// Alias.
    Cname,
    /// Mail exchanger.
    Mx,
    /// Name server.
    Ns,
    /// Name of an address.
    Ptr,
    /// Start of authority.
    Soa,
    /// Text.
    Txt,
}

impl Check {
    /// A check with neither name nor deadline.
    pub fn new(test: Test) -> Self {
        Self {
            name: None,
            within: None,
            test,
        }
    }
}

impl Test {
    /// The node that the test runs in.
    pub fn node(&self) -> &str {
        match self {
            Self::Reaches { from, .. } | Self::NotReaches { from, .. } => from,
            Self::Route { node, .. }
            | Self::RouteCount { node, .. }
            | Self::Daemon { node, .. }
            | Self::Address { node, .. }
            | Self::Dns { node, .. }
            | Self::Http { node, .. }
            | Self::Command { node, .. }
            | Self::Node { node }
            | Self::Plugged { node, .. }
            | Self::Sysctl { node, .. }
            | Self::Bgp { node, .. }
            | Self::BgpNetwork { node, .. }
            | Self::Redistributes { node, .. }
            | Self::Startup { node } => node,
        }
    }
}
