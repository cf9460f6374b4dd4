//! The panel itself: makes and removes far ends.

use std::collections::{BTreeMap, HashMap};
use std::os::fd::{AsFd, BorrowedFd};

use sys::bpf::Redirect;
use sys::netlink::{self, LinkEvents, Socket, link};
use sys::sysctl;

use crate::end::End;
use crate::segment::Segment;
use crate::switch::Means;
use crate::{Error, FarEnd, NewInterface};

/// Numbers of the panel's interfaces begin here. Larger than a node's own usually are, since the
/// kernel reports a lost carrier late where both ends of a pair have the same number.
const FIRST_INDEX: u32 = 1000;

/// Kernel parameters that keep the panel's own network from ever saying a word on a wire.
const SILENCE: [(&str, &str); 5] = [
    ("net.ipv6.conf.default.disable_ipv6", "1"),
    ("net.ipv6.conf.all.disable_ipv6", "1"),
    ("net.ipv4.ip_forward", "0"),
    ("net.ipv4.conf.all.arp_ignore", "8"),
    ("net.ipv4.conf.default.arp_ignore", "8"),
];

/// All far ends and wires of a lab, in the network namespace of the process that made it. That
/// process has one thread: for a moment it enters a node's namespace now and then.
#[derive(Debug)]
pub struct Panel {
    pub(crate) socket: Socket,
    pub(crate) events: LinkEvents,
    pub(crate) redirect: Option<Redirect>,
    pub(crate) means: Option<Means>,
    pub(crate) ends: HashMap<FarEnd, End>,
    pub(crate) segments: BTreeMap<String, Segment>,
    next_index: u32,
}

impl Panel {
    /// Makes this thread's network namespace a panel. With the redirect program wires are
    /// quicker; without it they are made of the kernel's traffic control.
    pub fn new(redirect: Option<Redirect>) -> Result<Self, Error> {
        for (parameter, value) in SILENCE {
            match sysctl::write(parameter, value) {
                // a kernel without IPv6 has no parameters for it
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(e) => {
                    return Err(Error::Silence {
                        parameter,
                        why: e.to_string(),
                    });
                }
                Ok(()) => {}
            }
        }
        Ok(Self {
            socket: Socket::open()?,
            events: LinkEvents::open()?,
            redirect,
            means: None,
            ends: HashMap::new(),
            segments: BTreeMap::new(),
            next_index: FIRST_INDEX,
        })
    }

    /// Gives nodes interfaces, all of the list or none. Each is down in its node, has a far end
    /// here, and is in no segment yet.
    pub fn add_interfaces(&mut self, list: &[NewInterface<'_>]) -> Result<Vec<FarEnd>, Error> {
        let mut requests = Vec::with_capacity(list.len());
        let mut made = Vec::with_capacity(list.len());
        for interface in list {
            let (far, end) = (self.take_index(), End::new(interface));
            requests.push(end.create(FarEnd(far), interface.netns));
            made.push((FarEnd(far), end));
        }
        let failed = self.socket.failures(&requests)?;
        let handles = made.iter().map(|(far, _)| *far);
        if failed.is_empty() {
            let handles = handles.collect();
            self.ends.extend(made);
            return Ok(handles);
        }
        let refused = |position: &usize| failed.iter().any(|(failed, _)| failed == position);
        let good = handles
            .enumerate()
            .filter(|(position, _)| !refused(position));
        self.delete(&good.map(|(_, far)| far).collect::<Vec<_>>())?;
        first(failed.into_iter()).map(|()| Vec::new())
    }

    /// Takes interfaces away, from their nodes too.
    pub fn remove_interfaces(&mut self, ends: &[FarEnd]) -> Result<(), Error> {
        for end in ends {
            self.leave(*end)?;
        }
        self.delete(ends)?;
        self.ends.retain(|end, _| !ends.contains(end));
        Ok(())
    }

    /// Removes far ends from the kernel. Those that are gone are no error.
    pub(crate) fn delete(&mut self, ends: &[FarEnd]) -> Result<(), Error> {
        let requests: Vec<_> = ends.iter().map(|end| link::delete(end.0)).collect();
        let failed = self.socket.failures(&requests)?;
        first(failed.into_iter().filter(|(_, e)| !e.is_absent()))
    }

    /// The name of a far end in the panel.
    pub fn far_name(&self, end: FarEnd) -> Option<&str> {
        self.ends.get(&end).map(|e| e.far_name.as_str())
    }

    /// A descriptor that is readable when there is something for [`Panel::handle_carrier`].
    pub fn carrier_events(&self) -> BorrowedFd<'_> {
        self.events.as_fd()
    }

    pub(crate) fn take_index(&mut self) -> u32 {
        self.next_index += 1;
        self.next_index - 1
    }

    pub(crate) fn end(&self, end: FarEnd) -> Result<&End, Error> {
        self.ends.get(&end).ok_or(Error::NoSuchEnd(end))
    }

    pub(crate) fn end_mut(&mut self, end: FarEnd) -> Result<&mut End, Error> {
        self.ends.get_mut(&end).ok_or(Error::NoSuchEnd(end))
    }
}

/// The first of some failures, as a result.
pub(crate) fn first(
    mut failed: impl Iterator<Item = (usize, netlink::Error)>,
) -> Result<(), Error> {
    failed.next().map_or(Ok(()), |(_, error)| Err(error.into()))
}
