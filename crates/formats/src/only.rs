//! A part of a lab.

use diag::Diagnostic;
use lab::{Check, Lab, Test};

use crate::nearest::nearest;

/// Keeps only these nodes, and what of the lab still means something without the others. Names
/// that the lab does not have are errors.
pub(crate) fn keep(lab: &mut Lab, names: &[String]) -> Result<(), Diagnostic> {
    if let Some(unknown) = names.iter().find(|n| !lab.nodes.contains_key(*n)) {
        let near = nearest(unknown, lab.nodes.keys().map(String::as_str));
        let error = Diagnostic::error(format!("the lab has no node `{unknown}`"));
        return Err(match near {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error,
        });
    }
    let kept = |name: &str| names.iter().any(|n| n == name);
    let all: Vec<String> = lab.nodes.keys().cloned().collect();
    lab.nodes.retain(|name, _| kept(name));
    for node in lab.nodes.values_mut() {
        node.depends_on.retain(|name| kept(name));
    }
    let owner = |end: &str| end.split(':').next().unwrap_or(end).to_string();
    lab.links
        .retain(|link| link.iter().all(|end| kept(&owner(end))));
    lab.checks.retain(|check| stays(check, &all, &kept));
    Ok(())
}

/// Whether a check is about nodes that stay only.
fn stays(check: &Check, all: &[String], kept: &impl Fn(&str) -> bool) -> bool {
    let to = match &check.test {
        Test::Reaches { to, .. } | Test::NotReaches { to, .. } => Some(to.as_str()),
        _ => None,
    };
    let gone = |name: &str| all.iter().any(|n| n == name) && !kept(name);
    !gone(check.test.node()) && !to.is_some_and(gone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lab::{Interface, Node};

    #[test]
    fn what_needs_the_others_goes_with_them() {
        let mut lab = Lab::default();
        for name in ["a", "b", "c"] {
            let mut node = Node::default();
            node.interfaces.insert("eth0".into(), Interface::default());
            node.depends_on = vec!["c".into()];
            lab.nodes.insert(name.into(), node);
        }
        lab.links = vec![
            ["a:eth0".into(), "b:eth0".into()],
            ["b:eth0".into(), "c:eth0".into()],
        ];
        let reaches = |from: &str, to: &str| {
            Check::new(Test::Reaches {
                from: from.into(),
                to: to.into(),
            })
        };
        lab.checks = vec![
            reaches("a", "b"),
            reaches("a", "c"),
            reaches("a", "10.0.0.1"),
        ];
        keep(&mut lab, &["a".into(), "b".into()]).unwrap();
        assert_eq!(lab.nodes.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert!(lab.nodes["a"].depends_on.is_empty());
        assert_eq!((lab.links.len(), lab.checks.len()), (1, 2));
        assert!(keep(&mut lab, &["zz".into()]).is_err());
    }
}
