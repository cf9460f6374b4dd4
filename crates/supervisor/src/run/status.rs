//! The lab as it is now, for clients.

use std::io::Read;
use std::os::fd::AsFd;

use super::Supervisor;
use super::node::Node;
use crate::proto::{InterfaceStatus, NodeStatus, Reply, SegmentStatus, Status};

/// Bytes of a node's log that are sent at most: its end.
const LONGEST_LOG: u64 = 16 << 20;

impl Supervisor<'_> {
    pub(super) fn status(&self) -> Status {
        let nodes = self.nodes.iter();
        let segments = self.segments.iter().map(|(name, planned)| {
            let external = planned
                .external
                .iter()
                .map(|e| format!("host:{}", e.interface));
            let members = planned.members.iter().map(ToString::to_string);
            let members = members.chain(external).collect();
            let kind = planned.kind.name().to_string();
            (name.clone(), SegmentStatus { kind, members })
        });
        Status {
            name: self.start.name.clone(),
            source: self.start.source.display().to_string(),
            started: self.started,
            rootless: !self.host.of_root,
            broker: self.host.broker,
            built: self.life.built,
            ready: self.life.all_ready,
            nodes: nodes
                .map(|(name, node)| ((*name).to_string(), self.node(name, node)))
                .collect(),
            segments: segments.collect(),
        }
    }

    fn node(&self, name: &str, node: &Node) -> NodeStatus {
        let planned = &self.start.lab.nodes[name];
        let interfaces = planned
            .interfaces
            .iter()
            .enumerate()
            .map(|(position, (i, data))| {
                let status = InterfaceStatus {
                    segment: data.segment.clone().or_else(|| self.link_of(name, i)),
                    mac: self.start.lab.mac(name, i).to_string(),
                    plugged: node.plugged.get(position).copied().unwrap_or(true),
                };
                (i.clone(), status)
            });
        NodeStatus {
            state: node.state,
            pid: node.process.as_ref().map_or(0, |p| p.child.pid),
            interfaces: interfaces.collect(),
            scripts: node.scripts.clone(),
            restarts: node.restarts,
            depends_on: planned.depends_on.clone(),
        }
    }

    fn link_of(&self, node: &str, interface: &str) -> Option<String> {
        let is_it = |m: &plan::Member| m.node == node && m.interface == interface;
        let found = self
            .segments
            .iter()
            .find(|(_, planned)| planned.members.iter().any(is_it));
        found.map(|(name, _)| name.clone())
    }

    /// A node's output so far.
    pub(super) fn log(&self, node: &str) -> Result<Reply, String> {
        let node = self
            .nodes
            .get(node)
            .ok_or_else(|| format!("this lab has no node `{node}`"))?;
        let text = match &node.log {
            Some(log) => read_end(log).map_err(|e| format!("its output cannot be read: {e}"))?,
            None => String::new(),
        };
        Ok(Reply::Log {
            text,
            scripts: node.scripts.clone(),
        })
    }
}

/// A file of the node's own: its kind and size are checked, since the node may have changed them.
fn read_end(log: &impl AsFd) -> std::io::Result<String> {
    use std::io::{Seek, SeekFrom};
    let mut file = std::fs::File::from(log.as_fd().try_clone_to_owned()?);
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(String::new());
    }
    file.seek(SeekFrom::Start(metadata.len().saturating_sub(LONGEST_LOG)))?;
    let mut bytes = Vec::new();
    file.take(LONGEST_LOG).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
