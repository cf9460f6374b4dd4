//! What people are told about wires.

use std::collections::HashMap;

use plan::WireKind;
use serde::Serialize;
use sys::netlink::Link;

use crate::end::Way;
use crate::panel::Panel;
use crate::{Error, FarEnd};

/// A segment or link as it is.
#[derive(Clone, Debug, Serialize)]
pub struct SegmentReport {
    /// Its name.
    pub name: String,
    /// How its members are joined.
    pub kind: WireKind,
    /// Whether the carrier of one end follows the other's.
    pub mirror: bool,
    /// Name of its bridge in the panel.
    pub bridge: Option<String>,
    /// Its members, in the lab's order.
    pub members: Vec<MemberReport>,
}

/// A member of a segment.
#[derive(Clone, Debug, Serialize)]
pub struct MemberReport {
    /// Number of its far end.
    pub index: u32,
    /// Name of its far end.
    pub far_end: String,
    /// Name of its interface, as the lab gives it.
    pub interface: String,
    /// Whether its cable is plugged in.
    pub plugged: bool,
    /// Whether its node sees a carrier, and so the panel the node's.
    pub carrier: bool,
    /// Whether frames that it sends go anywhere.
    pub wired: bool,
    /// Frames that the node has sent.
    pub frames: u64,
    /// Bytes that the node has sent.
    pub bytes: u64,
}

impl Panel {
    /// All segments and links, by name. A member's counters are of what its node has sent: what
    /// it was sent the others' tell.
    pub fn describe(&mut self) -> Result<Vec<SegmentReport>, Error> {
        let links = self.socket.links()?;
        let links: HashMap<u32, Link> = links.into_iter().map(|l| (l.index, l)).collect();
        let report = |(name, segment): (&String, &crate::segment::Segment)| SegmentReport {
            name: name.clone(),
            kind: WireKind::of(segment.members.len()),
            mirror: segment.mirror,
            bridge: segment
                .bridge
                .and_then(|b| links.get(&b))
                .map(|l| l.name.clone()),
            members: segment
                .members
                .iter()
                .filter_map(|m| self.member(*m, &links))
                .collect(),
        };
        Ok(self.segments.iter().map(report).collect())
    }

    fn member(&self, far: FarEnd, links: &HashMap<u32, Link>) -> Option<MemberReport> {
        let end = self.ends.get(&far)?;
        let link = links.get(&far.0);
        Some(MemberReport {
            index: far.0,
            far_end: end.far_name.clone(),
            interface: end.name.clone(),
            plugged: end.plugged,
            carrier: link.is_some_and(|l| l.carrier),
            wired: end.way != Way::Silent,
            frames: link.map_or(0, |l| l.stats.rx_packets),
            bytes: link.map_or(0, |l| l.stats.rx_bytes),
        })
    }
}
