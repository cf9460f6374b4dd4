//! A test's own namespaces: the test program is run once more, for that one test, inside them.

use std::process::{Command, Stdio};

/// Set for the second run.
const INSIDE: &str = "TELAIO_TEST_INSIDE";

/// Which identity an isolated test has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// Root of a user namespace: what an ordinary user can have.
    User,
    /// The host's root, which only a run by root can give; else the test is skipped.
    Root,
}

/// See [`crate::isolated!`]; `place` is the path of a function inside the test's function.
pub fn isolate(rights: Rights, place: &str, body: impl FnOnce()) {
    let name = test_name(place);
    if std::env::var(INSIDE).is_ok_and(|inside| inside == name) {
        return body();
    }
    if rights == Rights::Root && !rustix::process::geteuid().is_root() {
        crate::skip!("{name} needs root");
    }
    if !possible(rights) {
        crate::skip!("{name} needs namespaces, which cannot be made here");
    }
    let program = std::env::current_exe().expect("the test program");
    let output = unshare(rights)
        .arg(program)
        .args([
            name,
            "--exact",
            "--test-threads=1",
            "--nocapture",
            "--include-ignored",
        ])
        .env(INSIDE, name)
        .stdin(Stdio::null())
        .output()
        .expect("the test program runs again");
    let text = String::from_utf8_lossy(&output.stderr);
    for line in text.lines().filter(|l| to_be_seen(l)) {
        crate::say(line);
    }
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{name} failed inside:\n{out}{text}"
    );
    assert!(
        out.contains("1 passed"),
        "{name} was not found inside:\n{out}{text}"
    );
}

/// Lines that are shown of tests that pass, too.
fn to_be_seen(line: &str) -> bool {
    line.starts_with("skipped: ") || line.starts_with("measured: ")
}

fn unshare(rights: Rights) -> Command {
    let mut command = Command::new("unshare");
    match rights {
        Rights::User => command.args(["--map-root-user", "--net", "--mount"]),
        Rights::Root => command.args(["--net", "--mount"]),
    };
    command
}

fn possible(rights: Rights) -> bool {
    let status = unshare(rights).arg("true").stderr(Stdio::null()).status();
    status.is_ok_and(|s| s.success())
}

/// `crate::module::test::place` without its first and last parts.
fn test_name(place: &str) -> &str {
    let inner = place.rsplit_once("::").map_or(place, |(test, _)| test);
    inner.split_once("::").map_or(inner, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_as_the_harness_has_them() {
        assert_eq!(
            super::test_name("panel::wires::tests::two::place"),
            "wires::tests::two"
        );
        assert_eq!(super::test_name("wires::two::place"), "two");
    }

    #[test]
    fn inside_there_is_only_a_loopback_interface() {
        crate::isolated!({
            let links = sys::netlink::Socket::open().unwrap().links().unwrap();
            let names: Vec<_> = links.iter().map(|l| l.name.as_str()).collect();
            assert_eq!(names, ["lo"]);
        });
    }
}
