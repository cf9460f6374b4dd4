//! Nodes that wait for each other.

use std::collections::HashMap;

use crate::Lab;

/// A circle of dependencies, its first node repeated at its end.
pub(super) fn circle(lab: &Lab) -> Option<Vec<String>> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Node;

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
}
