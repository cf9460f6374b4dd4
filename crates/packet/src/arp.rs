//! ARP for IPv4 over Ethernet (RFC 826).

use crate::bytes::field;

/// Bytes of such a message.
pub const LENGTH: usize = 28;

/// A message for IPv4 over Ethernet.
#[derive(Clone, Copy, Debug)]
pub struct Arp<'a>(&'a [u8; LENGTH]);

impl<'a> Arp<'a> {
    /// A message; `None` for other kinds of addresses.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let message = bytes.first_chunk::<LENGTH>()?;
        (message[..6] == [0, 1, 8, 0, 6, 4]).then_some(Self(message))
    }

    /// 1 for a request, 2 for a reply.
    pub fn operation(&self) -> u16 {
        u16::from_be_bytes(field(self.0, 6))
    }

    /// Hardware and protocol address of the sender.
    pub fn sender(&self) -> ([u8; 6], [u8; 4]) {
        (field(self.0, 8), field(self.0, 14))
    }

    /// Hardware (zero in a request) and protocol address that is asked for.
    pub fn target(&self) -> ([u8; 6], [u8; 4]) {
        (field(self.0, 18), field(self.0, 24))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read() {
        let mut bytes = vec![0, 1, 8, 0, 6, 4, 0, 1];
        bytes.extend([2; 6]);
        bytes.extend([10, 0, 0, 1]);
        bytes.extend([0; 6]);
        bytes.extend([10, 0, 0, 2]);
        let arp = Arp::parse(&bytes).unwrap();
        assert_eq!(arp.operation(), 1);
        assert_eq!(arp.sender(), ([2; 6], [10, 0, 0, 1]));
        assert_eq!(arp.target(), ([0; 6], [10, 0, 0, 2]));
        bytes[1] = 6;
        assert!(Arp::parse(&bytes).is_none());
    }
}
