//! The way through a frame's headers to its transport header, tunnels included: which headers
//! on it hold a length or a checksum of what follows them.

use crate::bytes::u16_at;
use crate::{Ethernet, Ipv4, Ipv6, Udp, ethernet, ipv4, udp};

/// Headers that a way may have; frames with more are not understood.
pub const MAX_LAYERS: usize = 8;

/// UDP port of Geneve (RFC 8926). Other UDP on the way is taken for VXLAN (RFC 7348), whatever
/// its port.
const GENEVE: u16 = 6081;

/// A header that holds a length or a checksum of what follows it; `at` counts from the frame's
/// begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// IPv4.
    Ipv4 {
        /// Where it begins.
        at: usize,
    },
    /// IPv6 with its extensions.
    Ipv6 {
        /// Where it begins.
        at: usize,
    },
    /// The UDP header of a tunnel.
    Udp {
        /// Where it begins.
        at: usize,
    },
    /// GRE (RFC 2784, 2890).
    Gre {
        /// Where it begins.
        at: usize,
    },
}

/// Where a way ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// At the transport header that begins here.
    At(usize),
    /// At the first header of this protocol.
    First(u8),
}

/// The headers of a frame from the outermost to the transport header.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    layers: [Layer; MAX_LAYERS],
    count: usize,
    /// Protocol number of the transport header.
    pub protocol: u8,
    /// Where the transport header begins.
    pub transport: usize,
}

impl Way {
    /// The way to `goal`; `None` when there is none that this module understands.
    pub fn find(frame: &[u8], goal: Goal) -> Option<Self> {
        let mut search = Search {
            frame,
            goal,
            layers: [Layer::Gre { at: 0 }; MAX_LAYERS],
            count: 0,
        };
        let (protocol, transport) = search.ethernet(0)?;
        Some(Self {
            layers: search.layers,
            count: search.count,
            protocol,
            transport,
        })
    }

    /// Headers that hold a length or a checksum, outermost first; the last is the IP header
    /// that carries the transport header.
    pub fn layers(&self) -> &[Layer] {
        &self.layers[..self.count]
    }
}

struct Search<'a> {
    frame: &'a [u8],
    goal: Goal,
    layers: [Layer; MAX_LAYERS],
    count: usize,
}

/// Protocol and place of the transport header.
type Found = Option<(u8, usize)>;

impl Search<'_> {
    fn push(&mut self, layer: Layer) -> Option<()> {
        *self.layers.get_mut(self.count)? = layer;
        self.count += 1;
        Some(())
    }

    fn ethernet(&mut self, at: usize) -> Found {
        let frame = Ethernet::parse(self.frame.get(at..)?)?;
        self.network(frame.ethertype(), at + frame.payload_at())
    }

    fn network(&mut self, ethertype: u16, at: usize) -> Found {
        match ethertype {
            ethernet::IPV4 => self.ipv4(at),
            ethernet::IPV6 => self.ipv6(at),
            ethernet::MPLS | ethernet::MPLS_MULTICAST => self.mpls(at),
            ethernet::TRANSPARENT => self.ethernet(at),
            _ => None,
        }
    }

    fn ipv4(&mut self, at: usize) -> Found {
        let ip = Ipv4::parse(self.frame.get(at..)?)?;
        if ip.is_fragment() {
            return None;
        }
        self.push(Layer::Ipv4 { at })?;
        self.transport(ip.protocol(), at + ip.header_length())
    }

    fn ipv6(&mut self, at: usize) -> Found {
        let ip = Ipv6::parse(self.frame.get(at..)?)?;
        if ip.fragment_offset().is_some() {
            return None;
        }
        self.push(Layer::Ipv6 { at })?;
        self.transport(ip.protocol(), at + ip.header_length())
    }

    /// Labels up to the bottom of the stack (RFC 3032); what follows is told by its first bits.
    fn mpls(&mut self, mut at: usize) -> Found {
        while self.frame.get(at + 2)? & 1 == 0 {
            at += 4;
        }
        match self.frame.get(at + 4)? >> 4 {
            4 => self.ipv4(at + 4),
            6 => self.ipv6(at + 4),
            _ => None,
        }
    }

    fn transport(&mut self, protocol: u8, at: usize) -> Found {
        let reached = match self.goal {
            Goal::At(goal) => at == goal,
            Goal::First(goal) => protocol == goal,
        };
        if reached {
            return Some((protocol, at));
        }
        match protocol {
            ipv4::IN_IP => self.ipv4(at),
            ipv4::IPV6 => self.ipv6(at),
            ipv4::GRE => self.gre(at),
            ipv4::UDP => self.tunnel(at),
            _ => None,
        }
    }

    fn gre(&mut self, at: usize) -> Found {
        let flags = u16_at(self.frame, at)?;
        let optional = [0x8000, 0x2000, 0x1000]
            .iter()
            .filter(|bit| flags & **bit != 0)
            .count();
        let ethertype = u16_at(self.frame, at + 2)?;
        self.push(Layer::Gre { at })?;
        self.network(ethertype, at + 4 + optional * 4)
    }

    fn tunnel(&mut self, at: usize) -> Found {
        let udp = Udp::parse(self.frame.get(at..)?)?;
        self.push(Layer::Udp { at })?;
        let inner = at + udp::HEADER;
        if udp.destination() != GENEVE {
            return self.ethernet(inner + 8);
        }
        let options = usize::from(self.frame.get(inner)? & 0x3f) * 4;
        let ethertype = u16_at(self.frame, inner + 2)?;
        self.network(ethertype, inner + 8 + options)
    }
}
