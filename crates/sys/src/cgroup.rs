//! Control groups, version 2 or 1, whichever this host has and lets us use.
//!
//! A lab gets one group under each hierarchy, its nodes one below that. Sources: the kernel's
//! `admin-guide/cgroup-v2` and `admin-guide/cgroup-v1` pages.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Limits of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// Processor cores.
    pub cpus: Option<f64>,
}

/// A lab's groups. Removed by [`Groups::remove`], not by dropping, since whoever cleans up may
/// be another process than whoever made them.
#[derive(Clone, Debug)]
pub struct Groups {
    version: Version,
    /// The lab's folder in each hierarchy in use (one for version 2).
    memory: Option<PathBuf>,
    cpu: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// Period of processor quotas in microseconds.
const PERIOD: u64 = 100_000;

impl Groups {
    /// Makes a group of this name where it can be limited; fails with what each try said.
    pub fn create(name: &str) -> io::Result<Self> {
        let mounts = fs::read_to_string("/proc/self/mountinfo")?;
        let own = fs::read_to_string("/proc/self/cgroup")?;
        let two = version_two(&mounts, &own, name);
        let one = match &two {
            Ok(_) => return two,
            Err(_) => version_one(&mounts, &own, name),
        };
        match (two, one) {
            (_, Ok(groups)) => Ok(groups),
            (Err(two), Err(one)) => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                format!("cgroup v2: {two}; cgroup v1: {one}"),
            )),
            (two, _) => two,
        }
    }

    /// Whether [`Groups::create`] would work, as far as can be told without moving any process:
    /// a group of this name is made and removed.
    pub fn try_out(name: &str) -> io::Result<()> {
        let mounts = fs::read_to_string("/proc/self/mountinfo")?;
        let own = fs::read_to_string("/proc/self/cgroup")?;
        let two = parents(&mounts, &own).unwrap_or_default();
        let two = two.iter().filter(|p| !controllers(p).is_empty());
        let one = ["memory", "cpu"].map(|c| place_one(&mounts, &own, c, name));
        let places = two.map(|p| p.join(name)).chain(one.into_iter().flatten());
        let mut last = missing("no control group limits memory or processors here");
        for place in places {
            match make(&place).and_then(|()| fs::remove_dir(&place)) {
                Ok(()) => return Ok(()),
                Err(e) => last = e,
            }
        }
        Err(last)
    }

    /// Makes a node's group with its limits and puts a process (by its number on the host) and
    /// all that it will start into it. Says which limits could not be set.
    pub fn confine(&self, node: &str, pid: i32, limits: Limits) -> io::Result<Vec<&'static str>> {
        let mut missed = Vec::new();
        match (&self.memory, limits.memory) {
            (Some(dir), Some(bytes)) => {
                let file = match self.version {
                    Version::Two => "memory.max",
                    Version::One => "memory.limit_in_bytes",
                };
                join(&dir.join(node), pid, &[(file, bytes.to_string())])?;
            }
            (None, Some(_)) => missed.push("memory"),
            _ => {}
        }
        match (&self.cpu, limits.cpus) {
            (Some(dir), Some(cpus)) => {
                let quota = ((cpus * PERIOD as f64) as u64).max(1000);
                let settings = match self.version {
                    Version::Two => vec![("cpu.max", format!("{quota} {PERIOD}"))],
                    Version::One => vec![
                        ("cpu.cfs_period_us", PERIOD.to_string()),
                        ("cpu.cfs_quota_us", quota.to_string()),
                    ],
                };
                join(&dir.join(node), pid, &settings)?;
            }
            (None, Some(_)) => missed.push("cpus"),
            _ => {}
        }
        Ok(missed)
    }

    /// The lab's folder in each hierarchy in use.
    pub fn folders(&self) -> Vec<PathBuf> {
        [&self.memory, &self.cpu]
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }

    /// Removes the groups. Fails while processes are in them.
    pub fn remove(&self) -> io::Result<()> {
        for dir in [&self.memory, &self.cpu].into_iter().flatten() {
            remove_tree(dir)?;
        }
        Ok(())
    }
}

/// Removes a group and all below it. Fails while processes are in them; one that is not there is
/// no error.
pub fn remove_tree(dir: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|t| t.is_dir()) {
            remove_tree(&entry.path())?;
        }
    }
    fs::remove_dir(dir)
}

fn join(dir: &Path, pid: i32, settings: &[(&str, String)]) -> io::Result<()> {
    let say =
        |what: &Path, e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", what.display()));
    match fs::create_dir(dir) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(say(dir, e)),
        _ => {}
    }
    for (file, value) in settings {
        let path = dir.join(file);
        fs::write(&path, value).map_err(|e| say(&path, e))?;
    }
    let procs = dir.join("cgroup.procs");
    fs::write(&procs, pid.to_string()).map_err(|e| say(&procs, e))
}

/// Mount point of a cgroup file system: `controller` for version 1, none for version 2.
fn mount_point(mounts: &str, controller: Option<&str>) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let mut right = right.split(' ');
        let kind = right.next()?;
        let options = right.next_back()?;
        let fits = match controller {
            None => kind == "cgroup2",
            Some(c) => kind == "cgroup" && options.split(',').any(|o| o == c),
        };
        fits.then(|| PathBuf::from(left.split(' ').nth(4).unwrap_or_default()))
    })
}

/// This process's group in a hierarchy, from `/proc/self/cgroup`.
fn own_path<'a>(own: &'a str, controller: Option<&str>) -> Option<&'a str> {
    own.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':');
        let _number = parts.next()?;
        let controllers = parts.next()?;
        let fits = match controller {
            None => controllers.is_empty(),
            Some(c) => controllers.split(',').any(|o| o == c),
        };
        fits.then(|| parts.next().unwrap_or("/").trim_start_matches('/'))
    })
}

/// Where what has to leave a group goes, so that the group can hand controllers down.
const REST: &str = "telaio-rest";

/// Groups of version 2 that a lab's may be made in: the root, and this process's own (if an
/// earlier lab sent this process to a leaf, the one above).
fn parents(mounts: &str, own: &str) -> io::Result<[PathBuf; 2]> {
    let root = mount_point(mounts, None).ok_or_else(|| missing("not mounted"))?;
    let own = own_path(own, None).ok_or_else(|| missing("not in use"))?;
    let own = root.join(above_rest(own));
    Ok([root, own])
}

/// A group's path without the leaves at its end.
fn above_rest(own: &str) -> &str {
    let mut own = own.trim_end_matches('/');
    while let Some(above) = own.strip_suffix(REST) {
        if !above.is_empty() && !above.ends_with('/') {
            break;
        }
        own = above.trim_end_matches('/');
    }
    own
}

fn missing(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, what.to_string())
}

/// Which of the controllers that labs use a group has.
fn controllers(dir: &Path) -> Vec<&'static str> {
    let text = fs::read_to_string(dir.join("cgroup.controllers")).unwrap_or_default();
    let has = |c: &&&str| text.split_whitespace().any(|word| word == **c);
    ["memory", "cpu"].iter().filter(has).copied().collect()
}

fn version_two(mounts: &str, own: &str, name: &str) -> io::Result<Groups> {
    let mut last = missing("no group that may be written");
    for parent in parents(mounts, own)? {
        match delegate(&parent, name) {
            Ok(dir) => {
                let has = controllers(&dir);
                for controller in &has {
                    let _ = enable(&dir, controller);
                }
                let limits = |c: &str| has.contains(&c).then(|| dir.clone());
                if !has.is_empty() {
                    return Ok(Groups {
                        version: Version::Two,
                        memory: limits("memory"),
                        cpu: limits("cpu"),
                    });
                }
                let _ = fs::remove_dir(&dir);
                last = missing("neither the memory nor the cpu controller is delegated");
            }
            Err(e) => last = e,
        }
    }
    Err(last)
}

fn enable(dir: &Path, controller: &str) -> io::Result<()> {
    fs::write(dir.join("cgroup.subtree_control"), format!("+{controller}"))
}

/// Makes a group below `parent` after handing controllers down. A group that has processes of
/// its own cannot hand down (except the root): they move to a leaf first. Nothing is moved
/// where `parent` has no controller to hand down.
fn delegate(parent: &Path, name: &str) -> io::Result<PathBuf> {
    let controllers = controllers(parent);
    if controllers.is_empty() {
        return Err(missing("neither the memory nor the cpu controller is here"));
    }
    let dir = parent.join(name);
    make(&dir)?;
    // one by one: a controller that cannot be had must not keep the others out
    for controller in controllers {
        let busy = |e: io::Error| e.kind() == io::ErrorKind::ResourceBusy;
        if enable(parent, controller).is_err_and(busy) {
            move_out(parent);
            let _ = enable(parent, controller);
        }
    }
    Ok(dir)
}

fn make(dir: &Path) -> io::Result<()> {
    fs::create_dir(dir).map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", dir.display())))
}

/// Moves a group's processes to a leaf of it.
fn move_out(parent: &Path) {
    let leaf = parent.join(REST);
    let _ = fs::create_dir(&leaf);
    let pids = fs::read_to_string(parent.join("cgroup.procs")).unwrap_or_default();
    for pid in pids.lines() {
        let _ = fs::write(leaf.join("cgroup.procs"), pid);
    }
}

fn version_one(mounts: &str, own: &str, name: &str) -> io::Result<Groups> {
    let make = |controller: &str| match make(&place_one(mounts, own, controller, name)?) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(e),
        _ => place_one(mounts, own, controller, name),
    };
    let (memory, cpu) = (make("memory"), make("cpu"));
    match (memory, cpu) {
        (Err(e), Err(_)) => Err(e),
        (memory, cpu) => Ok(Groups {
            version: Version::One,
            memory: memory.ok(),
            cpu: cpu.ok(),
        }),
    }
}

/// Where a lab's group of version 1 is.
fn place_one(mounts: &str, own: &str, controller: &str, name: &str) -> io::Result<PathBuf> {
    let root = mount_point(mounts, Some(controller))
        .ok_or_else(|| missing(&format!("{controller} not mounted")))?;
    let own = own_path(own, Some(controller)).unwrap_or_default();
    Ok(root.join(own).join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
25 20 0:22 / /sys/fs/cgroup ro - tmpfs tmpfs ro
26 25 0:23 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
30 25 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
31 25 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
";

    #[test]
    fn finds_hierarchies() {
        assert_eq!(
            mount_point(MOUNTS, None).unwrap(),
            Path::new("/sys/fs/cgroup/unified")
        );
        let cpu = mount_point(MOUNTS, Some("cpu")).unwrap();
        assert_eq!(cpu, Path::new("/sys/fs/cgroup/cpu,cpuacct"));
        assert_eq!(mount_point(MOUNTS, Some("pids")), None);
    }

    #[test]
    fn a_leaf_is_no_place_for_the_next_lab() {
        assert_eq!(above_rest("a/telaio-rest/telaio-rest"), "a");
        assert_eq!(above_rest("telaio-rest"), "");
        assert_eq!(above_rest("a/my-telaio-rest"), "a/my-telaio-rest");
        assert_eq!(above_rest(""), "");
    }

    #[test]
    fn nothing_is_made_or_moved_without_a_controller() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("cgroup.controllers"), "hugetlb\n").unwrap();
        assert!(delegate(folder.path(), "lab").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::write(folder.path().join("cgroup.controllers"), "cpu memory\n").unwrap();
        assert!(delegate(folder.path(), "lab").is_ok());
        assert!(!folder.path().join(REST).exists());
    }

    #[test]
    fn finds_the_own_group() {
        let own = "4:memory:/a/b\n3:cpu,cpuacct:/\n0::/user.slice\n";
        assert_eq!(own_path(own, Some("memory")), Some("a/b"));
        assert_eq!(own_path(own, Some("cpu")), Some(""));
        assert_eq!(own_path(own, None), Some("user.slice"));
    }
}
