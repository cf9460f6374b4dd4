//! What a program sees of a packet.

/// Where a program's offsets of the network header begin.
pub const NETWORK: u16 = 256;
/// Where a program's offsets of the transport header begin.
pub const TRANSPORT: u16 = 512;
/// Where a program's offsets of the Ethernet header begin, so that the rest of it is aligned.
const ETHERNET: i32 = 2;

/// A packet, as the offsets of a program count it.
pub trait View {
    /// Offsets from here on are beyond the packet.
    fn length(&self) -> i32;
    /// The four bytes at an offset, in network order. Those that the packet does not have are 0.
    fn word(&self, at: i32) -> u32;
}

/// A packet seen from its first byte.
#[derive(Clone, Copy, Debug)]
pub struct Raw<'a>(pub &'a [u8]);

impl View for Raw<'_> {
    #[inline]
    fn length(&self) -> i32 {
        i32::try_from(self.0.len()).unwrap_or(i32::MAX)
    }

    #[inline]
    fn word(&self, at: i32) -> u32 {
        word(self.0, at)
    }
}

/// An IPv4 packet with its headers. The network header's offsets are [`NETWORK`] and more, the
/// transport header's [`TRANSPORT`] and more, those of the Ethernet header 2 to 15.
#[derive(Clone, Copy, Debug)]
pub struct Ip<'a> {
    /// From the Ethernet header on; empty if there is none.
    pub ether: &'a [u8],
    /// From the network header to the packet's end.
    pub network: &'a [u8],
    /// The length of the network header in bytes.
    pub header_length: usize,
}

impl<'a> Ip<'a> {
    /// A packet that begins with its network header, whose length is read from it.
    #[must_use]
    pub fn of(network: &'a [u8]) -> Self {
        let header_length = network
            .first()
            .map_or(0, |first| usize::from(first & 15) * 4);
        Self {
            ether: &[],
            network,
            header_length,
        }
    }
}

impl View for Ip<'_> {
    #[inline]
    fn length(&self) -> i32 {
        let (base, length) = match self.network.len().checked_sub(self.header_length) {
            Some(payload @ 1..) => (TRANSPORT, payload),
            _ => (NETWORK, self.network.len()),
        };
        i32::try_from(usize::from(base) + length).unwrap_or(i32::MAX)
    }

    #[inline]
    fn word(&self, at: i32) -> u32 {
        let (network, transport) = (i32::from(NETWORK), i32::from(TRANSPORT));
        if at >= transport {
            word(
                self.network.get(self.header_length..).unwrap_or(&[]),
                at - transport,
            )
        } else if at >= network {
            word(self.network, at - network)
        } else {
            word(self.ether, at - ETHERNET)
        }
    }
}

/// The four bytes at an offset that may be before the first.
#[inline]
fn word(bytes: &[u8], at: i32) -> u32 {
    let start = usize::try_from(at).unwrap_or(usize::MAX);
    match bytes.get(start..).and_then(<[u8]>::first_chunk) {
        Some(word) => u32::from_be_bytes(*word),
        None => word_at_the_edge(bytes, at),
    }
}

#[cold]
fn word_at_the_edge(bytes: &[u8], at: i32) -> u32 {
    let byte = |i: i32| {
        usize::try_from(at.saturating_add(i))
            .ok()
            .and_then(|at| bytes.get(at))
    };
    (0..4).fold(0, |word, i| {
        word << 8 | byte(i).copied().map_or(0, u32::from)
    })
}
