//! Folders of the host that nodes share.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use diag::{Diagnostic, Diagnostics};
use lab::{Entry, EntryKind, Lab, Locate, Mount};

use crate::Read;
use crate::folder::{Folder, Kind};

/// Whether the folders that nodes share are there, or can be made.
pub(crate) fn check(lab: &Lab, folder: &Folder, locate: &Locate<'_>) -> Diagnostics {
    let mut out = Diagnostics::new();
    let mut fine: Vec<&Path> = Vec::new();
    for (name, node) in &lab.nodes {
        for (i, mount) in node.mounts.iter().enumerate() {
            if fine.contains(&mount.host.as_path()) {
                continue;
            }
            match usable(folder, mount) {
                Ok(()) => fine.push(&mount.host),
                Err(d) => {
                    let place = locate(&["nodes", name, "mounts", &i.to_string()]);
                    out.push(d.at_opt(place));
                }
            }
        }
    }
    out
}

fn usable(folder: &Folder, mount: &Mount) -> Result<(), Diagnostic> {
    match folder.kind(&mount.host)? {
        Some(Kind::Dir | Kind::File) => Ok(()),
        Some(Kind::Special) => Err(folder.special(&mount.host)),
        None if mount.create && crate::folder::is_plain(&mount.host) => Ok(()),
        None => Err(folder.trouble(&mount.host, rustix::io::Errno::NOENT)),
    }
}

/// Makes what a lab needs on the host before it starts: folders that nodes share and that are
/// not there yet. Where that cannot be, the nodes get an empty folder of their own, and a warning
/// says so.
///
/// # Errors
/// The lab's folder is gone or cannot be read any more.
pub fn prepare(read: &mut Read) -> Result<(), Diagnostic> {
    let folder = Folder::open(&read.folder, read.outside)?;
    let mut wanted: Vec<PathBuf> = Vec::new();
    for mount in read.lab.nodes.values().flat_map(|n| &n.mounts) {
        if mount.create && !wanted.contains(&mount.host) {
            wanted.push(mount.host.clone());
        }
    }
    for host in wanted {
        if folder.kind(&host)?.is_some() {
            continue;
        }
        if let Err(e) = folder.make(&host) {
            let text = format!(
                "`{}` cannot be made in the lab's folder: {e}",
                host.display()
            );
            let help = "every node has an empty folder of its own instead";
            read.diagnostics.push(Diagnostic::warning(text).help(help));
            empty(read, &host);
        }
    }
    Ok(())
}

/// Gives nodes an empty folder where they would share one.
fn empty(read: &mut Read, host: &Path) {
    for (name, node) in &mut read.lab.nodes {
        for mount in node.mounts.extract_if(.., |m| m.host == host) {
            let tree = read.snapshot.trees.entry(name.clone()).or_default();
            tree.push(Entry {
                path: mount.at.display().to_string(),
                mode: 0o755,
                owner: None,
                kind: EntryKind::Dir,
            });
        }
    }
}

/// Opens what a node shares (a folder or a file) with `O_PATH`, to be mounted by that
/// descriptor: a path could lead elsewhere by then.
///
/// # Errors
/// It is not there, or outside the lab's folder without leave.
pub fn open_mount(read: &Read, mount: &Mount) -> Result<OwnedFd, Diagnostic> {
    let folder = Folder::open(&read.folder, read.outside)?;
    match folder.kind(&mount.host)? {
        Some(Kind::Special) => Err(folder.special(&mount.host)),
        _ => folder.handle(&mount.host),
    }
}
