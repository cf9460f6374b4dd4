//! Cables pulled out and put back, and links whose one end sees the other go down.
//!
//! A node sees "no carrier" when the far end of its interface is down. Of a mirrored link's two
//! far ends at most one is ever lowered: with both down nobody would hear of a return.

use sys::netlink::{Link, LinkEvent, Request, link};

use crate::end::{Carrier, End};
use crate::panel::Panel;
use crate::{Error, FarEnd};

impl Panel {
    /// Pulls out the cable of a node's interface, or puts it back in. The node loses its carrier;
    /// on a mirrored link the other node does too, elsewhere the others just hear nothing.
    pub fn set_plugged(&mut self, end: FarEnd, on: bool) -> Result<(), Error> {
        let state = self.end_mut(end)?;
        if state.plugged == on {
            return Ok(());
        }
        state.plugged = on;
        let segment: Vec<String> = state.segment.clone().into_iter().collect();
        let up = state.is_up();
        state.carrier = Carrier::Unknown;
        self.socket.run(&[link::set_up(end.0, up)])?;
        self.rewire(&segment)
    }

    /// Whether a node's cable is plugged in.
    pub fn is_plugged(&self, end: FarEnd) -> Result<bool, Error> {
        Ok(self.end(end)?.plugged)
    }

    /// Reads what happened to interfaces and carries it over to the other ends of mirrored
    /// links. To be called when [`Panel::carrier_events`] is readable. What fails is logged: the
    /// next event tries again.
    pub fn handle_carrier(&mut self) {
        if let Err(e) = self.try_handle_carrier() {
            tracing::warn!("carriers are not mirrored: {e}");
        }
    }

    fn try_handle_carrier(&mut self) -> Result<(), Error> {
        let mut touched = Vec::new();
        for event in self.events.read()? {
            match event {
                LinkEvent::Changed(link) => touched.extend(self.hear(&link)),
                LinkEvent::Gone(_) => {}
                LinkEvent::Lost => {
                    for link in self.socket.links()? {
                        touched.extend(self.hear(&link));
                    }
                }
            }
        }
        touched.sort_unstable();
        touched.dedup();
        self.settle_mirrors(&touched)
    }

    /// Looks at all mirrored links, also at interfaces that were never up: these count as down
    /// from now on. To be called once all nodes have set up theirs.
    pub fn settle(&mut self) -> Result<(), Error> {
        let mirrored = self.segments.iter().filter(|(_, s)| s.mirrored().is_some());
        let names: Vec<String> = mirrored.map(|(name, _)| name.clone()).collect();
        if names.is_empty() {
            return Ok(());
        }
        for link in self.socket.links()? {
            if let Some(end) = self.ends.get_mut(&FarEnd(link.index)).filter(|e| e.is_up()) {
                end.carrier = if link.carrier {
                    Carrier::On
                } else {
                    Carrier::Off
                };
            }
        }
        self.settle_mirrors(&names)
    }

    /// Takes note of a far end's carrier; says whose segment that concerns.
    fn hear(&mut self, link: &Link) -> Option<String> {
        let end = self.ends.get_mut(&FarEnd(link.index))?;
        // news from before the far end was last set up or down say nothing about now
        if end.is_up() != link.is_up() || !end.is_up() {
            return None;
        }
        match (link.carrier, end.carrier) {
            (true, Carrier::On) | (false, Carrier::Off) => return None,
            // nodes set up their interfaces one after the other: who has not come up yet is
            // not down
            (false, Carrier::Unknown) => return None,
            (true, _) => end.carrier = Carrier::On,
            (false, Carrier::On) => end.carrier = Carrier::Off,
        }
        end.segment.clone()
    }

    /// Sets far ends of mirrored links up or down as their other ends ask for.
    pub(crate) fn settle_mirrors(&mut self, segments: &[String]) -> Result<(), Error> {
        let mut requests = Vec::new();
        for name in segments {
            let Some([a, b]) = self.segments.get(name).and_then(|s| s.mirrored()) else {
                continue;
            };
            let wanted = mirror(self.end(a)?.view(), self.end(b)?.view());
            requests.extend(self.lower(a, wanted[0])?);
            requests.extend(self.lower(b, wanted[1])?);
        }
        Ok(self.socket.run(&requests)?)
    }

    /// Sets whether a far end is lowered; says what that takes.
    pub(crate) fn lower(&mut self, far: FarEnd, lowered: bool) -> Result<Option<Request>, Error> {
        let end = self.end_mut(far)?;
        let before = end.is_up();
        end.lowered = lowered;
        if end.is_up() == before {
            return Ok(None);
        }
        end.carrier = Carrier::Unknown;
        Ok(Some(link::set_up(far.0, end.is_up())))
    }
}

/// One end of a mirrored link, as the other one's mirror sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct View {
    plugged: bool,
    lowered: bool,
    carrier: Carrier,
}

impl End {
    fn view(&self) -> View {
        View {
            plugged: self.plugged,
            lowered: self.lowered,
            carrier: self.carrier,
        }
    }
}

impl View {
    /// Whether its node cannot be heard. Of an end that is lowered nothing is known.
    fn is_dead(self) -> bool {
        !self.plugged || (!self.lowered && self.carrier == Carrier::Off)
    }
}

/// Which of two ends are to be lowered, never both.
fn mirror(a: View, b: View) -> [bool; 2] {
    match (a.is_dead(), b.is_dead()) {
        (false, false) => [false, false],
        (true, false) => [false, true],
        (false, true) => [true, false],
        // who was lowered stays so, until the other one is back
        (true, true) => [a.lowered, !a.lowered],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ON: View = View {
        plugged: true,
        lowered: false,
        carrier: Carrier::On,
    };
    const DOWN: View = View {
        plugged: true,
        lowered: false,
        carrier: Carrier::Off,
    };
    const OUT: View = View {
        plugged: false,
        lowered: false,
        carrier: Carrier::Unknown,
    };
    const LOWERED: View = View {
        plugged: true,
        lowered: true,
        carrier: Carrier::Unknown,
    };

    #[test]
    fn the_other_end_follows() {
        assert_eq!(mirror(ON, ON), [false, false]);
        assert_eq!(mirror(DOWN, ON), [false, true]);
        assert_eq!(mirror(OUT, ON), [false, true]);
        assert_eq!(mirror(DOWN, LOWERED), [false, true]);
        // back again
        assert_eq!(mirror(ON, LOWERED), [false, false]);
    }

    #[test]
    fn never_both() {
        let carriers = [Carrier::Unknown, Carrier::On, Carrier::Off];
        let mut views = Vec::new();
        for carrier in carriers {
            for bits in 0..4 {
                views.push(View {
                    plugged: bits & 1 == 0,
                    lowered: bits & 2 != 0,
                    carrier,
                });
            }
        }
        for a in &views {
            for b in &views {
                assert_ne!(mirror(*a, *b), [true, true], "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn two_cables_out_and_in_again() {
        // the first one out lowers the second; that one out too; the first one back in
        let second = View {
            lowered: true,
            ..OUT
        };
        assert_eq!(mirror(OUT, second), [false, true]);
        assert_eq!(mirror(ON, second), [true, false]);
        assert_eq!(mirror(LOWERED, ON), [false, false]);
    }
}
