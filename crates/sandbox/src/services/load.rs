//! Finding what a service's name means: Telaio's own services, units of the lab, of Telaio, of
//! packages, and init scripts.

use std::fs;
use std::path::{Path, PathBuf};

use super::catalog::{self, Extra, Single, is_there};
use super::unit::Unit;
use super::{Failure, INIT_MARK, users};

/// What a name means.
pub(super) enum Loaded {
    /// A unit, and what it needs beside that.
    Unit(Box<Unit>, Option<&'static Extra>),
    /// The routing suite; the name says whose files are looked at.
    Routing(Family),
    /// The interfaces of `/etc/network/interfaces`.
    Networking,
    /// A package's or the lab's init script.
    Script(PathBuf),
    /// Something that systemd has and that does nothing here (targets, sockets, timers).
    Nothing,
}

/// Which suite's name and folder a routing service goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Frr,
    Quagga,
    Zebra,
}

/// Units here count before Telaio's own: the lab or its user put them there.
const LOCAL: &[&str] = &["/etc/systemd/system", "/run/systemd/system"];
const PACKAGES: &[&str] = &["/usr/local/lib/systemd/system", "/usr/lib/systemd/system"];

/// Other kinds of units than services.
const OTHER_KINDS: &[&str] = &[
    ".target", ".socket", ".timer", ".path", ".mount", ".slice", ".device",
];

/// Finds a service by any of its names.
pub(super) fn load(name: &str) -> Result<Loaded, Failure> {
    if OTHER_KINDS.iter().any(|k| name.ends_with(k)) {
        return Ok(Loaded::Nothing);
    }
    let name = plain(name);
    if let Some(text) = file_in(LOCAL, name) {
        return Ok(unit(name, &text));
    }
    let Some(service) = lab::packages::service_named(name) else {
        return unknown(name);
    };
    match service.name {
        "frr" => return Ok(Loaded::Routing(Family::Frr)),
        "quagga" => return Ok(Loaded::Routing(Family::Quagga)),
        "zebra" => return Ok(Loaded::Routing(Family::Zebra)),
        "networking" => return Ok(Loaded::Networking),
        _ => {}
    }
    if !service.program.iter().any(|p| is_there(p)) {
        return Err(missing(name, service.package));
    }
    let instance = name
        .split_once('@')
        .map(|(_, i)| format!("{}@{i}", service.name));
    let name = instance.as_deref().unwrap_or(service.name);
    let own = catalog::extra(service.name)
        .and_then(|e| e.unit)
        .filter(|_| instance.is_none());
    let text = own.map(|text| (format!("Telaio's own {name}.service"), text.to_owned()));
    let found = text
        .or_else(|| file_in(PACKAGES, name))
        .or_else(|| any_version(name));
    match found {
        Some(found) => Ok(unit(name, &found)),
        None => unknown(name),
    }
}

/// What a person is told when a service's program is not there.
pub(super) fn missing(name: &str, package: &str) -> Failure {
    Failure::new(
        5,
        format!(
            "telaio: {name} is not installed: run \"telaio tools add {package}\" on the host and restart the lab"
        ),
    )
}

/// A name without `.service`, as it is written on command lines.
pub(super) fn plain(name: &str) -> &str {
    let name = name.strip_suffix(".service").unwrap_or(name);
    name.rsplit('/').next().unwrap_or(name)
}

/// A service that Telaio does not know by name.
fn unknown(name: &str) -> Result<Loaded, Failure> {
    if let Some(found) = file_in(PACKAGES, name) {
        return Ok(unit(name, &found));
    }
    let script = Path::new("/etc/init.d").join(name);
    if fs::read(&script).is_ok_and(|text| !holds(&text, INIT_MARK)) {
        return Ok(Loaded::Script(script));
    }
    Err(Failure::new(5, format!("Unit {name}.service not found.")))
}

fn holds(text: &[u8], mark: &str) -> bool {
    text.windows(mark.len()).any(|w| w == mark.as_bytes())
}

fn unit(name: &str, (origin, text): &(String, String)) -> Loaded {
    let mut unit = Unit::parse(name, origin, text);
    for folder in LOCAL.iter().chain(PACKAGES) {
        for text in drop_ins(folder, name) {
            unit.add(&text);
        }
    }
    let service = lab::packages::service_named(name);
    let extra = service.and_then(|s| catalog::extra(s.name));
    if let Some(pidfile) = extra
        .and_then(|e| e.pidfile)
        .filter(|_| unit.pidfile.is_none())
    {
        unit.pidfile = Some(pidfile.into());
    }
    if let Some(signal) = extra.and_then(|e| e.end) {
        unit.stop.clear();
        unit.kill_signal = Some(signal);
    }
    match extra.map(|e| e.single).filter(|_| users::single_id()) {
        Some(Single::Nested(user)) => nest(&mut unit, user),
        Some(Single::Locked(folders)) => lock(&mut unit, folders),
        _ => {}
    }
    Loaded::Unit(Box::new(unit), extra)
}

/// Runs a unit's commands in a user namespace in which this process's only id is `user`.
fn nest(unit: &mut Unit, user: &str) {
    let number = |id: Option<u32>| id.unwrap_or(1);
    let root = Path::new("/");
    let prefix = [
        "/usr/bin/unshare".to_owned(),
        "--user".into(),
        format!("--map-user={}", number(users::user_id(root, user))),
        format!("--map-group={}", number(users::group_of(root, user))),
        "--".into(),
    ];
    wrap(unit, &prefix);
    (unit.user, unit.group, unit.ambient) = (None, None, Vec::new());
}

/// Runs a unit's commands in a mount namespace in which folders are read-only.
fn lock(unit: &mut Unit, folders: &str) {
    let script = format!(
        "for d in {folders}; do [ ! -d $d ] || {{ mount --bind $d $d && mount -o remount,ro,bind $d; }}; done; \
         exec \"$@\""
    );
    let prefix = [
        "/usr/bin/unshare",
        "--mount",
        "/bin/sh",
        "-c",
        &script,
        "sh",
    ];
    wrap(unit, &prefix.map(str::to_owned));
}

/// Puts words before a unit's commands.
fn wrap(unit: &mut Unit, prefix: &[String]) {
    for exec in unit.pre.iter_mut().chain(&mut unit.start) {
        exec.words.splice(0..0, prefix.iter().cloned());
    }
}

/// The text of `NAME.service` or, for `NAME@INSTANCE`, of the template; with its path.
fn file_in(folders: &[&str], name: &str) -> Option<(String, String)> {
    let template = name.split_once('@').map(|(t, _)| format!("{t}@.service"));
    let names = [Some(format!("{name}.service")), template];
    let paths = folders
        .iter()
        .flat_map(|f| names.iter().flatten().map(move |n| format!("{f}/{n}")));
    paths
        .filter(|p| !name.contains("..") && is_unit(Path::new(p)))
        .find_map(|p| Some((p.clone(), fs::read_to_string(&p).ok()?)))
}

/// Not a link to nowhere (a masked unit) and not one that only enables a unit.
fn is_unit(path: &Path) -> bool {
    path.is_file()
}

fn drop_ins(folder: &str, name: &str) -> Vec<String> {
    let folder = Path::new(folder).join(format!("{name}.service.d"));
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "conf"))
        .collect();
    files.sort();
    files
        .iter()
        .filter_map(|f| fs::read_to_string(f).ok())
        .collect()
}

/// `php8.2-fpm.service` for `php-fpm`: packages whose units carry a version.
fn any_version(name: &str) -> Option<(String, String)> {
    let (start, end) = name.split_once('-')?;
    let entries = fs::read_dir("/usr/lib/systemd/system").ok()?.flatten();
    let mut found: Vec<_> = entries
        .map(|e| e.path())
        .filter(|p| has_version(p, start, end))
        .collect();
    found.sort();
    let path = found.pop()?;
    Some((path.display().to_string(), fs::read_to_string(&path).ok()?))
}

fn has_version(path: &Path, start: &str, end: &str) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let version = name
        .strip_prefix(start)
        .and_then(|n| n.strip_suffix(&format!("-{end}.service")));
    version.is_some_and(|v| !v.is_empty() && v.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_in_names() {
        assert!(has_version(
            Path::new("/x/php8.2-fpm.service"),
            "php",
            "fpm"
        ));
        assert!(!has_version(Path::new("/x/phpx-fpm.service"), "php", "fpm"));
        assert!(!has_version(Path::new("/x/php-fpm.service"), "php", "fpm"));
    }

    #[test]
    fn an_unknown_service_is_said_to_be_unknown() {
        let error = load("no-such-daemon.service").err().unwrap();
        assert_eq!(error.status, 5);
        assert!(error.text.contains("no-such-daemon.service not found"));
        assert!(matches!(load("network.target"), Ok(Loaded::Nothing)));
    }
}
