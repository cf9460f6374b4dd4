//! The base of a lab's private roots: one file system in memory with everything that its nodes
//! have in common, and the host's layers beside it. Each node's root is an overlay on it.
//!
//! ```text
//! base/            lowest layer of every /
//! skel/usr/        top layer of every /usr: folders of the lab's root, shims, telaio itself
//! tools/0/         a tool layer with its usr, etc and var
//! host/usr/        the host's /usr
//! dev/             devices to be bound
//! shares/0/        folders of the host that nodes share
//! nodes/r1/        what node r1 changes in / and /usr, and the kernel's work folders
//! gone/            folders on their way out
//! none/            nothing
//! root/            where each node, in its own mount namespace, puts its root together
//! ```

mod host;
mod remove;
mod set_id;
mod shims;
mod skeleton;
mod tree;

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use lab::Mount;
use sys::mount::{self, Overlay};
use sys::seccomp::Filter;

pub use host::{HostLayers, host_layers};

use crate::device;
use crate::error::Error;

/// What a base is made of.
#[derive(Debug)]
pub struct BaseSpec<'a> {
    /// Tool layers, the one to be looked at first standing first.
    pub tools: &'a [PathBuf],
    /// The mounts that [`host_layers`] made for the same `tools` and `mounts`; none in a
    /// user's lab.
    pub layers: Option<Vec<OwnedFd>>,
    /// Whether there is one id only.
    pub single_id: bool,
    /// Folders of the host that nodes share, by absolute path, each once per `read_only`.
    pub mounts: &'a [Mount],
}

/// The base of a lab's private roots.
#[derive(Debug)]
pub struct Base {
    /// Where the lab's file system in memory is.
    pub(crate) place: PathBuf,
    /// Folders of `/` that are overlays of their own: name, and layers below `place`.
    pub(crate) parts: Vec<(&'static str, Vec<String>)>,
    /// Devices to be bound: source, and name below `/dev`.
    pub(crate) devices: Vec<(PathBuf, &'static str)>,
    /// Shared folders, each with its place.
    pub(crate) shares: Vec<(Mount, PathBuf)>,
    /// Whether there is one id only.
    pub(crate) single_id: bool,
    /// Whether root on the host made this lab.
    pub(crate) of_root: bool,
}

/// Where the file system can be put, in a mount namespace of our own: something that nothing
/// we need is below.
const PLACES: [&str; 4] = ["/mnt", "/media", "/srv", "/tmp"];
/// Most that a lab's files may take of the machine's memory.
const SIZE: &str = "50%";

impl Base {
    /// Makes the base in this process's mount namespace. It must be root of the lab's user
    /// namespace, alone in a mount namespace of its own, and have one thread. From then on it
    /// and all that it starts live behind the filter on system calls that nodes need.
    pub fn build(spec: BaseSpec<'_>) -> Result<Self, Error> {
        mount::make_private().map_err(Error::NoMount)?;
        let of_root = spec.layers.is_some();
        let fds = match spec.layers {
            Some(fds) => fds,
            None => host::own_layers(spec.tools, spec.mounts)?,
        };
        let place = mount_memory()?;
        for folder in [
            "base", "skel", "tools", "host", "dev", "shares", "nodes", "root", "none", "gone",
        ] {
            let path = place.join(folder);
            fs::create_dir(&path).map_err(Error::at("making", &path))?;
        }
        let mut base = Self {
            place,
            parts: Vec::new(),
            devices: Vec::new(),
            shares: Vec::new(),
            single_id: spec.single_id,
            of_root,
        };
        base.attach_layers(fds, spec.tools.len(), spec.mounts)?;
        base.probe()?;
        skeleton::make(&base)?;
        tree::make(&base, spec.tools.len())?;
        set_id::make(&base)?;
        shims::make(&base)?;
        // once for all nodes: the kernel takes its time with each
        let mut filter = Filter::contain();
        if spec.single_id {
            filter.pretend_identities();
        }
        filter
            .install()
            .map_err(Error::io("setting the system-call filter"))?;
        Ok(base)
    }

    /// Descriptors that [`Base::enter`] needs in a process cloned from this one: none.
    pub fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        Vec::new()
    }

    /// What a node has changed in its root and where the kernel works on it.
    pub fn node_dir(&self, node: &str) -> PathBuf {
        self.place.join("nodes").join(node)
    }

    /// Drops all that a node has changed, before it starts anew.
    pub fn forget(&self, node: &str) -> Result<(), Error> {
        let path = self.node_dir(node);
        let gone = self.place.join("gone").join(node);
        if !path.exists() {
            return Ok(());
        }
        remove::tree(&path, &gone).map_err(Error::at("removing", &path))
    }

    fn attach_layers(
        &mut self,
        fds: Vec<OwnedFd>,
        tools: usize,
        shares: &[Mount],
    ) -> Result<(), Error> {
        let parts = host::parts()?;
        let mut fds = fds.into_iter();
        let place = self.place.clone();
        let mut attach = |at: &str| -> Result<PathBuf, Error> {
            let at = place.join(at);
            let missing = || io::Error::new(io::ErrorKind::NotFound, "a mount was not handed over");
            let tree = fds
                .next()
                .ok_or_else(missing)
                .map_err(Error::at("attaching", &at))?;
            fs::create_dir_all(&at).map_err(Error::at("making", &at))?;
            mount::attach(tree.as_fd(), &at).map_err(Error::at("attaching", &at))?;
            Ok(at)
        };
        for part in &parts {
            attach(&format!("host/{part}"))?;
        }
        self.devices = device::usable(&attach("dev")?);
        for i in 0..tools {
            attach(&format!("tools/{i}"))?;
        }
        for (i, share) in shares.iter().enumerate() {
            let at = attach(&format!("shares/{i}"))?;
            if share.read_only {
                self.lock(share, &at)?;
            }
            self.shares.push((share.clone(), at));
        }
        for part in parts {
            let with_part = |i: &usize| self.place.join(format!("tools/{i}/{part}")).is_dir();
            let mut layers = vec![format!("skel/{part}")];
            layers.extend(
                (0..tools)
                    .filter(with_part)
                    .map(|i| format!("tools/{i}/{part}")),
            );
            layers.push(format!("host/{part}"));
            self.parts.push((part, layers));
        }
        Ok(())
    }

    /// Covers a shared folder with an overlay that nothing can be written to: a node's root
    /// could take the flag of a read-only mount back.
    fn lock(&self, share: &Mount, at: &Path) -> Result<(), Error> {
        let refuse = |e: io::Error| Error::Share {
            host: share.host.clone(),
            why: format!("it cannot be made read-only: {e}"),
        };
        let none = self.place.join("none");
        let (Some(none), Some(lower)) = (none.to_str(), at.to_str()) else {
            return Err(refuse(io::ErrorKind::InvalidFilename.into()));
        };
        let lower = [none, lower];
        mount::overlay(
            Overlay {
                lower: &lower,
                upper: None,
            },
            at,
        )
        .map_err(refuse)
    }

    /// Tries what every node will need, so that a lab fails once and early.
    fn probe(&self) -> Result<(), Error> {
        let root = self.place.join("root");
        let (up, work) = (self.place.join("nodes/.up"), self.place.join("nodes/.work"));
        for folder in [&up, &work] {
            fs::create_dir(folder).map_err(Error::at("making", folder))?;
        }
        let path = |p: &Path| p.to_string_lossy().into_owned();
        let (lower, up_, work_) = (path(&self.place.join("base")), path(&up), path(&work));
        let layers = Overlay {
            lower: &[&lower],
            upper: Some((&up_, &work_)),
        };
        mount::overlay(layers, &root).map_err(Error::NoOverlay)?;
        mount::detach(&root).map_err(Error::at("unmounting", &root))?;
        mount::mount("proc", &root, "", true).map_err(Error::NoProc)?;
        mount::detach(&root).map_err(Error::at("unmounting", &root))?;
        for folder in [&up, &work] {
            fs::remove_dir_all(folder).map_err(Error::at("removing", folder))?;
        }
        Ok(())
    }
}

fn mount_memory() -> Result<PathBuf, Error> {
    let memory = mount::memory(SIZE, 0o755, false).map_err(Error::NoMount)?;
    let place = PLACES.iter().map(Path::new).find(|p| p.is_dir());
    let place = place.ok_or_else(|| {
        Error::Layout(format!(
            "there is none of the folders {}",
            PLACES.join(", ")
        ))
    })?;
    mount::attach(memory.as_fd(), place).map_err(Error::NoMount)?;
    Ok(place.to_path_buf())
}
