//! Where running labs are found: one folder per lab below a runtime folder of its user's.
//!
//! A lab's folder has its control socket (`control`), a `lock` that the lab's broker holds for as
//! long as the lab lives, `lab.json` (a [`Note`]) and the broker's `log`. It appears under its
//! name at once and complete, with the lock held. A folder whose lock is free is a dead lab's:
//! whoever sees it and owns it removes it.

mod note;
mod root;

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, Mode, OFlags, RenameFlags};

pub use note::Note;
pub use root::root;

/// Longest name of a lab in bytes.
pub const LONGEST_NAME: usize = 63;

/// Longest path of a Unix socket in bytes (`sun_path` and its final zero).
const LONGEST_SOCKET: usize = 107;

/// A lab's place in the runtime folder.
#[derive(Debug)]
pub struct Place {
    folder: PathBuf,
    name: String,
    owner: u32,
    lock: Option<OwnedFd>,
}

/// Why a lab has no place, or is not found.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// One of that name runs.
    #[error("a lab called `{name}` is running already{}", origin(.from))]
    Running {
        /// Its name.
        name: String,
        /// What it was read from.
        from: PathBuf,
    },
    /// Not a name that a lab can have.
    #[error("`{0}` cannot be a lab's name: {rule}", rule = lab::NameError::Characters.to_string().replace("node", "lab"))]
    Name(String),
    /// The runtime folder is not safe to use.
    #[error("the runtime folder {} cannot be used: {why}", folder.display())]
    Unsafe {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The control socket's path would be too long.
    #[error("the path {} is too long for a control socket", .0.display())]
    TooLong(PathBuf),
    /// No lab of that name runs.
    #[error("no lab called `{0}` is running")]
    Unknown(String),
    /// Something could not be read or written.
    #[error("{doing} {}: {error}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        error: io::Error,
    },
}

fn origin(from: &Path) -> String {
    match from.as_os_str().is_empty() {
        true => String::new(),
        false => format!(", from {}", from.display()),
    }
}

impl Error {
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |error| Self::Io { doing, path, error }
    }

    /// How to mend it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Running { name, .. } => Some(format!(
                "end it with `telaio down -l {name}`, or give this one another name: `telaio up --name NAME`"
            )),
            Self::Name(name) => Some(format!("for example `{}`", sanitise(name))),
            Self::Unsafe { .. } | Self::TooLong(_) => {
                Some("set TELAIO_RUNTIME_DIR to a folder of your own with a short path".into())
            }
            Self::Unknown(_) => Some("`telaio ls` lists what is running".into()),
            Self::Io { error, .. } => match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    Some("free some space there, or set TELAIO_RUNTIME_DIR to another place".into())
                }
                io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                    Some("set TELAIO_RUNTIME_DIR to a folder that you may write to".into())
                }
                _ => None,
            },
        }
    }
}

impl Place {
    /// Makes a lab's folder and takes its lock. The lock is held by every copy of
    /// [`Place::lock`] in this process and its children; the lab is dead once all are closed.
    pub fn create(name: &str, source: &Path) -> Result<Self, Error> {
        check_name(name)?;
        for own in root::own() {
            if let Some(place) = Self::live(&own, name, rustix::process::geteuid().as_raw()) {
                let from = place.note().source;
                return Err(Error::Running {
                    name: name.into(),
                    from,
                });
            }
        }
        let root = root::make()?;
        let folder = root.join(name);
        if folder.join("control").as_os_str().len() > LONGEST_SOCKET {
            return Err(Error::TooLong(folder.join("control")));
        }
        let draft = root.join(format!(".new-{}-{name}", std::process::id()));
        let made = Self::draft(&draft, name, source).and_then(|lock| {
            publish(&draft, &folder, name)?;
            Ok(lock)
        });
        if made.is_err() {
            // what is left of a draft that could not be completed
            let _ = std::fs::remove_dir_all(&draft);
        }
        Ok(Self {
            lock: Some(made?),
            owner: rustix::process::geteuid().as_raw(),
            name: name.into(),
            folder,
        })
    }

    /// A folder with a held lock and a note.
    fn draft(draft: &Path, name: &str, source: &Path) -> Result<OwnedFd, Error> {
        // left by a process of the same number that was killed
        let _ = std::fs::remove_dir_all(draft);
        std::fs::create_dir(draft).map_err(Error::io("making", draft))?;
        let path = draft.join("lock");
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let lock = rustix::fs::open(&path, flags, mode).map_err(|e| e.into());
        let lock = lock.map_err(Error::io("making", &path))?;
        rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|e| Error::io("locking", &path)(e.into()))?;
        Note::new(name, source).write(draft)?;
        // root's labs are seen by all in `telaio ls`, entered by root only
        let bits = if rustix::process::geteuid().is_root() {
            0o755
        } else {
            0o700
        };
        set_mode(draft, bits)?;
        Ok(lock)
    }

    /// The running lab of that name: one of the caller's own, else one of root's, else, for
    /// root, another user's.
    pub fn find(name: &str) -> Result<Self, Error> {
        let mut all = Self::list();
        let position = all.iter().position(|p| p.name == name);
        position
            .map(|i| all.swap_remove(i))
            .ok_or_else(|| Error::Unknown(name.into()))
    }

    /// All running labs that the caller can see, own ones first; removes the caller's dead ones.
    pub fn list() -> Vec<Self> {
        let me = rustix::process::geteuid().as_raw();
        let own = root::own().into_iter().map(|folder| (folder, me));
        let mut out: Vec<Self> = Vec::new();
        for (root, owner) in own.chain(root::others()) {
            let mut names = names_in(&root);
            names.sort();
            let live = names.iter().filter_map(|n| Self::live(&root, n, owner));
            out.extend(live);
        }
        out
    }

    /// Removes the caller's dead labs.
    pub fn sweep() {
        Self::list();
    }

    /// The lab of that name below a runtime folder, if it lives; else, if it is the caller's, it
    /// is removed.
    fn live(root: &Path, name: &str, owner: u32) -> Option<Self> {
        let folder = root.join(name);
        let metadata = std::fs::symlink_metadata(&folder).ok()?;
        if !metadata.is_dir() || metadata.uid() != owner {
            return None;
        }
        let own = owner == rustix::process::geteuid().as_raw();
        let place = Self {
            folder,
            name: name.into(),
            owner,
            lock: None,
        };
        match try_lock(&place.folder.join("lock"), own) {
            Lock::Held => Some(place),
            Lock::Free(lock) if own => {
                Self {
                    lock: Some(lock),
                    ..place
                }
                .remove();
                None
            }
            Lock::Free(_) => None,
            Lock::Unknown => place.locked_by_listing().then_some(place),
        }
    }

    /// Whether the kernel's list of locks has this lab's: for those who may not open it.
    fn locked_by_listing(&self) -> bool {
        let Ok(metadata) = std::fs::metadata(self.folder.join("lock")) else {
            return false;
        };
        let (major, minor) = (
            rustix::fs::major(metadata.dev()),
            rustix::fs::minor(metadata.dev()),
        );
        let wanted = format!("{major:02x}:{minor:02x}:{}", metadata.ino());
        let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
        locks
            .lines()
            .any(|l| l.contains("FLOCK") && l.split_ascii_whitespace().any(|w| w == wanted))
    }

    /// The lab's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The user whose lab it is.
    pub fn owner(&self) -> u32 {
        self.owner
    }

    /// Whether it is the caller's own.
    pub fn is_own(&self) -> bool {
        self.owner == rustix::process::geteuid().as_raw()
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its control socket.
    pub fn control(&self) -> PathBuf {
        self.folder.join("control")
    }

    /// What its broker has to say.
    pub fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// What is known of it without asking it; empty where that cannot be read.
    pub fn note(&self) -> Note {
        Note::read(&self.folder).unwrap_or_default()
    }

    /// The descriptor that keeps the lab's lock.
    ///
    /// # Panics
    /// When this place was found, not made: only who makes a lab holds its lock.
    pub fn lock(&self) -> BorrowedFd<'_> {
        self.lock
            .as_ref()
            .expect("a place that was made holds its lock")
            .as_fd()
    }

    /// Gives up this process's share of the lock: another process holds it.
    #[must_use]
    pub fn handed_over(mut self) -> Self {
        self.lock = None;
        self
    }

    /// Notes which process is the broker: this one.
    pub fn note_broker(&self) {
        let pid = std::process::id().cast_signed();
        self.change_note(|note| note.broker = pid);
    }

    /// Notes the control groups that must go away with the lab, also when its broker is killed.
    pub fn note_groups(&self, groups: impl IntoIterator<Item = impl Into<PathBuf>>) {
        self.change_note(|note| note.groups = groups.into_iter().map(Into::into).collect());
    }

    fn change_note(&self, change: impl FnOnce(&mut Note)) {
        let mut note = self.note();
        change(&mut note);
        if let Err(e) = note.write(&self.folder) {
            tracing::warn!("{e}");
        }
    }

    /// Removes the folder. Only who holds the lock can; the name is free at once.
    pub fn remove(&self) {
        let Some(lock) = &self.lock else {
            return;
        };
        // whoever waited for the lock of a folder that another has removed holds nothing
        if !is_same(lock, &self.folder.join("lock")) {
            return;
        }
        let groups = self.note().groups;
        for group in &groups {
            if let Err(e) = sys::cgroup::remove_tree(group) {
                tracing::warn!("the control group {} stays behind: {e}", group.display());
            }
        }
        let file = self
            .folder
            .file_name()
            .unwrap_or(OsStr::new("lab"))
            .to_string_lossy();
        let old = format!(".old-{}-{file}", std::process::id());
        let old = self.folder.with_file_name(old);
        let gone = match std::fs::rename(&self.folder, &old) {
            Ok(()) => std::fs::remove_dir_all(&old),
            Err(_) => std::fs::remove_dir_all(&self.folder),
        };
        if let Err(e) = gone {
            tracing::warn!("{} stays behind: {e}", self.folder.display());
        }
    }

    /// Waits until the lab is gone with all that its broker cleans up; `false`: not in time.
    pub fn wait_gone(&self, at_most: Duration) -> bool {
        let by = Instant::now() + at_most;
        let path = self.folder.join("lock");
        loop {
            match try_lock(&path, self.is_own()) {
                Lock::Held => {}
                Lock::Free(_) => return true,
                Lock::Unknown if !self.locked_by_listing() => return true,
                Lock::Unknown => {}
            }
            if Instant::now() >= by {
                return false;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Gives a complete draft its name.
fn publish(draft: &Path, folder: &Path, name: &str) -> Result<(), Error> {
    let here = rustix::fs::CWD;
    let done = match rustix::fs::renameat_with(here, draft, here, folder, RenameFlags::NOREPLACE) {
        // a file system that cannot promise it; an existing folder is not empty and refuses
        Err(rustix::io::Errno::INVAL) => rustix::fs::rename(draft, folder),
        other => other,
    };
    match done {
        Ok(()) => Ok(()),
        Err(rustix::io::Errno::EXIST | rustix::io::Errno::NOTEMPTY) => Err(Error::Running {
            name: name.into(),
            from: Note::read(folder).unwrap_or_default().source,
        }),
        Err(e) => Err(Error::io("making", folder)(e.into())),
    }
}

/// A lab's lock, as a process finds it that does not hold it.
enum Lock {
    Held,
    Free(OwnedFd),
    /// It cannot be opened.
    Unknown,
}

fn try_lock(path: &Path, own: bool) -> Lock {
    // never to wait on a pipe that somebody put there
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let lock = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(lock) => lock,
        Err(_) => return Lock::Unknown,
    };
    let operation = if own {
        FlockOperation::NonBlockingLockExclusive
    } else {
        FlockOperation::NonBlockingLockShared
    };
    match rustix::fs::flock(&lock, operation) {
        Ok(()) => Lock::Free(lock),
        Err(rustix::io::Errno::WOULDBLOCK) => Lock::Held,
        Err(_) => Lock::Unknown,
    }
}

fn is_same(lock: &OwnedFd, path: &Path) -> bool {
    let (Ok(held), Ok(there)) = (rustix::fs::fstat(lock), std::fs::symlink_metadata(path)) else {
        return false;
    };
    held.st_dev == there.dev() && held.st_ino == there.ino()
}

fn names_in(root: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(root) else {
        return Vec::new();
    };
    let names = entries
        .flatten()
        .filter_map(|e| e.file_name().into_string().ok());
    names.filter(|n| check_name(n).is_ok()).collect()
}

fn set_mode(path: &Path, bits: u32) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::Permissions::from_mode(bits);
    std::fs::set_permissions(path, mode).map_err(Error::io("setting the mode of", path))
}

/// Checks a lab's name: like a node's, it becomes a file's name and a word of commands.
pub fn check_name(name: &str) -> Result<(), Error> {
    lab::check_node_name(name).map_err(|_| Error::Name(name.into()))
}

/// The nearest name that a lab can have.
pub fn sanitise(name: &str) -> String {
    let fit = |c: char| {
        if c.is_ascii_alphanumeric() || "_-.".contains(c) {
            c
        } else {
            '-'
        }
    };
    let name: String = name.chars().map(fit).take(LONGEST_NAME).collect();
    let name = name
        .trim_start_matches(['-', '.'])
        .trim_end_matches(['-', '.']);
    match name {
        "" => "lab".into(),
        name => name.into(),
    }
}

#[cfg(test)]
mod tests;
