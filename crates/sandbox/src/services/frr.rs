//! FRR's daemons, also under Quagga's and zebra's names. They are started directly: FRR's own
//! scripts are slow, and its watcher would be one process more in every router.

use std::fs;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use super::daemon::tail;
use super::load::{Family, missing};
use super::process::{self, Process};
use super::run::{self, End, Environment};
use super::unit::{Exec, Unit};
use super::{Failure, prepare, users};
use crate::routing::daemons::{DAEMONS, Daemons};
use crate::routing::quagga;

const PROGRAMS: &str = "/usr/lib/frr";
const CONFIG: &str = "/etc/frr";
const RUN: &str = "/run/frr";
const LOG: &str = "/run/telaio/services/frr.log";
const START: Duration = Duration::from_secs(60);

/// The routing suite of a node.
pub(super) struct Frr {
    family: Family,
}

impl Frr {
    pub(super) fn new(family: Family) -> Result<Self, Failure> {
        match Path::new(PROGRAMS).join("zebra").exists() {
            true => Ok(Self { family }),
            false => Err(missing(
                match family {
                    Family::Frr => "frr",
                    Family::Quagga => "quagga (which runs as FRR)",
                    Family::Zebra => "zebra (which runs as FRR)",
                },
                "frr",
            )),
        }
    }

    /// Starts zebra, staticd and the daemons that are on; those that run stay. Waits until all
    /// have read their configuration.
    pub(super) fn start(&self) -> Result<(), Failure> {
        fs::create_dir_all("/run/telaio/services")
            .map_err(|e| Failure::new(1, format!("{LOG}: {e}")))?;
        let from = fs::metadata(LOG).map_or(0, |m| m.len());
        self.start_all().map_err(|mut failure| {
            failure.add(&tail(Path::new(LOG), from, 20));
            failure
        })
    }

    fn start_all(&self) -> Result<(), Failure> {
        self.make_ready()?;
        let daemons = wanted();
        let unit = unit();
        let environment = Environment::of(&unit)?;
        let deadline = Instant::now() + START;
        let names = with_instances(&daemons);
        let (first, rest): (Vec<_>, Vec<_>) = names
            .into_iter()
            .partition(|(n, _)| ["mgmtd", "zebra"].contains(n));
        let mut started = 0;
        for group in [first, rest] {
            started += start_group(&group, &daemons, &unit, &environment, deadline)?;
        }
        match started > 0 && daemons.vtysh() && integrated().exists() {
            true => vtysh_boot(&unit, &environment, deadline),
            false => Ok(()),
        }
    }

    /// Folders and files as FRR wants them, and Quagga's files adapted.
    fn make_ready(&self) -> Result<(), Failure> {
        for (path, mode) in [(RUN, 0o755), ("/var/log/frr", 0o755), (CONFIG, 0o775)] {
            prepare::folder_of(Path::new(path), mode, "frr:frr")?;
        }
        let old = match self.family {
            Family::Frr => None,
            Family::Quagga | Family::Zebra => ["/etc/quagga", "/etc/zebra"]
                .into_iter()
                .find(|f| Path::new(f).is_dir()),
        };
        if let Some(old) = old {
            quagga::refresh(Path::new(old), Path::new(CONFIG))
                .map_err(|e| Failure::new(1, format!("{old}: {e}")))?;
        }
        set_empty_integrated_aside();
        let vtysh = Path::new(CONFIG).join("vtysh.conf");
        if !vtysh.exists() {
            drop(fs::write(&vtysh, ""));
        }
        own_files();
        Ok(())
    }

    /// Ends all daemons, zebra last.
    pub(super) fn stop(&self) -> Result<(), Failure> {
        let mut running: Vec<_> = running();
        running.sort_by_key(|(name, _)| *name == "zebra");
        for zebra in [false, true] {
            let group = || {
                running
                    .iter()
                    .filter(move |(name, _)| (*name == "zebra") == zebra)
            };
            group().for_each(|(_, p)| p.signal(15));
            for (_, process) in group() {
                if !process.wait_end(Duration::from_secs(5)) {
                    process.signal(9);
                    process.wait_end(Duration::from_secs(5));
                }
            }
        }
        Ok(())
    }

    /// Gives running daemons the integrated configuration again.
    pub(super) fn reload(&self) -> Result<(), Failure> {
        if running().is_empty() {
            return Err(Failure::new(
                7,
                "frr.service is not active, cannot reload.".into(),
            ));
        }
        match integrated().exists() {
            true => {
                let unit = unit();
                vtysh_boot(&unit, &Environment::of(&unit)?, Instant::now() + START)
            }
            false => self.stop().and_then(|()| self.start()),
        }
    }

    /// The daemons that run, zebra first.
    pub(super) fn running(&self) -> Vec<(&'static str, Process)> {
        running()
    }
}

fn unit() -> Unit {
    Unit {
        name: "frr".into(),
        ..Unit::default()
    }
}

fn integrated() -> &'static Path {
    Path::new("/etc/frr/frr.conf")
}

/// The daemons file; without one, every daemon that has a configuration of its own.
fn wanted() -> Daemons {
    let file = fs::read(Path::new(CONFIG).join("daemons"));
    let mut daemons = match &file {
        Ok(text) => Daemons::parse(&String::from_utf8_lossy(text)),
        Err(_) => Daemons::of(DAEMONS.iter().filter(|d| own_config(d).exists()).copied()),
    };
    let all = ["mgmtd", "zebra", "staticd"];
    daemons.on = DAEMONS
        .iter()
        .filter(|d| daemons.on.contains(d) || all.contains(d))
        .copied()
        .collect();
    // FRR before 10 has no mgmtd
    daemons
        .on
        .retain(|d| *d != "mgmtd" || Path::new(PROGRAMS).join(d).exists());
    daemons
}

fn own_config(daemon: &str) -> std::path::PathBuf {
    Path::new(CONFIG).join(format!("{daemon}.conf"))
}

fn with_instances(daemons: &Daemons) -> Vec<(&'static str, Option<String>)> {
    let one = |daemon: &&'static str| match daemons.instances(daemon) {
        none if none.is_empty() => vec![(*daemon, None)],
        some => some.into_iter().map(|i| (*daemon, Some(i))).collect(),
    };
    daemons.on.iter().flat_map(one).collect()
}

fn pid_name(daemon: &str, instance: Option<&str>) -> String {
    match instance {
        Some(instance) => format!("{RUN}/{daemon}-{instance}.pid"),
        None => format!("{RUN}/{daemon}.pid"),
    }
}

/// Starts daemons at once and waits for all: the command ends when its daemon has read its
/// configuration.
fn start_group(
    group: &[(&'static str, Option<String>)],
    daemons: &Daemons,
    unit: &Unit,
    environment: &Environment,
    deadline: Instant,
) -> Result<usize, Failure> {
    let mut children: Vec<(String, Child)> = Vec::new();
    for (daemon, instance) in group {
        if is_running(daemon, instance.as_deref()) {
            continue;
        }
        if !Path::new(PROGRAMS).join(daemon).exists() {
            return Err(Failure::new(5, format!("this FRR has no {daemon}")));
        }
        let exec = command(daemon, instance.as_deref(), daemons);
        children.push((
            format!("{daemon}{}", instance.as_deref().unwrap_or("")),
            run::spawn(unit, &exec, environment, Path::new(LOG))?,
        ));
    }
    let count = children.len();
    let mut failed = Vec::new();
    for (name, child) in &mut children {
        match run::wait(child, deadline) {
            End::Status(0) => {}
            End::Status(status) => failed.push(format!("{name} ended with status {status}")),
            End::StillRuns => failed.push(format!("{name} did not become ready in time")),
        }
    }
    match failed.is_empty() {
        true => Ok(count),
        false => Err(Failure::new(1, failed.join("; "))),
    }
}

fn is_running(daemon: &str, instance: Option<&str>) -> bool {
    let process = Process::of_pidfile(Path::new(&pid_name(daemon, instance)));
    process.is_some_and(|p| p.name() == daemon)
}

fn command(daemon: &str, instance: Option<&str>, daemons: &Daemons) -> Exec {
    let mut words = vec![format!("{PROGRAMS}/{daemon}"), "-d".into()];
    words.extend(daemons.common());
    if let Some(instance) = instance {
        words.extend(["-n".into(), instance.into()]);
    }
    words.extend(daemons.options(daemon));
    if daemon == "zebra" && !words.iter().any(|w| w == "-s") {
        words.extend(["-s".into(), "90000000".into()]);
    }
    Exec {
        words,
        verbatim: true,
        ..Exec::default()
    }
}

/// What `vtysh -b` refuses it says and passes over, and so do FRR's scripts: the routers run
/// with the rest. The words are kept in the log and told.
fn vtysh_boot(unit: &Unit, environment: &Environment, deadline: Instant) -> Result<(), Failure> {
    let from = fs::metadata(LOG).map_or(0, |m| m.len());
    let exec = Exec {
        words: vec!["/usr/bin/vtysh".into(), "-b".into()],
        verbatim: true,
        ..Exec::default()
    };
    let mut child = run::spawn(unit, &exec, environment, Path::new(LOG))?;
    let end = run::wait(&mut child, deadline);
    let said = tail(Path::new(LOG), from, 40);
    let complaints: Vec<_> = said.lines().filter(|l| complains(l)).collect();
    super::say_err(&complaints.join("\n"));
    match end {
        End::StillRuns => Err(Failure::new(1, "vtysh -b had not ended in time".into())),
        End::Status(_) => Ok(()),
    }
}

fn complains(line: &str) -> bool {
    line.contains("% ")
        || line.contains("Error")
        || line.starts_with("line ")
        || line.contains("failed")
}

/// The package's own `frr.conf` says nothing, but while it is there FRR reads no other file.
fn set_empty_integrated_aside() {
    let others = DAEMONS.iter().any(|d| own_config(d).exists());
    let says = fs::read_to_string(integrated()).is_ok_and(|text| quagga::says_something(&text));
    if others && integrated().exists() && !says {
        drop(fs::rename(integrated(), "/etc/frr/frr.conf.empty"));
    }
}

/// Configurations belong to FRR's user, which reads and rewrites them.
fn own_files() {
    use std::os::unix::fs::PermissionsExt;
    for entry in fs::read_dir(CONFIG).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_file() && !path.is_symlink() {
            // on a file system that refuses, FRR says what it could not read
            drop(users::give(Path::new("/"), &path, "frr:frr"));
            drop(fs::set_permissions(
                &path,
                fs::Permissions::from_mode(0o640),
            ));
        }
    }
}

/// Daemons by their names in the process list: also those that a script started by hand.
fn running() -> Vec<(&'static str, Process)> {
    let all: Vec<_> = process::all().into_iter().map(|p| (p.name(), p)).collect();
    let of = |daemon: &&'static str| {
        let found = all.iter().filter(|(name, _)| name == daemon);
        found.map(|(_, p)| (*daemon, *p)).collect::<Vec<_>>()
    };
    let mut found: Vec<_> = DAEMONS.iter().flat_map(of).collect();
    found.sort_by_key(|(name, _)| *name != "zebra");
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_those_of_frr_s_own_scripts() {
        let daemons = Daemons::parse(
            "zebra=yes\nospfd=yes\nospfd_instances=3\nzebra_options=\"-A 127.0.0.1 -s 1000\"\n",
        );
        let zebra = command("zebra", None, &daemons).words.join(" ");
        assert_eq!(
            zebra,
            "/usr/lib/frr/zebra -d -F traditional -A 127.0.0.1 -s 1000"
        );
        let ospfd = command("ospfd", Some("3"), &daemons).words.join(" ");
        assert_eq!(
            ospfd,
            "/usr/lib/frr/ospfd -d -F traditional -n 3 -A 127.0.0.1"
        );
        assert_eq!(
            with_instances(&daemons),
            [("zebra", None), ("ospfd", Some("3".into()))]
        );
        assert_eq!(pid_name("ospfd", Some("3")), "/run/frr/ospfd-3.pid");
    }
}
