//! Pictures of a lab: Graphviz, Mermaid and SVG. Nodes are boxes; a wire of two members is an
//! edge with the interfaces' names and addresses at its ends; a larger segment is a small node
//! of its own, joined to its members.

mod layout;
mod svg;
mod text;

use lab::Lab;
use plan::Member;

pub(crate) use svg::svg;
pub(crate) use text::{dot, mermaid};

/// A picture's parts before they are drawn.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    /// The lab's name.
    name: String,
    vertices: Vec<Vertex>,
    edges: Vec<Edge>,
}

/// A node of the lab, or a segment of three members and more.
#[derive(Clone, Debug)]
struct Vertex {
    name: String,
    segment: bool,
}

/// A line between two vertices, by their numbers, with what stands at its ends and (for a
/// segment of two members) the segment's name at its middle.
#[derive(Clone, Debug)]
struct Edge {
    ends: [usize; 2],
    labels: [Vec<String>; 2],
    middle: Option<String>,
}

impl Graph {
    /// The graph of a lab.
    pub(crate) fn of(lab: &Lab) -> Self {
        let vertex = |name: &String| Vertex {
            name: name.clone(),
            segment: false,
        };
        let mut graph = Self {
            name: lab.name.clone(),
            vertices: lab.nodes.keys().map(vertex).collect(),
            edges: Vec::new(),
        };
        for (name, segment) in plan::segments(lab) {
            let is_link = name.contains(':');
            match segment.members.as_slice() {
                [a, b] => graph.join(lab, [a, b], (!is_link).then_some(name)),
                members => graph.star(lab, name, members),
            }
        }
        graph
    }

    fn join(&mut self, lab: &Lab, members: [&Member; 2], middle: Option<String>) {
        let [Some(a), Some(b)] = members.map(|m| lab.nodes.get_index_of(&m.node)) else {
            return;
        };
        self.edges.push(Edge {
            ends: [a, b],
            labels: members.map(|m| labels(lab, m)),
            middle,
        });
    }

    fn star(&mut self, lab: &Lab, name: String, members: &[Member]) {
        let center = self.vertices.len();
        self.vertices.push(Vertex {
            name,
            segment: true,
        });
        for member in members {
            if let Some(node) = lab.nodes.get_index_of(&member.node) {
                self.edges.push(Edge {
                    ends: [node, center],
                    labels: [labels(lab, member), Vec::new()],
                    middle: None,
                });
            }
        }
    }
}

/// An interface's name and addresses.
fn labels(lab: &Lab, member: &Member) -> Vec<String> {
    let node = lab.nodes.get(&member.node);
    let interface = node.and_then(|n| n.interfaces.get(&member.interface));
    let addresses = interface.into_iter().flat_map(|i| &i.addresses);
    let addresses = addresses.map(ToString::to_string);
    std::iter::once(member.interface.clone())
        .chain(addresses)
        .collect()
}

#[cfg(test)]
mod tests;
