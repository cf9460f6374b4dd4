//! Processes of a node as `/proc` shows them, and waiting for their end.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// A process, with the time of its start to tell it from a later one of the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: i32,
    started: u64,
    pub(super) parent: i32,
}

impl Process {
    /// The process of a number, unless it has ended.
    pub(super) fn of(pid: i32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        parse_stat(pid, &stat)
    }

    /// The process whose number a file holds.
    pub(super) fn of_pidfile(file: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(file).ok()?;
        Self::of(text.split_whitespace().next()?.parse().ok()?)
    }

    /// The one that [`Process::record`] wrote down.
    pub(super) fn recorded(file: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(file).ok()?;
        let (pid, started) = text.trim().split_once(' ')?;
        let process = Self::of(pid.parse().ok()?)?;
        (process.started.to_string() == started).then_some(process)
    }

    /// Writes it down.
    pub(super) fn record(self, file: &Path) -> std::io::Result<()> {
        std::fs::write(file, format!("{} {}\n", self.pid, self.started))
    }

    /// Whether it has not ended.
    pub(super) fn alive(self) -> bool {
        Self::of(self.pid).is_some_and(|now| now.started == self.started)
    }

    /// Sends it a signal; one that has ended gets none.
    pub(super) fn signal(self, signal: i32) {
        if self.alive() {
            // it may end in between: then there is nothing left to do
            drop(sys::process::kill(self.pid, signal));
        }
    }

    /// Waits for its end; false when the time is over before.
    pub(super) fn wait_end(self, timeout: Duration) -> bool {
        let Ok(fd) = sys::process::pidfd_open(self.pid) else {
            return true;
        };
        if !self.alive() {
            return true;
        }
        let ended = sys::epoll::Poller::new().and_then(|mut poller| {
            poller.add(&fd, 0)?;
            poller.wait(Some(timeout))
        });
        ended.is_ok_and(|events| !events.is_empty()) || !self.alive()
    }

    /// Its program.
    fn program(self) -> Option<PathBuf> {
        let path = std::fs::read_link(format!("/proc/{}/exe", self.pid)).ok()?;
        let text = path.to_str()?;
        Some(text.strip_suffix(" (deleted)").unwrap_or(text).into())
    }

    /// Its name in `ps`.
    pub(super) fn name(self) -> String {
        let name = std::fs::read_to_string(format!("/proc/{}/comm", self.pid));
        name.unwrap_or_default().trim().to_owned()
    }
}

/// The fields after the name, which itself may hold blanks and parentheses (proc(5)).
fn parse_stat(pid: i32, stat: &str) -> Option<Process> {
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<_> = rest.split_whitespace().collect();
    if matches!(*fields.first()?, "Z" | "X") {
        return None;
    }
    Some(Process {
        pid,
        parent: fields.get(1)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
    })
}

/// All processes that this one sees.
pub(super) fn all() -> Vec<Process> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|e| e.file_name().to_str()?.parse().ok());
    pids.filter_map(Process::of).collect()
}

/// The process of a program that is nobody's child of the same program.
pub(super) fn running(programs: &[&str]) -> Option<Process> {
    let wanted: Vec<_> = programs.iter().map(|p| real(p)).collect();
    let all: Vec<_> = all()
        .into_iter()
        .filter(|p| p.program().is_some_and(|exe| wanted.contains(&exe)))
        .collect();
    let parent_too = |p: &Process| all.iter().any(|other| other.pid == p.parent);
    all.iter().find(|p| !parent_too(p)).copied()
}

fn real(program: &str) -> PathBuf {
    std::fs::canonicalize(program).unwrap_or_else(|_| program.into())
}

/// A process's descendants.
pub(super) fn descendants(of: Process) -> Vec<Process> {
    let all = all();
    let mut found = vec![of];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        next += 1;
        let new = all
            .iter()
            .filter(|p| p.parent == parent.pid && !found.contains(p));
        let new: Vec<_> = new.copied().collect();
        found.extend(new);
    }
    found.split_off(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_is_no_trap() {
        let rest = (3..23).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
        let line = format!("7 (a) b (c) S {}", rest.replacen("3", "1", 1));
        let process = parse_stat(7, &line).unwrap();
        assert_eq!((process.parent, process.started), (1, 21));
        assert_eq!(parse_stat(7, &line.replace(") S", ") Z")), None);
        assert_eq!(parse_stat(7, "7 (x"), None);
    }

    #[test]
    fn sees_itself_and_its_children() {
        let me = Process::of(std::process::id().cast_signed()).unwrap();
        let mut child = std::process::Command::new("/bin/cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let process = Process::of(child.id().cast_signed()).unwrap();
        assert!(descendants(me).contains(&process));
        let file = tempfile::NamedTempFile::new().unwrap();
        process.record(file.path()).unwrap();
        assert_eq!(Process::recorded(file.path()), Some(process));
        drop(child.stdin.take());
        assert!(process.wait_end(Duration::from_secs(10)));
        assert!(!process.alive());
        child.wait().unwrap();
        assert_eq!(Process::recorded(file.path()), None);
    }
}
