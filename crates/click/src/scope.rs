//! Variables: what they are worth in which scope, and their substitution in configuration strings.

use std::borrow::Cow;
use std::rc::Rc;

use crate::args::{Expansion, Form, expand};

/// The variables of one scope and, through its parent, of those around it.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    depth: usize,
    values: Vec<(String, String)>,
    parent: Option<Rc<Scope>>,
}

impl Scope {
    pub(crate) fn root(values: Vec<(String, String)>) -> Rc<Self> {
        Rc::new(Self {
            depth: 0,
            values,
            parent: None,
        })
    }

    /// A scope inside another one, for a class that was declared `depth` classes deep.
    pub(crate) fn inside(
        outer: &Rc<Scope>,
        depth: usize,
        values: Vec<(String, String)>,
    ) -> Rc<Self> {
        let mut parent = Some(outer);
        while let Some(scope) = parent.filter(|s| s.depth >= depth) {
            parent = scope.parent.as_ref();
        }
        Rc::new(Self {
            depth,
            values,
            parent: parent.cloned(),
        })
    }

    fn value(&self, name: &str) -> Option<&str> {
        let mut scope = Some(self);
        while let Some(here) = scope {
            if let Some((_, value)) = here.values.iter().find(|(n, _)| n == name) {
                return Some(value);
            }
            scope = here.parent.as_deref();
        }
        None
    }

    /// A configuration string with the known variables replaced; `None` when it grows beyond
    /// `limit` bytes.
    pub(crate) fn expand(&self, config: &str, limit: usize) -> Option<String> {
        let how = Expansion {
            script: false,
            quote: false,
            limit,
        };
        let mut lookup = |name: &str, _: Form| self.value(name).map(str::to_owned);
        expand(config, how, &mut lookup).ok().map(Cow::into_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced_where_they_may_be() {
        let scope = Scope::root(vec![
            ("a".into(), "x y".into()),
            ("q".into(), "\"z\"".into()),
        ]);
        let expand = |text| scope.expand(text, 1000).unwrap();
        assert_eq!(
            expand("$a, '$a', ${a[1]}, ${n-7}, $n"),
            "x y, '$a', y, 7, $n"
        );
        assert_eq!(expand("\"<$q>\" // $a\n$a"), "\"<z>\" // $a\nx y");
        assert_eq!(scope.expand("$a$a$a", 5), None);
    }
}
