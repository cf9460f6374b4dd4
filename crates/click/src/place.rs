//! Places in configurations as Click names them (`file:line`), and the errors found there.

use std::fmt;
use std::sync::Arc;

use diag::{Diagnostic, Diagnostics, Level, Place, Source};

/// A place in a configuration: the file and line that a message names (line directives may have
/// changed both), and the text itself for a caret.
#[derive(Clone, Debug)]
pub struct Landmark {
    /// File name as Click prints it.
    pub file: Arc<str>,
    /// Line, counted from 1.
    pub line: usize,
    /// The text that is meant.
    pub place: Place,
}

impl Landmark {
    /// The beginning of a text that has no better place.
    pub fn start_of(source: &Source) -> Self {
        Self {
            file: source.name().into(),
            line: 1,
            place: source.at(0..0),
        }
    }
}

impl fmt::Display for Landmark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// One thing that is wrong in a configuration.
#[derive(Clone, Debug)]
pub struct Problem {
    /// How bad it is; notes belong to the error before them.
    pub level: Level,
    /// Where.
    pub landmark: Landmark,
    /// What, in Click's words.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let warning = if self.level == Level::Warning {
            "warning: "
        } else {
            ""
        };
        write!(f, "{}: {warning}{}", self.landmark, self.message)
    }
}

/// All that is wrong in a configuration, in the order it was found. Displayed as Click prints it,
/// one line each.
#[derive(Clone, Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an error.
    pub fn error(&mut self, landmark: &Landmark, message: impl Into<String>) {
        self.push(Level::Error, landmark, message);
    }

    /// Adds a note about the error before.
    pub fn note(&mut self, landmark: &Landmark, message: impl Into<String>) {
        self.push(Level::Note, landmark, message);
    }

    fn push(&mut self, level: Level, landmark: &Landmark, message: impl Into<String>) {
        self.0.push(Problem {
            level,
            landmark: landmark.clone(),
            message: message.into(),
        });
    }

    /// Whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|p| p.level == Level::Error)
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes over all of another list.
    pub fn append(&mut self, mut other: Problems) {
        self.0.append(&mut other.0);
    }

    /// For people: with the text and a caret under it.
    pub fn diagnostics(&self) -> Diagnostics {
        let mut list = Diagnostics::new();
        for problem in &self.0 {
            let mut diagnostic = match problem.level {
                Level::Error => Diagnostic::error(&problem.message),
                Level::Warning => Diagnostic::warning(&problem.message),
                Level::Note => Diagnostic::note(&problem.message),
            };
            diagnostic = diagnostic.at(problem.landmark.place.clone());
            list.push(diagnostic);
        }
        list
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|p| writeln!(f, "{p}"))
    }
}

impl std::error::Error for Problems {}
