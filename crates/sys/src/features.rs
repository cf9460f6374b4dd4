//! What this host offers to labs: tried, not guessed.
//!
//! [`Features::try_all`] makes a scratch process in the namespaces that a lab has, does each
//! thing there once, and takes it all away again with that process. A few things can be tried
//! on the host's side only, and limits are read.

mod host;
mod isolation;
mod kernel;
mod limits;
mod rtnl;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use serde::Serialize;

use crate::process::{self, Namespaces};

pub use limits::Limits;

/// How long the scratch process may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// What this host offers.
#[derive(Clone, Debug, Serialize)]
pub struct Features {
    /// The kernel's release.
    pub release: String,
    /// Whether root asked.
    pub root: bool,
    /// User namespaces can be made, with an id map.
    pub user_namespaces: Trial,
    /// What is in them has its capabilities: AppArmor or a container may take them away.
    pub capabilities: Trial,
    /// An overlay of the host's `/usr` can be mounted in them.
    pub overlay: Trial,
    /// A new `/proc` can be mounted: a container that masks parts of its own forbids it.
    pub proc: Trial,
    /// A new `/sys` can be mounted.
    pub sysfs: Trial,
    /// System-call filters can be installed.
    pub seccomp: Trial,
    /// A mount can have its own id map (root only).
    pub idmapped: Trial,
    /// An eBPF program can be loaded.
    pub ebpf: Trial,
    /// `/dev/net/tun` can be opened.
    pub tun: Trial,
    /// `/dev/kvm` can be opened.
    pub kvm: Trial,
    /// Control groups can be made.
    pub cgroups: Trial,
    /// A user's range of subordinate ids can be mapped; root needs none.
    pub subordinate_ids: Trial,
    /// Kernel features that nodes use, by name.
    pub kernel: BTreeMap<String, Trial>,
    /// Limits that large labs meet.
    pub limits: Limits,
}

/// The outcome of a trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// Whether it worked.
    pub works: bool,
    /// Why not, or a word on how.
    pub detail: String,
}

impl Trial {
    fn works(detail: impl Into<String>) -> Self {
        Self {
            works: true,
            detail: detail.into(),
        }
    }

    fn fails(detail: impl Into<String>) -> Self {
        Self {
            works: false,
            detail: detail.into(),
        }
    }

    fn of<T>(result: io::Result<T>) -> Self {
        match result {
            Ok(_) => Self::works(""),
            Err(e) => Self::fails(reason(&e)),
        }
    }
}

/// An error in words, without its number, as the end of a sentence.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = words.chars();
    let first = letters.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

/// Results by name, as the scratch process reports them.
type Trials = BTreeMap<String, Trial>;

impl Features {
    /// Tries everything. For a process with one thread, as [`process::clone`] asks.
    pub fn try_all() -> Self {
        let root = rustix::process::geteuid().is_root();
        let mut idmapped = Trial::fails("not tried, for there is no user namespace");
        let mut inside = match scratch(|pid| idmapped = host::idmapped(pid)) {
            Ok(trials) => trials,
            Err(e) => BTreeMap::from([("user_namespaces".into(), Trial::fails(reason(&e)))]),
        };
        let mut take = |name: &str| {
            let missing = || Trial::fails("not tried, for a trial before it failed");
            inside.remove(name).unwrap_or_else(missing)
        };
        Self {
            release: rustix::system::uname()
                .release()
                .to_string_lossy()
                .into_owned(),
            root,
            user_namespaces: take("user_namespaces"),
            capabilities: take("capabilities"),
            overlay: take("overlay"),
            proc: take("proc"),
            sysfs: take("sysfs"),
            seccomp: take("seccomp"),
            idmapped,
            ebpf: host::ebpf(),
            tun: host::device("/dev/net/tun"),
            kvm: host::device("/dev/kvm"),
            cgroups: host::cgroups(),
            subordinate_ids: host::subordinate_ids(root),
            kernel: inside,
            limits: Limits::read(root),
        }
    }

    /// Names of the kernel features that work.
    pub fn working(&self) -> impl Iterator<Item = &str> {
        let working = self.kernel.iter().filter(|(_, trial)| trial.works);
        working.map(|(name, _)| name.as_str())
    }
}

/// Runs the trials in a process of its own and collects what it reports. `mapped` is called with
/// its number once it has its ids.
fn scratch(mapped: impl FnOnce(i32)) -> io::Result<Trials> {
    let (ours, theirs) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    let namespaces = Namespaces::USER
        .and(Namespaces::PID)
        .and(Namespaces::MOUNT)
        .and(Namespaces::NET)
        .and(Namespaces::UTS)
        .and(Namespaces::IPC);
    let ids = (rustix::process::geteuid(), rustix::process::getegid());
    let child = process::clone(namespaces, || {
        let mut report = Report(theirs.try_clone().ok().map(fs::File::from));
        inside(ids.0.as_raw(), ids.1.as_raw(), &mut report);
        0
    })?;
    drop(theirs);
    let trials = collect(ours, || mapped(child.pid));
    child.signal(libc::SIGKILL)?;
    child.wait()?;
    Ok(trials)
}

/// Reads reports until the scratch process ends, or patience does.
fn collect(pipe: OwnedFd, mapped: impl FnOnce()) -> Trials {
    let end = Instant::now() + PATIENCE;
    let mut file = fs::File::from(pipe);
    let mut mapped = Some(mapped);
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        let timeout = Timespec {
            tv_sec: left.as_secs().try_into().unwrap_or(0),
            tv_nsec: left.subsec_nanos().into(),
        };
        let mut polled = [PollFd::from_borrowed_fd(file.as_fd(), PollFlags::IN)];
        if !matches!(rustix::event::poll(&mut polled, Some(&timeout)), Ok(n) if n > 0) {
            break;
        }
        match file.read(&mut buffer) {
            Ok(n) if n > 0 => text.extend_from_slice(&buffer[..n]),
            _ => break,
        }
        if text.starts_with(b"user_namespaces\t1")
            && let Some(mapped) = mapped.take()
        {
            mapped();
        }
    }
    let text = String::from_utf8_lossy(&text);
    text.lines().filter_map(parse).collect()
}

fn parse(line: &str) -> Option<(String, Trial)> {
    let mut parts = line.splitn(3, '\t');
    let (name, works, detail) = (parts.next()?, parts.next()?, parts.next()?);
    let trial = Trial {
        works: works == "1",
        detail: detail.into(),
    };
    Some((name.into(), trial))
}

/// Where the scratch process reports to, a line a trial.
struct Report(Option<fs::File>);

impl Report {
    fn add(&mut self, name: &str, trial: &Trial) {
        if let Some(file) = &mut self.0 {
            let line = format!("{name}\t{}\t{}\n", u8::from(trial.works), trial.detail);
            // nobody listens any more: nothing to tell
            let _ = file.write_all(line.as_bytes());
        }
    }
}

/// What the scratch process does.
fn inside(uid: u32, gid: u32, report: &mut Report) {
    let _ = process::die_with_parent(libc::SIGKILL);
    let mapped = isolation::map_ids(uid, gid);
    report.add("user_namespaces", &Trial::of(mapped));
    kernel::try_all(report);
    isolation::try_all(report);
}
