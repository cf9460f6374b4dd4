//! IPv4 (RFC 791).

use crate::bytes::field;

/// Bytes of a header without options.
pub const HEADER: usize = 20;

/// Protocol number of IPv4 within IP.
pub const IN_IP: u8 = 4;
/// Protocol number of TCP.
pub const TCP: u8 = 6;
/// Protocol number of UDP.
pub const UDP: u8 = 17;
/// Protocol number of IPv6 within IP.
pub const IPV6: u8 = 41;
/// Protocol number of GRE.
pub const GRE: u8 = 47;
/// Protocol number of SCTP.
pub const SCTP: u8 = 132;

/// A packet.
#[derive(Clone, Copy, Debug)]
pub struct Ipv4<'a> {
    bytes: &'a [u8],
    header: &'a [u8; HEADER],
}

impl<'a> Ipv4<'a> {
    /// A packet; `None` when the header is no IPv4 header or is cut off. The payload may be.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let header = bytes.first_chunk::<HEADER>()?;
        let packet = Self { bytes, header };
        let length = packet.header_length();
        (header[0] >> 4 == 4 && (HEADER..=bytes.len()).contains(&length)).then_some(packet)
    }

    /// Bytes of the header with its options.
    pub fn header_length(&self) -> usize {
        usize::from(self.header[0] & 15) * 4
    }

    /// Bytes of header and payload, as the header says.
    pub fn total_length(&self) -> u16 {
        u16::from_be_bytes(field(self.header, 2))
    }

    /// The identification of its fragments.
    pub fn identification(&self) -> u16 {
        u16::from_be_bytes(field(self.header, 4))
    }

    /// Whether it must not be fragmented.
    pub fn dont_fragment(&self) -> bool {
        self.header[6] & 0x40 != 0
    }

    /// Where a fragment's payload stands in the whole, in bytes.
    pub fn fragment_offset(&self) -> usize {
        usize::from(u16::from_be_bytes(field(self.header, 6)) & 0x1fff) * 8
    }

    /// Whether it is a fragment, the first included.
    pub fn is_fragment(&self) -> bool {
        self.fragment_offset() != 0 || self.header[6] & 0x20 != 0
    }

    /// Hops that it may yet go.
    pub fn ttl(&self) -> u8 {
        self.header[8]
    }

    /// What it carries.
    pub fn protocol(&self) -> u8 {
        self.header[9]
    }

    /// The header's checksum.
    pub fn checksum(&self) -> u16 {
        u16::from_be_bytes(field(self.header, 10))
    }

    /// Who sent it.
    pub fn source(&self) -> [u8; 4] {
        field(self.header, 12)
    }

    /// Whom it is for.
    pub fn destination(&self) -> [u8; 4] {
        field(self.header, 16)
    }

    /// The header with its options.
    pub fn header(&self) -> &'a [u8] {
        self.bytes.get(..self.header_length()).unwrap_or_default()
    }

    /// Its payload, up to the length that the header says or the end of the bytes.
    pub fn payload(&self) -> &'a [u8] {
        let end = usize::from(self.total_length()).min(self.bytes.len());
        self.bytes
            .get(self.header_length()..end)
            .unwrap_or_default()
    }
}
