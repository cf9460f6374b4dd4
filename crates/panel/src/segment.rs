//! Segments: which far ends are joined, and by what.
//!
//! What is wanted follows from a segment's members alone ([`ways`]); what there is stands with
//! each far end. A change carries out the difference, in an order in which as few frames as
//! possible are lost: first what a new way needs, then the switch, then what the old way needed.

use plan::WireKind;
use sys::netlink::{Request, link};

use crate::end::Way;
use crate::error::MOST_MEMBERS;
use crate::panel::Panel;
use crate::{Error, FarEnd};

/// A segment or link that is to be wired.
#[derive(Clone, Debug)]
pub struct Wire<'a> {
    /// Its name.
    pub segment: &'a str,
    /// Its members.
    pub ends: Vec<FarEnd>,
    /// Whether, of two members, the one sees its carrier go when the other goes down.
    pub mirror: bool,
}

/// A segment as it is.
#[derive(Debug, Default)]
pub(crate) struct Segment {
    pub(crate) members: Vec<FarEnd>,
    pub(crate) mirror: bool,
    /// Number of its bridge, while it has one.
    pub(crate) bridge: Option<u32>,
}

impl Segment {
    /// The two ends of a link whose carrier is mirrored.
    pub(crate) fn mirrored(&self) -> Option<[FarEnd; 2]> {
        match (self.mirror, self.members.as_slice()) {
            (true, [a, b]) => Some([*a, *b]),
            _ => None,
        }
    }
}

/// What has to be done for some segments.
#[derive(Default)]
struct Change {
    before: Vec<Request>,
    switch: Vec<(FarEnd, Way, Way)>,
    after: Vec<Request>,
}

impl Panel {
    /// Wires segments, all at once: two members go straight to each other, more of them over a
    /// bridge; one alone hears nothing. A segment that is there already gets these members
    /// instead; a member of another segment leaves it.
    pub fn connect(&mut self, wires: &[Wire<'_>]) -> Result<(), Error> {
        let mut touched = Vec::with_capacity(wires.len());
        for wire in wires {
            check_size(wire.segment, wire.ends.len())?;
            let old = self.segments.get(wire.segment).map(|s| s.members.clone());
            for end in old.unwrap_or_default() {
                self.end_mut(end)?.segment = None;
            }
            for end in &wire.ends {
                touched.extend(self.detach(*end)?);
                self.end_mut(*end)?.segment = Some(wire.segment.to_string());
            }
            let segment = self.segments.entry(wire.segment.to_string()).or_default();
            let left = std::mem::replace(&mut segment.members, wire.ends.clone());
            segment.mirror = wire.mirror;
            touched.push(wire.segment.to_string());
            let left: Vec<FarEnd> = left
                .into_iter()
                .filter(|e| !wire.ends.contains(e))
                .collect();
            self.silence(&left)?;
        }
        self.rewire(&touched)?;
        if wires.iter().any(|w| w.mirror) {
            self.events.listen()?;
        }
        Ok(())
    }

    /// Plugs a far end into a segment, which is made if it is not there; it leaves the one that
    /// it was in.
    pub fn join(&mut self, segment: &str, end: FarEnd) -> Result<(), Error> {
        let size = self.segments.get(segment).map_or(0, |s| s.members.len());
        check_size(segment, size + 1)?;
        let mut touched: Vec<String> = self.detach(end)?.into_iter().collect();
        self.end_mut(end)?.segment = Some(segment.to_string());
        self.segments
            .entry(segment.to_string())
            .or_default()
            .members
            .push(end);
        touched.push(segment.to_string());
        self.rewire(&touched)
    }

    /// Takes a far end out of its segment.
    pub fn leave(&mut self, end: FarEnd) -> Result<(), Error> {
        let touched = self.detach(end)?;
        self.silence(&[end])?;
        match touched {
            Some(segment) => self.rewire(&[segment]),
            None => Ok(()),
        }
    }

    /// Takes a far end out of its segment's list, and says which that was.
    fn detach(&mut self, end: FarEnd) -> Result<Option<String>, Error> {
        let Some(name) = self.end_mut(end)?.segment.take() else {
            return Ok(None);
        };
        if let Some(segment) = self.segments.get_mut(&name) {
            segment.members.retain(|member| *member != end);
        }
        Ok(Some(name))
    }

    /// Has frames of far ends go nowhere, whatever their segments are.
    pub(crate) fn silence(&mut self, ends: &[FarEnd]) -> Result<(), Error> {
        let mut change = Change::default();
        for end in ends {
            self.plan_end(*end, Way::Silent, &mut change)?;
        }
        self.carry_out(change)
    }

    /// Carries out what segments' members ask for.
    pub(crate) fn rewire(&mut self, segments: &[String]) -> Result<(), Error> {
        let mut change = Change::default();
        for name in segments {
            self.plan_segment(name, &mut change)?;
        }
        self.carry_out(change)?;
        self.settle_mirrors(segments)
    }

    fn plan_segment(&mut self, name: &str, change: &mut Change) -> Result<(), Error> {
        let missing = || Error::NoSuchSegment(name.to_string());
        let segment = self.segments.get(name).ok_or_else(missing)?;
        let (members, old) = (segment.members.clone(), segment.bridge);
        let bridge = match (WireKind::of(members.len()), old) {
            (WireKind::Bridge, None) => {
                let index = self.take_index();
                change
                    .before
                    .push(link::create_hub(&format!("hub{index}"), Some(index)));
                Some(index)
            }
            (WireKind::Bridge, there) => there,
            _ => None,
        };
        let plugged = |end: &FarEnd| self.ends.get(end).is_some_and(|e| e.plugged);
        let list: Vec<(FarEnd, bool)> = members.iter().map(|e| (*e, plugged(e))).collect();
        for ((end, _), way) in list.iter().zip(ways(&list, bridge)) {
            self.plan_end(*end, way, change)?;
        }
        if let (Some(old), None) = (old, bridge) {
            change.after.push(link::delete(old));
        }
        if let Some(segment) = self.segments.get_mut(name) {
            segment.bridge = bridge;
        }
        Ok(())
    }

    fn plan_end(&mut self, far: FarEnd, new: Way, change: &mut Change) -> Result<(), Error> {
        let old = std::mem::replace(&mut self.end_mut(far)?.way, new);
        if old == new {
            return Ok(());
        }
        if let Way::Hub(bridge) = new {
            change.before.push(link::set_master(far.0, Some(bridge)));
            change
                .before
                .push(link::set_group_forward(far.0, link::GROUP_FORWARD_ALL));
        }
        if matches!(old, Way::To(_)) || matches!(new, Way::To(_)) {
            change.switch.push((far, old, new));
        }
        if matches!(old, Way::Hub(_)) && !matches!(new, Way::Hub(_)) {
            change.after.push(link::set_master(far.0, None));
        }
        Ok(())
    }

    fn carry_out(&mut self, change: Change) -> Result<(), Error> {
        self.socket.run(&change.before)?;
        self.switch(&change.switch)?;
        Ok(self.socket.run(&change.after)?)
    }
}

fn check_size(segment: &str, members: usize) -> Result<(), Error> {
    if members > MOST_MEMBERS {
        return Err(Error::TooManyMembers {
            segment: segment.to_string(),
            members,
        });
    }
    Ok(())
}

/// Where each member's frames are to go, for members with whether their cable is plugged in. A
/// cable that is out silences its own side and, on a wire of two, the other one; a bridge sees
/// by itself that a port is down.
fn ways(members: &[(FarEnd, bool)], bridge: Option<u32>) -> Vec<Way> {
    match (members, bridge) {
        (_, Some(bridge)) => vec![Way::Hub(bridge); members.len()],
        ([(a, true), (b, true)], None) => vec![Way::To(*b), Way::To(*a)],
        _ => vec![Way::Silent; members.len()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_plugged_members_go_to_each_other() {
        let (a, b, c) = (FarEnd(1), FarEnd(2), FarEnd(3));
        assert_eq!(
            ways(&[(a, true), (b, true)], None),
            [Way::To(b), Way::To(a)]
        );
        assert_eq!(ways(&[(a, true), (b, false)], None), [Way::Silent; 2]);
        assert_eq!(ways(&[(a, true)], None), [Way::Silent]);
        assert_eq!(ways(&[], None), []);
        let three = [(a, true), (b, false), (c, true)];
        assert_eq!(ways(&three, Some(9)), [Way::Hub(9); 3]);
    }

    #[test]
    fn too_large_a_segment_is_named_with_its_number() {
        let text = check_size("lan", 1024).unwrap_err().to_string();
        assert!(text.contains("lan") && text.contains("1024") && text.contains("1023"));
        assert!(check_size("lan", 1023).is_ok());
    }
}
