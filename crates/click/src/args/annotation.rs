//! Annotations of packets: bytes beside a packet's own that elements talk through. Configurations
//! name their places by number, so the places are those of Click (`packet_anno.hh`).

use super::context::Context;
use super::integer::leading_integer;
use super::value::{FromArg, Parser, Wrong};

/// How many bytes of annotations a packet has.
pub const ANNOTATION_BYTES: u8 = 48;

/// A place among the annotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Annotation {
    /// Its first byte.
    pub offset: u8,
    /// How many bytes it has; unknown when a bare number names it.
    pub size: Option<u8>,
}

/// Names, first bytes, sizes.
const NAMES: [(&str, u8, u8); 22] = [
    ("DST_IP", 0, 4),
    ("DST_IP6", 0, 16),
    ("PAINT", 16, 1),
    ("WIFI_EXTRA", 16, 24),
    ("ICMP_PARAMPROB", 17, 1),
    ("FIX_IP_SRC", 19, 1),
    ("VLAN", 20, 2),
    ("VLAN_TCI", 20, 2),
    ("AGGREGATE", 20, 4),
    ("FWD_RATE", 20, 4),
    ("MISC_IP", 20, 4),
    ("EXTRA_PACKETS", 24, 4),
    ("REV_RATE", 24, 4),
    ("SEND_ERR", 26, 1),
    ("GRID_ROUTE_CB", 27, 1),
    ("EXTRA_LENGTH", 28, 4),
    ("IPREASSEMBLER", 28, 4),
    ("FIRST_TIMESTAMP", 32, 8),
    ("PACKET_NUMBER", 32, 4),
    ("IPSEC_SPI", 32, 4),
    ("SEQUENCE_NUMBER", 36, 4),
    ("PERFCTR", 40, 8),
];

impl Annotation {
    /// The one that every router knows by this name.
    pub fn named(name: &str) -> Option<Self> {
        let (_, offset, size) = NAMES.iter().find(|(n, ..)| *n == name)?;
        Some(Self {
            offset: *offset,
            size: Some(*size),
        })
    }

    /// Whether it ends within the annotations, with `size` bytes.
    fn fits(self, size: u8) -> bool {
        self.offset
            .checked_add(size)
            .is_some_and(|end| end <= ANNOTATION_BYTES)
    }
}

/// A name, or the number of its first byte.
impl FromArg for Annotation {
    fn from_arg(text: &str, context: &Context<'_>) -> Result<Self, Wrong> {
        let named = context.names().annotation(text, context.element());
        let value = named.or_else(|| Self::named(text)).or_else(|| {
            let (offset, rest) = leading_integer(text, 0)?;
            let value = Self {
                offset: offset.ok()?,
                size: None,
            };
            rest.is_empty().then_some(value)
        });
        let fitting = value.filter(|v| v.offset < ANNOTATION_BYTES);
        fitting.ok_or_else(Wrong::form)
    }
}

/// The first byte of an annotation of this many bytes (`AnnoArg`).
#[derive(Clone, Copy, Debug)]
pub struct Anno {
    /// How many bytes.
    pub size: u8,
}

impl Parser<u8> for Anno {
    fn parse(&self, text: &str, context: &Context<'_>) -> Result<u8, Wrong> {
        let value = Annotation::from_arg(text, context)?;
        let right = value.size.is_none_or(|size| size == self.size) && value.fits(self.size);
        right.then_some(value.offset).ok_or_else(Wrong::form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_by_name_and_byte() {
        let read = |size, text| Anno { size }.parse(text, &Context::none()).ok();
        assert_eq!(read(1, "PAINT"), Some(16));
        assert_eq!(read(4, "PAINT"), None);
        assert_eq!(read(4, "20"), Some(20));
        assert_eq!(read(4, "0x2c"), Some(44));
        assert_eq!(read(4, "45"), None);
        assert_eq!(read(1, "48"), None);
        assert_eq!(read(1, "-1"), None);
        assert_eq!(read(1, "256"), None);
        assert_eq!(read(1, "COLOUR"), None);
    }

    #[test]
    fn the_known_ones_fit() {
        for (name, _, size) in NAMES {
            assert!(Annotation::named(name).unwrap().fits(size), "{name}");
        }
    }
}
