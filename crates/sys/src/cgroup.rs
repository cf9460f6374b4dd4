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

fn version_two(mounts: &str, own: &str, name: &str) -> io::Result<Groups> {
    let missing = |what: &str| io::Error::new(io::ErrorKind::NotFound, what.to_string());
    let root = mount_point(mounts, None).ok_or_else(|| missing("not mounted"))?;
    let own = root.join(own_path(own, None).ok_or_else(|| missing("not in use"))?);
    let mut last = missing("no group that may be written");
    for parent in [root, own] {
        match delegate(&parent, name) {
            Ok(dir) => {
                let has = |c: &str| {
                    fs::read_to_string(dir.join("cgroup.controllers"))
                        .is_ok_and(|t| t.split_whitespace().any(|w| w == c))
                };
                enable(&dir, "memory");
                enable(&dir, "cpu");
                let (memory, cpu) = (has("memory"), has("cpu"));
                if memory || cpu {
                    return Ok(Groups {
                        version: Version::Two,
                        memory: memory.then(|| dir.clone()),
                        cpu: cpu.then_some(dir),
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

fn enable(dir: &Path, controller: &str) {
    // one by one: a controller that is not there must not keep the others out
    let _ = fs::write(dir.join("cgroup.subtree_control"), format!("+{controller}"));
}

/// Makes a group below `parent` after handing controllers down. A group that has processes of
/// its own cannot hand down (except the root): they move to a leaf first.
fn delegate(parent: &Path, name: &str) -> io::Result<PathBuf> {
    let dir = parent.join(name);
    fs::create_dir(&dir)
        .map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", dir.display())))?;
    if fs::write(parent.join("cgroup.subtree_control"), "+memory").is_err() {
        let leaf = parent.join("telaio-rest");
        if fs::create_dir(&leaf).is_ok() {
            let pids = fs::read_to_string(parent.join("cgroup.procs")).unwrap_or_default();
            for pid in pids.lines() {
                let _ = fs::write(leaf.join("cgroup.procs"), pid);
            }
        }
        enable(parent, "memory");
    }
    enable(parent, "cpu");
    Ok(dir)
}

fn version_one(mounts: &str, own: &str, name: &str) -> io::Result<Groups> {
    let make = |controller: &str| -> io::Result<PathBuf> {
        let missing =
            || io::Error::new(io::ErrorKind::NotFound, format!("{controller} not mounted"));
        let root = mount_point(mounts, Some(controller)).ok_or_else(missing)?;
        let own = own_path(own, Some(controller)).unwrap_or_default();
        let dir = root.join(own).join(name);
        fs::create_dir(&dir)
            .or_else(|e| match e.kind() {
                io::ErrorKind::AlreadyExists => Ok(()),
                _ => Err(io::Error::new(e.kind(), format!("{}: {e}", dir.display()))),
            })
            .map(|()| dir)
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
    fn finds_the_own_group() {
        let own = "4:memory:/a/b\n3:cpu,cpuacct:/\n0::/user.slice\n";
        assert_eq!(own_path(own, Some("memory")), Some("a/b"));
        assert_eq!(own_path(own, Some("cpu")), Some(""));
        assert_eq!(own_path(own, None), Some("user.slice"));
    }
}
