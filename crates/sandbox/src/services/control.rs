//! What can be done to a service, whatever kind it is of.

use super::daemon::Daemon;
use super::frr::Frr;
use super::load::{self, Loaded};
use super::process::Process;
use super::{Failure, network};

/// What one asks of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Start,
    Stop,
    Restart,
    /// Restarts what runs.
    TryRestart,
    Reload,
    /// Reloads what can reload, restarts the rest.
    ReloadOrRestart,
}

impl Action {
    /// By its word on command lines of `systemctl` and init scripts.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "start" => Self::Start,
            "stop" => Self::Stop,
            "restart" => Self::Restart,
            "try-restart" | "condrestart" => Self::TryRestart,
            "reload" => Self::Reload,
            "reload-or-restart" | "force-reload" | "reload-or-try-restart" => Self::ReloadOrRestart,
            _ => return None,
        })
    }
}

/// What there is to say of a service.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// Its name.
    pub(super) name: String,
    /// What it is.
    pub(super) description: String,
    /// Where its unit is.
    pub(super) origin: String,
    /// Whether it is up.
    pub(super) active: bool,
    /// Its processes, the main one first.
    pub(super) processes: Vec<Process>,
    /// Where its words are kept.
    pub(super) log: Option<std::path::PathBuf>,
}

/// Does it to a service; those that it requires are started before.
pub(super) fn act(name: &str, action: Action) -> Result<(), Failure> {
    act_within(name, action, 0)
}

fn act_within(name: &str, action: Action, depth: usize) -> Result<(), Failure> {
    match load::load(name)? {
        Loaded::Nothing => Ok(()),
        Loaded::Networking => match action {
            Action::Stop => network::down_all(),
            Action::Start => network::up_all(),
            _ => network::down_all().and_then(|()| network::up_all()),
        },
        Loaded::Routing(family) => routing(&Frr::new(family)?, action),
        Loaded::Script(path) => script(&path, action),
        Loaded::Unit(unit, extra) => {
            let daemon = Daemon { unit: &unit, extra };
            if matches!(action, Action::Start | Action::Restart) && depth < 8 {
                if let Some(why) = unmet(&unit.conditions) {
                    super::say_err(&format!("{name} was not started: {why}"));
                    return Ok(());
                }
                for other in &unit.requires {
                    required(other, depth)?;
                }
            }
            on_daemon(&daemon, action)
        }
    }
}

/// Starts what a unit requires; what no package has cannot be meant here.
fn required(name: &str, depth: usize) -> Result<(), Failure> {
    match load::load(name) {
        Ok(Loaded::Unit(..)) => act_within(name, Action::Start, depth + 1),
        _ => Ok(()),
    }
}

fn unmet(conditions: &[super::unit::Condition]) -> Option<String> {
    let broken = conditions
        .iter()
        .find(|c| std::path::Path::new(&c.path).exists() != c.wanted)?;
    Some(format!(
        "{} {}",
        broken.path,
        if broken.wanted {
            "is not there"
        } else {
            "is there"
        }
    ))
}

fn on_daemon(daemon: &Daemon<'_>, action: Action) -> Result<(), Failure> {
    match action {
        Action::Start => daemon.start(),
        Action::Stop => daemon.stop(),
        Action::Restart => daemon.stop().and_then(|()| daemon.start()),
        Action::TryRestart if daemon.active() => on_daemon(daemon, Action::Restart),
        Action::TryRestart => Ok(()),
        Action::Reload => daemon.reload(),
        Action::ReloadOrRestart if daemon.unit.reload.is_empty() || !daemon.active() => {
            on_daemon(daemon, Action::Restart)
        }
        Action::ReloadOrRestart => daemon.reload(),
    }
}

fn routing(frr: &Frr, action: Action) -> Result<(), Failure> {
    match action {
        Action::Start => frr.start(),
        Action::Stop => frr.stop(),
        Action::TryRestart if frr.running().is_empty() => Ok(()),
        Action::Restart | Action::TryRestart => frr.stop().and_then(|()| frr.start()),
        Action::Reload => frr.reload(),
        Action::ReloadOrRestart if frr.running().is_empty() => frr.start(),
        Action::ReloadOrRestart => frr.reload(),
    }
}

/// Has an init script do it, its words going where ours go.
fn script(path: &std::path::Path, action: Action) -> Result<(), Failure> {
    let word = match action {
        Action::Start => "start",
        Action::Stop => "stop",
        Action::Restart | Action::TryRestart => "restart",
        Action::Reload => "reload",
        Action::ReloadOrRestart => "force-reload",
    };
    match run_script(path, &[word])? {
        0 => Ok(()),
        status => Err(Failure::new(
            status,
            format!("{} {word} ended with status {status}", path.display()),
        )),
    }
}

/// Runs an init script to its end: its status.
pub(super) fn run_script(path: &std::path::Path, args: &[&str]) -> Result<i32, Failure> {
    let status = std::process::Command::new(path).args(args).status();
    let status =
        status.map_err(|e| Failure::new(1, format!("{} could not be run: {e}", path.display())))?;
    Ok(status.code().unwrap_or(1))
}

/// What there is to say of a service.
pub(super) fn state(name: &str) -> Result<State, Failure> {
    let plain = load::plain(name).to_owned();
    match load::load(name)? {
        Loaded::Nothing => Ok(State {
            name: plain,
            active: true,
            ..State::default()
        }),
        Loaded::Networking => Ok(network::state()),
        Loaded::Routing(family) => {
            let processes: Vec<_> = Frr::new(family)?
                .running()
                .into_iter()
                .map(|(_, p)| p)
                .collect();
            Ok(State {
                name: plain,
                description: "FRRouting".into(),
                origin: "Telaio's own frr.service".into(),
                active: !processes.is_empty(),
                processes,
                log: Some("/run/telaio/services/frr.log".into()),
            })
        }
        Loaded::Script(path) => Ok(State {
            name: plain,
            active: std::process::Command::new(&path)
                .arg("status")
                .stdout(std::process::Stdio::null())
                .stderr(std::process::Stdio::null())
                .status()
                .is_ok_and(|s| s.success()),
            origin: path.display().to_string(),
            ..State::default()
        }),
        Loaded::Unit(unit, extra) => Ok(of_daemon(&Daemon { unit: &unit, extra })),
    }
}

fn of_daemon(daemon: &Daemon<'_>) -> State {
    State {
        name: daemon.unit.name.clone(),
        description: daemon.unit.description.clone(),
        origin: daemon.unit.origin.clone(),
        active: daemon.active(),
        processes: daemon.main().into_iter().collect(),
        log: Some(daemon.log()),
    }
}
