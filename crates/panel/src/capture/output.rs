//! Where a capture goes: a pipe, a socket or a file that somebody else gave. Writing to it never
//! waits (but for a disk), never raises a signal, and never changes the descriptor's own flags:
//! they are shared with whoever else has it.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::FileType;
use rustix::io::{Errno, ReadWriteFlags};
use rustix::net::SendFlags;

/// Bytes that wait for a slow reader; what does not fit is dropped.
const LIMIT: usize = 4 << 20;
/// Bytes that a pipe takes at once if it takes any.
const PIPE_BUF: usize = 4096;
/// Bytes that are written already and may lie in memory before the others are moved up.
const SLACK: usize = 1 << 20;

/// An output with what waits for it.
#[derive(Debug)]
pub(super) struct Output {
    fd: OwnedFd,
    kind: Kind,
    pending: Vec<u8>,
    sent: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Socket,
    /// A pipe or a device.
    Pipe,
    File,
}

impl Output {
    pub(super) fn new(fd: OwnedFd) -> io::Result<Self> {
        let mode = rustix::fs::fstat(&fd)?.st_mode;
        let kind = match FileType::from_raw_mode(mode) {
            FileType::Socket => Kind::Socket,
            FileType::Fifo | FileType::CharacterDevice => Kind::Pipe,
            _ => Kind::File,
        };
        Ok(Self {
            fd,
            kind,
            pending: Vec::new(),
            sent: 0,
        })
    }

    /// Appends what `fill` writes, unless too much waits already.
    pub(super) fn append(&mut self, fill: impl FnOnce(&mut Vec<u8>)) -> bool {
        let room = self.pending.len() - self.sent < LIMIT;
        if room {
            fill(&mut self.pending);
        }
        room
    }

    /// Appends however much waits.
    pub(super) fn append_always(&mut self, fill: impl FnOnce(&mut Vec<u8>)) {
        fill(&mut self.pending);
    }

    /// Bytes that wait.
    pub(super) fn waiting(&self) -> usize {
        self.pending.len() - self.sent
    }

    /// Writes what can be written without waiting; whether that is all.
    pub(super) fn flush(&mut self) -> io::Result<bool> {
        while self.sent < self.pending.len() {
            match self.write() {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => self.sent += written,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    self.move_up();
                    return Ok(false);
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.pending.clear();
        self.sent = 0;
        Ok(true)
    }

    fn move_up(&mut self) {
        if self.sent > SLACK {
            self.pending.drain(..self.sent);
            self.sent = 0;
        }
    }

    fn write(&self) -> rustix::io::Result<usize> {
        let bytes = &self.pending[self.sent..];
        match self.kind {
            Kind::Socket => {
                rustix::net::send(&self.fd, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)
            }
            Kind::File => rustix::io::write(&self.fd, bytes),
            Kind::Pipe => {
                let vector = [IoSlice::new(bytes)];
                match rustix::io::pwritev2(&self.fd, &vector, u64::MAX, ReadWriteFlags::NOWAIT) {
                    Err(Errno::OPNOTSUPP | Errno::NOSYS) => self.write_a_little(bytes),
                    other => other,
                }
            }
        }
    }

    /// As much as a pipe that is ready is sure to take.
    fn write_a_little(&self, bytes: &[u8]) -> rustix::io::Result<usize> {
        let mut fds = [PollFd::new(&self.fd, PollFlags::OUT)];
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        match rustix::event::poll(&mut fds, Some(&now))? {
            0 => Err(Errno::AGAIN),
            _ => rustix::io::write(&self.fd, &bytes[..bytes.len().min(PIPE_BUF)]),
        }
    }
}

impl AsFd for Output {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_slow_reader_costs_memory_up_to_a_limit() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut output = Output::new(writer.into()).unwrap();
        let mut taken = 0;
        while output.append(|out| out.extend([7; 1000])) {
            taken += 1000;
            output.flush().unwrap();
        }
        assert!(output.waiting() < LIMIT + 1000 && taken > LIMIT);
        let thread = std::thread::spawn(move || {
            let mut all = vec![0; taken];
            reader.read_exact(&mut all).map(|()| reader)
        });
        while !output.flush().unwrap() {
            let mut fds = [PollFd::new(&output.fd, PollFlags::OUT)];
            rustix::event::poll(&mut fds, None).unwrap();
        }
        drop(thread.join().unwrap().unwrap());
        output.append(|out| out.push(1));
        assert_eq!(
            output.flush().unwrap_err().kind(),
            io::ErrorKind::BrokenPipe
        );
    }
}
