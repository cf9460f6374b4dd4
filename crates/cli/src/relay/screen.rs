//! A command on a terminal of its own, of which ours shows everything.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use supervisor::client::{Client, Command, Running};
use sys::epoll::Signals;

use super::{Waiting, broken, is_readable, wait, write_out};
use crate::failure::Failure;
use crate::terminal::{self, Raw};

const SIGHUP: i32 = 1;
const SIGTERM: i32 = 15;
const SIGWINCH: i32 = 28;

/// What a terminal takes for the end of input.
const END_OF_INPUT: u8 = 4;

/// How long a terminal is still read after its command's end, when something left on it goes on
/// writing.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Runs a command on a terminal of its own; returns its exit status.
pub(crate) fn terminal(client: &Client, command: &Command) -> Result<i32, Failure> {
    let signals = Signals::new(&[SIGHUP, SIGTERM, SIGWINCH]).map_err(broken)?;
    let (running, screen) = client.exec_on_terminal(command, terminal::size())?;
    rustix::io::ioctl_fionbio(&screen, true).map_err(|e| broken(e.into()))?;
    let _raw = Raw::enter();
    let shown = Screen {
        signals,
        running,
        screen,
        typing: true,
        waiting: Waiting::default(),
    };
    shown.relay()
}

struct Screen {
    signals: Signals,
    running: Running,
    screen: OwnedFd,
    /// Whether our standard input goes on.
    typing: bool,
    waiting: Waiting,
}

struct Ready {
    signals: bool,
    running: bool,
    output: bool,
    room: bool,
    input: bool,
}

impl Screen {
    fn relay(mut self) -> Result<i32, Failure> {
        loop {
            let ready = self.wait()?;
            if ready.signals {
                self.hear_signals()?;
            }
            if ready.input {
                self.typing = self.waiting.fill();
                if !self.typing {
                    self.waiting.bytes.push(END_OF_INPUT);
                }
            }
            if ready.room {
                self.waiting.give(&self.screen);
            }
            if ready.output && !self.show() {
                // nothing is on that terminal any more: the end comes at once
                return Ok(self.running.wait()?);
            }
            if ready.running
                && let Some(status) = self.running.poll()?
            {
                self.show_rest();
                return Ok(status);
            }
        }
    }

    fn wait(&self) -> Result<Ready, Failure> {
        let stdin = io::stdin();
        let wanted = match self.waiting.is_empty() {
            true => PollFlags::IN,
            false => PollFlags::IN | PollFlags::OUT,
        };
        let mut fds = vec![
            PollFd::new(&self.signals, PollFlags::IN),
            PollFd::new(&self.running, PollFlags::IN),
            PollFd::new(&self.screen, wanted),
        ];
        if self.typing && self.waiting.is_empty() {
            fds.push(PollFd::new(&stdin, PollFlags::IN));
        }
        wait(&mut fds)?;
        let has = |i: usize| fds.get(i).map_or(PollFlags::empty(), PollFd::revents);
        Ok(Ready {
            signals: !has(0).is_empty(),
            running: !has(1).is_empty(),
            output: has(2).intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR),
            room: has(2).contains(PollFlags::OUT),
            input: !has(3).is_empty(),
        })
    }

    fn hear_signals(&self) -> Result<(), Failure> {
        while let Some(signal) = self.signals.take() {
            if signal == SIGWINCH {
                self.resize();
            } else {
                self.running.signal(signal)?;
            }
        }
        Ok(())
    }

    fn resize(&self) {
        let (rows, columns) = terminal::size();
        if let Err(e) = sys::pty::resize(&self.screen, rows, columns) {
            tracing::debug!("the terminal keeps its size: {e}");
        }
    }

    /// Shows a piece of the terminal; `false`: no process has it open any more.
    fn show(&self) -> bool {
        let mut buffer = [0; 32 << 10];
        match rustix::io::read(&self.screen, &mut buffer) {
            Ok(n) if n > 0 => {
                write_out(&buffer[..n]);
                true
            }
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => true,
            _ => false,
        }
    }

    fn show_rest(&self) {
        let by = Instant::now() + LAST_WORDS;
        while is_readable(&self.screen) && Instant::now() < by && self.show() {}
    }
}
