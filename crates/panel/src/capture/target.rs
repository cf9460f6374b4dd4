//! What is to be recorded of which far end, for a target that people name.

use plan::{Member, WireKind};

use super::{Direction, Interface};

/// A far end in the panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FarEnd {
    /// The interface behind it.
    pub member: Member,
    /// Its index in the panel.
    pub index: u32,
}

/// What a capture is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// All that goes over a segment or link.
    Segment,
    /// All that one of its members sends and is sent.
    Member(&'a Member),
}

/// What to record of the far ends of a segment or link. Empty when `target` is none of them.
///
/// Each frame is to be seen once: a whole segment is what comes in at all far ends. On a wire of
/// two, what goes out to a member is what comes in from the other one; the far end's own going
/// out may pass no packet socket (a redirect to the peer skips it).
pub fn interfaces(kind: WireKind, ends: &[FarEnd], target: Target<'_>) -> Vec<Interface> {
    let (wanted, direction): (Vec<&FarEnd>, _) = match target {
        Target::Segment => (ends.iter().collect(), Direction::Ingress),
        Target::Member(member) => {
            let own: Vec<_> = ends.iter().filter(|end| end.member == *member).collect();
            match kind {
                WireKind::Wire if !own.is_empty() => (ends.iter().collect(), Direction::Ingress),
                _ => (own, Direction::Both),
            }
        }
    };
    wanted
        .into_iter()
        .map(|end| interface(end, direction))
        .collect()
}

fn interface(end: &FarEnd, direction: Direction) -> Interface {
    Interface {
        index: end.index,
        name: end.member.to_string(),
        direction,
        description: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(kind: WireKind, members: &[&str], target: Option<&str>) -> Vec<(u32, Direction)> {
        let ends: Vec<_> = members
            .iter()
            .zip(5..)
            .map(|(name, index)| FarEnd {
                member: Member::new(name, "eth0"),
                index,
            })
            .collect();
        let member = target.map(|name| Member::new(name, "eth0"));
        let target = member.as_ref().map_or(Target::Segment, Target::Member);
        let found = interfaces(kind, &ends, target);
        assert!(found.iter().all(|i| i.name.ends_with(":eth0")));
        found.into_iter().map(|i| (i.index, i.direction)).collect()
    }

    #[test]
    fn every_frame_is_seen_once() {
        use Direction::{Both, Ingress};
        let wire = [(5, Ingress), (6, Ingress)];
        assert_eq!(seen(WireKind::Wire, &["a", "b"], None), wire);
        assert_eq!(seen(WireKind::Wire, &["a", "b"], Some("b")), wire);
        let three = ["a", "b", "c"];
        assert_eq!(seen(WireKind::Bridge, &three, Some("b")), [(6, Both)]);
        assert_eq!(seen(WireKind::Bridge, &three, None).len(), 3);
        assert_eq!(seen(WireKind::Open, &["a"], Some("a")), [(5, Both)]);
        assert_eq!(seen(WireKind::Wire, &["a", "b"], Some("x")), []);
    }
}
