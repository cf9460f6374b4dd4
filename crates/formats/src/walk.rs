//! Everything below a folder of the lab, as nodes get it.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use diag::Diagnostic;
use rustix::fs::{self, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::folder::{self, Folder};

/// How deep folders may lie in each other.
const DEEPEST: usize = 64;
/// How many files, folders and links one folder of a lab may have below it.
const MOST: usize = 200_000;

/// Something below a folder.
pub(crate) struct Item {
    /// Relative to the folder.
    pub(crate) path: PathBuf,
    pub(crate) mode: u32,
    pub(crate) what: What,
}

/// What it is.
pub(crate) enum What {
    Dir,
    File(Vec<u8>),
    Link(String),
}

/// All of a folder, parents before children, sorted by name, noise left out. With `follow`,
/// links are replaced by what they point to; those that point to nothing stay.
pub(crate) fn walk(folder: &Folder, path: &Path, follow: bool) -> Result<Vec<Item>, Diagnostic> {
    let fd = folder.dir(path)?;
    let mut walk = Walk {
        folder,
        base: path,
        follow,
        items: Vec::new(),
        above: Vec::new(),
    };
    walk.dir(&fd, Path::new(""))?;
    Ok(walk.items)
}

/// Files that tools and file managers leave behind and no node wants.
pub(crate) fn is_noise(name: &str) -> bool {
    matches!(
        name,
        ".DS_Store"
            | ".gitkeep"
            | ".keep"
            | ".placeholder"
            | "Thumbs.db"
            | "desktop.ini"
            | ".vhostconfigured"
    ) || name.starts_with("._")
}

struct Walk<'a> {
    folder: &'a Folder,
    base: &'a Path,
    follow: bool,
    items: Vec<Item>,
    /// The folders that lead here, by file system and file number.
    above: Vec<(u64, u64)>,
}

impl Walk<'_> {
    fn dir(&mut self, fd: &OwnedFd, at: &Path) -> Result<(), Diagnostic> {
        let me = Folder::identity(fd);
        if self.above.contains(&me) || self.above.len() >= DEEPEST {
            return Err(self.endless(at));
        }
        self.above.push(me);
        let shown = self.folder.shown(&self.base.join(at));
        let names = folder::names(fd, |name| {
            Diagnostic::error(format!(
                "`{}` has a name that is not UTF-8",
                shown.join(name).display()
            ))
            .help("rename it")
        });
        let names = names.map_err(|e| e.unwrap_or_else(|e| self.trouble(at, e)))?;
        for name in names.iter().filter(|n| !is_noise(n)) {
            self.entry(fd, &at.join(name), name)?;
        }
        self.above.pop();
        Ok(())
    }

    fn entry(&mut self, fd: &OwnedFd, at: &Path, name: &str) -> Result<(), Diagnostic> {
        if self.items.len() >= MOST {
            let shown = self.folder.shown(self.base);
            let many = format!("`{}` has more than {MOST} files", shown.display());
            return Err(
                Diagnostic::error(many).help("mount a folder as large as this instead (`mounts`)")
            );
        }
        let stat = folder::stat(fd, name).map_err(|e| self.trouble(at, e))?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY;
                let child = self.open(fd, name, flags, at)?;
                self.push(at, self.folder.mode(stat.st_mode) | 0o700, What::Dir);
                self.dir(&child, at)
            }
            FileType::RegularFile => {
                let file = self.open(fd, name, OFlags::RDONLY | OFlags::NONBLOCK, at)?;
                self.file(file, at)
            }
            FileType::Symlink => self.link(fd, at, name),
            _ => Err(self.folder.special(&self.base.join(at))),
        }
    }

    fn file(&mut self, fd: OwnedFd, at: &Path) -> Result<(), Diagnostic> {
        let content = self.folder.content(fd, &self.base.join(at))?;
        self.push(at, content.mode, What::File(content.bytes));
        Ok(())
    }

    /// A link: itself, or what it points to.
    fn link(&mut self, fd: &OwnedFd, at: &Path, name: &str) -> Result<(), Diagnostic> {
        let path = self.base.join(at);
        let there = match self.follow {
            true => self.folder.kind(&path)?,
            false => None,
        };
        match there {
            None => {
                let target =
                    fs::readlinkat(fd, name, Vec::new()).map_err(|e| self.trouble(at, e))?;
                let target = target.into_string().map_err(|_| {
                    let shown = self.folder.shown(&path);
                    Diagnostic::error(format!(
                        "the link `{}` points to a name that is not UTF-8",
                        shown.display()
                    ))
                })?;
                self.push(at, 0o777, What::Link(target));
                Ok(())
            }
            Some(folder::Kind::Dir) => {
                let child = self.folder.dir(&path)?;
                self.push(at, 0o755, What::Dir);
                self.dir(&child, at)
            }
            Some(_) => {
                let content = self.folder.file(&path)?;
                self.push(at, content.mode, What::File(content.bytes));
                Ok(())
            }
        }
    }

    /// Opens a child that is no link, also not by now.
    fn open(
        &self,
        fd: &OwnedFd,
        name: &str,
        flags: OFlags,
        at: &Path,
    ) -> Result<OwnedFd, Diagnostic> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NOCTTY;
        fs::openat(fd, name, flags, Mode::empty()).map_err(|e| self.trouble(at, e))
    }

    fn push(&mut self, at: &Path, mode: u32, what: What) {
        self.items.push(Item {
            path: at.to_path_buf(),
            mode,
            what,
        });
    }

    fn trouble(&self, at: &Path, error: Errno) -> Diagnostic {
        self.folder.trouble(&self.base.join(at), error)
    }

    fn endless(&self, at: &Path) -> Diagnostic {
        let shown = self.folder.shown(&self.base.join(at));
        Diagnostic::error(format!(
            "folders lie in each other without end at `{}`",
            shown.display()
        ))
        .help("remove the link that leads back to a folder above it")
    }
}
