//! The supervisor's side of the capture process.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::process::Signal;
use sys::fdpass;
use sys::process::{self, Child, Namespaces};

use super::message::{Command, Interface, MAX_INTERFACES, MAX_MESSAGE, Reply};
use super::serve;

/// Seconds that the capture process may take to read a command.
const PATIENCE: i64 = 1;

/// What is to be captured.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The far ends; more can come later ([`Capturer::update`]).
    pub interfaces: Vec<Interface>,
    /// Frames as the kernel passes them, neither segmented nor checksummed.
    pub raw: bool,
    /// Bytes kept of each frame; none or 0: all.
    pub snaplen: Option<u32>,
}

/// What the capture process tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A capture has begun: what is sent from now on is in it.
    Started {
        /// Which.
        id: u64,
    },
    /// A capture has ended, for it was stopped or nobody reads it any more.
    Ended {
        /// Which.
        id: u64,
        /// Frames that it recorded.
        frames: u64,
        /// Frames that it missed, since its reader or the process was too slow.
        drops: u64,
    },
    /// A capture has ended since it could not go on.
    Failed {
        /// Which.
        id: u64,
        /// Why, for people.
        message: String,
    },
}

/// The capture process of a lab. It ends, and with it the packet socket, when this is dropped:
/// drop it when it is [idle](Self::is_idle).
#[derive(Debug)]
pub struct Capturer {
    control: OwnedFd,
    child: Child,
    /// What each capture records.
    captures: BTreeMap<u64, Vec<Interface>>,
}

impl Capturer {
    /// Starts the process, in this process's network namespace; for a process with one thread.
    /// It has yet to be waited for when it has ended ([`sys::process::reap`] with
    /// [`Self::pid`], or [`Self::wait`]).
    pub fn spawn() -> io::Result<Self> {
        let (ours, theirs) = fdpass::packet_pair()?;
        for end in [&ours, &theirs] {
            rustix::io::ioctl_fionbio(end, true)?;
        }
        let child = process::clone(Namespaces::NONE, move || run(theirs))?;
        Ok(Self {
            control: ours,
            child,
            captures: BTreeMap::new(),
        })
    }

    /// The process's number.
    pub fn pid(&self) -> i32 {
        self.child.pid
    }

    /// Whether no capture is left.
    pub fn is_idle(&self) -> bool {
        self.captures.is_empty()
    }

    /// Begins a capture under a number that no running one has. `output` is a pipe, a socket or
    /// a file; it gets the begin of a pcapng file at once.
    pub fn start(&mut self, id: u64, request: Request, output: BorrowedFd<'_>) -> io::Result<()> {
        let interfaces: Vec<_> = request
            .interfaces
            .into_iter()
            .map(Interface::bounded)
            .collect();
        let (first, rest) = interfaces.split_at(interfaces.len().min(MAX_INTERFACES));
        let start = Command::Start {
            id,
            interfaces: first.to_vec(),
            raw: request.raw,
            snaplen: request.snaplen,
        };
        self.say(&start, &[output])?;
        self.change(id, rest, &[])?;
        self.captures.insert(id, interfaces);
        Ok(())
    }

    /// Has a capture record these far ends from now on. Those that it has already go on without
    /// a gap. A capture that has ended is no error.
    pub fn update(&mut self, id: u64, interfaces: Vec<Interface>) -> io::Result<()> {
        let Some(old) = self.captures.get(&id) else {
            return Ok(());
        };
        let new: Vec<_> = interfaces.into_iter().map(Interface::bounded).collect();
        let gone = old
            .iter()
            .filter(|o| new.iter().all(|n| n.index != o.index));
        let gone: Vec<u32> = gone.map(|o| o.index).collect();
        let added: Vec<_> = new.iter().filter(|n| !old.contains(n)).cloned().collect();
        self.change(id, &added, &gone)?;
        self.captures.insert(id, new);
        Ok(())
    }

    /// Ends a capture; [`Event::Ended`] follows once all is written. One that has ended is no
    /// error.
    pub fn stop(&mut self, id: u64) -> io::Result<()> {
        if !self.captures.contains_key(&id) {
            return Ok(());
        }
        self.say(&Command::Stop { id }, &[])
    }

    /// What has happened. To be called when the descriptor is readable; when the process has
    /// ended, every capture that was left has failed.
    pub fn events(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        let mut buffer = vec![0; MAX_MESSAGE];
        loop {
            match fdpass::receive(&self.control, &mut buffer) {
                Ok((0, _)) => break self.fail_all("the capture process ended", &mut events),
                Ok((length, _)) => self.hear(&buffer[..length], &mut events),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) => {
                    break self.fail_all(
                        &format!("the capture process cannot be heard: {e}"),
                        &mut events,
                    );
                }
            }
        }
        events
    }

    /// Lets the process end and waits for that; its exit status.
    pub fn wait(self) -> io::Result<i32> {
        drop(self.control);
        self.child.wait()
    }

    fn hear(&mut self, message: &[u8], events: &mut Vec<Event>) {
        let event = match serde_json::from_slice(message) {
            Ok(Reply::Started { id }) => Event::Started { id },
            Ok(Reply::Ended { id, frames, drops }) => Event::Ended { id, frames, drops },
            Ok(Reply::Failed { id, message }) => Event::Failed { id, message },
            Ok(Reply::Broken { message }) => return self.fail_all(&message, events),
            Err(e) => return tracing::warn!("the capture process said something unknown: {e}"),
        };
        let known = match &event {
            Event::Started { id } => self.captures.contains_key(id),
            Event::Ended { id, .. } | Event::Failed { id, .. } => {
                self.captures.remove(id).is_some()
            }
        };
        if known {
            events.push(event);
        }
    }

    fn fail_all(&mut self, message: &str, events: &mut Vec<Event>) {
        let failed = std::mem::take(&mut self.captures).into_keys();
        events.extend(failed.map(|id| Event::Failed {
            id,
            message: message.into(),
        }));
    }

    fn change(&self, id: u64, add: &[Interface], remove: &[u32]) -> io::Result<()> {
        for remove in remove.chunks(MAX_INTERFACES) {
            let remove = remove.to_vec();
            self.say(
                &Command::Update {
                    id,
                    add: Vec::new(),
                    remove,
                },
                &[],
            )?;
        }
        for add in add.chunks(MAX_INTERFACES) {
            let add = add.to_vec();
            self.say(
                &Command::Update {
                    id,
                    add,
                    remove: Vec::new(),
                },
                &[],
            )?;
        }
        Ok(())
    }

    fn say(&self, command: &Command, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        let message = serde_json::to_vec(command)?;
        loop {
            match fdpass::send(&self.control, &message, fds) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => self.await_room()?,
                other => return other.map(drop),
            }
        }
    }

    fn await_room(&self) -> io::Result<()> {
        let mut fds = [PollFd::new(&self.control, PollFlags::OUT)];
        let patience = Timespec {
            tv_sec: PATIENCE,
            tv_nsec: 0,
        };
        match rustix::event::poll(&mut fds, Some(&patience)) {
            Ok(0) => {
                let text = "the capture process does not read its commands";
                Err(io::Error::new(io::ErrorKind::TimedOut, text))
            }
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }
}

impl AsFd for Capturer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.control.as_fd()
    }
}

/// The process from its first moment on.
fn run(control: OwnedFd) -> i32 {
    process::set_name("telaio-capture");
    let ready = process::die_with_parent(Signal::KILL.as_raw())
        .and_then(|()| process::close_all_but(&[control.as_fd()]));
    match ready {
        Ok(()) => serve(control),
        Err(_) => 1,
    }
}
