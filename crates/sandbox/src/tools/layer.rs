//! Unpacking packages, and linking what was unpacked into one tree.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::{Error, apt};

/// Unpacks a package's file to `folder/root` and its control files to `folder/control`.
pub(super) fn unpack(file: &Path, folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(Error::io("making", folder))?;
    dpkg_deb("-x", file, &folder.join("root"))?;
    dpkg_deb("-e", file, &folder.join("control"))
}

fn dpkg_deb(option: &str, file: &Path, to: &Path) -> Result<(), Error> {
    let mut command = apt::command("dpkg-deb");
    command.arg(option).arg(file).arg(to);
    let out = apt::output(command, "dpkg-deb")?;
    match out.status.success() {
        true => Ok(()),
        false => Err(Error::Unpack {
            file: file.into(),
            text: String::from_utf8_lossy(&out.stderr).trim().to_owned(),
        }),
    }
}

/// Links everything below `root` into the tree `layer`: files as hard links, what packages have
/// in `/bin`, `/sbin` and `/lib*` below `usr`, and nothing with set-id bits (a node's root needs
/// none, and others on the host could run it).
pub(super) fn merge(root: &Path, layer: &Path) -> Result<(), Error> {
    for name in names(root)? {
        let merged_usr = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];
        let target = match merged_usr.iter().any(|n| name == Path::new(n)) {
            true => layer.join("usr").join(&name),
            false => layer.join(&name),
        };
        make_dir(target.parent().unwrap_or(layer), 0o755)?;
        merge_entry(&root.join(&name), &target)?;
    }
    Ok(())
}

fn merge_entry(from: &Path, to: &Path) -> Result<(), Error> {
    let meta = from
        .symlink_metadata()
        .map_err(Error::io("reading", from))?;
    if meta.is_dir() {
        make_dir(to, meta.mode() & 0o1777)?;
        for name in names(from)? {
            merge_entry(&from.join(&name), &to.join(&name))?;
        }
        return Ok(());
    }
    clear(to)?;
    if meta.is_symlink() {
        let target = fs::read_link(from).map_err(Error::io("reading", from))?;
        return symlink(target, to).map_err(Error::io("linking", to));
    }
    if meta.is_file() {
        if meta.mode() & 0o6000 != 0 {
            let mode = fs::Permissions::from_mode(meta.mode() & 0o1777);
            fs::set_permissions(from, mode).map_err(Error::io("changing the mode of", from))?;
        }
        link_or_copy(from, to)?;
    }
    Ok(())
}

fn link_or_copy(from: &Path, to: &Path) -> Result<(), Error> {
    if fs::hard_link(from, to).is_err() {
        fs::copy(from, to).map_err(Error::io("writing", to))?;
    }
    Ok(())
}

/// Makes a folder; a file or link in its place goes.
pub(super) fn make_dir(path: &Path, mode: u32) -> Result<(), Error> {
    if path.symlink_metadata().is_ok_and(|m| m.is_dir()) {
        return Ok(());
    }
    clear(path)?;
    let mut builder = fs::DirBuilder::new();
    // ours to write in, whatever the package says
    builder.recursive(true).mode(mode | 0o700);
    builder.create(path).map_err(Error::io("making", path))
}

/// Removes what is at a path, if anything is.
pub(super) fn clear(path: &Path) -> Result<(), Error> {
    let removed = match path.symlink_metadata() {
        Err(_) => return Ok(()),
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
    };
    removed.map_err(Error::io("removing", path))
}

/// The names in a folder, sorted.
pub(super) fn names(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let list = fs::read_dir(folder).map_err(Error::io("reading", folder))?;
    let mut names = Vec::new();
    for entry in list {
        let entry = entry.map_err(Error::io("reading", folder))?;
        names.push(PathBuf::from(entry.file_name()));
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_places_move_below_usr_and_set_id_goes() {
        let folder = tempfile::tempdir().unwrap();
        let (root, layer) = (folder.path().join("root"), folder.path().join("layer"));
        fs::create_dir_all(root.join("sbin")).unwrap();
        fs::create_dir_all(root.join("etc/x")).unwrap();
        fs::write(root.join("sbin/tool"), "x").unwrap();
        let set_id = fs::Permissions::from_mode(0o4755);
        fs::set_permissions(root.join("sbin/tool"), set_id).unwrap();
        symlink("tool", root.join("etc/x/link")).unwrap();
        merge(&root, &layer).unwrap();
        merge(&root, &layer).unwrap(); // again is no error
        let tool = layer.join("usr/sbin/tool").metadata().unwrap();
        assert_eq!(tool.mode() & 0o7777, 0o755);
        assert_eq!(
            fs::read_link(layer.join("etc/x/link")).unwrap(),
            Path::new("tool")
        );
    }

    #[test]
    fn a_link_in_the_layer_is_never_followed() {
        let folder = tempfile::tempdir().unwrap();
        let outside = folder.path().join("outside");
        let (root, layer) = (folder.path().join("root"), folder.path().join("layer"));
        fs::create_dir_all(&outside).unwrap();
        fs::create_dir_all(root.join("etc/app")).unwrap();
        fs::create_dir_all(layer.join("etc")).unwrap();
        fs::write(root.join("etc/app/conf"), "x").unwrap();
        symlink(&outside, layer.join("etc/app")).unwrap();
        merge(&root, &layer).unwrap();
        assert!(fs::read_dir(&outside).unwrap().next().is_none());
        assert!(layer.join("etc/app/conf").is_file());
    }
}
