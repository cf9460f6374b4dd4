//! What is to be said about patterns, in Click's words.

use std::fmt;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The patterns are used as they were understood.
    Warning,
    /// The patterns cannot be used.
    Error,
}

/// A message about patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// How bad it is.
    pub severity: Severity,
    /// Which pattern it is about, with a colon and a blank; nothing if about none.
    pub about: String,
    /// The text, without a mark of its severity.
    pub text: String,
}

/// As Click prints it: warnings are marked.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.severity == Severity::Warning {
            "warning: "
        } else {
            ""
        };
        write!(f, "{}{mark}{}", self.about, self.text)
    }
}

/// Messages collected.
#[derive(Debug, Default)]
pub(super) struct Messages {
    about: String,
    list: Vec<Message>,
}

impl Messages {
    /// The messages to come are about a pattern.
    pub(super) fn about(&mut self, pattern: usize) {
        self.about = format!("pattern {pattern}: ");
    }

    /// The messages to come are about no pattern.
    pub(super) fn about_all(&mut self) {
        self.about.clear();
    }

    pub(super) fn error(&mut self, text: impl fmt::Display) {
        self.push(Severity::Error, text);
    }

    pub(super) fn warning(&mut self, text: impl fmt::Display) {
        self.push(Severity::Warning, text);
    }

    fn push(&mut self, severity: Severity, text: impl fmt::Display) {
        let (about, text) = (self.about.clone(), text.to_string());
        self.list.push(Message {
            severity,
            about,
            text,
        });
    }

    pub(super) fn has_errors(&self) -> bool {
        self.list
            .iter()
            .any(|message| message.severity == Severity::Error)
    }

    pub(super) fn into_list(self) -> Vec<Message> {
        self.list
    }
}
