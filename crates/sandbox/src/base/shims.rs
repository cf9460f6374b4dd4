//! The commands that start services, in place of the host's.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::Base;
use crate::error::Error;
use crate::services::{self, Shim};

/// Puts the shims into the base: below `/usr` into its top layer, else into the layer of `/`.
pub(super) fn make(base: &Base) -> Result<(), Error> {
    for shim in services::shims() {
        let path = Path::new(&shim.path);
        let Ok(below) = path.strip_prefix("/") else {
            continue;
        };
        let (top, lower) = layers(base, below);
        if shim.fallback && lower.iter().any(|l| fs::symlink_metadata(l).is_ok()) {
            continue;
        }
        put(&top, &shim).map_err(Error::at("making", &top))?;
    }
    Ok(())
}

/// Where a path of a node is in the top layer, and in those below.
fn layers(base: &Base, below: &Path) -> (PathBuf, Vec<PathBuf>) {
    let part = base.parts.iter().find_map(|(part, layers)| {
        let rest = below.strip_prefix(part).ok()?;
        Some((rest, layers))
    });
    match part {
        Some((rest, layers)) => {
            let mut paths = layers.iter().map(|l| base.place.join(l).join(rest));
            (paths.next().unwrap_or_default(), paths.collect())
        }
        None => {
            let path = base.place.join("base").join(below);
            (path.clone(), vec![path])
        }
    }
}

fn put(at: &Path, shim: &Shim) -> io::Result<()> {
    if let Some(folder) = at.parent() {
        fs::create_dir_all(folder)?;
    }
    if fs::symlink_metadata(at).is_ok() {
        fs::remove_file(at)?;
    }
    match &shim.script {
        None => symlink(services::BINARY, at),
        Some(script) => {
            fs::write(at, script)?;
            fs::set_permissions(at, fs::Permissions::from_mode(0o755))
        }
    }
}
