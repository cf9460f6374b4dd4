//! What a lab must show.

use std::net::IpAddr;

use indexmap::IndexMap;
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
    /// A node's IPv4 routing table has exactly these routes, those to networks that it is
    /// attached to aside.
    Routes {
        /// The node.
        node: String,
        /// The routes. IPv6 prefixes among them must be there too, others of IPv6 are left aside.
        routes: Vec<ExpectedRoute>,
    },
    /// A process runs (or does not).
    Daemon {
        /// The node.
        node: String,
        /// The process's name.
        name: String,
        /// That the name is a regular expression which a part of a process's name must match, as
        /// with `pgrep`.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pattern: bool,
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
        /// What answers are allowed; any, when empty.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        only: Vec<String>,
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
        /// `GET` by default.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        method: Option<String>,
        /// Status, 200 by default.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// Regular expression that the body must match.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<String>,
        /// Text that the body must contain.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        contains: Option<String>,
    },
    /// A node's resolver asks a name server first.
    Nameserver {
        /// The node.
        node: String,
        /// The server's address.
        #[schemars(with = "String")]
        server: IpAddr,
    },
    /// A DNS server says which servers a zone has, and one of them has a given address.
    DnsAuthority {
        /// The node that asks.
        node: String,
        /// The zone, `.` for the root.
        zone: String,
        /// The server that is asked.
        #[schemars(with = "String")]
        server: IpAddr,
        /// The address that one of the zone's servers must have.
        #[schemars(with = "String")]
        authority: IpAddr,
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
        /// That it must have no others.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        exact: bool,
    },
    /// A BGP speaker knows a network over exactly these paths.
    BgpRoute {
        /// The node.
        node: String,
        /// The prefix.
        network: String,
        /// The autonomous systems of each path, in order; an empty list for the node's own.
        paths: Vec<Vec<u32>>,
    },
    /// A BGP speaker exchanges EVPN routes with a neighbour.
    EvpnNeighbor {
        /// The node.
        node: String,
        /// The neighbour's address or name.
        ip: String,
    },
    /// A VXLAN interface has this local address.
    Vtep {
        /// The node.
        node: String,
        /// The VXLAN's number.
        vni: u32,
        /// The local address.
        #[schemars(with = "String")]
        address: IpAddr,
    },
    /// An OSPF neighbour is known, in a given state.
    OspfNeighbor {
        /// The node.
        node: String,
        /// The neighbour's router id.
        router_id: String,
        /// `full` by default.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        state: Option<String>,
    },
    /// OSPF has found a route.
    OspfRoute {
        /// The node.
        node: String,
        /// The prefix.
        network: String,
    },
    /// OSPF's view of an interface.
    OspfInterface {
        /// The node.
        node: String,
        /// The interface.
        interface: String,
        /// What must be there, in the words of FRR's `show ip ospf interface json` (`cost`,
        /// `state`, `networkType`, …).
        values: IndexMap<String, String>,
    },
    /// A routing daemon's running configuration has (or has not) a line.
    Configured {
        /// The node.
        node: String,
        /// The daemon (`bgpd`, `ospfd`, …).
        daemon: String,
        /// Regular expression for a line, without the white space at its beginning.
        line: String,
        /// That there must be none.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        absent: bool,
    },
    /// Interfaces are ports of one bridge, with given VLANs.
    Bridge {
        /// The node.
        node: String,
        /// The interfaces.
        interfaces: IndexMap<String, BridgePort>,
        /// The untagged VLAN of VXLANs, by their numbers.
        #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
        vxlan: IndexMap<String, u16>,
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
    /// The lab gives the node something to run at its start.
    StartupScript {
        /// The node.
        node: String,
    },
    /// Startup ended without a failed command.
    Startup {
        /// The node.
        node: String,
    },
}

/// A route that must be there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectedRoute {
    /// Destination prefix, or `default`.
    pub to: String,
    /// Exactly its next hops, where any are given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub via: Vec<NextHop>,
}

/// A port of a bridge.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BridgePort {
    /// Exactly its VLANs, VLAN 1 aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlans: Option<Vec<u16>>,
    /// The VLAN of frames that come without a tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pvid: Option<u16>,
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
            | Self::Routes { node, .. }
            | Self::Nameserver { node, .. }
            | Self::DnsAuthority { node, .. }
            | Self::BgpRoute { node, .. }
            | Self::EvpnNeighbor { node, .. }
            | Self::Vtep { node, .. }
            | Self::OspfNeighbor { node, .. }
            | Self::OspfRoute { node, .. }
            | Self::OspfInterface { node, .. }
            | Self::Configured { node, .. }
            | Self::Bridge { node, .. }
            | Self::StartupScript { node }
            | Self::Startup { node } => node,
        }
    }
}
