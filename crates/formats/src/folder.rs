//! A lab's folder: reads what lies in it and nothing else. Every path is resolved by the kernel
//! below the folder's descriptor (openat2(2) with `RESOLVE_BENEATH`), so that neither a link nor
//! one that is swapped in while we read leads outside.

use std::cell::Cell;
use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use diag::{Diagnostic, Source};
use rustix::fs::{self, AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// Most that a lab's files may have together, in bytes.
const MOST_BYTES: u64 = 1 << 30;
/// Most that a text that we parse may have, in bytes.
const MOST_TEXT: u64 = 16 << 20;

/// An open lab folder.
#[derive(Debug)]
pub(crate) struct Folder {
    root: OwnedFd,
    /// Absolute, links resolved.
    path: PathBuf,
    /// As the person wrote it, for messages.
    shown: PathBuf,
    outside: bool,
    left: Cell<u64>,
    /// Whether the folder's files are meant for others too: where they are not, the person's
    /// umask removed those permissions, not the lab's author.
    open: bool,
}

/// A file's content.
pub(crate) struct Content {
    pub(crate) bytes: Vec<u8>,
    pub(crate) mode: u32,
}

/// What is at a path, links followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Dir,
    Special,
}

impl Folder {
    /// Opens a folder by the path that a person gave.
    pub(crate) fn open(path: &Path, outside: bool) -> Result<Self, Diagnostic> {
        let shown = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = fs::openat(CWD, shown, flags, Mode::empty())
            .map_err(|e| trouble(shown, e, "a lab's folder must be readable"))?;
        let path = std::fs::canonicalize(shown).map_err(|e| {
            let e = Errno::from_io_error(&e).unwrap_or(Errno::IO);
            trouble(shown, e, "a lab's folder must be readable")
        })?;
        let open = fs::fstat(&root).is_ok_and(|s| s.st_mode & 0o044 != 0);
        Ok(Self {
            root,
            path,
            shown: shown.to_path_buf(),
            outside,
            left: Cell::new(MOST_BYTES),
            open,
        })
    }

    /// Its absolute path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A path in it as messages show it.
    pub(crate) fn shown(&self, path: &Path) -> PathBuf {
        match self.shown.as_os_str().to_str() {
            _ if path.as_os_str().is_empty() => self.shown.clone(),
            Some(".") => path.to_path_buf(),
            _ => self.shown.join(path),
        }
    }

    /// Opens something below the folder, links followed.
    fn at(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        // openat2 refuses flags that mean nothing beside `O_PATH`
        let flags = match flags.contains(OFlags::PATH) {
            true => flags | OFlags::CLOEXEC,
            false => flags | OFlags::CLOEXEC | OFlags::NOCTTY,
        };
        if self.outside {
            return fs::openat(&self.root, path, flags, Mode::empty());
        }
        let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        // the kernel asks to try again when something is renamed while it looks
        for _ in 0..64 {
            match fs::openat2(&self.root, path, flags, Mode::empty(), beneath) {
                Err(Errno::AGAIN) => {}
                other => return other,
            }
        }
        Err(Errno::AGAIN)
    }

    /// Opens a file, folder or anything else without touching it.
    pub(crate) fn handle(&self, path: &Path) -> Result<OwnedFd, Diagnostic> {
        self.at(path, OFlags::PATH)
            .map_err(|e| self.trouble(path, e))
    }

    /// Makes a folder at the top of it.
    pub(crate) fn make(&self, path: &Path) -> Result<(), String> {
        match is_plain(path) {
            true => {
                fs::mkdirat(&self.root, path, Mode::from_raw_mode(0o777)).map_err(|e| e.to_string())
            }
            false => Err("only a folder directly in it can be made".into()),
        }
    }

    /// Opens a folder in it.
    pub(crate) fn dir(&self, path: &Path) -> Result<OwnedFd, Diagnostic> {
        self.at(path, OFlags::RDONLY | OFlags::DIRECTORY)
            .map_err(|e| self.trouble(path, e))
    }

    /// What is at a path; `None` when there is nothing.
    pub(crate) fn kind(&self, path: &Path) -> Result<Option<Kind>, Diagnostic> {
        match self.at(path, OFlags::PATH).and_then(|fd| fs::fstat(&fd)) {
            Ok(stat) => Ok(Some(match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => Kind::File,
                FileType::Directory => Kind::Dir,
                _ => Kind::Special,
            })),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(e) => Err(self.trouble(path, e)),
        }
    }

    /// Whether two paths of it are the same thing; the numbers of file system and file.
    pub(crate) fn identity(fd: &OwnedFd) -> (u64, u64) {
        fs::fstat(fd).map_or((0, 0), |s| (s.st_dev, s.st_ino))
    }

    /// Reads a file.
    pub(crate) fn file(&self, path: &Path) -> Result<Content, Diagnostic> {
        // not opened for reading before it is known to be a file: to open a device may do things
        match self.kind(path)? {
            Some(Kind::File) => {}
            Some(Kind::Dir) => return Err(self.trouble(path, Errno::ISDIR)),
            Some(Kind::Special) => return Err(self.special(path)),
            None => return Err(self.trouble(path, Errno::NOENT)),
        }
        let fd = self
            .at(path, OFlags::RDONLY | OFlags::NONBLOCK)
            .map_err(|e| self.trouble(path, e))?;
        self.content(fd, path)
    }

    /// Reads an open file.
    pub(crate) fn content(&self, fd: OwnedFd, path: &Path) -> Result<Content, Diagnostic> {
        let stat = fs::fstat(&fd).map_err(|e| self.trouble(path, e))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(self.special(path));
        }
        let left = self.left.get();
        let mut bytes = Vec::new();
        File::from(fd)
            .take(left + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| self.trouble(path, Errno::from_io_error(&e).unwrap_or(Errno::IO)))?;
        let used = bytes.len() as u64;
        if used > left {
            let shown = self.shown(path);
            return Err(Diagnostic::error(format!(
                "the lab's files have more than 1 GiB together (with `{}`)",
                shown.display()
            ))
            .help("nodes keep them in memory: mount a folder of large files instead (`mounts`)"));
        }
        self.left.set(left - used);
        Ok(Content {
            bytes,
            mode: self.mode(stat.st_mode),
        })
    }

    /// Permissions that a file of the lab has in a node.
    pub(crate) fn mode(&self, raw: u32) -> u32 {
        match (self.open, raw & 0o111) {
            (true, _) => raw & 0o755,
            (false, 0) => 0o644,
            (false, _) => 0o755,
        }
    }

    /// Reads a text; `None` when there is no such file.
    pub(crate) fn source(&self, path: &Path) -> Result<Option<Source>, Diagnostic> {
        if self.kind(path)?.is_none() {
            return Ok(None);
        }
        let bytes = self.file(path)?.bytes;
        if bytes.len() as u64 > MOST_TEXT {
            return Err(Diagnostic::error(format!(
                "`{}` has more than 16 MiB",
                self.shown(path).display()
            )));
        }
        let text = String::from_utf8_lossy(&bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        Ok(Some(Source::new(
            self.shown(path).display().to_string(),
            text,
        )))
    }

    /// Names in a folder of it, sorted.
    pub(crate) fn names(&self, path: &Path) -> Result<Vec<String>, Diagnostic> {
        let fd = self.dir(path)?;
        names(&fd, |name| {
            Diagnostic::error(format!(
                "`{}` has a name that is not UTF-8",
                self.shown(path).join(name).display()
            ))
            .help("rename it")
        })
        .map_err(|e| e.unwrap_or_else(|e| self.trouble(path, e)))
    }

    /// Says in words what the kernel said in a number.
    pub(crate) fn trouble(&self, path: &Path, error: Errno) -> Diagnostic {
        let shown = self.shown(path);
        let leads_out = path.is_absolute() || path.components().any(|c| c == Component::ParentDir);
        match error {
            Errno::XDEV => Diagnostic::error(format!(
                "`{}` {} the lab's folder",
                shown.display(),
                if leads_out {
                    "is outside"
                } else {
                    "is a link that leads outside"
                }
            ))
            .help("copy what it means into the lab's folder, or pass --allow-outside if you trust this lab"),
            e => trouble(&shown, e, "every file of a lab must be readable by you"),
        }
    }

    /// Refuses what is neither file nor folder.
    pub(crate) fn special(&self, path: &Path) -> Diagnostic {
        Diagnostic::error(format!(
            "`{}` is a device, socket or named pipe",
            self.shown(path).display()
        ))
        .help("a lab has files, folders and links only: remove it and make it in a startup script")
    }
}

/// Whether a path is one name.
pub(crate) fn is_plain(path: &Path) -> bool {
    let mut parts = path.components();
    matches!(
        (parts.next(), parts.next()),
        (Some(Component::Normal(_)), None)
    )
}

/// Why the names of a folder are not to be had: a name's own message, or what the kernel says.
type NamesError = Result<Diagnostic, Errno>;

/// Names in an open folder, sorted.
pub(crate) fn names(
    fd: &OwnedFd,
    bad: impl Fn(&std::ffi::OsStr) -> Diagnostic,
) -> Result<Vec<String>, NamesError> {
    use std::os::unix::ffi::OsStrExt as _;
    let mut out = Vec::new();
    for entry in fs::Dir::read_from(fd).map_err(Err)? {
        let entry = entry.map_err(Err)?;
        let name = entry.file_name().to_bytes();
        if matches!(name, b"." | b"..") {
            continue;
        }
        match std::str::from_utf8(name) {
            Ok(name) => out.push(name.to_string()),
            Err(_) => return Err(Ok(bad(std::ffi::OsStr::from_bytes(name)))),
        }
    }
    out.sort();
    Ok(out)
}

/// What is at a name in an open folder, links not followed.
pub(crate) fn stat(fd: &OwnedFd, name: &str) -> Result<fs::Stat, Errno> {
    fs::statat(fd, name, AtFlags::SYMLINK_NOFOLLOW)
}

fn trouble(path: &Path, error: Errno, rule: &str) -> Diagnostic {
    let path = path.display();
    match error {
        Errno::NOENT => Diagnostic::error(format!("there is no `{path}`"))
            .help("the lab names it, by a path in the lab's folder: make it, or mend the path"),
        Errno::NOTDIR => Diagnostic::error(format!("`{path}` is no folder")),
        Errno::ISDIR => Diagnostic::error(format!("`{path}` is a folder, not a file")),
        Errno::LOOP => Diagnostic::error(format!("`{path}` is a link that leads to itself")),
        Errno::ACCESS | Errno::PERM => {
            Diagnostic::error(format!("`{path}` may not be read by you"))
                .help(format!("{rule}: chmod or chown it"))
        }
        Errno::NOSYS => Diagnostic::error(format!(
            "`{path}` cannot be opened safely: this kernel has no openat2"
        ))
        .help("Linux 5.6 or newer is needed; --allow-outside does without for labs that you trust"),
        e => Diagnostic::error(format!("`{path}` cannot be read: {e}")),
    }
}
