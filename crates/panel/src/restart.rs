//! A node's restart: its interfaces move to its new network namespace; far ends and wires stay.

use std::os::fd::BorrowedFd;

use sys::netlink::{Link, Socket, within};

use crate::end::{Carrier, Hook, Way};
use crate::panel::{Panel, first};
use crate::{Error, FarEnd};

impl Panel {
    /// Moves nodes' interfaces from one network namespace to another, where they are down, and
    /// named and numbered as they were at first. An interface that the node has removed, or
    /// moved elsewhere, is made anew.
    pub fn move_interfaces(
        &mut self,
        ends: &[FarEnd],
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
    ) -> Result<(), Error> {
        let here = self.socket.links()?;
        let mut there = within(from, Socket::open).map_err(Error::Enter)??;
        let links = there.links()?;
        let (mut requests, mut moved, mut lost) = (Vec::new(), Vec::new(), Vec::new());
        for far in ends {
            let end = self.end(*far)?;
            match peer(*far, &here, &links) {
                Some(index) => {
                    requests.push(end.rehome(index, to));
                    moved.push(*far);
                }
                None => lost.push(*far),
            }
        }
        for (position, error) in there.failures(&requests)? {
            tracing::info!("an interface is made anew since it does not move: {error}");
            lost.push(moved[position]);
        }
        self.make_anew(&lost, to)
    }

    fn make_anew(&mut self, ends: &[FarEnd], netns: BorrowedFd<'_>) -> Result<(), Error> {
        if ends.is_empty() {
            return Ok(());
        }
        // a redirect to an interface that goes does not come back with one of the same number
        let to_lost = |e: &crate::end::End| ends.iter().any(|lost| e.way == Way::To(*lost));
        let partners = self.ends.iter().filter(|(_, e)| to_lost(e));
        let partners: Vec<FarEnd> = partners.map(|(far, _)| *far).collect();
        self.silence(&partners)?;
        self.delete(ends)?;
        let (mut requests, mut segments) = (Vec::new(), Vec::new());
        for far in ends {
            let end = self.end_mut(*far)?;
            (end.way, end.hook, end.carrier) = (Way::Silent, Hook::None, Carrier::Unknown);
            segments.extend(end.segment.clone());
            requests.push(end.create(*far, netns));
        }
        first(self.socket.failures(&requests)?.into_iter())?;
        segments.sort_unstable();
        segments.dedup();
        self.rewire(&segments)
    }
}

/// The number of the interface behind a far end, if it is among `there`: each of a pair's two
/// ends names the other's number.
fn peer(far: FarEnd, here: &[Link], there: &[Link]) -> Option<u32> {
    let own = here.iter().find(|l| l.index == far.0)?;
    let other = there.iter().find(|l| Some(l.index) == own.link)?;
    (other.kind.as_deref() == Some("veth") && other.link == Some(far.0)).then_some(other.index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_peer_is_moved() {
        let link = |index, other, kind: &str| Link {
            index,
            link: Some(other),
            kind: Some(kind.into()),
            ..Link::default()
        };
        let here = [link(1000, 2, "veth")];
        assert_eq!(peer(FarEnd(1000), &here, &[link(2, 1000, "veth")]), Some(2));
        assert_eq!(peer(FarEnd(1000), &here, &[link(2, 7, "veth")]), None);
        assert_eq!(peer(FarEnd(1000), &here, &[link(2, 1000, "vlan")]), None);
        assert_eq!(peer(FarEnd(1001), &here, &[link(2, 1000, "veth")]), None);
    }
}
