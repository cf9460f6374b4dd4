//! `systemctl` as startup scripts and people use it, and the part of `journalctl` that shows a
//! service's last words.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::control::{self, Action, State};
use super::daemon::tail;
use super::load::{self, Loaded};
use super::{Failure, host, say, say_err};

/// Options that take the next word as their value.
const WITH_VALUE: &[&str] = &[
    "-n",
    "--lines",
    "-o",
    "--output",
    "-p",
    "--property",
    "-t",
    "--type",
    "--state",
    "-H",
    "-M",
    "-u",
    "--unit",
    "-s",
    "--signal",
];

/// A command line taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
struct Line<'a> {
    now: bool,
    quiet: bool,
    words: Vec<&'a str>,
    unit: Vec<&'a str>,
}

fn take_apart<'a>(args: &[&'a str]) -> Line<'a> {
    let mut line = Line::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match *arg {
            "--now" => line.now = true,
            "-q" | "--quiet" => line.quiet = true,
            "-u" | "--unit" => line.unit.extend(args.next()),
            option if WITH_VALUE.contains(&option) => drop(args.next()),
            option if option.starts_with('-') => line.unit.extend(option.strip_prefix("--unit=")),
            word => line.words.push(word),
        }
    }
    line
}

pub(super) fn main(args: &[&str]) -> Result<i32, Failure> {
    let line = take_apart(args);
    let Some((verb, names)) = line.words.split_first() else {
        return Ok(list_units());
    };
    if let Some(action) = Action::from_word(verb) {
        return act_on(names, action);
    }
    match *verb {
        "status" if names.is_empty() => Ok(list_units()),
        "status" => all(names, status),
        "show" | "cat" => all(names, cat),
        "is-active" => Ok(is_active(names, line.quiet)),
        "is-failed" => Ok(1),
        "enable" | "reenable" => enable(names, line.now),
        "disable" => disable(names, line.now),
        "is-enabled" => all(names, |name| Ok(is_enabled(name, line.quiet))),
        "mask" => all(names, mask),
        "unmask" => all(names, unmask),
        "kill" => act_on(names, Action::Stop),
        "daemon-reload" | "daemon-reexec" | "reset-failed" | "preset" | "set-default"
        | "isolate" | "import-environment" => Ok(0),
        "list-units" | "list-unit-files" => Ok(list_units()),
        "is-system-running" => told("running"),
        "get-default" => told("multi-user.target"),
        "poweroff" | "reboot" | "halt" => host::power(verb, &[]),
        _ => Err(Failure::new(1, format!("Unknown command verb {verb}."))),
    }
}

fn told(text: &str) -> Result<i32, Failure> {
    say(text);
    Ok(0)
}

/// Does it for each name; all are tried, the first failure's status counts.
fn all(names: &[&str], mut one: impl FnMut(&str) -> Result<i32, Failure>) -> Result<i32, Failure> {
    let mut status = 0;
    for name in names {
        let this = one(name).unwrap_or_else(|failure| {
            say_err(&failure.text);
            failure.status
        });
        status = if status == 0 { this } else { status };
    }
    Ok(status)
}

fn act_on(names: &[&str], action: Action) -> Result<i32, Failure> {
    if names.is_empty() {
        return Err(Failure::new(1, "Too few arguments.".into()));
    }
    all(names, |name| act(name, action))
}

fn act(name: &str, action: Action) -> Result<i32, Failure> {
    let plain = load::plain(name);
    if masked(plain) && !matches!(action, Action::Stop) {
        return Err(Failure::new(
            1,
            format!("Failed to start {plain}.service: Unit {plain}.service is masked."),
        ));
    }
    let word = format!("{action:?}").to_lowercase();
    match control::act(name, action) {
        Ok(()) => Ok(0),
        Err(failure) if failure.text.starts_with("telaio: ") => Err(failure),
        Err(failure) if failure.status == 5 => Err(Failure::new(
            5,
            format!("Failed to {word} {plain}.service: {}", failure.text),
        )),
        Err(failure) => Err(Failure::new(
            failure.status,
            format!("Failed to {word} {plain}.service: {}", failure.text),
        )),
    }
}

fn is_active(names: &[&str], quiet: bool) -> i32 {
    let mut status = 3;
    for name in names {
        let active = control::state(name).is_ok_and(|s| s.active);
        if active {
            status = 0;
        }
        if !quiet {
            say(if active { "active" } else { "inactive" });
        }
    }
    status
}

fn status(name: &str) -> Result<i32, Failure> {
    let state = control::state(name).map_err(|f| Failure::new(4, f.text))?;
    say(&shown(&state));
    Ok(if state.active { 0 } else { 3 })
}

fn shown(state: &State) -> String {
    let mark = if state.active { '●' } else { '○' };
    let mut text = format!(
        "{mark} {}.service - {}\n     Loaded: loaded ({})\n",
        state.name, state.description, state.origin
    );
    let active = if state.active {
        "active (running)"
    } else {
        "inactive (dead)"
    };
    text.push_str(&format!("     Active: {active}\n"));
    for (i, process) in state.processes.iter().enumerate() {
        let title = if i == 0 {
            "   Main PID:"
        } else {
            "           "
        };
        text.push_str(&format!("{title} {} ({})\n", process.pid, process.name()));
    }
    let words = state
        .log
        .as_deref()
        .map(|log| tail(log, 0, 10))
        .unwrap_or_default();
    if !words.is_empty() {
        text.push('\n');
        text.push_str(&words);
    }
    text.trim_end().to_owned()
}

fn list_units() -> i32 {
    for service in lab::packages::SERVICES {
        let same = matches!(service.name, "quagga" | "zebra");
        let state = if same {
            None
        } else {
            control::state(service.name).ok()
        };
        if let Some(state) = state.filter(|s| s.active) {
            say(&format!(
                "  {:28} loaded active running {}",
                format!("{}.service", state.name),
                state.description
            ));
        }
    }
    0
}

fn cat(name: &str) -> Result<i32, Failure> {
    if let Loaded::Unit(unit, _) = load::load(name)? {
        say(&format!("# {}", unit.origin));
        say(fs::read_to_string(&unit.origin)
            .unwrap_or_default()
            .trim_end());
    }
    Ok(0)
}

const ENABLED: &str = "/etc/systemd/system/multi-user.target.wants";

fn link_of(name: &str) -> PathBuf {
    Path::new(ENABLED).join(format!("{}.service", load::plain(name)))
}

/// Notes that a service is wanted; nothing starts by itself in a node, as in the labs' own tools.
fn enable(names: &[&str], now: bool) -> Result<i32, Failure> {
    all(names, |name| {
        load::load(name)?;
        let link = link_of(name);
        drop(fs::create_dir_all(ENABLED));
        if link.symlink_metadata().is_err() {
            drop(symlink(
                format!("/lib/systemd/system/{}.service", load::plain(name)),
                link,
            ));
        }
        if now { act(name, Action::Start) } else { Ok(0) }
    })
}

fn disable(names: &[&str], now: bool) -> Result<i32, Failure> {
    all(names, |name| {
        drop(fs::remove_file(link_of(name)));
        if now { act(name, Action::Stop) } else { Ok(0) }
    })
}

fn is_enabled(name: &str, quiet: bool) -> i32 {
    let (word, status) = match () {
        () if masked(load::plain(name)) => ("masked", 1),
        () if link_of(name).symlink_metadata().is_ok() => ("enabled", 0),
        () => ("disabled", 1),
    };
    if !quiet {
        say(word);
    }
    status
}

fn mask_of(name: &str) -> PathBuf {
    Path::new("/etc/systemd/system").join(format!("{}.service", load::plain(name)))
}

fn masked(name: &str) -> bool {
    fs::read_link(mask_of(name)).is_ok_and(|to| to == Path::new("/dev/null"))
}

fn mask(name: &str) -> Result<i32, Failure> {
    drop(fs::create_dir_all("/etc/systemd/system"));
    let path = mask_of(name);
    if path.symlink_metadata().is_err() {
        let made = symlink("/dev/null", &path);
        made.map_err(|e| Failure::new(1, format!("{}: {e}", path.display())))?;
    }
    Ok(0)
}

fn unmask(name: &str) -> Result<i32, Failure> {
    if masked(name) {
        drop(fs::remove_file(mask_of(name)));
    }
    Ok(0)
}

/// The last words of services: `journalctl -u NAME`.
pub(super) fn journal(args: &[&str]) -> Result<i32, Failure> {
    let line = take_apart(args);
    if line.unit.is_empty() {
        say_err("telaio: no journal is kept in a node; services' words: journalctl -u NAME");
        return Ok(0);
    }
    all(&line.unit, |name| {
        let log = control::state(name)?.log;
        let words = log.map(|log| tail(&log, 0, 1000)).unwrap_or_default();
        say(if words.is_empty() {
            "-- No entries --"
        } else {
            &words
        });
        Ok(0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_told_from_words() {
        let line = take_apart(&[
            "--no-pager",
            "-n",
            "5",
            "enable",
            "--now",
            "a.service",
            "b",
            "-u",
            "c",
            "--unit=d",
        ]);
        assert!(line.now && !line.quiet);
        assert_eq!(line.words, ["enable", "a.service", "b"]);
        assert_eq!(line.unit, ["c", "d"]);
    }

    #[test]
    fn a_status_names_the_main_process() {
        let state = State {
            name: "own".into(),
            description: "Own daemon".into(),
            origin: "/x".into(),
            active: true,
            processes: super::super::process::Process::of(std::process::id().cast_signed())
                .into_iter()
                .collect(),
            log: None,
        };
        let text = shown(&state);
        assert!(
            text.contains("active (running)") && text.contains("Main PID: "),
            "{text}"
        );
    }
}
