//! Words: quotes, variables, substitutions.

use diag::Span;

use super::parser::Parser;
use super::{Variables, Word};

/// A word while it is read.
#[derive(Default)]
struct Draft {
    text: Vec<u8>,
    inexact: bool,
}

impl Parser<'_, '_> {
    /// The word that begins here; none where no word begins.
    pub(super) fn word(&mut self) -> Option<Word> {
        let start = self.at;
        let mut draft = Draft::default();
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')' => {
                    break;
                }
                b'\'' => self.single(&mut draft),
                b'"' => self.double(&mut draft),
                _ => self.part(&mut draft),
            }
        }
        (self.at > start).then(|| draft.finish(start..self.at))
    }

    fn single(&mut self, draft: &mut Draft) {
        self.at += 1;
        let end = self.find(b'\'');
        draft.text.extend_from_slice(self.slice(self.at, end));
        self.at = (end + 1).min(self.end);
    }

    fn double(&mut self, draft: &mut Draft) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            if byte == b'"' {
                self.at += 1;
                return;
            }
            self.part(draft);
        }
    }

    /// One character, escaped character, or expansion.
    fn part(&mut self, draft: &mut Draft) {
        match self.peek() {
            Some(b'\\') => {
                self.at += 1;
                match self.peek() {
                    Some(b'\n') | None => {}
                    Some(byte) => draft.text.push(byte),
                }
                self.at = (self.at + 1).min(self.end);
            }
            Some(b'$') => self.dollar(draft),
            Some(b'`') => {
                draft.inexact = true;
                let start = self.at + 1;
                self.at = start;
                let end = self.find(b'`');
                self.inner(start..end);
                self.at = (end + 1).min(self.end);
            }
            Some(byte) => {
                draft.text.push(byte);
                self.at += 1;
            }
            None => {}
        }
    }

    fn dollar(&mut self, draft: &mut Draft) {
        self.at += 1;
        match self.peek() {
            Some(b'(') if self.looking_at("((") => {
                draft.inexact = true;
                self.at = self.closing(self.at, b'(', b')');
            }
            Some(b'(') => {
                draft.inexact = true;
                let end = self.closing(self.at, b'(', b')');
                self.inner(self.at + 1..end.saturating_sub(1).max(self.at + 1));
                self.at = end;
            }
            Some(b'{') => {
                let end = self.closing(self.at, b'{', b'}');
                let inside = self.slice(self.at + 1, end.saturating_sub(1));
                let name = String::from_utf8_lossy(inside).into_owned();
                self.at = end;
                draft.fill(self.variables, &name);
            }
            Some(b) if b.is_ascii_alphabetic() || b == b'_' => {
                let start = self.at;
                while self
                    .peek()
                    .is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_')
                {
                    self.at += 1;
                }
                let name = String::from_utf8_lossy(self.slice(start, self.at)).into_owned();
                draft.fill(self.variables, &name);
            }
            Some(b'\'' | b'"') => {}
            Some(b) if b.is_ascii_graphic() => {
                draft.inexact = true;
                self.at += 1;
            }
            _ => draft.text.push(b'$'),
        }
    }

    /// Where what opens at `from` is closed (behind the closing character), else the end.
    fn closing(&mut self, from: usize, open: u8, close: u8) -> usize {
        let mut depth = 0usize;
        let mut at = from;
        let mut quote = None;
        let bytes = self.text.as_bytes();
        while at < self.end {
            let byte = bytes[at];
            match quote {
                _ if byte == b'\\' => at += 1,
                Some(q) if byte == q => quote = None,
                Some(_) => {}
                None if byte == b'\'' || byte == b'"' => quote = Some(byte),
                None if byte == open => depth += 1,
                None if byte == close => depth -= 1,
                None => {}
            }
            at += 1;
            if depth == 0 {
                return at.min(self.end);
            }
        }
        self.end
    }

    fn find(&self, byte: u8) -> usize {
        let rest = self.slice(self.at, self.end);
        self.at + rest.iter().position(|b| *b == byte).unwrap_or(rest.len())
    }
}

impl Draft {
    fn fill(&mut self, variables: &Variables, name: &str) {
        match variables.get(name) {
            Some(value) => self.text.extend_from_slice(value.as_bytes()),
            None => self.inexact = true,
        }
    }

    fn finish(self, span: Span) -> Word {
        Word {
            text: String::from_utf8_lossy(&self.text).into_owned(),
            span,
            exact: !self.inexact,
        }
    }
}
