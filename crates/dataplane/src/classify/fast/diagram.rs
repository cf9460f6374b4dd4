//! Decision diagrams of single rules: at each node one field is looked at, and its value chooses
//! the way on.
//!
//! Fields are looked at in the same order on each path, equal nodes are one node, and a node has
//! at least two ways: so all tests of a field, a range of ports for instance, become one node.

use super::sets::Set;
use crate::classify::program::Jump;
use std::collections::HashMap;

/// A node or an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Link {
    Node(u32),
    End(Jump),
}

/// A way on, and the least value of the field that goes it.
pub(super) type Way = (u32, Link);

/// The field's place in the order, and the ways by the field's value. The first way's value is 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Node {
    pub place: usize,
    pub ways: Vec<Way>,
}

/// A diagram would be too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

/// Diagrams that share their nodes.
#[derive(Debug)]
pub(super) struct Diagrams {
    nodes: Vec<Node>,
    known: HashMap<Node, u32>,
    /// How many ways there may yet be.
    room: usize,
}

/// That the field at a place in the order has a value of a set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Condition<'a> {
    pub place: usize,
    pub set: &'a Set,
}

impl Diagrams {
    /// None, which may have so many ways together.
    pub(super) fn with_room(room: usize) -> Self {
        Self {
            nodes: Vec::new(),
            known: HashMap::new(),
            room,
        }
    }

    pub(super) fn node(&self, node: u32) -> &Node {
        &self.nodes[node as usize]
    }

    /// What is decided by `yes` where a condition holds and by `no` elsewhere.
    ///
    /// # Errors
    /// If that takes more ways than there may be.
    pub(super) fn choose(
        &mut self,
        condition: Condition<'_>,
        yes: Link,
        no: Link,
    ) -> Result<Link, TooLarge> {
        Choice {
            diagrams: self,
            condition,
            known: HashMap::new(),
        }
        .link(yes, no)
    }

    fn place(&self, link: Link) -> usize {
        match link {
            Link::Node(node) => self.node(node).place,
            Link::End(_) => usize::MAX,
        }
    }

    /// The ways on from a link by the field at a place: one, if another field comes first.
    fn ways(&self, link: Link, place: usize) -> Vec<Way> {
        match link {
            Link::Node(node) if self.node(node).place == place => self.node(node).ways.clone(),
            _ => vec![(0, link)],
        }
    }

    /// The node with these ways, or the only way.
    fn insert(&mut self, place: usize, mut ways: Vec<Way>) -> Result<Link, TooLarge> {
        ways.dedup_by_key(|(_, link)| *link);
        if let [(_, only)] = ways[..] {
            return Ok(only);
        }
        let node = Node { place, ways };
        if let Some(&known) = self.known.get(&node) {
            return Ok(Link::Node(known));
        }
        self.room = self.room.checked_sub(node.ways.len()).ok_or(TooLarge)?;
        let number = u32::try_from(self.nodes.len()).map_err(|_| TooLarge)?;
        self.nodes.push(node.clone());
        self.known.insert(node, number);
        Ok(Link::Node(number))
    }
}

/// A condition being put before diagrams.
struct Choice<'a> {
    diagrams: &'a mut Diagrams,
    condition: Condition<'a>,
    /// What was chosen between before.
    known: HashMap<(Link, Link), Link>,
}

impl Choice<'_> {
    fn link(&mut self, yes: Link, no: Link) -> Result<Link, TooLarge> {
        if yes == no {
            return Ok(yes);
        }
        if let Some(&link) = self.known.get(&(yes, no)) {
            return Ok(link);
        }
        let Condition { place, set } = self.condition;
        let first = self
            .diagrams
            .place(yes)
            .min(self.diagrams.place(no))
            .min(place);
        let (yes_ways, no_ways) = (
            self.diagrams.ways(yes, first),
            self.diagrams.ways(no, first),
        );
        let here = first == place;
        let bounds = set.bounds().filter(|_| here);
        let mut ways = Vec::with_capacity(yes_ways.len().max(no_ways.len()) + 2);
        for (value, yes, no) in side_by_side(&yes_ways, &no_ways, bounds) {
            let link = match here {
                true if set.contains(value) => yes,
                true => no,
                false => self.link(yes, no)?,
            };
            ways.push((value, link));
        }
        let link = self.diagrams.insert(first, ways)?;
        self.known.insert((yes, no), link);
        Ok(link)
    }
}

/// Each value at which one of two lists of ways, or a set, changes, and where both lists lead there.
fn side_by_side(a: &[Way], b: &[Way], bounds: impl Iterator<Item = u32>) -> Vec<(u32, Link, Link)> {
    let mut values: Vec<u32> = a
        .iter()
        .chain(b)
        .map(|(value, _)| *value)
        .chain(bounds)
        .collect();
    values.sort_unstable();
    values.dedup();
    let (mut i, mut j) = (0, 0);
    let pair = |value: u32| {
        while a.get(i + 1).is_some_and(|(start, _)| *start <= value) {
            i += 1;
        }
        while b.get(j + 1).is_some_and(|(start, _)| *start <= value) {
            j += 1;
        }
        (value, a[i].1, b[j].1)
    };
    values.into_iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const YES: Link = Link::End(Jump::NEVER);
    const NO: Link = Link::End(Jump::FAILURE);

    #[test]
    fn equal_decisions_are_equal_links() {
        let mut diagrams = Diagrams::with_room(2000);
        let (small, even) = (Set::masked(0, 0xf0, 8), Set::masked(0, 1, 8));
        let small = Condition {
            place: 0,
            set: &small,
        };
        let even = Condition {
            place: 1,
            set: &even,
        };
        let a = diagrams
            .choose(even, YES, NO)
            .and_then(|both| diagrams.choose(small, both, NO));
        let b = diagrams
            .choose(small, YES, NO)
            .and_then(|both| diagrams.choose(even, both, NO));
        assert_eq!(a, b);
        assert_eq!(diagrams.choose(small, a.unwrap(), NO), a);
        assert_eq!(diagrams.choose(small, YES, YES), Ok(YES));
    }

    #[test]
    fn there_is_a_limit() {
        let mut diagrams = Diagrams::with_room(5);
        let even = Set::masked(0, 1, 8);
        let even = Condition {
            place: 0,
            set: &even,
        };
        assert_eq!(diagrams.choose(even, YES, NO), Err(TooLarge));
    }
}
