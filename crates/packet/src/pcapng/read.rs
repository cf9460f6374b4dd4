//! Reads capture files: pcapng of either byte order and pcap with micro- or nanoseconds. Blocks
//! that it does not know are passed over, and a file that ends within a block is read up to it.

use super::{
    BYTE_ORDER, Direction, END_OF_OPTIONS, IF_DESCRIPTION, IF_NAME, IF_RESOLUTION, INTERFACE,
    PACKET, PACKET_DROPS, PACKET_FLAGS, SECTION, STATISTICS, STATISTICS_DROPPED,
    STATISTICS_RECEIVED,
};

const PCAP_MICRO: u32 = 0xa1b2_c3d4;
const PCAP_NANO: u32 = 0xa1b2_3c4d;

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capture {
    /// Its interfaces, of all sections.
    pub interfaces: Vec<Interface>,
    /// Its packets, in the file's order.
    pub packets: Vec<Packet>,
    /// Whether it ends within a block.
    pub cut_off: bool,
}

/// An interface that packets are of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Its name, empty if the file gives none.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// Link type ([`super::ETHERNET`]).
    pub link: u16,
    /// Bytes kept of each packet; 0: all.
    pub snaplen: u32,
    /// Packets seen and lost, when the file says so.
    pub counted: Option<(u64, u64)>,
    /// Units of time in a second.
    units: u64,
}

/// A packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Index of its interface in [`Capture::interfaces`].
    pub interface: usize,
    /// When it was seen, in nanoseconds since 1970.
    pub time: u64,
    /// Which way it went, if the file says so.
    pub direction: Option<Direction>,
    /// Its length on the wire.
    pub length: u32,
    /// What is kept of it.
    pub bytes: Vec<u8>,
    /// Packets of its interface lost before it.
    pub lost: u64,
}

/// Why a file cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// It is no capture file.
    Magic,
    /// It contradicts itself in the block that begins at this byte.
    Block(usize),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Magic => write!(f, "this is neither a pcapng nor a pcap file"),
            Self::Block(at) => write!(f, "the block at byte {at} of the capture is damaged"),
        }
    }
}

impl std::error::Error for Error {}

/// Reads a whole file.
pub fn read(bytes: &[u8]) -> Result<Capture, Error> {
    let first = bytes.first_chunk().map(|b| u32::from_le_bytes(*b));
    match first.ok_or(Error::Magic)? {
        SECTION => pcapng(bytes),
        magic => pcap(bytes, magic),
    }
}

/// Numbers in the byte order of a section.
#[derive(Clone, Copy)]
struct Order {
    big: bool,
}

impl Order {
    fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let two = *bytes.get(at..)?.first_chunk()?;
        Some(if self.big {
            u16::from_be_bytes(two)
        } else {
            u16::from_le_bytes(two)
        })
    }

    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let four = *bytes.get(at..)?.first_chunk()?;
        Some(if self.big {
            u32::from_be_bytes(four)
        } else {
            u32::from_le_bytes(four)
        })
    }

    fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        let eight = *bytes.get(at..)?.first_chunk()?;
        Some(if self.big {
            u64::from_be_bytes(eight)
        } else {
            u64::from_le_bytes(eight)
        })
    }

    /// Options from `at` on: code and value.
    fn options(self, bytes: &[u8], mut at: usize) -> impl Iterator<Item = (u16, &[u8])> {
        std::iter::from_fn(move || {
            let code = self.u16(bytes, at).filter(|c| *c != END_OF_OPTIONS)?;
            let length = usize::from(self.u16(bytes, at + 2)?);
            let value = bytes.get(at + 4..at + 4 + length)?;
            at += 4 + length.next_multiple_of(4);
            Some((code, value))
        })
    }
}

fn pcapng(bytes: &[u8]) -> Result<Capture, Error> {
    let mut reader = Reader {
        order: Order { big: false },
        first: 0,
        capture: Capture::default(),
    };
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        if reader.order.u32(rest, 0) == Some(SECTION) {
            let big = rest
                .get(8..12)
                .is_some_and(|b| b == BYTE_ORDER.to_be_bytes());
            reader.order = Order { big };
            reader.first = reader.capture.interfaces.len();
        }
        let Some(length) = reader.order.u32(rest, 4).map(|l| l as usize) else {
            reader.capture.cut_off = true;
            break;
        };
        if length < 12 || length % 4 != 0 {
            return Err(Error::Block(at));
        }
        let Some(block) = rest.get(..length) else {
            reader.capture.cut_off = true;
            break;
        };
        reader.block(block).ok_or(Error::Block(at))?;
        at += length;
    }
    Ok(reader.capture)
}

struct Reader {
    order: Order,
    /// Index of the section's first interface.
    first: usize,
    capture: Capture,
}

impl Reader {
    fn block(&mut self, block: &[u8]) -> Option<()> {
        let body = block.get(8..block.len() - 4)?;
        match self.order.u32(block, 0)? {
            INTERFACE => self.interface(body),
            PACKET => self.packet(body),
            STATISTICS => self.statistics(body),
            _ => Some(()),
        }
    }

    fn interface(&mut self, body: &[u8]) -> Option<()> {
        let mut interface = Interface {
            link: self.order.u16(body, 0)?,
            snaplen: self.order.u32(body, 4)?,
            units: 1_000_000,
            ..Interface::default()
        };
        for (code, value) in self.order.options(body, 8) {
            match code {
                IF_NAME => interface.name = String::from_utf8_lossy(value).into(),
                IF_DESCRIPTION => {
                    interface.description = Some(String::from_utf8_lossy(value).into())
                }
                IF_RESOLUTION => interface.units = units(*value.first()?)?,
                _ => {}
            }
        }
        self.capture.interfaces.push(interface);
        Some(())
    }

    fn index(&self, number: u32) -> Option<usize> {
        let index = self.first.checked_add(number as usize)?;
        (index < self.capture.interfaces.len()).then_some(index)
    }

    fn packet(&mut self, body: &[u8]) -> Option<()> {
        let interface = self.index(self.order.u32(body, 0)?)?;
        let units = u128::from(self.capture.interfaces[interface].units);
        let time = u64::from(self.order.u32(body, 4)?) << 32 | u64::from(self.order.u32(body, 8)?);
        let kept = self.order.u32(body, 12)? as usize;
        let bytes = body.get(20..)?.get(..kept)?;
        let mut packet = Packet {
            interface,
            time: u64::try_from(u128::from(time) * 1_000_000_000 / units).ok()?,
            direction: None,
            length: self.order.u32(body, 16)?,
            bytes: bytes.to_vec(),
            lost: 0,
        };
        for (code, value) in self.order.options(body, 20 + kept.next_multiple_of(4)) {
            match code {
                PACKET_FLAGS => packet.direction = direction(self.order.u32(value, 0)?),
                PACKET_DROPS => packet.lost = self.order.u64(value, 0)?,
                _ => {}
            }
        }
        self.capture.packets.push(packet);
        Some(())
    }

    fn statistics(&mut self, body: &[u8]) -> Option<()> {
        let interface = self.index(self.order.u32(body, 0)?)?;
        let (mut received, mut dropped) = (0, 0);
        for (code, value) in self.order.options(body, 12) {
            match code {
                STATISTICS_RECEIVED => received = self.order.u64(value, 0)?,
                STATISTICS_DROPPED => dropped = self.order.u64(value, 0)?,
                _ => {}
            }
        }
        self.capture.interfaces[interface].counted = Some((received, dropped));
        Some(())
    }
}

/// Units in a second: a power of ten, or of two if the highest bit is set.
fn units(resolution: u8) -> Option<u64> {
    let base = if resolution & 0x80 == 0 { 10_u64 } else { 2 };
    base.checked_pow(u32::from(resolution & 0x7f))
}

fn direction(flags: u32) -> Option<Direction> {
    match flags & 3 {
        1 => Some(Direction::Inbound),
        2 => Some(Direction::Outbound),
        _ => None,
    }
}

fn pcap(bytes: &[u8], magic: u32) -> Result<Capture, Error> {
    let (big, nano) = match (magic, magic.swap_bytes()) {
        (PCAP_MICRO, _) => (false, false),
        (PCAP_NANO, _) => (false, true),
        (_, PCAP_MICRO) => (true, false),
        (_, PCAP_NANO) => (true, true),
        _ => return Err(Error::Magic),
    };
    let order = Order { big };
    let interface = Interface {
        snaplen: order.u32(bytes, 16).ok_or(Error::Block(0))?,
        link: order.u32(bytes, 20).ok_or(Error::Block(0))? as u16,
        units: if nano { 1_000_000_000 } else { 1_000_000 },
        ..Interface::default()
    };
    let unit = 1_000_000_000 / interface.units;
    let mut capture = Capture {
        interfaces: vec![interface],
        ..Capture::default()
    };
    let mut at = 24;
    while at < bytes.len() {
        let Some(packet) = record(order, unit, &bytes[at..]) else {
            capture.cut_off = true;
            break;
        };
        at += 16 + packet.bytes.len();
        capture.packets.push(packet);
    }
    Ok(capture)
}

fn record(order: Order, unit: u64, bytes: &[u8]) -> Option<Packet> {
    let kept = order.u32(bytes, 8)? as usize;
    let seconds = u64::from(order.u32(bytes, 0)?) * 1_000_000_000;
    Some(Packet {
        interface: 0,
        time: seconds + u64::from(order.u32(bytes, 4)?) * unit,
        direction: None,
        length: order.u32(bytes, 12)?,
        bytes: bytes.get(16..)?.get(..kept)?.to_vec(),
        lost: 0,
    })
}
