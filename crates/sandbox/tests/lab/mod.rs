//! A lab of bare nodes for tests: broker, supervisor and nodes as the real ones are made, each
//! node running one shell script. The program runs itself again for it, since only a process
//! with one thread may make such processes; it must call [`serve`] first.

use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

use lab::{Entry, Mount};
use sandbox::{Base, BaseSpec, NodeRoot};
use serde::{Deserialize, Serialize};
use sys::identity::Identities;
use sys::process::{self, Namespaces};

/// Whose lab it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// Real root.
    Root,
    /// An ordinary user.
    User,
}

impl By {
    /// Those that can be tried here.
    pub(crate) fn all() -> Vec<By> {
        if rustix::process::geteuid().is_root() {
            return vec![By::Root, By::User];
        }
        eprintln!("skipped: labs of root, since this is an ordinary user");
        vec![By::User]
    }
}

/// A node and what it runs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Node {
    /// Its name.
    pub(crate) name: String,
    /// Its files.
    pub(crate) entries: Vec<Entry>,
    /// Its shared folders.
    pub(crate) mounts: Vec<Mount>,
    /// What it runs, by bash.
    pub(crate) script: String,
}

/// A lab.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Lab {
    /// Its nodes; one starts when the one before has ended.
    pub(crate) nodes: Vec<Node>,
    /// File contents.
    pub(crate) blobs: Vec<Vec<u8>>,
    /// Tool layers.
    pub(crate) tools: Vec<PathBuf>,
}

/// An ordinary user with no subordinate ids.
pub(crate) const USER: u32 = 65534;

impl Lab {
    /// Runs the lab; what its nodes wrote to standard output, and its exit status.
    pub(crate) fn run(&self, by: By) -> (String, ExitStatus) {
        let mut command = again(by, "as-lab");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let text = serde_json::to_vec(self).unwrap();
        child.stdin.take().unwrap().write_all(&text).unwrap();
        let output = child.wait_with_output().unwrap();
        (
            String::from_utf8_lossy(&output.stdout).into_owned(),
            output.status,
        )
    }
}

/// This program once more, as root or as a user, with this argument. It runs from memory, as
/// labs do, so that a node cannot write to its file.
pub(crate) fn again(by: By, argument: &str) -> Command {
    let program = process::memfd("telaio test").unwrap();
    let own = fs::read(std::env::current_exe().unwrap()).unwrap();
    (&program).write_all(&own).unwrap();
    process::seal(&program).unwrap();
    let sealed = format!("/proc/self/fd/{PROGRAM}");
    let mut command = match by {
        By::User if rustix::process::geteuid().is_root() => {
            let id = USER.to_string();
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid", &id, "--regid", &id, "--clear-groups"])
                .arg(sealed);
            command
        }
        _ => Command::new(sealed),
    };
    process::pass_fds(&mut command, vec![(program.into(), PROGRAM)]);
    command.arg(argument);
    command
}

/// Where [`again`] has the program.
const PROGRAM: i32 = 9;

/// If this process was started as a lab, is one and ends.
pub(crate) fn serve() {
    if std::env::args().nth(1).as_deref() == Some("as-lab") {
        let mut text = Vec::new();
        io::stdin().read_to_end(&mut text).unwrap();
        let lab: Lab = serde_json::from_slice(&text).unwrap();
        std::process::exit(run_all(&lab));
    }
}

fn run_all(lab: &Lab) -> i32 {
    let shared: Vec<Mount> = lab.nodes.iter().flat_map(|n| n.mounts.clone()).collect();
    make(&lab.tools, &shared, |base| {
        for node in &lab.nodes {
            let child = node_process(base, None, || node_main(base, lab, node));
            let status = child.wait().unwrap();
            if status != 0 {
                return status;
            }
        }
        0
    })
}

/// Makes a lab, whose supervisor runs `inside` on its base; its exit status.
pub(crate) fn make(tools: &[PathBuf], shared: &[Mount], inside: impl FnOnce(&Base) -> i32) -> i32 {
    let identities = Identities::for_lab("a lab of a test").unwrap();
    let (ours, theirs) = sys::fdpass::packet_pair().unwrap();
    let all = Namespaces::USER
        .and(Namespaces::PID)
        .and(Namespaces::MOUNT)
        .and(Namespaces::NET)
        .and(Namespaces::UTS)
        .and(Namespaces::IPC);
    let single_id = identities.is_single();
    let child = process::clone(all, || match build(tools, shared, &theirs, single_id) {
        Ok(base) => inside(&base),
        Err(e) => {
            println!("no base: {e}");
            1
        }
    });
    let child = child.map_err(|e| sys::identity::explain_clone(&e)).unwrap();
    identities.map(child.pid).unwrap();
    let mut fds = Vec::new();
    if identities.is_range() {
        match sandbox::host_layers(child.pid, tools, shared) {
            Ok(layers) => {
                layers
                    .warnings
                    .iter()
                    .for_each(|w| println!("warning: {w}"));
                fds = layers.fds;
            }
            Err(e) => {
                println!("no layers: {e}");
                child.signal(9).unwrap();
            }
        }
    }
    let fds: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
    sys::fdpass::send(&ours, b"go", &fds).unwrap();
    child.wait().unwrap()
}

fn build(
    tools: &[PathBuf],
    shared: &[Mount],
    broker: &OwnedFd,
    single_id: bool,
) -> Result<Base, sandbox::Error> {
    let (_, fds) = sys::fdpass::receive(broker, &mut [0; 8]).unwrap();
    process::become_root().unwrap();
    process::die_with_parent(9).unwrap();
    Base::build(BaseSpec {
        tools,
        layers: (!fds.is_empty()).then_some(fds),
        single_id,
        mounts: shared,
    })
}

/// A process of a node, in namespaces of its own.
/// Keeps one descriptor open in it.
pub(crate) fn node_process(
    base: &Base,
    keep: Option<BorrowedFd<'_>>,
    run: impl FnOnce() -> i32,
) -> process::Child {
    let namespaces = Namespaces::PID
        .and(Namespaces::MOUNT)
        .and(Namespaces::NET)
        .and(Namespaces::UTS)
        .and(Namespaces::IPC);
    let inside = || {
        let keep: Vec<_> = base.descriptors().into_iter().chain(keep).collect();
        process::close_all_but(&keep).unwrap();
        run()
    };
    process::clone(namespaces, inside).unwrap()
}

fn node_main(base: &Base, lab: &Lab, node: &Node) -> i32 {
    let root = NodeRoot {
        name: &node.name,
        hostname: &node.name,
        hosts: "127.0.0.1\tlocalhost\n",
        resolv: Some("nameserver 192.0.2.1\n"),
        entries: &node.entries,
        blobs: &lab.blobs,
        mounts: &node.mounts,
    };
    match base.enter(&root) {
        Ok(warnings) => {
            for warning in warnings {
                println!("warning: {warning}");
            }
        }
        Err(e) => {
            println!("no root: {e}");
            return 1;
        }
    }
    let status = Command::new("/bin/bash")
        .args(["-c", &node.script])
        .stdin(Stdio::null())
        .status();
    status.ok().and_then(|s| s.code()).unwrap_or(126)
}
