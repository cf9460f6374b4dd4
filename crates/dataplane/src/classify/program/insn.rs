//! One step of a program: four bytes of the packet, masked, are compared with a value.

use super::jump::Jump;
use std::fmt;

/// A step. `value` has no bits outside `mask`; both hold the packet's bytes as a number in
/// network order, whatever the machine's order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Insn {
    pub offset: u16,
    /// Which way packets go that end before the bytes compared: the way of `yes`, or of `no`.
    pub short_yes: bool,
    pub mask: u32,
    pub value: u32,
    /// The ways out: `[no, yes]`.
    pub jumps: [Jump; 2],
}

/// What makes two steps the same test.
pub(super) type Test = (u16, bool, u32, u32);

impl Insn {
    /// A test whose ends are not known yet.
    pub(super) fn new(offset: u16, value: u32, mask: u32) -> Self {
        let value = value & mask;
        let jumps = [Jump::FAILURE, Jump::SUCCESS];
        Self {
            offset,
            short_yes: false,
            mask,
            value,
            jumps,
        }
    }

    pub(super) fn yes(&self) -> Jump {
        self.jumps[1]
    }

    pub(super) fn no(&self) -> Jump {
        self.jumps[0]
    }

    pub(super) fn test(&self) -> Test {
        (self.offset, self.short_yes, self.mask, self.value)
    }

    /// How many bytes a packet must have for the test to be made.
    pub(super) fn required_length(&self) -> u32 {
        required_length(self.offset, self.mask)
    }

    /// Whether a packet that leaves this step by `way` leaves the later step `x` by `next_way` also
    /// when it is short, `known` bytes being sure.
    fn short_agrees(&self, way: bool, x: &Self, next_way: bool, known: u32) -> bool {
        let required = self.required_length();
        self.short_yes != way
            || u32::from(self.offset) + 4 <= known
            || required <= known
            || (required <= x.required_length() && next_way == x.short_yes)
    }

    /// Whether packets that leave by `way` match `x`; `known` bytes of them are sure.
    pub(super) fn implies(&self, way: bool, x: &Self, known: u32) -> bool {
        if x.mask == 0 {
            return true;
        }
        if x.offset != self.offset || !self.short_agrees(way, x, true, known) {
            return false;
        }
        if way {
            self.mask & x.mask == x.mask && self.value & x.mask == x.value
        } else {
            self.mask & self.mask.wrapping_sub(1) == 0
                && self.mask == x.mask
                && self.value != x.value
        }
    }

    /// Whether packets that leave by `way` cannot match `x`; `known` bytes of them are sure.
    pub(super) fn excludes(&self, way: bool, x: &Self, known: u32) -> bool {
        if way {
            x.mask != 0
                && x.offset == self.offset
                && self.short_agrees(true, x, false, known)
                && self.mask & x.mask == x.mask
                && self.value & x.mask != x.value
        } else {
            self.mask == 0
                || (x.offset == self.offset
                    && self.short_agrees(false, x, false, known)
                    && self.mask & x.mask == self.mask
                    && self.value == x.value & self.mask)
        }
    }

    /// Whether a packet can match both tests; `short` also asks how short packets go.
    pub(super) fn compatible(&self, x: &Self, short: bool) -> bool {
        if self.mask == 0 || x.mask == 0 {
            return true;
        }
        let shorter = self.required_length() < x.required_length();
        if x.offset != self.offset || (short && x.short_yes != self.short_yes && shorter) {
            return false;
        }
        let both = self.mask & x.mask;
        self.value & both == x.value & both
    }

    /// The one bit in which this test and `x`, its `no`, differ, if one test without that bit
    /// does the work of both. 0 if they are equal.
    pub(super) fn pair_bit(&self, x: &Self) -> Option<u32> {
        let bit = self.value ^ x.value;
        let fits = self.offset != 0
            && x.offset == self.offset
            && self.mask != 0
            && x.mask == self.mask
            && (self.short_yes || !x.short_yes)
            && self.yes() == x.yes()
            && bit & bit.wrapping_sub(1) == 0
            && required_length(self.offset, self.mask & !bit) == self.required_length();
        fits.then_some(bit)
    }

    /// Whether the test is of one bit, so that its ways can change places.
    pub(super) fn flippable(&self) -> bool {
        self.mask.is_power_of_two()
    }

    /// Tests for the other value of the one bit and exchanges the ways.
    pub(super) fn flip(&mut self) {
        self.value ^= self.mask;
        self.jumps.swap(0, 1);
        self.short_yes = !self.short_yes;
    }
}

/// How many bytes a packet must have for the bytes of `mask` at `offset` to be there.
pub(super) fn required_length(offset: u16, mask: u32) -> u32 {
    if mask == 0 {
        return 0;
    }
    // bytes after the last one that counts are not needed
    u32::from(offset) + 4 - mask.trailing_zeros() / 8
}

impl fmt::Display for Insn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            offset,
            mask,
            value,
            ..
        } = self;
        write!(f, "{offset:3}/{value:08x}%{mask:08x}")?;
        write!(f, "  yes->{}  no->{}", self.yes(), self.no())?;
        f.write_str(if self.short_yes { "  short->yes" } else { "" })
    }
}
