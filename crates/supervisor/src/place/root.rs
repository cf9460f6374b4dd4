//! Runtime folders: which there are, and whether they can be trusted.

use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::Error;

/// The folder that new labs of this user go below: `TELAIO_RUNTIME_DIR`; else, for root,
/// `/run/telaio`; else `telaio` in `XDG_RUNTIME_DIR`; else `/tmp/telaio-UID`.
pub fn root() -> PathBuf {
    own().swap_remove(0)
}

/// All folders where this user's labs may be, the one for new labs first.
pub(super) fn own() -> Vec<PathBuf> {
    if let Some(folder) = std::env::var_os("TELAIO_RUNTIME_DIR").filter(|f| !f.is_empty()) {
        return vec![PathBuf::from(folder)];
    }
    let uid = rustix::process::geteuid().as_raw();
    if uid == 0 {
        return vec!["/run/telaio".into()];
    }
    let mut out = Vec::new();
    // a shell that was entered by `su` may have another user's
    let session = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let usual = PathBuf::from(format!("/run/user/{uid}"));
    for folder in session.into_iter().chain([usual]) {
        let folder = folder.join("telaio");
        let usable = folder.is_absolute() && folder.parent().is_some_and(|p| is_owned(p, uid));
        if usable && !out.contains(&folder) {
            out.push(folder);
        }
    }
    out.push(format!("/tmp/telaio-{uid}").into());
    out
}

/// Folders of other users' labs that this user may see, with their owners: root's for a user,
/// everybody's for root.
pub(super) fn others() -> Vec<(PathBuf, u32)> {
    if std::env::var_os("TELAIO_RUNTIME_DIR").is_some_and(|f| !f.is_empty()) {
        return Vec::new();
    }
    if !rustix::process::geteuid().is_root() {
        return vec![("/run/telaio".into(), 0)];
    }
    let mut out = Vec::new();
    for (parent, prefix, suffix) in [("/run/user", "", "telaio"), ("/tmp", "telaio-", "")] {
        let names = std::fs::read_dir(parent).into_iter().flatten().flatten();
        let names = names.filter_map(|e| e.file_name().into_string().ok());
        for name in names {
            let uid = name
                .strip_prefix(prefix)
                .and_then(|n| n.parse::<u32>().ok());
            let Some(uid) = uid.filter(|u| *u != 0) else {
                continue;
            };
            let folder = Path::new(parent).join(name);
            let folder = if suffix.is_empty() {
                folder
            } else {
                folder.join(suffix)
            };
            if is_owned(&folder, uid) {
                out.push((folder, uid));
            }
        }
    }
    out
}

/// Whether it is a real folder (no link) of that user's.
fn is_owned(folder: &Path, uid: u32) -> bool {
    std::fs::symlink_metadata(folder).is_ok_and(|m| m.is_dir() && m.uid() == uid)
}

/// Makes the folder for new labs, and makes sure that it is this user's own and nobody else
/// can write in it.
pub(super) fn make() -> Result<PathBuf, Error> {
    let folder = root();
    let uid = rustix::process::geteuid().as_raw();
    let mode = if uid == 0 { 0o755 } else { 0o700 };
    let made = std::fs::DirBuilder::new().mode(mode).create(&folder);
    match made {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
        Err(e) => return Err(Error::io("making the runtime folder", &folder)(e)),
    }
    let refuse = |why: String| Error::Unsafe {
        folder: folder.clone(),
        why,
    };
    let metadata = std::fs::symlink_metadata(&folder).map_err(Error::io("looking at", &folder))?;
    if metadata.is_symlink() {
        return Err(refuse("it is a symbolic link".into()));
    }
    if !metadata.is_dir() {
        return Err(refuse("it is no folder".into()));
    }
    if metadata.uid() != uid {
        return Err(refuse(format!(
            "it belongs to user {}, not to you ({uid})",
            metadata.uid()
        )));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(refuse("others may write in it".into()));
    }
    Ok(folder)
}
