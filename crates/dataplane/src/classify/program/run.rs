//! Programs run step by step: what the faster form must agree with.

use super::{Group, Jump, Program};
use crate::classify::view::View;

/// The output number of packets that leave by none.
pub const NOWHERE: u16 = u16::MAX;

impl Program {
    /// The output that a packet leaves by; [`NOWHERE`] if it is dropped.
    #[must_use]
    pub fn classify(&self, packet: &impl View) -> u16 {
        self.end(packet).port()
    }

    fn end(&self, packet: &impl View) -> Jump {
        if let Some(all) = self.all {
            return all;
        }
        let length = packet.length();
        let mut group = 0;
        loop {
            let Some(here) = self.groups.get(group) else {
                return Jump::NEVER;
            };
            let jump = if here.matches(packet, length) {
                here.yes
            } else {
                here.no
            };
            let Some(next) = jump.as_step() else {
                return jump;
            };
            group = next;
        }
    }
}

impl Group {
    /// Whether a packet goes the way of `yes`.
    #[inline]
    fn matches(&self, packet: &impl View, length: i32) -> bool {
        if length < needed(self.at, self.mask) {
            return self.short_yes;
        }
        let word = packet.word(self.at) & self.mask;
        match self.values[..] {
            [value] => word == value,
            ref values => values.contains(&word),
        }
    }
}

/// The least length of packets that do not end before the bytes of a mask.
pub(super) fn needed(at: i32, mask: u32) -> i32 {
    match mask {
        0 => 0,
        // bytes after the last one that counts are not needed
        mask => at + 4 - mask.trailing_zeros() as i32 / 8,
    }
}

impl Jump {
    /// The output as a number, or [`NOWHERE`].
    #[must_use]
    pub fn port(self) -> u16 {
        let port = self.as_output().and_then(|port| u16::try_from(port).ok());
        port.unwrap_or(NOWHERE)
    }
}
