//! A node as the supervisor sees it.

use std::os::fd::OwnedFd;
use std::time::Instant;

use nodes::namespace::Process;
use panel::FarEnd;

use crate::proto::{NodeState, ScriptRun};

/// What a node is doing, finer than [`NodeState`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Its process is being started, builds its root and gets its interfaces.
    Making,
    /// Its interfaces are set up; it waits for its startup.
    Made,
    /// Startup scripts run.
    Starting,
    /// Startup has ended.
    Up,
    /// Shutdown scripts run.
    Leaving,
    /// No process.
    Gone,
}

/// A node's runtime.
pub(super) struct Node {
    pub(super) process: Option<Process>,
    /// Its network namespace, held so that its interfaces outlive its processes.
    pub(super) network: Option<OwnedFd>,
    /// A new network namespace that its interfaces have yet to come into.
    pub(super) next_network: Option<OwnedFd>,
    pub(super) rooted: bool,
    pub(super) wired: bool,
    /// Its limits are set, or cannot be.
    pub(super) confined: bool,
    pub(super) stage: Stage,
    pub(super) state: NodeState,
    /// Far ends of its interfaces, in the order of the lab.
    pub(super) ends: Vec<FarEnd>,
    /// Whether each one's cable is in.
    pub(super) plugged: Vec<bool>,
    pub(super) scripts: Vec<ScriptRun>,
    pub(super) log: Option<OwnedFd>,
    pub(super) restarts: u32,
    /// Start again once the process has ended; clients that wait for that.
    pub(super) restarting: Option<Vec<u64>>,
    /// When its shutdown scripts have run long enough.
    pub(super) leave_by: Option<Instant>,
}

impl Node {
    pub(super) fn new(node: &lab::Node) -> Self {
        Self {
            process: None,
            network: None,
            next_network: None,
            rooted: false,
            wired: false,
            confined: false,
            stage: Stage::Gone,
            state: NodeState::Waiting,
            ends: Vec::new(),
            plugged: vec![true; node.interfaces.len()],
            scripts: Vec::new(),
            log: None,
            restarts: 0,
            restarting: None,
            leave_by: None,
        }
    }

    /// Whether startup has ended, well or not.
    pub(super) fn has_started(&self) -> bool {
        matches!(self.state, NodeState::Ready | NodeState::Failed)
    }
}
