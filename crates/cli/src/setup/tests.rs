use std::fs;
use std::path::Path;

use super::changes::{self, Change, Deed};
use super::facts::Facts;
use super::{apply, ids};

/// A host below a folder, as Ubuntu 24.04 has it.
fn host(root: &Path) -> Facts {
    let files = [
        (
            "etc/passwd",
            "root:x:0:0::/root:/bin/bash\nana:x:1000:1000::/home/ana:/bin/bash\n",
        ),
        ("etc/subuid", "bob:100000:65536\n"),
        ("etc/subgid", ""),
        ("etc/security/limits.conf", ""),
        (
            "proc/sys/kernel/apparmor_restrict_unprivileged_userns",
            "1\n",
        ),
        ("proc/sys/kernel/pid_max", "4194304\n"),
        ("proc/sys/net/ipv4/neigh/default/gc_thresh3", "1024\n"),
        ("run/systemd/system/x", ""),
        ("sys/fs/cgroup/cgroup.controllers", "cpu memory\n"),
    ];
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    Facts {
        root: root.into(),
        program: "/usr/local/bin/telaio".into(),
        user: Some("ana".into()),
        open_files: Some(4096),
    }
}

/// Does what touches files; programs are for the host alone.
fn apply_files(facts: &Facts, list: &[Change]) {
    for change in list.iter().filter(|c| !matches!(c.deed, Deed::Run { .. })) {
        apply(&change.deed, &facts.root).unwrap();
    }
}

#[test]
fn a_fresh_host_gets_all_and_a_done_one_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let facts = host(folder.path());
    let list = changes::wanted(&facts);
    let runs: Vec<String> = list
        .iter()
        .filter_map(|c| match &c.deed {
            Deed::Run { argv, .. } => Some(argv.join(" ")),
            _ => None,
        })
        .collect();
    assert!(
        runs.contains(&"apparmor_parser -r /etc/apparmor.d/telaio".into()),
        "{runs:?}"
    );
    let usermod = "usermod --add-subuids 165536-231071 --add-subgids 165536-231071 ana";
    assert!(runs.contains(&usermod.into()), "{runs:?}");
    apply_files(&facts, &list);
    fs::write(folder.path().join("etc/subuid"), "ana:165536:65536\n").unwrap();
    fs::write(folder.path().join("etc/subgid"), "ana:165536:65536\n").unwrap();
    let sysctls = facts.read("/etc/sysctl.d/60-telaio.conf").unwrap();
    assert!(
        sysctls.contains("net.ipv4.neigh.default.gc_thresh3 = 65536"),
        "{sysctls}"
    );
    assert!(!sysctls.contains("pid_max"), "{sysctls}");
    assert_eq!(
        facts.sysctl("net.ipv4.neigh.default.gc_thresh3"),
        Some(65536)
    );
    assert_eq!(changes::wanted(&facts), []);
}

#[test]
fn undo_removes_what_was_made() {
    let folder = tempfile::tempdir().unwrap();
    let facts = host(folder.path());
    assert_eq!(changes::undo(&facts), []);
    apply_files(&facts, &changes::wanted(&facts));
    let list = changes::undo(&facts);
    let back = list.iter().any(|c| match &c.deed {
        Deed::Run { argv, .. } => argv.join(" ").contains("--del-subuids 165536-231071"),
        _ => false,
    });
    assert!(back, "{list:?}");
    apply_files(&facts, &list);
    assert_eq!(changes::undo(&facts), []);
    assert!(!facts.has("/etc/sysctl.d/60-telaio.conf"));
}

#[test]
fn ranges_do_not_overlap() {
    let folder = tempfile::tempdir().unwrap();
    let facts = host(folder.path());
    assert_eq!(ids::free(&facts), 165_536);
    fs::write(folder.path().join("etc/subgid"), "x:500000:10\n").unwrap();
    assert!(ids::free(&facts) >= 500_010);
}
