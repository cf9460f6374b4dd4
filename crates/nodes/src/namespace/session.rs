//! Commands that clients run in a node.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

use sys::pty::Pty;

use crate::message::Exec;

/// The commands that run, by their process number.
#[derive(Default)]
pub(super) struct Sessions {
    by_pid: HashMap<i32, u64>,
}

impl Sessions {
    /// Starts a command in a session of its own. Returns its process number and its terminal's
    /// master side; else an exit status as a shell would give and a reason.
    pub(super) fn start(
        &mut self,
        exec: &Exec,
        fds: Vec<OwnedFd>,
        environment: Vec<(String, String)>,
        shell: Option<&str>,
    ) -> Result<(i32, Option<OwnedFd>), (i32, String)> {
        let shell = shell.unwrap_or("/bin/bash");
        let program = exec.argv.first().map_or(shell, String::as_str);
        let mut command = Command::new(program);
        if exec.argv.is_empty() {
            // a leading dash in its name makes it a login shell
            let name = program.rsplit('/').next().unwrap_or(program);
            command.arg0(format!("-{name}"));
        }
        command
            .args(exec.argv.iter().skip(1))
            .env_clear()
            .envs(environment)
            .env("SHELL", shell)
            .envs(exec.env.iter().map(|(k, v)| (k, v)))
            .current_dir(exec.cwd.as_deref().unwrap_or("/root"));
        let master = connect(&mut command, exec.tty, fds).map_err(|e| (126, e.to_string()))?;
        sys::process::new_session(&mut command, exec.tty.is_some());
        match command.spawn() {
            Ok(child) => {
                let pid = child.id().cast_signed();
                self.by_pid.insert(pid, exec.id);
                Ok((pid, master))
            }
            Err(e) => Err(refusal(program, exec.cwd.as_deref(), &e)),
        }
    }

    /// Sends a command's process group a signal; returns the group's number.
    pub(super) fn signal(&self, id: u64, signal: i32) -> Option<i32> {
        let (pid, _) = self.by_pid.iter().find(|(_, other)| **other == id)?;
        let _ = sys::process::kill(-pid, signal);
        Some(*pid)
    }

    /// A process ended: the number of the command that it was.
    pub(super) fn ended(&mut self, pid: i32) -> Option<u64> {
        self.by_pid.remove(&pid)
    }
}

fn connect(
    command: &mut Command,
    tty: Option<(u16, u16)>,
    fds: Vec<OwnedFd>,
) -> io::Result<Option<OwnedFd>> {
    if let Some((rows, columns)) = tty {
        let pty = Pty::open(rows, columns)?;
        command.stdin(pty.slave.try_clone()?);
        command.stdout(pty.slave.try_clone()?);
        command.stderr(pty.slave);
        return Ok(Some(pty.master));
    }
    let [stdin, stdout, stderr] = <[OwnedFd; 3]>::try_from(fds).map_err(|_| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            "a command needs three descriptors",
        )
    })?;
    command.stdin(stdin).stdout(stdout).stderr(stderr);
    Ok(None)
}

fn refusal(program: &str, cwd: Option<&str>, error: &io::Error) -> (i32, String) {
    let folder = cwd.unwrap_or("/root");
    match error.kind() {
        io::ErrorKind::NotFound if !std::path::Path::new(folder).is_dir() => {
            (126, format!("no folder {folder} in this node"))
        }
        io::ErrorKind::NotFound => (127, format!("no program {program} in this node")),
        io::ErrorKind::PermissionDenied => (126, format!("{program} may not be run")),
        _ => (126, format!("{program} cannot be run: {error}")),
    }
}
