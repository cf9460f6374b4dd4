//! What a supervisor and a node's process 1 say to each other, one JSON document a packet.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Largest message in bytes.
const LARGEST: usize = 128 << 10;

/// To a node.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum ToNode {
    /// Its interfaces are there: addresses, routes, kernel parameters.
    Configure,
    /// Runs its startup scripts, one after the other.
    Startup,
    /// Runs its shutdown scripts.
    Shutdown,
    /// Runs a command; three descriptors come along unless it gets a terminal.
    Exec(Box<Exec>),
    /// Passes a signal to a command.
    Signal {
        /// The command's number.
        id: u64,
        /// The signal.
        signal: i32,
    },
    /// Whoever started a command is gone: SIGHUP, later SIGKILL.
    Hangup {
        /// The command's number.
        id: u64,
    },
}

/// A command to run in a node.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Exec {
    /// Chosen by the supervisor.
    pub id: u64,
    /// Program and arguments; empty: a login shell.
    pub argv: Vec<String>,
    /// Added to the environment.
    pub env: Vec<(String, String)>,
    /// Rows and columns of its terminal, if it gets one.
    pub tty: Option<(u16, u16)>,
    /// Working folder.
    pub cwd: Option<String>,
}

/// From a node.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum FromNode {
    /// It has its network namespace, whose descriptor comes along.
    Network,
    /// It has its private root; the descriptor of its log comes along.
    Rooted {
        /// What people should know.
        warnings: Vec<String>,
    },
    /// Its interfaces are set up.
    Configured {
        /// What people should know.
        warnings: Vec<String>,
    },
    /// It cannot be made or set up; its process ends.
    Broken {
        /// Why.
        message: String,
    },
    /// A script begins.
    ScriptBegan {
        /// Its title.
        title: String,
    },
    /// A script ended.
    ScriptEnded {
        /// Its exit status.
        status: i32,
        /// What it took.
        seconds: f64,
        /// Commands in it that failed: line, exit status, command.
        failures: Vec<(u32, i32, String)>,
    },
    /// All startup scripts have ended.
    StartupEnded,
    /// All shutdown scripts have ended.
    ShutdownEnded,
    /// A command runs; the terminal's master side comes along if it has one.
    Started {
        /// The command's number.
        id: u64,
        /// Its process number in the node.
        pid: i32,
    },
    /// A command could not be started.
    Refused {
        /// The command's number.
        id: u64,
        /// Exit status that a shell would give: 126 or 127.
        status: i32,
        /// Why.
        message: String,
    },
    /// A command ended.
    Exited {
        /// The command's number.
        id: u64,
        /// Its exit status.
        status: i32,
    },
}

/// Sends a message.
pub fn send<T: Serialize>(
    socket: impl AsFd,
    message: &T,
    fds: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let bytes = serde_json::to_vec(message)?;
    if bytes.len() > LARGEST {
        let text = format!(
            "a message of {} bytes is too long (at most {LARGEST})",
            bytes.len()
        );
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    sys::fdpass::send(socket, &bytes, fds).map(drop)
}

/// Receives a message; `None`: the other side is gone.
pub fn receive<T: DeserializeOwned>(socket: impl AsFd) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
    let mut bytes = vec![0; LARGEST];
    let (n, fds) = sys::fdpass::receive(socket, &mut bytes)?;
    if n == 0 {
        return Ok(None);
    }
    Ok(Some((serde_json::from_slice(&bytes[..n])?, fds)))
}
