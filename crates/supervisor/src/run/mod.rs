//! The supervisor: process 1 of a lab, whose own network namespace is the panel. One thread,
//! one loop over everything that can happen: nodes' messages, clients' requests, the broker,
//! ended processes, carrier changes.

mod capture;
mod client;
mod events;
mod life;
mod node;
mod request;
mod status;
mod wiring;

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use nodes::namespace::Context;
use panel::Panel;
use sandbox::{Base, BaseSpec};
use sys::epoll::{Poller, Signals};
use sys::process;

use self::capture::Captures;
use self::client::Clients;
use self::events::Events;
use self::life::Life;
use self::node::Node;
use crate::aside::{ToBroker, ToSupervisor, receive, send};
use crate::proto::What;
use crate::start::{Start, StartError};

const SIGNALS: u64 = 0;
const BROKER: u64 = 1;
const LISTENER: u64 = 2;
const CARRIER: u64 = 3;
const CAPTURE: u64 = 4;
/// A node's socket: this and the node's index.
const NODES: u64 = 1 << 32;
/// A client's connection: this and the client's number.
const CLIENTS: u64 = 1 << 33;

const SIGKILL: i32 = 9;
const SIGCHLD: i32 = 17;

/// What the broker knows of the lab's place on the host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OnHost {
    /// Whether the lab has one identity only.
    pub(crate) single_id: bool,
    /// Whether real root made it.
    pub(crate) of_root: bool,
    /// The broker's process number.
    pub(crate) broker: i32,
}

/// Runs as the lab's process 1 until the lab ends; returns the exit status.
pub(crate) fn run(start: &Start, host: OnHost, broker: OwnedFd, listener: OwnedFd) -> i32 {
    match begin(start, host, &broker, listener) {
        Ok(()) => 0,
        Err(StartError { message, help }) => {
            let _ = send(&broker, &ToBroker::Failed { message, help }, &[]);
            1
        }
    }
}

fn begin(
    start: &Start,
    host: OnHost,
    broker: &OwnedFd,
    listener: OwnedFd,
) -> Result<(), StartError> {
    let say = |what: &'static str| move |e: io::Error| StartError::new(format!("{what}: {e}"));
    process::set_name(&format!("telaio {}", start.name));
    let Ok(Some((
        ToSupervisor::Begin {
            layers,
            redirect,
            warnings,
        },
        mut fds,
    ))) = receive(broker)
    else {
        return Err(StartError::new("the broker is gone"));
    };
    process::become_root().map_err(say("root of the lab's own users cannot be taken on"))?;
    // after the change of identity, which clears it; a broker that ended before is seen when
    // `Serving` is sent
    process::die_with_parent(SIGKILL).map_err(say("no signal at the broker's end"))?;
    let redirect = if redirect {
        split_redirect(&mut fds)
    } else {
        None
    };
    fds.truncate(layers);
    let base = Base::build(BaseSpec {
        tools: &start.tools,
        layers: (!fds.is_empty()).then_some(fds),
        single_id: host.single_id,
        mounts: &crate::broker::shared(start),
    });
    let base = base.map_err(|e| StartError {
        message: e.to_string(),
        help: e.help(),
    })?;
    process::set_hostname(&start.name.chars().take(63).collect::<String>())
        .map_err(say("the lab's host name cannot be set"))?;
    let panel = Panel::new(redirect).map_err(|e| StartError::new(e.to_string()))?;
    let hosts = nodes::namespace::hosts(&start.lab);
    let context = Context {
        lab: &start.lab,
        snapshot: &start.snapshot,
        base: &base,
        hosts: &hosts,
        single_id: host.single_id,
    };
    let mut supervisor = Supervisor::new(start, host, context, panel, broker, listener)
        .map_err(say("the supervisor cannot be set up"))?;
    for message in warnings {
        supervisor.events.push(None, What::Warning { message });
    }
    send(broker, &ToBroker::Serving, &[]).map_err(say("the broker is gone"))?;
    supervisor.make_all();
    supervisor
        .serve()
        .map_err(say("the supervisor cannot wait for events"))
}

/// The last two descriptors are the redirect's program and map.
fn split_redirect(fds: &mut Vec<OwnedFd>) -> Option<sys::bpf::Redirect> {
    let map = fds.pop()?;
    let program = fds.pop()?;
    sys::bpf::Redirect::from_fds(program, map).ok()
}

/// All of a running lab.
struct Supervisor<'a> {
    start: &'a Start,
    host: OnHost,
    context: Context<'a>,
    broker: &'a OwnedFd,
    listener: OwnedFd,
    poller: Poller,
    signals: Signals,
    panel: Panel,
    nodes: IndexMap<&'a str, Node>,
    /// Segments and links with their members, as planned.
    segments: IndexMap<String, plan::SegmentPlan>,
    life: Life,
    events: Events,
    clients: Clients,
    captures: Captures,
    /// Seconds since 1970 of the start.
    started: f64,
    over: bool,
}

impl<'a> Supervisor<'a> {
    fn new(
        start: &'a Start,
        host: OnHost,
        context: Context<'a>,
        panel: Panel,
        broker: &'a OwnedFd,
        listener: OwnedFd,
    ) -> io::Result<Self> {
        let poller = Poller::new()?;
        let signals = Signals::new(&[SIGCHLD])?;
        poller.add(&signals, SIGNALS)?;
        poller.add(broker, BROKER)?;
        poller.add(&listener, LISTENER)?;
        poller.add(panel.carrier_events(), CARRIER)?;
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let nodes = start.lab.nodes.iter();
        Ok(Self {
            start,
            host,
            context,
            broker,
            listener,
            poller,
            signals,
            panel,
            nodes: nodes
                .map(|(name, node)| (name.as_str(), Node::new(node)))
                .collect(),
            segments: plan::segments(&start.lab),
            life: Life::default(),
            events: Events::new(),
            clients: Clients::default(),
            captures: Captures::default(),
            started: since.unwrap_or_default().as_secs_f64(),
            over: false,
        })
    }

    fn serve(&mut self) -> io::Result<()> {
        while !self.over {
            let timeout = self.next_deadline();
            for ready in self.poller.wait(timeout)? {
                match ready.token {
                    SIGNALS => while self.signals.take().is_some() {},
                    BROKER => self.hear_broker(),
                    LISTENER => self.accept(),
                    CARRIER => self.panel.handle_carrier(),
                    CAPTURE => self.hear_captures(),
                    token if token >= CLIENTS => self.hear_client(token - CLIENTS, ready.flags),
                    token => self.hear_node((token - NODES) as usize),
                }
            }
            while let Some((pid, status)) = process::reap() {
                self.process_ended(pid, status);
            }
            self.wire_new();
            self.keep_time();
            self.flush_events();
        }
        Ok(())
    }

    fn next_deadline(&self) -> Option<Duration> {
        let at = self.life.deadline(&self.nodes)?;
        Some(at.saturating_duration_since(Instant::now()))
    }

    fn hear_broker(&mut self) {
        match receive(self.broker) {
            Ok(Some((ToSupervisor::End, _))) => self.end(Duration::from_secs(10)),
            Ok(Some((ToSupervisor::Confined { node, problem }, _))) => {
                if let Some(problem) = problem {
                    self.warn(Some(&node), format!("limits not set: {problem}"));
                }
                if let Some(index) = self.index(&node) {
                    self.nodes[index].confined = true;
                    self.configure_when_ready(index);
                }
            }
            Ok(Some((ToSupervisor::NotAttached { problem }, _))) => self.warn(None, problem),
            Ok(Some(_)) => {}
            // without its broker nobody would clean up behind the lab
            Ok(None) | Err(_) => self.over = true,
        }
    }

    /// Index of a node.
    fn index(&self, node: &str) -> Option<usize> {
        self.nodes.get_index_of(node)
    }

    /// Name of a node.
    fn name(&self, index: usize) -> &'a str {
        self.nodes.get_index(index).map_or("", |(name, _)| name)
    }

    fn warn(&mut self, node: Option<&str>, message: String) {
        self.events.push(node, What::Warning { message });
    }
}
