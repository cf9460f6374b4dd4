//! A book of names: what `AddressInfo`, `PortInfo` and `AnnotationInfo` elements define, each for
//! the compound that it stands in.

use std::collections::{HashMap, HashSet};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::address::EtherAddress;
use super::annotation::{ANNOTATION_BYTES, Annotation};
use super::basic::is_word;
use super::context::{Context, Names, NumberKind, scopes};
use super::integer::leading_integer;
use super::prefix::{Ipv4Prefix, Ipv6Prefix};
use super::service::{Named, TCP_OR_UDP};
use super::split::{shift_word, words};
use super::value::{FromArg, Parser, Plain, Wrong};

const TCP: u8 = 6;
const UDP: u8 = 17;

/// Names and what they mean. Full names are those of their scope and themselves: `compound/name`.
#[derive(Clone, Debug, Default)]
pub struct NameBook {
    addresses: HashMap<String, Addresses>,
    numbers: HashMap<(NumberKind, String), u32>,
    annotations: HashMap<String, Annotation>,
    elements: HashSet<String>,
}

/// All that one name of `AddressInfo` means.
#[derive(Clone, Copy, Debug, Default)]
struct Addresses {
    ip: Option<Ipv4Addr>,
    prefix: Option<Ipv4Prefix>,
    ip6: Option<Ipv6Addr>,
    prefix6: Option<Ipv6Prefix>,
    ether: Option<EtherAddress>,
}

impl NameBook {
    /// One without names.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an element of the router by its full name.
    pub fn add_element(&mut self, name: &str) {
        self.elements.insert(name.to_owned());
    }

    /// Adds what an `AddressInfo` element of this name says.
    ///
    /// # Errors
    /// Click's message about each entry that is wrong; the others are added.
    pub fn add_addresses(
        &mut self,
        element: &str,
        arguments: &[String],
    ) -> Result<(), Vec<String>> {
        each(arguments, |argument| self.add_address(element, argument))
    }

    fn add_address(&mut self, element: &str, argument: &str) -> Result<(), String> {
        let words = words(argument);
        let [name, values @ ..] = words.as_slice() else {
            return Ok(());
        };
        if values.is_empty() {
            return Err(format!("expected 'NAME [ADDRS]', got '{argument}'"));
        }
        let mut entry = self
            .addresses
            .get(&scoped(element, name))
            .copied()
            .unwrap_or_default();
        for value in values {
            let known = entry.add(value);
            known.ok_or_else(|| format!("\"{name}\" '{value}' is not a recognizable address"))?;
        }
        self.addresses.insert(scoped(element, name), entry);
        Ok(())
    }

    /// Adds what a `PortInfo` element of this name says.
    ///
    /// # Errors
    /// As [`NameBook::add_addresses`].
    pub fn add_ports(&mut self, element: &str, arguments: &[String]) -> Result<(), Vec<String>> {
        each(arguments, |argument| self.add_port(element, argument))
    }

    fn add_port(&mut self, element: &str, argument: &str) -> Result<(), String> {
        let words = uncommented(argument);
        let [name, port, aliases @ ..] = words.as_slice() else {
            return if words.is_empty() {
                Ok(())
            } else {
                Err(port_entry(argument))
            };
        };
        let (number, protocol) = self
            .port(element, port)
            .ok_or_else(|| port_entry(argument))?;
        for name in std::iter::once(name).chain(aliases) {
            for protocol in protocols(protocol) {
                let key = (NumberKind::Port(protocol), scoped(element, name));
                self.numbers.insert(key, u32::from(number));
            }
        }
        Ok(())
    }

    /// `PORT/PROTO`; without a protocol it is TCP and UDP.
    fn port(&self, element: &str, text: &str) -> Option<(u16, u32)> {
        let (number, rest) = leading_integer::<u16>(text, 0)?;
        let number = number.ok()?;
        if rest.is_empty() {
            return Some((number, TCP_OR_UDP));
        }
        let context = Context::new(self, element);
        let protocol = Named(NumberKind::IpProtocol).parse(rest.strip_prefix('/')?, &context);
        Some((number, protocol.ok()?))
    }

    /// Adds what an `AnnotationInfo` element of this name says: `NAME OFFSET [SIZE]`.
    ///
    /// # Errors
    /// As [`NameBook::add_addresses`].
    pub fn add_annotations(
        &mut self,
        element: &str,
        arguments: &[String],
    ) -> Result<(), Vec<String>> {
        each(arguments, |argument| self.add_annotation(element, argument))
    }

    fn add_annotation(&mut self, element: &str, argument: &str) -> Result<(), String> {
        let mut rest = argument;
        let name = shift_word(&mut rest).unwrap_or_default();
        if name.is_empty() || name.starts_with('#') || name == "CHECK_OVERLAP" {
            return Ok(());
        }
        if !is_word(name.as_bytes()) || read::<Annotation>(name).is_some() {
            return Err(format!("bad NAME '{name}'"));
        }
        let value = self.annotation_of(element, rest);
        let value = value.ok_or_else(|| format!("bad entry for '{name}'"))?;
        self.annotations.insert(scoped(element, name), value);
        Ok(())
    }

    /// `OFFSET [SIZE]`, where the offset may be another annotation's name.
    fn annotation_of(&self, element: &str, text: &str) -> Option<Annotation> {
        let (offset, size) = match words(text).as_slice() {
            [offset] => (*offset, None),
            [offset, size] => (*offset, Some(read::<u8>(size)?)),
            _ => return None,
        };
        let base = Annotation::from_arg(offset, &Context::new(self, element)).ok()?;
        let size = size.filter(|s| *s > 0);
        let agree = size.is_none() || base.size.is_none() || size == base.size;
        let end = base.offset.checked_add(size.unwrap_or(0))?;
        let value = Annotation {
            offset: base.offset,
            size,
        };
        (agree && end <= ANNOTATION_BYTES).then_some(value)
    }

    /// What a name of addresses means to an element, of those that have what is asked for.
    fn address<T>(
        &self,
        name: &str,
        element: &str,
        part: impl Fn(&Addresses) -> Option<T>,
    ) -> Option<T> {
        nearest(element, name, |full| {
            self.addresses.get(full).and_then(&part)
        })
    }
}

impl Addresses {
    /// Adds an address of whatever kind a text is of.
    fn add(&mut self, text: &str) -> Option<()> {
        if let Some(ip) = read(text) {
            self.ip = Some(ip);
        } else if let Some(prefix) = read::<Ipv4Prefix>(text) {
            self.prefix = Some(prefix);
            if !(prefix.address & !prefix.mask).is_unspecified() {
                self.ip = self.ip.or(Some(prefix.address));
            }
        } else if let Some(ip6) = read(text) {
            self.ip6 = Some(ip6);
        } else if let Some(prefix) = read::<Ipv6Prefix>(text) {
            self.prefix6 = Some(prefix);
            let host = u128::from(prefix.address) & !mask6(prefix.length);
            if host != 0 {
                self.ip6 = self.ip6.or(Some(prefix.address));
            }
        } else {
            self.ether = Some(read(text)?);
        }
        Some(())
    }
}

fn mask6(length: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0)
}

fn read<T: FromArg>(text: &str) -> Option<T> {
    let value: Result<T, Wrong> = Plain.parse(text, &Context::none());
    value.ok()
}

fn each(
    arguments: &[String],
    mut add: impl FnMut(&str) -> Result<(), String>,
) -> Result<(), Vec<String>> {
    let wrong: Vec<String> = arguments.iter().filter_map(|a| add(a).err()).collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// The words of an argument up to one that begins with `#`.
fn uncommented(argument: &str) -> Vec<&str> {
    let words = words(argument).into_iter();
    words.take_while(|word| !word.starts_with('#')).collect()
}

fn port_entry(argument: &str) -> String {
    format!("expected 'NAME PORT/PROTO', got '{argument}'")
}

/// The protocols that a port of this one belongs to.
fn protocols(protocol: u32) -> Vec<u8> {
    match u8::try_from(protocol) {
        Ok(protocol) => vec![protocol],
        Err(_) => vec![TCP, UDP],
    }
}

/// The full name of what an element defines: in the compound that it stands in.
fn scoped(element: &str, name: &str) -> String {
    let scope = scopes(element).next().unwrap_or_default();
    format!("{scope}{name}")
}

/// The nearest meaning of a name for an element, from its own compound outward.
fn nearest<T>(element: &str, name: &str, get: impl Fn(&str) -> Option<T>) -> Option<T> {
    scopes(element).find_map(|scope| get(&format!("{scope}{name}")))
}

/// A name without its kind: `eth0:ip` is `eth0` if `ip` is among `kinds`, `eth0` is itself.
fn of_kind<'a>(name: &'a str, kinds: &[&str]) -> Option<&'a str> {
    let Some((name, kind)) = name.rsplit_once(':') else {
        return Some(name);
    };
    let known = kinds.iter().any(|k| k.eq_ignore_ascii_case(kind));
    known.then_some(name)
}

impl Names for NameBook {
    fn ip(&self, name: &str, element: &str) -> Option<Ipv4Addr> {
        if let Some((name, kind)) = name.rsplit_once(':')
            && kind.eq_ignore_ascii_case("bcast")
        {
            return self
                .address(name, element, |a| a.prefix)
                .map(|p| p.broadcast());
        }
        self.address(of_kind(name, &["ip", "ip4"])?, element, |a| a.ip)
    }

    fn ip_prefix(&self, name: &str, element: &str) -> Option<Ipv4Prefix> {
        self.address(of_kind(name, &["ipnet", "ip4net"])?, element, |a| a.prefix)
    }

    fn ip6(&self, name: &str, element: &str) -> Option<Ipv6Addr> {
        self.address(of_kind(name, &["ip6"])?, element, |a| a.ip6)
    }

    fn ip6_prefix(&self, name: &str, element: &str) -> Option<Ipv6Prefix> {
        self.address(of_kind(name, &["ip6net"])?, element, |a| a.prefix6)
    }

    fn ether(&self, name: &str, element: &str) -> Option<EtherAddress> {
        self.address(of_kind(name, &["eth", "ethernet"])?, element, |a| a.ether)
    }

    fn number(&self, kind: NumberKind, name: &str, element: &str) -> Option<u32> {
        nearest(element, name, |full| {
            self.numbers.get(&(kind, full.to_owned())).copied()
        })
    }

    fn annotation(&self, name: &str, element: &str) -> Option<Annotation> {
        nearest(element, name, |full| self.annotations.get(full).copied())
    }

    fn has_element(&self, name: &str) -> bool {
        self.elements.contains(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Anno, OrAddress, Port, arguments};

    fn read_in<T: FromArg>(book: &NameBook, element: &str, text: &str) -> Option<T> {
        T::from_arg(text, &Context::new(book, element)).ok()
    }

    #[test]
    fn addresses_mean_what_is_asked_for() {
        let mut book = NameBook::new();
        let said = arguments("foo 1.2.3.4/20 0:1:2:3:4:5, net 10.0.0.0/8, six fc00::1/64");
        assert_eq!(book.add_addresses("info", &said), Ok(()));
        assert_eq!(read_in(&book, "x", "foo"), Some(Ipv4Addr::new(1, 2, 3, 4)));
        assert_eq!(
            read_in(&book, "x", "foo:IP"),
            Some(Ipv4Addr::new(1, 2, 3, 4))
        );
        assert_eq!(
            read_in(&book, "x", "foo:bcast"),
            Some(Ipv4Addr::new(1, 2, 15, 255))
        );
        assert_eq!(read_in::<Ipv4Addr>(&book, "x", "foo:eth"), None);
        assert_eq!(read_in::<Ipv4Addr>(&book, "x", "net"), None);
        let net: Ipv4Prefix = read_in(&book, "x", "foo:ipnet").unwrap();
        assert_eq!(net.mask, Ipv4Addr::new(255, 255, 240, 0));
        assert_eq!(
            read_in(&book, "x", "foo"),
            Some(EtherAddress([0, 1, 2, 3, 4, 5]))
        );
        assert!(read_in::<Ipv6Addr>(&book, "x", "six").is_some());
        let whole: Ipv4Prefix = OrAddress.parse("foo", &Context::new(&book, "x")).unwrap();
        assert_eq!(whole.mask, Ipv4Addr::BROADCAST);
        assert_eq!(
            book.add_addresses("i", &arguments("bad x, lone, "))
                .unwrap_err()
                .len(),
            2
        );
    }

    #[test]
    fn names_belong_to_their_compound() {
        let mut book = NameBook::new();
        book.add_addresses("info", &arguments("h 1.0.0.1, g 2.0.0.2"))
            .unwrap();
        book.add_addresses("c/info", &arguments("h 3.0.0.3"))
            .unwrap();
        assert_eq!(read_in(&book, "c/x", "h"), Some(Ipv4Addr::new(3, 0, 0, 3)));
        assert_eq!(
            read_in(&book, "c/d/x", "g"),
            Some(Ipv4Addr::new(2, 0, 0, 2))
        );
        assert_eq!(read_in(&book, "x", "h"), Some(Ipv4Addr::new(1, 0, 0, 1)));
    }

    #[test]
    fn ports_have_protocols() {
        let mut book = NameBook::new();
        let said = arguments("foo 80/udp ssh # ignored, # all of it, bar 7");
        book.add_ports("info", &said).unwrap();
        let port = |protocol, text| {
            Port { protocol }
                .parse(text, &Context::new(&book, "x"))
                .ok()
        };
        assert_eq!(port(UDP, "foo"), Some(80));
        assert_eq!(port(TCP, "foo"), None);
        assert_eq!(port(UDP, "ssh"), Some(80));
        assert_eq!(port(TCP, "ssh"), Some(22));
        assert_eq!(port(TCP, "bar"), Some(7));
        assert_eq!(port(UDP, "ignored"), None);
        let wrong = book.add_ports("info", &arguments("x y")).unwrap_err();
        assert_eq!(wrong, ["expected 'NAME PORT/PROTO', got 'x y'"]);
    }

    #[test]
    fn annotations_get_names() {
        let mut book = NameBook::new();
        book.add_annotations("info", &arguments("MINE 24 2, HERE PAINT 1"))
            .unwrap();
        let anno = |size, text| Anno { size }.parse(text, &Context::new(&book, "x")).ok();
        assert_eq!(anno(2, "MINE"), Some(24));
        assert_eq!(anno(4, "MINE"), None);
        assert_eq!(anno(1, "HERE"), Some(16));
        for wrong in ["PAINT 3", "A 48", "B 47 2", "C PAINT 2", "D", "E 1 2 3"] {
            assert!(
                book.add_annotations("info", &arguments(wrong)).is_err(),
                "{wrong}"
            );
        }
    }
}
