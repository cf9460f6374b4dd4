//! ICMP for IPv4 (RFC 792) and IPv6 (RFC 4443): what both have in common.

use crate::bytes::field;

/// Bytes of the header.
pub const HEADER: usize = 8;

/// A message.
#[derive(Clone, Copy, Debug)]
pub struct Icmp<'a> {
    bytes: &'a [u8],
    header: &'a [u8; HEADER],
}

impl<'a> Icmp<'a> {
    /// A message; `None` when its header is cut off.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let header = bytes.first_chunk::<HEADER>()?;
        Some(Self { bytes, header })
    }

    /// Type and code.
    pub fn kind(&self) -> (u8, u8) {
        (self.header[0], self.header[1])
    }

    /// Checksum; for IPv6 over the pseudo header too.
    pub fn checksum(&self) -> u16 {
        u16::from_be_bytes(field(self.header, 2))
    }

    /// Identifier and sequence number, of an echo request or reply of either version.
    pub fn echo(&self) -> Option<(u16, u16)> {
        let numbers = (
            u16::from_be_bytes(field(self.header, 4)),
            u16::from_be_bytes(field(self.header, 6)),
        );
        matches!(self.kind().0, 0 | 8 | 128 | 129).then_some(numbers)
    }

    /// What follows the header.
    pub fn payload(&self) -> &'a [u8] {
        self.bytes.get(HEADER..).unwrap_or_default()
    }
}
