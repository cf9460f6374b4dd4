//! A file of checks that stands by itself: what a lab, written elsewhere, must show.

use std::path::PathBuf;

use diag::yaml::{Tree, Value};
use diag::{Diagnostic, Diagnostics, Source};
use lab::Check;
use serde::de::DeserializeOwned;

use super::check;
use super::de::{from_tree, mark};
use crate::nearest::nearest;

/// The keys of such a file.
const KEYS: [&str; 4] = ["lab", "tools", "refused", "checks"];

/// A file of checks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CheckFile {
    /// The lab that they are about, relative to the file's folder; none: whichever runs.
    pub lab: Option<PathBuf>,
    /// Packages that the lab's nodes need.
    pub tools: Vec<String>,
    /// The kernel feature for whose lack the lab is to be refused, where a host lacks it.
    pub refused: Option<String>,
    /// The checks.
    pub checks: Vec<Check>,
}

/// Whether a text is such a file: a mapping with `checks`, and no lab of the native language.
pub fn is_check_file(source: &Source) -> bool {
    let Ok(tree) = diag::yaml::parse(source) else {
        return false;
    };
    let is_lab = tree.get("nodes").is_some() || tree.get("telaio").is_some();
    !is_lab && (tree.get("checks").is_some() || tree.get("refused").is_some())
}

/// Reads such a file; all mistakes are collected.
pub fn read_checks(source: &Source) -> Result<CheckFile, Diagnostics> {
    let tree = diag::yaml::parse(source)?;
    let Value::Map(entries) = &tree.value else {
        let place = source.at(mark(source, &tree));
        return Err(Diagnostic::error("a file of checks is a mapping")
            .at(place)
            .into());
    };
    let mut file = CheckFile::default();
    let mut out = Diagnostics::new();
    for (key, value) in entries {
        match key.text.as_str() {
            "lab" => file.lab = read_value(source, "lab", value, &mut out),
            "tools" => {
                file.tools = read_value(source, "tools", value, &mut out).unwrap_or_default()
            }
            "refused" => file.refused = read_value(source, "refused", value, &mut out),
            "checks" => file.checks = list(source, value, &mut out),
            other => {
                let help = nearest(other, KEYS).map_or_else(
                    || format!("known keys: {}", KEYS.join(", ")),
                    |key| format!("did you mean `{key}`?"),
                );
                let place = source.at(key.span.clone());
                out.push(
                    Diagnostic::error(format!("unknown key `{other}`"))
                        .at(place)
                        .help(help),
                );
            }
        }
    }
    if out.has_errors() { Err(out) } else { Ok(file) }
}

fn read_value<T: DeserializeOwned>(
    source: &Source,
    key: &str,
    tree: &Tree,
    out: &mut Diagnostics,
) -> Option<T> {
    from_tree(source, key, tree).map_err(|d| out.push(d)).ok()
}

fn list(source: &Source, tree: &Tree, out: &mut Diagnostics) -> Vec<Check> {
    let Value::List(items) = &tree.value else {
        let place = source.at(mark(source, tree));
        out.push(
            Diagnostic::error("`checks` is a list")
                .at(place)
                .help("begin each with `- `"),
        );
        return Vec::new();
    };
    let read = items
        .iter()
        .filter_map(|item| check::read(source, item).map_err(|d| out.push(d)).ok());
    read.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_file_is_read() {
        let text =
            "lab: labs/a\ntools: [frr]\nchecks:\n  - reaches: {from: a, to: b}\n    within: 5\n";
        let source = Source::new("c.yaml", text);
        assert!(is_check_file(&source));
        let file = read_checks(&source).unwrap();
        assert_eq!(file.lab, Some("labs/a".into()));
        assert_eq!(file.tools, ["frr"]);
        assert_eq!(file.checks[0].within, Some(5.0));
    }

    #[test]
    fn mistakes_have_their_places() {
        let source = Source::new("c.yaml", "chekcs: []\nchecks:\n  - reachez: {from: a}\n");
        let list = read_checks(&source).unwrap_err();
        let lines: Vec<usize> = list
            .iter()
            .filter_map(|d| Some(d.place.as_ref()?.line_column().0))
            .collect();
        assert_eq!(lines, [1, 3]);
    }
}
