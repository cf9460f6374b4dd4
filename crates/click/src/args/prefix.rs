//! Prefixes of addresses: `10.0.0.0/8`, `18.26.4/24`, `10.0.0.0/255.0.0.0`, `fc00::/7`.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::address::octets;
use super::context::Context;
use super::integer::leading_integer;
use super::value::{FromArg, Parser, Wrong};

/// An IPv4 address with a mask, which need not be one run of ones. The address keeps the bits
/// outside of the mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ipv4Prefix {
    /// The address.
    pub address: Ipv4Addr,
    /// The mask.
    pub mask: Ipv4Addr,
}

impl Ipv4Prefix {
    /// The last address of the prefix, all ones outside of the mask.
    pub fn broadcast(&self) -> Ipv4Addr {
        self.address | !self.mask
    }

    /// An address, a slash, and a length or a mask.
    fn read(text: &str, context: &Context<'_>) -> Option<Self> {
        let (before, after) = text.rsplit_once('/')?;
        let (address, octets) = match octets(before) {
            (value, count @ 1.., "") => (Ipv4Addr::from(value), count),
            _ => (context.names().ip(before, context.element())?, 4),
        };
        let mask = match length(after, 32) {
            Some(length) => mask4(length),
            None => Ipv4Addr::from_arg(after, context).ok()?,
        };
        // a short address says no bits beyond its octets
        let said = mask4(u32::try_from(octets * 8).ok()?);
        (mask & said == mask).then_some(Self { address, mask })
    }
}

/// A prefix's length, decimal, if a text is one of at most `most`.
fn length(text: &str, most: u32) -> Option<u32> {
    match leading_integer::<u32>(text, 10) {
        Some((Ok(length), "")) if length <= most => Some(length),
        _ => None,
    }
}

fn mask4(length: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::MAX.checked_shl(32 - length).unwrap_or(0))
}

/// With a length or a mask, or a name.
impl FromArg for Ipv4Prefix {
    fn from_arg(text: &str, context: &Context<'_>) -> Result<Self, Wrong> {
        let read = Self::read(text, context);
        let named = || context.names().ip_prefix(text, context.element());
        read.or_else(named).ok_or_else(Wrong::form)
    }
}

/// Prefixes, and addresses alone with the longest mask (`IPPrefixArg(true)`).
#[derive(Clone, Copy, Debug, Default)]
pub struct OrAddress;

impl Parser<Ipv4Prefix> for OrAddress {
    fn parse(&self, text: &str, context: &Context<'_>) -> Result<Ipv4Prefix, Wrong> {
        if let Some(prefix) = Ipv4Prefix::read(text, context) {
            return Ok(prefix);
        }
        match Ipv4Addr::from_arg(text, context) {
            Ok(address) => Ok(Ipv4Prefix {
                address,
                mask: Ipv4Addr::BROADCAST,
            }),
            Err(_) => Ipv4Prefix::from_arg(text, context),
        }
    }
}

/// An IPv6 address with the length of its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ipv6Prefix {
    /// The address.
    pub address: Ipv6Addr,
    /// How many bits the prefix has, at most 128.
    pub length: u8,
}

impl Ipv6Prefix {
    fn read(text: &str, context: &Context<'_>) -> Option<Self> {
        let (before, after) = text.rsplit_once('/')?;
        let address = Ipv6Addr::from_arg(before, context).ok()?;
        let length = match length(after, 128) {
            Some(length) => length,
            None => mask_length(after.parse().ok()?)?,
        };
        Some(Self {
            address,
            length: u8::try_from(length).ok()?,
        })
    }
}

/// How long a mask is, if it is one run of ones.
fn mask_length(mask: Ipv6Addr) -> Option<u32> {
    let bits = u128::from(mask);
    let length = bits.leading_ones();
    (length + bits.trailing_zeros() == 128 || bits == u128::MAX).then_some(length)
}

/// With a length or a mask, or a name.
impl FromArg for Ipv6Prefix {
    fn from_arg(text: &str, context: &Context<'_>) -> Result<Self, Wrong> {
        let read = Self::read(text, context);
        let named = || context.names().ip6_prefix(text, context.element());
        read.or_else(named).ok_or_else(Wrong::form)
    }
}

impl Parser<Ipv6Prefix> for OrAddress {
    fn parse(&self, text: &str, context: &Context<'_>) -> Result<Ipv6Prefix, Wrong> {
        if let Some(prefix) = Ipv6Prefix::read(text, context) {
            return Ok(prefix);
        }
        match Ipv6Addr::from_arg(text, context) {
            Ok(address) => Ok(Ipv6Prefix {
                address,
                length: 128,
            }),
            Err(_) => Ipv6Prefix::from_arg(text, context),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, String)> {
        let prefix = Ipv4Prefix::from_arg(text, &Context::none()).ok()?;
        Some((prefix.address.to_string(), prefix.mask.to_string()))
    }

    #[test]
    fn prefixes_of_four_bytes() {
        let some = |a: &str, m: &str| Some((a.to_owned(), m.to_owned()));
        assert_eq!(read("10.1.0.0/8"), some("10.1.0.0", "255.0.0.0"));
        assert_eq!(read("18.26.4/24"), some("18.26.4.0", "255.255.255.0"));
        assert_eq!(read("10/8"), some("10.0.0.0", "255.0.0.0"));
        assert_eq!(read("1.2.3.4/0"), some("1.2.3.4", "0.0.0.0"));
        assert_eq!(read("1.2.3.4/255.0.255.0"), some("1.2.3.4", "255.0.255.0"));
        for text in [
            "18.26.4/25",
            "1.2.3.4",
            "1.2.3.4/33",
            "/8",
            "1.2.3.4/",
            "1.2.3.4.5/8",
            "x/8",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn addresses_alone_where_they_may_be() {
        let read = |text| Parser::<Ipv4Prefix>::parse(&OrAddress, text, &Context::none());
        assert_eq!(read("1.2.3.4").unwrap().mask, Ipv4Addr::BROADCAST);
        let net = read("1.2.3.4/20").unwrap();
        assert_eq!(net.broadcast(), Ipv4Addr::new(1, 2, 15, 255));
        assert!(read("1.2.3").is_err());
    }

    #[test]
    fn prefixes_of_sixteen_bytes() {
        let read = |text| {
            Ipv6Prefix::from_arg(text, &Context::none())
                .ok()
                .map(|p| p.length)
        };
        assert_eq!(read("fc00::/7"), Some(7));
        assert_eq!(read("::/ffff:ffff::"), Some(32));
        assert_eq!(read("::/::"), Some(0));
        assert_eq!(read("::/128"), Some(128));
        assert_eq!(read("::/129"), None);
        assert_eq!(read("::/ff::ff"), None);
        let read = |text| Parser::<Ipv6Prefix>::parse(&OrAddress, text, &Context::none());
        assert_eq!(read("::1").unwrap().length, 128);
    }
}
