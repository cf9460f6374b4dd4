//! Limits, and how large a lab they allow.

use sys::features::Features;

use super::{Row, State};

/// Labs of this many nodes should fit without a thought.
const COMMON: u64 = 250;

/// A limit: what it is, its value, how much of it a node takes, and what raises it.
struct Limit {
    what: &'static str,
    value: Option<u64>,
    per_node: f64,
    mend: &'static str,
}

pub(super) fn all(features: &Features) -> Vec<Row> {
    list(features).iter().filter_map(row).collect()
}

fn list(features: &Features) -> Vec<Limit> {
    let limits = &features.limits;
    let limit = |what, value, per_node, mend| Limit {
        what,
        value,
        per_node,
        mend,
    };
    vec![
        limit(
            "neighbour table",
            limits.neighbours,
            4.0,
            "`sudo telaio setup`, or `sudo sysctl -w net.ipv4.neigh.default.gc_thresh3=65536 net.ipv6.neigh.default.gc_thresh3=65536`",
        ),
        limit(
            "open files",
            limits.open_files,
            3.5,
            "`sudo telaio setup`, or `nofile` in /etc/security/limits.conf; then log in anew",
        ),
        limit(
            "processes",
            limits.processes(),
            4.0,
            "`sudo telaio setup`, or `sudo sysctl -w kernel.pid_max=4194304`",
        ),
        limit(
            "processes of a user",
            limits.user_processes,
            4.0,
            "`nproc` in /etc/security/limits.conf; then log in anew",
        ),
        limit(
            "inotify instances",
            limits.inotify_instances,
            0.5,
            "`sudo telaio setup`, or `sudo sysctl -w fs.inotify.max_user_instances=8192`",
        ),
        limit(
            "network namespaces",
            limits.net_namespaces,
            1.0,
            "`sudo sysctl -w user.max_net_namespaces=65536`",
        ),
        limit(
            "mount namespaces",
            limits.mount_namespaces,
            1.0,
            "`sudo sysctl -w user.max_mnt_namespaces=65536`",
        ),
        limit(
            "free memory (MiB)",
            limits.memory.map(|m| m >> 20),
            1.5,
            "end other programs, or start a part of a lab with `up --node`",
        ),
    ]
}

fn row(limit: &Limit) -> Option<Row> {
    let value = limit.value?;
    // limits far beyond any lab read better as such
    let nodes = (value as f64 / limit.per_node) as u64;
    let enough = nodes >= COMMON;
    let shown = match nodes {
        0..=1_000_000 => format!("{value}: about {nodes} nodes"),
        _ => "no limit to speak of".into(),
    };
    Some(Row {
        what: limit.what,
        state: if enough { State::Good } else { State::Limited },
        result: shown,
        consequence: (!enough)
            .then(|| format!("labs of more than about {nodes} nodes suffer or fail")),
        mend: (!enough).then(|| limit.mend.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_low_limit_has_its_mend_and_a_high_one_none() {
        let limit = |value| Limit {
            what: "x",
            value,
            per_node: 2.0,
            mend: "do it",
        };
        let low = row(&limit(Some(100))).unwrap();
        assert_eq!(
            (low.state, low.mend.as_deref()),
            (State::Limited, Some("do it"))
        );
        assert!(low.result.contains("50 nodes"));
        let high = row(&limit(Some(u64::MAX))).unwrap();
        assert_eq!((high.state, high.mend), (State::Good, None));
        assert!(row(&limit(None)).is_none());
    }
}
