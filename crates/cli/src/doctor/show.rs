//! The report as people read it.

use anstyle::{AnsiColor, Style};
use plan::size::Size;

use super::{Report, Row, State};

impl State {
    fn mark(self) -> (&'static str, AnsiColor) {
        match self {
            Self::Good => ("good", AnsiColor::Green),
            Self::Limited => ("limited", AnsiColor::Yellow),
            Self::Broken => ("broken", AnsiColor::Red),
        }
    }
}

impl Report {
    /// As a table; `color` for a terminal.
    pub(crate) fn text(&self, color: bool) -> String {
        let width = self.rows.iter().map(|r| r.what.len()).max().unwrap_or(0);
        let rows: String = self.rows.iter().map(|r| line(r, width, color)).collect();
        let who = if self.features.root { "root" } else { "a user" };
        let verdict = match self.usable() {
            true => "labs can run here",
            false => "labs cannot run here: see the lines marked `broken`",
        };
        format!(
            "Linux {}, as {who}\n\n{rows}\n{verdict}\n",
            self.features.release
        )
    }
}

fn line(row: &Row, width: usize, color: bool) -> String {
    let (mark, mark_color) = row.state.mark();
    let style = if color {
        mark_color.on_default()
    } else {
        Style::new()
    };
    let mut out = format!(
        "{style}{mark:<8}{style:#} {:<width$}  {}\n",
        row.what, row.result
    );
    let indent = " ".repeat(width + 11);
    for (label, text) in [("so", &row.consequence), ("mend", &row.mend)] {
        if let Some(text) = text {
            out.push_str(&format!("{indent}{label}: {text}\n"));
        }
    }
    out
}

/// A lab's size in a line.
pub(crate) fn size(size: &Size) -> String {
    format!(
        "{} nodes, {} interfaces: about {} MiB of memory, {} processes, {} open files, {} neighbour entries\n",
        size.nodes,
        size.interfaces,
        size.memory >> 20,
        size.processes,
        size.open_files,
        size.neighbours,
    )
}
