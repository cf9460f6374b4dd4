//! The top layer of every node's `/usr`: what Telaio itself puts there, and, where the host's
//! folders belong to nobody in the lab's eyes, folders of the lab's root over them, so that
//! nodes can make, replace and remove files in them.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::fs::XattrFlags;

use super::Base;
use crate::error::Error;

/// How deep folders are made, and how many at most.
const DEPTH: usize = 4;
const MOST: usize = 12_000;
/// Deeper below these.
const DEEP: [&str; 3] = ["local", "lib/python3", "share/openvswitch"];
const DEEP_DEPTH: usize = 8;
/// Settings and data of the host's own programs, which are no node's business.
const HIDDEN: [&str; 2] = ["local/etc", "local/var"];

/// Makes the top layers below `skel`.
pub(super) fn make(base: &Base) -> Result<(), Error> {
    for (part, layers) in &base.parts {
        let top = base.place.join("skel").join(part);
        fs::create_dir(&top).map_err(Error::at("making", &top))?;
        let lower: Vec<_> = layers[1..].iter().map(|l| base.place.join(l)).collect();
        let host = base.place.join("host").join(part);
        let nobodys = fs::metadata(&host).is_ok_and(|m| m.uid() != 0);
        if nobodys {
            let mut left = MOST;
            for layer in &lower {
                cover(layer, &top, Path::new(""), &lower, &mut left)
                    .map_err(Error::at("making folders in", &top))?;
            }
        }
    }
    let usr = base.place.join("skel/usr");
    for hidden in HIDDEN {
        hide(&usr.join(hidden)).map_err(Error::at("hiding", &usr.join(hidden)))?;
    }
    let binary = crate::services::BINARY.trim_start_matches('/');
    install(&base.place.join("skel").join(binary))
}

/// Makes in `top` the folders that `layer` has below `at`.
fn cover(
    layer: &Path,
    top: &Path,
    at: &Path,
    layers: &[impl AsRef<Path>],
    left: &mut usize,
) -> io::Result<()> {
    let deep = DEEP.iter().any(|d| at.starts_with(d));
    let depth = if deep { DEEP_DEPTH } else { DEPTH };
    if at.components().count() >= depth {
        return Ok(());
    }
    // what the lab's root may not read it cannot change either
    let Ok(entries) = fs::read_dir(layer.join(at)) else {
        return Ok(());
    };
    for entry in entries.flatten() {
        let below = at.join(entry.file_name());
        let is_dir = entry.file_type().is_ok_and(|t| t.is_dir());
        if !is_dir || !folder_everywhere(layers, &below) || *left == 0 {
            continue;
        }
        *left -= 1;
        match fs::create_dir(top.join(&below)) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
            _ => cover(layer, top, &below, layers, left)?,
        }
    }
    Ok(())
}

/// Whether no layer has something else than a folder there, which one on top would hide.
fn folder_everywhere(layers: &[impl AsRef<Path>], path: &Path) -> bool {
    layers
        .iter()
        .all(|layer| fs::symlink_metadata(layer.as_ref().join(path)).map_or(true, |m| m.is_dir()))
}

/// A folder that shows nothing of the layers below. Where the kernel keeps no such mark in
/// memory (before Linux 6.6), they show.
fn hide(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)?;
    let done = rustix::fs::setxattr(path, "user.overlay.opaque", b"y", XattrFlags::empty());
    if let Err(e) = done {
        tracing::warn!("{} of the host shows in nodes: {e}", path.display());
    }
    Ok(())
}

/// Copies the running program: a node must not be able to reach the host's file through it.
fn install(at: &Path) -> Result<(), Error> {
    let copy = || -> io::Result<()> {
        if let Some(folder) = at.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut from = fs::File::open("/proc/self/exe")?;
        let mut to = fs::File::create(at)?;
        io::copy(&mut from, &mut to)?;
        fs::set_permissions(at, fs::Permissions::from_mode(0o755))
    };
    copy().map_err(Error::at("copying telaio to", at))
}
