//! What the broker (on the host's side) and the supervisor (inside the lab) say to each other:
//! JSON documents over a socket that keeps message boundaries, with descriptors alongside.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Largest message in bytes.
const LARGEST: usize = 64 << 10;

/// To the supervisor.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum ToSupervisor {
    /// Identities are mapped: begin.
    Begin {
        /// Folders of `layers` that came as detached mounts; the first descriptors.
        layers: usize,
        /// Whether the redirect program and its map come as the last two descriptors.
        redirect: bool,
        /// What people should know.
        warnings: Vec<String>,
    },
    /// End the lab, as a client's `down` would.
    End,
    /// Which limits of a node could not be set.
    Confined {
        /// The node.
        node: String,
        /// Why, if anything went wrong.
        problem: Option<String>,
    },
    /// An interface of the host could not be joined: the segment goes on without it.
    NotAttached {
        /// What and why.
        problem: String,
    },
}

/// To the broker.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum ToBroker {
    /// Set a node's limits on memory (bytes) and processors (cores); its pidfd comes along.
    Confine {
        /// The node.
        node: String,
        /// Bytes.
        memory: Option<u64>,
        /// Cores.
        cpus: Option<f64>,
    },
    /// Join an interface of the host to one that stands ready in the panel, whose network
    /// namespace comes along.
    Attach {
        /// Its name in the panel.
        ready: String,
        /// The interface of the host.
        interface: String,
        /// Only frames with this 802.1Q tag.
        vlan: Option<u16>,
    },
    /// The lab cannot be made: its one message, and how to mend it.
    Failed {
        /// What.
        message: String,
        /// Mend.
        help: Option<String>,
    },
    /// The supervisor listens: clients may come.
    Serving,
}

/// Sends a message.
pub(crate) fn send<T: Serialize>(
    socket: impl AsFd,
    message: &T,
    fds: &[BorrowedFd<'_>],
) -> io::Result<()> {
    sys::fdpass::send(socket, &serde_json::to_vec(message)?, fds).map(drop)
}

/// Receives a message; `None`: the other side is gone.
pub(crate) fn receive<T: DeserializeOwned>(
    socket: impl AsFd,
) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
    let mut bytes = vec![0; LARGEST];
    let (n, fds) = sys::fdpass::receive(socket, &mut bytes)?;
    if n == 0 {
        return Ok(None);
    }
    Ok(Some((serde_json::from_slice(&bytes[..n])?, fds)))
}
