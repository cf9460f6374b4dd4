//! The flat graph: elements and the connections between their ports.

use crate::ar::Member;
use crate::place::Landmark;

/// An element.
#[derive(Clone, Debug)]
pub struct Element {
    /// Its whole name, with those of the compounds around it (`outer/inner`).
    pub name: String,
    /// Its class.
    pub class: String,
    /// Its configuration string, variables replaced; empty where there is none.
    pub config: String,
    /// Where it is written.
    pub landmark: Landmark,
}

/// A port of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Port {
    /// The element's index in [`Router::elements`].
    pub element: usize,
    /// The port's number, from 0.
    pub port: usize,
}

/// A connection from an output to an input.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The output.
    pub from: Port,
    /// The input.
    pub to: Port,
    /// Where it is written.
    pub landmark: Landmark,
}

/// What a configuration requires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// `require(compact_config)`: arguments may be written in the older short way.
    CompactConfig,
    /// `require(package NAME)`: an element package.
    Package(String),
}

/// A configuration as a flat graph.
#[derive(Clone, Debug, Default)]
pub struct Router {
    /// The elements, in Click's order.
    pub elements: Vec<Element>,
    /// The connections, each once.
    pub connections: Vec<Connection>,
    /// What it requires, in order.
    pub requirements: Vec<Requirement>,
    /// Global variables that were left in the configuration strings, with their values.
    pub definitions: Vec<(String, String)>,
    /// Other members of the archive it came in.
    pub archive: Vec<Member>,
}

impl Router {
    /// The index of an element.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.elements.iter().position(|e| e.name == name)
    }

    /// How many input and output ports each element has.
    pub fn port_counts(&self) -> Vec<(usize, usize)> {
        let mut counts = vec![(0, 0); self.elements.len()];
        for connection in &self.connections {
            let (from, to) = (connection.from, connection.to);
            counts[from.element].1 = counts[from.element].1.max(from.port + 1);
            counts[to.element].0 = counts[to.element].0.max(to.port + 1);
        }
        counts
    }
}
