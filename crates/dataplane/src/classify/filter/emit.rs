//! Tests to steps of a program.

use super::kind::{Field, Kind, TCP, UDP};
use super::primitive::{Ends, Primitive, Relation};
use crate::classify::program::{Join, Tree};
use crate::classify::view::{NETWORK, TRANSPORT};
use click::args::TCP_OR_UDP;

/// The word with the flags and the offset of fragments.
const FRAGMENT: u16 = NETWORK + 4;
/// The word with the protocol.
const PROTO: u16 = NETWORK + 8;
const SOURCE: u16 = NETWORK + 12;
const DESTINATION: u16 = NETWORK + 16;
/// The word with the flags of TCP.
const TCP_FLAGS: u16 = TRANSPORT + 12;

impl Primitive {
    /// Writes a checked test as one part of the open expression.
    pub(super) fn emit(&self, tree: &mut Tree) {
        tree.open();
        emit_proto(self.proto, tree);
        if self.needs_transport() {
            // only first fragments have what is looked at
            tree.test(FRAGMENT, 0, 0x1fff);
        }
        match self.kind {
            Some(Kind::Host) => self.emit_ends(tree, (SOURCE, 0), (DESTINATION, 0)),
            // the two ports stand in one word
            Some(Kind::Port) => self.emit_ends(tree, (TRANSPORT, 16), (TRANSPORT, 0)),
            Some(Kind::Ether) => self.emit_ether(tree),
            Some(Kind::Proto) if self.proto.is_none_or(|proto| proto < 256) => {
                self.emit_comparison(tree, PROTO, 16, true);
            }
            Some(Kind::Fragment) => {
                tree.test(FRAGMENT, 0, 0x3fff);
                if !self.negated {
                    tree.negate_short();
                }
            }
            Some(Kind::TcpOption) => tree.test(TCP_FLAGS, self.value << 16, self.mask << 16),
            Some(Kind::Field(field)) => self.emit_field(tree, field),
            _ => {}
        }
        tree.finish(Join::And);
    }

    fn needs_transport(&self) -> bool {
        match self.kind {
            Some(Kind::Port | Kind::TcpOption) => true,
            Some(kind) => kind.proto().is_some(),
            None => false,
        }
    }

    fn wants(&self, end: Ends) -> bool {
        self.ends
            .is_some_and(|ends| ends == end || matches!(ends, Ends::Both | Ends::Either))
    }

    fn finish_ends(&self, tree: &mut Tree) {
        tree.finish(if self.ends == Some(Ends::Either) {
            Join::Or
        } else {
            Join::And
        });
        if self.negated {
            tree.negate_short();
        }
    }

    /// Compares the words, shifted, that the source and the destination are in.
    fn emit_ends(&self, tree: &mut Tree, source: (u16, u32), destination: (u16, u32)) {
        tree.open();
        if self.wants(Ends::Src) {
            self.emit_comparison(tree, source.0, source.1, false);
        }
        if self.wants(Ends::Dst) {
            self.emit_comparison(tree, destination.0, destination.1, false);
        }
        self.finish_ends(tree);
    }

    /// The Ethernet header begins two bytes after a word.
    fn emit_ether(&self, tree: &mut Tree) {
        let [a, b, c, d, e, f] = self.ether;
        let [ma, mb, mc, md, me, mf] = self.ether_mask;
        let source = [
            (8, [a, b, c, d], [ma, mb, mc, md]),
            (12, [e, f, 0, 0], [me, mf, 0, 0]),
        ];
        let destination = [
            (0, [0, 0, a, b], [0, 0, ma, mb]),
            (4, [c, d, e, f], [mc, md, me, mf]),
        ];
        tree.open();
        if self.wants(Ends::Src) {
            emit_words(tree, source);
        }
        if self.wants(Ends::Dst) {
            emit_words(tree, destination);
        }
        self.finish_ends(tree);
    }

    fn emit_field(&self, tree: &mut Tree, field: Field) {
        let base = if field.proto.is_some() {
            TRANSPORT
        } else {
            NETWORK
        };
        let word = field.bit / 32 * 4;
        let shift = 32 - u32::from(field.bit % 32) - u32::from(field.bits);
        self.emit_comparison(tree, base + word, shift, true);
    }

    /// Compares a number of some word; `negate` if the test's negation is written here.
    fn emit_comparison(&self, tree: &mut Tree, offset: u16, shift: u32, negate: bool) {
        let value = self.value & self.mask;
        if self.relation == Relation::Equal {
            tree.test(offset, value << shift, self.mask << shift);
        } else {
            emit_greater(tree, offset, shift, value, self.mask);
        }
        if negate && self.negated {
            tree.negate_short();
        }
    }
}

/// Tests for a protocol number, or one of those that a number beyond 255 stands for.
fn emit_proto(proto: Option<u32>, tree: &mut Tree) {
    let test = |tree: &mut Tree, proto: u32| tree.test(PROTO, proto << 16, 0xff << 16);
    match proto {
        Some(TCP_OR_UDP) => {
            tree.open();
            test(tree, TCP);
            test(tree, UDP);
            tree.finish(Join::Or);
        }
        Some(proto) if proto < 256 => test(tree, proto),
        _ => {}
    }
}

/// Tests two words of an Ethernet address.
fn emit_words(tree: &mut Tree, words: [(u16, [u8; 4], [u8; 4]); 2]) {
    tree.open();
    for (offset, value, mask) in words {
        tree.test(offset, u32::from_be_bytes(value), u32::from_be_bytes(mask));
    }
    tree.finish(Join::And);
}

/// Tests whether some bits of a word are greater than `value`, from the highest bit down: where
/// the value's next bits are zeros, packets with a one there are greater, and others are if their
/// remaining bits are; where they are ones, packets must have ones there, too, and be greater in
/// the rest.
fn emit_greater(tree: &mut Tree, offset: u16, shift: u32, mut value: u32, mut mask: u32) {
    let mut joins = Vec::new();
    while value < mask {
        let ones = value > mask >> 1;
        let end = if ones {
            !value.wrapping_add(1) & mask
        } else {
            value
        };
        // the bits above the first that differs from those before
        let above = end
            .checked_ilog2()
            .map_or(u32::MAX, |bit| !(u32::MAX >> (31 - bit)));
        let upper = mask & above;
        tree.open();
        tree.test(
            offset,
            if ones { upper << shift } else { 0 },
            upper << shift,
        );
        if !ones {
            tree.negate_short();
        }
        joins.push(if ones { Join::And } else { Join::Or });
        mask &= !upper;
        value &= mask;
    }
    joins.into_iter().rev().for_each(|join| tree.finish(join));
}
