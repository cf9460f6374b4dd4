//! Rules that hold for every lab, whatever language it came from.

use std::collections::HashMap;

use diag::{Diagnostic, Diagnostics};

use crate::{Lab, check_node_name};

/// What is wrong with a lab as a whole; readers add places to what they find themselves, this
/// is the net under them.
pub fn validate(lab: &Lab) -> Diagnostics {
    let mut out = Diagnostics::new();
    names(lab, &mut out);
    macs(lab, &mut out);
    dependencies(lab, &mut out);
    links(lab, &mut out);
    out
}

fn names(lab: &Lab, out: &mut Diagnostics) {
    for (name, node) in &lab.nodes {
        if let Err(e) = check_node_name(name) {
            out.push(Diagnostic::error(format!("bad node name `{name}`")).help(e.to_string()));
        }
        for interface in node.interfaces.keys() {
            let ok = !interface.is_empty()
                && interface.len() <= 15
                && !matches!(interface.as_str(), "." | ".." | "lo")
                && interface
                    .bytes()
                    .all(|b| b.is_ascii_graphic() && !b"/:%".contains(&b));
            if !ok {
                out.push(
                    Diagnostic::error(format!("bad interface name `{interface}` of `{name}`"))
                        .help("the kernel takes 1 to 15 characters, without `/`, `:`, `%` and blanks, and not `lo`"),
                );
            }
        }
    }
}

fn macs(lab: &Lab, out: &mut Diagnostics) {
    let mut seen: HashMap<(&str, crate::Mac), String> = HashMap::new();
    for (name, node) in &lab.nodes {
        for (if_name, interface) in &node.interfaces {
            let (Some(mac), Some(segment)) = (interface.mac, &interface.segment) else {
                continue;
            };
            let here = format!("{name}:{if_name}");
            if let Some(other) = seen.insert((segment, mac), here.clone()) {
                out.push(
                    Diagnostic::warning(format!(
                        "{other} and {here} have the same MAC address {mac} on segment `{segment}`"
                    ))
                    .help("frames for one of them reach both"),
                );
            }
        }
    }
}

/// Unknown names and circles in `depends_on`.
fn dependencies(lab: &Lab, out: &mut Diagnostics) {
    for (name, node) in &lab.nodes {
        for wanted in &node.depends_on {
            if !lab.nodes.contains_key(wanted) {
                out.push(Diagnostic::error(format!(
                    "`{name}` depends on `{wanted}`, which is no node of this lab"
                )));
            }
        }
    }
    if let Some(circle) = crate::validate::circle(lab) {
        out.push(
            Diagnostic::error(format!(
                "nodes wait for each other: {}",
                circle.join(" -> ")
            ))
            .help("remove one of these dependencies"),
        );
    }
}

/// A circle of dependencies, its first node repeated at its end.
pub(crate) fn circle(lab: &Lab) -> Option<Vec<String>> {
    // 0: not seen, 1: on the path, 2: done; an explicit stack, since labs may be deep
    let mut state: HashMap<&str, u8> = HashMap::new();
    for start in lab.nodes.keys() {
        let mut path: Vec<(&str, usize)> = vec![(start, 0)];
        while let Some((name, next)) = path.last().copied() {
            if next == 0 {
                match state.get(name) {
                    Some(2) => {
                        path.pop();
                        continue;
                    }
                    _ => state.insert(name, 1),
                };
            }
            let wanted = lab.nodes.get(name).and_then(|n| n.depends_on.get(next));
            let Some(wanted) = wanted else {
                state.insert(name, 2);
                path.pop();
                continue;
            };
            if let Some(last) = path.last_mut() {
                last.1 += 1;
            }
            if state.get(wanted.as_str()) == Some(&1) {
                let from = path.iter().position(|(n, _)| n == wanted).unwrap_or(0);
                let mut circle: Vec<String> =
                    path[from..].iter().map(|(n, _)| (*n).into()).collect();
                circle.push(wanted.clone());
                return Some(circle);
            }
            if lab.nodes.contains_key(wanted) && state.get(wanted.as_str()) != Some(&2) {
                path.push((wanted, 0));
            }
        }
    }
    None
}

/// Ends of `links` that do not exist or are plugged twice.
fn links(lab: &Lab, out: &mut Diagnostics) {
    let mut used: HashMap<&str, usize> = HashMap::new();
    for (index, link) in lab.links.iter().enumerate() {
        for end in link {
            let interface = end
                .split_once(':')
                .and_then(|(n, i)| lab.nodes.get(n)?.interfaces.get(i));
            match interface {
                None => out.push(
                    Diagnostic::error(format!("link end `{end}` is no interface of this lab"))
                        .help("write `node:interface`, both defined under `nodes`"),
                ),
                Some(i) if i.segment.is_some() => out.push(Diagnostic::error(format!(
                    "`{end}` is plugged into a segment and a link at once"
                ))),
                Some(_) => {}
            }
            if let Some(other) = used.insert(end, index) {
                out.push(Diagnostic::error(format!(
                    "`{end}` is an end of two links (number {} and {})",
                    other + 1,
                    index + 1
                )));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Interface, Node};

    fn lab(deps: &[(&str, &[&str])]) -> Lab {
        let mut lab = Lab::default();
        for (name, wants) in deps {
            let node = Node {
                depends_on: wants.iter().map(|w| (*w).into()).collect(),
                ..Node::default()
            };
            lab.nodes.insert((*name).into(), node);
        }
        lab
    }

    #[test]
    fn finds_a_circle_and_only_a_circle() {
        let fine = lab(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])]);
        assert_eq!(circle(&fine), None);
        let bad = lab(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"])]);
        assert_eq!(circle(&bad).unwrap(), ["b", "c", "b"]);
        let own = lab(&[("a", &["a"])]);
        assert_eq!(circle(&own).unwrap(), ["a", "a"]);
    }

    #[test]
    fn a_link_end_must_exist_and_be_free() {
        let mut lab = lab(&[("a", &[]), ("b", &[])]);
        for name in ["a", "b"] {
            let node = lab.nodes.get_mut(name).unwrap();
            node.interfaces.insert("eth0".into(), Interface::default());
        }
        lab.links = vec![["a:eth0".into(), "b:eth0".into()]];
        assert!(validate(&lab).is_empty());
        lab.links.push(["a:eth0".into(), "b:eth7".into()]);
        assert_eq!(validate(&lab).iter().count(), 2);
    }
}
