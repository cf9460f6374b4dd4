//! Sets of a field's values.

use super::diagram::{Link, Way};

/// A set, as the values that belong to it while those before them do not, and the other way round.
/// They rise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Set(Vec<u32>);

/// How many intervals the numbers of `width` bits make that agree with some value in the bits of
/// `mask`.
pub(super) fn intervals(mask: u32, width: u32) -> u64 {
    1 << free(mask, width).count_ones()
}

/// The bits that may be anything, above the lowest that may not.
fn free(mask: u32, width: u32) -> u32 {
    u32::MAX >> (32 - width) & !mask & !below(mask)
}

/// The bits below the lowest of a mask.
fn below(mask: u32) -> u32 {
    1_u32
        .checked_shl(mask.trailing_zeros())
        .map_or(u32::MAX, |bit| bit - 1)
}

impl Set {
    /// The values of a field of `width` bits that agree with `value` in the bits of `mask`.
    pub(super) fn masked(value: u32, mask: u32, width: u32) -> Self {
        let (free, below) = (free(mask, width), below(mask));
        let mut bounds: Vec<u32> = Vec::new();
        let mut above = 0_u32;
        loop {
            let start = value & mask | above;
            if bounds.last() == Some(&start) {
                bounds.pop();
            } else {
                bounds.push(start);
            }
            let end = (start | below).checked_add(1);
            bounds.extend(end.filter(|end| width == 32 || end >> width == 0));
            // the free bits, counted through
            above = above.wrapping_sub(free) & free;
            if above == 0 {
                return Self(bounds);
            }
        }
    }

    /// The values of a field that go one of its ways.
    pub(super) fn of_ways(ways: &[Way], wanted: Link) -> Self {
        let mut inside = false;
        let bound = |&(start, link): &Way| {
            let changes = inside != (link == wanted);
            inside ^= changes;
            changes.then_some(start)
        };
        Self(ways.iter().filter_map(bound).collect())
    }

    /// The values at which the set begins or ends. They rise.
    pub(super) fn bounds(&self) -> impl Iterator<Item = u32> {
        self.0.iter().copied()
    }

    pub(super) fn contains(&self, value: u32) -> bool {
        self.0.partition_point(|&bound| bound <= value) % 2 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::program::Jump;

    #[test]
    fn masked_values() {
        for mask in 0..=255_u32 {
            for value in [0, 0xff, 0xa5] {
                let set = Set::masked(value, mask, 8);
                let found = (0..=255).filter(|&number| set.contains(number));
                let wanted = (0..=255).filter(|number| number & mask == value & mask);
                assert!(found.eq(wanted), "{value:x}/{mask:x}: {set:?}");
                assert!(set.0.is_sorted() && set.0.iter().all(|&bound| bound < 256));
                assert!(set.0.len().div_ceil(2) as u64 <= intervals(mask, 8));
            }
        }
        assert_eq!(
            Set::masked(0x0a00_0000, 0xff00_0000, 32).0,
            [0x0a00_0000, 0x0b00_0000]
        );
        assert_eq!(Set::masked(7, 0, 32).0, [0]);
        assert_eq!(Set::masked(7, u32::MAX, 32).0, [7, 8]);
        assert_eq!(Set::masked(u32::MAX, u32::MAX, 32).0, [u32::MAX]);
        assert_eq!(intervals(0x1fff, 16), 8);
    }

    #[test]
    fn values_that_go_a_way() {
        let (yes, no) = (Link::End(Jump::NEVER), Link::End(Jump::FAILURE));
        let ways = [(0, no), (5, yes), (7, no), (255, yes)];
        assert_eq!(Set::of_ways(&ways, yes).0, [5, 7, 255]);
        assert_eq!(Set::of_ways(&ways, no).0, [0, 5, 7, 255]);
    }
}
