//! Removing what a node has left, however deep it has nested its folders.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

/// Removes the folder `path` with all that is in it. Folders inside are first moved to `gone`,
/// which is made for that on the same file system, so neither the stack nor a path grows with
/// depth.
pub(super) fn tree(path: &Path, gone: &Path) -> io::Result<()> {
    fs::create_dir_all(gone)?;
    let mut count = 0_u64;
    let mut waiting: Vec<OsString> = Vec::new();
    let mut set_aside = |path: &Path, waiting: &mut Vec<OsString>| {
        let name = OsString::from(count.to_string());
        count += 1;
        fs::rename(path, gone.join(&name)).map(|()| waiting.push(name))
    };
    set_aside(path, &mut waiting)?;
    while let Some(name) = waiting.pop() {
        let folder = gone.join(name);
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => set_aside(&entry.path(), &mut waiting)?,
                false => fs::remove_file(entry.path())?,
            }
        }
        fs::remove_dir(&folder)?;
    }
    fs::remove_dir(gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_trees_go() {
        let dir = tempfile::tempdir().unwrap();
        let (node, gone) = (dir.path().join("node"), dir.path().join("gone"));
        fs::create_dir(&node).unwrap();
        fs::write(node.join("file"), "").unwrap();
        std::os::unix::fs::symlink("/", node.join("link")).unwrap();
        // from the inside out, since no path may be longer than 4096 bytes
        for i in 0..3000 {
            let outer = dir.path().join("outer");
            fs::create_dir(&outer).unwrap();
            fs::rename(&node, outer.join(format!("folder-{i}"))).unwrap();
            fs::rename(&outer, &node).unwrap();
        }
        tree(&node, &gone).unwrap();
        assert!(!node.exists() && !gone.exists());
    }
}
