//! The lab's files in a node's root. Called when the process is already inside: whatever a
//! path or link says, it cannot lead out.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, fchown, symlink};
use std::path::{Component, Path};

use lab::{Entry, EntryKind};

use super::NodeRoot;
use super::owners::Owners;
use crate::error::Error;

/// Puts a node's files in their places.
pub(super) fn put(
    node: &NodeRoot<'_>,
    owners: bool,
    warnings: &mut Vec<String>,
) -> Result<(), Error> {
    let mut writer = Writer {
        blobs: node.blobs,
        owners: owners.then(Owners::default),
        warnings,
    };
    for entry in node.entries {
        writer.put(entry).map_err(|error| refused(entry, error))?;
    }
    Ok(())
}

fn refused(entry: &Entry, error: io::Error) -> Error {
    match Error::io("writing the lab's files")(error) {
        Error::Full { .. } => Error::Full {
            doing: format!("writing {}", entry.path),
        },
        Error::Io { error, .. } => Error::Entry {
            path: entry.path.clone(),
            why: format!("the lab's file cannot be put there: {error}"),
        },
        other => other,
    }
}

struct Writer<'a> {
    blobs: &'a [Vec<u8>],
    /// None where there is one id only.
    owners: Option<Owners>,
    warnings: &'a mut Vec<String>,
}

impl Writer<'_> {
    fn put(&mut self, entry: &Entry) -> io::Result<()> {
        let path = checked(&entry.path)?;
        if let Some(parent) = path.parent() {
            make_folders(parent)?;
        }
        match &entry.kind {
            EntryKind::Dir => self.folder(entry, path),
            EntryKind::File(blob) => {
                let missing = || io::Error::other("its content is missing in the lab's snapshot");
                let content = self.blobs.get(*blob).ok_or_else(missing)?;
                self.file(entry, path, content)
            }
            EntryKind::Symlink(target) => {
                clear(path)?;
                symlink(target, path)
            }
        }
    }

    fn folder(&mut self, entry: &Entry, path: &Path) -> io::Result<()> {
        let there = path.is_dir();
        if !there {
            clear(path)?;
            fs::create_dir(path)?;
        }
        if there && entry.owner.is_none() {
            return Ok(());
        }
        self.settle(entry, &fs::File::open(path)?)
    }

    fn file(&mut self, entry: &Entry, path: &Path, content: &[u8]) -> io::Result<()> {
        let create = || {
            let mut options = fs::OpenOptions::new();
            options.write(true).create_new(true).mode(0o600).open(path)
        };
        let mut file = match create() {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                clear(path)?;
                create()?
            }
            other => other?,
        };
        file.write_all(content)?;
        if let (Some(owners), "/etc/passwd" | "/etc/group") = (&mut self.owners, &*entry.path) {
            owners.reread();
        }
        self.settle(entry, &file)
    }

    /// Owner first: a change of it takes set-id bits away.
    fn settle(&mut self, entry: &Entry, file: &fs::File) -> io::Result<()> {
        if let (Some(owners), Some(owner)) = (&mut self.owners, &entry.owner) {
            match owners.find(owner) {
                Ok((uid, gid)) => fchown(file, Some(uid), Some(gid))?,
                Err(why) => self
                    .warnings
                    .push(format!("{}: {why}: it is root's", entry.path)),
            }
        }
        file.set_permissions(fs::Permissions::from_mode(entry.mode & 0o7777))
    }
}

/// An absolute path without `.` and `..`, other than `/` itself.
fn checked(path: &str) -> io::Result<&Path> {
    let path = Path::new(path);
    let mut parts = path.components();
    let absolute = parts.next() == Some(Component::RootDir);
    let plain = parts.clone().all(|c| matches!(c, Component::Normal(_)));
    match absolute && plain && parts.next().is_some() {
        true => Ok(path),
        false => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "that is no absolute path of a file (without `.` and `..`)",
        )),
    }
}

/// Makes a folder and those above it; a file in the way gives place.
fn make_folders(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_folders(parent)?;
    }
    clear(path)?;
    fs::create_dir(path)
}

/// Removes what is at a path: a link itself, never what it leads to.
fn clear(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_absolute_and_plain() {
        assert!(checked("/etc/x").is_ok() && checked("/a//b").is_ok());
        for bad in ["", "/", "etc/x", "/..", "/a/../b", "//"] {
            assert!(checked(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn files_folders_and_links_replace_each_other() {
        let dir = tempfile::tempdir().unwrap();
        let outside = dir.path().join("outside");
        fs::write(&outside, "mine").unwrap();
        let path = |name: &str| dir.path().join(name).to_str().unwrap().to_string();
        let entry = |name: &str, kind| Entry {
            path: path(name),
            mode: 0o640,
            owner: None,
            kind,
        };
        let blobs = [b"new".to_vec()];
        let mut warnings = Vec::new();
        let mut writer = Writer {
            blobs: &blobs,
            owners: None,
            warnings: &mut warnings,
        };
        let link = EntryKind::Symlink(path("outside"));
        for kind in [
            link.clone(),
            EntryKind::File(0),
            EntryKind::Dir,
            EntryKind::File(0),
            link,
        ] {
            writer.put(&entry("x", kind.clone())).unwrap();
            let meta = fs::symlink_metadata(path("x")).unwrap();
            let fits = match kind {
                EntryKind::Dir => meta.is_dir(),
                EntryKind::File(_) => meta.is_file() && meta.permissions().mode() & 0o777 == 0o640,
                EntryKind::Symlink(_) => meta.is_symlink(),
            };
            assert!(fits, "{kind:?}");
        }
        writer.put(&entry("x/y/z", EntryKind::File(0))).unwrap();
        assert_eq!(fs::read_to_string(path("x/y/z")).unwrap(), "new");
        assert_eq!(fs::read_to_string(&outside).unwrap(), "mine");
    }
}
