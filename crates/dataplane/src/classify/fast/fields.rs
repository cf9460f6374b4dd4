//! The parts of a packet that rules are about.
//!
//! A word is one field if its tests are about few intervals of it (addresses with prefixes), else
//! each half of it is one (ports). A comparison with a port is made of tests that look at lower
//! bits only after the upper ones: such halves are looked at byte by byte, and put together again
//! when all tests of a rule are known; or they stay bytes (flags).

use super::sets::intervals;
use crate::classify::program::Step;
use std::collections::{BTreeMap, BTreeSet};

/// Bits of the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Field {
    /// Where the word stands that it is in.
    pub at: i32,
    /// How many bits of the word follow it.
    pub shift: u32,
    /// How many bits it has, 8, 16 or 32.
    pub width: u32,
}

/// What becomes of halves of words that are looked at byte by byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Halves {
    Joined,
    Bytes,
}

/// More intervals than this in a test make a field that is not wanted, unless it is a byte.
const MAX_INTERVALS: u64 = 16;

impl Field {
    /// The bits of a word that are of the field, as a number.
    #[inline]
    pub(super) fn of(self, word: u32) -> u32 {
        word >> (self.shift & 31) & u32::MAX >> (32 - self.width)
    }

    /// Whether each mask that has bits in the field makes few intervals of it.
    fn fits(self, masks: &BTreeSet<u32>) -> bool {
        let narrow = |mask: u32| intervals(mask, self.width) <= MAX_INTERVALS;
        masks
            .iter()
            .map(|&mask| self.of(mask))
            .filter(|&mask| mask != 0)
            .all(narrow)
    }

    /// Its two halves, the upper one first.
    fn halves(self) -> [Self; 2] {
        let width = self.width / 2;
        [self.shift + width, self.shift].map(|shift| Self {
            shift,
            width,
            ..self
        })
    }
}

/// A field, and the one or two parts of it that tests are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub field: Field,
    pub parts: Vec<Field>,
}

impl Column {
    fn whole(field: Field) -> Self {
        Self {
            field,
            parts: vec![field],
        }
    }
}

/// The fields that rules look at, in the order in which a packet's are found: first those of which
/// tests leave the fewest values, on average, so that few rules are left soon.
pub(super) fn columns(steps: &[Step], halves: Halves) -> Vec<Column> {
    let mut masks: BTreeMap<i32, BTreeSet<u32>> = BTreeMap::new();
    for step in steps {
        masks.entry(step.at).or_default().insert(step.mask);
    }
    let all = masks.iter().flat_map(|(&at, masks)| cut(at, masks, halves));
    let mut ranked: Vec<(usize, Column)> = all
        .map(|column| (rank(column.field, steps), column))
        .collect();
    ranked.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
    ranked.into_iter().map(|(_, column)| column).collect()
}

/// How many bits of a field its tests look at, on average, in sixteenths.
fn rank(field: Field, steps: &[Step]) -> usize {
    let tests = steps
        .iter()
        .filter(|step| step.at == field.at && field.of(step.mask) != 0);
    let tests: BTreeSet<(u32, u32)> = tests
        .map(|step| (field.of(step.mask), field.of(step.value)))
        .collect();
    let bits: usize = tests
        .iter()
        .map(|(mask, _)| mask.count_ones() as usize)
        .sum();
    bits * 16 / tests.len().max(1)
}

/// The columns of a word that is tested with some masks.
fn cut(at: i32, masks: &BTreeSet<u32>, halves: Halves) -> Vec<Column> {
    let word = Field {
        at,
        shift: 0,
        width: 32,
    };
    if word.fits(masks) {
        return vec![Column::whole(word)];
    }
    let tested = |field: &Field| masks.iter().any(|&mask| field.of(mask) != 0);
    let half = |field: Field| match (field.fits(masks), halves) {
        (true, _) => vec![Column::whole(field)],
        (false, Halves::Joined) if field.halves().iter().all(tested) => {
            vec![Column {
                field,
                parts: field.halves().to_vec(),
            }]
        }
        (false, _) => field
            .halves()
            .into_iter()
            .filter(tested)
            .map(Column::whole)
            .collect(),
    };
    word.halves()
        .into_iter()
        .filter(tested)
        .flat_map(half)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widths(masks: &[u32], halves: Halves) -> Vec<(u32, usize)> {
        let columns = cut(0, &masks.iter().copied().collect(), halves);
        columns
            .iter()
            .map(|column| (column.field.width, column.parts.len()))
            .collect()
    }

    #[test]
    fn words_are_cut_where_tests_are() {
        let joined = |masks: &[u32]| widths(masks, Halves::Joined);
        assert_eq!(joined(&[0xffff_ff00, 0xff00_0000, u32::MAX]), [(32, 1)]);
        assert_eq!(
            joined(&[0xffff_0000, 0x0000_ffff, 0x0000_fc00]),
            [(16, 1), (16, 1)]
        );
        assert_eq!(joined(&[0x0000_1fff]), [(16, 1)]);
        assert_eq!(joined(&[0x00ff_0000]), [(8, 1)]);
        assert_eq!(joined(&[0x0000_ff00, 0x0000_003f]), [(16, 2)]);
        assert_eq!(
            widths(&[0x0000_ff00, 0x0000_003f], Halves::Bytes),
            [(8, 1), (8, 1)]
        );
        let word = Field {
            at: 4,
            shift: 0,
            width: 32,
        };
        let [upper, lower] = word.halves();
        assert_eq!(
            (upper.of(0x1234_5678), lower.of(0x1234_5678)),
            (0x1234, 0x5678)
        );
    }
}
