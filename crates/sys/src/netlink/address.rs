//! Addresses of interfaces.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use super::error::Error;
use super::message::{NLM_F_CREATE, NLM_F_EXCL, Request, Subject, attributes, text, u32_at};
use super::socket::Socket;

const RTM_NEWADDR: u16 = 20;
const RTM_DELADDR: u16 = 21;
const RTM_GETADDR: u16 = 22;

const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_LABEL: u16 = 3;
const IFA_BROADCAST: u16 = 4;
const IFA_FLAGS: u16 = 8;

/// `IFA_F_NODAD`: usable at once, without asking the neighbours whether it is taken.
const NODAD: u32 = 2;

/// An address of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Number of the interface.
    pub index: u32,
    /// The address with the length of its network's prefix.
    pub net: IpNet,
    /// The other side's address, if the interface leads to just one other.
    pub peer: Option<IpAddr>,
    /// Its broadcast address.
    pub broadcast: Option<Ipv4Addr>,
    /// `RT_SCOPE_*`: 0 global, 253 link, 254 host.
    pub scope: u8,
    /// `IFA_F_*`.
    pub flags: u32,
    /// Its label (IPv4 only), by default the interface's name.
    pub label: Option<String>,
}

/// Gives an interface an address: with the usual broadcast address (IPv4, unless the network is
/// too small for one), usable at once (IPv6).
pub fn add(index: u32, address: IpNet) -> Request {
    let kind = (RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
    let mut request = request(kind, index, address, "set the address");
    match address {
        IpNet::V4(net) if net.prefix_len() <= 30 => {
            request.attribute(IFA_BROADCAST, &net.broadcast().octets());
        }
        IpNet::V4(_) => {}
        IpNet::V6(_) => request.number(IFA_FLAGS, NODAD),
    }
    request
}

/// Takes an address away from an interface.
pub fn remove(index: u32, address: IpNet) -> Request {
    request((RTM_DELADDR, 0), index, address, "remove the address")
}

fn request(kind: (u16, u16), index: u32, net: IpNet, what: &'static str) -> Request {
    let [family, bytes] = [family(net.addr()), net.prefix_len()];
    let name = format!("{net} of interface number {index}");
    let fixed = header(family, bytes, index);
    let mut request = Request::new(kind, &fixed, what, Subject::Name(name.into()));
    let octets = octets(net.addr());
    request.attribute(IFA_LOCAL, &octets);
    request.attribute(IFA_ADDRESS, &octets);
    request
}

/// `struct ifaddrmsg`.
fn header(family: u8, prefix: u8, index: u32) -> [u8; 8] {
    let mut bytes = [family, prefix, 0, 0, 0, 0, 0, 0];
    bytes[4..].copy_from_slice(&index.to_ne_bytes());
    bytes
}

/// `AF_*` of an address.
pub(super) fn family(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => libc::AF_INET as u8,
        IpAddr::V6(_) => libc::AF_INET6 as u8,
    }
}

/// An address's bytes.
pub(super) fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(a) => a.octets().to_vec(),
        IpAddr::V6(a) => a.octets().to_vec(),
    }
}

/// An address from its 4 or 16 bytes.
pub(super) fn ip(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from).ok();
    v4.or_else(|| <[u8; 16]>::try_from(bytes).map(IpAddr::from).ok())
}

fn parse(payload: &[u8]) -> Option<Address> {
    let (prefix, scope) = (*payload.get(1)?, *payload.get(3)?);
    let (mut local, mut address) = (None, None);
    let mut found = Address {
        index: u32_at(payload, 4)?,
        net: IpNet::from(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        peer: None,
        broadcast: None,
        scope,
        flags: u32::from(*payload.get(2)?),
        label: None,
    };
    for (kind, value) in attributes(payload.get(8..)?) {
        match kind {
            IFA_LOCAL => local = ip(value),
            IFA_ADDRESS => address = ip(value),
            IFA_BROADCAST => found.broadcast = <[u8; 4]>::try_from(value).map(Into::into).ok(),
            IFA_LABEL => found.label = Some(text(value)),
            IFA_FLAGS => found.flags = u32_at(value, 0)?,
            _ => {}
        }
    }
    found.net = IpNet::new(local.or(address)?, prefix).ok()?;
    found.peer = address.filter(|a| local.is_some_and(|l| l != *a));
    Some(found)
}

impl Socket {
    /// All addresses of all interfaces.
    pub fn addresses(&mut self) -> Result<Vec<Address>, Error> {
        let fixed = header(0, 0, 0);
        let kind = (RTM_GETADDR, 0);
        self.dump(
            &Request::new(kind, &fixed, "list the addresses", Subject::None),
            parse,
        )
    }

    /// Gives an interface an address; see [`add`].
    pub fn add_address(&mut self, index: u32, address: IpNet) -> Result<(), Error> {
        self.run(&[add(index, address)])
    }

    /// Takes all addresses away from an interface, but IPv6 ones of the link if `keep_link`.
    pub fn flush_addresses(&mut self, index: u32, keep_link: bool) -> Result<(), Error> {
        const SCOPE_LINK: u8 = 253;
        let all = self.addresses()?.into_iter();
        let kept =
            |a: &Address| keep_link && a.scope == SCOPE_LINK && matches!(a.net, IpNet::V6(_));
        let gone = all.filter(|a| a.index == index && !kept(a));
        let requests: Vec<Request> = gone.map(|a| remove(index, a.net)).collect();
        let failed = self.failures(&requests)?;
        // a primary address takes its secondaries along
        match failed.into_iter().find(|(_, e)| !e.is_absent()) {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }
}
