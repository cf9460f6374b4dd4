//! UDP (RFC 768).

use crate::bytes::field;

/// Bytes of a header.
pub const HEADER: usize = 8;
/// Where the checksum stands in a header.
pub const CHECKSUM_AT: usize = 6;

/// A datagram.
#[derive(Clone, Copy, Debug)]
pub struct Udp<'a> {
    bytes: &'a [u8],
    header: &'a [u8; HEADER],
}

impl<'a> Udp<'a> {
    /// A datagram; `None` when its header is cut off.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let header = bytes.first_chunk::<HEADER>()?;
        Some(Self { bytes, header })
    }

    /// The sender's port.
    pub fn source(&self) -> u16 {
        u16::from_be_bytes(field(self.header, 0))
    }

    /// The receiver's port.
    pub fn destination(&self) -> u16 {
        u16::from_be_bytes(field(self.header, 2))
    }

    /// Bytes of header and payload, as the header says.
    pub fn length(&self) -> u16 {
        u16::from_be_bytes(field(self.header, 4))
    }

    /// Checksum; 0: none (IPv4 only).
    pub fn checksum(&self) -> u16 {
        u16::from_be_bytes(field(self.header, CHECKSUM_AT))
    }

    /// Data, up to the length that the header says or the end of the bytes.
    pub fn payload(&self) -> &'a [u8] {
        let end = usize::from(self.length()).min(self.bytes.len());
        self.bytes.get(HEADER..end).unwrap_or_default()
    }
}
