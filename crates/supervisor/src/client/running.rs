//! A command that runs in a node.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::Error;
use super::connection::Connection;
use crate::proto::{Reply, Request};

/// A command that runs in a node. When this is dropped before its end, it gets SIGHUP.
#[derive(Debug)]
pub struct Running {
    connection: Connection,
    pid: i32,
    ended: Option<i32>,
}

impl Running {
    /// Waits for a command to be started; its terminal, if it has one, comes along.
    pub(super) fn started(mut connection: Connection) -> Result<(Self, Option<OwnedFd>), Error> {
        let (pid, ended) = match connection.reply()? {
            Reply::Started { pid } => (pid, None),
            // its node ended before it could begin
            Reply::Exited { status } => (0, Some(status)),
            Reply::Refused { status, message } => {
                return Err(Error::NotStarted { status, message });
            }
            other => return Err(connection.nonsense(&other)),
        };
        let terminal = connection.take_fd();
        Ok((
            Self {
                connection,
                pid,
                ended,
            },
            terminal,
        ))
    }

    /// Its process number as the node sees it.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Passes a signal to it. One that has ended is no error.
    pub fn signal(&self, signal: i32) -> Result<(), Error> {
        match self.connection.send(&Request::Signal { signal }, &[]) {
            Err(Error::Gone(_)) => Ok(()),
            other => other,
        }
    }

    /// Its exit status, once it has ended: one read, to be called when [`Running::as_fd`] is
    /// readable.
    pub fn poll(&mut self) -> Result<Option<i32>, Error> {
        if self.ended.is_none() {
            let more = self.connection.read_some()?;
            self.ended = self.take()?;
            if !more && self.ended.is_none() {
                return Err(Error::Gone(self.connection.lab().into()));
            }
        }
        Ok(self.ended)
    }

    /// Waits for its end: its exit status, or 128 and the number of the signal that ended it.
    pub fn wait(&mut self) -> Result<i32, Error> {
        loop {
            if let Some(status) = self.ended {
                return Ok(status);
            }
            self.ended = match self.take()? {
                Some(status) => Some(status),
                None => self.poll()?,
            };
        }
    }

    fn take(&mut self) -> Result<Option<i32>, Error> {
        match self.connection.take()? {
            Some(Reply::Exited { status }) => Ok(Some(status)),
            Some(Reply::Refused { status, message }) => Err(Error::NotStarted { status, message }),
            Some(other) => Err(self.connection.nonsense(&other)),
            None => Ok(None),
        }
    }
}

impl AsFd for Running {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }
}
