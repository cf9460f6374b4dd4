//! This host as plans see it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use plan::{Feature, Host, HostLimits};
use sys::features::Features;

/// Folders below `/usr` that programs are in.
const FOLDERS: &[&str] = &["bin", "sbin", "local/bin", "local/sbin", "games"];

/// What a host and its tool layers offer to labs.
pub(crate) struct Offer {
    features: BTreeSet<Feature>,
    limits: HostLimits,
    /// Every `usr` that nodes see.
    trees: Vec<PathBuf>,
}

impl Offer {
    /// From what was tried; `layers` are folders with `usr`.
    pub(crate) fn of(features: &Features, layers: &[PathBuf]) -> Self {
        let working = features.working().filter_map(|name| name.parse().ok());
        let trees = layers.iter().map(|l| l.join("usr"));
        Self {
            features: working.collect(),
            limits: limits(features),
            trees: trees.chain([PathBuf::from("/usr")]).collect(),
        }
    }

    /// Limits of the host.
    pub(crate) fn limits(&self) -> &HostLimits {
        &self.limits
    }

    /// Asks something of the host, doing without what `without` names.
    pub(crate) fn ask<T>(&self, question: impl FnOnce(&Host<'_>) -> T, without: &[String]) -> T {
        question(&Host {
            features: &self.features,
            has_program: &|program| self.has(program),
            without,
        })
    }

    /// Whether nodes find a program: a name in the folders of programs, a path where it says.
    fn has(&self, program: &str) -> bool {
        let below: Vec<PathBuf> = match program.strip_prefix('/') {
            Some(path) => vec![path.strip_prefix("usr/").unwrap_or(path).into()],
            None => FOLDERS.iter().map(|f| Path::new(f).join(program)).collect(),
        };
        // a link may lead through /etc/alternatives, which only a node has in its tree
        let is_there = |path: PathBuf| path.symlink_metadata().is_ok();
        let mut places = self
            .trees
            .iter()
            .flat_map(|t| below.iter().map(move |b| t.join(b)));
        places.any(is_there)
    }
}

fn limits(features: &Features) -> HostLimits {
    let limits = &features.limits;
    HostLimits {
        neighbours: limits.neighbours,
        open_files: limits.open_files,
        processes: limits.processes(),
        user_processes: limits.user_processes,
        net_namespaces: limits.net_namespaces,
        mount_namespaces: limits.mount_namespaces,
        pid_namespaces: limits.pid_namespaces,
        inotify: limits.inotify_instances,
        memory: limits.memory,
    }
}
