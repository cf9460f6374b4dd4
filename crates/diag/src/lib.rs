//! Diagnostics: what is wrong in an input, where, and how to mend it.
//!
//! A reader loads each input into a [`Source`], collects [`Diagnostic`]s in a [`Diagnostics`]
//! list while it goes on reading, and the command line renders them for a terminal
//! ([`Diagnostics::render`]) or as JSON ([`Diagnostics::to_json`]). Not for logging (that is
//! `tracing`) and not for errors of the running system (those are each crate's error enums).

mod render;
mod source;
pub mod yaml;

pub use source::{Place, Source, Span};

use serde::Serialize;

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something worth knowing, nothing is wrong.
    Note,
    /// The input is used, but something in it is not honoured or looks wrong.
    Warning,
    /// The input cannot be used.
    Error,
}

/// One message about an input, with its place and its mend.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// How bad it is.
    pub level: Level,
    /// What is wrong, in one line without a final full stop.
    pub message: String,
    /// Where, when it has a place in a file.
    pub place: Option<Place>,
    /// A few words shown under the marked text.
    pub label: Option<String>,
    /// How to mend it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A new error.
    pub fn error(message: impl Into<String>) -> Self {
        Self::new(Level::Error, message)
    }

    /// A new warning.
    pub fn warning(message: impl Into<String>) -> Self {
        Self::new(Level::Warning, message)
    }

    /// A new note.
    pub fn note(message: impl Into<String>) -> Self {
        Self::new(Level::Note, message)
    }

    fn new(level: Level, message: impl Into<String>) -> Self {
        Self {
            level,
            message: message.into(),
            place: None,
            label: None,
            help: None,
        }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Says where, if that is known.
    #[must_use]
    pub fn at_opt(mut self, place: Option<Place>) -> Self {
        self.place = place.or(self.place);
        self
    }

    /// Adds words under the marked text.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.label = Some(text.into());
        self
    }

    /// Says how to mend it.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }
}

/// The diagnostics that one job collected, in the order they were found.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    /// Takes over all of another list.
    pub fn append(&mut self, mut other: Diagnostics) {
        self.list.append(&mut other.list);
    }

    /// Whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|d| d.level == Level::Error)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All of them, in the order they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// Those of one level, in the order they were found.
    pub fn of(&self, level: Level) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter().filter(move |d| d.level == level)
    }

    /// All of them as people read them; `color` for a terminal.
    pub fn render(&self, color: bool) -> String {
        self.list.iter().map(|d| render::render(d, color)).collect()
    }

    /// All of them as a JSON array of `{level, message, file, line, column, end_line,
    /// end_column, help}`; lines and columns count from 1, columns in characters.
    pub fn to_json(&self) -> serde_json::Value {
        self.list.iter().map(render::json).collect()
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(d: Diagnostic) -> Self {
        Self { list: vec![d] }
    }
}

impl std::fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Diagnostics {
        let source = Source::new("lab.conf", "r1[0]=A\nr1[zero]=B\n");
        let mut list = Diagnostics::new();
        list.push(
            Diagnostic::error("bad interface number `zero`")
                .at(source.at(11..15))
                .label("not a number")
                .help("write `r1[1]=B`"),
        );
        list
    }

    #[test]
    fn renders_file_line_column_and_help() {
        let text = sample().render(false);
        assert!(
            text.contains("error: bad interface number `zero`"),
            "{text}"
        );
        assert!(text.contains("lab.conf:2:4"), "{text}");
        assert!(text.contains("r1[zero]=B"), "{text}");
        assert!(text.contains("help: write `r1[1]=B`"), "{text}");
    }

    #[test]
    fn json_counts_from_one() {
        let json = sample().to_json();
        assert_eq!(json[0]["line"], 2);
        assert_eq!(json[0]["column"], 4);
        assert_eq!(json[0]["end_column"], 8);
        assert_eq!(json[0]["level"], "error");
    }

    #[test]
    fn a_warning_is_no_error() {
        let list = Diagnostics::from(Diagnostic::warning("odd"));
        assert!(!list.has_errors());
        assert_eq!(list.render(false).trim(), "warning: odd");
    }
}
