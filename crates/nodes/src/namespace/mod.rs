//! Nodes as sets of namespaces: own network, processes, mounts, host name and IPC.

mod init;
mod script;
mod session;
mod setup;

use std::io;
use std::os::fd::{AsFd, OwnedFd};

pub use self::setup::hosts;
use lab::{Lab, Snapshot};
use sandbox::Base;
use sys::process::{Child, Namespaces};

/// All that a node's process 1 needs; it reads this from the memory that it was cloned with.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The lab.
    pub lab: &'a Lab,
    /// Its files.
    pub snapshot: &'a Snapshot,
    /// The base of all private roots.
    pub base: &'a Base,
    /// `/etc/hosts` of every node, without the node's own line.
    pub hosts: &'a str,
    /// Whether the lab has one identity only, so that changes of it are answered as done.
    pub single_id: bool,
}

/// A node's process 1, and the supervisor's side of its socket (non-blocking).
#[derive(Debug)]
pub struct Process {
    /// The process.
    pub child: Child,
    /// Carries [`crate::message`]s.
    pub socket: OwnedFd,
}

/// Starts a node's process 1 in new namespaces. It reports itself: first
/// [`crate::message::FromNode::Network`], then `Rooted` or `Broken`.
pub fn start(context: Context<'_>, node: &str) -> io::Result<Process> {
    let (ours, theirs) = sys::fdpass::packet_pair()?;
    let namespaces = Namespaces::PID
        .and(Namespaces::MOUNT)
        .and(Namespaces::NET)
        .and(Namespaces::UTS)
        .and(Namespaces::IPC);
    let child = sys::process::clone(namespaces, || {
        // all else that this copy of the supervisor has open is not the node's
        let mut keep = context.base.descriptors();
        keep.push(theirs.as_fd());
        if sys::process::close_all_but(&keep).is_err() {
            return 1;
        }
        init::run(context, node, theirs)
    })?;
    rustix::io::ioctl_fionbio(&ours, true)?;
    Ok(Process {
        child,
        socket: ours,
    })
}
