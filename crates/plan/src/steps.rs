//! Ordered steps from what runs to what is wanted.

mod show;
mod waves;

use indexmap::IndexMap;
use lab::{Interface, Lab, Node};
use serde::{Deserialize, Serialize};

use crate::wires::{Member, SegmentPlan, segments};

use waves::waves;

/// What there is to do for a lab.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The lab's name.
    pub lab: String,
    /// Its wires, by the names of segments and links.
    pub segments: IndexMap<String, SegmentPlan>,
    /// Which nodes' startups may run at once: those of a wave wait for nodes of earlier waves
    /// only. A node starts as soon as its own dependencies are ready, not when a wave is over.
    pub waves: Vec<Vec<String>>,
    /// The steps in order.
    pub steps: Vec<Step>,
}

/// A step, with what undoes it and what shows that it is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What is done.
    #[serde(flatten)]
    pub action: Action,
    /// What undoes it.
    pub undo: String,
    /// What shows that it is done.
    pub probe: String,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// Takes members off a wire, whose other members go on.
    Leave {
        /// Segment or link.
        segment: String,
        /// Who leaves.
        members: Vec<Member>,
    },
    /// Ends a node.
    RemoveNode {
        /// The node.
        node: String,
    },
    /// Removes a far end and with it the node's interface.
    RemoveInterface {
        /// The interface.
        member: Member,
    },
    /// Makes a node: namespaces, private root, process 1.
    AddNode {
        /// The node.
        node: String,
    },
    /// Makes a pair: the far end in the panel, the interface in the node.
    AddInterface {
        /// The interface.
        member: Member,
        /// Its hardware address.
        mac: lab::Mac,
    },
    /// Starts a node again, for what it is made of has changed; its far ends stay.
    RestartNode {
        /// The node.
        node: String,
        /// What has changed.
        changed: Vec<String>,
    },
    /// Joins members into a wire, or joins them to the members that are there.
    Join {
        /// Segment or link.
        segment: String,
        /// Who joins.
        members: Vec<Member>,
        /// What the wire is with them.
        wire: crate::WireKind,
    },
    /// Sets addresses, routes and kernel parameters.
    Configure {
        /// The node.
        node: String,
    },
    /// Runs a node's startup once its dependencies are ready.
    Startup {
        /// The node.
        node: String,
        /// Nodes whose startup must have ended well.
        after: Vec<String>,
    },
}

impl From<Action> for Step {
    fn from(action: Action) -> Self {
        Self {
            undo: action.undo(),
            probe: action.probe(),
            action,
        }
    }
}

/// The steps from `running` (the lab as it was read when it was started; none: nothing runs)
/// to `wanted`.
pub fn plan(wanted: &Lab, running: Option<&Lab>) -> Plan {
    let nothing = Lab::default();
    let difference = Difference {
        old: running.unwrap_or(&nothing),
        new: wanted,
        old_wires: segments(running.unwrap_or(&nothing)),
        new_wires: segments(wanted),
    };
    let steps = difference.actions().into_iter().map(Step::from).collect();
    Plan {
        lab: wanted.name.clone(),
        segments: difference.new_wires,
        waves: waves(wanted),
        steps,
    }
}

/// Two labs, compared.
struct Difference<'a> {
    old: &'a Lab,
    new: &'a Lab,
    old_wires: IndexMap<String, SegmentPlan>,
    new_wires: IndexMap<String, SegmentPlan>,
}

impl Difference<'_> {
    /// What goes, goes first; then what comes, wires last, then play.
    fn actions(&self) -> Vec<Action> {
        let mut out = self.leaving();
        out.extend(self.removed());
        out.extend(self.added());
        out.extend(self.joining());
        out.extend(self.played());
        out
    }

    fn leaving(&self) -> Vec<Action> {
        let gone = members_only_in(&self.old_wires, &self.new_wires);
        gone.map(|(segment, members)| Action::Leave { segment, members })
            .collect()
    }

    fn removed(&self) -> Vec<Action> {
        let mut out = Vec::new();
        for (name, node) in &self.old.nodes {
            let Some(new) = self.new.nodes.get(name) else {
                out.push(Action::RemoveNode { node: name.clone() });
                continue;
            };
            for (if_name, old_if) in &node.interfaces {
                if !self.keeps(name, if_name, old_if, new.interfaces.get(if_name)) {
                    let member = Member::new(name, if_name);
                    out.push(Action::RemoveInterface { member });
                }
            }
        }
        out
    }

    /// Whether an interface can stay as it is: its pair is made once, with its address.
    fn keeps(&self, node: &str, name: &str, _old: &Interface, new: Option<&Interface>) -> bool {
        new.is_some() && self.old.mac(node, name) == self.new.mac(node, name)
    }

    fn added(&self) -> Vec<Action> {
        let mut out = Vec::new();
        for (name, node) in &self.new.nodes {
            let old = self.old.nodes.get(name);
            match old {
                None => out.push(Action::AddNode { node: name.clone() }),
                Some(old) => out.extend(restart(name, old, node)),
            }
            for (if_name, interface) in &node.interfaces {
                let before = old.and_then(|o| o.interfaces.get(if_name));
                if before.is_some_and(|b| self.keeps(name, if_name, b, Some(interface))) {
                    continue;
                }
                out.push(Action::AddInterface {
                    member: Member::new(name, if_name),
                    mac: self.new.mac(name, if_name),
                });
            }
        }
        out
    }

    fn joining(&self) -> Vec<Action> {
        let new = members_only_in(&self.new_wires, &self.old_wires);
        let join = |(segment, members): (String, Vec<Member>)| Action::Join {
            wire: self.new_wires[&segment].kind,
            segment,
            members,
        };
        new.map(join).collect()
    }

    fn played(&self) -> Vec<Action> {
        let mut out = Vec::new();
        let mut startups = Vec::new();
        for name in waves(self.new).into_iter().flatten() {
            let node = &self.new.nodes[&name];
            let old = self.old.nodes.get(&name);
            if old == Some(node) {
                continue;
            }
            out.push(Action::Configure { node: name.clone() });
            if old.is_none_or(|o| !changes(o, node).is_empty()) {
                startups.push(Action::Startup {
                    node: name,
                    after: node.depends_on.clone(),
                });
            }
        }
        out.append(&mut startups);
        out
    }
}

fn restart(name: &str, old: &Node, new: &Node) -> Option<Action> {
    let changed = changes(old, new);
    (!changed.is_empty()).then(|| Action::RestartNode {
        node: name.into(),
        changed,
    })
}

/// What of a node has changed that only a new start brings in.
fn changes(old: &Node, new: &Node) -> Vec<String> {
    let parts = [
        ("hostname", old.hostname != new.hostname),
        ("image", old.image != new.image),
        ("routing", old.routing != new.routing),
        ("files", old.files != new.files),
        ("mounts", old.mounts != new.mounts),
        ("startup", old.startup != new.startup),
        ("environment", old.environment != new.environment),
        ("limits", old.limits != new.limits),
    ];
    let changed = parts.into_iter().filter(|(_, changed)| *changed);
    changed.map(|(name, _)| name.to_string()).collect()
}

/// Segments' members that are on `these` wires and not on `those`. All members of a link or
/// segment count as new where the carrier is mirrored differently.
fn members_only_in<'a>(
    these: &'a IndexMap<String, SegmentPlan>,
    those: &'a IndexMap<String, SegmentPlan>,
) -> impl Iterator<Item = (String, Vec<Member>)> + 'a {
    these.iter().filter_map(|(name, segment)| {
        let other = those.get(name).filter(|o| o.mirror == segment.mirror);
        let is_new = |m: &&Member| other.is_none_or(|o| !o.members.contains(m));
        let members: Vec<Member> = segment.members.iter().filter(is_new).cloned().collect();
        (!members.is_empty()).then(|| (name.clone(), members))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WireKind;

    fn lab(nodes: &[(&str, &[&str])]) -> Lab {
        let mut lab = Lab::default();
        for (name, plugs) in nodes {
            let mut node = Node::default();
            for (i, segment) in plugs.iter().enumerate() {
                let interface = Interface {
                    segment: Some((*segment).into()),
                    ..Interface::default()
                };
                node.interfaces.insert(format!("eth{i}"), interface);
            }
            lab.nodes.insert((*name).into(), node);
        }
        lab
    }

    fn words(plan: &Plan) -> Vec<String> {
        plan.steps.iter().map(|s| s.action.to_string()).collect()
    }

    #[test]
    fn from_nothing_all_is_made_wired_and_played() {
        let plan = plan(&lab(&[("a", &["L"]), ("b", &["L"])]), None);
        let steps = words(&plan);
        assert_eq!(steps.len(), 9, "{steps:#?}");
        assert!(steps[0].contains("node a"), "{steps:#?}");
        assert!(steps[4].contains("a:eth0") && steps[4].contains("b:eth0"));
        assert!(steps[8].contains("startup of b"), "{steps:#?}");
        assert!(
            plan.steps
                .iter()
                .all(|s| !s.undo.is_empty() && !s.probe.is_empty())
        );
    }

    #[test]
    fn the_same_lab_needs_nothing() {
        let a = lab(&[("a", &["L"]), ("b", &["L"])]);
        assert_eq!(plan(&a, Some(&a)).steps, []);
    }

    #[test]
    fn a_third_member_turns_a_wire_into_a_bridge() {
        let old = lab(&[("a", &["L"]), ("b", &["L"])]);
        let new = lab(&[("a", &["L"]), ("b", &["L"]), ("c", &["L"])]);
        let plan = plan(&new, Some(&old));
        let join = plan.steps.iter().find_map(|s| match &s.action {
            Action::Join { members, wire, .. } => Some((members.clone(), *wire)),
            _ => None,
        });
        assert_eq!(
            join,
            Some((vec![Member::new("c", "eth0")], WireKind::Bridge))
        );
        assert!(!words(&plan).iter().any(|w| w.contains("node a")));
    }

    #[test]
    fn what_leaves_goes_before_what_comes() {
        let old = lab(&[("a", &["L"]), ("b", &["L"])]);
        let new = lab(&[("a", &["M"]), ("c", &["M"])]);
        let steps = words(&plan(&new, Some(&old)));
        let at = |text: &str| steps.iter().position(|s| s.contains(text)).unwrap();
        assert!(at("leave L") < at("end node b"), "{steps:#?}");
        assert!(at("end node b") < at("make node c"), "{steps:#?}");
        assert!(at("make node c") < at("join M"), "{steps:#?}");
    }

    #[test]
    fn changed_files_start_a_node_again_with_its_wires() {
        let old = lab(&[("a", &["L"]), ("b", &["L"])]);
        let mut new = old.clone();
        new.nodes["a"].startup.push(lab::Script::Run("true".into()));
        let steps = words(&plan(&new, Some(&old)));
        assert_eq!(steps.len(), 3, "{steps:#?}");
        assert!(steps[0].contains("again"), "{steps:#?}");
    }
}
