//! Tables: aligned columns under a line of titles, one row a line.

use crate::ui::Look;

/// A word in a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    text: String,
    look: Look,
}

impl Cell {
    /// A word in a look.
    pub(crate) fn new(text: impl Into<String>, look: Look) -> Self {
        Self {
            text: crate::ui::harmless(&text.into()),
            look,
        }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::new(text, Look::Plain)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::new(text, Look::Plain)
    }
}

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    titles: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// One with these titles and no rows.
    pub(crate) fn new<const N: usize>(titles: [&'static str; N]) -> Self {
        Self {
            titles: titles.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub(crate) fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.rows.push(cells.to_vec());
    }

    /// As text; columns that are empty in every row are left out.
    pub(crate) fn render(&self, color: bool) -> String {
        let shown: Vec<usize> = (0..self.titles.len())
            .filter(|c| self.is_used(*c))
            .collect();
        let widths: Vec<usize> = shown.iter().map(|c| self.width(*c)).collect();
        let titles = self.titles.iter().map(|t| Cell::new(*t, Look::Faint));
        let titles: Vec<Cell> = titles.collect();
        let mut out = String::new();
        for row in std::iter::once(&titles).chain(&self.rows) {
            let cells = shown.iter().map(|c| row.get(*c));
            out.push_str(&line(cells.zip(&widths), color));
        }
        out
    }

    fn is_used(&self, column: usize) -> bool {
        let used = |row: &Vec<Cell>| row.get(column).is_some_and(|c| !c.text.is_empty());
        self.rows.is_empty() || self.rows.iter().any(used)
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|r| r.get(column));
        let widest = cells.map(|c| c.text.chars().count()).max().unwrap_or(0);
        widest.max(self.titles[column].chars().count())
    }
}

fn line<'a>(cells: impl Iterator<Item = (Option<&'a Cell>, &'a usize)>, color: bool) -> String {
    let mut out = String::new();
    // spaces only before a word, so that no line ends in them
    let mut due = 0;
    for (cell, width) in cells {
        let cell = cell.cloned().unwrap_or_default();
        let length = cell.text.chars().count();
        if length > 0 {
            out.push_str(&" ".repeat(due));
            out.push_str(&cell.look.paint(&cell.text, color));
            due = 0;
        }
        due += width + 2 - length;
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut table = Table::new(["NODE", "STATE", "NOTE"]);
        table.row(["r1".into(), Cell::new("ready", Look::Good), "".into()]);
        table.row(["router-é".into(), "failed".into(), "".into()]);
        table
    }

    #[test]
    fn columns_stand_below_each_other() {
        assert_eq!(
            sample().render(false),
            "NODE      STATE\nr1        ready\nrouter-é  failed\n"
        );
    }

    #[test]
    fn colours_do_not_move_columns() {
        let text = sample().render(true);
        let bare: String = strip(&text);
        assert_eq!(bare, sample().render(false));
    }

    #[test]
    fn gaps_are_kept_and_line_ends_are_clean() {
        let mut table = Table::new(["A", "B", "C"]);
        table.row(["1".into(), "".into(), "3".into()]);
        table.row(["1".into(), "2".into(), "".into()]);
        assert_eq!(table.render(false), "A  B  C\n1     3\n1  2\n");
    }

    #[test]
    fn a_hostile_name_cannot_drive_the_terminal() {
        let mut table = Table::new(["NODE"]);
        table.row(["\x1b]0;x\x07".into()]);
        assert!(!table.render(true).contains('\x07'));
    }

    fn strip(text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('\x1b') {
            out.push_str(&rest[..at]);
            rest = rest[at..].split_once('m').unwrap().1;
        }
        out + rest
    }
}
