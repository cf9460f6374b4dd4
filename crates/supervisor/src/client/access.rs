//! A running lab as checks see it.

use std::io::{self, PipeReader, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use check::{AccessError, NodeAccess, Output};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Client, Command, Error, Running};
use crate::proto::{Failure, NodeState, NodeStatus};

/// Output of a command that is kept, in bytes; the rest is read and dropped.
const MOST_OUTPUT: usize = 16 << 20;

impl NodeAccess for Client {
    fn exec(&self, node: &str, argv: &[&str], timeout: Duration) -> Result<Output, AccessError> {
        let command = Command {
            node: node.into(),
            argv: argv.iter().map(|a| (*a).to_string()).collect(),
            ..Command::default()
        };
        let by = Instant::now() + timeout;
        match self.collect(&command, by) {
            Ok(Some(output)) => Ok(output),
            Ok(None) => Err(AccessError::Timeout(timeout)),
            // as a shell would say it
            Err(Error::NotStarted { status, message }) => Ok(Output {
                status,
                stdout: Vec::new(),
                stderr: message.into_bytes(),
            }),
            Err(e) => Err(AccessError::Node(e.to_string())),
        }
    }

    fn startup(&self, node: &str) -> Result<Option<Vec<String>>, AccessError> {
        let status = self
            .status()
            .map_err(|e| AccessError::Node(e.to_string()))?;
        let status = status.nodes.get(node);
        status
            .map(startup)
            .ok_or_else(|| AccessError::Node(format!("this lab has no node `{node}`")))
    }
}

/// What of a node's startup failed, once it has ended.
fn startup(node: &NodeStatus) -> Option<Vec<String>> {
    match node.state {
        NodeState::Waiting | NodeState::Starting => None,
        NodeState::Stopped => Some(vec!["it does not run".into()]),
        NodeState::Failed if node.scripts.is_empty() => {
            Some(vec!["a node that it depends on failed".into()])
        }
        NodeState::Ready | NodeState::Failed => Some(
            node.scripts
                .iter()
                .flat_map(|s| failures(&s.title, s.status, &s.failures))
                .collect(),
        ),
    }
}

fn failures(title: &str, status: Option<i32>, failures: &[Failure]) -> Vec<String> {
    let one = |f: &Failure| {
        format!(
            "{title}:{}: `{}` ended with status {}",
            f.line, f.command, f.status
        )
    };
    let mut out: Vec<String> = failures.iter().map(one).collect();
    if let (true, Some(status)) = (out.is_empty(), status.filter(|s| *s != 0)) {
        out.push(format!("{title} ended with status {status}"));
    }
    out
}

impl Client {
    /// Runs a command and collects what it writes; `None`: not over in time.
    fn collect(&self, command: &Command, by: Instant) -> Result<Option<Output>, Error> {
        let broken = |error| Error::Io {
            lab: self.name.clone(),
            control: self.control.clone(),
            error,
        };
        // an input that is at its end
        let (input, _) = io::pipe().map_err(broken)?;
        let (stdout, their_stdout) = io::pipe().map_err(broken)?;
        let (stderr, their_stderr) = io::pipe().map_err(broken)?;
        let stdio = [input.as_fd(), their_stdout.as_fd(), their_stderr.as_fd()];
        let mut running = self.exec(command, stdio)?;
        drop((input, their_stdout, their_stderr));
        let mut collecting = Collecting {
            stdout: Some(stdout),
            stderr: Some(stderr),
            output: Output::default(),
        };
        let ended = collecting.until_end(&mut running, by)?;
        Ok(ended.map(|status| Output {
            status,
            ..collecting.output
        }))
    }
}

struct Collecting {
    stdout: Option<PipeReader>,
    stderr: Option<PipeReader>,
    output: Output,
}

impl Collecting {
    /// Reads until the command has ended and what it wrote until then is here. What it left in
    /// the background may go on writing, to nobody.
    fn until_end(&mut self, running: &mut Running, by: Instant) -> Result<Option<i32>, Error> {
        loop {
            let left = by.saturating_duration_since(Instant::now());
            let [ended, ..] = self.wait(running.as_fd(), left);
            self.read_ready();
            if ended {
                if let Some(status) = running.poll()? {
                    while self.read_ready() {}
                    return Ok(Some(status));
                }
            } else if left.is_zero() {
                return Ok(None);
            }
        }
    }

    fn wait(&self, command: BorrowedFd<'_>, at_most: Duration) -> [bool; 3] {
        let mut fds = vec![PollFd::from_borrowed_fd(command, PollFlags::IN)];
        let pipes = [&self.stdout, &self.stderr].into_iter().flatten();
        fds.extend(pipes.map(|p| PollFd::new(p, PollFlags::IN)));
        let timeout = timespec(at_most);
        // an interrupted wait is one with nothing ready
        let _ = poll(&mut fds, Some(&timeout));
        std::array::from_fn(|i| fds.get(i).is_some_and(|f| !f.revents().is_empty()))
    }

    /// Reads what is there without waiting; whether there was anything.
    fn read_ready(&mut self) -> bool {
        let out = read_one(&mut self.stdout, &mut self.output.stdout);
        let err = read_one(&mut self.stderr, &mut self.output.stderr);
        out || err
    }
}

fn read_one(pipe: &mut Option<PipeReader>, into: &mut Vec<u8>) -> bool {
    let Some(reader) = pipe else {
        return false;
    };
    if !is_readable(reader.as_fd()) {
        return false;
    }
    let mut buffer = [0; 64 << 10];
    match reader.read(&mut buffer) {
        Ok(n) if n > 0 => {
            let room = MOST_OUTPUT.saturating_sub(into.len());
            into.extend_from_slice(&buffer[..n.min(room)]);
            true
        }
        _ => {
            *pipe = None;
            false
        }
    }
}

fn is_readable(fd: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
    poll(&mut fds, Some(&timespec(Duration::ZERO))).is_ok_and(|n| n > 0)
}

fn timespec(time: Duration) -> Timespec {
    Timespec {
        tv_sec: time.as_secs().min(1 << 30) as i64,
        tv_nsec: i64::from(time.subsec_nanos()),
    }
}
