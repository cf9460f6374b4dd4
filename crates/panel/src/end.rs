//! Far ends: what the panel knows of each.

use std::os::fd::BorrowedFd;

use sys::netlink::{Request, Veth, VethPeer, link};
use sys::tc::Place;

/// The panel's end of a node's interface: a handle. Stays the same for as long as the interface
/// belongs to the lab, restarts of its node included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FarEnd(pub(crate) u32);

impl FarEnd {
    /// Its interface's number in the panel's network namespace.
    pub fn index(self) -> u32 {
        self.0
    }
}

/// An interface that a node is to get.
#[derive(Clone, Copy, Debug)]
pub struct NewInterface<'a> {
    /// Number of the node, for the far end's name.
    pub node: u32,
    /// Position among the node's interfaces, for the far end's name.
    pub position: u32,
    /// Its name in the node, at most 15 bytes.
    pub name: &'a str,
    /// Its Ethernet address.
    pub mac: [u8; 6],
    /// Its largest packet in bytes.
    pub mtu: u32,
    /// The node's network namespace.
    pub netns: BorrowedFd<'a>,
}

/// Largest packet of a far end in bytes: as large as any node's interface can be set to.
const FAR_MTU: u32 = 65535;

/// What arrives at a far end goes …
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// … nowhere.
    Silent,
    /// … out of another far end.
    To(FarEnd),
    /// … to all other ports of a bridge.
    Hub(u32),
}

/// What is attached to a far end to direct its frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hook {
    /// Nothing yet.
    None,
    /// The redirect program, which looks into its table.
    Program,
    /// Places for filters; the one that its wire uses, or used last.
    Filters(Place),
}

/// What is known of a far end's carrier, which is on while the node's interface is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// Nothing was heard of it since it was made or set up.
    Unknown,
    /// There is one.
    On,
    /// There is none.
    Off,
}

/// A far end and the interface behind it.
#[derive(Debug)]
pub(crate) struct End {
    /// Name in the panel.
    pub(crate) far_name: String,
    /// Name in the node.
    pub(crate) name: String,
    pub(crate) mac: [u8; 6],
    pub(crate) mtu: u32,
    pub(crate) segment: Option<String>,
    pub(crate) way: Way,
    pub(crate) hook: Hook,
    /// Whether its cable is plugged in.
    pub(crate) plugged: bool,
    /// Whether it was set down since the other end of its link has no carrier.
    pub(crate) lowered: bool,
    pub(crate) carrier: Carrier,
}

impl End {
    pub(crate) fn new(interface: &NewInterface<'_>) -> Self {
        Self {
            far_name: format!("f{}.{}", interface.node, interface.position),
            name: interface.name.to_string(),
            mac: interface.mac,
            mtu: interface.mtu,
            segment: None,
            way: Way::Silent,
            hook: Hook::None,
            plugged: true,
            lowered: false,
            carrier: Carrier::Unknown,
        }
    }

    /// Whether the far end itself is set up.
    pub(crate) fn is_up(&self) -> bool {
        self.plugged && !self.lowered
    }

    /// The request that makes it, with the node's interface in the node's namespace.
    pub(crate) fn create(&self, end: FarEnd, netns: BorrowedFd<'_>) -> Request {
        let peer = VethPeer {
            name: &self.name,
            mtu: self.mtu,
            mac: Some(self.mac),
            netns: Some(netns),
        };
        let veth = Veth {
            name: &self.far_name,
            index: Some(end.0),
            mtu: FAR_MTU,
            mac: None,
            up: self.is_up(),
            peer,
        };
        veth.create()
    }

    /// The request that moves the node's interface, number `index` there, to another namespace.
    pub(crate) fn rehome(&self, index: u32, netns: BorrowedFd<'_>) -> Request {
        link::rehome(index, netns, &self.name, self.mac, self.mtu)
    }
}
