//! A lab's size against the host's limits.

use diag::{Diagnostic, Diagnostics};
use lab::Lab;
use serde::Serialize;

use crate::HostLimits;

/// Bytes of memory that a node takes beside its daemons.
const NODE_MEMORY: u64 = 3 << 19;

/// Bytes of memory of a routing suite in a node: zebra and one protocol daemon of FRR, as
/// measured (6.9 and 4.0 MB).
const SUITE_MEMORY: u64 = 11 << 20;

/// Descriptors that the supervisor holds for a node (its process, its socket, its network),
/// and those of the lab as a whole.
const NODE_FILES: u64 = 3;
const LAB_FILES: u64 = 64;

/// A bridge of the kernel has at most 1023 ports.
const BRIDGE_PORTS: usize = 1023;

/// Daemons that a started routing suite or service means, besides a node's process 1 and the
/// shell of its script.
const DAEMONS: u64 = 5;

/// What a lab will take of the host, estimated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Nodes.
    pub nodes: u64,
    /// Interfaces.
    pub interfaces: u64,
    /// Open files of the supervisor.
    pub open_files: u64,
    /// Processes.
    pub processes: u64,
    /// Namespaces of each kind.
    pub namespaces: u64,
    /// Entries of the neighbour table when all members of all segments talk to each other.
    pub neighbours: u64,
    /// Inotify instances, one for each node with services.
    pub inotify: u64,
    /// Bytes of memory.
    pub memory: u64,
}

impl Size {
    /// Estimates a lab's size. `services` is the number of nodes that start services.
    pub fn of(lab: &Lab, services: usize) -> Self {
        let nodes = lab.nodes.len() as u64;
        let services = services as u64;
        let routed = lab
            .nodes
            .values()
            .filter(|n| !n.routing.daemons.is_empty())
            .count() as u64;
        let daemons = services.max(routed);
        Self {
            nodes,
            interfaces: lab.nodes.values().map(|n| n.interfaces.len() as u64).sum(),
            open_files: nodes * NODE_FILES + LAB_FILES,
            processes: nodes * 2 + daemons * DAEMONS,
            namespaces: nodes + 1,
            neighbours: neighbours(lab),
            inotify: daemons,
            memory: nodes * NODE_MEMORY + daemons * SUITE_MEMORY,
        }
    }
}

/// Each member of a segment knows each other one.
fn neighbours(lab: &Lab) -> u64 {
    let segments = crate::segments(lab);
    let pairs = |members: usize| (members * members.saturating_sub(1)) as u64;
    segments.values().map(|s| pairs(s.members.len())).sum()
}

/// A limit that a size may meet.
struct Limit {
    wanted: u64,
    has: Option<u64>,
    what: &'static str,
    fatal: bool,
    mend: String,
}

/// Compares a lab's size with the host's limits: an error where the lab cannot come up, a
/// warning where it may suffer; each with the command that raises the limit.
pub fn judge(lab: &Lab, size: &Size, limits: &HostLimits) -> Diagnostics {
    let mut out = Diagnostics::new();
    for limit in compared(size, limits) {
        let Some(has) = limit.has.filter(|has| *has < limit.wanted) else {
            continue;
        };
        let message = format!(
            "this lab of {} nodes takes about {} {}, and this host allows {has}",
            size.nodes, limit.wanted, limit.what
        );
        let diagnostic = match limit.fatal {
            true => Diagnostic::error(message),
            false => Diagnostic::warning(message),
        };
        out.push(diagnostic.help(limit.mend));
    }
    bridges(lab, &mut out);
    memory(size, limits, &mut out);
    out
}

fn compared(size: &Size, limits: &HostLimits) -> Vec<Limit> {
    let sysctl = |key: &str, value: u64| format!("sudo sysctl -w {key}={value}");
    let limit = |wanted, has, what, fatal, mend| Limit {
        wanted,
        has,
        what,
        fatal,
        mend,
    };
    let twice = size.neighbours.next_power_of_two();
    let neighbour_mend = format!(
        "{} net.ipv6.neigh.default.gc_thresh3={twice}",
        sysctl("net.ipv4.neigh.default.gc_thresh3", twice)
    );
    let namespaces =
        |kind: &str| sysctl(&format!("user.max_{kind}_namespaces"), size.namespaces * 2);
    vec![
        limit(
            size.neighbours,
            limits.neighbours,
            "neighbour entries when all nodes of a segment talk to each other",
            false,
            neighbour_mend,
        ),
        limit(
            size.open_files,
            limits.open_files,
            "open files",
            true,
            format!(
                "raise the hard limit: `ulimit -Hn {}` as root, or `nofile` in /etc/security/limits.conf",
                size.open_files
            ),
        ),
        limit(
            size.processes,
            limits.processes,
            "processes",
            true,
            sysctl(
                "kernel.pid_max",
                size.processes.saturating_mul(2).max(65536),
            ),
        ),
        limit(
            size.processes,
            limits.user_processes,
            "processes of one user",
            true,
            format!(
                "raise the limit: `nproc` in /etc/security/limits.conf to {} or more",
                size.processes * 2
            ),
        ),
        limit(
            size.namespaces,
            limits.net_namespaces,
            "network namespaces",
            true,
            namespaces("net"),
        ),
        limit(
            size.namespaces,
            limits.mount_namespaces,
            "mount namespaces",
            true,
            namespaces("mnt"),
        ),
        limit(
            size.namespaces,
            limits.pid_namespaces,
            "pid namespaces",
            true,
            namespaces("pid"),
        ),
        limit(
            size.inotify,
            limits.inotify,
            "inotify instances",
            false,
            sysctl(
                "fs.inotify.max_user_instances",
                size.inotify.saturating_mul(4).max(1024),
            ),
        ),
    ]
}

fn bridges(lab: &Lab, out: &mut Diagnostics) {
    for (name, segment) in crate::segments(lab) {
        let members = segment.members.len();
        if members > BRIDGE_PORTS {
            out.push(
                Diagnostic::error(format!(
                    "segment `{name}` has {members} members, and a bridge of the kernel has at most {BRIDGE_PORTS} ports"
                ))
                .help("split the segment, with a node that bridges its parts"),
            );
        }
    }
}

fn memory(size: &Size, limits: &HostLimits, out: &mut Diagnostics) {
    let Some(has) = limits.memory.filter(|has| *has < size.memory) else {
        return;
    };
    let mib = |bytes: u64| bytes >> 20;
    let message = format!(
        "this lab of {} nodes takes about {} MiB of memory, and {} MiB are free",
        size.nodes,
        mib(size.memory),
        mib(has)
    );
    let plain = size.nodes * NODE_MEMORY;
    let diagnostic = match plain > has {
        true => Diagnostic::error(message),
        false => Diagnostic::warning(message),
    };
    out.push(diagnostic.help("start a part of it with `up --node`, or end other programs"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use lab::{Interface, Node};

    fn lab(nodes: usize) -> Lab {
        let mut lab = Lab::default();
        for i in 0..nodes {
            let mut node = Node::default();
            let interface = Interface {
                segment: Some("L".into()),
                ..Interface::default()
            };
            node.interfaces.insert("eth0".into(), interface);
            lab.nodes.insert(format!("n{i}"), node);
        }
        lab
    }

    #[test]
    fn a_small_lab_fits() {
        let limits = HostLimits {
            neighbours: Some(1024),
            open_files: Some(1024),
            memory: Some(1 << 30),
            ..HostLimits::default()
        };
        let lab = lab(10);
        assert!(judge(&lab, &Size::of(&lab, 0), &limits).is_empty());
    }

    #[test]
    fn each_limit_is_named_with_its_mend() {
        let limits = HostLimits {
            neighbours: Some(1024),
            open_files: Some(256),
            net_namespaces: Some(50),
            memory: Some(1 << 20),
            ..HostLimits::default()
        };
        let lab = lab(1100);
        let text = judge(&lab, &Size::of(&lab, 3), &limits).render(false);
        for word in [
            "gc_thresh3=",
            "nofile",
            "user.max_net_namespaces=2202",
            "1023 ports",
            "MiB",
        ] {
            assert!(text.contains(word), "{word}: {text}");
        }
    }
}
