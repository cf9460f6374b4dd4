//! One connection to a lab's control socket: frames out, frames in.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use crate::client::Error;
use crate::proto::{Reply, Request};

/// Longest reply that is taken, in bytes: a node's log with every byte escaped, and then some.
const LONGEST: usize = 128 << 20;

/// Descriptors that are kept until a reply asks for one.
const MOST_FDS: usize = 4;

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    lab: String,
    stream: UnixStream,
    input: Vec<u8>,
    /// Where the first reply starts that was not taken yet.
    at: usize,
    fds: Vec<OwnedFd>,
}

impl Connection {
    /// Connects to the lab of that name.
    pub(super) fn open(lab: &str, control: &Path) -> Result<Self, Error> {
        let stream = UnixStream::connect(control).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Error::Gone(lab.into()),
            io::ErrorKind::PermissionDenied => Error::Forbidden(lab.into()),
            _ => Error::Io {
                lab: lab.into(),
                control: control.into(),
                error,
            },
        })?;
        Ok(Self::over(lab, stream))
    }

    pub(super) fn over(lab: &str, stream: UnixStream) -> Self {
        Self {
            lab: lab.into(),
            stream,
            input: Vec::new(),
            at: 0,
            fds: Vec::new(),
        }
    }

    fn broken(&self, error: io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::NotConnected => Error::Gone(self.lab.clone()),
            _ => self.senseless(error.to_string()),
        }
    }

    fn senseless(&self, text: String) -> Error {
        Error::Nonsense {
            lab: self.lab.clone(),
            text,
        }
    }

    pub(super) fn nonsense(&self, reply: &Reply) -> Error {
        nonsense(&self.lab, reply)
    }

    /// Sends a request and descriptors.
    pub(super) fn send(&self, request: &Request, fds: &[BorrowedFd<'_>]) -> Result<(), Error> {
        let body = serde_json::to_vec(request).map_err(|e| self.senseless(e.to_string()))?;
        let mut frame = (body.len() as u32).to_le_bytes().to_vec();
        frame.extend(body);
        let mut rest = frame.as_slice();
        let mut fds = fds;
        while !rest.is_empty() {
            let sent = sys::fdpass::send(&self.stream, rest, fds);
            rest = &rest[sent.map_err(|e| self.broken(e))?..];
            fds = &[];
        }
        Ok(())
    }

    /// Takes in what has come, or waits for it; `false`: the other side is gone.
    pub(super) fn read_some(&mut self) -> Result<bool, Error> {
        let mut buffer = [0; 64 << 10];
        let (n, fds) = match sys::fdpass::receive(&self.stream, &mut buffer) {
            Ok(got) => got,
            Err(e) if e.kind() == io::ErrorKind::ConnectionReset => return Ok(false),
            Err(e) => return Err(self.broken(e)),
        };
        self.input.drain(..self.at);
        self.at = 0;
        self.input.extend_from_slice(&buffer[..n]);
        self.fds.extend(fds);
        self.fds.truncate(MOST_FDS);
        Ok(n > 0)
    }

    /// The next whole reply among what has come; [`Reply::Error`] is an error.
    pub(super) fn take(&mut self) -> Result<Option<Reply>, Error> {
        let rest = &self.input[self.at..];
        let Some(header) = rest.first_chunk::<4>() else {
            return Ok(None);
        };
        let length = u32::from_le_bytes(*header) as usize;
        if length > LONGEST {
            return Err(self.senseless(format!("a reply of {length} bytes is too long")));
        }
        let Some(body) = rest.get(4..4 + length) else {
            return Ok(None);
        };
        let reply = serde_json::from_slice(body).map_err(|e| self.senseless(e.to_string()))?;
        self.at += 4 + length;
        match reply {
            Reply::Error { message, help } => Err(Error::Refused { message, help }),
            reply => Ok(Some(reply)),
        }
    }

    /// Waits for the next reply.
    pub(super) fn reply(&mut self) -> Result<Reply, Error> {
        loop {
            if let Some(reply) = self.take()? {
                return Ok(reply);
            }
            if !self.read_some()? {
                return Err(Error::Gone(self.lab.clone()));
            }
        }
    }

    /// A descriptor that came along.
    pub(super) fn take_fd(&mut self) -> Option<OwnedFd> {
        (!self.fds.is_empty()).then(|| self.fds.remove(0))
    }

    pub(super) fn lab(&self) -> &str {
        &self.lab
    }
}

/// An answer to another question.
pub(super) fn nonsense(lab: &str, reply: &Reply) -> Error {
    let mut text = format!("{reply:?}");
    if let Some((cut, _)) = text.char_indices().nth(80) {
        text.truncate(cut);
    }
    Error::Nonsense {
        lab: lab.into(),
        text: format!("unexpected {text}"),
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
