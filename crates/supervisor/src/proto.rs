//! What clients and a lab's supervisor say to each other over the control socket.
//!
//! Each message is a little-endian `u32` length and that many bytes of JSON; file descriptors
//! ride along with the first byte (`SCM_RIGHTS`). A connection carries one [`Request`] and then
//! [`Reply`]s until the request is done; only [`Request::Exec`] takes more from the client
//! ([`Request::Signal`]).

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// Version of this protocol: a client and a lab that differ in it do not talk.
pub const VERSION: u32 = 1;

/// What a client asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// The lab as it is now: one [`Reply::Status`].
    Status,
    /// The lab as it was read: one [`Reply::Lab`].
    Lab,
    /// [`Reply::Event`]s from the first to the latest and then, if `follow`, as they happen.
    Events {
        /// Whether to stay.
        follow: bool,
    },
    /// Runs a command in a node: [`Reply::Started`], then [`Reply::Exited`]. Without `tty` three
    /// descriptors come with it (standard input, output, error; pipes of the client's, never its
    /// own terminal or files); with `tty`, `Started` brings the master side of a new terminal.
    /// When the connection ends early the command gets SIGHUP, then SIGKILL.
    Exec {
        /// The node.
        node: String,
        /// The command; empty: the node's shell as a login shell.
        argv: Vec<String>,
        /// Added to the node's environment.
        #[serde(default)]
        env: IndexMap<String, String>,
        /// Rows and columns, when it runs on a terminal.
        #[serde(default)]
        tty: Option<(u16, u16)>,
        /// Working folder, `/root` by default.
        #[serde(default)]
        cwd: Option<String>,
    },
    /// Passes a signal to the running command of this connection.
    Signal {
        /// Its number.
        signal: i32,
    },
    /// A node's startup (and shutdown) output so far: one [`Reply::Log`].
    Log {
        /// The node.
        node: String,
    },
    /// Ends and starts a node again; its wires stay: [`Reply::Done`] when it is started (its
    /// startup runs on; follow the events for its end).
    Restart {
        /// The node.
        node: String,
    },
    /// Pulls out or puts back an interface's cable: [`Reply::Done`].
    Plug {
        /// The node.
        node: String,
        /// The interface.
        interface: String,
        /// Put back (true) or pulled out (false).
        on: bool,
    },
    /// Writes a pcapng stream to the one descriptor that comes along, until that or this
    /// connection is closed: [`Reply::Done`] once the capture has begun.
    Capture {
        /// `node:interface` or a segment's name.
        target: String,
        /// As the kernel passes frames, without segmenting and checksumming.
        raw: bool,
        /// Bytes kept of each frame.
        #[serde(default)]
        snaplen: Option<u32>,
    },
    /// Runs shutdown scripts (at most `grace` seconds) and ends the lab: [`Reply::Done`], then
    /// the connection closes when all is gone.
    Down {
        /// Seconds for shutdown scripts; 0 ends at once.
        grace: f64,
    },
}

/// What the supervisor answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Reply {
    /// It cannot be done; a message for people.
    Error {
        /// What and why.
        message: String,
        /// How to mend it.
        #[serde(default)]
        help: Option<String>,
    },
    /// Done.
    Done,
    /// The lab as it is.
    Status(Box<Status>),
    /// The lab as it was read.
    Lab(Box<lab::Lab>),
    /// Something happened.
    Event(Event),
    /// A command runs.
    Started {
        /// Its process number as the node sees it.
        pid: i32,
    },
    /// A command ended.
    Exited {
        /// Its exit status; 128 and the signal's number when a signal ended it.
        status: i32,
    },
    /// A command could not be started.
    Refused {
        /// Exit status that a shell would give: 126 or 127.
        status: i32,
        /// Why.
        message: String,
    },
    /// A node's output.
    Log {
        /// All of it.
        text: String,
        /// Scripts so far.
        scripts: Vec<ScriptRun>,
    },
}

/// A lab as it is now.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Status {
    /// Its name.
    pub name: String,
    /// The file or folder it was read from.
    pub source: String,
    /// Seconds since 1970 of its start.
    pub started: f64,
    /// Process number of its broker on the host.
    pub broker: i32,
    /// Whether it has root's powers or a user's.
    pub rootless: bool,
    /// Whether all nodes and wires are there.
    pub built: bool,
    /// Whether every startup has ended.
    pub ready: bool,
    /// Its nodes.
    pub nodes: IndexMap<String, NodeStatus>,
    /// Its segments and links.
    pub segments: IndexMap<String, SegmentStatus>,
}

/// A node as it is now.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NodeStatus {
    /// Where it is in its life.
    pub state: NodeState,
    /// Process number of its init, as the lab's own processes count (0 when it does not run).
    pub pid: i32,
    /// Interfaces in order.
    pub interfaces: IndexMap<String, InterfaceStatus>,
    /// Startup scripts that ended or run.
    pub scripts: Vec<ScriptRun>,
    /// How often it was restarted.
    pub restarts: u32,
    /// Nodes it waits for or waited for.
    pub depends_on: Vec<String>,
}

/// Where a node is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeState {
    /// Being made, or waiting for a dependency.
    #[default]
    Waiting,
    /// Its startup runs.
    Starting,
    /// Its startup has ended well.
    Ready,
    /// Its startup has ended with a failed command; it runs all the same.
    Failed,
    /// It does not run.
    Stopped,
}

/// An interface as it is now.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct InterfaceStatus {
    /// Its segment.
    pub segment: Option<String>,
    /// Its hardware address.
    pub mac: String,
    /// Whether its cable is in.
    pub plugged: bool,
}

/// A segment as it is now.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SegmentStatus {
    /// `wire` (two members), `bridge` (more) or `open` (fewer).
    pub kind: String,
    /// `node:interface`.
    pub members: Vec<String>,
}

/// A script of a node.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ScriptRun {
    /// Its file or text.
    pub title: String,
    /// Its exit status; none while it runs.
    pub status: Option<i32>,
    /// Seconds that it took.
    pub seconds: f64,
    /// Commands in it that failed.
    pub failures: Vec<Failure>,
}

/// A failed command of a script.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Line in the script.
    pub line: u32,
    /// Exit status.
    pub status: i32,
    /// The command.
    pub command: String,
}

/// Something that happened in a lab.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// Seconds since the lab's start.
    pub at: f64,
    /// The node, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum What {
    /// All nodes and wires are there; playing begins.
    Built,
    /// A node cannot be made. While the lab is being built this is the end of it: whoever
    /// started it takes it down.
    Broken {
        /// Why.
        message: String,
    },
    /// A node's startup begins.
    Starting,
    /// A script of it ended.
    Script {
        /// Its title.
        title: String,
        /// Its exit status.
        status: i32,
        /// Commands in it that failed.
        failures: Vec<Failure>,
    },
    /// A node's startup ended well.
    Ready,
    /// A node's startup ended with a failed command.
    Failed {
        /// Which.
        message: String,
    },
    /// A node will never start, for a dependency of it failed.
    Blocked {
        /// The dependency.
        by: String,
    },
    /// A node ended.
    Stopped,
    /// A node is started again.
    Restarted,
    /// A cable was pulled out or put back.
    Plugged {
        /// The interface.
        interface: String,
        /// Put back.
        on: bool,
    },
    /// Every startup has ended.
    AllReady,
    /// The lab ends.
    Ending,
    /// Something that people should know.
    Warning {
        /// What.
        message: String,
    },
}
