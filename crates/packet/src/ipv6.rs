//! IPv6 with its extension headers (RFC 8200, 8754).

use crate::bytes::field;

/// Bytes of a header without extensions.
pub const HEADER: usize = 40;
/// Protocol number of ICMPv6.
pub const ICMP: u8 = 58;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;
const MOBILITY: u8 = 135;
/// Extension headers that are looked through; more make a packet of an unknown protocol.
const MAX_EXTENSIONS: usize = 8;

/// A packet.
#[derive(Clone, Copy, Debug)]
pub struct Ipv6<'a> {
    bytes: &'a [u8],
    header: &'a [u8; HEADER],
    upper: Upper,
}

/// What stands behind the extension headers.
#[derive(Clone, Copy, Debug)]
struct Upper {
    protocol: u8,
    at: usize,
    fragment: Option<usize>,
    destination: [u8; 16],
}

impl<'a> Ipv6<'a> {
    /// A packet; `None` when the header is no IPv6 header or it or an extension is cut off.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let header = bytes.first_chunk::<HEADER>()?;
        if header[0] >> 4 != 6 {
            return None;
        }
        let mut upper = Upper {
            protocol: header[6],
            at: HEADER,
            fragment: None,
            destination: field(header, 24),
        };
        for _ in 0..MAX_EXTENSIONS {
            if !upper.step(bytes)? {
                break;
            }
        }
        Some(Self {
            bytes,
            header,
            upper,
        })
    }

    /// Bytes behind the fixed header, as it says; 0 for a jumbogram.
    pub fn payload_length(&self) -> u16 {
        u16::from_be_bytes(field(self.header, 4))
    }

    /// Traffic class.
    pub fn traffic_class(&self) -> u8 {
        self.header[0] << 4 | self.header[1] >> 4
    }

    /// Flow label.
    pub fn flow_label(&self) -> u32 {
        u32::from_be_bytes(field(self.header, 0)) & 0xf_ffff
    }

    /// Hops that it may yet go.
    pub fn hop_limit(&self) -> u8 {
        self.header[7]
    }

    /// Who sent it.
    pub fn source(&self) -> [u8; 16] {
        field(self.header, 8)
    }

    /// Whom it is for now.
    pub fn destination(&self) -> [u8; 16] {
        field(self.header, 24)
    }

    /// Whom it is for in the end: the last stop of a routing header, else the destination.
    pub fn final_destination(&self) -> [u8; 16] {
        self.upper.destination
    }

    /// What it carries behind its extension headers.
    pub fn protocol(&self) -> u8 {
        self.upper.protocol
    }

    /// Bytes of the header with its extensions.
    pub fn header_length(&self) -> usize {
        self.upper.at
    }

    /// Where a fragment's payload stands in the whole, in bytes; `None`: it is no fragment.
    pub fn fragment_offset(&self) -> Option<usize> {
        self.upper.fragment
    }

    /// What is behind the extension headers, up to the length that the header says or the end
    /// of the bytes.
    pub fn payload(&self) -> &'a [u8] {
        let end = (HEADER + usize::from(self.payload_length())).min(self.bytes.len());
        self.bytes.get(self.upper.at..end).unwrap_or_default()
    }
}

impl Upper {
    /// Goes over one extension header; whether there was one.
    fn step(&mut self, bytes: &[u8]) -> Option<bool> {
        // what stands behind a later fragment's header is no header
        if self.fragment.is_some_and(|offset| offset > 0) {
            return Some(false);
        }
        let length = |next: &[u8; 8]| match self.protocol {
            HOP_BY_HOP | ROUTING | DESTINATION | MOBILITY => Some(8 + usize::from(next[1]) * 8),
            AUTHENTICATION => Some(8 + usize::from(next[1]) * 4),
            FRAGMENT => Some(8),
            _ => None,
        };
        let known = [
            HOP_BY_HOP,
            ROUTING,
            DESTINATION,
            MOBILITY,
            AUTHENTICATION,
            FRAGMENT,
        ];
        if !known.contains(&self.protocol) {
            return Some(false);
        }
        let next = bytes.get(self.at..)?.first_chunk::<8>()?;
        let extension = bytes.get(self.at..self.at + length(next)?)?;
        match self.protocol {
            FRAGMENT => {
                self.fragment = Some(usize::from(u16::from_be_bytes([next[2], next[3]]) & !7))
            }
            ROUTING => self.route(extension),
            _ => {}
        }
        self.protocol = next[0];
        self.at += extension.len();
        Some(true)
    }

    /// The last stop of a routing header that is not used up. Segment routing (type 4) counts
    /// its list backwards, types 0 and 2 forwards.
    fn route(&mut self, extension: &[u8]) {
        let [_, _, kind, left, ..] = extension else {
            return;
        };
        let last = match kind {
            4 => 8,
            0 | 2 => extension.len().saturating_sub(16),
            _ => return,
        };
        if let Some(address) = extension.get(last..).and_then(|b| b.first_chunk::<16>())
            && *left > 0
            && last >= 8
        {
            self.destination = *address;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(next: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x61, 0x2a, 0xbc, 0xde, 0, rest.len() as u8, next, 64];
        bytes.extend([1; 16]);
        bytes.extend([2; 16]);
        bytes.extend(rest);
        bytes
    }

    #[test]
    fn extensions_are_looked_through() {
        let mut rest = vec![ROUTING, 0, 1, 4, 0, 0, 0, 0];
        rest.extend([17, 2, 4, 1, 0, 0, 0, 0]);
        rest.extend([9; 16]);
        rest.extend([1, 2, 3]);
        let bytes = packet(HOP_BY_HOP, &rest);
        let ip = Ipv6::parse(&bytes).unwrap();
        assert_eq!((ip.traffic_class(), ip.flow_label()), (0x12, 0xa_bcde));
        assert_eq!((ip.protocol(), ip.payload()), (17, &[1, 2, 3][..]));
        assert_eq!(
            (ip.destination(), ip.final_destination()),
            ([2; 16], [9; 16])
        );
        assert!(Ipv6::parse(&bytes[..60]).is_none());
    }

    #[test]
    fn a_later_fragment_has_no_headers() {
        let bytes = packet(FRAGMENT, &[DESTINATION, 0, 0, 8, 0, 0, 0, 1, 0xff]);
        let ip = Ipv6::parse(&bytes).unwrap();
        assert_eq!(
            (ip.protocol(), ip.fragment_offset()),
            (DESTINATION, Some(8))
        );
        assert_eq!(ip.payload(), [0xff]);
    }
}
