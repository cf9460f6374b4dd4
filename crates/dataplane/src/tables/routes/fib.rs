//! The forwarding side: destinations to next hops, small enough to stay in a core's own cache.
//!
//! A form of DXR (Zec, Rizzo, Mikuc, "DXR: Towards a Billion Routing Lookups Per Second in Software",
//! CCR 2012): the upper 16 bits of an address index a root of 65536 slots of 8 bytes; a slot either names
//! the next hop of its whole block or sorted ranges over the lower 16 bits, in groups of eight: the group is
//! found by halving (most blocks have one), the range within it by comparing all eight starts at once.
//! One block can be replaced without touching any other.

/// The number of blocks: values of an address's upper 16 bits.
pub(super) const BLOCKS: usize = 1 << 16;
/// Addresses that a batch works on at once.
const STRIDE: usize = 64;

/// The index of a next hop in its table; [`NextHop::NONE`]: no route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NextHop(pub u16);

impl NextHop {
    /// No route leads there.
    pub const NONE: Self = Self(0);
}

/// From this value of the lower 16 bits on, up to the next range, packets go to `hop`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) start: u16,
    pub(super) hop: NextHop,
}

/// Ranges of a group.
const WIDTH: usize = 8;

/// Eight ranges, half a cache line: starts and hops apart, so that starts are compared together.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(32))]
struct Group {
    starts: [u16; WIDTH],
    hops: [NextHop; WIDTH],
}

impl Group {
    /// Up to eight ranges; the last is repeated at the end of the block, where it says the same.
    fn new(ranges: &[Range]) -> Self {
        let last = ranges.last().map_or(NextHop::NONE, |range| range.hop);
        let mut group = Self {
            starts: [u16::MAX; WIDTH],
            hops: [last; WIDTH],
        };
        for (at, range) in ranges.iter().enumerate().take(WIDTH) {
            (group.starts[at], group.hops[at]) = (range.start, range.hop);
        }
        group
    }

    /// The hop of the last range that begins at `low` or before; the first range does.
    #[inline]
    fn find(&self, low: u16) -> NextHop {
        let begun: u16 = self
            .starts
            .iter()
            .map(|&start| u16::from(start <= low))
            .sum();
        self.hops[usize::from(begun.wrapping_sub(1)) % WIDTH]
    }
}

/// What a block holds: groups of ranges or, with none, one hop.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    offset: u32,
    groups: u16,
    hop: NextHop,
}

/// The forwarding table.
#[derive(Clone, Debug)]
pub struct Fib {
    root: Box<[Slot]>,
    /// The first is nobody's: where slots without groups point.
    groups: Vec<Group>,
    /// Per power of two, the places of that many groups that are free.
    free: [Vec<u32>; 17],
}

impl Default for Fib {
    fn default() -> Self {
        Self {
            root: vec![Slot::default(); BLOCKS].into_boxed_slice(),
            groups: vec![Group::default()],
            free: Default::default(),
        }
    }
}

/// The power of two of the place that holds `count` groups.
fn size_class(count: usize) -> usize {
    count.next_power_of_two().trailing_zeros() as usize
}

impl Fib {
    /// Where packets to `address` (host order) go.
    #[inline]
    #[must_use]
    pub fn lookup(&self, address: u32) -> NextHop {
        self.search(self.root[(address >> 16) as usize], address as u16)
    }

    #[inline]
    fn search(&self, slot: Slot, low: u16) -> NextHop {
        let mut base = slot.offset as usize;
        let mut count = usize::from(slot.groups);
        while count > 1 {
            let half = count / 2;
            let after = self.groups[base + half].starts[0] <= low;
            base += if after { half } else { 0 };
            count -= half;
        }
        let found = self.groups[base].find(low);
        if slot.groups == 0 { slot.hop } else { found }
    }

    /// Looks up as many `addresses` as `hops` has room for. Two passes over a few dozen at a time: the
    /// first reads all root slots, so that their cache misses overlap; the second searches the groups,
    /// mostly without a branch (a prefetch of each slot's first group would go into the first pass).
    pub fn lookup_batch(&self, addresses: &[u32], hops: &mut [NextHop]) {
        let mut slots = [Slot::default(); STRIDE];
        for (addresses, hops) in addresses.chunks(STRIDE).zip(hops.chunks_mut(STRIDE)) {
            for (slot, &address) in slots.iter_mut().zip(addresses) {
                *slot = self.root[(address >> 16) as usize];
            }
            for ((hop, slot), &address) in hops.iter_mut().zip(&slots).zip(addresses) {
                *hop = self.search(*slot, address as u16);
            }
        }
    }

    /// Replaces a block's content. `ranges` is sorted, not empty, and begins at 0; neighbours differ.
    pub(super) fn set_block(&mut self, block: u16, ranges: &[Range]) {
        self.release(block);
        let hop = ranges.first().map_or(NextHop::NONE, |range| range.hop);
        let groups = if ranges.len() > 1 {
            ranges.len().div_ceil(WIDTH)
        } else {
            0
        };
        let offset = if groups > 0 {
            self.place(groups, ranges)
        } else {
            0
        };
        self.root[usize::from(block)] = Slot {
            offset,
            groups: groups as u16,
            hop,
        };
    }

    fn release(&mut self, block: u16) {
        let slot = self.root[usize::from(block)];
        if slot.groups > 0 {
            self.free[size_class(usize::from(slot.groups))].push(slot.offset);
        }
    }

    fn place(&mut self, groups: usize, ranges: &[Range]) -> u32 {
        let class = size_class(groups);
        let offset = self.free[class].pop().unwrap_or_else(|| {
            let end = self.groups.len();
            self.groups.resize(end + (1 << class), Group::default());
            end as u32
        });
        let place = &mut self.groups[offset as usize..][..groups];
        for (group, ranges) in place.iter_mut().zip(ranges.chunks(WIDTH)) {
            *group = Group::new(ranges);
        }
        offset
    }

    /// The bytes that the table takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let free: usize = self
            .free
            .iter()
            .map(|list| list.capacity() * size_of::<u32>())
            .sum();
        size_of_val(&*self.root) + self.groups.capacity() * size_of::<Group>() + free
    }
}
