//! TCP (RFC 9293).

use crate::bytes::field;

/// Bytes of a header without options.
pub const HEADER: usize = 20;
/// Where the checksum stands in a header.
pub const CHECKSUM_AT: usize = 16;

/// No more data from the sender.
pub const FIN: u8 = 0x01;
/// First of a connection.
pub const SYN: u8 = 0x02;
/// Connection refused or broken.
pub const RST: u8 = 0x04;
/// Data for the reader at once.
pub const PSH: u8 = 0x08;
/// The acknowledgement number is valid.
pub const ACK: u8 = 0x10;
/// The sender has slowed down (RFC 3168).
pub const CWR: u8 = 0x80;

/// A segment.
#[derive(Clone, Copy, Debug)]
pub struct Tcp<'a> {
    bytes: &'a [u8],
    header: &'a [u8; HEADER],
}

impl<'a> Tcp<'a> {
    /// A segment; `None` when its header is cut off or says that it is shorter than it must be.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let header = bytes.first_chunk::<HEADER>()?;
        let segment = Self { bytes, header };
        (HEADER..=bytes.len())
            .contains(&segment.header_length())
            .then_some(segment)
    }

    /// The sender's port.
    pub fn source(&self) -> u16 {
        u16::from_be_bytes(field(self.header, 0))
    }

    /// The receiver's port.
    pub fn destination(&self) -> u16 {
        u16::from_be_bytes(field(self.header, 2))
    }

    /// Number of the first byte.
    pub fn sequence(&self) -> u32 {
        u32::from_be_bytes(field(self.header, 4))
    }

    /// Number of the byte that the sender expects next.
    pub fn acknowledgement(&self) -> u32 {
        u32::from_be_bytes(field(self.header, 8))
    }

    /// Bytes of the header with its options.
    pub fn header_length(&self) -> usize {
        usize::from(self.header[12] >> 4) * 4
    }

    /// Flags ([`SYN`] and so on).
    pub fn flags(&self) -> u8 {
        self.header[13]
    }

    /// Window, unscaled.
    pub fn window(&self) -> u16 {
        u16::from_be_bytes(field(self.header, 14))
    }

    /// Checksum.
    pub fn checksum(&self) -> u16 {
        u16::from_be_bytes(field(self.header, CHECKSUM_AT))
    }

    /// Data.
    pub fn payload(&self) -> &'a [u8] {
        self.bytes.get(self.header_length()..).unwrap_or_default()
    }
}
