//! Between this process's standard streams and a command in a node: one loop over everything
//! that may happen, so that neither side can hold up the other.

mod pipes;
mod screen;

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::failure::{Failure, reason};
use crate::ui;

pub(crate) use pipes::pipes;
pub(crate) use screen::terminal;

fn broken(error: io::Error) -> Failure {
    Failure::failed(format!("no pipe for the command: {}", reason(&error)))
}

/// Waits until one of them is ready.
fn wait(fds: &mut [PollFd<'_>]) -> Result<(), Failure> {
    match poll(fds, None) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(e) => Err(broken(e.into())),
    }
}

/// Whether there is something to read at once.
fn is_readable(fd: impl AsFd) -> bool {
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let fd: BorrowedFd<'_> = fd.as_fd();
    let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
    poll(&mut fds, Some(&now)).is_ok_and(|n| n > 0)
}

fn write_out(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    if let Err(e) = out.write_all(bytes).and_then(|()| out.flush()) {
        ui::gone(&e);
    }
}

/// What came from our standard input and the command has yet to take.
#[derive(Debug, Default)]
struct Waiting {
    bytes: Vec<u8>,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Reads from our standard input, unbuffered: what is not for the command is left where it
    /// is. `false`: it has ended.
    fn fill(&mut self) -> bool {
        let mut buffer = [0; 32 << 10];
        match rustix::io::read(io::stdin(), &mut buffer) {
            Ok(n) if n > 0 => {
                self.bytes.extend_from_slice(&buffer[..n]);
                true
            }
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => true,
            _ => false,
        }
    }

    /// Gives the command what it takes without waiting; `false`: it takes no more, ever.
    fn give(&mut self, to: impl AsFd) -> bool {
        match rustix::io::write(to, &self.bytes) {
            Ok(n) => {
                self.bytes.drain(..n);
                true
            }
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => true,
            Err(_) => false,
        }
    }
}
