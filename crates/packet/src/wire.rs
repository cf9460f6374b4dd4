//! Frames as they stand on a wire: what the virtio header says is yet to be done (checksums,
//! segmentation) is done.
//!
//! Segmentation follows what Linux does (`Documentation/networking/segmentation-offloads.rst`):
//! PSH and FIN stand in the last segment only, CWR in the first (unless it is accurate ECN,
//! which needs it in all), the IPv4 identification counts up, and lengths and checksums of
//! tunnels around it are those of each segment.

use crate::bytes::{put_u16, put_u32, u16_at, u32_at};
use crate::checksum::{Sum, crc32c, internet};
use crate::layers::{Goal, Layer, Way};
use crate::virtio::{Checksum, Gso, GsoKind, VnetHeader};
use crate::{Ipv4, Ipv6, Tcp, ipv4, ipv6, tcp, udp};

/// Where the checksum stands in an SCTP header.
const SCTP_CHECKSUM_AT: usize = 8;

/// Makes frames of a wire; keeps the memory for it between frames.
#[derive(Debug, Default)]
pub struct Wire {
    scratch: Vec<u8>,
}

/// What was made of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Frames of a wire.
    Wire {
        /// How many.
        frames: usize,
    },
    /// The one frame that came, since its headers are not understood.
    AsItWas,
}

impl Wire {
    /// One with no memory yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives `each` the frames that `frame` is on a wire, in their order.
    pub fn frames(
        &mut self,
        frame: &[u8],
        header: VnetHeader,
        mut each: impl FnMut(&[u8]),
    ) -> Outcome {
        let made = match header.gso {
            Some(gso) => self.cut(frame, header.checksum, gso, &mut each),
            None => self.whole(frame, header.checksum, &mut each),
        };
        match made {
            Some(frames) => Outcome::Wire { frames },
            None => {
                each(frame);
                Outcome::AsItWas
            }
        }
    }

    fn whole(
        &mut self,
        frame: &[u8],
        checksum: Checksum,
        each: &mut impl FnMut(&[u8]),
    ) -> Option<usize> {
        let Checksum::Missing { start, offset } = checksum else {
            each(frame);
            return Some(1);
        };
        self.scratch.clear();
        self.scratch.extend_from_slice(frame);
        complete(&mut self.scratch, start.into(), offset.into())?;
        each(&self.scratch);
        Some(1)
    }

    fn cut(
        &mut self,
        frame: &[u8],
        checksum: Checksum,
        gso: Gso,
        each: &mut impl FnMut(&[u8]),
    ) -> Option<usize> {
        let cut = Cut::plan(frame, checksum, gso)?;
        let frames = cut.count();
        for index in 0..frames {
            cut.piece(index, &mut self.scratch)?;
            each(&self.scratch);
        }
        Some(frames)
    }
}

/// Writes a missing checksum: of the bytes from `start` to the frame's end, at `start + offset`
/// (CRC-32C if it is SCTP). `None`: there are no such places; nothing is changed.
pub fn complete(frame: &mut [u8], start: usize, offset: usize) -> Option<()> {
    let crc = offset == SCTP_CHECKSUM_AT
        && Way::find(frame, Goal::At(start)).is_some_and(|way| way.protocol == ipv4::SCTP);
    let covered = frame.get_mut(start..)?;
    if crc {
        let (before, rest) = covered.split_at_checked(offset)?;
        let sum = crc32c(&[before, &[0; 4], rest.get(4..)?]);
        *covered.get_mut(offset..)?.first_chunk_mut()? = sum;
        return Some(());
    }
    let sum = nonzero(internet(covered));
    put_u16(covered, offset, sum)
}

/// A checksum that UDP does not take for "none"; both are zero in ones' complement.
fn nonzero(checksum: u16) -> u16 {
    if checksum == 0 { 0xffff } else { checksum }
}

/// A frame about to be cut: its headers are checked, so that its pieces can be made.
struct Cut<'a> {
    headers: &'a [u8],
    payload: &'a [u8],
    way: Way,
    size: usize,
    ecn: bool,
    /// UDP without a checksum stays without.
    unsummed: bool,
}

impl<'a> Cut<'a> {
    fn plan(frame: &'a [u8], checksum: Checksum, gso: Gso) -> Option<Self> {
        let protocol = match gso.kind {
            GsoKind::TcpV4 | GsoKind::TcpV6 => ipv4::TCP,
            GsoKind::Udp => ipv4::UDP,
            GsoKind::UdpFragments | GsoKind::Other(_) => return None,
        };
        let missing = matches!(checksum, Checksum::Missing { .. });
        let goal = match checksum {
            Checksum::Missing { start, .. } => Goal::At(start.into()),
            _ => Goal::First(protocol),
        };
        let way = Way::find(frame, goal).filter(|way| way.protocol == protocol)?;
        if gso.size == 0 || way.has_jumbogram(frame) {
            return None;
        }
        let transport = frame.get(way.transport..)?;
        let length = match protocol {
            ipv4::TCP => Tcp::parse(transport)?.header_length(),
            _ => udp::HEADER,
        };
        let (headers, payload) = frame.split_at_checked(way.transport + length)?;
        let unsummed =
            protocol == ipv4::UDP && !missing && u16_at(transport, udp::CHECKSUM_AT)? == 0;
        Some(Self {
            headers,
            payload,
            way,
            size: gso.size.into(),
            ecn: gso.ecn,
            unsummed,
        })
    }

    fn count(&self) -> usize {
        self.payload.len().div_ceil(self.size).max(1)
    }

    /// Makes the frame of this index, from 0.
    fn piece(&self, index: usize, out: &mut Vec<u8>) -> Option<()> {
        let from = (index * self.size).min(self.payload.len());
        let to = (from + self.size).min(self.payload.len());
        out.clear();
        out.extend_from_slice(self.headers);
        out.extend_from_slice(&self.payload[from..to]);
        match self.way.protocol {
            ipv4::TCP => self.tcp(index, from as u32, out)?,
            _ => put_length(out, self.way.transport + 4, self.way.transport)?,
        }
        self.lengths(index as u16, out)?;
        self.checksums(out)
    }

    fn tcp(&self, index: usize, from: u32, out: &mut [u8]) -> Option<()> {
        let at = self.way.transport;
        put_u32(out, at + 4, u32_at(out, at + 4)?.wrapping_add(from))?;
        let flags = out.get_mut(at + 13)?;
        if index + 1 < self.count() {
            *flags &= !(tcp::FIN | tcp::PSH);
        }
        if self.ecn && index > 0 {
            *flags &= !tcp::CWR;
        }
        Some(())
    }

    fn lengths(&self, index: u16, out: &mut [u8]) -> Option<()> {
        for layer in self.way.layers() {
            match *layer {
                Layer::Ipv4 { at } => {
                    put_length(out, at + 2, at)?;
                    put_u16(out, at + 4, u16_at(out, at + 4)?.wrapping_add(index))?;
                }
                Layer::Ipv6 { at } => put_length(out, at + 4, at + ipv6::HEADER)?,
                Layer::Udp { at } => put_length(out, at + 4, at)?,
                Layer::Gre { .. } => {}
            }
        }
        Some(())
    }

    /// Writes the checksums, innermost first: outer ones cover inner ones.
    fn checksums(&self, out: &mut [u8]) -> Option<()> {
        let layers = self.way.layers();
        if !self.unsummed {
            let field = match self.way.protocol {
                ipv4::TCP => tcp::CHECKSUM_AT,
                _ => udp::CHECKSUM_AT,
            };
            transport_checksum(out, layers, self.way.protocol, self.way.transport, field)?;
        }
        for (index, layer) in layers.iter().enumerate().rev() {
            match *layer {
                Layer::Ipv4 { at } => ipv4_checksum(out, at)?,
                Layer::Udp { at } if u16_at(out, at + udp::CHECKSUM_AT)? != 0 => {
                    transport_checksum(out, &layers[..index], ipv4::UDP, at, udp::CHECKSUM_AT)?;
                }
                Layer::Gre { at } if u16_at(out, at)? & 0x8000 != 0 => {
                    put_u16(out, at + 4, 0)?;
                    put_u16(out, at + 4, internet(out.get(at..)?))?;
                }
                _ => {}
            }
        }
        Some(())
    }
}

impl Way {
    /// Whether a length on it is left open, for a packet of more than 64 KiB.
    fn has_jumbogram(&self, frame: &[u8]) -> bool {
        self.layers().iter().any(|layer| match *layer {
            Layer::Ipv4 { at } => u16_at(frame, at + 2) == Some(0),
            Layer::Ipv6 { at } => u16_at(frame, at + 4) == Some(0),
            _ => false,
        })
    }
}

/// Writes at `at` how many bytes there are from `from` to the end, if 16 bits can say that.
fn put_length(frame: &mut [u8], at: usize, from: usize) -> Option<()> {
    let length = u16::try_from(frame.len().checked_sub(from)?).ok()?;
    put_u16(frame, at, length)
}

fn ipv4_checksum(frame: &mut [u8], at: usize) -> Option<()> {
    let length = Ipv4::parse(frame.get(at..)?)?.header_length();
    put_u16(frame, at + 10, 0)?;
    let sum = internet(frame.get(at..at + length)?);
    put_u16(frame, at + 10, sum)
}

/// Writes the checksum of a transport header at `at`, which the last of `layers` carries.
fn transport_checksum(
    frame: &mut [u8],
    layers: &[Layer],
    protocol: u8,
    at: usize,
    field: usize,
) -> Option<()> {
    put_u16(frame, at + field, 0)?;
    let covered = frame.get(at..)?;
    let sum = match *layers.last()? {
        Layer::Ipv4 { at } => {
            let ip = Ipv4::parse(frame.get(at..)?)?;
            Sum::new().pseudo_v4(ip.source(), ip.destination(), protocol, covered.len())
        }
        Layer::Ipv6 { at } => {
            let ip = Ipv6::parse(frame.get(at..)?)?;
            Sum::new().pseudo_v6(ip.source(), ip.final_destination(), protocol, covered.len())
        }
        Layer::Udp { .. } | Layer::Gre { .. } => return None,
    };
    let checksum = sum.bytes(covered).checksum();
    put_u16(
        frame,
        at + field,
        if protocol == ipv4::UDP {
            nonzero(checksum)
        } else {
            checksum
        },
    )
}
