//! Numbers that have names: protocols of IP, ports, types of ICMP messages.

use super::context::{Context, NumberKind};
use super::integer::leading_integer;
use super::value::{Parser, Wrong};

/// The protocol number of `tcpudp`: TCP or UDP.
pub const TCP_OR_UDP: u32 = 256;
/// The protocol number of `transp`: whatever protocol there is.
pub const TRANSPORT: u32 = 257;
/// The protocol number of `payload`: what a transport protocol carries.
pub const PAYLOAD: u32 = 258;

const PROTOCOLS: [(&str, u32); 11] = [
    ("icmp", 1),
    ("igmp", 2),
    ("ipip", 4),
    ("tcp", 6),
    ("udp", 17),
    ("dccp", 33),
    ("gre", 47),
    ("sctp", 132),
    ("tcpudp", TCP_OR_UDP),
    ("transp", TRANSPORT),
    ("payload", PAYLOAD),
];

/// Ports of TCP and UDP (IANA's registry of service names).
const PORTS: [(&str, u32); 34] = [
    ("echo", 7),
    ("discard", 9),
    ("daytime", 13),
    ("chargen", 19),
    ("ftp-data", 20),
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("dns", 53),
    ("domain", 53),
    ("bootps", 67),
    ("bootpc", 68),
    ("tftp", 69),
    ("finger", 79),
    ("www", 80),
    ("pop3", 110),
    ("sunrpc", 111),
    ("auth", 113),
    ("nntp", 119),
    ("ntp", 123),
    ("netbios-ns", 137),
    ("netbios-dgm", 138),
    ("netbios-ssn", 139),
    ("snmp", 161),
    ("snmp-trap", 162),
    ("irc", 194),
    ("imap3", 220),
    ("https", 443),
    ("rip", 520),
    ("route", 520),
    ("imaps", 993),
    ("pop3s", 995),
    ("pptp", 1723),
];

const ICMP_TYPES: [(&str, u32); 15] = [
    ("echo-reply", 0),
    ("unreachable", 3),
    ("sourcequench", 4),
    ("redirect", 5),
    ("echo", 8),
    ("routeradvert", 9),
    ("routersolicit", 10),
    ("timeexceeded", 11),
    ("parameterproblem", 12),
    ("timestamp", 13),
    ("timestamp-reply", 14),
    ("inforeq", 15),
    ("inforeq-reply", 16),
    ("maskreq", 17),
    ("maskreq-reply", 18),
];

const TCP: u8 = 6;
const UDP: u8 = 17;

/// The number of a name that every router knows.
pub fn builtin(kind: NumberKind, name: &str) -> Option<u32> {
    let table: &[(&str, u32)] = match kind {
        NumberKind::IpProtocol => &PROTOCOLS,
        NumberKind::Port(TCP | UDP) => &PORTS,
        NumberKind::IcmpType => &ICMP_TYPES,
        NumberKind::Port(_) | NumberKind::Icmp6Type => &[],
    };
    table
        .iter()
        .find(|(n, _)| *n == name)
        .map(|(_, number)| *number)
}

/// Numbers of a kind, by name or as they are (`NamedIntArg`).
#[derive(Clone, Copy, Debug)]
pub struct Named(pub NumberKind);

impl Parser<u32> for Named {
    fn parse(&self, text: &str, context: &Context<'_>) -> Result<u32, Wrong> {
        let named = context.names().number(self.0, text, context.element());
        if let Some(number) = named.or_else(|| builtin(self.0, text)) {
            return Ok(number);
        }
        match leading_integer(text, 0) {
            Some((number, "")) => number.map_err(Wrong::bound),
            _ => Err(Wrong::form()),
        }
    }
}

impl Parser<u8> for Named {
    fn parse(&self, text: &str, context: &Context<'_>) -> Result<u8, Wrong> {
        let number: u32 = self.parse(text, context)?;
        u8::try_from(number).map_err(|_| Wrong::bound(u8::MAX))
    }
}

/// Ports of a protocol of IP, by service or number (`IPPortArg`).
#[derive(Clone, Copy, Debug)]
pub struct Port {
    /// The protocol's number.
    pub protocol: u8,
}

impl Parser<u16> for Port {
    fn parse(&self, text: &str, context: &Context<'_>) -> Result<u16, Wrong> {
        let overflow = || Wrong::because("overflow, range 0-65535");
        let number: Result<u32, Wrong> =
            Named(NumberKind::Port(self.protocol)).parse(text, context);
        match number {
            Ok(number) => u16::try_from(number).map_err(|_| overflow()),
            Err(wrong) if wrong == Wrong::form() => Err(wrong),
            Err(_) => Err(overflow()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports() {
        let read = |protocol, text| {
            let port = Port { protocol }.parse(text, &Context::none());
            port.map_err(|w| w.to_string())
        };
        assert_eq!(read(TCP, "www"), Ok(80));
        assert_eq!(read(UDP, "65535"), Ok(65535));
        assert_eq!(read(UDP, "65536"), Err("overflow, range 0-65535".into()));
        assert_eq!(
            read(UDP, "99999999999"),
            Err("overflow, range 0-65535".into())
        );
        assert_eq!(read(1, "www"), Err("parse error".into()));
    }

    #[test]
    fn protocols_and_types() {
        let read = |kind, text| Parser::<u32>::parse(&Named(kind), text, &Context::none()).ok();
        assert_eq!(read(NumberKind::IpProtocol, "tcp"), Some(6));
        assert_eq!(read(NumberKind::IpProtocol, "transp"), Some(TRANSPORT));
        assert_eq!(read(NumberKind::IpProtocol, "0x11"), Some(17));
        assert_eq!(read(NumberKind::IcmpType, "echo-reply"), Some(0));
        assert_eq!(read(NumberKind::IcmpType, "tcp"), None);
        let protocol = Named(NumberKind::IpProtocol);
        let wrong = Parser::<u8>::parse(&protocol, "tcpudp", &Context::none()).unwrap_err();
        assert_eq!(wrong.text(), "out of range, bound 255");
    }
}
