//! What a host offers, as far as a plan asks.

use std::collections::BTreeSet;
use std::fmt;

use crate::Feature;

/// What this host offers; whoever fills it has tried it.
#[derive(Clone, Copy)]
pub struct Host<'a> {
    /// Kernel features that work in a lab.
    pub features: &'a BTreeSet<Feature>,
    /// Whether a node will find a program: a name without a folder is looked for where programs
    /// are, a path (`/usr/lib/frr/zebra`) where it says; in the host's `/usr` or a tool layer.
    pub has_program: &'a dyn Fn(&str) -> bool,
    /// Names of features, programs and services to do without, or `all`; several in one are
    /// parted by commas.
    pub without: &'a [String],
}

impl fmt::Debug for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("features", &self.features)
            .field("without", &self.without)
            .finish_non_exhaustive()
    }
}

impl Host<'_> {
    /// Whether the user wants to go on without it.
    pub(crate) fn waived(&self, name: &str) -> bool {
        let words = self.without.iter().flat_map(|w| w.split(','));
        words.map(str::trim).any(|w| w == name || w == "all")
    }
}

/// Limits of a host; `None` where there is none or it is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostLimits {
    /// Entries of the neighbour table, which all network namespaces share
    /// (`net.ipv4.neigh.default.gc_thresh3`).
    pub neighbours: Option<u64>,
    /// Files that one process may open (hard limit).
    pub open_files: Option<u64>,
    /// Processes and threads on the host (the least of `kernel.pid_max`, `kernel.threads-max`
    /// and the control group's limit).
    pub processes: Option<u64>,
    /// Processes of this user (`nproc`); `None` for root.
    pub user_processes: Option<u64>,
    /// Network namespaces of this user.
    pub net_namespaces: Option<u64>,
    /// Mount namespaces of this user.
    pub mount_namespaces: Option<u64>,
    /// Pid namespaces of this user.
    pub pid_namespaces: Option<u64>,
    /// Inotify instances of this user (`fs.inotify.max_user_instances`).
    pub inotify: Option<u64>,
    /// Memory that is free or can be freed, in bytes.
    pub memory: Option<u64>,
}
