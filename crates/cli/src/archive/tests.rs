use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use tar::{Builder, EntryType, Header};

use super::*;

fn copied(from: &Path, to: &Path, name: &str, trust: Trust) -> Result<Vec<String>, Error> {
    let mut stream = Vec::new();
    pack(from, &mut stream).unwrap();
    unpack(stream.as_slice(), to, OsStr::new(name), trust)
}

#[test]
fn a_folder_comes_over_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    fs::create_dir_all(from.join("sub/empty")).unwrap();
    fs::create_dir(&to).unwrap();
    let long = "n".repeat(180);
    fs::write(from.join("sub").join(&long), "long").unwrap();
    fs::write(from.join("run.sh"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(from.join("run.sh"), fs::Permissions::from_mode(0o750)).unwrap();
    symlink("../run.sh", from.join("sub/link")).unwrap();
    let left = copied(&from, &to, "copy", Trust::None).unwrap();
    assert_eq!(left, Vec::<String>::new());
    let copy = to.join("copy");
    assert_eq!(
        fs::read_to_string(copy.join("sub").join(&long)).unwrap(),
        "long"
    );
    assert!(copy.join("sub/empty").is_dir());
    let mode = fs::metadata(copy.join("run.sh"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o750);
    assert_eq!(
        fs::read_link(copy.join("sub/link")).unwrap(),
        Path::new("../run.sh")
    );
    // again over itself, and its content only
    assert!(copied(&from, &to, "copy", Trust::None).is_ok());
    copied(&from, &copy, ".", Trust::None).unwrap();
    assert!(!copy.join("from").exists() && copy.join("run.sh").exists());
}

#[test]
fn a_file_gets_the_name_that_it_is_given() {
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("a.conf");
    fs::write(&from, "x").unwrap();
    copied(&from, &dir.path().join("b.conf"), "a.conf", Trust::Full).unwrap();
    assert_eq!(fs::read_to_string(dir.path().join("b.conf")).unwrap(), "x");
    fs::create_dir(dir.path().join("in")).unwrap();
    copied(&from, &dir.path().join("in"), "a.conf", Trust::Full).unwrap();
    assert!(dir.path().join("in/a.conf").is_file());
    let error = copied(&from, &dir.path().join("none/"), "a.conf", Trust::Full).unwrap_err();
    assert!(error.to_string().contains("is no folder"), "{error}");
    let error = copied(&from, &dir.path().join("none/x"), "a.conf", Trust::Full).unwrap_err();
    assert!(!error.to_string().contains("os error"), "{error}");
}

/// A stream as a hostile node might make it.
struct Hostile(Builder<Vec<u8>>);

impl Hostile {
    fn new() -> Self {
        Self(Builder::new(Vec::new()))
    }

    fn entry(mut self, kind: EntryType, name: &str, link: &str, content: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o6777);
        header.set_size(content.len() as u64);
        let gnu = header.as_gnu_mut().unwrap();
        gnu.name[..name.len()].copy_from_slice(name.as_bytes());
        gnu.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_cksum();
        self.0.append(&header, content).unwrap();
        self
    }

    fn folder(self) -> Self {
        self.entry(EntryType::Directory, ROOT, "", b"")
    }

    fn into(self, to: &Path) -> Result<Vec<String>, Error> {
        let stream = self.0.into_inner().unwrap();
        unpack(stream.as_slice(), to, OsStr::new("copy"), Trust::None)
    }
}

/// A folder to copy into, beside one that must stay as it is.
fn target() -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("to")).unwrap();
    fs::write(dir.path().join("secret"), "untouched").unwrap();
    let to = dir.path().join("to");
    (dir, to)
}

fn untouched(dir: &tempfile::TempDir) {
    assert_eq!(
        fs::read_to_string(dir.path().join("secret")).unwrap(),
        "untouched"
    );
    let mut names: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["secret", "to"]);
}

#[test]
fn names_that_climb_out_are_refused() {
    for name in [
        "content/../../secret",
        "../secret",
        "/etc/telaio-test",
        "content/a/../../../secret",
        "other",
        "",
    ] {
        let (dir, to) = target();
        let stream = Hostile::new()
            .folder()
            .entry(EntryType::Regular, name, "", b"evil");
        assert!(stream.into(&to).is_err(), "{name}");
        untouched(&dir);
    }
}

#[test]
fn links_out_are_left_out_and_never_written_through() {
    for target_text in [
        "..",
        "../..",
        "/etc",
        "../../secret",
        "a/../../..",
        "sub/..",
        "",
    ] {
        let (dir, to) = target();
        let stream = Hostile::new()
            .folder()
            .entry(EntryType::Symlink, "content/link", target_text, b"")
            .entry(EntryType::Regular, "content/link/secret", "", b"evil");
        let _ = stream.into(&to);
        assert!(!to.join("copy/link").is_symlink(), "{target_text}");
        untouched(&dir);
    }
}

#[test]
fn links_inside_are_not_written_through_either() {
    let (dir, to) = target();
    let stream = Hostile::new()
        .folder()
        .entry(EntryType::Directory, "content/sub", "", b"")
        .entry(EntryType::Symlink, "content/link", "sub", b"")
        .entry(EntryType::Regular, "content/link/file", "", b"evil");
    assert!(stream.into(&to).is_err());
    assert!(to.join("copy/link").is_symlink());
    assert!(!to.join("copy/sub/file").exists());
    untouched(&dir);
}

#[test]
fn links_that_are_there_are_replaced_not_followed() {
    let (dir, to) = target();
    fs::create_dir(to.join("copy")).unwrap();
    symlink(dir.path().join("secret"), to.join("copy/file")).unwrap();
    let stream = Hostile::new()
        .folder()
        .entry(EntryType::Regular, "content/file", "", b"new");
    stream.into(&to).unwrap();
    assert_eq!(fs::read_to_string(to.join("copy/file")).unwrap(), "new");
    assert!(!to.join("copy/file").is_symlink());
    untouched(&dir);
}

#[test]
fn a_copy_that_is_a_link_itself_is_left_out() {
    let (dir, to) = target();
    let left = Hostile::new()
        .entry(EntryType::Symlink, ROOT, "secret", b"")
        .into(&to)
        .unwrap();
    assert_eq!(left.len(), 1);
    assert!(fs::read_dir(&to).unwrap().next().is_none());
    untouched(&dir);
}

#[test]
fn hard_links_devices_and_set_id_bits_do_not_come_over() {
    let (dir, to) = target();
    let stream = Hostile::new()
        .folder()
        .entry(EntryType::Link, "content/hard", "/etc/passwd", b"")
        .entry(EntryType::Block, "content/disk", "", b"")
        .entry(EntryType::Fifo, "content/pipe", "", b"")
        .entry(EntryType::Regular, "content/tool", "", b"x");
    let left = stream.into(&to).unwrap();
    assert_eq!(left.len(), 3, "{left:?}");
    let mode = fs::metadata(to.join("copy/tool"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7000, 0);
    untouched(&dir);
}

#[test]
fn endless_names_and_cut_streams_end_in_an_error() {
    let (_dir, to) = target();
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::GNULongName);
    header.set_size(1 << 40);
    header.set_cksum();
    let mut stream = header.as_bytes().to_vec();
    stream.extend([b'x'; 4096]);
    let error = unpack(stream.as_slice(), &to, OsStr::new("copy"), Trust::None).unwrap_err();
    assert!(error.to_string().contains("too long"), "{error}");

    let mut header = Header::new_gnu();
    header.set_path(ROOT).unwrap();
    header.set_size(1000);
    header.set_mode(0o644);
    header.set_cksum();
    let mut stream = header.as_bytes().to_vec();
    stream.write_all(b"only this").unwrap();
    assert!(unpack(stream.as_slice(), &to, OsStr::new("copy"), Trust::None).is_err());
    assert!(unpack(&b""[..], &to, OsStr::new("copy"), Trust::None).is_err());
}
