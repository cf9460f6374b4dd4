//! Labs that try to read what is not theirs, and folders that cannot be read.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use diag::Diagnostics;
use formats::{Options, Read};
use tempfile::TempDir;

/// A lab with one machine that has a folder, and a secret beside the lab.
fn lab(conf: &str) -> (TempDir, std::path::PathBuf) {
    let around = tempfile::tempdir().unwrap();
    let folder = around.path().join("lab");
    fs::create_dir_all(folder.join("pc1/etc")).unwrap();
    fs::write(folder.join("lab.conf"), conf).unwrap();
    fs::create_dir(around.path().join("secrets")).unwrap();
    fs::write(around.path().join("secrets/key"), "do not read").unwrap();
    (around, folder)
}

const KATHARA: &str = "pc1[0]=A\npc1[image]=kathara/base\n";
const NETKIT: &str = "pc1[0]=A\npc1[M]=32\n";

fn read(folder: &Path) -> Result<Read, Diagnostics> {
    formats::read(folder, &Options::default())
}

fn refused(folder: &Path, word: &str) -> Diagnostics {
    let Err(wrong) = read(folder) else {
        panic!("{} was read", folder.display());
    };
    let text = wrong.to_string();
    assert!(text.contains(word), "{word}:\n{text}");
    assert!(!text.contains("os error"), "{text}");
    assert!(!text.contains("do not read"), "{text}");
    wrong
}

fn outside() -> Options {
    Options {
        outside: true,
        ..Options::default()
    }
}

#[test]
fn links_that_lead_outside_need_leave() {
    for (what, at) in [
        ("../../../secrets/key", "pc1/etc/key"),
        ("../../../secrets", "pc1/etc/dir"),
    ] {
        let (around, folder) = lab(KATHARA);
        symlink(what, folder.join(at)).unwrap();
        let wrong = refused(&folder, "leads outside");
        assert!(wrong.to_string().contains("--allow-outside"));
        assert!(wrong.iter().any(|d| d.place.is_some()));
        let trusted = formats::read(&folder, &outside()).unwrap();
        assert!(trusted.snapshot.blobs.iter().any(|b| b == b"do not read"));
        fs::remove_file(folder.join(at)).unwrap();
        symlink(around.path().join("secrets/key"), folder.join(at)).unwrap();
        refused(&folder, "leads outside");
    }
}

#[test]
fn the_machines_folder_and_scripts_may_not_lead_outside() {
    for conf in [KATHARA, NETKIT] {
        for name in ["pc1", "pc1.startup", "lab.dep"] {
            let (_around, folder) = lab(conf);
            if name == "pc1" {
                fs::remove_dir_all(folder.join("pc1")).unwrap();
                symlink("../secrets", folder.join(name)).unwrap();
            } else {
                symlink("../secrets/key", folder.join(name)).unwrap();
            }
            refused(&folder, "leads outside");
        }
    }
    let (_around, folder) = lab(KATHARA);
    fs::remove_file(folder.join("lab.conf")).unwrap();
    symlink("../secrets/key", folder.join("lab.conf")).unwrap();
    refused(&folder, "leads outside");
}

#[test]
fn netkit_keeps_links_and_follows_none() {
    let (_around, folder) = lab(NETKIT);
    symlink("/etc/shadow", folder.join("pc1/etc/a")).unwrap();
    symlink("../../../secrets", folder.join("pc1/etc/b")).unwrap();
    let lab = read(&folder).unwrap();
    assert!(lab.snapshot.blobs.is_empty());
    assert_eq!(lab.snapshot.trees["pc1"].len(), 3);
}

#[test]
fn a_link_within_the_lab_is_followed_and_a_dangling_one_stays() {
    let (_around, folder) = lab(KATHARA);
    fs::create_dir(folder.join("common")).unwrap();
    fs::write(folder.join("common/hosts"), "10.0.0.1 a").unwrap();
    symlink("../../common/hosts", folder.join("pc1/etc/hosts")).unwrap();
    symlink("../../common", folder.join("pc1/etc/all")).unwrap();
    symlink("../init.d/zebra", folder.join("pc1/etc/rc")).unwrap();
    let lab = read(&folder).unwrap();
    assert_eq!(
        lab.snapshot.file("pc1", "/etc/hosts"),
        Some(&b"10.0.0.1 a"[..])
    );
    assert_eq!(
        lab.snapshot.file("pc1", "/etc/all/hosts"),
        Some(&b"10.0.0.1 a"[..])
    );
    let rc = lab.snapshot.trees["pc1"]
        .iter()
        .find(|e| e.path == "/etc/rc")
        .unwrap();
    assert_eq!(rc.kind, lab::EntryKind::Symlink("../init.d/zebra".into()));
}

#[test]
fn folders_without_end_are_refused() {
    let (_around, folder) = lab(KATHARA);
    symlink("..", folder.join("pc1/etc/up")).unwrap();
    refused(&folder, "without end");
}

#[test]
fn special_files_are_refused_and_not_waited_for() {
    for conf in [KATHARA, NETKIT] {
        let (_around, folder) = lab(conf);
        rustix::fs::mknodat(
            rustix::fs::CWD,
            folder.join("pc1/etc/pipe"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o644),
            0,
        )
        .unwrap();
        refused(&folder, "named pipe");
        fs::rename(folder.join("pc1/etc/pipe"), folder.join("pc1.startup")).unwrap();
        refused(&folder, "named pipe");
    }
}

#[test]
fn an_unreadable_file_is_named_once() {
    if rustix::process::geteuid().is_root() {
        eprintln!("skipped: root can read every file");
        return;
    }
    let (_around, folder) = lab(KATHARA);
    let path = folder.join("pc1/etc/secret");
    fs::write(&path, "x").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let wrong = refused(&folder, "may not be read");
    assert_eq!(wrong.iter().count(), 1);
}

#[test]
fn native_paths_stay_in_the_folder() {
    for line in [
        "files: [{from: ../secrets/key, to: /k}]",
        "files: [{from: /etc/passwd, to: /k}]",
        "startup: {file: ../secrets/key}",
        "startup: {file: /etc/passwd}",
        "mounts: [{host: ../secrets, at: /s}]",
        "mounts: [{host: /etc, at: /s}]",
        "mounts: [{host: ../made, at: /s, create: true}]",
    ] {
        let (_around, folder) = lab(KATHARA);
        let text = format!("telaio: 1\nnodes:\n  pc1:\n    {line}\n");
        fs::write(folder.join("telaio.yaml"), text).unwrap();
        let wrong = refused(&folder, "outside the lab's folder");
        let place = wrong.iter().next().unwrap().place.clone().unwrap();
        assert_eq!(place.line_column().0, 4, "{line}");
    }
}

#[test]
fn a_volume_of_the_host_needs_leave() {
    let (_around, folder) = lab("pc1[0]=A\npc1[volume]=/etc|/host|ro\n");
    let wrong = refused(&folder, "outside the lab's folder");
    assert_eq!(
        wrong
            .iter()
            .next()
            .unwrap()
            .place
            .as_ref()
            .unwrap()
            .line_column(),
        (2, 13)
    );
    assert!(formats::read(&folder, &outside()).is_ok());
}

/// Somebody swaps a folder for a link while it is read: what is read is never the secret.
#[test]
fn a_swap_while_reading_gains_nothing() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let (_around, folder) = lab(KATHARA);
    let end = AtomicBool::new(false);
    let (inside, aside) = (folder.join("pc1/etc"), folder.join("aside"));
    fs::write(inside.join("key"), "mine").unwrap();
    symlink("../../secrets", folder.join("trap")).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !end.load(Ordering::Relaxed) {
                let _ = fs::rename(&inside, &aside);
                let _ = fs::rename(folder.join("trap"), &inside);
                let _ = fs::rename(&inside, folder.join("trap"));
                let _ = fs::rename(&aside, &inside);
            }
        });
        for _ in 0..300 {
            if let Ok(read) = read(&folder) {
                assert!(!read.snapshot.blobs.iter().any(|b| b == b"do not read"));
            }
        }
        end.store(true, Ordering::Relaxed);
    });
}
