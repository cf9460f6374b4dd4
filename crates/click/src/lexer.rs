//! Text to tokens: words, arrows, brackets, and configuration strings, which are text of their own.
//!
//! The rules are Click's: a word may hold single slashes, `#` in the first column is a line
//! directive, comments are C++'s.

use std::sync::Arc;

use diag::{Source, Span};

use crate::args::scan;
use crate::place::Landmark;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    End,
    Word,
    Variable,
    Arrow,
    DoubleArrow,
    DoubleColon,
    DoubleBar,
    Dots,
    ElementClass,
    Require,
    Provide,
    Define,
    /// One character that stands for itself.
    Char(char),
}

/// A token and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

/// From `offset` on, lines count from `line` in `file`.
struct Directive {
    offset: usize,
    file: Arc<str>,
    line: usize,
}

/// Reads tokens of one text, with as many steps back as are asked for.
pub(crate) struct Lexer {
    source: Source,
    at: usize,
    back: Vec<Token>,
    directives: Vec<Directive>,
    /// Where each line after the first begins.
    line_starts: Vec<usize>,
}

impl Lexer {
    pub(crate) fn new(source: Source) -> Self {
        let first = Directive {
            offset: 0,
            file: source.name().into(),
            line: 1,
        };
        let line_starts = line_starts(source.text());
        let mut lexer = Self {
            line_starts,
            source,
            at: 0,
            back: Vec::new(),
            directives: vec![first],
        };
        lexer.directive();
        lexer
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    pub(crate) fn text(&self, token: &Token) -> &str {
        &self.source.text()[token.span.clone()]
    }

    /// Where a part of the text is, in the words of a message.
    pub(crate) fn landmark(&self, span: Span) -> Landmark {
        let after = self.directives.partition_point(|d| d.offset <= span.start);
        let directive = &self.directives[after.saturating_sub(1)];
        let lines = |offset: usize| self.line_starts.partition_point(|s| *s <= offset);
        Landmark {
            file: directive.file.clone(),
            line: directive.line + lines(span.start) - lines(directive.offset),
            place: self.source.at(span),
        }
    }

    /// Where the next token would begin.
    pub(crate) fn position(&self) -> usize {
        self.back.last().map_or(self.at, |t| t.span.start)
    }

    pub(crate) fn unlex(&mut self, token: Token) {
        self.back.push(token);
    }

    pub(crate) fn lex(&mut self) -> Token {
        if let Some(token) = self.back.pop() {
            return token;
        }
        self.skip_blank();
        let start = self.at;
        let kind = self.token();
        Token {
            kind,
            span: start..self.at,
        }
    }

    fn rest(&self) -> &str {
        &self.source.text()[self.at..]
    }

    fn token(&mut self) -> Kind {
        const SYMBOLS: [(&str, Kind); 5] = [
            ("->", Kind::Arrow),
            ("=>", Kind::DoubleArrow),
            ("::", Kind::DoubleColon),
            ("||", Kind::DoubleBar),
            ("...", Kind::Dots),
        ];
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Kind::End;
        };
        if let Some((text, kind)) = SYMBOLS.iter().find(|(text, _)| rest.starts_with(text)) {
            self.at += text.len();
            return *kind;
        }
        if is_word(first) {
            return self.word();
        }
        let name = rest[first.len_utf8()..]
            .bytes()
            .take_while(|b| b.is_ascii_alphanumeric() || *b == b'_')
            .count();
        if first == '$' && name > 0 {
            self.at += 1 + name;
            return Kind::Variable;
        }
        self.at += first.len_utf8();
        Kind::Char(first)
    }

    fn word(&mut self) -> Kind {
        let bytes = self.rest().as_bytes();
        let word = |i: usize| bytes.get(i).is_some_and(|b| is_word(char::from(*b)));
        let mut end = 0;
        while word(end) || (bytes.get(end) == Some(&b'/') && word(end + 1)) {
            end += 1;
        }
        let kind = match &self.rest()[..end] {
            "elementclass" => Kind::ElementClass,
            "require" => Kind::Require,
            "provide" => Kind::Provide,
            "define" => Kind::Define,
            _ => Kind::Word,
        };
        self.at += end;
        kind
    }

    /// Steps over blanks, comments and line directives.
    fn skip_blank(&mut self) {
        loop {
            let rest = self.rest();
            let Some(first) = rest.chars().next() else {
                return;
            };
            if first == '\n' || (first == '\r' && !rest.starts_with("\r\n")) {
                self.at += 1;
                self.directive();
            } else if first.is_ascii_whitespace() || first == '\x0b' {
                self.at += 1;
            } else if let Some(length) = comment(rest) {
                self.at += length;
            } else {
                return;
            }
        }
    }

    /// Reads the line directives at the beginning of a line.
    fn directive(&mut self) {
        while self.rest().starts_with('#') {
            let rest = self.rest();
            let line = &rest[..rest.find(['\n', '\r']).unwrap_or(rest.len())];
            let words = line[1..].trim_start();
            let words = words.strip_prefix("line").unwrap_or(words).trim_start();
            let digits = words.bytes().take_while(u8::is_ascii_digit).count();
            let number = words[..digits].parse::<u32>().ok();
            let name = words[digits..].trim();
            let file = name.strip_prefix('"').and_then(|n| n.split('"').next());
            let known = number.map(|n| (n as usize, self.directive_file(file)));
            let mut next = self.at + line.len();
            next += line_end(&self.source.text()[next..]);
            if let Some((line, file)) = known {
                self.directives.push(Directive {
                    offset: next,
                    file,
                    line,
                });
            }
            self.at = next;
        }
    }

    fn directive_file(&self, named: Option<&str>) -> Arc<str> {
        match named {
            Some("") => self.source.name().into(),
            Some(name) => name.into(),
            None => self.directives[self.directives.len() - 1].file.clone(),
        }
    }

    /// The text up to the parenthesis that closes the one just read; the parenthesis remains.
    pub(crate) fn config(&mut self) -> Span {
        if let Some(token) = self.back.first() {
            self.at = token.span.start;
            self.back.clear();
        }
        let start = self.at;
        let mut depth = 1usize;
        while let Some(first) = self.rest().chars().next() {
            match first {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
            self.at += config_piece(self.rest());
            if matches!(first, '\n' | '\r') {
                self.directive_in_config();
            }
        }
        start..self.at
    }

    fn directive_in_config(&mut self) {
        if self.rest().starts_with('#') {
            self.directive();
        }
    }
}

/// How far one piece of a configuration string reaches: a quoted text, a comment, hexadecimal
/// data, or one character.
fn config_piece(text: &str) -> usize {
    match text.chars().next() {
        None => 0,
        // a comment's line end remains: a line directive may follow
        Some('/') => comment(text).unwrap_or(1),
        Some(first) if first.is_ascii() => scan::piece(text.as_bytes(), 0),
        Some(first) => first.len_utf8(),
    }
}

/// The length of the comment that a text begins with; its line end is not part of it.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find(['\n', '\r']).unwrap_or(text.len()));
    }
    let body = text.strip_prefix("/*")?;
    Some(body.find("*/").map_or(text.len(), |i| i + 4))
}

fn line_end(text: &str) -> usize {
    if text.starts_with("\r\n") {
        2
    } else {
        usize::from(text.starts_with(['\n', '\r']))
    }
}

/// `\n`, `\r` and `\r\n` each end a line.
fn line_starts(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let ends = |i: &usize| match bytes[*i] {
        b'\n' => true,
        b'\r' => bytes.get(i + 1) != Some(&b'\n'),
        _ => false,
    };
    (0..bytes.len()).filter(ends).map(|i| i + 1).collect()
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '@'
}
