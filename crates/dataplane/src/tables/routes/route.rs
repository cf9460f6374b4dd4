//! Prefixes and routes, and how Click writes them.

use std::fmt;
use std::net::Ipv4Addr;

/// An IPv4 prefix without host bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prefix {
    address: u32,
    length: u8,
}

impl Prefix {
    /// Everything: the prefix of a default route.
    pub const ALL: Self = Self {
        address: 0,
        length: 0,
    };

    /// The prefix of `length` bits (at most 32) that holds `address`, in host order; host bits are cleared.
    #[must_use]
    pub fn new(address: u32, length: u8) -> Option<Self> {
        (length <= 32).then(|| Self {
            address: address & mask(length),
            length,
        })
    }

    /// The first address, in host order.
    #[must_use]
    pub fn address(self) -> u32 {
        self.address
    }

    /// The number of leading bits that matter.
    #[must_use]
    pub fn length(self) -> u8 {
        self.length
    }

    /// The last address, in host order.
    #[must_use]
    pub fn last(self) -> u32 {
        self.address | !mask(self.length)
    }

    /// Whether `address` lies within.
    #[must_use]
    pub fn contains(self, address: u32) -> bool {
        address & mask(self.length) == self.address
    }

    /// The prefixes that hold this one, from the next shorter to everything.
    pub fn parents(self) -> impl Iterator<Item = Self> {
        (0..self.length).rev().map(move |length| Self {
            address: self.address & mask(length),
            length,
        })
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from_bits(self.address), self.length)
    }
}

/// The network mask of a prefix length.
fn mask(length: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)
}

/// A route: where packets to a prefix go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The destinations.
    pub prefix: Prefix,
    /// The next hop's address in host order; 0: the destination itself.
    pub gateway: u32,
    /// The output port; -1 in a removal stands for "whatever it is".
    pub port: i32,
}

impl Route {
    /// Whether a removal written as this route means `other`.
    #[must_use]
    pub fn removes(&self, other: &Self) -> bool {
        self.prefix == other.prefix
            && (self.port < 0 || (self.gateway == other.gateway && self.port == other.port))
    }

    fn gateway_text(&self) -> String {
        match self.gateway {
            0 => "-".to_owned(),
            address => Ipv4Addr::from_bits(address).to_string(),
        }
    }

    /// The line of a `table` listing: columns joined by tabs, short columns by two.
    #[must_use]
    pub fn table_line(&self) -> String {
        let column = |text: String, width: usize| {
            let tabs = if text.len() + 1 < width { "\t\t" } else { "\t" };
            text + tabs
        };
        format!(
            "{}{}{}\n",
            column(self.prefix.to_string(), 17),
            column(self.gateway_text(), 9),
            self.port
        )
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.prefix, self.gateway_text(), self.port)
    }
}
