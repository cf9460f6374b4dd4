//! An interface of the host as a member of a segment: all that arrives at it goes into the lab,
//! and what the lab sends there goes out of it. Needs real root.
//!
//! A pair of interfaces leads from the panel to the host; its end here and the host's interface
//! send to each other whatever arrives. Of the host itself nothing is moved or renamed, and with
//! the lab's end the pair is gone.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};

use sys::netlink::{Socket, link};
use sys::tc::{self, CatchAll, Place};

/// What was done to the host for one interface.
#[derive(Debug)]
pub(crate) struct Uplink {
    /// The interface that frames come from.
    lower: u32,
    /// Whether it was made for this lab.
    made: bool,
    /// Whether it has this lab's filters.
    hooked: bool,
    /// This side's end of the pair that leads to the panel.
    end: Option<u32>,
}

impl Uplink {
    /// Joins `interface` (or, with a tag, a part of it that is made for the lab) to `ready`, an
    /// interface in the panel, which comes over to this network namespace.
    pub(crate) fn attach(
        panel: BorrowedFd<'_>,
        ready: &str,
        interface: &str,
        vlan: Option<u16>,
    ) -> Result<Self, String> {
        let mut socket = Socket::open().map_err(|e| e.to_string())?;
        let found = socket.link(interface).map_err(|e| e.to_string())?;
        let found = found.ok_or("the host has no such interface")?;
        let mut uplink = match vlan {
            None => Self {
                lower: found.index,
                made: false,
                hooked: false,
                end: None,
            },
            Some(id) => {
                let name = format!("{}.{id}", interface.chars().take(10).collect::<String>());
                let request = link::create_vlan(&name, found.index, id);
                socket.run(&[request]).map_err(|e| e.to_string())?;
                let made = socket.link(&name).map_err(|e| e.to_string())?;
                Self {
                    lower: made.ok_or("its VLAN interface went away")?.index,
                    made: true,
                    hooked: false,
                    end: None,
                }
            }
        };
        let joined = fetch(&mut socket, panel, ready).and_then(|end| uplink.join(&mut socket, end));
        if joined.is_err() {
            uplink.detach();
        }
        joined.map(|()| uplink)
    }

    /// What arrives at one goes out of the other.
    fn join(&mut self, socket: &mut Socket, end: u32) -> Result<(), String> {
        let say = |e: sys::netlink::Error| e.to_string();
        self.end = Some(end);
        let ends = [
            link::set_up(self.lower, true),
            link::set_promiscuous(self.lower, true),
            link::set_up(end, true),
        ];
        socket.run(&ends).map_err(say)?;
        socket.run(&[tc::hook(end)]).map_err(say)?;
        socket
            .run(&[tc::hook(self.lower)])
            .map_err(|e| match e.is_exists() {
                true => "it has filters already".to_string(),
                false => e.to_string(),
            })?;
        self.hooked = true;
        let kind = CatchAll::find(socket, end)
            .map_err(say)?
            .ok_or("the kernel has no `mirred`")?;
        let wires = [
            tc::redirect(kind, self.lower, Place::First, end),
            tc::redirect(kind, end, Place::First, self.lower),
        ];
        socket.run(&wires).map_err(say)
    }

    /// Gives the interface back to the host.
    pub(crate) fn detach(&self) {
        let Ok(mut socket) = Socket::open() else {
            return;
        };
        let mut requests = vec![link::set_promiscuous(self.lower, false)];
        if self.hooked {
            requests.push(tc::unhook(self.lower));
        }
        if self.made {
            requests = vec![link::delete(self.lower)];
        }
        if let Some(end) = self.end {
            // gone already if the lab's side is
            let _ = socket.run(&[link::delete(end)]);
        }
        for request in requests {
            if let Err(e) = socket.run(&[request]) {
                tracing::warn!("an interface of the host is not as it was: {e}");
            }
        }
    }
}

/// Brings an interface over from the panel; its number here.
fn fetch(socket: &mut Socket, panel: BorrowedFd<'_>, ready: &str) -> Result<u32, String> {
    let say = |e: sys::netlink::Error| e.to_string();
    let here = File::open("/proc/thread-self/ns/net").map_err(|e| e.to_string())?;
    let name = format!(
        "tl{}.{}",
        std::process::id() % 1_000_000,
        ready.trim_start_matches("up")
    );
    let mut inside = Socket::open_in(panel).map_err(say)?;
    let found = inside
        .link(ready)
        .map_err(say)?
        .ok_or("the panel's side went away")?;
    inside
        .run(&[
            link::rename(found.index, &name),
            link::set_netns(found.index, here.as_fd()),
        ])
        .map_err(say)?;
    let come = socket.link(&name).map_err(say)?;
    Ok(come.ok_or("the lab's end did not come over")?.index)
}
