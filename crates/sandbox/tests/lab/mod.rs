//! A lab of bare nodes for tests: broker, supervisor and nodes as the real ones are made. The
//! program runs itself [`again`] for it, since only a process with one thread may make such
//! processes.

use std::fs;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::process::Command;

use lab::Mount;
use sandbox::{Base, BaseSpec};
use sys::identity::Identities;
use sys::process::{self, Namespaces};

/// Whose lab it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// Real root.
    Root,
    /// An ordinary user with subordinate ids.
    Subordinate,
    /// An ordinary user without.
    User,
}

impl By {
    /// Those that can be tried here.
    pub(crate) fn all() -> Vec<By> {
        if rustix::process::geteuid().is_root() {
            return vec![By::Root, By::Subordinate, By::User];
        }
        eprintln!("skipped: labs of root and with subordinate ids, since this is an ordinary user");
        vec![By::User]
    }
}

/// The ordinary user.
pub(crate) const USER: u32 = 65534;

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
    if by == By::Subordinate {
        command.env(SUBORDINATE, "1");
    }
    command
}

/// Says that the ids are to be mapped as for a user with subordinate ids.
const SUBORDINATE: &str = "TELAIO_TEST_SUBORDINATE";

/// What `newuidmap` and `newgidmap` would do for [`USER`].
fn map_subordinate(pid: i32) {
    for file in ["uid_map", "gid_map"] {
        let map = format!("0 {USER} 1\n1 200000 65535\n");
        fs::write(format!("/proc/{pid}/{file}"), map).unwrap();
    }
}

/// Where [`again`] has the program.
const PROGRAM: i32 = 9;

/// Makes a lab, whose supervisor runs `inside` on its base; its exit status.
pub(crate) fn make(tools: &[PathBuf], shared: &[Mount], inside: impl FnOnce(&Base) -> i32) -> i32 {
    let identities = match std::env::var_os(SUBORDINATE) {
        None => Identities::for_lab("a lab of a test").unwrap(),
        Some(_) => Identities::Subordinate {
            users: (200_000, 65535),
            groups: (200_000, 65535),
        },
    };
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
    match identities {
        Identities::Subordinate { .. } => map_subordinate(child.pid),
        _ => identities.map(child.pid).unwrap(),
    }
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

/// A process of a node, in namespaces of its own, with one descriptor left open.
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
