//! In which order startups run.

use std::collections::{HashMap, VecDeque};

use lab::Lab;

/// Nodes in waves: each node depends on nodes of earlier waves only. Nodes in a circle of
/// dependencies, and those that wait for such nodes, come in one last wave
/// ([`lab::validate`] refuses circles).
pub(super) fn waves(lab: &Lab) -> Vec<Vec<String>> {
    let depth = depths(lab);
    let mut out: Vec<Vec<String>> = Vec::new();
    let mut stuck = Vec::new();
    for name in lab.nodes.keys() {
        let Some(depth) = depth.get(name.as_str()) else {
            stuck.push(name.clone());
            continue;
        };
        if out.len() <= *depth {
            out.resize_with(depth + 1, Vec::new);
        }
        out[*depth].push(name.clone());
    }
    out.extend((!stuck.is_empty()).then_some(stuck));
    out
}

/// How many nodes in a row a node waits for, at most; none for a node that waits for itself.
fn depths(lab: &Lab) -> HashMap<&str, usize> {
    let mut waits: HashMap<&str, usize> = HashMap::new();
    let mut awaited: HashMap<&str, Vec<&str>> = HashMap::new();
    for (name, node) in &lab.nodes {
        let known = node
            .depends_on
            .iter()
            .filter(|d| lab.nodes.contains_key(*d));
        waits.insert(name, known.clone().count());
        for wanted in known {
            awaited.entry(wanted).or_default().push(name);
        }
    }
    let free = waits.iter().filter(|(_, n)| **n == 0);
    let mut queue: VecDeque<(&str, usize)> = free.map(|(name, _)| (*name, 0)).collect();
    let mut out = HashMap::new();
    while let Some((name, depth)) = queue.pop_front() {
        out.insert(name, depth);
        for waiting in awaited.get(name).into_iter().flatten() {
            if let Some(left) = waits.get_mut(waiting) {
                *left -= 1;
                // breadth first: the last dependency to be done is a deepest one
                if *left == 0 {
                    queue.push_back((waiting, depth + 1));
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use lab::Node;

    #[test]
    fn a_node_comes_after_what_it_needs() {
        let mut lab = Lab::default();
        for (name, wants) in [("c", "b"), ("b", "a"), ("a", ""), ("d", "")] {
            let node = Node {
                depends_on: wants.split_whitespace().map(String::from).collect(),
                ..Node::default()
            };
            lab.nodes.insert(name.into(), node);
        }
        assert_eq!(waves(&lab), [vec!["a", "d"], vec!["b"], vec!["c"]]);
        lab.nodes["a"].depends_on.push("c".into());
        assert_eq!(waves(&lab), [vec!["d"], vec!["c", "b", "a"]]);
    }
}
