//! What a test looks at, and how that is called.

use click::args::{TCP_OR_UDP, TRANSPORT};
use std::fmt;

pub(super) const ICMP: u32 = 1;
pub(super) const IGMP: u32 = 2;
pub(super) const IPIP: u32 = 4;
pub(super) const TCP: u32 = 6;
pub(super) const UDP: u32 = 17;
pub(super) const DCCP: u32 = 33;

/// What a test looks at. Some are only written so, and are another kind once they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Host,
    Net,
    Ether,
    Proto,
    Port,
    TcpOption,
    Fragment,
    NoFragment,
    /// Whether congestion can be notified.
    Ect,
    /// Congestion was experienced.
    Ce,
    Field(Field),
}

/// Bits of a header, in one word of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// The protocol whose header it is; none for IP's own.
    pub proto: Option<u32>,
    /// The first bit's number, from the header's beginning.
    pub bit: u16,
    /// How many bits there are, 1 to 32.
    pub bits: u8,
}

const fn ip(bit: u16, bits: u8) -> Kind {
    Kind::Field(Field {
        proto: None,
        bit,
        bits,
    })
}

const fn of(proto: u32, bit: u16, bits: u8) -> Kind {
    Kind::Field(Field {
        proto: Some(proto),
        bit,
        bits,
    })
}

pub(super) const VERSION: Kind = ip(0, 4);
pub(super) const HEADER_LENGTH: Kind = ip(4, 4);
pub(super) const TOS: Kind = ip(8, 8);
pub(super) const DSCP: Kind = ip(8, 6);
pub(super) const LENGTH: Kind = ip(16, 16);
pub(super) const ID: Kind = ip(32, 16);
pub(super) const TTL: Kind = ip(64, 8);
pub(super) const WINDOW: Kind = of(TCP, 112, 16);
pub(super) const ICMP_TYPE: Kind = of(ICMP, 0, 8);

impl Kind {
    /// The kind that a qualifier names.
    pub(super) fn named(word: &str) -> Option<Self> {
        Some(match word {
            "host" => Self::Host,
            "net" => Self::Net,
            "proto" => Self::Proto,
            "port" => Self::Port,
            "opt" => Self::TcpOption,
            "frag" => Self::Fragment,
            "unfrag" => Self::NoFragment,
            "ect" => Self::Ect,
            "ce" => Self::Ce,
            "vers" => VERSION,
            "hl" => HEADER_LENGTH,
            "tos" => TOS,
            "dscp" => DSCP,
            "len" => LENGTH,
            "id" => ID,
            "ttl" => TTL,
            "win" => WINDOW,
            "type" => ICMP_TYPE,
            _ => return None,
        })
    }

    /// The protocol that a kind belongs to.
    pub(super) fn proto(self) -> Option<u32> {
        match self {
            Self::Field(field) => field.proto,
            _ => None,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Self::Host => "ip host",
            Self::Net => "ip net",
            Self::Ether => "ether host",
            Self::Proto => "proto",
            Self::Port => "port",
            Self::TcpOption => "tcp opt",
            Self::Fragment => "ip frag",
            Self::NoFragment => "ip unfrag",
            Self::Ect => "ip ect",
            Self::Ce => "ip ce",
            VERSION => "ip vers",
            HEADER_LENGTH => "ip hl",
            TOS => "ip tos",
            DSCP => "ip dscp",
            LENGTH => "ip len",
            ID => "ip id",
            TTL => "ip ttl",
            WINDOW => "tcp win",
            ICMP_TYPE => "icmp type",
            Self::Field(Field { proto: None, .. }) => "ip[...]",
            Self::Field(Field {
                proto: Some(proto), ..
            }) => {
                return write!(f, "{}[...]", proto_name(Some(proto)));
            }
        })
    }
}

/// A protocol's name; nothing if none is given.
pub(super) fn proto_name(proto: Option<u32>) -> String {
    let Some(proto) = proto else {
        return String::new();
    };
    let name = match proto {
        ICMP => "icmp",
        IGMP => "igmp",
        IPIP => "ipip",
        TCP => "tcp",
        UDP => "udp",
        TCP_OR_UDP => "tcpudp",
        TRANSPORT => "transp",
        other => return format!("ip proto {other}"),
    };
    name.to_owned()
}
