//! A node's process 1: builds the node around itself, then serves messages and reaps.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use sys::epoll::{Poller, Signals};
use sys::process;

use super::script::{Phase, Running, Script};
use super::session::Sessions;
use super::{Context, setup};
use crate::message::{FromNode, ToNode, receive, send};

const MESSAGES: u64 = 0;
const SIGNALS: u64 = 1;
const SIGHUP: i32 = 1;
const SIGKILL: i32 = 9;
const SIGCHLD: i32 = 17;
const SIGTERM: i32 = 15;

/// Runs as process 1 until the supervisor goes away; returns the exit status.
pub(super) fn run(context: Context<'_>, node: &str, socket: OwnedFd) -> i32 {
    // a node's init must not outlive its supervisor, whatever ends that
    if process::die_with_parent(SIGKILL).is_err() {
        return 1;
    }
    process::set_name(&format!("telaio: {node}"));
    let log = match setup::build(context, node, &socket) {
        Ok(log) => log,
        Err(message) => {
            let _ = send(&socket, &FromNode::Broken { message }, &[]);
            return 1;
        }
    };
    let served = Init::new(context, node, socket, log).and_then(|mut init| init.serve());
    i32::from(served.is_err())
}

struct Init<'a> {
    context: Context<'a>,
    node: &'a str,
    socket: OwnedFd,
    log: OwnedFd,
    poller: Poller,
    signals: Signals,
    queue: VecDeque<Script<'a>>,
    running: Option<(Running, Phase)>,
    sessions: Sessions,
    /// Process groups that get SIGKILL at a time, unless they end before.
    doomed: Vec<(Instant, i32)>,
}

impl<'a> Init<'a> {
    fn new(context: Context<'a>, node: &'a str, socket: OwnedFd, log: OwnedFd) -> io::Result<Self> {
        let poller = Poller::new()?;
        let signals = Signals::new(&[SIGCHLD, SIGTERM, SIGHUP])?;
        poller.add(&socket, MESSAGES)?;
        poller.add(&signals, SIGNALS)?;
        Ok(Self {
            context,
            node,
            socket,
            log,
            poller,
            signals,
            queue: VecDeque::new(),
            running: None,
            sessions: Sessions::default(),
            doomed: Vec::new(),
        })
    }

    fn serve(&mut self) -> io::Result<()> {
        loop {
            let next = self.doomed.iter().map(|(at, _)| *at).min();
            let timeout = next.map(|at| at.saturating_duration_since(Instant::now()));
            for ready in self.poller.wait(timeout)? {
                match ready.token {
                    MESSAGES => match receive(&self.socket)? {
                        None => return Ok(()),
                        Some((message, fds)) => self.obey(message, fds)?,
                    },
                    _ => while self.signals.take().is_some() {},
                }
            }
            while let Some((pid, status)) = process::reap() {
                self.ended(pid, status)?;
            }
            let now = Instant::now();
            self.doomed.retain(|(at, group)| {
                let due = *at <= now;
                if due {
                    let _ = process::kill(-group, SIGKILL);
                }
                !due
            });
        }
    }

    fn tell(&self, message: &FromNode) -> io::Result<()> {
        send(&self.socket, message, &[])
    }

    fn obey(&mut self, message: ToNode, fds: Vec<OwnedFd>) -> io::Result<()> {
        match message {
            ToNode::Configure => match setup::configure(self.context.lab, self.node) {
                Ok(warnings) => self.tell(&FromNode::Configured { warnings }),
                Err(message) => self.tell(&FromNode::Broken { message }),
            },
            ToNode::Startup => self.play(Phase::Startup),
            ToNode::Shutdown => self.play(Phase::Shutdown),
            ToNode::Exec(exec) => {
                let id = exec.id;
                let shell = self.context.lab.nodes[self.node].shell.as_deref();
                let environment = setup::environment(self.context.lab, self.node);
                match self.sessions.start(&exec, fds, environment, shell) {
                    Ok((pid, master)) => {
                        let fds: Vec<_> = master.iter().map(AsFd::as_fd).collect();
                        send(&self.socket, &FromNode::Started { id, pid }, &fds)
                    }
                    Err((status, message)) => self.tell(&FromNode::Refused {
                        id,
                        status,
                        message,
                    }),
                }
            }
            ToNode::Signal { id, signal } => {
                self.sessions.signal(id, signal);
                Ok(())
            }
            ToNode::Hangup { id } => {
                if let Some(group) = self.sessions.signal(id, SIGHUP) {
                    self.doomed
                        .push((Instant::now() + Duration::from_secs(2), group));
                }
                Ok(())
            }
        }
    }

    /// Begins the scripts of a phase; what is left of an earlier one is dropped.
    fn play(&mut self, phase: Phase) -> io::Result<()> {
        if phase == Phase::Shutdown
            && let Some((running, _)) = self.running.take()
        {
            let _ = process::kill(-running.pid, SIGKILL);
        }
        self.queue = Script::of(self.context.snapshot, self.node, phase).into();
        self.next_script(phase)
    }

    fn next_script(&mut self, phase: Phase) -> io::Result<()> {
        while let Some(script) = self.queue.pop_front() {
            let title = script.title.to_string();
            self.tell(&FromNode::ScriptBegan { title })?;
            let environment = setup::environment(self.context.lab, self.node);
            match script.start(environment, self.log.as_fd()) {
                Ok(running) => {
                    self.running = Some((running, phase));
                    return Ok(());
                }
                Err(e) => self.tell(&FromNode::ScriptEnded {
                    status: 127,
                    seconds: 0.0,
                    failures: vec![(0, 127, format!("bash cannot be started: {e}"))],
                })?,
            }
        }
        if phase == Phase::Startup {
            setup::mark_end_of_startup(self.context.lab);
            return self.tell(&FromNode::StartupEnded);
        }
        self.tell(&FromNode::ShutdownEnded)
    }

    fn ended(&mut self, pid: i32, status: i32) -> io::Result<()> {
        if let Some((running, phase)) = self.running.take_if(|(r, _)| r.pid == pid) {
            self.tell(&FromNode::ScriptEnded {
                status,
                seconds: running.began.elapsed().as_secs_f64(),
                failures: running.failures(),
            })?;
            return self.next_script(phase);
        }
        self.doomed.retain(|(_, group)| *group != pid);
        match self.sessions.ended(pid) {
            Some(id) => self.tell(&FromNode::Exited { id, status }),
            None => Ok(()),
        }
    }
}
