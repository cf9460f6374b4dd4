//! Which wire joins the members of a segment or link.

use indexmap::IndexMap;
use lab::{External, Lab, Profile};
use serde::{Deserialize, Serialize};

/// How members are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WireKind {
    /// Fewer than two members: nothing to join yet.
    Open,
    /// Two members: frames of one far end go straight to the other.
    Wire,
    /// More members: a bridge that forwards everything.
    Bridge,
}

impl WireKind {
    /// The kind for a number of members.
    pub fn of(members: usize) -> Self {
        match members {
            0 | 1 => Self::Open,
            2 => Self::Wire,
            _ => Self::Bridge,
        }
    }

    /// Its name in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Wire => "wire",
            Self::Bridge => "bridge",
        }
    }
}

/// An interface of a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Member {
    /// The node's name.
    pub node: String,
    /// The interface's name.
    pub interface: String,
}

impl Member {
    /// A member from its two names.
    pub fn new(node: &str, interface: &str) -> Self {
        Self {
            node: node.into(),
            interface: interface.into(),
        }
    }

    /// A member from `node:interface`.
    pub fn parse(text: &str) -> Option<Self> {
        let (node, interface) = text.split_once(':')?;
        Some(Self::new(node, interface))
    }
}

impl std::fmt::Display for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.node, self.interface)
    }
}

/// A segment or link as it is to be wired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentPlan {
    /// How its members are joined.
    pub kind: WireKind,
    /// Its members, in the lab's order.
    pub members: Vec<Member>,
    /// Interfaces of the host that are members, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub external: Vec<External>,
    /// Whether an end that goes down takes the other end's carrier away, as on a cable
    /// between two machines. A segment's members keep their carrier, as on a switch.
    pub mirror: bool,
}

impl SegmentPlan {
    fn new(members: Vec<Member>, external: Vec<External>, mirror: bool) -> Self {
        Self {
            kind: WireKind::of(members.len() + external.len()),
            members,
            external,
            mirror,
        }
    }
}

/// All segments by name, then all links, named `node:interface-node:interface`. A link's end
/// that is no interface of the lab is left out.
pub fn segments(lab: &Lab) -> IndexMap<String, SegmentPlan> {
    let mut out = IndexMap::new();
    for (name, ends) in lab.members() {
        let members = ends.iter().map(|(n, i)| Member::new(n, i)).collect();
        let external = lab.segments.get(name).map(|s| s.external.clone());
        let plan = SegmentPlan::new(members, external.unwrap_or_default(), false);
        out.insert(name.to_string(), plan);
    }
    let mirror = lab.profile == Profile::Telaio;
    for [a, b] in &lab.links {
        let ends = [a, b].into_iter().filter_map(|end| Member::parse(end));
        let members = ends.filter(|m| exists(lab, m)).collect();
        out.insert(
            format!("{a}-{b}"),
            SegmentPlan::new(members, Vec::new(), mirror),
        );
    }
    out
}

fn exists(lab: &Lab, member: &Member) -> bool {
    lab.nodes
        .get(&member.node)
        .is_some_and(|n| n.interfaces.contains_key(&member.interface))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lab::{Interface, Node};

    #[test]
    fn two_members_make_a_wire_and_three_a_bridge() {
        let mut lab = Lab::default();
        for name in ["a", "b", "c"] {
            let mut node = Node::default();
            for (i, segment) in ["L", "M"].into_iter().enumerate() {
                let segment = (name != "c" || segment == "L").then(|| segment.to_string());
                node.interfaces.insert(
                    format!("eth{i}"),
                    Interface {
                        segment,
                        ..Interface::default()
                    },
                );
            }
            node.interfaces.insert("x".into(), Interface::default());
            lab.nodes.insert(name.into(), node);
        }
        lab.links.push(["a:x".into(), "c:x".into()]);
        let all = segments(&lab);
        assert_eq!(all["L"].kind, WireKind::Bridge);
        assert_eq!(all["M"].kind, WireKind::Wire);
        assert!(!all["M"].mirror);
        assert_eq!(all["a:x-c:x"].kind, WireKind::Wire);
        assert!(all["a:x-c:x"].mirror);
        lab.profile = Profile::Kathara;
        assert!(!segments(&lab)["a:x-c:x"].mirror);
    }
}
