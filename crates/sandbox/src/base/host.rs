//! What a lab sees of the host: `/usr` and what stands beside it, tool layers, shared folders,
//! a few devices. Each is a detached mount, made where the rights for it are: by real root, who
//! can make owners look right ([`host_layers`]), else by the lab's own root.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use lab::Mount;
use rustix::fs::{FileType, Mode, OFlags};
use sys::mount::{self, Attributes};

use crate::device;
use crate::error::Error;

/// Detached mounts for a lab, in the order that [`Base::build`](crate::Base::build) expects.
#[derive(Debug)]
pub struct HostLayers {
    /// Parts of the host's root, devices, tool layers, shared folders.
    pub fds: Vec<OwnedFd>,
    /// What people should know.
    pub warnings: Vec<String>,
}

/// Folders of the host's root with programs and libraries that are not links into `/usr`.
pub(super) fn parts() -> Result<Vec<&'static str>, Error> {
    let beside = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];
    let real =
        |name: &&str| fs::symlink_metadata(Path::new("/").join(name)).is_ok_and(|m| m.is_dir());
    let parts: Vec<_> = ["usr"].into_iter().chain(beside).filter(real).collect();
    if !parts.contains(&"usr") {
        return Err(Error::Layout("there is no folder /usr".into()));
    }
    let shells = ["/bin/bash", "/usr/bin/bash", "/bin/sh"];
    if !shells.iter().any(|s| Path::new(s).exists()) {
        return Err(Error::Layout("there is no shell in /bin".into()));
    }
    Ok(parts)
}

/// Links beside `/usr` that lead into it, `(name, target)`.
pub(super) fn links() -> Vec<(&'static str, PathBuf)> {
    let beside = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];
    let link = |name| Some((name, fs::read_link(Path::new("/").join(name)).ok()?));
    beside.into_iter().filter_map(link).collect()
}

/// Makes the mounts of a root's lab, whose supervisor is the process `pid` with its ids mapped.
/// Files of root on the host look like files of the lab's root; in a shared folder those of the
/// folder's owner do. Needs real root.
pub fn host_layers(pid: i32, tools: &[PathBuf], shared: &[Mount]) -> Result<HostLayers, Error> {
    let path = format!("/proc/{pid}/ns/user");
    let users = fs::File::open(&path).map_err(Error::io(format!("opening {path}")))?;
    let mut made = HostLayers {
        fds: Vec::new(),
        warnings: Vec::new(),
    };
    for part in parts()? {
        let tree = open_part(part)?;
        made.shift(&tree, users.as_fd(), Path::new("/").join(part).as_path());
        made.fds.push(tree);
    }
    made.fds.push(device::host_devices()?);
    for tool in tools {
        let tree = open_tools(tool)?;
        made.shift(&tree, users.as_fd(), tool);
        made.fds.push(tree);
    }
    let root = sys::identity::root_of(pid).map_err(Error::io("reading the lab's id map"))?;
    for folder in shared {
        let tree = made.shared_by_owner(folder, root)?;
        made.fds.push(tree);
    }
    Ok(made)
}

impl HostLayers {
    fn shift(&mut self, tree: &OwnedFd, users: BorrowedFd<'_>, path: &Path) {
        let owners = Some(users);
        let attributes = Attributes {
            owners,
            ..Attributes::default()
        };
        if let Err(e) = mount::set_attributes(tree.as_fd(), attributes) {
            let path = path.display();
            self.warnings.push(format!(
                "files below {path} belong to nobody in nodes and cannot be changed in place: \
                 owners cannot be mapped there ({e})"
            ));
        }
    }

    /// A shared folder in which files of its owner look like files of the lab's root.
    fn shared_by_owner(&mut self, share: &Mount, root: (u32, u32)) -> Result<OwnedFd, Error> {
        let (tree, owner) = open_share(share)?;
        let users = sys::identity::namespace_showing((owner.0, root.0), (owner.1, root.1))
            .map_err(Error::io("making a user namespace for a shared folder"))?;
        let attributes = Attributes {
            owners: Some(users.as_fd()),
            harmless: true,
            read_only: share.read_only,
        };
        if let Err(e) = mount::set_attributes(tree.as_fd(), attributes) {
            let attributes = Attributes {
                owners: None,
                ..attributes
            };
            mount::set_attributes(tree.as_fd(), attributes)
                .map_err(Error::at("limiting the mount of", &share.host))?;
            self.warnings.push(format!(
                "files in {} belong to nobody in nodes: owners cannot be mapped there ({e})",
                share.host.display()
            ));
        }
        Ok(tree)
    }
}

/// Makes the mounts of a user's lab, in the order of [`host_layers`], in the lab's own
/// namespaces.
pub(super) fn own_layers(tools: &[PathBuf], shared: &[Mount]) -> Result<Vec<OwnedFd>, Error> {
    let mut fds = Vec::new();
    for part in parts()? {
        fds.push(open_part(part)?);
    }
    let devices = mount::clone_tree(Path::new("/dev"));
    fds.push(devices.or_else(|_| clone_with_submounts(Path::new("/dev")))?);
    for tool in tools {
        fds.push(open_tools(tool)?);
    }
    for share in shared {
        let (tree, _) = open_share(share)?;
        let attributes = Attributes {
            owners: None,
            harmless: true,
            read_only: share.read_only,
        };
        mount::set_attributes(tree.as_fd(), attributes)
            .map_err(Error::at("limiting the mount of", &share.host))?;
        fds.push(tree);
    }
    Ok(fds)
}

fn open_part(part: &str) -> Result<OwnedFd, Error> {
    let path = Path::new("/").join(part);
    mount::clone_tree(&path).map_err(|e| match e.kind() {
        io::ErrorKind::PermissionDenied => Error::NoMount(e),
        io::ErrorKind::InvalidInput => Error::Layout(format!(
            "something is mounted below {}, and only root can leave that out",
            path.display()
        )),
        _ => Error::at("lending", &path)(e),
    })
}

fn open_tools(folder: &Path) -> Result<OwnedFd, Error> {
    mount::clone_tree(folder).map_err(Error::at("opening the tool layer", folder))
}

fn clone_with_submounts(path: &Path) -> Result<OwnedFd, Error> {
    use rustix::mount::OpenTreeFlags;
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE;
    rustix::mount::open_tree(rustix::fs::CWD, path, flags).map_err(Error::at("lending", path))
}

/// A shared folder as a detached mount, and its owner.
fn open_share(share: &Mount) -> Result<(OwnedFd, (u32, u32)), Error> {
    let refuse = |why: String| Error::Share {
        host: share.host.clone(),
        why,
    };
    if !share.host.is_absolute() {
        return Err(refuse("its path is not absolute".into()));
    }
    if share.create {
        match fs::create_dir(&share.host) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {
                return Err(refuse(format!("it cannot be made: {e}")));
            }
            _ => {}
        }
    }
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = rustix::fs::open(&share.host, flags, Mode::empty())
        .map_err(|e| refuse(io::Error::from(e).to_string()))?;
    let stat = rustix::fs::fstat(&fd).map_err(|e| refuse(io::Error::from(e).to_string()))?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory | FileType::RegularFile => {}
        FileType::Symlink => return Err(refuse("it is a symbolic link".into())),
        _ => return Err(refuse("it is neither a folder nor a file".into())),
    }
    let tree = mount::clone_tree_of(fd.as_fd()).map_err(|e| match e.kind() {
        io::ErrorKind::InvalidInput => refuse("something is mounted below it".into()),
        _ => refuse(e.to_string()),
    })?;
    Ok((tree, (stat.st_uid, stat.st_gid)))
}
