//! Startup and shutdown scripts: run by bash, each failed command on record.

use std::fs;
use std::io;
use std::os::fd::BorrowedFd;
use std::process::{Command, Stdio};
use std::time::Instant;

use lab::Snapshot;

/// Which scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Startup,
    Shutdown,
}

/// Where a script is put and where bash notes the commands in it that failed.
const FOLDER: &str = "/run/telaio";
const FAILED: &str = "/run/telaio/failed";

/// Sources the script with a trap that notes each failed command; the trap reaches into
/// functions and subshells (`-E`). The script's own last status stays the exit status.
const WRAPPER: &str = r#"set -E
trap 'telaio_status=$?; printf "%s\t%s\t%s\n" "$LINENO" "$telaio_status" "${BASH_COMMAND//$'\n'/ }" >>/run/telaio/failed' ERR
source "$1""#;

/// A script to run.
pub(super) struct Script<'a> {
    pub(super) title: &'a str,
    text: &'a [u8],
}

/// A script that runs.
pub(super) struct Running {
    /// Its bash, leader of its own session.
    pub(super) pid: i32,
    pub(super) began: Instant,
}

impl<'a> Script<'a> {
    /// A node's scripts of a phase, in order.
    pub(super) fn of(snapshot: &'a Snapshot, node: &str, phase: Phase) -> Vec<Self> {
        let all = match phase {
            Phase::Startup => &snapshot.startup,
            Phase::Shutdown => &snapshot.shutdown,
        };
        let scripts = all.get(node).map(Vec::as_slice).unwrap_or_default();
        let script = |(title, blob): &'a (String, usize)| Self {
            title,
            text: snapshot
                .blobs
                .get(*blob)
                .map(Vec::as_slice)
                .unwrap_or_default(),
        };
        scripts.iter().map(script).collect()
    }

    /// Starts it with its output to `log`.
    pub(super) fn start(
        &self,
        environment: Vec<(String, String)>,
        log: BorrowedFd<'_>,
    ) -> io::Result<Running> {
        fs::create_dir_all(FOLDER)?;
        let _ = fs::remove_file(FAILED);
        let path = format!("{FOLDER}/script");
        // a new file each time: bash may still be reading the one before
        let _ = fs::remove_file(&path);
        fs::write(&path, self.text)?;
        let mut command = Command::new("/bin/bash");
        command
            .args(["--noprofile", "--norc", "-c", WRAPPER, self.title, &path])
            .env_clear()
            .envs(environment)
            .current_dir("/root")
            .stdin(Stdio::null())
            .stdout(log.try_clone_to_owned()?)
            .stderr(log.try_clone_to_owned()?);
        sys::process::new_session(&mut command, false);
        let began = Instant::now();
        let pid = command.spawn()?.id().cast_signed();
        Ok(Running { pid, began })
    }
}

impl Running {
    /// Commands of it that failed: line, exit status, command; the first hundred.
    pub(super) fn failures(&self) -> Vec<(u32, i32, String)> {
        let text = fs::read(FAILED).unwrap_or_default();
        parse_failures(&String::from_utf8_lossy(&text))
    }
}

fn parse_failures(text: &str) -> Vec<(u32, i32, String)> {
    let parse = |line: &str| {
        let mut parts = line.splitn(3, '\t');
        let number = parts.next()?.parse().ok()?;
        let status = parts.next()?.parse().ok()?;
        let command: String = parts.next()?.chars().take(200).collect();
        Some((number, status, command))
    };
    let mut list: Vec<(u32, i32, String)> = text.lines().filter_map(parse).take(100).collect();
    // a failure inside a function is noted again for the call
    list.dedup_by(|b, a| a == b);
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_read_line_by_line() {
        let list = parse_failures("3\t2\tls /nowhere\nbroken\n3\t2\tls /nowhere\n9\t1\tfalse\n");
        assert_eq!(list, [(3, 2, "ls /nowhere".into()), (9, 1, "false".into())]);
    }

    #[test]
    fn the_wrapper_notes_lines_and_keeps_the_status() {
        let dir = std::env::temp_dir().join(format!("telaio-script-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let failed = dir.join("failed");
        let script = dir.join("s");
        fs::write(&script, "true\nls /nowhere/at/all\necho fine\nexit 3\n").unwrap();
        let wrapper = WRAPPER.replace(FAILED, failed.to_str().unwrap());
        let output = Command::new("/bin/bash")
            .args(["-c", &wrapper, "s", script.to_str().unwrap()])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(3));
        let noted = parse_failures(&fs::read_to_string(&failed).unwrap());
        assert_eq!(noted, [(2, 2, "ls /nowhere/at/all".into())]);
        fs::remove_dir_all(&dir).unwrap();
    }
}
