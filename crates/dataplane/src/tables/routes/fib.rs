//! The forwarding side: destinations to next hops, small enough to stay in a core's own cache.
//!
//! A form of DXR (Zec, Rizzo, Mikuc, "DXR: Towards a Billion Routing Lookups Per Second in Software",
//! CCR 2012): the upper 16 bits of an address index a root of 65536 slots of 8 bytes; a slot either names
//! the next hop of its whole block or a run of sorted ranges over the lower 16 bits, 4 bytes each,
//! searched by halving. One block can be replaced without touching any other.

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

/// What a block holds. `last` is the number of ranges less one; with 0, `hop` is all there is.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    offset: u32,
    last: u16,
    hop: NextHop,
}

/// A search on its way: the run that is left. With a base of 0 there was none, and `hop` is the answer.
#[derive(Clone, Copy, Debug, Default)]
struct Search {
    base: u32,
    count: u32,
    low: u16,
    hop: NextHop,
}

impl Search {
    #[inline]
    fn step(&mut self, ranges: &[Range]) {
        let half = self.count / 2;
        let after = ranges[(self.base + half) as usize].start <= self.low;
        self.base += half * u32::from(after);
        self.count -= half;
    }
}

/// The forwarding table.
#[derive(Clone, Debug)]
pub struct Fib {
    root: Box<[Slot]>,
    ranges: Vec<Range>,
    /// Per power of two, the places of that size that are free.
    free: [Vec<u32>; 17],
}

impl Default for Fib {
    fn default() -> Self {
        Self {
            root: vec![Slot::default(); BLOCKS].into_boxed_slice(),
            // the first is nobody's, so that an offset of 0 means none
            ranges: vec![Range::default()],
            free: Default::default(),
        }
    }
}

/// The power of two of the place that holds `count` ranges.
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
        if slot.last == 0 {
            return slot.hop;
        }
        let mut base = slot.offset as usize;
        let mut count = usize::from(slot.last) + 1;
        while count > 1 {
            let half = count / 2;
            let after = self.ranges[base + half].start <= low;
            base += if after { half } else { 0 };
            count -= half;
        }
        self.ranges[base].hop
    }

    /// Looks up as many `addresses` as `hops` has room for, a few dozen at a time: first all root slots are
    /// read, then all searches go on in step, without a branch that depends on what they find, so that their
    /// cache misses overlap (a prefetch of each slot's run would go after the first pass).
    pub fn lookup_batch(&self, addresses: &[u32], hops: &mut [NextHop]) {
        let mut searches = [Search::default(); STRIDE];
        for (addresses, hops) in addresses.chunks(STRIDE).zip(hops.chunks_mut(STRIDE)) {
            let longest = self.begin(addresses, &mut searches);
            let searches = &mut searches[..addresses.len().min(hops.len())];
            for _ in 0..longest {
                searches
                    .iter_mut()
                    .for_each(|search| search.step(&self.ranges));
            }
            for (hop, search) in hops.iter_mut().zip(searches) {
                let found = self.ranges[search.base as usize].hop;
                *hop = if search.base == 0 { search.hop } else { found };
            }
        }
    }

    /// Reads the root slots; returns how many steps the longest search takes.
    fn begin(&self, addresses: &[u32], searches: &mut [Search]) -> u32 {
        let mut longest = 0;
        for (search, &address) in searches.iter_mut().zip(addresses) {
            let slot = self.root[(address >> 16) as usize];
            longest |= slot.last;
            let count = u32::from(slot.last) + 1;
            *search = Search {
                base: slot.offset,
                count,
                low: address as u16,
                hop: slot.hop,
            };
        }
        // halving `last + 1` ranges takes as many steps as `last` has digits
        u16::BITS - longest.leading_zeros()
    }

    /// Replaces a block's content. `ranges` is sorted, not empty, and begins at 0; neighbours differ.
    pub(super) fn set_block(&mut self, block: u16, ranges: &[Range]) {
        self.release(block);
        let hop = ranges.first().map_or(NextHop::NONE, |range| range.hop);
        let offset = if ranges.len() > 1 {
            self.place(ranges)
        } else {
            0
        };
        let last = ranges.len().saturating_sub(1) as u16;
        self.root[usize::from(block)] = Slot { offset, last, hop };
    }

    fn release(&mut self, block: u16) {
        let slot = self.root[usize::from(block)];
        if slot.last > 0 {
            self.free[size_class(usize::from(slot.last) + 1)].push(slot.offset);
        }
    }

    fn place(&mut self, ranges: &[Range]) -> u32 {
        let class = size_class(ranges.len());
        let offset = self.free[class].pop().unwrap_or_else(|| {
            let end = self.ranges.len();
            self.ranges.resize(end + (1 << class), Range::default());
            end as u32
        });
        self.ranges[offset as usize..][..ranges.len()].copy_from_slice(ranges);
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
        size_of_val(&*self.root) + self.ranges.capacity() * size_of::<Range>() + free
    }
}
