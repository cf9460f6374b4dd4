//! Rules that hold for every lab, whatever language it came from.

mod circle;
mod network;
mod node;

pub use node::ULIMITS;

use std::collections::HashMap;

use diag::{Diagnostic, Diagnostics, Place};

use crate::{Lab, check_node_name};

/// Where in a text something of a lab stands. It is asked with the keys and list positions that
/// lead to it in the native language: `["nodes", "pc1", "interfaces", "eth0", "mac"]`,
/// `["links", "2", "0"]`.
pub type Locate<'a> = dyn Fn(&[&str]) -> Option<Place> + 'a;

/// What is wrong with a lab as a whole, without places: [`validate_at`] for readers.
pub fn validate(lab: &Lab) -> Diagnostics {
    validate_at(lab, &|_| None)
}

/// What is wrong with a lab as a whole, each thing with the place that `locate` knows for it.
pub fn validate_at(lab: &Lab, locate: &Locate<'_>) -> Diagnostics {
    let mut rules = Rules {
        lab,
        locate,
        out: Diagnostics::new(),
    };
    rules.names();
    rules.macs();
    rules.dependencies();
    rules.links();
    rules.segments();
    rules.addresses();
    rules.checks();
    for (name, node) in &lab.nodes {
        rules.node(name, node);
    }
    rules.out
}

struct Rules<'a> {
    lab: &'a Lab,
    locate: &'a Locate<'a>,
    out: Diagnostics,
}

impl Rules<'_> {
    fn push(&mut self, path: &[&str], diagnostic: Diagnostic) {
        let place = (self.locate)(path);
        self.out.push(diagnostic.at_opt(place));
    }

    fn names(&mut self) {
        let lab = self.lab;
        if !lab.name.is_empty()
            && let Err(e) = check_node_name(&lab.name)
        {
            let e = e.to_string().replace("node", "lab");
            let bad = Diagnostic::error(format!("bad lab name `{}`", lab.name)).help(e);
            self.push(&["name"], bad);
        }
        for (name, node) in &lab.nodes {
            if let Err(e) = check_node_name(name) {
                let bad = Diagnostic::error(format!("bad node name `{name}`")).help(e.to_string());
                self.push(&["nodes", name], bad);
            }
            for interface in node.interfaces.keys().filter(|i| !good_interface(i)) {
                let bad = Diagnostic::error(format!("bad interface name `{interface}` of `{name}`"))
                    .help("the kernel takes 1 to 15 characters, without `/`, `:`, `%` and blanks, and not `lo`");
                self.push(&["nodes", name, "interfaces", interface], bad);
            }
        }
    }

    fn macs(&mut self) {
        let lab = self.lab;
        let mut seen: HashMap<(&str, crate::Mac), String> = HashMap::new();
        for (name, node) in &lab.nodes {
            for (if_name, interface) in &node.interfaces {
                let (Some(mac), Some(segment)) = (interface.mac, &interface.segment) else {
                    continue;
                };
                let here = format!("{name}:{if_name}");
                if let Some(other) = seen.insert((segment, mac), here.clone()) {
                    let twice = Diagnostic::warning(format!(
                        "{other} and {here} have the same MAC address {mac} on segment `{segment}`"
                    ))
                    .help("frames for one of them reach both");
                    self.push(&["nodes", name, "interfaces", if_name, "mac"], twice);
                }
            }
        }
    }

    /// Unknown names and circles in `depends_on`.
    fn dependencies(&mut self) {
        let lab = self.lab;
        for (name, node) in &lab.nodes {
            for (i, wanted) in node.depends_on.iter().enumerate() {
                if !lab.nodes.contains_key(wanted) {
                    let unknown = Diagnostic::error(format!(
                        "`{name}` depends on `{wanted}`, which is no node of this lab"
                    ));
                    self.push(&["nodes", name, "depends_on", &i.to_string()], unknown);
                }
            }
        }
        if let Some(circle) = circle::circle(lab) {
            let (from, to) = (&circle[circle.len() - 2], &circle[circle.len() - 1]);
            let index = lab.nodes[from.as_str()]
                .depends_on
                .iter()
                .position(|n| n == to)
                .unwrap_or(0)
                .to_string();
            let round = circle.join(" -> ");
            let bad = Diagnostic::error(format!("nodes wait for each other: {round}"))
                .help("remove one of these dependencies");
            self.push(&["nodes", from, "depends_on", &index], bad);
        }
    }
}

/// Whether the kernel takes it as an interface's name (dev_valid_name of the kernel, and `:`
/// which it refuses since it marks labels).
fn good_interface(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 15
        && !matches!(name, "." | ".." | "lo" | "all" | "default")
        && name
            .bytes()
            .all(|b| b.is_ascii_graphic() && !b"/:%".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Interface, Node};

    fn lab(names: &[&str]) -> Lab {
        let mut lab = Lab::default();
        for name in names {
            lab.nodes.insert((*name).into(), Node::default());
        }
        lab
    }

    #[test]
    fn a_link_end_must_exist_and_be_free() {
        let mut lab = lab(&["a", "b"]);
        for name in ["a", "b"] {
            let node = lab.nodes.get_mut(name).unwrap();
            node.interfaces.insert("eth0".into(), Interface::default());
        }
        lab.links = vec![["a:eth0".into(), "b:eth0".into()]];
        assert!(validate(&lab).is_empty());
        lab.links.push(["a:eth0".into(), "b:eth7".into()]);
        assert_eq!(validate(&lab).iter().count(), 2);
    }

    #[test]
    fn places_are_asked_for_by_path() {
        let mut lab = lab(&["a"]);
        lab.nodes["a"].depends_on = vec!["zz".into()];
        let asked = std::cell::RefCell::new(Vec::new());
        validate_at(&lab, &|path| {
            asked.borrow_mut().push(path.join("."));
            None
        });
        assert_eq!(*asked.borrow(), ["nodes.a.depends_on.0"]);
    }

    #[test]
    fn names_that_the_kernel_refuses() {
        assert!(good_interface("eth0") && good_interface("eth0.10"));
        for bad in ["", "lo", "a/b", "a b", "a:b", "sixteencharacter"] {
            assert!(!good_interface(bad), "{bad}");
        }
    }
}
