//! Mistakes and hosts that lack something: a clear message, the right status, nothing left.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use crate::host::Host;
use crate::{PAIR, for_everyone};

const SOON: Duration = Duration::from_secs(2);

for_everyone!(
    a_mistake_has_a_place,
    a_lab_folder_may_be_read_only,
    an_unwritable_runtime_folder_is_told,
);

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What a person reads says more than the system's own words.
fn assert_clear(said: &str) {
    assert!(said.starts_with("error"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    assert!(said.lines().count() > 1 || said.len() > 60, "{said}");
}

fn a_mistake_has_a_place(host: &Host) {
    host.lab("lab", "nodes:\n  a:\n    interfaces: {eth0: 10.9.0.1/99}\n");
    let output = host.output(&["up"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(
        text(&output).contains("telaio.yaml:5:"),
        "{}",
        text(&output)
    );
    host.lab("lab", "nodes:\n  a: {interfacse: {}}\n");
    let output = host.output(&["validate"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(
        text(&output).contains("telaio.yaml:4:7"),
        "{}",
        text(&output)
    );
    host.wait_clean(SOON);
}

fn a_lab_folder_may_be_read_only(host: &Host) {
    let folder = host.lab("lab", PAIR);
    let mode = |bits| std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(bits));
    mode(0o555).unwrap();
    host.up("lab");
    assert_eq!(host.sh("lab", "a", "echo here"), "here\n");
    host.run(&["down"]);
    mode(0o755).unwrap();
    host.wait_clean(SOON);
}

fn an_unwritable_runtime_folder_is_told(host: &Host) {
    host.lab("lab", PAIR);
    // not even root makes folders there
    let output = host
        .telaio(&["up"])
        .env("TELAIO_RUNTIME_DIR", "/proc/telaio")
        .output()
        .unwrap();
    assert!(
        matches!(output.status.code(), Some(1 | 2)),
        "{}",
        text(&output)
    );
    assert_clear(&text(&output));
    host.wait_clean(SOON);
}

/// A small file system in memory, unmounted when dropped.
struct Small(PathBuf);

impl Small {
    fn new(at: &Path, options: &str) -> Self {
        std::fs::create_dir_all(at).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at);
        assert!(mount.status().unwrap().success());
        Self(at.to_path_buf())
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_told() {
    if !rustix::process::geteuid().is_root() {
        testkit::skip!("only root can mount a small disk");
    }
    let host = Host::of_caller();
    host.lab("lab", PAIR);
    let small = Small::new(&host.path("small"), "size=16k,nr_inodes=64,mode=0755");
    let filler = small.0.join("filler");
    // as much as goes in
    let _ = std::fs::write(&filler, vec![1; 64 << 10]);
    let up = || {
        host.telaio(&["up"])
            .env("TELAIO_RUNTIME_DIR", &small.0)
            .output()
            .unwrap()
    };
    let output = up();
    assert!(
        matches!(output.status.code(), Some(1 | 2)),
        "{}",
        text(&output)
    );
    assert_clear(&text(&output));
    assert!(text(&output).contains("small"), "{}", text(&output));
    let names: Vec<_> = std::fs::read_dir(&small.0)
        .unwrap()
        .flatten()
        .map(|e| e.file_name())
        .collect();
    assert_eq!(names, ["filler"]);
    std::fs::remove_file(&filler).unwrap();
    let output = up();
    assert!(output.status.success(), "{}", text(&output));
    let down = host
        .telaio(&["down"])
        .env("TELAIO_RUNTIME_DIR", &small.0)
        .output()
        .unwrap();
    assert!(down.status.success(), "{}", text(&down));
    drop(small);
    host.wait_clean(SOON);
}

#[test]
fn a_disk_that_is_read_only_does_not_hinder_a_lab() {
    if !rustix::process::geteuid().is_root() {
        testkit::skip!("only root can mount a small disk");
    }
    let host = Host::of_caller();
    let small = Small::new(&host.path("fixed"), "size=64k,mode=0755");
    host.lab("fixed", PAIR);
    let again = Command::new("mount")
        .args(["-o", "remount,ro"])
        .arg(&small.0)
        .status();
    assert!(again.unwrap().success());
    host.up("fixed");
    host.run(&["down", &host.name("fixed")]);
    drop(small);
    host.wait_clean(SOON);
}
