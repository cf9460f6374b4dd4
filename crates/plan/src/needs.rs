//! What a lab's files ask of the kernel and of the programs on the host.

mod files;
mod kernel;
mod service;
mod walk;

use diag::Place;
use lab::{Lab, Node, Snapshot, Suite};

use crate::Feature;

/// Something that a node of a lab uses.
#[derive(Clone, Debug)]
pub struct Need {
    /// The node.
    pub node: String,
    /// What it uses.
    pub wanted: Wanted,
    /// Whether it surely comes to that: not where a condition decides, or where the lab itself
    /// minds the failure.
    pub certain: bool,
    /// The command or line that uses it.
    pub place: Option<Place>,
}

/// What a node can use.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Wanted {
    /// A kernel feature.
    Feature(Feature),
    /// A program, by its name without a folder.
    Program(String),
    /// A service that is started, by its name without `.service`.
    Service(String),
}

/// Everything that a lab's nodes use, node by node in the order it comes up; each thing once a
/// node, surest first found.
pub fn needs(lab: &Lab, snapshot: &Snapshot) -> Vec<Need> {
    let mut out = Vec::new();
    for (name, node) in &lab.nodes {
        let mut list = Collector::new(name);
        of_model(node, &mut list);
        walk::scripts(node, snapshot, &mut list);
        out.append(&mut list.needs);
    }
    out
}

/// The needs of one node.
struct Collector<'a> {
    node: &'a str,
    needs: Vec<Need>,
}

impl<'a> Collector<'a> {
    fn new(node: &'a str) -> Self {
        Self {
            node,
            needs: Vec::new(),
        }
    }

    /// Adds a need; one that is there already becomes certain if the new one is.
    fn add(&mut self, wanted: Wanted, certain: bool, place: Option<Place>) {
        let known = self.needs.iter_mut().find(|n| n.wanted == wanted);
        match known {
            Some(need) if certain && !need.certain => {
                need.certain = true;
                need.place = place;
            }
            Some(_) => {}
            None => self.needs.push(Need {
                node: self.node.into(),
                wanted,
                certain,
                place,
            }),
        }
    }
}

fn of_model(node: &Node, list: &mut Collector<'_>) {
    for key in node.sysctls.keys() {
        if let Some(feature) = kernel::of_sysctl(key) {
            list.add(Wanted::Feature(feature), true, None);
        }
    }
    let addresses = node.interfaces.values().flat_map(|i| &i.addresses);
    if node.ipv6 == Some(true) || addresses.into_iter().any(|a| a.addr().is_ipv6()) {
        list.add(Wanted::Feature(Feature::Ipv6), true, None);
    }
    if !node.routing.daemons.is_empty() {
        let service = match node.routing.suite {
            Some(Suite::Bird) => "bird",
            _ => "frr",
        };
        list.add(Wanted::Service(service.into()), true, None);
    }
}
