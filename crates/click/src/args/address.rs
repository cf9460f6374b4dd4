//! Addresses of IPv4, IPv6 and Ethernet.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::context::Context;
use super::split::words;
use super::value::{FromArg, Wrong};

/// Octets with points between, from the beginning of a text: how many there are, at most four,
/// and what follows them. Missing octets are zero.
pub(super) fn octets(text: &str) -> ([u8; 4], usize, &str) {
    let mut value = [0; 4];
    let mut rest = text;
    for (count, octet) in value.iter_mut().enumerate() {
        let digits = if count == 0 {
            Some(rest)
        } else {
            rest.strip_prefix('.')
        };
        let Some((number, after)) = digits.and_then(leading_octet) else {
            return (value, count, rest);
        };
        (*octet, rest) = (number, after);
    }
    (value, 4, rest)
}

fn leading_octet(text: &str) -> Option<(u8, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number = text[..digits].parse().ok()?;
    Some((number, &text[digits..]))
}

/// `a.b.c.d`, or a name.
impl FromArg for Ipv4Addr {
    fn from_arg(text: &str, context: &Context<'_>) -> Result<Self, Wrong> {
        if let (value, 4, "") = octets(text) {
            return Ok(Self::from(value));
        }
        let named = context.names().ip(text, context.element());
        named.ok_or_else(Wrong::form)
    }
}

/// As RFC 4291 writes them, or a name.
impl FromArg for Ipv6Addr {
    fn from_arg(text: &str, context: &Context<'_>) -> Result<Self, Wrong> {
        if let Ok(value) = text.parse() {
            return Ok(value);
        }
        let named = context.names().ip6(text, context.element());
        named.ok_or_else(Wrong::form)
    }
}

/// Addresses with blanks between.
impl FromArg for Vec<Ipv4Addr> {
    fn from_arg(text: &str, context: &Context<'_>) -> Result<Self, Wrong> {
        let words = words(text);
        words
            .iter()
            .map(|word| Ipv4Addr::from_arg(word, context))
            .collect()
    }
}

/// An Ethernet address. It prints as Click does, `00-1A-2B-3C-4D-5E`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EtherAddress(pub [u8; 6]);

impl EtherAddress {
    /// Six bytes of one or two hexadecimal digits, between them all `:` or all `-`.
    fn read(text: &str) -> Option<Self> {
        let separator = text.chars().find(|c| matches!(c, ':' | '-'))?;
        let mut parts = text.split(separator);
        let mut value = [0; 6];
        for byte in &mut value {
            let part = parts.next()?;
            if part.len() > 2 || !part.bytes().all(|b| b.is_ascii_hexdigit()) {
                return None;
            }
            *byte = u8::from_str_radix(part, 16).ok()?;
        }
        parts.next().is_none().then_some(Self(value))
    }
}

impl std::fmt::Display for EtherAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02X}-{b:02X}-{c:02X}-{d:02X}-{e:02X}-{g:02X}")
    }
}

/// With `:` or `-`, or a name.
impl FromArg for EtherAddress {
    fn from_arg(text: &str, context: &Context<'_>) -> Result<Self, Wrong> {
        if let Some(value) = Self::read(text) {
            return Ok(value);
        }
        let named = context.names().ether(text, context.element());
        named.ok_or_else(Wrong::form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: FromArg>(text: &str) -> Option<T> {
        T::from_arg(text, &Context::none()).ok()
    }

    #[test]
    fn internet_addresses() {
        assert_eq!(read("10.0.0.1"), Some(Ipv4Addr::new(10, 0, 0, 1)));
        assert_eq!(read("010.0.0.255"), Some(Ipv4Addr::new(10, 0, 0, 255)));
        for text in [
            "10.0.0",
            "10.0.0.256",
            "10.0.0.1.",
            "10..0.1",
            "",
            "1.2.3.4.5",
            "+1.2.3.4",
        ] {
            assert_eq!(read::<Ipv4Addr>(text), None, "{text:?}");
        }
        let two = vec![Ipv4Addr::new(1, 0, 0, 1), Ipv4Addr::new(2, 0, 0, 2)];
        assert_eq!(read(" 1.0.0.1  2.0.0.2"), Some(two));
        assert_eq!(read::<Vec<Ipv4Addr>>("1.0.0.1 x"), None);
        assert_eq!(read("::1"), Some(Ipv6Addr::LOCALHOST));
        assert_eq!(
            read("::ffff:1.2.3.4"),
            Some(Ipv4Addr::new(1, 2, 3, 4).to_ipv6_mapped())
        );
    }

    #[test]
    fn ethernet_addresses() {
        let address = EtherAddress([0, 0x1a, 0x2b, 3, 0x4d, 0x5e]);
        assert_eq!(read("00:1a:2B:3:4d:5e"), Some(address));
        assert_eq!(read("00-1a-2b-03-4d-5e"), Some(address));
        assert_eq!(address.to_string(), "00-1A-2B-03-4D-5E");
        for text in [
            "0:1:2:3:4",
            "0:1:2:3:4:5:6",
            "0:1-2:3:4:5",
            "0:1:2:3:4:",
            "0:1:2:3:4:+5",
            "a",
        ] {
            assert_eq!(read::<EtherAddress>(text), None, "{text:?}");
        }
    }
}
