//! The broker: what a lab needs done on the host's side. It makes the supervisor, maps its
//! identities, sets limits, and cleans up when the supervisor is gone, whatever ended that.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use sys::cgroup::{Groups, Limits};
use sys::epoll::{Poller, Signals};
use sys::identity::Identities;
use sys::process::{self, Child, Namespaces};

use crate::aside::{ToBroker, ToSupervisor, receive, send};
use crate::place::Place;
use crate::run;
use crate::start::{FromStarter, Start, StartError, ToStarter};
use crate::uplink::Uplink;

const SIGNALS: u64 = 0;
const STARTER: u64 = 1;
const SUPERVISOR: u64 = 2;
const SUPERVISOR_ENDED: u64 = 3;

const SIGHUP: i32 = 1;
const SIGINT: i32 = 2;
const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;

/// Runs as the broker until the lab is gone; returns the exit status.
pub(crate) fn run(start: &Start, place: &Place, starter: OwnedFd) -> i32 {
    process::set_name("telaio broker");
    place.note_broker();
    place.note_broker();
    let made = settle(start, place, &starter).and_then(|()| Broker::make(start, place));
    let status = match made {
        Ok(mut broker) => broker.serve(starter),
        Err(StartError { message, help }) => {
            let _ = send(&starter, &ToStarter::Failed { message, help }, &[]);
            1
        }
    };
    place.remove();
    status
}

/// Away from the starter's terminal, files and working folder.
fn settle(start: &Start, place: &Place, starter: &OwnedFd) -> Result<(), StartError> {
    let say = |what: &'static str| move |e: io::Error| StartError::new(format!("{what}: {e}"));
    process::leave_session().map_err(say("no session of its own for the broker"))?;
    let mut keep = vec![starter.as_fd(), place.lock()];
    keep.extend(start.held.iter().map(AsFd::as_fd));
    process::close_all_but(&keep).map_err(say("inherited descriptors cannot be closed"))?;
    std::env::set_current_dir("/").map_err(say("/ cannot be entered"))?;
    rustix::process::umask(rustix::fs::Mode::from_bits_truncate(0o022));
    process::raise_open_files();
    let null = OpenOptions::new().read(true).write(true).open("/dev/null");
    let null = null.map_err(say("/dev/null cannot be opened"))?;
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(place.log());
    let log = log.map_err(say("the broker's log cannot be opened"))?;
    process::redirect_stdio(null.as_fd(), null.as_fd(), log.as_fd())
        .map_err(say("standard streams cannot be redirected"))
}

struct Broker<'a> {
    place: &'a Place,
    supervisor: Child,
    socket: OwnedFd,
    signals: Signals,
    groups: Option<Result<Groups, String>>,
    uplinks: Vec<Uplink>,
    kept: bool,
    told: bool,
    asked_to_end: bool,
}

impl<'a> Broker<'a> {
    fn make(start: &Start, place: &'a Place) -> Result<Self, StartError> {
        let say = |what: &'static str| move |e: io::Error| StartError::new(format!("{what}: {e}"));
        let signals =
            Signals::new(&[SIGTERM, SIGINT, SIGHUP]).map_err(say("no signal descriptor"))?;
        let listener = listen(place).map_err(say("the control socket cannot be made"))?;
        let identities = Identities::for_lab(&start.name).map_err(|e| StartError {
            message: e.to_string(),
            help: e.help(),
        })?;
        let (socket, theirs) = sys::fdpass::packet_pair().map_err(say("no socket pair"))?;
        let namespaces = Namespaces::USER
            .and(Namespaces::PID)
            .and(Namespaces::MOUNT)
            .and(Namespaces::NET)
            .and(Namespaces::UTS)
            .and(Namespaces::IPC);
        let host = run::OnHost {
            single_id: identities.is_single(),
            of_root: identities.is_range(),
            broker: std::process::id().cast_signed(),
        };
        let supervisor = process::clone(namespaces, || {
            let keep = [theirs.as_fd(), listener.as_fd()];
            if process::close_all_but(&keep).is_err() {
                return 1;
            }
            run::run(start, host, theirs, listener.into())
        });
        let supervisor = supervisor
            .map_err(|e| sys::identity::explain_clone(&e))
            .map_err(|e| StartError {
                message: e.to_string(),
                help: e.help(),
            })?;
        let broker = Self {
            place,
            supervisor,
            socket,
            signals,
            groups: None,
            uplinks: Vec::new(),
            kept: false,
            told: false,
            asked_to_end: false,
        };
        broker.begin(start, &identities)?;
        Ok(broker)
    }

    /// Maps identities and hands over what only the host's side can make.
    fn begin(&self, start: &Start, identities: &Identities) -> Result<(), StartError> {
        let fail = |e: sys::identity::Error| StartError {
            message: e.to_string(),
            help: e.help(),
        };
        let begun = identities.map(self.supervisor.pid).map_err(fail);
        let begun = begun.and_then(|()| {
            let mut warnings = Vec::new();
            let mut fds: Vec<OwnedFd> = Vec::new();
            let mut layers = 0;
            if identities.is_range() {
                let made = sandbox::host_layers(self.supervisor.pid, &start.tools, &shared(start));
                let made = made.map_err(|e| StartError::new(e.to_string()))?;
                warnings.extend(made.warnings);
                layers = made.fds.len();
                fds.extend(made.fds);
            }
            let redirect = match identities.is_range().then(sys::bpf::Redirect::load) {
                Some(Ok(made)) => {
                    let (program, map) = made.into_fds();
                    fds.extend([program, map]);
                    true
                }
                Some(Err(e)) => {
                    tracing::info!("no eBPF redirect: {e}");
                    false
                }
                None => false,
            };
            let message = ToSupervisor::Begin {
                layers,
                redirect,
                warnings,
            };
            let fds: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
            send(&self.socket, &message, &fds)
                .map_err(|e| StartError::new(format!("the supervisor does not listen: {e}")))
        });
        if begun.is_err() {
            self.end_supervisor();
        }
        begun
    }

    fn end_supervisor(&self) {
        let _ = self.supervisor.signal(SIGKILL);
        let _ = self.supervisor.wait();
    }

    /// Serves until the supervisor has ended; then cleans up.
    fn serve(&mut self, starter: OwnedFd) -> i32 {
        let mut starter = Some(starter);
        if let Err(e) = self.watch(&mut starter) {
            tracing::error!("the broker cannot wait for events: {e}");
            self.end_supervisor();
        }
        if let (false, Some(starter)) = (self.told, &starter) {
            let message = "the lab's supervisor ended before the lab was there".to_string();
            let help = Some(format!("see {}", self.place.log().display()));
            let _ = send(starter, &ToStarter::Failed { message, help }, &[]);
        }
        for uplink in &self.uplinks {
            uplink.detach();
        }
        if let Some(Ok(groups)) = &self.groups {
            remove_groups(groups);
        }
        0
    }

    fn watch(&mut self, starter: &mut Option<OwnedFd>) -> io::Result<()> {
        let mut poller = Poller::new()?;
        poller.add(&self.signals, SIGNALS)?;
        poller.add(&self.socket, SUPERVISOR)?;
        poller.add(&self.supervisor.pidfd, SUPERVISOR_ENDED)?;
        if let Some(starter) = starter {
            poller.add(starter, STARTER)?;
        }
        let mut listening = true;
        loop {
            for ready in poller.wait(None)? {
                match ready.token {
                    SIGNALS => {
                        while self.signals.take().is_some() {
                            self.interrupted();
                        }
                    }
                    STARTER => self.hear_starter(starter, &poller)?,
                    SUPERVISOR if listening => match receive(&self.socket) {
                        Ok(Some((message, fds))) => self.obey(message, fds, starter),
                        _ => {
                            listening = false;
                            poller.remove(&self.socket)?;
                        }
                    },
                    SUPERVISOR_ENDED => {
                        let _ = self.supervisor.wait();
                        return Ok(());
                    }
                    _ => {}
                }
            }
        }
    }

    /// The first signal ends the lab in order, the second at once.
    fn interrupted(&mut self) {
        if self.asked_to_end || send(&self.socket, &ToSupervisor::End, &[]).is_err() {
            let _ = self.supervisor.signal(SIGKILL);
        }
        self.asked_to_end = true;
    }

    fn hear_starter(&mut self, starter: &mut Option<OwnedFd>, poller: &Poller) -> io::Result<()> {
        let Some(socket) = starter.as_ref() else {
            return Ok(());
        };
        if let Ok(Some((FromStarter::Keep, _))) = receive(socket) {
            self.kept = true;
        } else {
            poller.remove(socket)?;
            *starter = None;
            if !self.kept {
                let _ = self.supervisor.signal(SIGKILL);
            }
        }
        Ok(())
    }

    fn obey(&mut self, message: ToBroker, fds: Vec<OwnedFd>, starter: &Option<OwnedFd>) {
        let tell = |message: &ToStarter| {
            if let Some(starter) = starter {
                let _ = send(starter, message, &[]);
            }
        };
        match message {
            ToBroker::Serving => {
                self.told = true;
                tell(&ToStarter::Serving);
            }
            ToBroker::Failed { message, help } => {
                self.told = true;
                tell(&ToStarter::Failed { message, help });
            }
            ToBroker::Attach {
                ready,
                interface,
                vlan,
            } => {
                let attached = match fds.first() {
                    Some(panel) => Uplink::attach(panel.as_fd(), &ready, &interface, vlan),
                    None => Err("no panel was named".into()),
                };
                match attached {
                    Ok(uplink) => self.uplinks.push(uplink),
                    Err(e) => {
                        let problem = format!("{interface} of the host is not joined: {e}");
                        let _ = send(&self.socket, &ToSupervisor::NotAttached { problem }, &[]);
                    }
                }
            }
            ToBroker::Confine { node, memory, cpus } => {
                let problem = match fds.first() {
                    Some(pidfd) => self
                        .confine(&node, pidfd.as_fd(), Limits { memory, cpus })
                        .err(),
                    None => Some("no process was named".into()),
                };
                let _ = send(&self.socket, &ToSupervisor::Confined { node, problem }, &[]);
            }
        }
    }

    fn confine(&mut self, node: &str, pidfd: BorrowedFd<'_>, limits: Limits) -> Result<(), String> {
        let place = self.place;
        let groups = self.groups.get_or_insert_with(|| {
            let name = format!("telaio-{}-{}", place.name(), std::process::id());
            let groups = Groups::create(&name).map_err(|e| e.to_string())?;
            place.note_groups(groups.folders());
            Ok(groups)
        });
        let groups = groups.as_ref().map_err(Clone::clone)?;
        let pid = process::pid_of(pidfd).map_err(|e| e.to_string())?;
        let pid = pid.ok_or("it has ended")?;
        let missed = groups
            .confine(node, pid, limits)
            .map_err(|e| e.to_string())?;
        match missed.as_slice() {
            [] => Ok(()),
            missed => Err(format!(
                "this host lends no control of {}",
                missed.join(" and ")
            )),
        }
    }
}

/// Folders of the host that nodes share, each once, in the order of the lab.
pub(crate) fn shared(start: &Start) -> Vec<lab::Mount> {
    let mut list: Vec<lab::Mount> = Vec::new();
    for mount in start.lab.nodes.values().flat_map(|n| &n.mounts) {
        if !list
            .iter()
            .any(|m| m.host == mount.host && m.read_only == mount.read_only)
        {
            list.push(mount.clone());
        }
    }
    list
}

fn listen(place: &Place) -> io::Result<UnixListener> {
    let old = rustix::process::umask(rustix::fs::Mode::from_bits_truncate(0o077));
    let made = UnixListener::bind(place.control());
    rustix::process::umask(old);
    let listener = made?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The kernel takes a moment to empty a group whose processes have ended.
fn remove_groups(groups: &Groups) {
    let deadline = Instant::now() + Duration::from_secs(2);
    while let Err(e) = groups.remove() {
        if Instant::now() > deadline {
            tracing::warn!("control groups stay behind: {e}");
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
