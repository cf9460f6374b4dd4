//! Input texts and places in them.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// A range of bytes in a source.
pub type Span = Range<usize>;

/// A named input text; cheap to clone.
#[derive(Clone, Debug)]
pub struct Source(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: String,
    text: String,
}

/// A span of a source.
#[derive(Clone, Debug)]
pub struct Place {
    /// The text that the place is in.
    pub source: Source,
    /// The bytes of it.
    pub span: Span,
}

impl Source {
    /// A source from its name (as messages show it) and text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            name: name.into(),
            text: text.into(),
        }))
    }

    /// Reads a file as text: a byte-order mark is dropped, bytes that are not UTF-8 become the
    /// replacement character. Line ends stay as they are.
    pub fn read(path: &Path) -> std::io::Result<Self> {
        let bytes = std::fs::read(path)?;
        let text = String::from_utf8_lossy(&bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        Ok(Self::new(path.display().to_string(), text))
    }

    /// The name that messages show.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// A place in this source; the span is cut to the text's length and to whole characters.
    pub fn at(&self, span: Span) -> Place {
        let cut = |mut i: usize| {
            i = i.min(self.text().len());
            while !self.text().is_char_boundary(i) {
                i -= 1;
            }
            i
        };
        let (start, end) = (cut(span.start), cut(span.end));
        Place {
            source: self.clone(),
            span: start..end.max(start),
        }
    }

    /// Line and column of a byte offset, both from 1, the column in characters.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let before = &self.text()[..self.at(offset..offset).span.start];
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |i| i + 1);
        (line, before[start..].chars().count() + 1)
    }

    /// Byte offset of a line and column (both from 1, the column in characters), cut to the
    /// text's length.
    pub fn offset(&self, line: usize, column: usize) -> usize {
        let start: usize = self
            .text()
            .split_inclusive('\n')
            .take(line.saturating_sub(1))
            .map(str::len)
            .sum();
        self.text()[start..]
            .char_indices()
            .nth(column.saturating_sub(1))
            .map_or(self.text().len(), |(i, _)| start + i)
    }
}

impl Place {
    /// Line and column where it starts, both from 1.
    pub fn line_column(&self) -> (usize, usize) {
        self.source.line_column(self.span.start)
    }

    /// The text that it covers.
    pub fn text(&self) -> &str {
        &self.source.text()[self.span.clone()]
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (line, column) = self.line_column();
        write!(f, "{}:{line}:{column}", self.source.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_go_both_ways() {
        let s = Source::new("x", "ab\nçd\n");
        assert_eq!(s.line_column(0), (1, 1));
        assert_eq!(s.line_column(5), (2, 2));
        assert_eq!(s.offset(2, 2), 5);
        assert_eq!(s.offset(9, 9), s.text().len());
    }

    #[test]
    fn spans_are_cut_to_whole_characters() {
        let s = Source::new("x", "aç");
        assert_eq!(s.at(2..99).span, 1..3);
    }
}
