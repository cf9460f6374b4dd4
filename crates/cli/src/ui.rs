//! What people see: text on standard output and error, colours only on a terminal, and no noise
//! when whoever reads has gone.

use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use anstyle::{AnsiColor, Style};

/// Writes to standard output. When nobody reads it any longer, this process ends quietly.
pub(crate) fn out(text: &str) {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    if let Err(e) = written {
        gone(&e);
    }
}

/// Writes a line to standard output.
pub(crate) fn line(text: &str) {
    out(&format!("{text}\n"));
}

/// Writes a document for programs to standard output.
pub(crate) fn json(value: &impl serde::Serialize) {
    let text = serde_json::to_string_pretty(value);
    line(&text.unwrap_or_else(|e| format!("{{\"error\": \"{e}\"}}")));
}

/// Writes to standard error; what cannot be said is not said.
pub(crate) fn err(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Ends this process after a failed write to standard output: quietly, if the reader has gone.
pub(crate) fn gone(error: &io::Error) -> ! {
    crate::terminal::restore();
    if error.kind() == io::ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
    err(&format!(
        "error: standard output cannot be written: {}\n",
        crate::failure::reason(error)
    ));
    std::process::exit(1);
}

/// Whether standard output gets colours.
pub(crate) fn color() -> bool {
    static COLOR: OnceLock<bool> = OnceLock::new();
    *COLOR.get_or_init(|| wants_color(io::stdout().is_terminal()))
}

/// Whether standard error gets colours.
pub(crate) fn err_color() -> bool {
    static COLOR: OnceLock<bool> = OnceLock::new();
    *COLOR.get_or_init(|| wants_color(io::stderr().is_terminal()))
}

/// `NO_COLOR` (no-color.org) and a `dumb` terminal want none.
fn wants_color(terminal: bool) -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    terminal && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|t| t != "dumb")
}

/// How a word is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Look {
    /// As it is.
    #[default]
    Plain,
    /// Well.
    Good,
    /// Not yet, or not quite.
    Busy,
    /// Not well.
    Bad,
    /// Less important.
    Faint,
    /// More important.
    Strong,
}

impl Look {
    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Busy => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Faint => Style::new().dimmed(),
            Self::Strong => Style::new().bold(),
        }
    }

    /// A text in this look, if there are colours.
    pub(crate) fn paint(self, text: &str, color: bool) -> String {
        if !color || self == Self::Plain || text.is_empty() {
            return text.into();
        }
        let style = self.style();
        format!("{style}{text}{style:#}")
    }
}

/// A problem on standard error, as compilers say it.
pub(crate) fn error(message: &str, help: Option<&str>) {
    say_problem("error", Look::Bad, message, help);
}

/// A warning on standard error.
pub(crate) fn warning(message: &str, help: Option<&str>) {
    say_problem("warning", Look::Busy, message, help);
}

fn say_problem(word: &str, look: Look, message: &str, help: Option<&str>) {
    let color = err_color();
    let mut text = format!("{} {message}\n", look.paint(&format!("{word}:"), color));
    if let Some(help) = help {
        text.push_str(&format!(
            "{} {help}\n",
            Look::Strong.paint("  help:", color)
        ));
    }
    err(&text);
}

/// Text of a lab's own, made harmless for a terminal: control characters, with which a node
/// could move the cursor or worse, are shown as such.
pub(crate) fn harmless(text: &str) -> String {
    let show = |c: char| match c {
        '\t' => "    ".into(),
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    };
    text.chars().map(show).collect()
}

/// A number of things: `1 node`, `3 nodes`.
pub(crate) fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_not_sent() {
        assert_eq!(harmless("a\x1b[2Jb\tc\n"), "a\\u{1b}[2Jb    c\\n");
    }

    #[test]
    fn plain_output_has_no_escapes() {
        assert_eq!(Look::Bad.paint("x", false), "x");
        assert!(Look::Bad.paint("x", true).contains('\x1b'));
        assert_eq!(
            (count(1, "node"), count(0, "node")),
            ("1 node".into(), "0 nodes".into())
        );
    }
}
