//! `networking`, `ifup`, `ifdown`: interfaces as `/etc/network/interfaces` has them. Where
//! ifupdown is installed it does the work; else Telaio reads the file itself ([`file`]) and says
//! it to the kernel by `ip` ([`apply`]).

mod apply;
mod file;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use file::{Interfaces, Stanza};

use super::Failure;
use super::control::State;

const FILE: &str = "/etc/network/interfaces";
/// Names of the interfaces that are up by this file.
const UP: &str = "/run/network/telaio.up";

/// Whether the real ifupdown is there: a program and not a link to ourselves.
fn has_ifupdown() -> bool {
    let real = |p: &str| fs::canonicalize(p).is_ok_and(|p| p != Path::new(super::BINARY));
    real("/usr/sbin/ifup")
}

fn ifupdown(program: &str, args: &[&str]) -> Result<(), Failure> {
    drop(fs::create_dir_all("/run/network"));
    let status = Command::new(program).args(args).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::new(1, format!("{program} ended with {status}"))),
        Err(e) => Err(Failure::new(1, format!("{program}: {e}"))),
    }
}

/// Brings up all interfaces marked `auto` or `allow-hotplug`.
pub(super) fn up_all() -> Result<(), Failure> {
    if has_ifupdown() {
        ifupdown("/usr/sbin/ifup", &["-a"])?;
        return ifupdown("/usr/sbin/ifup", &["-a", "--allow=hotplug"]);
    }
    let interfaces = Interfaces::read(Path::new(FILE)).map_err(|text| Failure::new(1, text))?;
    let names: Vec<String> = interfaces.auto.clone();
    up(&interfaces, &names)
}

/// Takes down all that were brought up, but the loopback.
pub(super) fn down_all() -> Result<(), Failure> {
    if has_ifupdown() {
        return ifupdown("/usr/sbin/ifdown", &["-a", "--exclude=lo"]);
    }
    let interfaces = Interfaces::read(Path::new(FILE)).unwrap_or_default();
    let names: Vec<_> = are_up().into_iter().filter(|n| n != "lo").collect();
    down(&interfaces, &names)
}

/// All that can be brought up is: the others are tried when one fails.
fn up(interfaces: &Interfaces, names: &[String]) -> Result<(), Failure> {
    let mut failed = Vec::new();
    for name in names.iter().filter(|n| !are_up().contains(*n)) {
        let stanzas: Vec<_> = interfaces.of(name).collect();
        if stanzas.is_empty() {
            failed.push(format!("{name}: {FILE} has no `iface {name}`"));
            continue;
        }
        match apply::up(name, &stanzas) {
            Ok(()) => note(|up| up.extend([name.clone()])),
            Err(text) => failed.push(format!("{name}: {text}")),
        }
    }
    result(failed)
}

fn down(interfaces: &Interfaces, names: &[String]) -> Result<(), Failure> {
    let mut failed = Vec::new();
    for name in names {
        let stanzas: Vec<&Stanza> = interfaces.of(name).collect();
        if let Err(text) = apply::down(name, &stanzas) {
            failed.push(format!("{name}: {text}"));
        }
        note(|up| up.retain(|n| n != name));
    }
    result(failed)
}

fn result(failed: Vec<String>) -> Result<(), Failure> {
    match failed.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(1, failed.join("\n"))),
    }
}

fn are_up() -> BTreeSet<String> {
    let text = fs::read_to_string(UP).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn note(change: impl FnOnce(&mut BTreeSet<String>)) {
    let mut up = are_up();
    change(&mut up);
    drop(fs::create_dir_all("/run/network"));
    let text: String = up.iter().map(|n| format!("{n}\n")).collect();
    drop(fs::write(UP, text));
}

/// `ifup` and `ifdown` where ifupdown is not installed: `-a`, or names.
pub(super) fn command(name: &str, args: &[&str]) -> Result<i32, Failure> {
    let up_now = name == "ifup";
    if args.iter().any(|a| ["-a", "--all"].contains(a)) {
        return if up_now { up_all() } else { down_all() }.map(|()| 0);
    }
    let names: Vec<_> = args
        .iter()
        .filter(|a| !a.starts_with('-'))
        .map(|a| (*a).to_owned())
        .collect();
    if names.is_empty() {
        return Err(Failure::new(
            1,
            format!("{name}: say which interface, or -a for all of {FILE}"),
        ));
    }
    let interfaces = Interfaces::read(Path::new(FILE)).map_err(|text| Failure::new(1, text))?;
    match up_now {
        true => up(&interfaces, &names),
        false => down(&interfaces, &names),
    }
    .map(|()| 0)
}

/// What `systemctl status networking` shows.
pub(super) fn state() -> State {
    let up: Vec<_> = are_up().into_iter().collect();
    State {
        name: "networking".into(),
        description: format!("Raise network interfaces (up: {})", up.join(" ")),
        origin: FILE.into(),
        active: Path::new(UP).exists() || Path::new("/run/network/ifstate").exists(),
        ..State::default()
    }
}
