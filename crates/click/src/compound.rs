//! Compound classes: `elementclass Name { $formal | statements || … }`.

use std::collections::HashMap;
use std::rc::Rc;

use crate::lexer::{Kind, Token};
use crate::parser::{MAX_VARIABLES, Parser, Within};
use crate::syntax::{Body, Class, Compound, Formal};

/// How many compound classes may stand on each other, by overloads and by elements.
const MAX_HEIGHT: usize = 200;

/// One alternative of a compound class while the others are read.
struct Alternative {
    body: Body,
    inputs: usize,
    outputs: usize,
    token: Token,
}

impl Parser<'_> {
    /// `elementclass NAME { … }` or `elementclass NAME OTHER`.
    pub(crate) fn element_class(&mut self) {
        let token = self.lex();
        let mut name = None;
        if token.kind != Kind::Word {
            self.error(&token, "expected element type name");
            self.unlex(token);
        } else {
            let text = self.text(&token);
            if self.body().names.contains_key(&text) {
                self.error(&token, format!("'{text}' already used as an element name"));
            } else {
                name = Some(text);
            }
        }
        let next = self.lex();
        let class = match next.kind {
            Kind::Char('{') => self.compound(name.as_deref(), &next),
            Kind::Word => self.force_class(&next),
            _ => {
                self.syntax_error(&next);
                return;
            }
        };
        if let (Some(name), Some(scope)) = (name, self.classes.last_mut()) {
            scope.insert(name, class);
        }
    }

    /// The alternatives after `{`, up to and with `}`.
    pub(crate) fn compound(&mut self, name: Option<&str>, open: &Token) -> Class {
        let mut alternatives = Vec::new();
        let mut extended = None;
        let groups = std::mem::take(&mut self.groups);
        if self.enter(open) {
            loop {
                let token = self.lex();
                if token.kind == Kind::Dots {
                    extended = Some(self.extension(name, &token, alternatives.is_empty()));
                    break;
                }
                let start = token.clone();
                self.unlex(token);
                alternatives.push(self.alternative(name, start));
                let end = self.lex();
                if end.kind != Kind::DoubleBar {
                    break;
                }
            }
        }
        self.leave();
        self.groups = groups;
        self.chained(name, alternatives, extended)
    }

    /// Makes classes of the alternatives, each with the next one behind it.
    fn chained(
        &mut self,
        name: Option<&str>,
        alternatives: Vec<Alternative>,
        extended: Option<Class>,
    ) -> Class {
        let mut class = extended;
        for alternative in alternatives.into_iter().rev() {
            class = Some(self.with_next(name, alternative, class));
        }
        class.unwrap_or_else(|| Class::Named("Error".into()))
    }

    fn with_next(
        &mut self,
        name: Option<&str>,
        alternative: Alternative,
        next: Option<Class>,
    ) -> Class {
        let elements = alternative.body.elements.iter().map(|e| e.class.height());
        let below = elements.chain(next.iter().map(Class::height)).max();
        let height = 1 + below.unwrap_or(0);
        if height > MAX_HEIGHT {
            let message = format!("more than {MAX_HEIGHT} compound classes stand on each other");
            self.error(&alternative.token, message);
            return Class::Named("Error".into());
        }
        Class::Compound(Rc::new(Compound {
            name: name.unwrap_or_default().to_owned(),
            body: alternative.body,
            inputs: alternative.inputs,
            outputs: alternative.outputs,
            next,
            landmark: self.landmark(alternative.token.span),
            height,
        }))
    }

    /// `...`: what the class was before.
    fn extension(&mut self, name: Option<&str>, dots: &Token, first: bool) -> Class {
        let class = match name {
            Some(name) => self
                .class_of(name)
                .unwrap_or_else(|| Class::Named(name.into())),
            None => {
                self.error(dots, "cannot extend anonymous compound element class");
                Class::Named("Error".into())
            }
        };
        let end = self.lex();
        if first || end.kind != Kind::Char('}') {
            self.error(dots, "'...' should occur last, after one or more compounds");
            if end.kind != Kind::Char('}') {
                self.unlex(end);
            }
        }
        class
    }

    fn alternative(&mut self, name: Option<&str>, token: Token) -> Alternative {
        self.bodies.push(Body::new(self.bodies.len()));
        self.classes.push(HashMap::new());
        for end in ["input", "output"] {
            self.make_element(end.into(), Class::Tunnel, String::new(), token.span.clone());
        }
        self.formals();
        while self.statement(Within::Compound) {}
        let printable = name.unwrap_or("<anonymous>");
        let printable = format!("compound element '{printable}'");
        let inputs = self.pseudo_ports(0, 0, &printable, &token);
        let outputs = self.pseudo_ports(1, 0, &printable, &token);
        self.classes.pop();
        let mut body = self.bodies.pop().unwrap_or_default();
        body.name_anonymous();
        Alternative {
            body,
            inputs,
            outputs,
            token,
        }
    }

    /// How many ports a pseudo-element gives its compound or group, whose connections begin at
    /// `since`; complains about gaps.
    pub(crate) fn pseudo_ports(
        &mut self,
        index: usize,
        since: usize,
        of: &str,
        token: &Token,
    ) -> usize {
        let output = self.body().elements[index].name.ends_with("output");
        let (name, role) = if output {
            ("output", "input")
        } else {
            ("input", "output")
        };
        if !self.body().ports(index, output, since).is_empty() {
            let message = format!("{of} pseudoelement '{name}' may only be used as {role}");
            self.error(token, message);
        }
        let used = self.body().ports(index, !output, since);
        for (port, _) in used.iter().enumerate().filter(|(_, used)| !**used) {
            self.error(token, format!("{of} {name} {port} missing"));
        }
        used.len()
    }

    fn formals(&mut self) {
        loop {
            let first = self.lex();
            let any = !self.body().formals.is_empty();
            let (keyword, variable) = match first.kind {
                Kind::Variable => (None, first),
                Kind::Word => {
                    let second = self.lex();
                    if second.kind != Kind::Variable {
                        self.no_formal(&second, any);
                        self.unlex(second);
                        self.unlex(first);
                        return;
                    }
                    (Some(self.text(&first)), second)
                }
                Kind::Char('|') => return,
                _ => {
                    self.no_formal(&first, any);
                    self.unlex(first);
                    return;
                }
            };
            self.formal(keyword, &variable);
            let separator = self.lex();
            match separator.kind {
                Kind::Char('|') => return,
                Kind::Char(',') => {}
                _ => {
                    self.error(&separator, "expected ',' or '|'");
                    self.unlex(separator);
                    return;
                }
            }
        }
    }

    fn no_formal(&mut self, token: &Token, any: bool) {
        if any {
            self.error(token, "expected variable");
        }
    }

    fn formal(&mut self, keyword: Option<String>, variable: &Token) {
        let name = self.text(variable).trim_start_matches('$').to_owned();
        let formals = &self.body().formals;
        let last = formals.last().and_then(|f| f.keyword.as_deref());
        let disordered = last == Some("__REST__") || (keyword.is_none() && last.is_some());
        let twice = formals.iter().any(|f| f.name == name);
        let repeated = keyword.is_some() && formals.iter().any(|f| f.keyword == keyword);
        if formals.len() >= MAX_VARIABLES {
            self.error(variable, format!("more than {MAX_VARIABLES} parameters"));
            return;
        }
        if twice {
            self.error(variable, format!("parameter '${name}' multiply defined"));
            return;
        }
        if repeated {
            let keyword = keyword.as_deref().unwrap_or_default();
            let message = format!("repeated keyword parameter '{keyword}' in compound element");
            self.error(variable, message);
        }
        if disordered {
            self.error(variable, "compound element parameters out of order");
            return;
        }
        self.body().formals.push(Formal { name, keyword });
    }
}
