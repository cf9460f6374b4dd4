//! Statements: elements, chains of connections, classes, requirements and definitions.
//!
//! One pass, as Click does it: a name is an element where it has been declared, else a class.

use std::collections::HashMap;
use std::rc::Rc;

use diag::{Source, Span};

use crate::args::{arguments, words};
use crate::lexer::{Kind, Lexer, Token};
use crate::place::{Landmark, Problems};
use crate::router::Requirement;
use crate::syntax::{Body, Class, Edge, Element};
use crate::{Options, connect};

/// How deep classes and groups may be nested.
const MAX_DEPTH: usize = 100;
/// After so many problems the rest of a text is not read.
const MAX_PROBLEMS: usize = 500;
/// The largest port number and the longest list of ports.
pub(crate) const MAX_PORTS: usize = 65_536;
/// How many definitions or parameters one scope may have.
pub(crate) const MAX_VARIABLES: usize = 5000;
/// How many connections a text may write.
const MAX_EDGES: usize = 2_000_000;

/// What a text says, before its compounds are expanded.
pub(crate) struct Parsed {
    pub(crate) body: Body,
    pub(crate) requirements: Vec<Requirement>,
    pub(crate) problems: Problems,
}

/// What ends the statements that are being read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Within {
    File,
    Compound,
    Group,
}

pub(crate) struct Parser<'a> {
    pub(crate) lexer: Lexer,
    pub(crate) bodies: Vec<Body>,
    pub(crate) classes: Vec<HashMap<String, Class>>,
    pub(crate) groups: usize,
    pub(crate) problems: Problems,
    requirements: Vec<Requirement>,
    libraries: Vec<String>,
    options: &'a Options<'a>,
    nesting: usize,
    edges: usize,
    stopped: bool,
}

/// Reads a text.
pub(crate) fn parse(source: Source, options: &Options<'_>) -> Parsed {
    let mut parser = Parser {
        lexer: Lexer::new(source),
        bodies: vec![Body::new(0)],
        classes: vec![HashMap::new()],
        groups: 0,
        problems: Problems::new(),
        requirements: Vec::new(),
        libraries: Vec::new(),
        options,
        nesting: 0,
        edges: 0,
        stopped: false,
    };
    while parser.statement(Within::File) {}
    let mut body = parser.bodies.pop().unwrap_or_default();
    body.name_anonymous();
    Parsed {
        body,
        requirements: parser.requirements,
        problems: parser.problems,
    }
}

impl Parser<'_> {
    pub(crate) fn body(&mut self) -> &mut Body {
        let last = self.bodies.len() - 1;
        &mut self.bodies[last]
    }

    pub(crate) fn lex(&mut self) -> Token {
        let token = self.lexer.lex();
        if self.stopped || self.problems.len() > MAX_PROBLEMS {
            return Token {
                kind: Kind::End,
                span: token.span,
            };
        }
        token
    }

    pub(crate) fn unlex(&mut self, token: Token) {
        self.lexer.unlex(token);
    }

    pub(crate) fn text(&self, token: &Token) -> String {
        self.lexer.text(token).to_owned()
    }

    pub(crate) fn landmark(&self, span: Span) -> Landmark {
        self.lexer.landmark(span)
    }

    pub(crate) fn error(&mut self, token: &Token, message: impl Into<String>) {
        self.error_at(token.span.clone(), message);
    }

    pub(crate) fn error_at(&mut self, span: Span, message: impl Into<String>) {
        if !self.stopped {
            let landmark = self.landmark(span);
            self.problems.error(&landmark, message);
        }
    }

    pub(crate) fn syntax_error(&mut self, token: &Token) {
        let message = if token.kind == Kind::End {
            "syntax error near end of file".to_owned()
        } else {
            format!("syntax error near '{}'", self.lexer.text(token))
        };
        self.error(token, message);
    }

    /// One level deeper; whether that is allowed.
    pub(crate) fn enter(&mut self, token: &Token) -> bool {
        self.nesting += 1;
        if self.nesting > MAX_DEPTH {
            self.error(token, format!("nested more than {MAX_DEPTH} deep"));
            self.stopped = true;
        }
        !self.stopped
    }

    pub(crate) fn leave(&mut self) {
        self.nesting -= 1;
    }

    pub(crate) fn expect(&mut self, wanted: char) -> bool {
        let token = self.lex();
        if token.kind == Kind::Char(wanted) {
            return true;
        }
        self.error(&token, format!("expected '{wanted}'"));
        self.unlex(token);
        false
    }

    /// One statement; whether more can follow.
    pub(crate) fn statement(&mut self, within: Within) -> bool {
        let token = self.lex();
        let ends = match token.kind {
            Kind::End => {
                let wanted = match within {
                    Within::File => None,
                    Within::Compound => Some('}'),
                    Within::Group => Some(')'),
                };
                if let Some(wanted) = wanted {
                    self.error(&token, format!("expected '{wanted}'"));
                }
                return false;
            }
            Kind::Char('}') | Kind::DoubleBar => within == Within::Compound,
            Kind::Char(')') => within == Within::Group,
            _ => false,
        };
        if ends {
            self.unlex(token);
            return false;
        }
        self.begun(token);
        true
    }

    fn begun(&mut self, token: Token) {
        match token.kind {
            Kind::Word | Kind::Char('[' | '{' | '(') | Kind::Arrow | Kind::DoubleArrow => {
                self.unlex(token);
                self.connection();
            }
            Kind::ElementClass => self.element_class(),
            Kind::Require => self.require(),
            Kind::Define => self.define(),
            Kind::Char(';') => {}
            _ => self.syntax_error(&token),
        }
    }

    /// The text in parentheses after a keyword.
    fn parenthesized(&mut self) -> Option<(Span, String)> {
        if !self.expect('(') {
            return None;
        }
        let span = self.lexer.config();
        let text = self.lexer.source().text()[span.clone()].to_owned();
        self.expect(')');
        Some((span, text))
    }

    fn require(&mut self) {
        let Some((span, text)) = self.parenthesized() else {
            return;
        };
        for argument in arguments(&text) {
            let words: Vec<String> = words(&argument).iter().map(|w| plain(w)).collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            match words[..] {
                [] => {}
                ["library", name] => self.library(&span, name),
                ["compact_config"] => self.requirements.push(Requirement::CompactConfig),
                ["package", name] | [name] => {
                    self.requirements
                        .push(Requirement::Package(name.to_owned()));
                }
                _ => self.error_at(span.clone(), "syntax error at requirement"),
            }
        }
    }

    fn library(&mut self, span: &Span, name: &str) {
        if self.bodies.len() > 1 || self.groups > 0 {
            self.error_at(span.clone(), "'require library' must be used at file scope");
            return;
        }
        let here = self.lexer.source().name().to_owned();
        let Some(source) = self.options.library.and_then(|find| find(name, &here)) else {
            let message = format!("library '{name}' not found in CLICKPATH/conf");
            self.error_at(span.clone(), message);
            return;
        };
        if self.libraries.iter().any(|l| l == source.name()) {
            return;
        }
        self.libraries.push(source.name().to_owned());
        let token = Token {
            kind: Kind::Require,
            span: span.clone(),
        };
        if self.enter(&token) {
            let outer = std::mem::replace(&mut self.lexer, Lexer::new(source));
            while self.statement(Within::File) {}
            self.lexer = outer;
        }
        self.leave();
    }

    fn define(&mut self) {
        let Some((span, text)) = self.parenthesized() else {
            return;
        };
        for argument in arguments(&text) {
            let variable = words(&argument).first().copied().unwrap_or_default();
            let value = argument[variable.len()..].trim().to_owned();
            let name = variable.strip_prefix('$').unwrap_or_default();
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                self.error_at(span.clone(), "bad 'define' declaration: not a variable");
            } else if self.body().definitions.iter().any(|(n, _)| n == name) {
                self.error_at(
                    span.clone(),
                    format!("parameter '${name}' multiply defined"),
                );
            } else if self.body().definitions.len() >= MAX_VARIABLES {
                self.error_at(
                    span.clone(),
                    format!("more than {MAX_VARIABLES} definitions"),
                );
                return;
            } else {
                self.body().definitions.push((name.to_owned(), value));
            }
        }
    }

    /// The class of a name that has no element: `None` where nobody knows it.
    pub(crate) fn class_of(&self, name: &str) -> Option<Class> {
        let declared = self.classes.iter().rev().find_map(|c| c.get(name));
        if let Some(class) = declared {
            return Some(class.clone());
        }
        let known = self.options.knows_class?;
        known(name).then(|| Class::Named(name.into()))
    }

    /// The class of a name where only a class can be.
    pub(crate) fn force_class(&mut self, token: &Token) -> Class {
        let name = self.text(token);
        if let Some(class) = self.class_of(&name) {
            return class;
        }
        if self.options.knows_class.is_some() {
            self.error(token, format!("unknown element class '{name}'"));
        }
        Class::Named(Rc::from(name))
    }

    /// A name alone that is neither element nor class.
    pub(crate) fn undeclared(&mut self, token: &Token) -> Class {
        let name = self.text(token);
        if self.options.knows_class.is_some() {
            self.error(token, format!("undeclared element '{name}'"));
        }
        Class::Named(Rc::from(name))
    }

    pub(crate) fn make_element(
        &mut self,
        name: String,
        class: Class,
        config: String,
        span: Span,
    ) -> usize {
        let landmark = self.landmark(span);
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if name.split('/').any(digits) {
            let message = format!("element name '{name}' has all-digit component");
            self.problems.error(&landmark, message);
        }
        self.body().add(Element {
            name,
            class,
            config,
            landmark,
        })
    }

    /// Joins two parts of a chain.
    pub(crate) fn join(
        &mut self,
        from: &[connect::Item],
        to: &[connect::Item],
        double: bool,
        span: Span,
    ) {
        let (pairs, wrong) = connect::join(from, to, double);
        let landmark = self.landmark(span.clone());
        for message in wrong {
            self.error_at(span.clone(), message);
        }
        self.edges += pairs.len();
        if self.edges > MAX_EDGES {
            self.error_at(span, format!("more than {MAX_EDGES} connections"));
            self.stopped = true;
            return;
        }
        self.body()
            .edges
            .extend(pairs.into_iter().map(|(from, to)| Edge {
                from,
                to,
                landmark: landmark.clone(),
            }));
    }
}

/// A word without its quotes.
fn plain(word: &str) -> String {
    let quoted = |q| word.strip_prefix(q).and_then(|w: &str| w.strip_suffix(q));
    quoted('"')
        .or_else(|| quoted('\''))
        .unwrap_or(word)
        .to_owned()
}
