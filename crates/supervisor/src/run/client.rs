//! Clients' connections: frames in, frames out, nothing of it blocking.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use sys::epoll::{EventFlags, Poller};

use crate::proto::{Reply, Request};

/// Longest request in bytes.
const LONGEST: usize = 1 << 20;
/// Unsent bytes at which a client that does not read is let go.
const PATIENCE: usize = 64 << 20;

/// What a connection is busy with.
#[derive(Debug, Default)]
pub(super) enum Doing {
    /// Its request has yet to come.
    #[default]
    Asking,
    /// Events from this number on.
    Following(usize),
    /// A command of a node.
    Running {
        /// The node's index.
        node: usize,
        /// The command's number.
        id: u64,
    },
    /// A capture of this number.
    Capturing(u64),
    /// Something whose end will be told.
    Waiting,
    /// Its last reply is on the way.
    Leaving,
}

/// A connection.
pub(super) struct Client {
    stream: OwnedFd,
    input: Vec<u8>,
    fds: Vec<OwnedFd>,
    output: VecDeque<(Vec<u8>, Vec<OwnedFd>)>,
    pending: usize,
    writing: bool,
    pub(super) doing: Doing,
}

/// All connections by number.
#[derive(Default)]
pub(super) struct Clients {
    pub(super) list: BTreeMap<u64, Client>,
    last: u64,
}

impl Clients {
    pub(super) fn add(&mut self, stream: OwnedFd) -> u64 {
        self.last += 1;
        let client = Client {
            stream,
            input: Vec::new(),
            fds: Vec::new(),
            output: VecDeque::new(),
            pending: 0,
            writing: false,
            doing: Doing::default(),
        };
        self.list.insert(self.last, client);
        self.last
    }
}

impl Client {
    /// Takes in what has come; `false`: the other side is gone.
    pub(super) fn read(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 16 << 10];
        loop {
            match sys::fdpass::receive(&self.stream, &mut buffer) {
                Ok((0, _)) => return Ok(false),
                Ok((n, fds)) => {
                    self.input.extend_from_slice(&buffer[..n]);
                    self.fds.extend(fds);
                    if self.input.len() > LONGEST + 4 || self.fds.len() > 16 {
                        return Err(io::ErrorKind::InvalidData.into());
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                Err(e) => return Err(e),
            }
        }
    }

    /// The next whole request and the descriptors that came so far.
    pub(super) fn request(&mut self) -> Option<Result<(Request, Vec<OwnedFd>), String>> {
        let header: [u8; 4] = self.input.get(..4)?.try_into().ok()?;
        let length = u32::from_le_bytes(header) as usize;
        if length > LONGEST {
            return Some(Err(format!("a request of {length} bytes is too long")));
        }
        let body = self.input.get(4..4 + length)?;
        let request = serde_json::from_slice(body).map_err(|e| format!("no such request: {e}"));
        self.input.drain(..4 + length);
        Some(request.map(|request| (request, std::mem::take(&mut self.fds))))
    }

    /// Queues a reply.
    pub(super) fn push(&mut self, reply: &Reply, fds: Vec<OwnedFd>) {
        let Ok(body) = serde_json::to_vec(reply) else {
            return;
        };
        let mut frame = (body.len() as u32).to_le_bytes().to_vec();
        frame.extend(body);
        self.pending += frame.len();
        self.output.push_back((frame, fds));
    }

    /// Sends what can be sent; `false`: this client is to be let go.
    pub(super) fn flush(&mut self, poller: &Poller, token: u64) -> bool {
        while let Some((frame, fds)) = self.output.front_mut() {
            let borrowed: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
            match sys::fdpass::send(&self.stream, frame, &borrowed) {
                Ok(n) => {
                    self.pending -= n;
                    fds.clear();
                    frame.drain(..n);
                    if frame.is_empty() {
                        self.output.pop_front();
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return false,
            }
        }
        let busy = !self.output.is_empty();
        if busy != self.writing {
            self.writing = busy;
            let flags = if busy {
                EventFlags::IN | EventFlags::OUT
            } else {
                EventFlags::IN
            };
            if poller.change(&self.stream, token, flags).is_err() {
                return false;
            }
        }
        let done = matches!(self.doing, Doing::Leaving) && !busy;
        !done && self.pending <= PATIENCE
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_come_in_pieces() {
        let (ours, theirs) = sys::fdpass::stream_pair().unwrap();
        rustix::io::ioctl_fionbio(&ours, true).unwrap();
        let mut clients = Clients::default();
        let number = clients.add(ours);
        let client = clients.list.get_mut(&number).unwrap();
        let body = br#"{"do":"status"}"#;
        let mut frame = (body.len() as u32).to_le_bytes().to_vec();
        frame.extend(body);
        sys::fdpass::send(&theirs, &frame[..7], &[]).unwrap();
        assert!(client.read().unwrap());
        assert!(client.request().is_none());
        sys::fdpass::send(&theirs, &frame[7..], &[]).unwrap();
        assert!(client.read().unwrap());
        assert!(matches!(client.request(), Some(Ok((Request::Status, _)))));
        drop(theirs);
        assert!(!client.read().unwrap());
    }

    #[test]
    fn a_giant_request_is_refused() {
        let (ours, theirs) = sys::fdpass::stream_pair().unwrap();
        rustix::io::ioctl_fionbio(&ours, true).unwrap();
        let mut clients = Clients::default();
        let number = clients.add(ours);
        let client = clients.list.get_mut(&number).unwrap();
        sys::fdpass::send(&theirs, &u32::MAX.to_le_bytes(), &[]).unwrap();
        assert!(client.read().unwrap());
        assert!(matches!(client.request(), Some(Err(_))));
    }
}
