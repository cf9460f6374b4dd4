//! News of interfaces, as they happen.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use netlink_sys::Socket as Raw;
use netlink_sys::protocols::NETLINK_ROUTE;

use super::error::Error;
use super::link::{self, Link};
use super::message::{messages, u32_at};
use super::socket::receive_into;

/// Multicast group of interface news (`RTNLGRP_LINK`).
const GROUP_LINK: u32 = 1;
const RTM_NEWLINK: u16 = 16;
const RTM_DELLINK: u16 = 17;
/// Bytes of news that may wait.
const QUEUE: usize = 1 << 20;

/// Something that happened to an interface.
#[derive(Clone, Debug)]
pub enum LinkEvent {
    /// It is new, or something about it changed.
    Changed(Box<Link>),
    /// It is gone; its number.
    Gone(u32),
    /// More happened than could be kept: list the interfaces to know how they are.
    Lost,
}

/// A descriptor that becomes readable when there is news of the interfaces of one network
/// namespace. Silent until [`LinkEvents::listen`].
pub struct LinkEvents {
    raw: Raw,
    buffer: Vec<u8>,
    listening: bool,
}

impl LinkEvents {
    /// Opens one in this thread's network namespace; it hears nothing yet.
    pub fn open() -> Result<Self, Error> {
        let open = || -> io::Result<Raw> {
            let mut raw = Raw::new(NETLINK_ROUTE)?;
            raw.bind_auto()?;
            raw.set_non_blocking(true)?;
            Ok(raw)
        };
        let raw = open().map_err(|e| Error::from_io("open a socket for news of interfaces", &e))?;
        let buffer = Vec::with_capacity(64 << 10);
        Ok(Self {
            raw,
            buffer,
            listening: false,
        })
    }

    /// Begins to listen. News from before are not heard.
    pub fn listen(&mut self) -> Result<(), Error> {
        if self.listening {
            return Ok(());
        }
        // a small queue only means that `Lost` is said sooner
        let _ = self.raw.set_rx_buf_sz(QUEUE);
        self.raw
            .add_membership(GROUP_LINK)
            .map_err(|e| Error::from_io("listen to news of interfaces", &e))?;
        self.listening = true;
        Ok(())
    }

    /// All news that wait; never blocks.
    pub fn read(&mut self) -> Result<Vec<LinkEvent>, Error> {
        let mut events = Vec::new();
        loop {
            match receive_into(&self.raw, &mut self.buffer) {
                Ok(()) => events.extend(parse(&self.buffer)),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(events),
                Err(e) if e.raw_os_error() == Some(libc::ENOBUFS) => events.push(LinkEvent::Lost),
                Err(e) => return Err(Error::from_io("read news of interfaces", &e)),
            }
        }
    }
}

impl AsFd for LinkEvents {
    fn as_fd(&self) -> BorrowedFd<'_> {
        super::socket::borrow(&self.raw)
    }
}

fn parse(bytes: &[u8]) -> impl Iterator<Item = LinkEvent> {
    messages(bytes).filter_map(|message| match message.kind {
        RTM_NEWLINK => Some(LinkEvent::Changed(Box::new(link::parse(message.payload)?))),
        RTM_DELLINK => Some(LinkEvent::Gone(u32_at(message.payload, 4)?)),
        _ => None,
    })
}

impl std::fmt::Debug for LinkEvents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LinkEvents(listening: {})", self.listening)
    }
}
