//! A lab that is none: its one node `pc1` is this host, its commands run in this user's name.
//! What the command line makes of a lab's answers is tried with it, on any host.

use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rustix::fs::{FlockOperation, Mode, OFlags};
use supervisor::proto::{
    self, InterfaceStatus, NodeState, NodeStatus, Reply, Request, SegmentStatus, Status,
};

/// The program under test.
pub(crate) const TELAIO: &str = env!("CARGO_BIN_EXE_telaio");

/// A running lab called `fake`.
pub(crate) struct Fake {
    runtime: tempfile::TempDir,
    _lock: OwnedFd,
}

impl Fake {
    pub(crate) fn start() -> Self {
        let runtime = tempfile::tempdir().unwrap();
        let folder = runtime.path().join("fake");
        std::fs::create_dir(&folder).unwrap();
        let flags = OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC;
        let lock = rustix::fs::open(folder.join("lock"), flags, Mode::RUSR | Mode::WUSR).unwrap();
        rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).unwrap();
        let note = serde_json::json!({
            "protocol": proto::VERSION, "name": "fake", "source": runtime.path(), "started": 0.0,
        });
        std::fs::write(folder.join("lab.json"), note.to_string()).unwrap();
        let listener = UnixListener::bind(folder.join("control")).unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || answer(&stream));
            }
        });
        Self {
            runtime,
            _lock: lock,
        }
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.runtime.path().join("fake")
    }

    /// The program with these words, asked about this lab.
    pub(crate) fn telaio(&self, words: &[&str]) -> Command {
        let mut command = Command::new(TELAIO);
        command
            .args(words)
            .env("TELAIO_RUNTIME_DIR", self.runtime.path())
            .env("NO_COLOR", "1")
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

fn answer(stream: &UnixStream) {
    let mut buffer = vec![0; 1 << 16];
    let Ok((n, fds)) = sys::fdpass::receive(stream, &mut buffer) else {
        return;
    };
    if n < 4 {
        return;
    }
    match serde_json::from_slice(&buffer[4..n]).unwrap() {
        Request::Status => say(stream, &Reply::Status(Box::new(status())), &[]),
        Request::Exec {
            argv,
            tty: None,
            env,
            ..
        } => {
            let fds = <[OwnedFd; 3]>::try_from(fds).unwrap();
            let [input, output, errors] = fds;
            let mut command = command(&argv);
            command.envs(env).stdin(input).stdout(output).stderr(errors);
            run(stream, command, None);
        }
        Request::Exec {
            argv,
            tty: Some((rows, columns)),
            env,
            ..
        } => {
            let pty = sys::pty::Pty::open(rows, columns).unwrap();
            let mut command = command(&argv);
            let slave = || pty.slave.try_clone().unwrap();
            command
                .envs(env)
                .stdin(slave())
                .stdout(slave())
                .stderr(slave());
            sys::process::new_session(&mut command, true);
            let master = pty.master;
            drop(pty.slave);
            run(stream, command, Some(master));
        }
        Request::Plug { .. } => say(stream, &Reply::Done, &[]),
        other => {
            let message = format!("not in this fake: {other:?}");
            say(
                stream,
                &Reply::Error {
                    message,
                    help: None,
                },
                &[],
            );
        }
    }
}

fn status() -> Status {
    let mut status = Status {
        name: "fake".into(),
        built: true,
        ready: true,
        ..Status::default()
    };
    let mut node = NodeStatus {
        state: NodeState::Ready,
        ..NodeStatus::default()
    };
    let interface = InterfaceStatus {
        segment: Some("A".into()),
        plugged: true,
        ..InterfaceStatus::default()
    };
    node.interfaces.insert("eth0".into(), interface);
    status.nodes.insert("pc1".into(), node);
    let segment = SegmentStatus {
        kind: "open".into(),
        members: vec!["pc1:eth0".into()],
    };
    status.segments.insert("A".into(), segment);
    status
}

/// A node's own program is this one.
fn command(argv: &[String]) -> Command {
    let (program, words) = match argv.split_first() {
        Some((program, words)) if program == "/usr/lib/telaio/telaio" => (TELAIO, words),
        Some((program, words)) => (program.as_str(), words),
        None => ("/bin/sh", &[][..]),
    };
    let mut command = Command::new(program);
    command.args(words);
    command
}

fn run(stream: &UnixStream, mut command: Command, master: Option<OwnedFd>) {
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(e) => {
            let refused = Reply::Refused {
                status: 127,
                message: e.to_string(),
            };
            return say(stream, &refused, &[]);
        }
    };
    // our copies of its descriptors
    drop(command);
    let pid = child.id().cast_signed();
    let fds: Vec<BorrowedFd<'_>> = master.iter().map(AsFd::as_fd).collect();
    say(stream, &Reply::Started { pid }, &fds);
    let asked = stream.try_clone().unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok((n @ 5.., _)) = sys::fdpass::receive(&asked, &mut buffer) {
            if let Ok(Request::Signal { signal }) = serde_json::from_slice(&buffer[4..n]) {
                let _ = sys::process::kill(pid, signal);
            }
        }
    });
    let status = child.wait().unwrap();
    use std::os::unix::process::ExitStatusExt;
    let status = status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    say(stream, &Reply::Exited { status }, &[]);
    let _ = stream.shutdown(std::net::Shutdown::Write);
}

fn say(mut stream: &UnixStream, reply: &Reply, fds: &[BorrowedFd<'_>]) {
    let body = serde_json::to_vec(reply).unwrap();
    let mut frame = (body.len() as u32).to_le_bytes().to_vec();
    frame.extend(body);
    let n = sys::fdpass::send(stream, &frame, fds).unwrap_or(frame.len());
    let _ = stream.write_all(&frame[n..]);
}
