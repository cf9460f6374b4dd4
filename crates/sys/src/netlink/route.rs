//! Routes of all tables.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::address::{family, ip, octets};
use super::error::Error;
use super::message::{
    NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, Request, Subject, attributes, u16_at,
    u32_at,
};
use super::socket::Socket;

const RTM_NEWROUTE: u16 = 24;
const RTM_DELROUTE: u16 = 25;
const RTM_GETROUTE: u16 = 26;

const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;
const RTA_PREFSRC: u16 = 7;
const RTA_MULTIPATH: u16 = 9;
const RTA_TABLE: u16 = 15;
const RTA_VIA: u16 = 18;

/// The table that is used unless rules say otherwise.
pub const TABLE_MAIN: u32 = 254;
/// The kernel's own table of the host's own addresses.
pub const TABLE_LOCAL: u32 = 255;
/// `RTPROT_BOOT`: set by hand or by a startup script.
pub const PROTOCOL_BOOT: u8 = 3;
/// `RTPROT_STATIC`: set by whoever configures the machine.
pub const PROTOCOL_STATIC: u8 = 4;
/// `RTN_UNICAST`: leads somewhere.
pub const KIND_UNICAST: u8 = 1;
/// `RTN_BLACKHOLE`: packets vanish.
pub const KIND_BLACKHOLE: u8 = 6;

const SCOPE_UNIVERSE: u8 = 0;
const SCOPE_LINK: u8 = 253;
const SCOPE_HOST: u8 = 254;

/// One way that a route takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hop {
    /// The router to send to; `None`: the destination is on the link itself.
    pub via: Option<IpAddr>,
    /// Number of the interface to send from; 0 in a request: found by the kernel.
    pub index: u32,
    /// Its share among several ways; 1 is the least.
    pub weight: u16,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Where it leads.
    pub to: IpNet,
    /// The ways that it takes: none for a blackhole and the like, several if shared.
    pub hops: Vec<Hop>,
    /// Its metric: of several routes to the same prefix the one with the least is used.
    pub metric: u32,
    /// Who set it (`RTPROT_*`), see [`Route::protocol_name`].
    pub protocol: u8,
    /// How far its destination is (`RT_SCOPE_*`).
    pub scope: u8,
    /// What it does (`RTN_*`), see [`Route::kind_name`].
    pub kind: u8,
    /// Its table.
    pub table: u32,
    /// Address that packets of this host carry if they go this way.
    pub source: Option<IpAddr>,
}

impl Route {
    /// A route in the main table, static, with one way or none (which makes it a blackhole).
    pub fn new(to: IpNet, hop: Option<Hop>) -> Self {
        let kind = if hop.is_some() {
            KIND_UNICAST
        } else {
            KIND_BLACKHOLE
        };
        Self {
            to,
            hops: hop.into_iter().collect(),
            metric: 0,
            protocol: PROTOCOL_STATIC,
            scope: SCOPE_UNIVERSE,
            kind,
            table: TABLE_MAIN,
            source: None,
        }
    }

    /// The request that adds it; fails where the same route is there.
    pub fn add(&self) -> Request {
        self.request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, "add the route to")
    }

    /// The request that adds it as a further way beside routes to the same prefix (IPv6) or as
    /// a further route after them (IPv4).
    pub fn append(&self) -> Request {
        self.request(
            RTM_NEWROUTE,
            NLM_F_CREATE | NLM_F_APPEND,
            "add the route to",
        )
    }

    /// The request that adds it or puts it in the place of the one that is there.
    pub fn replace(&self) -> Request {
        self.request(
            RTM_NEWROUTE,
            NLM_F_CREATE | NLM_F_REPLACE,
            "set the route to",
        )
    }

    /// The request that removes it.
    pub fn remove(&self) -> Request {
        self.request(RTM_DELROUTE, 0, "remove the route to")
    }

    fn request(&self, kind: u16, flags: u16, what: &'static str) -> Request {
        let scope = self.wanted_scope();
        let table = u8::try_from(self.table).unwrap_or(0);
        let [family, prefix] = [family(self.to.addr()), self.to.prefix_len()];
        // struct rtmsg
        let fixed = [
            family,
            prefix,
            0,
            0,
            table,
            self.protocol,
            scope,
            self.kind,
            0,
            0,
            0,
            0,
        ];
        let subject = Subject::Name(self.to.to_string().into());
        let mut request = Request::new((kind, flags), &fixed, what, subject);
        request.attribute(RTA_DST, &octets(self.to.network()));
        request.number(RTA_TABLE, self.table);
        if self.metric != 0 {
            request.number(RTA_PRIORITY, self.metric);
        }
        if let Some(source) = self.source {
            request.attribute(RTA_PREFSRC, &octets(source));
        }
        self.write_hops(&mut request);
        request
    }

    /// IPv4 demands that a route without a router says that it ends on the link.
    fn wanted_scope(&self) -> u8 {
        let direct = !self.hops.is_empty() && self.hops.iter().all(|h| h.via.is_none());
        match self.to {
            IpNet::V4(_) if self.kind == KIND_UNICAST && direct => SCOPE_LINK,
            _ => self.scope,
        }
    }

    fn write_hops(&self, request: &mut Request) {
        match self.hops.as_slice() {
            [] => {}
            [hop] => {
                if hop.index != 0 {
                    request.number(RTA_OIF, hop.index);
                }
                self.write_gateway(request, hop);
            }
            hops => request.nest(RTA_MULTIPATH, &[], |r| {
                for hop in hops {
                    self.write_next_hop(r, hop);
                }
            }),
        }
    }

    /// `struct rtnexthop`: as long as an attribute's header where an attribute has length and
    /// type it has length, flags and weight, then the interface.
    fn write_next_hop(&self, request: &mut Request, hop: &Hop) {
        let weight = hop.weight.clamp(1, 256) - 1;
        let kind = u16::from_ne_bytes([0, weight as u8]);
        request.nest(kind, &hop.index.to_ne_bytes(), |r| {
            self.write_gateway(r, hop)
        });
    }

    fn write_gateway(&self, request: &mut Request, hop: &Hop) {
        match (hop.via, self.to) {
            (None, _) => {}
            (Some(IpAddr::V6(via)), IpNet::V4(_)) => {
                let mut bytes = (libc::AF_INET6 as u16).to_ne_bytes().to_vec();
                bytes.extend_from_slice(&via.octets());
                request.attribute(RTA_VIA, &bytes);
            }
            (Some(via), _) => request.attribute(RTA_GATEWAY, &octets(via)),
        }
    }

    /// The name of who set it, as `ip route` and FRR call it; a number if it is not known.
    pub fn protocol_name(&self) -> String {
        let name = match self.protocol {
            0 => "unspec",
            1 => "redirect",
            2 => "kernel",
            3 => "boot",
            4 | 196 => "static",
            9 => "ra",
            10 => "mrt",
            11 => "zebra",
            12 => "bird",
            13 => "dnrouted",
            14 => "xorp",
            15 => "ntk",
            16 => "dhcp",
            17 => "mrouted",
            18 => "keepalived",
            42 => "babel",
            186 => "bgp",
            187 => "isis",
            188 => "ospf",
            189 => "rip",
            190 => "ripng",
            191 => "nhrp",
            192 => "eigrp",
            193 => "ldp",
            194 => "sharp",
            195 => "pbr",
            197 => "openfabric",
            198 => "srte",
            other => return other.to_string(),
        };
        name.to_string()
    }

    /// The name of what it does, as `ip route` calls it.
    pub fn kind_name(&self) -> &'static str {
        match self.kind {
            1 => "unicast",
            2 => "local",
            3 => "broadcast",
            4 => "anycast",
            5 => "multicast",
            6 => "blackhole",
            7 => "unreachable",
            8 => "prohibit",
            9 => "throw",
            10 => "nat",
            _ => "unspec",
        }
    }

    /// The name of its scope, as `ip route` calls it.
    pub fn scope_name(&self) -> &'static str {
        match self.scope {
            SCOPE_UNIVERSE => "global",
            200 => "site",
            SCOPE_LINK => "link",
            SCOPE_HOST => "host",
            255 => "nowhere",
            _ => "unknown",
        }
    }
}

/// A route from the payload of an `RTM_NEWROUTE` message; `None` for clones in caches and for
/// families other than IPv4 and IPv6.
fn parse(payload: &[u8]) -> Option<Route> {
    let any = match i32::from(*payload.first()?) {
        libc::AF_INET => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        libc::AF_INET6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        _ => return None,
    };
    const CLONED: u32 = 0x200;
    if u32_at(payload, 8)? & CLONED != 0 {
        return None;
    }
    let mut route = Route {
        to: IpNet::new(any, *payload.get(1)?).ok()?,
        hops: Vec::new(),
        metric: 0,
        protocol: *payload.get(5)?,
        scope: *payload.get(6)?,
        kind: *payload.get(7)?,
        table: u32::from(*payload.get(4)?),
        source: None,
    };
    let mut hop = Hop {
        weight: 1,
        ..Hop::default()
    };
    for (kind, value) in attributes(payload.get(12..)?) {
        match kind {
            RTA_DST => route.to = IpNet::new(ip(value)?, route.to.prefix_len()).ok()?,
            RTA_PRIORITY => route.metric = u32_at(value, 0)?,
            RTA_PREFSRC => route.source = ip(value),
            RTA_TABLE => route.table = u32_at(value, 0)?,
            RTA_MULTIPATH => route.hops = next_hops(value),
            _ => parse_hop(&mut hop, kind, value),
        }
    }
    if route.hops.is_empty() && hop.index != 0 {
        route.hops.push(hop);
    }
    Some(route)
}

fn parse_hop(hop: &mut Hop, kind: u16, value: &[u8]) {
    match kind {
        RTA_OIF => hop.index = u32_at(value, 0).unwrap_or(0),
        RTA_GATEWAY => hop.via = ip(value),
        RTA_VIA => hop.via = value.get(2..).and_then(ip),
        _ => {}
    }
}

fn next_hops(mut bytes: &[u8]) -> Vec<Hop> {
    let mut hops = Vec::new();
    while let (Some(length), Some(index)) = (u16_at(bytes, 0), u32_at(bytes, 4)) {
        let length = usize::from(length);
        let Some(inner) = bytes.get(8..length) else {
            break;
        };
        let weight = u16::from(bytes[3]) + 1;
        let mut hop = Hop {
            via: None,
            index,
            weight,
        };
        for (kind, value) in attributes(inner) {
            parse_hop(&mut hop, kind, value);
        }
        hops.push(hop);
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    hops
}

impl Socket {
    /// All routes of both families and all tables.
    pub fn routes(&mut self) -> Result<Vec<Route>, Error> {
        let mut all = Vec::new();
        for family in [libc::AF_INET as u8, libc::AF_INET6 as u8] {
            let mut fixed = [0; 12];
            fixed[0] = family;
            let kind = (RTM_GETROUTE, 0);
            let request = Request::new(kind, &fixed, "list the routes", Subject::None);
            match self.dump(&request, parse) {
                Ok(routes) => all.extend(routes),
                // a kernel without IPv6
                Err(e) if family == libc::AF_INET6 as u8 && e.is_unsupported() => {}
                Err(e) => return Err(e),
            }
        }
        Ok(all)
    }

    /// Adds a route to the main table, static; without a router and an interface it is a
    /// blackhole.
    pub fn add_route(
        &mut self,
        to: IpNet,
        via: Option<IpAddr>,
        index: Option<u32>,
        metric: Option<u32>,
    ) -> Result<(), Error> {
        let somewhere = via.is_some() || index.is_some();
        let hop = somewhere.then(|| Hop {
            via,
            index: index.unwrap_or(0),
            weight: 1,
        });
        let mut route = Route::new(to, hop);
        route.metric = metric.unwrap_or(0);
        self.run(&[route.add()])
    }
}
