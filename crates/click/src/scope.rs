//! Variables: what they are worth in which scope, and their substitution in configuration strings.

use std::rc::Rc;

use crate::lexer::{comment, config_piece};

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
        let mut out = String::new();
        let mut rest = config;
        let mut quoted = false;
        while let Some(c) = rest.chars().next() {
            let taken = match c {
                '"' => {
                    quoted = !quoted;
                    1
                }
                '\\' if quoted => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
                '\'' if !quoted => config_piece(rest),
                '/' if !quoted => comment(rest).unwrap_or(1),
                '$' => match self.variable(rest, quoted) {
                    Some((length, value)) => {
                        out.push_str(&value);
                        rest = &rest[length..];
                        if out.len() > limit {
                            return None;
                        }
                        continue;
                    }
                    None => 1,
                },
                _ => c.len_utf8(),
            };
            out.push_str(&rest[..taken]);
            rest = &rest[taken..];
        }
        (out.len() <= limit).then_some(out)
    }

    /// The length of the variable at the beginning of `text` and its value.
    fn variable(&self, text: &str, quoted: bool) -> Option<(usize, String)> {
        let after = &text[1..];
        let (name, length) = if let Some(inner) = after.strip_prefix('{') {
            let end = inner.find('}')?;
            (&inner[..end], end + 3)
        } else {
            let end = after
                .bytes()
                .take_while(|b| b.is_ascii_alphanumeric() || *b == b'_')
                .count();
            (&after[..end], end + 1)
        };
        if name.is_empty() {
            return None;
        }
        let value = self.lookup(name, after.starts_with('{'))?;
        Some((length, if quoted { inside_quotes(&value) } else { value }))
    }

    fn lookup(&self, name: &str, braced: bool) -> Option<String> {
        if let Some(value) = self.value(name) {
            return Some(value.to_owned());
        }
        if !braced {
            return None;
        }
        if let Some((variable, default)) = name.split_once('-') {
            return Some(self.value(variable).unwrap_or(default).to_owned());
        }
        let (variable, index) = name.strip_suffix(']')?.split_once('[')?;
        let index: usize = index.parse().ok()?;
        let words = words(self.value(variable)?);
        Some(
            words
                .get(index)
                .map(|w| (*w).to_owned())
                .unwrap_or_default(),
        )
    }
}

/// The value of an unquoted or quoted text as it must stand inside double quotes.
fn inside_quotes(value: &str) -> String {
    let bare = value
        .strip_prefix('"')
        .and_then(|v| v.strip_suffix('"'))
        .filter(|v| !v.contains(['"', '\\']));
    if let Some(bare) = bare {
        return bare.to_owned();
    }
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '"' | '\\' | '$') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The arguments of a configuration string: split at commas outside quotes, comments left out, a
/// last empty one dropped.
pub(crate) fn arguments(config: &str) -> Vec<String> {
    let mut list = vec![String::new()];
    let mut rest = config;
    while !rest.is_empty() {
        let taken = config_piece(rest);
        let last = list.len() - 1;
        if rest.starts_with(',') {
            list.push(String::new());
        } else if comment(rest).is_some() {
            list[last].push(' ');
        } else {
            list[last].push_str(&rest[..taken]);
        }
        rest = &rest[taken..];
    }
    let mut list: Vec<String> = list.iter().map(|a| a.trim().to_owned()).collect();
    if list.last().is_some_and(String::is_empty) {
        list.pop();
    }
    list
}

/// The words of an argument: split at blanks outside quotes.
pub(crate) fn words(argument: &str) -> Vec<&str> {
    let mut list = Vec::new();
    let mut rest = argument.trim();
    while !rest.is_empty() {
        let mut end = 0;
        while end < rest.len() && !rest[end..].starts_with(|c: char| c.is_ascii_whitespace()) {
            end += config_piece(&rest[end..]);
        }
        list.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    list
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

    #[test]
    fn arguments_are_split_outside_quotes() {
        assert_eq!(arguments("a /* , */ b, \"c,d\", "), ["a   b", "\"c,d\""]);
        assert!(arguments("  ").is_empty());
        assert_eq!(words(" package \"a b\" "), ["package", "\"a b\""]);
    }
}
