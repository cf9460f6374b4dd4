//! A YAML text as a tree that knows the place of everything in it: for readers that check more
//! than a type can say and want all of it reported at the right place.

use std::collections::HashMap;

use granit_parser::{Event, Options, Parser, ScalarStyle};

use crate::{Diagnostic, Source, Span};

/// How deep lists and mappings may lie in each other.
const DEEPEST: usize = 100;
/// How many values a text may have, those that aliases repeat counted; 64 bytes of a text are as
/// much as a value.
const MOST: usize = 1_000_000;

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub value: Value,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text, a number, `true`, nothing: what it means is for its reader to say.
    Scalar {
        /// Without quotes and escapes.
        text: String,
        /// Whether it stood without quotes, so that `1` may be a number and `~` nothing.
        plain: bool,
    },
    /// A list.
    List(Vec<Tree>),
    /// A mapping, in the order of the text; no key comes twice.
    Map(Vec<(Key, Tree)>),
}

/// A key of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// Without quotes and escapes.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

impl Tree {
    /// Nothing, as after a key without a value.
    pub fn null(span: Span) -> Self {
        let value = Value::Scalar {
            text: String::new(),
            plain: true,
        };
        Self { span, value }
    }

    /// Whether it is nothing: no value, `~` or `null`.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null"))
    }

    /// The text of a scalar that is not nothing.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } if !self.is_null() => Some(text),
            _ => None,
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Tree> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(k, _)| k.text == key).map(|(_, v)| v),
            _ => None,
        }
    }
}

/// Reads a text that has one document. An empty text is nothing ([`Tree::is_null`]).
///
/// # Errors
/// The first thing that is no YAML, a key that comes twice in a mapping, a key that is no
/// scalar, a second document, or a text that would become too large.
pub fn parse(source: &Source) -> Result<Tree, Diagnostic> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.flow_nesting_limit = DEEPEST;
    options.block_nesting_limit = DEEPEST;
    let mut builder = Builder {
        source,
        open: Vec::new(),
        anchors: HashMap::new(),
        count: 0,
        root: None,
        documents: 0,
    };
    for next in Parser::new_from_str_with_options(source.text(), options) {
        let (event, span) = next.map_err(|e| {
            let at = offset(source, e.marker());
            Diagnostic::error(format!("no YAML: {}", e.info())).at(source.at(at..at + 1))
        })?;
        let span = offset(source, &span.start)..offset(source, &span.end);
        builder.event(event, span)?;
    }
    Ok(builder.root.unwrap_or_else(|| Tree::null(0..0)))
}

fn offset(source: &Source, marker: &granit_parser::Marker) -> usize {
    marker
        .byte_offset()
        .unwrap_or_else(|| source.offset(marker.line(), marker.col() + 1))
}

struct Builder<'a> {
    source: &'a Source,
    open: Vec<Open>,
    anchors: HashMap<usize, (Tree, usize)>,
    count: usize,
    root: Option<Tree>,
    documents: usize,
}

/// A list or mapping that has not ended.
struct Open {
    start: usize,
    anchor: usize,
    /// Values that were counted before it.
    before: usize,
    inside: Inside,
}

enum Inside {
    List(Vec<Tree>),
    Map {
        entries: Vec<(Key, Tree)>,
        seen: HashMap<String, Span>,
        key: Option<Key>,
        merged: Vec<Tree>,
    },
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Diagnostic> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(self
                        .error(span, "a second document begins here")
                        .help("put it into a file of its own"));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                let size = 1 + text.len() / 64;
                let value = Value::Scalar {
                    text: text.into_owned(),
                    plain,
                };
                let tree = Tree { span, value };
                self.grow(size, &tree.span)?;
                self.anchor(anchor, &tree, size);
                self.add(tree)?;
            }
            Event::SequenceStart(_, anchor, _) => {
                self.begin(span, anchor, Inside::List(Vec::new()))?
            }
            Event::MappingStart(_, anchor, _) => {
                let map = Inside::Map {
                    entries: Vec::new(),
                    seen: HashMap::new(),
                    key: None,
                    merged: Vec::new(),
                };
                self.begin(span, anchor, map)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span)?,
            Event::Alias(id) => {
                let Some((tree, size)) = self.anchors.get(&id).cloned() else {
                    return Err(self.error(span, "this alias means a value that it is part of"));
                };
                self.grow(size, &span)?;
                self.add(tree)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn error(&self, span: Span, text: &str) -> Diagnostic {
        Diagnostic::error(text).at(self.source.at(span))
    }

    fn grow(&mut self, by: usize, span: &Span) -> Result<(), Diagnostic> {
        self.count += by;
        match self.count > MOST {
            true => Err(self.error(
                span.clone(),
                "the text has too many values, aliases counted",
            )),
            false => Ok(()),
        }
    }

    fn anchor(&mut self, id: usize, tree: &Tree, size: usize) {
        if id > 0 {
            self.anchors.insert(id, (tree.clone(), size));
        }
    }

    fn begin(&mut self, span: Span, anchor: usize, inside: Inside) -> Result<(), Diagnostic> {
        let before = self.count;
        self.grow(1, &span)?;
        if self.open.len() >= DEEPEST {
            return Err(self.error(span, "values lie in each other too deeply"));
        }
        self.open.push(Open {
            start: span.start,
            anchor,
            before,
            inside,
        });
        Ok(())
    }

    fn end(&mut self, span: Span) -> Result<(), Diagnostic> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let value = match open.inside {
            Inside::List(list) => Value::List(list),
            Inside::Map {
                mut entries,
                mut seen,
                merged,
                ..
            } => {
                for (key, tree) in merged.into_iter().flat_map(flat) {
                    if seen.insert(key.text.clone(), key.span.clone()).is_none() {
                        entries.push((key, tree));
                    }
                }
                Value::Map(entries)
            }
        };
        let tree = Tree {
            span: open.start..span.end.max(open.start),
            value,
        };
        // an anchored value is kept a second time
        let size = self.count - open.before;
        if open.anchor > 0 {
            self.grow(size, &tree.span)?;
        }
        self.anchor(open.anchor, &tree, size);
        self.add(tree)
    }

    /// Puts a value where it belongs: into the open list or mapping, or at the root.
    fn add(&mut self, tree: Tree) -> Result<(), Diagnostic> {
        let source = self.source;
        match self.open.last_mut().map(|o| &mut o.inside) {
            None => self.root = Some(tree),
            Some(Inside::List(list)) => list.push(tree),
            Some(Inside::Map {
                entries,
                seen,
                key,
                merged,
            }) => match key.take() {
                None => *key = Some(as_key(source, tree, seen)?),
                Some(k) if k.text == "<<" => merged.push(mergeable(source, tree)?),
                Some(k) => entries.push((k, tree)),
            },
        }
        Ok(())
    }
}

/// A value in the place of a key.
fn as_key(
    source: &Source,
    tree: Tree,
    seen: &mut HashMap<String, Span>,
) -> Result<Key, Diagnostic> {
    let Value::Scalar { text, .. } = tree.value else {
        return Err(Diagnostic::error("a key must be a word").at(source.at(tree.span)));
    };
    if let Some(first) = seen.insert(text.clone(), tree.span.clone()) {
        let (line, _) = source.line_column(first.start);
        return Err(Diagnostic::error(format!("`{text}` is given twice"))
            .at(source.at(tree.span))
            .help(format!("it is on line {line} already: remove one of them")));
    }
    Ok(Key {
        text,
        span: tree.span,
    })
}

/// What `<<` takes: a mapping or a list of mappings.
fn mergeable(source: &Source, tree: Tree) -> Result<Tree, Diagnostic> {
    let good = match &tree.value {
        Value::Map(_) => true,
        Value::List(list) => list.iter().all(|t| matches!(t.value, Value::Map(_))),
        Value::Scalar { .. } => false,
    };
    match good {
        true => Ok(tree),
        false => Err(
            Diagnostic::error("`<<` takes over the keys of mappings only")
                .at(source.at(tree.span))
                .help("name one by an alias, like `<<: *router`"),
        ),
    }
}

fn flat(tree: Tree) -> Vec<(Key, Tree)> {
    match tree.value {
        Value::Map(entries) => entries,
        Value::List(list) => list.into_iter().flat_map(flat).collect(),
        Value::Scalar { .. } => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Result<Tree, Diagnostic> {
        parse(&Source::new("t.yaml", text))
    }

    fn wrong(text: &str) -> (usize, usize) {
        let d = tree(text).unwrap_err();
        d.place.expect("a place").line_column()
    }

    #[test]
    fn everything_has_its_place() {
        let text = "é: 1\nb:\n  - x: 'y z'\n  - {k: v}\n";
        let t = tree(text).unwrap();
        let Value::List(list) = &t.get("b").unwrap().value else {
            panic!("no list");
        };
        let x = list[0].get("x").unwrap();
        assert_eq!(x.text(), Some("y z"));
        assert_eq!(&text[x.span.clone()], "'y z'");
        assert_eq!(&text[list[1].span.clone()], "{k: v}");
    }

    #[test]
    fn a_key_comes_once() {
        assert_eq!(wrong("a:\n  b: 1\n  c: 2\n  b: 3\n"), (4, 3));
        assert_eq!(wrong("? [a]\n: 1\n"), (1, 3));
        assert_eq!(wrong("a: 1\n---\nb: 2\n"), (2, 1));
    }

    #[test]
    fn nothing_is_nothing() {
        assert!(tree("").unwrap().is_null());
        assert!(tree("a:\n").unwrap().get("a").unwrap().is_null());
        assert!(!tree("a: ''\n").unwrap().get("a").unwrap().is_null());
    }

    #[test]
    fn aliases_and_merging() {
        let t = tree("a: &x {k: 1, l: 2}\nb:\n  <<: *x\n  k: 3\nc: *x\n").unwrap();
        assert_eq!(t.get("b").unwrap().get("k").unwrap().text(), Some("3"));
        assert_eq!(t.get("b").unwrap().get("l").unwrap().text(), Some("2"));
        assert_eq!(t.get("c").unwrap().get("k").unwrap().text(), Some("1"));
        assert!(tree("a: &x\n  b: *x\n").is_err());
    }

    #[test]
    fn a_bomb_is_no_bomb() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for i in 1..12 {
            let parts = vec![format!("*a{}", i - 1); 9].join(", ");
            text.push_str(&format!("a{i}: &a{i} [{parts}]\n"));
        }
        assert!(tree(&text).is_err());
        let long = format!(
            "a: &a {}\nb: [{}]\n",
            "x".repeat(64_000),
            "*a, ".repeat(1100)
        );
        assert!(tree(&long).is_err());
        assert!(tree(&"[".repeat(100_000)).is_err());
        assert!(tree(&"- ".repeat(100_000)).is_err());
    }
}
