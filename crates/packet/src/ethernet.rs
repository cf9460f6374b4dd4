//! Ethernet frames (IEEE 802.3) and VLAN tags (802.1Q, 802.1ad).

use crate::bytes::{field, u16_at};

/// EtherType of IPv4.
pub const IPV4: u16 = 0x0800;
/// EtherType of ARP.
pub const ARP: u16 = 0x0806;
/// EtherType of IPv6.
pub const IPV6: u16 = 0x86dd;
/// EtherType of a VLAN tag (802.1Q).
pub const VLAN: u16 = 0x8100;
/// EtherType of a service VLAN tag (802.1ad, "QinQ").
pub const SERVICE_VLAN: u16 = 0x88a8;
/// EtherType of MPLS unicast.
pub const MPLS: u16 = 0x8847;
/// EtherType of MPLS multicast.
pub const MPLS_MULTICAST: u16 = 0x8848;
/// EtherType of a whole Ethernet frame, within GRE and the like.
pub const TRANSPARENT: u16 = 0x6558;

/// Bytes of a header without tags.
pub const HEADER: usize = 14;
/// Bytes of one tag.
pub const TAG: usize = 4;
/// Tags that are looked through; frames with more have a VLAN as their ethertype.
const MAX_TAGS: usize = 4;

/// A frame, without its check sequence.
#[derive(Clone, Copy, Debug)]
pub struct Ethernet<'a> {
    bytes: &'a [u8],
    header: &'a [u8; HEADER],
    tags: usize,
    ethertype: u16,
}

/// A VLAN tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Its EtherType: [`VLAN`] or [`SERVICE_VLAN`].
    pub protocol: u16,
    /// Priority (3 bits), drop eligibility (1) and VLAN (12).
    pub control: u16,
}

impl Tag {
    /// The VLAN's number.
    pub fn vlan(self) -> u16 {
        self.control & 0xfff
    }
}

impl<'a> Ethernet<'a> {
    /// A frame; `None` when it is shorter than a header with the tags that it says it has.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let header = bytes.first_chunk::<HEADER>()?;
        let mut tags = 0;
        let mut ethertype = u16_at(bytes, 12)?;
        while matches!(ethertype, VLAN | SERVICE_VLAN) && tags < MAX_TAGS {
            tags += 1;
            ethertype = u16_at(bytes, 12 + tags * TAG)?;
        }
        Some(Self {
            bytes,
            header,
            tags,
            ethertype,
        })
    }

    /// Whom it is for.
    pub fn destination(&self) -> [u8; 6] {
        field(self.header, 0)
    }

    /// Who sent it.
    pub fn source(&self) -> [u8; 6] {
        field(self.header, 6)
    }

    /// What it carries, behind all tags; below 1536 it is a length (802.3).
    pub fn ethertype(&self) -> u16 {
        self.ethertype
    }

    /// Its tags, outermost first.
    pub fn tags(&self) -> impl Iterator<Item = Tag> + 'a {
        let bytes = self.bytes;
        (0..self.tags).filter_map(move |i| {
            let at = 12 + i * TAG;
            Some(Tag {
                protocol: u16_at(bytes, at)?,
                control: u16_at(bytes, at + 2)?,
            })
        })
    }

    /// Where its payload begins.
    pub fn payload_at(&self) -> usize {
        HEADER + self.tags * TAG
    }

    /// Its payload.
    pub fn payload(&self) -> &'a [u8] {
        self.bytes.get(self.payload_at()..).unwrap_or_default()
    }
}

/// Appends `frame` to `out` with `tag` as its outermost. A frame that is shorter than two
/// addresses is appended as it is.
pub fn push_tagged(out: &mut Vec<u8>, frame: &[u8], tag: Tag) {
    let Some((addresses, rest)) = frame.split_at_checked(12) else {
        return out.extend_from_slice(frame);
    };
    out.extend_from_slice(addresses);
    out.extend_from_slice(&tag.protocol.to_be_bytes());
    out.extend_from_slice(&tag.control.to_be_bytes());
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_put_on_and_looked_through() {
        let mut plain = vec![1; 6];
        plain.extend([2; 6]);
        plain.extend([8, 0, 0x45]);
        let inner = Tag {
            protocol: VLAN,
            control: 0x2005,
        };
        let outer = Tag {
            protocol: SERVICE_VLAN,
            control: 7,
        };
        let (mut once, mut twice) = (Vec::new(), Vec::new());
        push_tagged(&mut once, &plain, inner);
        push_tagged(&mut twice, &once, outer);
        let frame = Ethernet::parse(&twice).unwrap();
        assert_eq!((frame.destination(), frame.source()), ([1; 6], [2; 6]));
        assert_eq!(frame.ethertype(), IPV4);
        assert_eq!(frame.tags().collect::<Vec<_>>(), [outer, inner]);
        assert_eq!(inner.vlan(), 5);
        assert_eq!(frame.payload(), [0x45]);
        assert!(Ethernet::parse(&twice[..20]).is_none());
    }
}
