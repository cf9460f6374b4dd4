//! Whose argument is read, and where names are looked up.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::address::EtherAddress;
use super::annotation::Annotation;
use super::prefix::{Ipv4Prefix, Ipv6Prefix};

/// What a named number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NumberKind {
    /// Protocols of IP.
    IpProtocol,
    /// Ports of a protocol of IP, by its number.
    Port(u8),
    /// Types of ICMP messages.
    IcmpType,
    /// Types of ICMPv6 messages.
    Icmp6Type,
}

/// Names that a configuration defines or the machine knows. A name means what it means to the
/// element that asks, whose full name is given. Each method knows nothing unless it is written.
pub trait Names {
    /// An IPv4 address.
    fn ip(&self, _name: &str, _element: &str) -> Option<Ipv4Addr> {
        None
    }

    /// An IPv4 address with its mask.
    fn ip_prefix(&self, _name: &str, _element: &str) -> Option<Ipv4Prefix> {
        None
    }

    /// An IPv6 address.
    fn ip6(&self, _name: &str, _element: &str) -> Option<Ipv6Addr> {
        None
    }

    /// An IPv6 address with the length of its prefix.
    fn ip6_prefix(&self, _name: &str, _element: &str) -> Option<Ipv6Prefix> {
        None
    }

    /// An Ethernet address.
    fn ether(&self, _name: &str, _element: &str) -> Option<EtherAddress> {
        None
    }

    /// A number, beyond those that every router knows ([`builtin`](super::builtin)).
    fn number(&self, _kind: NumberKind, _name: &str, _element: &str) -> Option<u32> {
        None
    }

    /// An annotation, beyond those that every router has.
    fn annotation(&self, _name: &str, _element: &str) -> Option<Annotation> {
        None
    }

    /// Whether the router has an element of this full name.
    fn has_element(&self, _name: &str) -> bool {
        false
    }
}

/// Knows no names.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoNames;

impl Names for NoNames {}

/// The element whose argument is read, and the names it sees.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    names: &'a dyn Names,
    element: &'a str,
}

impl<'a> Context<'a> {
    /// One for an element by its full name (`compound/inner`).
    pub fn new(names: &'a dyn Names, element: &'a str) -> Self {
        Self { names, element }
    }

    /// One that knows no names.
    pub fn none() -> Self {
        Self::new(&NoNames, "")
    }

    /// Where names are looked up.
    pub fn names(&self) -> &'a dyn Names {
        self.names
    }

    /// The full name of the element.
    pub fn element(&self) -> &'a str {
        self.element
    }

    /// The full name of the element that `name` means here: the nearest one, from the compound
    /// that the element stands in outward.
    pub fn find_element(&self, name: &str) -> Option<String> {
        if name.is_empty() {
            return None;
        }
        let full = |prefix: &str| format!("{prefix}{name}");
        let mut found = scopes(self.element).map(full);
        found.find(|full| self.names.has_element(full))
    }
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("element", &self.element)
            .finish_non_exhaustive()
    }
}

/// The prefixes of names that an element sees, from the innermost: `a/b/`, `a/`, and nothing.
pub(super) fn scopes(element: &str) -> impl Iterator<Item = &str> {
    let ends = element.rmatch_indices('/').map(|(i, _)| i + 1);
    ends.chain([0]).map(move |end| &element[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Two;

    impl Names for Two {
        fn has_element(&self, name: &str) -> bool {
            matches!(name, "x" | "a/x" | "a/b/y")
        }
    }

    #[test]
    fn elements_are_found_from_the_inside_out() {
        let find = |element, name| Context::new(&Two, element).find_element(name);
        assert_eq!(find("a/b/z", "x").as_deref(), Some("a/x"));
        assert_eq!(find("a/b/z", "y").as_deref(), Some("a/b/y"));
        assert_eq!(find("z", "x").as_deref(), Some("x"));
        assert_eq!(find("z", "a/b/y").as_deref(), Some("a/b/y"));
        assert_eq!(find("z", "y"), None);
        assert_eq!(find("z", ""), None);
    }
}
