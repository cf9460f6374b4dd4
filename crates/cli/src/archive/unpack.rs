//! Reads a file or folder from a stream.
//!
//! Every entry is made below the place of the copy by walking down folder by folder without
//! following any link, so that no stream, however it was made, reaches out of it. From a node,
//! links that lead outside the copy, devices and set-id bits are left out too. A stream is never
//! held in memory; names in it have a limit.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT};
use rustix::io::Errno;
use tar::{Archive, Entry, EntryType};

use super::{Error, ROOT};

/// Longest name or link of an entry, in bytes.
const LONGEST: u64 = 64 << 10;
/// What was left out is told of so many entries.
const MOST_TOLD: usize = 20;

/// How far a stream is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// The host's own: links and modes stay as they are.
    Full,
    /// A node's.
    None,
}

/// Reads a stream into `to`: below it under `name` if that is a folder (with the name `.`: its
/// content into that folder), else as `to`. Returns what was left out.
pub(crate) fn unpack(
    from: impl Read,
    to: &Path,
    name: &OsStr,
    trust: Trust,
) -> Result<Vec<String>, Error> {
    let (folder, leaf) = place(to, name)?;
    let shown = to.to_path_buf();
    let mut copy = Copy {
        folder,
        leaf,
        trust,
        shown,
        left_out: Vec::new(),
        any: false,
    };
    let mut archive = Archive::new(from);
    let entries = archive
        .entries()
        .map_err(Error::io("reading the copy of", to))?;
    let mut long = Long::default();
    // raw: names of any length are read here, with a limit
    for entry in entries.raw(true) {
        let mut entry = entry.map_err(Error::io("reading the copy of", to))?;
        if !long.take(&mut entry)? {
            copy.make(&mut entry, std::mem::take(&mut long))?;
        }
    }
    match copy.any {
        true => Ok(copy.left_out),
        false => Err(Error::new("nothing came to be copied")),
    }
}

/// Folder and name of the copy; no name: the copy's content goes into the folder.
fn place(to: &Path, name: &OsStr) -> Result<(OwnedFd, Option<OsString>), Error> {
    let (folder, leaf) = if to.is_dir() {
        (to, (name != ".").then(|| name.to_os_string()))
    } else if to.as_os_str().as_bytes().ends_with(b"/") {
        return Err(Error::new(format!("{} is no folder", to.display())));
    } else {
        let parent = to.parent().filter(|p| !p.as_os_str().is_empty());
        (
            parent.unwrap_or(Path::new(".")),
            to.file_name().map(OsStr::to_os_string),
        )
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fd = rustix::fs::open(folder, flags, Mode::empty());
    let fd = fd.map_err(|e| Error::io("opening", folder)(e.into()))?;
    if leaf.as_ref().is_some_and(|l| !is_plain(Path::new(l))) {
        return Err(Error::new(format!(
            "{} is no name for a copy",
            to.display()
        )));
    }
    Ok((fd, leaf))
}

fn is_plain(path: &Path) -> bool {
    let mut parts = path.components();
    matches!(
        (parts.next(), parts.next()),
        (Some(Component::Normal(_)), None)
    )
}

/// A name and a link's target that were too long for the entry's own header.
#[derive(Default)]
struct Long {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
}

impl Long {
    /// Takes an entry that only announces something of the next one.
    fn take(&mut self, entry: &mut Entry<'_, impl Read>) -> Result<bool, Error> {
        let slot = match entry.header().entry_type() {
            EntryType::GNULongName => &mut self.name,
            EntryType::GNULongLink => &mut self.link,
            _ => return Ok(false),
        };
        if entry.size() > LONGEST {
            return Err(Error::new(format!(
                "a name of {} bytes is too long",
                entry.size()
            )));
        }
        let mut text = Vec::new();
        entry
            .read_to_end(&mut text)
            .map_err(Error::io("reading", "a long name"))?;
        while text.last() == Some(&0) {
            text.pop();
        }
        *slot = Some(text);
        Ok(true)
    }
}

struct Copy {
    folder: OwnedFd,
    leaf: Option<OsString>,
    trust: Trust,
    /// For messages.
    shown: PathBuf,
    left_out: Vec<String>,
    any: bool,
}

impl Copy {
    fn make(&mut self, entry: &mut Entry<'_, impl Read>, long: Long) -> Result<(), Error> {
        let name = long
            .name
            .unwrap_or_else(|| entry.header().path_bytes().into_owned());
        let inside = parts(&name).ok_or_else(|| {
            Error::new(format!(
                "the copy has an impossible name: {}",
                harmless(&name)
            ))
        })?;
        self.any = true;
        let whole: Vec<&OsStr> = self.leaf.iter().map(OsString::as_os_str).collect();
        let whole: Vec<OsString> = whole
            .into_iter()
            .chain(inside.iter().copied())
            .map(OsStr::to_os_string)
            .collect();
        let Some((leaf, folders)) = whole.split_last() else {
            return self.content_only(entry.header().entry_type());
        };
        let folder = self.walk(folders)?;
        let mode = self.mode(entry.header().mode().unwrap_or(0o644));
        match entry.header().entry_type() {
            EntryType::Directory => make_folder(&folder, leaf, mode),
            EntryType::Regular | EntryType::Continuous => make_file(&folder, leaf, mode, entry),
            EntryType::Symlink => {
                let target = long
                    .link
                    .or_else(|| entry.header().link_name_bytes().map(Into::into));
                let target = PathBuf::from(OsString::from_vec(target.unwrap_or_default()));
                if self.trust == Trust::None && !stays_inside(&target, inside.len()) {
                    self.leave_out(&name, "a link that leads outside the copy");
                    return Ok(());
                }
                make_link(&folder, leaf, &target)
            }
            _ => {
                self.leave_out(&name, "neither file, folder nor symbolic link");
                return Ok(());
            }
        }
        .map_err(|e| Error::io("writing", self.shown.join(harmless(&name)))(e))
    }

    /// The root of a copy whose content goes into a folder that is there.
    fn content_only(&self, kind: EntryType) -> Result<(), Error> {
        match kind {
            EntryType::Directory => Ok(()),
            _ => Err(Error::new("it is no folder: its content cannot be copied")),
        }
    }

    /// The folder of an entry, reached without following a link.
    fn walk(&self, folders: &[OsString]) -> Result<OwnedFd, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let first = self
            .folder
            .try_clone()
            .map_err(Error::io("opening", &self.shown))?;
        folders.iter().try_fold(first, |at, name| {
            rustix::fs::openat(&at, name.as_os_str(), flags, Mode::empty()).map_err(|e| match e {
                Errno::LOOP | Errno::NOTDIR => Error::new(format!(
                    "{} is a link or file where the copy has a folder",
                    self.shown.join(harmless(name.as_bytes())).display()
                )),
                e => Error::io("opening", self.shown.join(harmless(name.as_bytes())))(e.into()),
            })
        })
    }

    fn mode(&self, mode: u32) -> Mode {
        let mask = if self.trust == Trust::Full {
            0o7777
        } else {
            0o777
        };
        Mode::from_raw_mode(mode & mask)
    }

    fn leave_out(&mut self, name: &[u8], why: &str) {
        match self.left_out.len() {
            0..MOST_TOLD => self
                .left_out
                .push(format!("left out {}: {why}", harmless(name))),
            MOST_TOLD => self.left_out.push("left out more of these".into()),
            _ => {}
        }
    }
}

fn harmless(name: &[u8]) -> String {
    crate::ui::harmless(&String::from_utf8_lossy(name))
}

/// The parts of an entry's name below the root; `None`: it would lead elsewhere.
fn parts(name: &[u8]) -> Option<Vec<&OsStr>> {
    let mut parts = Path::new(OsStr::from_bytes(name)).components();
    if parts.next() != Some(Component::Normal(OsStr::new(ROOT))) || name.contains(&0) {
        return None;
    }
    let part = |c| match c {
        Component::Normal(part) => Some(part),
        _ => None,
    };
    parts.map(part).collect()
}

/// Whether a link's target stays in the copy, for a link so many names below the copy's root.
/// `..` may only come first, where it leads from a real folder: after a name it would lead from
/// wherever that name, perhaps a link itself, leads to.
fn stays_inside(target: &Path, depth: usize) -> bool {
    let mut up = 0;
    let mut down = 0;
    for part in target.components() {
        match part {
            Component::ParentDir if down == 0 => up += 1,
            Component::Normal(_) => down += 1,
            Component::CurDir => {}
            _ => return false,
        }
    }
    // the root of the copy is itself no folder that a link of its own could stay in
    depth > 0 && up < depth && up + down > 0
}

fn make_folder(folder: &OwnedFd, name: &OsStr, mode: Mode) -> io::Result<()> {
    // always open to its owner: its content comes next
    let mode = mode | Mode::RWXU;
    match rustix::fs::mkdirat(folder, name, Mode::RWXU) {
        Ok(()) => {}
        Err(Errno::EXIST) => {
            let there = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
            let is_folder = rustix::fs::FileType::from_raw_mode(there.st_mode).is_dir();
            return if is_folder {
                Ok(())
            } else {
                Err(Errno::NOTDIR.into())
            };
        }
        Err(e) => return Err(e.into()),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let made = rustix::fs::openat(folder, name, flags, Mode::empty())?;
    Ok(rustix::fs::fchmod(made, mode)?)
}

fn make_file(
    folder: &OwnedFd,
    name: &OsStr,
    mode: Mode,
    entry: &mut Entry<'_, impl Read>,
) -> io::Result<()> {
    let mut file = File::from(open_new(folder, name)?);
    let size = entry.size();
    if io::copy(entry, &mut file)? != size {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the copy is cut short",
        ));
    }
    rustix::fs::fchmod(&file, mode)?;
    let seconds = entry
        .header()
        .mtime()
        .ok()
        .and_then(|t| i64::try_from(t).ok());
    if let Some(tv_sec) = seconds.filter(|s| *s > 0) {
        let times = Timestamps {
            last_access: Timespec {
                tv_sec: 0,
                tv_nsec: UTIME_OMIT,
            },
            last_modification: Timespec { tv_sec, tv_nsec: 0 },
        };
        // a file system that cannot keep it has the time of the copy
        let _ = rustix::fs::futimens(&file, &times);
    }
    Ok(())
}

/// A new file in the place of whatever had the name; one that cannot be replaced (a mount) is
/// written over.
fn open_new(folder: &OwnedFd, name: &OsStr) -> io::Result<OwnedFd> {
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let new = flags | OFlags::CREATE | OFlags::EXCL;
    let mode = Mode::RUSR | Mode::WUSR;
    match rustix::fs::openat(folder, name, new, mode) {
        Err(Errno::EXIST) => {}
        other => return Ok(other?),
    }
    match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
        Ok(()) => Ok(rustix::fs::openat(folder, name, new, mode)?),
        Err(Errno::BUSY | Errno::ACCESS | Errno::PERM) => {
            let there = rustix::fs::openat(folder, name, flags | OFlags::NONBLOCK, mode)?;
            let is_file = rustix::fs::FileType::from_raw_mode(rustix::fs::fstat(&there)?.st_mode);
            if !is_file.is_file() {
                return Err(Errno::EXIST.into());
            }
            rustix::fs::ftruncate(&there, 0)?;
            Ok(there)
        }
        Err(e) => Err(e.into()),
    }
}

fn make_link(folder: &OwnedFd, name: &OsStr, target: &Path) -> io::Result<()> {
    match rustix::fs::symlinkat(target, folder, name) {
        Err(Errno::EXIST) => {
            rustix::fs::unlinkat(folder, name, AtFlags::empty())?;
            Ok(rustix::fs::symlinkat(target, folder, name)?)
        }
        other => Ok(other?),
    }
}
