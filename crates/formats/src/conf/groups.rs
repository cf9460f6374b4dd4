//! Warnings that would come once for every machine: one of each kind, naming the machines.

use diag::{Diagnostic, Diagnostics, Place};
use indexmap::IndexMap;

/// Collected warnings.
#[derive(Default)]
pub(super) struct Groups {
    groups: IndexMap<String, Group>,
}

struct Group {
    note: bool,
    help: String,
    place: Option<Place>,
    names: Vec<String>,
}

impl Groups {
    /// Something about a machine that is not as its author may think.
    pub(super) fn warn(
        &mut self,
        text: impl Into<String>,
        help: &str,
        name: &str,
        place: impl Into<Option<Place>>,
    ) {
        self.add(false, text.into(), help, name, place.into());
    }

    /// Something about a machine that is worth knowing.
    pub(super) fn note(
        &mut self,
        text: impl Into<String>,
        help: &str,
        name: &str,
        place: impl Into<Option<Place>>,
    ) {
        self.add(true, text.into(), help, name, place.into());
    }

    fn add(&mut self, note: bool, text: String, help: &str, name: &str, place: Option<Place>) {
        let group = self.groups.entry(text).or_insert_with(|| Group {
            note,
            help: help.to_string(),
            place,
            names: Vec::new(),
        });
        if !name.is_empty() && group.names.last().is_none_or(|last| last != name) {
            group.names.push(name.to_string());
        }
    }

    /// The warnings in the order in which their kinds came up.
    pub(super) fn into_diagnostics(self) -> Diagnostics {
        let mut out = Diagnostics::new();
        for (text, group) in self.groups {
            let text = match group.names.is_empty() {
                true => text,
                false => format!("{text}: {}", some_of(&group.names)),
            };
            let diagnostic = match group.note {
                true => Diagnostic::note(text),
                false => Diagnostic::warning(text),
            };
            let diagnostic = diagnostic.at_opt(group.place);
            out.push(match group.help.is_empty() {
                true => diagnostic,
                false => diagnostic.help(group.help),
            });
        }
        out
    }
}

/// The first names of a list, and how many more there are.
fn some_of(names: &[String]) -> String {
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut seen = std::collections::HashSet::new();
    names.retain(|n| seen.insert(*n));
    match names.len() {
        0..=6 => names.join(", "),
        n => format!("{} and {} more", names[..5].join(", "), n - 5),
    }
}
