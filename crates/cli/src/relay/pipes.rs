//! A command with pipes for its standard streams.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags};
use supervisor::client::{Client, Command, Running};
use sys::epoll::Signals;

use super::{Waiting, broken, is_readable, wait, write_out};
use crate::failure::Failure;

/// Signals that are passed on: HUP, INT, QUIT, USR1, USR2, TERM.
const PASSED: &[i32] = &[1, 2, 3, 10, 12, 15];

/// Runs a command with pipes to the standard streams; returns its exit status. What it leaves in
/// the background is not waited for.
pub(crate) fn pipes(client: &Client, command: &Command) -> Result<i32, Failure> {
    let signals = Signals::new(PASSED).map_err(broken)?;
    let (their_input, input) = io::pipe().map_err(broken)?;
    let (output, their_output) = io::pipe().map_err(broken)?;
    let (errors, their_errors) = io::pipe().map_err(broken)?;
    let stdio = [
        their_input.as_fd(),
        their_output.as_fd(),
        their_errors.as_fd(),
    ];
    let running = client.exec(command, stdio)?;
    drop((their_input, their_output, their_errors));
    rustix::io::ioctl_fionbio(&input, true).map_err(|e| broken(e.into()))?;
    let pipes = Pipes {
        signals,
        running,
        input: Some(input),
        waiting: Waiting::default(),
        output: Some(output),
        errors: Some(errors),
    };
    pipes.relay()
}

struct Pipes {
    signals: Signals,
    running: Running,
    /// To the command, until our standard input or the command's ends.
    input: Option<PipeWriter>,
    waiting: Waiting,
    output: Option<PipeReader>,
    errors: Option<PipeReader>,
}

struct Ready {
    signals: bool,
    running: bool,
    input: bool,
}

impl Pipes {
    fn relay(mut self) -> Result<i32, Failure> {
        loop {
            let ready = self.wait()?;
            if ready.signals {
                while let Some(signal) = self.signals.take() {
                    self.running.signal(signal)?;
                }
            }
            if ready.input {
                self.feed();
            }
            self.show();
            if ready.running
                && let Some(status) = self.running.poll()?
            {
                while self.show() {}
                return Ok(status);
            }
        }
    }

    fn wait(&self) -> Result<Ready, Failure> {
        let stdin = io::stdin();
        let mut fds = vec![
            PollFd::new(&self.signals, PollFlags::IN),
            PollFd::new(&self.running, PollFlags::IN),
        ];
        match &self.input {
            Some(_) if self.waiting.is_empty() => fds.push(PollFd::new(&stdin, PollFlags::IN)),
            Some(input) => fds.push(PollFd::new(input, PollFlags::OUT)),
            None => {}
        }
        let readers = [&self.output, &self.errors].into_iter().flatten();
        fds.extend(readers.map(|r| PollFd::new(r, PollFlags::IN)));
        wait(&mut fds)?;
        let is = |i: usize| !fds[i].revents().is_empty();
        Ok(Ready {
            signals: is(0),
            running: is(1),
            input: self.input.is_some() && is(2),
        })
    }

    /// Moves input on: from our standard input, or to the command.
    fn feed(&mut self) {
        let Some(input) = &self.input else {
            return;
        };
        let goes_on = match self.waiting.is_empty() {
            true => self.waiting.fill(),
            false => self.waiting.give(input),
        };
        if !goes_on {
            self.input = None;
        }
    }

    /// Shows what the command wrote; whether there was anything.
    fn show(&mut self) -> bool {
        let out = pass(&mut self.output, write_out);
        let err = pass(&mut self.errors, |bytes| {
            let _ = io::stderr().lock().write_all(bytes);
        });
        out || err
    }
}

fn pass(from: &mut Option<PipeReader>, mut to: impl FnMut(&[u8])) -> bool {
    let Some(reader) = from else {
        return false;
    };
    if !is_readable(&*reader) {
        return false;
    }
    let mut buffer = [0; 32 << 10];
    match reader.read(&mut buffer) {
        Ok(n) if n > 0 => {
            to(&buffer[..n]);
            true
        }
        _ => {
            *from = None;
            false
        }
    }
}
