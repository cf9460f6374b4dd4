//! Interfaces: made, changed, listed.

use std::os::fd::{AsRawFd, BorrowedFd};

use super::error::Error;
use super::message::{
    NLM_F_CREATE, NLM_F_EXCL, Request, Subject, attributes, text, u32_at, u64_at,
};
use super::socket::Socket;

const RTM_NEWLINK: u16 = 16;
const RTM_DELLINK: u16 = 17;
const RTM_GETLINK: u16 = 18;

const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_LINK: u16 = 5;
const IFLA_MASTER: u16 = 10;
const IFLA_OPERSTATE: u16 = 16;
const IFLA_LINKINFO: u16 = 18;
const IFLA_STATS64: u16 = 23;
const IFLA_NET_NS_FD: u16 = 28;
const IFLA_EXT_MASK: u16 = 29;
const IFLA_NUM_TX_QUEUES: u16 = 31;
const IFLA_NUM_RX_QUEUES: u16 = 32;
const IFLA_CARRIER: u16 = 33;
const IFLA_LINK_NETNSID: u16 = 37;

const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const IFLA_INFO_SLAVE_KIND: u16 = 4;
const IFLA_INFO_SLAVE_DATA: u16 = 5;
const VETH_INFO_PEER: u16 = 1;

const IFLA_BR_FORWARD_DELAY: u16 = 1;
const IFLA_BR_AGEING_TIME: u16 = 4;
const IFLA_BR_STP_STATE: u16 = 5;
const IFLA_BR_MCAST_SNOOPING: u16 = 23;
const IFLA_BRPORT_GROUP_FWD_MASK: u16 = 31;

/// `IFF_UP`: set up by whoever administers it.
const UP: u32 = 1;
/// `IFF_PROMISC`.
const PROMISC: u32 = 0x100;
/// `IFLA_VLAN_ID`, of the `vlan` kind's own data.
const IFLA_VLAN_ID: u16 = 1;

/// Which frames to 01:80:c2:00:00:0x a hub's port passes: all but 01 (PAUSE), which the kernel
/// lets no bridge pass. Bit x is address x.
pub const GROUP_FORWARD_ALL: u16 = 0xfffd;

/// A pair of interfaces, the second one in another network namespace.
#[derive(Clone, Copy, Debug)]
pub struct Veth<'a> {
    /// Name of the first end, at most 15 bytes.
    pub name: &'a str,
    /// Number of the first end; chosen by the kernel if `None`.
    pub index: Option<u32>,
    /// Largest packet of the first end in bytes, without the Ethernet header.
    pub mtu: u32,
    /// Address of the first end; random if `None`.
    pub mac: Option<[u8; 6]>,
    /// Whether the first end is up from the beginning. (The kernel refuses this for the second.)
    pub up: bool,
    /// The second end.
    pub peer: VethPeer<'a>,
}

/// The second end of a [`Veth`].
#[derive(Clone, Copy, Debug)]
pub struct VethPeer<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its largest packet in bytes.
    pub mtu: u32,
    /// Its address; random if `None`.
    pub mac: Option<[u8; 6]>,
    /// Its network namespace; the socket's own if `None`.
    pub netns: Option<BorrowedFd<'a>>,
}

impl Veth<'_> {
    /// The request that makes it. Both ends get one queue each, whatever the number of
    /// processors: queues of a pair are never waited in, and each costs memory.
    pub fn create(&self) -> Request {
        let header = header(self.index.unwrap_or(0), u32::from(self.up), UP);
        let mut request = new(&header, "make the interface", self.name);
        common(&mut request, self.name, self.mtu, self.mac);
        request.nest(IFLA_LINKINFO, &[], |r| {
            r.text(IFLA_INFO_KIND, "veth");
            r.nest(IFLA_INFO_DATA, &[], |r| {
                r.nest(VETH_INFO_PEER, &self::header(0, 0, 0), |r| {
                    common(r, self.peer.name, self.peer.mtu, self.peer.mac);
                    if let Some(netns) = self.peer.netns {
                        r.attribute(IFLA_NET_NS_FD, &netns.as_raw_fd().to_ne_bytes());
                    }
                });
            });
        });
        request
    }
}

fn common(request: &mut Request, name: &str, mtu: u32, mac: Option<[u8; 6]>) {
    request.text(IFLA_IFNAME, name);
    request.number(IFLA_MTU, mtu);
    request.number(IFLA_NUM_TX_QUEUES, 1);
    request.number(IFLA_NUM_RX_QUEUES, 1);
    if let Some(mac) = mac {
        request.attribute(IFLA_ADDRESS, &mac);
    }
}

/// Makes a hub: a bridge, up, that learns nothing, delays nothing and filters no groups, so that
/// each frame goes to all other ports.
pub fn create_hub(name: &str, index: Option<u32>) -> Request {
    let mut request = new(&header(index.unwrap_or(0), UP, UP), "make the bridge", name);
    request.text(IFLA_IFNAME, name);
    request.nest(IFLA_LINKINFO, &[], |r| {
        r.text(IFLA_INFO_KIND, "bridge");
        r.nest(IFLA_INFO_DATA, &[], |r| {
            r.number(IFLA_BR_STP_STATE, 0);
            r.number(IFLA_BR_FORWARD_DELAY, 0);
            r.number(IFLA_BR_AGEING_TIME, 0);
            r.attribute(IFLA_BR_MCAST_SNOOPING, &[0]);
        });
    });
    request
}

/// Makes an interface of any kind that needs nothing else to be said (`ifb`, `dummy`, `bridge`).
pub fn create(name: &str, kind: &str) -> Request {
    let mut request = new(&header(0, 0, 0), "make the interface", name);
    request.text(IFLA_IFNAME, name);
    request.nest(IFLA_LINKINFO, &[], |r| r.text(IFLA_INFO_KIND, kind));
    request
}

/// Makes an interface a port of a bridge (or of another kind of master), or of none.
pub fn set_master(index: u32, master: Option<u32>) -> Request {
    let mut request = change(index, "plug in");
    request.number(IFLA_MASTER, master.unwrap_or(0));
    request
}

/// Sets which frames to 01:80:c2:00:00:0x an interface passes as a bridge's port.
pub fn set_group_forward(index: u32, mask: u16) -> Request {
    let mut request = change(index, "let link-local frames through");
    request.nest(IFLA_LINKINFO, &[], |r| {
        r.text(IFLA_INFO_SLAVE_KIND, "bridge");
        r.nest(IFLA_INFO_SLAVE_DATA, &[], |r| {
            r.attribute(IFLA_BRPORT_GROUP_FWD_MASK, &mask.to_ne_bytes());
        });
    });
    request
}

/// Sets an interface up or down.
pub fn set_up(index: u32, up: bool) -> Request {
    let what = if up { "set up" } else { "set down" };
    let header = header(index, u32::from(up), UP);
    Request::new((RTM_NEWLINK, 0), &header, what, Subject::Index(index))
}

/// Has an interface take in frames for all addresses, or for its own only.
pub fn set_promiscuous(index: u32, on: bool) -> Request {
    let header = header(index, if on { PROMISC } else { 0 }, PROMISC);
    let what = "set what is taken in at";
    Request::new((RTM_NEWLINK, 0), &header, what, Subject::Index(index))
}

/// Makes an interface that has the frames of `lower` with one 802.1Q tag.
pub fn create_vlan(name: &str, lower: u32, id: u16) -> Request {
    let mut request = new(&header(0, UP, UP), "make the VLAN interface", name);
    request.text(IFLA_IFNAME, name);
    request.number(IFLA_LINK, lower);
    request.nest(IFLA_LINKINFO, &[], |r| {
        r.text(IFLA_INFO_KIND, "vlan");
        r.nest(IFLA_INFO_DATA, &[], |r| {
            r.attribute(IFLA_VLAN_ID, &id.to_ne_bytes())
        });
    });
    request
}

/// Sets the largest packet in bytes, without the Ethernet header.
pub fn set_mtu(index: u32, mtu: u32) -> Request {
    let mut request = change(index, "set the MTU of");
    request.number(IFLA_MTU, mtu);
    request
}

/// Sets the Ethernet address.
pub fn set_mac(index: u32, mac: [u8; 6]) -> Request {
    let mut request = change(index, "set the address of");
    request.attribute(IFLA_ADDRESS, &mac);
    request
}

/// Gives an interface, which must be down, another name.
pub fn rename(index: u32, name: &str) -> Request {
    let mut request = change(index, "rename");
    request.text(IFLA_IFNAME, name);
    request
}

/// Switches the carrier of an interface whose driver allows it (`dummy`, `tun`; not `veth`).
pub fn set_carrier(index: u32, on: bool) -> Request {
    let mut request = change(index, "switch the carrier of");
    request.attribute(IFLA_CARRIER, &[u8::from(on)]);
    request
}

/// Moves an interface into another network namespace. It arrives down, without addresses.
pub fn set_netns(index: u32, netns: BorrowedFd<'_>) -> Request {
    let mut request = change(index, "move");
    request.attribute(IFLA_NET_NS_FD, &netns.as_raw_fd().to_ne_bytes());
    request
}

/// Moves an interface into another network namespace and gives it this name, address and MTU
/// there.
pub fn rehome(index: u32, netns: BorrowedFd<'_>, name: &str, mac: [u8; 6], mtu: u32) -> Request {
    let mut request = set_netns(index, netns);
    request.text(IFLA_IFNAME, name);
    request.attribute(IFLA_ADDRESS, &mac);
    request.number(IFLA_MTU, mtu);
    request
}

/// Removes an interface; a veth's other end goes with it.
pub fn delete(index: u32) -> Request {
    Request::new(
        (RTM_DELLINK, 0),
        &header(index, 0, 0),
        "remove",
        Subject::Index(index),
    )
}

/// `struct ifinfomsg`.
fn header(index: u32, flags: u32, change: u32) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[4..8].copy_from_slice(&index.to_ne_bytes());
    bytes[8..12].copy_from_slice(&flags.to_ne_bytes());
    bytes[12..].copy_from_slice(&change.to_ne_bytes());
    bytes
}

fn new(header: &[u8; 16], what: &'static str, name: &str) -> Request {
    let kind = (RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    Request::new(kind, header, what, Subject::Name(name.into()))
}

fn change(index: u32, what: &'static str) -> Request {
    Request::new(
        (RTM_NEWLINK, 0),
        &header(index, 0, 0),
        what,
        Subject::Index(index),
    )
}

/// An interface as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Its number in its network namespace.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Its flags (`IFF_*`).
    pub flags: u32,
    /// RFC 2863 state: 6 is up, 2 down, 7 lower layer down, 0 unknown.
    pub operstate: u8,
    /// Whether it has a carrier.
    pub carrier: bool,
    /// Its Ethernet address, if it has one.
    pub mac: Option<[u8; 6]>,
    /// Largest packet in bytes.
    pub mtu: u32,
    /// Its driver's kind (`veth`, `bridge`, …); `None` for hardware and `lo`.
    pub kind: Option<String>,
    /// The bridge (or other master) that it is a port of.
    pub master: Option<u32>,
    /// The interface that it is bound to: a veth's other end, a VLAN's parent.
    pub link: Option<u32>,
    /// Which other network namespace that interface is in, as this one counts them.
    pub link_netns: Option<i32>,
    /// Its counters.
    pub stats: Stats,
}

impl Link {
    /// Whether it is set up.
    pub fn is_up(&self) -> bool {
        self.flags & UP != 0
    }

    /// The name of its state, as `ip` shows it.
    pub fn state(&self) -> &'static str {
        match self.operstate {
            1 => "NOTPRESENT",
            2 => "DOWN",
            3 => "LOWERLAYERDOWN",
            4 => "TESTING",
            5 => "DORMANT",
            6 => "UP",
            _ => "UNKNOWN",
        }
    }
}

/// Counters of an interface since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Stats {
    pub rx_packets: u64,
    pub tx_packets: u64,
    pub rx_bytes: u64,
    pub tx_bytes: u64,
    pub rx_errors: u64,
    pub tx_errors: u64,
    pub rx_dropped: u64,
    pub tx_dropped: u64,
}

impl Stats {
    /// `struct rtnl_link_stats64`.
    fn parse(bytes: &[u8]) -> Self {
        let at = |position: usize| u64_at(bytes, position * 8).unwrap_or(0);
        Self {
            rx_packets: at(0),
            tx_packets: at(1),
            rx_bytes: at(2),
            tx_bytes: at(3),
            rx_errors: at(4),
            tx_errors: at(5),
            rx_dropped: at(6),
            tx_dropped: at(7),
        }
    }
}

/// An interface from the payload of an `RTM_NEWLINK` message.
pub(super) fn parse(payload: &[u8]) -> Option<Link> {
    let mut link = Link {
        index: u32_at(payload, 4)?,
        flags: u32_at(payload, 8)?,
        ..Link::default()
    };
    for (kind, value) in attributes(payload.get(16..)?) {
        match kind {
            IFLA_ADDRESS => link.mac = value.try_into().ok(),
            IFLA_IFNAME => link.name = text(value),
            IFLA_MTU => link.mtu = u32_at(value, 0)?,
            IFLA_LINK => link.link = u32_at(value, 0),
            IFLA_LINK_NETNSID => link.link_netns = u32_at(value, 0).map(u32::cast_signed),
            IFLA_MASTER => link.master = u32_at(value, 0),
            IFLA_OPERSTATE => link.operstate = *value.first()?,
            IFLA_CARRIER => link.carrier = *value.first()? != 0,
            IFLA_STATS64 => link.stats = Stats::parse(value),
            IFLA_LINKINFO => {
                let found = attributes(value).find(|(kind, _)| *kind == IFLA_INFO_KIND);
                link.kind = found.map(|(_, value)| text(value));
            }
            _ => {}
        }
    }
    Some(link)
}

impl Socket {
    /// All interfaces of the namespace.
    pub fn links(&mut self) -> Result<Vec<Link>, Error> {
        let fixed = header(0, 0, 0);
        let mut request = Request::new(
            (RTM_GETLINK, 0),
            &fixed,
            "list the interfaces",
            Subject::None,
        );
        // without this the kernel adds tables of virtual functions that nobody wants here
        request.number(IFLA_EXT_MASK, 0);
        self.dump(&request, parse)
    }

    /// The interface of a name, if there is one.
    pub fn link(&mut self, name: &str) -> Result<Option<Link>, Error> {
        Ok(self.links()?.into_iter().find(|l| l.name == name))
    }

    /// Sets an interface up or down.
    pub fn set_up(&mut self, index: u32, up: bool) -> Result<(), Error> {
        self.run(&[set_up(index, up)])
    }
}
