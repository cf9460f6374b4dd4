//! The few devices that a node has.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, makedev};

use crate::error::Error;

/// Path below `/dev`, and the number of the character device (`admin-guide/devices` of the
/// kernel's documentation).
pub(crate) const DEVICES: [(&str, u32, u32); 7] = [
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
    ("net/tun", 10, 200),
];

/// Links below `/dev`.
const LINKS: [(&str, &str); 5] = [
    ("ptmx", "pts/ptmx"),
    ("fd", "/proc/self/fd"),
    ("stdin", "fd/0"),
    ("stdout", "fd/1"),
    ("stderr", "fd/2"),
];

/// A detached file system with devices that everybody may open, made by real root: those of
/// the host may be root's alone. Where root may make no devices, the host's own.
pub(crate) fn host_devices() -> Result<OwnedFd, Error> {
    match make_devices() {
        Ok(tree) => Ok(tree),
        Err(_) => sys::mount::clone_tree(Path::new("/dev")).map_err(Error::io("lending /dev")),
    }
}

fn make_devices() -> std::io::Result<OwnedFd> {
    let tree = sys::mount::memory("1m", 0o755, true)?;
    rustix::fs::mkdirat(&tree, "net", Mode::from_bits_truncate(0o755))?;
    for (name, major, minor) in DEVICES {
        let kind = FileType::CharacterDevice;
        let mode = Mode::from_bits_truncate(0o666);
        rustix::fs::mknodat(&tree, name, kind, mode, makedev(major, minor))?;
        rustix::fs::chmodat(&tree, name, mode, rustix::fs::AtFlags::empty())?;
    }
    // a container may forbid what it let us make
    let null = rustix::fs::openat(&tree, "null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    drop(null);
    Ok(tree)
}

/// Fills `dev` of the base: places for devices to be mounted on, links, folders.
pub(crate) fn make_places(dev: &Path) -> std::io::Result<()> {
    for folder in ["", "net", "pts", "shm"] {
        std::fs::create_dir_all(dev.join(folder))?;
    }
    let open = Mode::from_bits_truncate(0o1777);
    rustix::fs::chmodat(CWD, dev.join("shm"), open, rustix::fs::AtFlags::empty())?;
    for (name, _, _) in DEVICES {
        std::fs::write(dev.join(name), "")?;
    }
    for (name, target) in LINKS {
        std::os::unix::fs::symlink(target, dev.join(name))?;
    }
    Ok(())
}

/// Devices below `folder` that can be opened by a node's root: `(source, name)`.
pub(crate) fn usable(folder: &Path) -> Vec<(PathBuf, &'static str)> {
    let candidates = DEVICES.iter().map(|(name, ..)| (folder.join(name), *name));
    // a controlling terminal cannot be opened by who has none
    let opens = |path: &Path, name: &str| {
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        name == "tty" && path.exists() || rustix::fs::open(path, flags, Mode::empty()).is_ok()
    };
    candidates
        .filter(|(path, name)| opens(path, name))
        .collect()
}
