//! A node's private root: overlays on the base, its own `/proc`, `/sys`, terminals and devices,
//! the lab's files, shared folders.
//!
//! What of the kernel a node must not touch is guarded by ownership (the files in `/proc` and
//! `/sys` belong to the host's root, who is nobody in a lab), not by covering it: a node's root
//! could take a cover off.

mod entries;
mod owners;

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use lab::{Entry, Mount};
use rustix::fs::{Mode, OFlags};
use sys::mount::{self, Overlay};
use sys::seccomp::Filter;

use crate::base::Base;
use crate::error::Error;

/// What a node's root is to hold.
#[derive(Clone, Copy, Debug)]
pub struct NodeRoot<'a> {
    /// The node.
    pub name: &'a str,
    /// Its host name.
    pub hostname: &'a str,
    /// All of `/etc/hosts`.
    pub hosts: &'a str,
    /// All of `/etc/resolv.conf`; none: it is empty.
    pub resolv: Option<&'a str>,
    /// The lab's files, in order.
    pub entries: &'a [Entry],
    /// Their contents.
    pub blobs: &'a [Vec<u8>],
    /// Folders that it shares with the host, out of those that the base was built with.
    pub mounts: &'a [Mount],
}

/// Folders of a node below [`Base::node_dir`]: for `/`, then per part.
const UPPER: &str = "up";
const WORK: &str = "work";

impl Base {
    /// Moves the calling process into the root of a node. It must be a process of the lab in
    /// new pid, mount, network, UTS and IPC namespaces, with one thread and nothing open that
    /// the node should not have. Returns what people should know.
    pub fn enter(&self, node: &NodeRoot<'_>) -> Result<Vec<String>, Error> {
        let mut warnings = Vec::new();
        rustix::process::umask(Mode::from_bits_truncate(0o022));
        sys::process::set_hostname(node.hostname).map_err(Error::io(format!(
            "setting the host name `{}`",
            node.hostname
        )))?;
        std::env::set_current_dir(&self.place).map_err(Error::at("entering", &self.place))?;
        self.write_own_files(node)?;
        self.stack(node.name)?;
        self.kernel_mounts(&mut warnings)?;
        let shares = self.open_shares(node.mounts)?;
        mount::change_root(Path::new("root")).map_err(Error::io("changing the root folder"))?;
        entries::put(node, !self.single_id, &mut warnings)?;
        for (share, tree) in &shares {
            attach_share(share, tree)?;
        }
        let writes = node.mounts.iter().any(|m| !m.read_only);
        let mut filter = Filter::default();
        filter.no_cgroup_namespaces();
        if self.of_root && writes {
            filter.no_set_id_files();
        }
        filter
            .install()
            .map_err(Error::io("setting the system-call filter"))?;
        Ok(warnings)
    }

    /// Writes `/etc/hosts` and its like into the node's own layer, before it is one.
    fn write_own_files(&self, node: &NodeRoot<'_>) -> Result<(), Error> {
        let dir = Path::new("nodes").join(node.name);
        if lab::check_node_name(node.name).is_err() {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "that is no name of a node");
            return Err(Error::at("making", &dir)(error));
        }
        if dir.exists() {
            self.forget(node.name)?;
        }
        let etc = dir.join(UPPER).join("etc");
        fs::create_dir_all(&etc).map_err(Error::at("making", &etc))?;
        let write = |name: &str, text: &str| {
            let path = etc.join(name);
            fs::write(&path, text).map_err(Error::at("writing", &path))
        };
        write("hosts", node.hosts)?;
        write("hostname", &format!("{}\n", node.hostname))?;
        node.resolv
            .map_or(Ok(()), |text| write("resolv.conf", text))
    }

    /// Puts the overlays together below `root`.
    fn stack(&self, node: &str) -> Result<(), Error> {
        let dir = format!("nodes/{node}");
        let layer = |lower: &[&str], name: &str, target: &Path| -> Result<(), Error> {
            let upper = format!("{dir}/{name}{UPPER}");
            let work = format!("{dir}/{name}{WORK}");
            for folder in [&upper, &work] {
                match fs::create_dir(folder) {
                    Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {
                        return Err(Error::at("making", Path::new(folder))(e));
                    }
                    _ => {}
                }
            }
            let upper = Some((upper.as_str(), work.as_str()));
            mount::overlay(Overlay { lower, upper }, target)
                .map_err(Error::at("mounting the overlay", target))
        };
        layer(&["base"], "", Path::new("root"))?;
        for (part, layers) in &self.parts {
            let lower: Vec<&str> = layers.iter().map(String::as_str).collect();
            layer(&lower, &format!("{part}."), &Path::new("root").join(part))?;
        }
        Ok(())
    }

    fn kernel_mounts(&self, warnings: &mut Vec<String>) -> Result<(), Error> {
        let root = Path::new("root");
        mount::mount("proc", &root.join("proc"), "", true).map_err(Error::NoProc)?;
        if let Err(e) = mount::mount("sysfs", &root.join("sys"), "", true) {
            warnings.push(format!("/sys is empty: the kernel refuses a new one ({e})"));
        }
        // without other ids there is no group tty
        let group = if self.single_id { "" } else { ",gid=5" };
        let options = format!("newinstance,ptmxmode=0666,mode=0620{group}");
        let pts = root.join("dev/pts");
        mount::terminals(&pts, &options).map_err(Error::at("mounting", &pts))?;
        for (source, name) in &self.devices {
            let target = root.join("dev").join(name);
            mount::bind(source, &target).map_err(Error::at("mounting", &target))?;
        }
        Ok(())
    }

    fn open_shares<'m>(&self, wanted: &'m [Mount]) -> Result<Vec<(&'m Mount, OwnedFd)>, Error> {
        let open = |mount: &'m Mount| {
            let same = |m: &Mount| m.host == mount.host && m.read_only == mount.read_only;
            let found = self.shares.iter().find(|(m, _)| same(m));
            let (_, at) = found.ok_or_else(|| Error::Share {
                host: mount.host.clone(),
                why: "the lab was not started with it".into(),
            })?;
            let tree = mount::clone_tree(at).map_err(Error::at("sharing", &mount.host))?;
            Ok((mount, tree))
        };
        wanted.iter().map(open).collect()
    }
}

fn attach_share(share: &Mount, tree: &OwnedFd) -> Result<(), Error> {
    let refuse = |why: String| Error::Entry {
        path: share.at.display().to_string(),
        why: format!("{} cannot be mounted there: {why}", share.host.display()),
    };
    if !share.at.is_absolute() || share.at.parent().is_none() {
        return Err(refuse("name an absolute path other than `/`".into()));
    }
    fs::create_dir_all(&share.at).map_err(|e| refuse(e.to_string()))?;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let target = rustix::fs::open(&share.at, flags, Mode::empty());
    let target = target.map_err(|e| refuse(io::Error::from(e).to_string()))?;
    mount::attach_on(tree.as_fd(), target.as_fd()).map_err(|e| refuse(e.to_string()))
}
