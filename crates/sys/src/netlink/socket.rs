//! The socket: batches of requests, dumps, and sockets in other network namespaces.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket as Raw, SocketAddr};

use super::error::Error;
use super::message::{self, NLM_F_ACK, NLM_F_DUMP, Request, attributes, messages};

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_CAPPED: u16 = 0x100;
const NLM_F_ACK_TLVS: u16 = 0x200;
const NLM_F_DUMP_INTR: u16 = 0x10;
const NLMSGERR_ATTR_MSG: u16 = 1;

/// Bytes that are sent at once at most.
const BATCH_BYTES: usize = 32 << 10;
/// Requests that are sent at once at most: if all of them failed, their answers would still fit
/// the socket's queue.
const BATCH_REQUESTS: usize = 128;
/// Bytes of one answer at most; the kernel's own limit is 32 KiB.
const ANSWER: usize = 64 << 10;
/// How often a listing is begun anew because things changed while it was made.
const LISTINGS: usize = 8;

/// A socket to the network tables of one network namespace: the one that it was opened in.
pub struct Socket {
    raw: Raw,
    sequence: u32,
    batch: Vec<u8>,
    answer: Vec<u8>,
}

impl Socket {
    /// Opens one in this thread's network namespace.
    pub fn open() -> Result<Self, Error> {
        let raw = open_raw().map_err(|e| Error::from_io("open a netlink socket", &e))?;
        Ok(Self {
            raw,
            sequence: 0,
            batch: Vec::new(),
            answer: Vec::with_capacity(ANSWER),
        })
    }

    /// Opens one in another network namespace; see [`within`].
    pub fn open_in(netns: BorrowedFd<'_>) -> Result<Self, Error> {
        within(netns, Self::open)
            .map_err(|e| Error::from_io("enter a node's network namespace", &e))?
    }

    /// Carries out all requests, in order. One that fails does not keep the others from being
    /// tried; the first failure is returned.
    pub fn run(&mut self, requests: &[Request]) -> Result<(), Error> {
        match self.failures(requests)?.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }

    /// Carries out all requests, in order; returns the position and error of each that failed.
    /// An error means that the socket itself failed.
    pub fn failures(&mut self, requests: &[Request]) -> Result<Vec<(usize, Error)>, Error> {
        let mut failed = Vec::new();
        let mut from = 0;
        while from < requests.len() {
            let to = from + batch_len(&requests[from..]);
            self.run_batch(&requests[from..to], from, &mut failed)
                .map_err(|e| Error::from_io(&requests[from].describe(), &e))?;
            from = to;
        }
        Ok(failed)
    }

    /// Sends one batch. Only the last request asks for an answer: of the others the kernel
    /// answers those that fail, all of them before the last one's answer.
    fn run_batch(
        &mut self,
        requests: &[Request],
        offset: usize,
        failed: &mut Vec<(usize, Error)>,
    ) -> io::Result<()> {
        let first = self.sequence.wrapping_add(1);
        self.batch.clear();
        for (position, request) in requests.iter().enumerate() {
            self.sequence = self.sequence.wrapping_add(1);
            let last = position + 1 == requests.len();
            let flags = if last { NLM_F_ACK } else { 0 };
            request.append_to(&mut self.batch, self.sequence, flags);
        }
        self.send()?;
        loop {
            self.receive()?;
            for message in messages(&self.answer) {
                let position = message.sequence.wrapping_sub(first) as usize;
                if message.kind != NLMSG_ERROR || position >= requests.len() {
                    continue;
                }
                let (errno, text) = verdict(message);
                if errno != 0 {
                    let what = requests[position].describe();
                    failed.push((offset + position, Error::new(what, errno, text)));
                }
                if message.sequence == self.sequence {
                    return Ok(());
                }
            }
        }
    }

    /// Lists what a request asks for; `parse` gets each message's payload.
    pub(crate) fn dump<T>(
        &mut self,
        request: &Request,
        parse: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Vec<T>, Error> {
        for _ in 0..LISTINGS {
            match self.dump_once(request, &parse) {
                Ok(Some(list)) => return Ok(list),
                Ok(None) => {}
                Err(Failure::Kernel(error)) => return Err(error),
                Err(Failure::Io(e)) if e.raw_os_error() == Some(libc::ENOBUFS) => {}
                Err(Failure::Io(e)) => return Err(Error::from_io(&request.describe(), &e)),
            }
        }
        Err(Error::new(
            request.describe(),
            libc::EBUSY,
            Some("it keeps changing".into()),
        ))
    }

    /// `None`: things changed meanwhile, so the list may lack some.
    fn dump_once<T>(
        &mut self,
        request: &Request,
        parse: &impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Option<Vec<T>>, Failure> {
        self.sequence = self.sequence.wrapping_add(1);
        self.batch.clear();
        request.append_to(&mut self.batch, self.sequence, NLM_F_DUMP);
        self.send()?;
        let (mut list, mut whole) = (Vec::new(), true);
        loop {
            self.receive()?;
            for message in messages(&self.answer).filter(|m| m.sequence == self.sequence) {
                whole &= message.flags & NLM_F_DUMP_INTR == 0;
                match message.kind {
                    NLMSG_DONE => return Ok(whole.then_some(list)),
                    NLMSG_ERROR => {
                        let (errno, text) = verdict(message);
                        let error = Error::new(request.describe(), errno, text);
                        return Err(Failure::Kernel(error));
                    }
                    _ => list.extend(parse(message.payload)),
                }
            }
        }
    }

    fn send(&self) -> io::Result<()> {
        retry(|| self.raw.send(&self.batch, 0)).map(drop)
    }

    fn receive(&mut self) -> io::Result<()> {
        receive_into(&self.raw, &mut self.answer)
    }
}

/// What may go wrong with a listing.
enum Failure {
    Io(io::Error),
    Kernel(Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Fills `answer` with one datagram.
pub(super) fn receive_into(raw: &Raw, answer: &mut Vec<u8>) -> io::Result<()> {
    answer.clear();
    retry(|| raw.recv(answer, 0)).map(drop)
}

fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// The descriptor of a socket, for as long as the socket lives.
pub(super) fn borrow(raw: &Raw) -> BorrowedFd<'_> {
    // SAFETY: the descriptor stays open for as long as `raw`, which the result borrows.
    unsafe { BorrowedFd::borrow_raw(raw.as_raw_fd()) }
}

fn open_raw() -> io::Result<Raw> {
    let mut raw = Raw::new(NETLINK_ROUTE)?;
    raw.bind_auto()?;
    raw.connect(&SocketAddr::new(0, 0))?;
    // all three are comfort that older kernels lack: words for errors, short answers, listings
    // that the kernel filters
    let _ = raw.set_ext_ack(true);
    let _ = raw.set_cap_ack(true);
    let _ = raw.set_netlink_get_strict_chk(true);
    Ok(raw)
}

/// How many of the requests go into one batch; at least one.
fn batch_len(requests: &[Request]) -> usize {
    let mut bytes = 0;
    let fits = requests.iter().take(BATCH_REQUESTS).take_while(|r| {
        bytes += r.len();
        bytes <= BATCH_BYTES
    });
    fits.count().max(1)
}

/// Error number (0: done) and the kernel's words of an acknowledgement: `struct nlmsgerr`, then
/// the request itself unless it was cut, then attributes.
fn verdict(message: message::Message<'_>) -> (i32, Option<String>) {
    let errno = message::u32_at(message.payload, 0).map_or(0, |c| -c.cast_signed());
    if message.flags & NLM_F_ACK_TLVS == 0 {
        return (errno, None);
    }
    let request = match message.flags & NLM_F_CAPPED {
        0 => message::u32_at(message.payload, 4).unwrap_or(0) as usize,
        _ => message::HEADER,
    };
    let rest = message
        .payload
        .get(4 + request.next_multiple_of(4)..)
        .unwrap_or_default();
    let text = attributes(rest).find(|(kind, _)| *kind == NLMSGERR_ATTR_MSG);
    (errno, text.map(|(_, value)| message::text(value)))
}

/// Does something in another network namespace, then comes back. The calling thread is inside
/// for that time, so only single-threaded programs (or threads of their own) should do it.
///
/// # Errors
/// When the namespace cannot be entered. What `inside` returns is passed on.
///
/// # Panics
/// When this thread cannot return to its own namespace: going on in a wrong one would do harm.
pub fn within<T>(netns: BorrowedFd<'_>, inside: impl FnOnce() -> T) -> io::Result<T> {
    let home = File::open("/proc/thread-self/ns/net")?;
    crate::process::enter(netns)?;
    let out = inside();
    crate::process::enter(home.as_fd()).expect("the way back to the own network namespace");
    Ok(out)
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "netlink::Socket({})", self.raw.as_raw_fd())
    }
}
