//! `service`, `/etc/init.d/NAME` and `invoke-rc.d`: how services were started before systemd. They
//! say what they do and end with the statuses of the Linux Standard Base, 22.2.

use super::control::{self, Action};
use super::load::{self, Loaded};
use super::{Failure, INIT_MARK, Shim, say};

/// An init script for every name of every service that is known.
pub(super) fn scripts() -> impl Iterator<Item = Shim> {
    let names = lab::packages::SERVICES
        .iter()
        .flat_map(|s| s.aliases.iter().chain([&s.name]));
    names.map(|name| Shim {
        path: format!("/etc/init.d/{name}"),
        script: Some(format!(
            "#!/bin/sh\n{INIT_MARK} /usr/sbin/service\nexec /usr/sbin/service {name} \"$@\"\n"
        )),
        fallback: false,
    })
}

/// `service NAME ACTION`, `service --status-all`.
pub(super) fn service(args: &[&str]) -> Result<i32, Failure> {
    match args {
        ["--status-all", ..] => Ok(status_all()),
        [name, action, ..] => act(name, action),
        _ => Err(Failure::new(
            2,
            "Usage: service NAME start|stop|restart|reload|status".into(),
        )),
    }
}

/// `invoke-rc.d [OPTION]… NAME ACTION`.
pub(super) fn invoke(args: &[&str]) -> Result<i32, Failure> {
    let words: Vec<_> = args
        .iter()
        .copied()
        .filter(|a| !a.starts_with('-'))
        .collect();
    service(&words)
}

fn act(name: &str, word: &str) -> Result<i32, Failure> {
    if word == "status" {
        return status(name);
    }
    let Some(action) = Action::from_word(word) else {
        return other(name, word);
    };
    control::act(name, action)?;
    let done = match action {
        Action::Start => "Started",
        Action::Stop => "Stopped",
        Action::Reload | Action::ReloadOrRestart => "Reloaded",
        Action::Restart | Action::TryRestart => "Restarted",
    };
    say(&format!("{done} {}.", load::plain(name)));
    Ok(0)
}

/// Words that only a service's own script knows.
fn other(name: &str, word: &str) -> Result<i32, Failure> {
    match load::load(name)? {
        Loaded::Script(path) => control::run_script(&path, &[word]),
        _ => Err(Failure::new(
            2,
            format!("Usage: /etc/init.d/{name} start|stop|restart|reload|status"),
        )),
    }
}

fn status(name: &str) -> Result<i32, Failure> {
    let state = control::state(name).map_err(|f| Failure::new(4, f.text))?;
    say(&match (state.active, state.processes.first()) {
        (true, Some(main)) => format!("{} is running (process {}).", state.name, main.pid),
        (true, None) => format!("{} is running.", state.name),
        (false, _) => format!("{} is not running.", state.name),
    });
    Ok(if state.active { 0 } else { 3 })
}

fn status_all() -> i32 {
    for service in lab::packages::SERVICES {
        if let Ok(state) = control::state(service.name) {
            say(&format!(
                " [ {} ]  {}",
                if state.active { '+' } else { '-' },
                service.name
            ));
        }
    }
    0
}
