//! The client's side of a lab's control socket: typed, blocking calls, each on a connection of
//! its own, so that several threads may use one [`Client`].

mod access;
mod connection;
mod running;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use crate::place::Place;
use crate::proto::{self, Event, Reply, Request, ScriptRun, Status};

use connection::Connection;
pub use running::Running;

/// Talks to one running lab.
#[derive(Clone, Debug)]
pub struct Client {
    name: String,
    control: PathBuf,
    version: String,
    protocol: u32,
}

/// A command to run in a node.
#[derive(Clone, Debug, Default)]
pub struct Command {
    /// The node.
    pub node: String,
    /// Program and arguments; empty: the node's shell as a login shell.
    pub argv: Vec<String>,
    /// Added to the node's environment.
    pub env: IndexMap<String, String>,
    /// Working folder, `/root` by default.
    pub cwd: Option<String>,
}

/// Why a lab did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It says no.
    #[error("{message}")]
    Refused {
        /// What and why.
        message: String,
        /// How to mend it.
        help: Option<String>,
    },
    /// A command could not be started.
    #[error("{message}")]
    NotStarted {
        /// Exit status that a shell would give: 126 or 127.
        status: i32,
        /// Why.
        message: String,
    },
    /// It was started by another version, which this one does not understand.
    #[error("the lab `{lab}` was started by Telaio {theirs}, which this one ({ours}) cannot talk to", ours = env!("CARGO_PKG_VERSION"))]
    Version {
        /// The lab.
        lab: String,
        /// The version that started it.
        theirs: String,
    },
    /// The lab is gone, or ends just now.
    #[error("the lab `{0}` has ended")]
    Gone(String),
    /// It belongs to somebody else.
    #[error("the lab `{0}` belongs to another user")]
    Forbidden(String),
    /// It answers something else than was asked.
    #[error("the lab `{lab}` gives no answer that makes sense: {text}")]
    Nonsense {
        /// The lab.
        lab: String,
        /// What is wrong.
        text: String,
    },
    /// The connection failed.
    #[error("the lab `{lab}` cannot be reached at {}: {error}", control.display())]
    Io {
        /// The lab.
        lab: String,
        /// Its control socket.
        control: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl Error {
    /// How to mend it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Refused { help, .. } => help.clone(),
            Self::Version { lab, .. } => Some(format!(
                "end the lab with the Telaio that started it (`telaio down -l {lab}`) and start it again"
            )),
            Self::Gone(_) => Some("`telaio ls` lists what is running".into()),
            Self::Forbidden(_) => Some("ask as that user; for root's labs: with `sudo`".into()),
            Self::NotStarted { .. } | Self::Nonsense { .. } | Self::Io { .. } => None,
        }
    }
}

/// A capture that runs until this is dropped, the lab ends, or nobody reads its output.
#[derive(Debug)]
pub struct Capture(Connection);

/// What happened in a lab, oldest first; waits for more if it follows.
#[derive(Debug)]
pub struct Events(Connection);

impl Client {
    /// For the lab at this place.
    pub fn new(place: &Place) -> Self {
        let note = place.note();
        Self {
            name: place.name().into(),
            control: place.control(),
            version: note.version,
            protocol: note.protocol,
        }
    }

    /// For the lab of this name behind a control socket.
    pub fn at(name: &str, control: &Path) -> Self {
        Self {
            name: name.into(),
            control: control.into(),
            version: String::new(),
            protocol: proto::VERSION,
        }
    }

    /// The lab's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn ask(&self, request: &Request, fds: &[BorrowedFd<'_>]) -> Result<Connection, Error> {
        if self.protocol != proto::VERSION {
            return Err(Error::Version {
                lab: self.name.clone(),
                theirs: self.version.clone(),
            });
        }
        let connection = Connection::open(&self.name, &self.control)?;
        connection.send(request, fds)?;
        Ok(connection)
    }

    fn ask_once(&self, request: &Request) -> Result<Reply, Error> {
        self.ask(request, &[])?.reply()
    }

    fn nonsense(&self, reply: &Reply) -> Error {
        connection::nonsense(&self.name, reply)
    }

    fn do_it(&self, request: &Request) -> Result<(), Error> {
        match self.ask_once(request)? {
            Reply::Done => Ok(()),
            other => Err(self.nonsense(&other)),
        }
    }

    /// The lab as it is now.
    pub fn status(&self) -> Result<Status, Error> {
        match self.ask_once(&Request::Status)? {
            Reply::Status(status) => Ok(*status),
            other => Err(self.nonsense(&other)),
        }
    }

    /// The lab as it was read.
    pub fn lab(&self) -> Result<lab::Lab, Error> {
        match self.ask_once(&Request::Lab)? {
            Reply::Lab(lab) => Ok(*lab),
            other => Err(self.nonsense(&other)),
        }
    }

    /// What happened so far and, if asked to follow, what happens from now on.
    pub fn events(&self, follow: bool) -> Result<Events, Error> {
        self.ask(&Request::Events { follow }, &[]).map(Events)
    }

    /// Runs a command with these as its standard input, output and error: pipes, never a file
    /// or terminal of the host's.
    pub fn exec(&self, command: &Command, stdio: [BorrowedFd<'_>; 3]) -> Result<Running, Error> {
        let request = exec_request(command, None);
        Running::started(self.ask(&request, &stdio)?).map(|(running, _)| running)
    }

    /// Runs a command on a new terminal of so many rows and columns; also gives the terminal's
    /// master side.
    pub fn exec_on_terminal(
        &self,
        command: &Command,
        size: (u16, u16),
    ) -> Result<(Running, OwnedFd), Error> {
        let request = exec_request(command, Some(size));
        let (running, terminal) = Running::started(self.ask(&request, &[])?)?;
        match terminal {
            Some(terminal) => Ok((running, terminal)),
            None => Err(Error::Nonsense {
                lab: self.name.clone(),
                text: "no terminal came with its answer".into(),
            }),
        }
    }

    /// A node's output so far, and its scripts.
    pub fn log(&self, node: &str) -> Result<(String, Vec<ScriptRun>), Error> {
        match self.ask_once(&Request::Log { node: node.into() })? {
            Reply::Log { text, scripts } => Ok((text, scripts)),
            other => Err(self.nonsense(&other)),
        }
    }

    /// Ends and starts a node again; its startup then runs on.
    pub fn restart(&self, node: &str) -> Result<(), Error> {
        self.do_it(&Request::Restart { node: node.into() })
    }

    /// Puts an interface's cable back (`on`) or pulls it out.
    pub fn plug(&self, node: &str, interface: &str, on: bool) -> Result<(), Error> {
        self.do_it(&Request::Plug {
            node: node.into(),
            interface: interface.into(),
            on,
        })
    }

    /// Has a pcapng stream of an interface (`node:interface`) or a segment written to `output`.
    pub fn capture(
        &self,
        target: &str,
        raw: bool,
        snaplen: Option<u32>,
        output: BorrowedFd<'_>,
    ) -> Result<Capture, Error> {
        let request = Request::Capture {
            target: target.into(),
            raw,
            snaplen,
        };
        let mut connection = self.ask(&request, &[output])?;
        match connection.reply()? {
            Reply::Done => Ok(Capture(connection)),
            other => Err(self.nonsense(&other)),
        }
    }

    /// Ends the lab: shutdown scripts may take `grace` seconds. Returns once its processes are
    /// gone; [`Place::wait_gone`] waits for the broker to have cleaned up.
    pub fn down(&self, grace: f64) -> Result<(), Error> {
        let mut connection = self.ask(&Request::Down { grace }, &[])?;
        match connection.reply() {
            Ok(Reply::Done) => {}
            Ok(other) => return Err(self.nonsense(&other)),
            // it ended before it could say so
            Err(Error::Gone(_)) => return Ok(()),
            Err(e) => return Err(e),
        }
        match connection.reply() {
            Err(Error::Gone(_)) => Ok(()),
            Err(e) => Err(e),
            Ok(other) => Err(self.nonsense(&other)),
        }
    }
}

fn exec_request(command: &Command, tty: Option<(u16, u16)>) -> Request {
    Request::Exec {
        node: command.node.clone(),
        argv: command.argv.clone(),
        env: command.env.clone(),
        tty,
        cwd: command.cwd.clone(),
    }
}

impl AsFd for Capture {
    /// Readable (closed) when the capture is over.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Events {
    /// The events that have come: one read, to be called when [`Events::as_fd`] is readable.
    /// `None`: the lab has ended.
    pub fn poll(&mut self) -> Result<Option<Vec<Event>>, Error> {
        if !self.0.read_some()? {
            return Ok(None);
        }
        let mut out = Vec::new();
        while let Some(reply) = self.0.take()? {
            match reply {
                Reply::Event(event) => out.push(event),
                other => return Err(self.0.nonsense(&other)),
            }
        }
        Ok(Some(out))
    }
}

impl Iterator for Events {
    type Item = Result<Event, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.0.reply() {
            Ok(Reply::Event(event)) => Some(Ok(event)),
            Ok(other) => Some(Err(self.0.nonsense(&other))),
            Err(Error::Gone(_)) => None,
            Err(e) => Some(Err(e)),
        }
    }
}

impl AsFd for Events {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests;
