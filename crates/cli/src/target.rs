//! What words of the command line mean: `node:interface` or a segment, `node:/path` or a file.

use std::path::PathBuf;

use supervisor::proto::Status;

use crate::failure::Failure;

/// One side of `cp`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// A file or folder of the host.
    Host(PathBuf),
    /// One of a node.
    Node {
        /// The node.
        node: String,
        /// Where in it.
        path: String,
    },
}

impl Side {
    /// `node:path`, unless a `/` comes before the first `:` (so `./a:b` is a file).
    pub(crate) fn parse(text: &str) -> Self {
        match text.split_once(':') {
            Some((node, path)) if lab::check_node_name(node).is_ok() => Self::Node {
                node: node.into(),
                path: path.into(),
            },
            _ => Self::Host(text.into()),
        }
    }
}

/// Interfaces that a word means: one (`node:interface`), or all of a segment or link.
pub(crate) fn interfaces(word: &str, status: &Status) -> Result<Vec<(String, String)>, Failure> {
    // a link's own name has colons too
    if let Some(segment) = status.segments.get(word) {
        let members = segment.members.iter().filter_map(|m| m.split_once(':'));
        return Ok(members.map(|(n, i)| (n.into(), i.into())).collect());
    }
    let Some((node, interface)) = word.split_once(':') else {
        let names = names(status.segments.keys());
        return Err(
            Failure::usage(format!("this lab has no segment `{word}`")).help(format!(
                "write `node:interface` or one of its segments: {names}"
            )),
        );
    };
    let known = node_of(node, status)?;
    if known.interfaces.contains_key(interface) {
        return Ok(vec![(node.into(), interface.into())]);
    }
    let names = names(known.interfaces.keys());
    Err(
        Failure::usage(format!("`{node}` has no interface `{interface}`"))
            .help(format!("its interfaces: {names}")),
    )
}

/// The node of that name.
pub(crate) fn node_of<'a>(
    node: &str,
    status: &'a Status,
) -> Result<&'a supervisor::proto::NodeStatus, Failure> {
    status.nodes.get(node).ok_or_else(|| {
        let names = names(status.nodes.keys());
        Failure::usage(format!("the lab `{}` has no node `{node}`", status.name))
            .help(format!("its nodes: {names}"))
    })
}

/// Names in a list, the first twenty.
pub(crate) fn names<'a>(all: impl ExactSizeIterator<Item = &'a String>) -> String {
    const SHOWN: usize = 20;
    let more = all.len().saturating_sub(SHOWN);
    let shown: Vec<&str> = all.take(SHOWN).map(String::as_str).collect();
    match (shown.is_empty(), more) {
        (true, _) => "none".into(),
        (_, 0) => shown.join(", "),
        _ => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use supervisor::proto::{InterfaceStatus, NodeStatus, SegmentStatus};

    #[test]
    fn a_colon_after_a_slash_is_a_files() {
        let node = |node: &str, path: &str| Side::Node {
            node: node.into(),
            path: path.into(),
        };
        assert_eq!(Side::parse("r1:/etc/frr"), node("r1", "/etc/frr"));
        assert_eq!(Side::parse("r1:"), node("r1", ""));
        assert_eq!(Side::parse("./r1:x"), Side::Host("./r1:x".into()));
        assert_eq!(Side::parse("/a:b"), Side::Host("/a:b".into()));
        assert_eq!(Side::parse("notes.txt"), Side::Host("notes.txt".into()));
    }

    fn status() -> Status {
        let mut status = Status::default();
        for name in ["pc1", "pc2"] {
            let mut node = NodeStatus::default();
            node.interfaces
                .insert("eth0".into(), InterfaceStatus::default());
            status.nodes.insert(name.into(), node);
        }
        let members = vec!["pc1:eth0".into(), "pc2:eth0".into()];
        let segment = SegmentStatus {
            kind: "wire".into(),
            members,
        };
        status.segments.insert("A".into(), segment);
        status
    }

    #[test]
    fn a_segment_means_all_its_interfaces() {
        let both = interfaces("A", &status()).unwrap();
        assert_eq!(both.len(), 2);
        assert_eq!(
            interfaces("pc2:eth0", &status()).unwrap(),
            [("pc2".into(), "eth0".into())]
        );
    }

    #[test]
    fn unknown_words_name_what_there_is() {
        let help = |word| interfaces(word, &status()).unwrap_err().help.unwrap();
        assert!(help("B").contains('A'));
        assert!(help("pc3:eth0").contains("pc1, pc2"));
        assert!(help("pc1:eth9").contains("eth0"));
    }
}
