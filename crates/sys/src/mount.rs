//! Mounts: trees cloned and re-attached by descriptor, id-mapped views, overlays, and the change
//! of root that puts a process into a private file system.
//!
//! Sources: mount(2), mount_setattr(2), open_tree(2), pivot_root(2), the kernel's
//! `filesystems/overlayfs` and `filesystems/idmappings` pages.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::CWD;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MountPropagationFlags, MoveMountFlags,
    OpenTreeFlags, UnmountFlags,
};

/// How a detached tree is to look where it is attached.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attributes<'a> {
    /// Owners are shifted by the id maps of this user namespace.
    pub owners: Option<BorrowedFd<'a>>,
    /// No set-id programs and no devices.
    pub harmless: bool,
    /// Nothing in it can be changed through it, until whoever may change mounts takes that back.
    pub read_only: bool,
}

/// Clones the mount at `path` (not those below it) into a detached tree. A symbolic link at the
/// end of `path` is an error.
pub fn clone_tree(path: &Path) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_SYMLINK_NOFOLLOW;
    Ok(rustix::mount::open_tree(CWD, path, flags)?)
}

/// Clones the mount behind a descriptor of a file or folder.
pub fn clone_tree_of(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_EMPTY_PATH;
    Ok(rustix::mount::open_tree(fd, "", flags)?)
}

/// Sets attributes of a detached tree.
pub fn set_attributes(tree: BorrowedFd<'_>, attributes: Attributes<'_>) -> io::Result<()> {
    let mut set = 0;
    if attributes.harmless {
        set |= libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV;
    }
    if attributes.read_only {
        set |= libc::MOUNT_ATTR_RDONLY;
    }
    if attributes.owners.is_some() {
        set |= libc::MOUNT_ATTR_IDMAP;
    }
    let wanted = libc::mount_attr {
        attr_set: set,
        attr_clr: 0,
        propagation: 0,
        userns_fd: attributes.owners.map_or(0, |fd| fd.as_raw_fd() as u64),
    };
    // SAFETY: an empty path that lives through the call, and a valid structure with its size.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            &raw const wanted,
            size_of_val(&wanted),
        )
    };
    match done {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Attaches a detached tree at `target`.
pub fn attach(tree: BorrowedFd<'_>, target: &Path) -> io::Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    Ok(rustix::mount::move_mount(tree, "", CWD, target, flags)?)
}

/// Attaches a detached tree on top of an open file or folder.
pub fn attach_on(tree: BorrowedFd<'_>, target: BorrowedFd<'_>) -> io::Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    Ok(rustix::mount::move_mount(tree, "", target, "", flags)?)
}

/// Mounts a new file system of this kind, without set-id programs if `harmless`.
pub fn mount(kind: &str, target: &Path, options: &str, harmless: bool) -> io::Result<()> {
    let flags = match harmless {
        true => MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC,
        false => MountFlags::empty(),
    };
    let options = CString::new(options)?;
    Ok(rustix::mount::mount(
        kind,
        target,
        kind,
        flags,
        options.as_c_str(),
    )?)
}

/// Mounts a set of terminals of their own.
pub fn terminals(target: &Path, options: &str) -> io::Result<()> {
    let options = CString::new(options)?;
    let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
    Ok(rustix::mount::mount(
        "devpts",
        target,
        "devpts",
        flags,
        options.as_c_str(),
    )?)
}

/// The folders of an overlay; paths may be relative to the working folder and must hold no
/// comma, colon or backslash.
#[derive(Clone, Copy, Debug)]
pub struct Overlay<'a> {
    /// Layers that are only read, the topmost first.
    pub lower: &'a [&'a str],
    /// Where changes go, and an empty folder beside it for the kernel; none: nothing changes.
    pub upper: Option<(&'a str, &'a str)>,
}

/// Mounts an overlay as a user namespace may.
pub fn overlay(layers: Overlay<'_>, target: &Path) -> io::Result<()> {
    let mut options = format!("userxattr,index=off,lowerdir={}", layers.lower.join(":"));
    if let Some((upper, work)) = layers.upper {
        options.push_str(&format!(",upperdir={upper},workdir={work}"));
    }
    mount("overlay", target, &options, false)
}

/// Shows the file or folder `source` also at `target` (mounts below it are left out).
pub fn bind(source: &Path, target: &Path) -> io::Result<()> {
    Ok(rustix::mount::mount_bind(source, target)?)
}

/// Keeps all mount changes of this namespace to itself, and those of others out.
pub fn make_private() -> io::Result<()> {
    let flags = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    Ok(rustix::mount::mount_change("/", flags)?)
}

/// Makes the mount at `root` the root of this process's mount namespace, lets go of all that
/// was there before, and goes to the new `/`.
pub fn change_root(root: &Path) -> io::Result<()> {
    std::env::set_current_dir(root)?;
    // the old root ends up on top of the new one at the same place, and is taken off from there
    rustix::process::pivot_root(".", ".")?;
    rustix::mount::unmount(".", UnmountFlags::DETACH)?;
    std::env::set_current_dir("/")
}

/// Takes a mount away at once; whatever still uses it keeps it alive.
pub fn detach(target: &Path) -> io::Result<()> {
    Ok(rustix::mount::unmount(target, UnmountFlags::DETACH)?)
}

/// A detached file system in memory of size at most `size` (as tmpfs writes it: bytes, `50%`)
/// whose root has these permissions, without set-id programs; with devices or without.
pub fn memory(size: &str, mode: u32, devices: bool) -> io::Result<OwnedFd> {
    let context = rustix::mount::fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    let fd = context.as_fd();
    rustix::mount::fsconfig_set_string(fd, "size", size)?;
    rustix::mount::fsconfig_set_string(fd, "mode", format!("{mode:o}"))?;
    rustix::mount::fsconfig_create(fd)?;
    let mut attributes = MountAttrFlags::MOUNT_ATTR_NOSUID;
    if !devices {
        attributes |= MountAttrFlags::MOUNT_ATTR_NODEV;
    }
    let flags = FsMountFlags::FSMOUNT_CLOEXEC;
    Ok(rustix::mount::fsmount(fd, flags, attributes)?)
}
