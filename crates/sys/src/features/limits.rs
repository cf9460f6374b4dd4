//! Limits of the host that large labs meet.

use std::fs;
use std::path::Path;

use rustix::process::{Resource, getrlimit};
use serde::Serialize;

/// Limits; `None` where there is none or it cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Entries of the neighbour table (`net.ipv4.neigh.default.gc_thresh3`), one table for all
    /// network namespaces.
    pub neighbours: Option<u64>,
    /// Files that a process may open (hard limit).
    pub open_files: Option<u64>,
    /// `fs.inotify.max_user_instances`.
    pub inotify_instances: Option<u64>,
    /// `fs.inotify.max_user_watches`.
    pub inotify_watches: Option<u64>,
    /// `kernel.pid_max`.
    pub pid_max: Option<u64>,
    /// `kernel.threads-max`.
    pub threads_max: Option<u64>,
    /// Processes that the control group allows.
    pub cgroup_pids: Option<u64>,
    /// Processes of this user (hard limit); none for root, whom it does not bind.
    pub user_processes: Option<u64>,
    /// `user.max_user_namespaces`.
    pub user_namespaces: Option<u64>,
    /// `user.max_net_namespaces`.
    pub net_namespaces: Option<u64>,
    /// `user.max_mnt_namespaces`.
    pub mount_namespaces: Option<u64>,
    /// `user.max_pid_namespaces`.
    pub pid_namespaces: Option<u64>,
    /// Memory that is free or can be freed, in bytes.
    pub memory: Option<u64>,
    /// Memory of this machine in bytes.
    pub memory_total: Option<u64>,
}

impl Limits {
    pub(super) fn read(root: bool) -> Self {
        let user_processes = getrlimit(Resource::Nproc).maximum;
        Self {
            neighbours: sysctl("net/ipv4/neigh/default/gc_thresh3"),
            open_files: getrlimit(Resource::Nofile).maximum,
            inotify_instances: sysctl("fs/inotify/max_user_instances"),
            inotify_watches: sysctl("fs/inotify/max_user_watches"),
            pid_max: sysctl("kernel/pid_max"),
            threads_max: sysctl("kernel/threads-max"),
            cgroup_pids: cgroup_pids(),
            user_processes: user_processes.filter(|_| !root),
            user_namespaces: sysctl("user/max_user_namespaces"),
            net_namespaces: sysctl("user/max_net_namespaces"),
            mount_namespaces: sysctl("user/max_mnt_namespaces"),
            pid_namespaces: sysctl("user/max_pid_namespaces"),
            memory: memory("MemAvailable:"),
            memory_total: memory("MemTotal:"),
        }
    }

    /// Processes that can be: the least of the kernel's and the control group's limits.
    pub fn processes(&self) -> Option<u64> {
        let all = [self.pid_max, self.threads_max, self.cgroup_pids];
        all.into_iter().flatten().min()
    }
}

fn sysctl(key: &str) -> Option<u64> {
    number(&Path::new("/proc/sys").join(key))
}

fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn memory(name: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// `pids.max` of this process's control group and those above it, the least.
fn cgroup_pids() -> Option<u64> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let limits = own.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        let root = match controllers {
            "" => "/sys/fs/cgroup",
            c if c.split(',').any(|c| c == "pids") => "/sys/fs/cgroup/pids",
            _ => return None,
        };
        let below = path.trim_start_matches('/');
        let folders = Path::new(below)
            .ancestors()
            .map(|f| Path::new(root).join(f));
        folders.filter_map(|f| number(&f.join("pids.max"))).min()
    });
    limits.min()
}
