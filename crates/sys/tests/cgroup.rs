//! A group with a limit around a process of ours, and nothing left or moved afterwards.

use std::fs;
use std::process::{Command, Stdio};

use sys::cgroup::{Groups, Limits};

#[test]
fn a_process_is_confined_and_nothing_else_is_touched() {
    let name = format!("telaio-test-{}", std::process::id());
    if let Err(e) = Groups::try_out(&name) {
        eprintln!("skipped: no control groups here: {e}");
        return;
    }
    let groups = Groups::create(&name).unwrap();
    let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    let pid = child.id();
    let limits = Limits {
        memory: Some(64 << 20),
        cpus: Some(0.5),
    };
    let missed = groups.confine("n", pid.cast_signed(), limits).unwrap();
    let inside = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    assert!(inside.contains(&format!("{name}/n")), "{inside} {missed:?}");
    drop(child.stdin.take());
    child.wait().unwrap();
    groups.remove().unwrap();
    let own = fs::read_to_string("/proc/self/cgroup").unwrap();
    assert!(!own.contains(&name), "{own}");
    assert!(Groups::try_out(&name).is_ok(), "the group is still there");
}
