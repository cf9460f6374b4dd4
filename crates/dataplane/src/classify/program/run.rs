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
        let mut group = 0;
        loop {
            let Some(here) = self.groups.get(group) else {
                return Jump::NEVER;
            };
            let jump = if here.matches(packet) {
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
    pub(in crate::classify) fn matches(&self, packet: &impl View) -> bool {
        if self.is_short(packet.length()) {
            return self.short_yes;
        }
        let word = packet.word(self.at) & self.mask;
        self.values.contains(&word)
    }

    /// Whether a packet of this length ends before the bytes compared.
    fn is_short(&self, length: i32) -> bool {
        let needed = 4 - self.mask.trailing_zeros().min(32) as i32 / 8;
        self.at + 4 > length && (self.at >= length || self.at + needed > length)
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
