//! Real labs, read in place where they are at hand: `TELAIO_CORPUS`, or `../shared/corpus` beside
//! the project.

#![expect(clippy::print_stderr, reason = "says what was skipped")]

mod common;

use std::path::{Path, PathBuf};

use formats::{Dialect, Options};

/// The folder of real labs, if there is one.
fn corpus() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let folder = std::env::var_os("TELAIO_CORPUS").map_or(beside, PathBuf::from);
    if !folder.is_dir() {
        eprintln!("skipped: no corpus at {}", folder.display());
        return None;
    }
    Some(folder)
}

/// Folders below it that have a `lab.conf`.
fn labs(folder: &Path, out: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    if folder.join("lab.conf").exists() {
        out.push(folder.to_path_buf());
    }
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|t| t.is_dir()) {
            labs(&entry.path(), out);
        }
    }
}

fn all() -> Vec<(PathBuf, PathBuf)> {
    let Some(corpus) = corpus() else {
        return Vec::new();
    };
    let mut out = Vec::new();
    labs(&corpus, &mut out);
    out.sort();
    assert!(!out.is_empty(), "a corpus without a lab");
    out.into_iter()
        .map(|l| (l.strip_prefix(&corpus).unwrap().to_path_buf(), l))
        .collect()
}

#[test]
fn every_lab_is_read_in_its_dialect() {
    for (name, path) in all() {
        let read = formats::read(&path, &Options::default());
        if name.ends_with("kathara-external/vlan-configuration/lab") {
            // its lab.ext has a blank to be filled in
            let wrong = read.unwrap_err().to_json();
            assert_eq!(
                (&wrong[0]["line"], &wrong[0]["column"]),
                (&1.into(), &1.into())
            );
            continue;
        }
        let read = read.unwrap_or_else(|e| panic!("{}:\n{e}", name.display()));
        let netkit = name.starts_with("netkit-cnp3")
            || name.starts_with("netkit-lgrcyanny/lab_ospf_multiarea");
        let want = if netkit {
            Dialect::Netkit
        } else {
            Dialect::Kathara
        };
        assert_eq!(read.dialect, want, "{}", name.display());
        if std::env::var_os("TELAIO_SHOW").is_some() {
            eprintln!(
                "== {} ({} nodes)\n{}",
                name.display(),
                read.lab.nodes.len(),
                read.diagnostics
            );
        }
    }
}

#[test]
fn every_lab_converts_to_the_same_lab() {
    for (name, path) in all() {
        if name.ends_with("kathara-external/vlan-configuration/lab") {
            continue;
        }
        let text = common::convert_and_compare(&path);
        if std::env::var_os("TELAIO_SHOW").is_some() {
            eprintln!("== {}\n{text}", name.display());
        }
    }
}
