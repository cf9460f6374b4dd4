//! The header that says what an offloading device has left undone, as Linux passes it with
//! `PACKET_VNET_HDR` and TAP devices (virtio 1.2, section 5.1.6; little-endian in "modern"
//! devices, of the host's own byte order where the kernel and this machine talk).

/// Bytes of a header.
pub const LENGTH: usize = 10;

const NEEDS_CHECKSUM: u8 = 1;
const DATA_VALID: u8 = 2;
const GSO_NONE: u8 = 0;
const GSO_TCP_V4: u8 = 1;
const GSO_UDP_FRAGMENTS: u8 = 3;
const GSO_TCP_V6: u8 = 4;
const GSO_UDP: u8 = 5;
const GSO_ECN: u8 = 0x80;

/// What is yet to be done with a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VnetHeader {
    /// Where a checksum is missing.
    pub checksum: Checksum,
    /// How it is to be segmented.
    pub gso: Option<Gso>,
    /// Bytes of all headers, a hint; 0: unknown.
    pub header_length: u16,
}

/// The state of a frame's innermost checksum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Checksum {
    /// As it stands in the frame.
    #[default]
    Done,
    /// As it stands in the frame, and somebody has verified it.
    Verified,
    /// Missing: the frame from `start` on is to be summed up, and the sum's complement to be
    /// written at `start + offset`, where now the sum of the pseudo header stands.
    Missing {
        /// Where the sum begins, in bytes from the frame's begin.
        start: u16,
        /// Where the checksum stands, from `start`.
        offset: u16,
    },
}

/// How a frame is to be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gso {
    /// What it is.
    pub kind: GsoKind,
    /// Bytes of payload in each frame.
    pub size: u16,
    /// Its CWR flag belongs to the first segment only (RFC 3168).
    pub ecn: bool,
}

/// What a frame that is to be cut carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GsoKind {
    /// TCP over IPv4.
    TcpV4,
    /// TCP over IPv6.
    TcpV6,
    /// UDP, a datagram for each piece.
    Udp,
    /// UDP, to be sent as IP fragments. Linux does not make such frames any more.
    UdpFragments,
    /// Something that this module does not know.
    Other(u8),
}

impl VnetHeader {
    /// A header as the kernel writes it.
    pub fn parse(bytes: [u8; LENGTH]) -> Self {
        let word = |at: usize| u16::from_ne_bytes([bytes[at], bytes[at + 1]]);
        let checksum = match bytes[0] {
            flags if flags & NEEDS_CHECKSUM != 0 => Checksum::Missing {
                start: word(6),
                offset: word(8),
            },
            flags if flags & DATA_VALID != 0 => Checksum::Verified,
            _ => Checksum::Done,
        };
        let gso = GsoKind::parse(bytes[1] & !GSO_ECN).map(|kind| Gso {
            kind,
            size: word(4),
            ecn: bytes[1] & GSO_ECN != 0,
        });
        Self {
            checksum,
            gso,
            header_length: word(2),
        }
    }

    /// The header as the kernel reads it.
    pub fn emit(self) -> [u8; LENGTH] {
        let (flags, start, offset) = match self.checksum {
            Checksum::Done => (0, 0, 0),
            Checksum::Verified => (DATA_VALID, 0, 0),
            Checksum::Missing { start, offset } => (NEEDS_CHECKSUM, start, offset),
        };
        let mut bytes = [flags, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let mut put = |at: usize, word: u16| bytes[at..at + 2].copy_from_slice(&word.to_ne_bytes());
        put(2, self.header_length);
        put(4, self.gso.map_or(0, |g| g.size));
        put(6, start);
        put(8, offset);
        bytes[1] = self.gso.map_or(GSO_NONE, |g| {
            g.kind.emit() | if g.ecn { GSO_ECN } else { 0 }
        });
        bytes
    }

    /// The header after `bytes` more bytes were put in before the network header.
    #[must_use]
    pub fn shifted(mut self, bytes: u16) -> Self {
        if let Checksum::Missing { start, .. } = &mut self.checksum {
            *start = start.saturating_add(bytes);
        }
        if self.header_length > 0 {
            self.header_length = self.header_length.saturating_add(bytes);
        }
        self
    }

    /// Whether the frame is on the wire as it is.
    pub fn is_done(self) -> bool {
        self.gso.is_none() && !matches!(self.checksum, Checksum::Missing { .. })
    }
}

impl GsoKind {
    fn parse(number: u8) -> Option<Self> {
        match number {
            GSO_NONE => None,
            GSO_TCP_V4 => Some(Self::TcpV4),
            GSO_TCP_V6 => Some(Self::TcpV6),
            GSO_UDP => Some(Self::Udp),
            GSO_UDP_FRAGMENTS => Some(Self::UdpFragments),
            other => Some(Self::Other(other)),
        }
    }

    fn emit(self) -> u8 {
        match self {
            Self::TcpV4 => GSO_TCP_V4,
            Self::TcpV6 => GSO_TCP_V6,
            Self::Udp => GSO_UDP,
            Self::UdpFragments => GSO_UDP_FRAGMENTS,
            Self::Other(number) => number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_emitted_is_read_again(bytes: [u8; LENGTH]) {
            let header = VnetHeader::parse(bytes);
            prop_assert_eq!(VnetHeader::parse(header.emit()), header);
        }
    }

    #[test]
    fn a_tag_moves_the_checksum() {
        let header = VnetHeader {
            checksum: Checksum::Missing {
                start: 34,
                offset: 16,
            },
            gso: None,
            header_length: 0,
        };
        assert_eq!(
            header.shifted(4).checksum,
            Checksum::Missing {
                start: 38,
                offset: 16
            }
        );
        assert!(!header.is_done());
    }
}
