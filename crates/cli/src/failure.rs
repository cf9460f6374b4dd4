//! Why a verb failed: for people a message and its mend, for the shell an exit status.

use std::fmt;

use diag::Diagnostics;
use supervisor::{StartError, client, place};

/// Exit status: a check or the lab failed.
pub(crate) const FAILED: u8 = 1;
/// Exit status: bad input or usage.
pub(crate) const USAGE: u8 = 2;
/// Exit status of `exec` and `shell` when the command could not be run for Telaio's own reasons.
pub(crate) const EXEC: u8 = 125;

/// What a verb ends with when all went well enough to have no message: an exit status.
pub(crate) type Outcome = Result<u8, Failure>;

/// Why a verb failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Exit status.
    pub(crate) status: u8,
    /// What is wrong, in one line or a few.
    pub(crate) message: String,
    /// How to mend it.
    pub(crate) help: Option<String>,
    /// Mistakes in a file; then `message` only sums them up.
    pub(crate) diagnostics: Diagnostics,
}

impl Failure {
    /// Bad input or usage.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(USAGE, message)
    }

    /// Something that should have worked did not.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(FAILED, message)
    }

    fn new(status: u8, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            help: None,
            diagnostics: Diagnostics::new(),
        }
    }

    /// Mistakes in a file.
    pub(crate) fn mistakes(message: impl Into<String>, diagnostics: Diagnostics) -> Self {
        Self {
            diagnostics,
            ..Self::usage(message)
        }
    }

    /// Says how to mend it.
    #[must_use]
    pub(crate) fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Says how to mend it, where that is known.
    #[must_use]
    pub(crate) fn help_opt(mut self, text: Option<String>) -> Self {
        self.help = text.or(self.help);
        self
    }

    /// Ends with another status.
    #[must_use]
    pub(crate) fn status(mut self, status: u8) -> Self {
        self.status = status;
        self
    }

    /// An error of the system's, with what was tried on what.
    pub(crate) fn io(doing: &str, what: impl fmt::Display, error: &std::io::Error) -> Self {
        Self::failed(format!("{doing} {what}: {}", reason(error)))
    }

    /// As JSON for programs.
    pub(crate) fn json(&self) -> serde_json::Value {
        let mut out = serde_json::json!({ "error": self.message, "status": self.status });
        if let Some(help) = &self.help {
            out["help"] = help.as_str().into();
        }
        if !self.diagnostics.is_empty() {
            out["diagnostics"] = self.diagnostics.to_json();
        }
        out
    }
}

/// An error's reason as words, without the number that the system has for it.
pub(crate) fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error")
        .next()
        .unwrap_or(&text)
        .to_lowercase()
}

impl From<client::Error> for Failure {
    fn from(e: client::Error) -> Self {
        use client::Error as E;
        let status = match &e {
            E::Refused { .. } | E::Version { .. } | E::Forbidden(_) => USAGE,
            E::NotStarted { status, .. } => u8::try_from(*status).unwrap_or(EXEC),
            E::Gone(_) | E::Nonsense { .. } | E::Io { .. } => FAILED,
        };
        Self::new(status, e.to_string()).help_opt(e.help())
    }
}

impl From<place::Error> for Failure {
    fn from(e: place::Error) -> Self {
        Self::usage(e.to_string()).help_opt(e.help())
    }
}

impl From<StartError> for Failure {
    fn from(e: StartError) -> Self {
        Self::usage(e.message).help_opt(e.help)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bare_codes() {
        let error = std::io::Error::from_raw_os_error(13);
        let failure = Failure::io("reading", "/x", &error);
        assert_eq!(failure.message, "reading /x: permission denied");
    }

    #[test]
    fn json_has_what_there_is() {
        let json = Failure::usage("no").help("so").json();
        assert_eq!(
            json,
            serde_json::json!({"error": "no", "status": 2, "help": "so"})
        );
    }
}
