//! The native language, `telaio.yaml`: the model's own form with a few short forms
//! ([`shorthand`]) and `defaults`, which every node begins with.

mod check;
mod checks;
mod de;
mod emit;
mod schema;
mod shorthand;
mod write;

use std::path::Path;

use diag::yaml::{Key, Tree, Value};
use diag::{Diagnostic, Diagnostics, Place, Source};
use lab::{Lab, Node};
use serde::de::DeserializeOwned;

pub use checks::{CheckFile, is_check_file, read_checks};
pub(crate) use schema::schema;
pub(crate) use write::to_yaml;

use crate::folder::Folder;
use crate::nearest::nearest;
use crate::{Dialect, Parsed};

/// The keys of a lab.
const KEYS: [&str; 9] = [
    "telaio", "name", "info", "profile", "defaults", "nodes", "segments", "links", "checks",
];

/// Reads a native file in a folder.
pub(crate) fn read(folder: &Folder, file: &Path) -> Result<Parsed, Diagnostics> {
    let source = folder.source(file)?.ok_or_else(|| {
        let shown = folder.shown(file);
        Diagnostic::error(format!("there is no `{}`", shown.display()))
    })?;
    let mut parsed = parse(&source)?;
    if parsed.lab.name.is_empty() {
        let stem = file
            .file_stem()
            .and_then(|s| s.to_str())
            .unwrap_or_default();
        parsed.lab.name = match crate::names::tame(stem).as_str() {
            "" | "telaio" => crate::names::of_folder(folder.path()),
            stem => stem.to_string(),
        };
    }
    Ok(parsed)
}

/// Reads a native text; all mistakes are collected.
pub(crate) fn parse(source: &Source) -> Result<Parsed, Diagnostics> {
    let mut tree = diag::yaml::parse(source)?;
    let mut reader = Reader {
        source,
        lab: Lab::default(),
        out: Diagnostics::new(),
    };
    reader.lab(&mut tree);
    if reader.out.has_errors() {
        return Err(reader.out);
    }
    let root = source.clone();
    Ok(Parsed {
        lab: reader.lab,
        dialect: Dialect::Telaio,
        diagnostics: reader.out,
        locate: Box::new(move |path| locate(&root, &tree, path)),
    })
}

struct Reader<'a> {
    source: &'a Source,
    lab: Lab,
    out: Diagnostics,
}

impl Reader<'_> {
    fn lab(&mut self, tree: &mut Tree) {
        let source = self.source;
        let Value::Map(entries) = &mut tree.value else {
            let place = source.at(de::mark(source, tree));
            let bad = Diagnostic::error("a lab is a mapping").at(place);
            return self.out.push(bad.help("begin with `telaio: 1`"));
        };
        self.version(entries);
        let at = entries.iter().position(|(k, _)| k.text == "defaults");
        let mut defaults = at.map(|i| entries[i].1.clone());
        if let Some(tree) = &mut defaults {
            shorthand::node(tree);
            if self.value::<Node>("defaults", tree).is_none() {
                defaults = None;
            }
        }
        for (key, value) in entries {
            match key.text.as_str() {
                "telaio" => self.lab.telaio = 1,
                "name" => self.lab.name = self.value("name", value).unwrap_or_default(),
                "info" => self.lab.info = self.value("info", value).unwrap_or_default(),
                "profile" => self.lab.profile = self.value("profile", value).unwrap_or_default(),
                "nodes" => self.nodes(value, defaults.as_ref()),
                "segments" => self.segments(value),
                "links" => {
                    self.lab.links = self.list(value, "links", |r, tree| r.value("links", tree));
                }
                "checks" => {
                    self.lab.checks = self.list(value, "checks", |r, tree| {
                        let check = check::read(source, tree);
                        check.map_err(|d| r.out.push(d)).ok()
                    });
                }
                "defaults" => {}
                other => self.unknown(other, key),
            }
        }
        if let Some(checks) = tree.get("checks") {
            self.out.append(check::odd_names(source, checks, &self.lab));
        }
    }

    fn version(&mut self, entries: &[(Key, Tree)]) {
        let version = entries.iter().find(|(k, _)| k.text == "telaio");
        let (place, text) = match version.map(|(_, v)| (v, v.text())) {
            Some((_, Some("1"))) => return,
            Some((tree, text)) => {
                let text = text.unwrap_or_default();
                (
                    tree.span.clone(),
                    format!("version `{text}` of this language is not known"),
                )
            }
            None => (0..0, "the version of the language is missing".into()),
        };
        let wrong = Diagnostic::error(text).at(self.source.at(place));
        self.out.push(wrong.help("write `telaio: 1`"));
    }

    fn unknown(&mut self, word: &str, key: &Key) {
        let help = match nearest(word, KEYS) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", KEYS.join(", ")),
        };
        let unknown = Diagnostic::error(format!("unknown key `{word}`"));
        let place = self.source.at(key.span.clone());
        self.out.push(unknown.at(place).help(help));
    }

    fn value<T: DeserializeOwned>(&mut self, key: &str, tree: &Tree) -> Option<T> {
        let value = de::from_tree(self.source, key, tree);
        value.map_err(|d| self.out.push(d)).ok()
    }

    fn list<T>(
        &mut self,
        tree: &Tree,
        key: &str,
        read: impl Fn(&mut Self, &Tree) -> Option<T>,
    ) -> Vec<T> {
        match &tree.value {
            Value::List(list) => list.iter().filter_map(|tree| read(self, tree)).collect(),
            _ if tree.is_null() => Vec::new(),
            _ => {
                let place = self.source.at(de::mark(self.source, tree));
                self.out
                    .push(Diagnostic::error(format!("`{key}` is a list")).at(place));
                Vec::new()
            }
        }
    }

    fn entries<'t>(&mut self, tree: &'t mut Tree, key: &str) -> &'t mut [(Key, Tree)] {
        if !matches!(tree.value, Value::Map(_)) && !tree.is_null() {
            let place = self.source.at(de::mark(self.source, tree));
            let wrong = Diagnostic::error(format!("`{key}` is a mapping")).at(place);
            self.out
                .push(wrong.help("write `NAME:` and below it what belongs to it"));
        }
        match &mut tree.value {
            Value::Map(entries) => entries,
            _ => &mut [],
        }
    }

    fn nodes(&mut self, tree: &mut Tree, defaults: Option<&Tree>) {
        for (key, value) in self.entries(tree, "nodes") {
            shorthand::node(value);
            if let Some(defaults) = defaults {
                shorthand::inherit(value, defaults);
            }
            if let Some(node) = self.value::<Node>(&key.text, value) {
                self.lab.nodes.insert(key.text.clone(), node);
            }
        }
    }

    fn segments(&mut self, tree: &mut Tree) {
        for (key, value) in self.entries(tree, "segments") {
            shorthand::segment(value);
            if let Some(segment) = self.value(&key.text, value) {
                self.lab.segments.insert(key.text.clone(), segment);
            }
        }
    }
}

/// The place of something in a lab: of its value where that is short, else of its key, else of
/// the nearest thing that it belongs to.
fn locate(source: &Source, root: &Tree, path: &[&str]) -> Option<Place> {
    let mut tree = root;
    let mut span = None;
    for step in path {
        let next = match &tree.value {
            Value::Map(entries) => entries
                .iter()
                .find(|(key, _)| key.text == *step)
                .map(|(key, value)| (Some(key), value)),
            Value::List(list) => step
                .parse()
                .ok()
                .and_then(|i: usize| list.get(i))
                .map(|v| (None, v)),
            Value::Scalar { .. } => None,
        };
        let Some((key, value)) = next else { break };
        span = Some(match (key, value.text()) {
            (Some(key), None) => key.span.clone(),
            _ => de::mark(source, value),
        });
        tree = value;
    }
    span.map(|span| source.at(span))
}
