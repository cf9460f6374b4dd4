//! What belongs to each value of a field.

/// So many parts a field's values are cut in at least, for each start.
const PARTS: usize = 8;

/// Numbers for all values of a field, the same for those from one start to the next.
#[derive(Clone, Debug)]
pub(super) enum Finder {
    /// One for each value.
    Byte(Box<[u32; 256]>),
    Starts(Starts),
}

/// Numbers that begin at some values.
///
/// The values from the first start on are cut into equal parts. For each part it is known how many
/// starts are before it; the rest is found in as many comparisons as the part with the most starts
/// needs, none of which is a branch.
#[derive(Clone, Debug)]
pub(super) struct Starts {
    /// The starts after the first one, which is 0. They rise; behind them the greatest number is
    /// often enough that no comparison is beyond the end.
    starts: Vec<u32>,
    numbers: Vec<u32>,
    /// Where the first part begins.
    base: u32,
    /// The parts are two to this power of values.
    shift: u32,
    /// How many starts are before each part.
    before: Vec<u32>,
    /// How many comparisons are made.
    comparisons: u32,
}

impl Finder {
    /// For a field of `width` bits. Starts rise, and the first is 0.
    pub(super) fn of(width: u32, starts: Vec<(u32, u32)>) -> Self {
        if width > 8 {
            return Self::Starts(Starts::of(starts));
        }
        let number = |value: usize| {
            let after = starts.partition_point(|&(start, _)| start as usize <= value);
            starts[after - 1].1
        };
        Self::Byte(Box::new(std::array::from_fn(number)))
    }

    /// The number of a value.
    #[inline]
    pub(super) fn find(&self, value: u32) -> u32 {
        match self {
            Self::Byte(numbers) => numbers[value as usize & 255],
            Self::Starts(starts) => starts.find(value),
        }
    }

    /// The memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Byte(numbers) => size_of_val(&**numbers),
            Self::Starts(Starts {
                starts,
                numbers,
                before,
                ..
            }) => size_of_val(&starts[..]) + size_of_val(&numbers[..]) + size_of_val(&before[..]),
        }
    }
}

impl Starts {
    fn of(starts: Vec<(u32, u32)>) -> Self {
        let (starts, numbers): (Vec<u32>, Vec<u32>) = starts.into_iter().unzip();
        let mut starts = starts[1..].to_vec();
        let (base, last) = (
            starts.first().copied().unwrap_or(0),
            starts.last().copied().unwrap_or(0),
        );
        let wanted = (starts.len() * PARTS).next_power_of_two().ilog2();
        let shift = (last - base)
            .checked_ilog2()
            .unwrap_or(0)
            .saturating_sub(wanted);
        let parts = (last - base) >> shift;
        let begin = |part: u32| base + (part << shift);
        let before = |part: u32| starts.partition_point(|&start| start < begin(part)) as u32;
        let before: Vec<u32> = (0..=parts).map(before).collect();
        let ends = before.iter().skip(1).copied().chain([starts.len() as u32]);
        let most = before
            .iter()
            .zip(ends)
            .map(|(before, end)| end - before)
            .max()
            .unwrap_or(0);
        let comparisons = u32::BITS - most.leading_zeros();
        starts.resize(starts.len() + (1 << comparisons), u32::MAX);
        Self {
            starts,
            numbers,
            base,
            shift,
            before,
            comparisons,
        }
    }

    #[inline]
    fn find(&self, value: u32) -> u32 {
        let part = (value.saturating_sub(self.base) >> (self.shift & 31)) as usize;
        let mut reached = self.before[part.min(self.before.len() - 1)] as usize;
        for comparison in (0..self.comparisons).rev() {
            let step = 1 << comparison;
            reached += usize::from(self.starts[reached + step - 1] <= value) << comparison;
        }
        // the greatest number reaches also what is behind the starts
        self.numbers[reached.min(self.numbers.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(starts: &[u32]) {
        let numbered: Vec<(u32, u32)> = starts.iter().copied().zip(100..).collect();
        let finder = Finder::of(32, numbered);
        let near = starts
            .iter()
            .flat_map(|&start| [start.wrapping_sub(1), start, start.wrapping_add(1)]);
        for value in near.chain([0, 1 << 31, u32::MAX]) {
            let wanted = 99 + starts.iter().filter(|&&start| start <= value).count();
            assert_eq!(finder.find(value) as usize, wanted, "{value} in {starts:?}");
        }
    }

    #[test]
    fn numbers_of_values() {
        check(&[0]);
        check(&[0, 1]);
        check(&[0, u32::MAX]);
        check(&[0, 1, 2, 3, 1 << 31, u32::MAX - 1, u32::MAX]);
        for count in [2, 3, 10, 100, 1000] {
            check(&(0..count).map(|i| i * 3).collect::<Vec<_>>());
            check(&(0..count).map(|i| i * 4_000_000).collect::<Vec<_>>());
            let mut odd: Vec<u32> = (0..count).map(|i| i.wrapping_mul(2_654_435_761)).collect();
            odd.sort_unstable();
            check(&odd);
        }
    }

    #[test]
    fn numbers_of_bytes() {
        let finder = Finder::of(8, vec![(0, 7), (10, 3), (20, 7), (255, 1)]);
        assert_eq!(
            [0, 9, 10, 19, 20, 254, 255].map(|v| finder.find(v)),
            [7, 7, 3, 3, 7, 7, 1]
        );
    }
}
