//! Nodes' lives: made, started in the order of their dependencies, restarted, ended.

use std::time::{Duration, Instant};

use indexmap::IndexMap;
use lab::Profile;
use nodes::message::{FromNode, ToNode, receive, send};
use nodes::namespace;

use super::node::{Node, Stage};
use super::{NODES, SIGKILL, Supervisor};
use crate::aside::{self, ToBroker};
use crate::proto::{Failure, NodeState, Reply, ScriptRun, What};

/// How long a restarted node's shutdown scripts may take.
const RESTART_GRACE: Duration = Duration::from_secs(10);

/// Where the lab as a whole is.
#[derive(Debug, Default)]
pub(super) struct Life {
    /// All nodes and wires are there.
    pub(super) built: bool,
    /// Every startup has ended.
    pub(super) all_ready: bool,
    /// It ends, at the latest then.
    pub(super) ends_by: Option<Instant>,
}

impl Life {
    pub(super) fn deadline(&self, nodes: &IndexMap<&str, Node>) -> Option<Instant> {
        let leaving = nodes.values().filter_map(|n| n.leave_by);
        leaving.chain(self.ends_by).min()
    }
}

impl Supervisor<'_> {
    /// Starts every node's process.
    pub(super) fn make_all(&mut self) {
        for index in 0..self.nodes.len() {
            self.make(index);
        }
        if self.nodes.is_empty() {
            self.note_built();
        }
    }

    fn make(&mut self, index: usize) {
        let name = self.name(index);
        let process = match namespace::start(self.context, name) {
            Ok(process) => process,
            Err(e) => return self.broken(index, format!("its process cannot be started: {e}")),
        };
        if let Err(e) = self.poller.add(&process.socket, NODES + index as u64) {
            return self.broken(index, format!("it cannot be listened to: {e}"));
        }
        let confined = !self.confine(name, &process);
        let node = &mut self.nodes[index];
        node.process = Some(process);
        node.stage = Stage::Making;
        (node.rooted, node.wired, node.confined) = (false, false, confined);
    }

    /// Asks the broker to set a node's limits; whether it will answer.
    fn confine(&mut self, name: &str, process: &namespace::Process) -> bool {
        use std::os::fd::AsFd;
        let limits = &self.start.lab.nodes[name].limits;
        if limits.memory.is_none() && limits.cpus.is_none() {
            return false;
        }
        let message = ToBroker::Confine {
            node: name.into(),
            memory: limits.memory,
            cpus: limits.cpus,
        };
        if let Err(e) = aside::send(self.broker, &message, &[process.child.pidfd.as_fd()]) {
            self.warn(Some(name), format!("limits not set: {e}"));
            return false;
        }
        true
    }

    /// A node that cannot be made: while the lab is being built that ends the lab.
    pub(super) fn broken(&mut self, index: usize, message: String) {
        let name = self.name(index);
        let node = &mut self.nodes[index];
        (node.stage, node.state) = (Stage::Gone, NodeState::Stopped);
        if let Some(process) = &node.process {
            let _ = process.child.signal(SIGKILL);
        }
        let waiting = node.restarting.take().unwrap_or_default();
        for client in waiting {
            self.refuse(
                client,
                format!("`{name}` cannot be made again: {message}"),
                None,
            );
        }
        self.events.push(Some(name), What::Broken { message });
    }

    /// A message of a node, which is not trusted: what it cannot say ends it.
    pub(super) fn hear_node(&mut self, index: usize) {
        let Some((_, node)) = self.nodes.get_index(index) else {
            return;
        };
        let Some(process) = &node.process else {
            return;
        };
        match receive::<FromNode>(&process.socket) {
            Ok(Some((message, fds))) => self.obey_node(index, message, fds),
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {}
            Ok(None) | Err(_) => {
                let _ = self.poller.remove(&process.socket);
                let _ = process.child.signal(SIGKILL);
            }
        }
    }

    fn obey_node(&mut self, index: usize, message: FromNode, fds: Vec<std::os::fd::OwnedFd>) {
        let name = self.name(index);
        let node = &mut self.nodes[index];
        match message {
            FromNode::Network => node.next_network = fds.into_iter().next(),
            FromNode::Rooted { warnings } => {
                node.log = fds.into_iter().next();
                node.rooted = true;
                warnings.into_iter().for_each(|w| self.warn(Some(name), w));
                self.configure_when_ready(index);
            }
            FromNode::Configured { warnings } => {
                node.stage = Stage::Made;
                warnings.into_iter().for_each(|w| self.warn(Some(name), w));
                self.made(index);
            }
            FromNode::Broken { message } => self.broken(index, message),
            FromNode::ScriptBegan { title } => {
                node.scripts.push(ScriptRun {
                    title,
                    ..ScriptRun::default()
                });
            }
            FromNode::ScriptEnded {
                status,
                seconds,
                failures,
            } => {
                self.script_ended(index, status, seconds, failures);
            }
            FromNode::StartupEnded => self.startup_ended(index),
            FromNode::ShutdownEnded => self.shut(index),
            FromNode::Started { id, pid } => self.command_started(id, pid, fds),
            FromNode::Refused {
                id,
                status,
                message,
            } => self.command_refused(id, status, &message),
            FromNode::Exited { id, status } => self.command_ended(id, status),
        }
    }

    /// Its root and its interfaces are made at the same time; both must be there.
    pub(super) fn configure_when_ready(&mut self, index: usize) {
        let node = &self.nodes[index];
        if node.rooted && node.wired && node.confined && node.stage == Stage::Making {
            self.tell(index, &ToNode::Configure);
        }
    }

    pub(super) fn tell(&mut self, index: usize, message: &ToNode) {
        let sent = match &self.nodes[index].process {
            Some(process) => send(&process.socket, message, &[]),
            None => return,
        };
        if let Err(e) = sent {
            let name = self.name(index);
            self.warn(Some(name), format!("it does not listen: {e}"));
        }
    }

    fn made(&mut self, index: usize) {
        if !self.life.built {
            if self.nodes.values().all(|n| n.stage == Stage::Made) {
                self.note_built();
            }
        } else {
            self.start_when_free(index);
        }
    }

    fn note_built(&mut self) {
        self.life.built = true;
        // interfaces that are down until a script sets them up count as that from now on
        if let Err(e) = self.panel.settle() {
            self.warn(None, e.to_string());
        }
        self.events.push(None, What::Built);
        for index in 0..self.nodes.len() {
            self.start_when_free(index);
        }
        self.note_all_ready();
    }

    /// Begins a node's startup if nothing that it depends on is still to end its own.
    fn start_when_free(&mut self, index: usize) {
        let name = self.name(index);
        let node = &self.nodes[index];
        // a node that is blocked stays as it was made, and has failed
        if !self.life.built || node.stage != Stage::Made || node.state == NodeState::Failed {
            return;
        }
        // a circle is refused before the lab starts
        let wanted = &self.start.lab.nodes[name].depends_on;
        if !wanted
            .iter()
            .filter_map(|w| self.nodes.get(w.as_str()))
            .all(Node::has_started)
        {
            return;
        }
        let failed = wanted.iter().find(|w| {
            self.nodes
                .get(w.as_str())
                .is_some_and(|n| n.state == NodeState::Failed)
        });
        if let Some(by) = failed {
            if self.start.lab.profile == Profile::Telaio {
                self.nodes[index].state = NodeState::Failed;
                self.events
                    .push(Some(name), What::Blocked { by: by.clone() });
                return self.release_dependents();
            }
            self.warn(
                Some(name),
                format!("starts although the startup of `{by}` failed"),
            );
        }
        let node = &mut self.nodes[index];
        (node.stage, node.state) = (Stage::Starting, NodeState::Starting);
        self.events.push(Some(name), What::Starting);
        self.tell(index, &ToNode::Startup);
        self.answer_restart(index);
    }

    fn answer_restart(&mut self, index: usize) {
        let name = self.name(index);
        if let Some(waiting) = self.nodes[index].restarting.take() {
            self.events.push(Some(name), What::Restarted);
            for client in waiting {
                self.reply_last(client, &Reply::Done);
            }
        }
    }

    fn script_ended(
        &mut self,
        index: usize,
        status: i32,
        seconds: f64,
        failures: Vec<(u32, i32, String)>,
    ) {
        let name = self.name(index);
        let failure = |(line, status, command)| Failure {
            line,
            status,
            command,
        };
        let failures: Vec<Failure> = failures.into_iter().map(failure).collect();
        let Some(run) = self.nodes[index].scripts.last_mut() else {
            return;
        };
        (run.status, run.seconds) = (Some(status), seconds);
        run.failures.clone_from(&failures);
        let title = run.title.clone();
        self.events.push(
            Some(name),
            What::Script {
                title,
                status,
                failures,
            },
        );
    }

    fn startup_ended(&mut self, index: usize) {
        let name = self.name(index);
        let node = &mut self.nodes[index];
        node.stage = Stage::Up;
        let failed = node
            .scripts
            .iter()
            .find(|s| s.status.is_some_and(|s| s != 0));
        let what = match failed {
            None => What::Ready,
            Some(script) => What::Failed {
                message: format!(
                    "{} ended with status {}",
                    script.title,
                    script.status.unwrap_or(0)
                ),
            },
        };
        node.state = if failed.is_none() {
            NodeState::Ready
        } else {
            NodeState::Failed
        };
        self.events.push(Some(name), what);
        self.release_dependents();
    }

    fn release_dependents(&mut self) {
        for index in 0..self.nodes.len() {
            self.start_when_free(index);
        }
        self.note_all_ready();
    }

    fn note_all_ready(&mut self) {
        if !self.life.all_ready && self.nodes.values().all(Node::has_started) {
            self.life.all_ready = true;
            self.events.push(None, What::AllReady);
        }
    }

    /// Ends a node, its shutdown scripts first, and starts it again; its wires stay.
    pub(super) fn restart(&mut self, index: usize, client: u64) {
        let name = self.name(index);
        let has_scripts = self
            .start
            .snapshot
            .shutdown
            .get(name)
            .is_some_and(|s| !s.is_empty());
        let node = &mut self.nodes[index];
        if let Some(waiting) = &mut node.restarting {
            return waiting.push(client);
        }
        node.restarting = Some(vec![client]);
        match (node.stage, &node.process) {
            (Stage::Gone, None) => self.make_again(index),
            (Stage::Starting | Stage::Up, Some(_)) if has_scripts => {
                node.stage = Stage::Leaving;
                node.leave_by = Some(Instant::now() + RESTART_GRACE);
                self.tell(index, &ToNode::Shutdown);
            }
            (_, Some(process)) => {
                let _ = process.child.signal(SIGKILL);
            }
            (_, None) => self.make_again(index),
        }
    }

    fn make_again(&mut self, index: usize) {
        let name = self.name(index);
        if let Err(e) = self.context.base.forget(name) {
            self.warn(Some(name), format!("its old files stay: {e}"));
        }
        let node = &mut self.nodes[index];
        node.restarts += 1;
        node.state = NodeState::Waiting;
        node.scripts.clear();
        node.log = None;
        self.make(index);
    }

    /// A node's shutdown scripts have ended, or have had their time.
    fn shut(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        node.leave_by = None;
        if node.stage != Stage::Leaving {
            return;
        }
        if let Some(process) = &node.process {
            let _ = process.child.signal(SIGKILL);
        }
    }

    /// A child ended: a node's process 1, the capture process, or somebody's orphan.
    pub(super) fn process_ended(&mut self, pid: i32, _status: i32) {
        let is_it = |n: &Node| n.process.as_ref().is_some_and(|p| p.child.pid == pid);
        let Some(index) = self.nodes.values().position(is_it) else {
            return self.captures.ended(pid);
        };
        let name = self.name(index);
        let node = &mut self.nodes[index];
        node.process = None;
        node.leave_by = None;
        let broken = node.stage == Stage::Gone;
        (node.stage, node.state) = (Stage::Gone, NodeState::Stopped);
        self.commands_lost(index);
        if self.life.ends_by.is_some() {
            return self.end_when_all_left();
        }
        if self.nodes[index].restarting.is_some() {
            return self.make_again(index);
        }
        if !broken {
            self.events.push(Some(name), What::Stopped);
        }
    }

    /// Ends the lab: shutdown scripts first, for at most `grace`.
    pub(super) fn end(&mut self, grace: Duration) {
        let by = Instant::now() + grace;
        if let Some(earlier) = self.life.ends_by {
            self.life.ends_by = Some(earlier.min(by));
            return;
        }
        self.life.ends_by = Some(by);
        self.events.push(None, What::Ending);
        if grace.is_zero() {
            self.over = true;
            return;
        }
        for index in 0..self.nodes.len() {
            let name = self.name(index);
            let scripts = self.start.snapshot.shutdown.get(name);
            let started = matches!(self.nodes[index].stage, Stage::Starting | Stage::Up);
            if started && scripts.is_some_and(|s| !s.is_empty()) {
                self.nodes[index].stage = Stage::Leaving;
                self.tell(index, &ToNode::Shutdown);
            }
        }
        self.end_when_all_left();
    }

    fn end_when_all_left(&mut self) {
        if self.nodes.values().all(|n| n.stage != Stage::Leaving) {
            self.over = true;
        }
    }

    /// What is due by now.
    pub(super) fn keep_time(&mut self) {
        let now = Instant::now();
        if self.life.ends_by.is_some_and(|by| by <= now) {
            self.over = true;
        }
        for index in 0..self.nodes.len() {
            if self.nodes[index].leave_by.is_some_and(|by| by <= now) {
                self.shut(index);
            }
        }
    }
}
