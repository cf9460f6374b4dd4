//! Chains: `a, b [1] -> Class(config) => ( group ) -> { compound }`.

use crate::connect::{Item, Ports};
use crate::lexer::{Kind, Token};
use crate::parser::{MAX_PORTS, Parser, Within};
use crate::syntax::Class;

/// An element of a list before it is known whether it is new.
struct Pending {
    name: String,
    class: Option<Class>,
    declared: Option<Class>,
    bare: bool,
    config: String,
    token: Token,
    inputs: Ports,
    outputs: Ports,
}

/// The elements between two arrows, while they are read.
#[derive(Default)]
struct List {
    items: Vec<Pending>,
    implicit: bool,
    ports: bool,
}

impl Parser<'_> {
    /// A chain, or elements declared or used alone.
    pub(crate) fn connection(&mut self) {
        let mut before: Vec<Item> = Vec::new();
        let mut double = false;
        loop {
            let start = self.lexer.position();
            let first = before.is_empty();
            let Some(items) = self.elements(!first) else {
                self.useless(&before, true, start);
                return;
            };
            if first {
                self.useless(&items, false, start);
            } else {
                let end = self.lexer.position().max(start);
                let trimmed = self.lexer.source().text()[start..end].trim_end().len();
                self.join(&before, &items, double, start..start + trimmed);
            }
            match self.connector() {
                Some(kind) => double = kind == Kind::DoubleArrow,
                None => {
                    self.useless(&items, true, start);
                    return;
                }
            }
            before = items;
        }
    }

    /// The arrow that goes on with a chain.
    fn connector(&mut self) -> Option<Kind> {
        loop {
            let token = self.lex();
            match token.kind {
                Kind::Arrow | Kind::DoubleArrow => return Some(token.kind),
                Kind::Char(',') | Kind::DoubleColon => {
                    let text = self.text(&token);
                    self.error(&token, format!("syntax error before '{text}'"));
                }
                Kind::Char(';') | Kind::End => return None,
                Kind::Char('{' | '}' | '[' | ')')
                | Kind::Word
                | Kind::DoubleBar
                | Kind::ElementClass
                | Kind::Require
                | Kind::Provide
                | Kind::Define => {
                    self.unlex(token);
                    return None;
                }
                _ => {
                    self.syntax_error(&token);
                    return None;
                }
            }
        }
    }

    fn useless(&mut self, items: &[Item], output: bool, at: usize) {
        let any = items.iter().any(|i| {
            let ports = if output { &i.outputs } else { &i.inputs };
            !ports.is_empty()
        });
        if any {
            let message = if output {
                "output ports ignored at end of chain"
            } else {
                "input ports ignored at start of chain"
            };
            self.error_at(at..at, message);
        }
    }

    /// The elements up to the next arrow; `continued` after an arrow.
    fn elements(&mut self, continued: bool) -> Option<Vec<Item>> {
        let mut list = List::default();
        let end = loop {
            let Some(mut pending) = self.element_begin(continued, &mut list) else {
                if list.items.is_empty() {
                    return None;
                }
                break self.lex();
            };
            let token = self.element_rest(&mut pending.0, pending.1);
            list.ports |= !pending.0.inputs.is_empty() || !pending.0.outputs.is_empty();
            list.items.push(pending.0);
            if token.kind != Kind::Char(',') {
                break token;
            }
        };
        let arrow = matches!(end.kind, Kind::Arrow | Kind::DoubleArrow);
        if list.implicit && continued && arrow {
            self.error(&end, "implicit ports used in the middle of a chain");
        }
        self.unlex(end);
        if !continued && !arrow && !list.ports && !list.implicit {
            spread(&mut list.items);
        }
        Some(list.items.into_iter().map(|p| self.settle(p)).collect())
    }

    /// Ports and the name or class; and whether it is only implied.
    fn element_begin(&mut self, continued: bool, list: &mut List) -> Option<(Pending, bool)> {
        let inputs = self.ports();
        let token = self.lex();
        let mut pending = Pending {
            name: String::new(),
            class: None,
            declared: None,
            bare: token.kind == Kind::Word,
            config: String::new(),
            token: token.clone(),
            inputs,
            outputs: Ports::default(),
        };
        match token.kind {
            Kind::Word => {
                pending.name = self.text(&token);
                if !self.body().names.contains_key(&pending.name) {
                    pending.class = self.class_of(&pending.name);
                }
            }
            Kind::Char('{') => {
                pending.class = Some(self.compound(None, &token));
            }
            Kind::Char('(') => self.group(&mut pending),
            _ => {
                let first = list.items.is_empty();
                if !self.implied(&token, continued, first, &pending.inputs) {
                    self.no_element(token, continued, first, &pending.inputs);
                    return None;
                }
                list.implicit = true;
                pending.name = if continued { "output" } else { "input" }.to_owned();
                if !continued {
                    std::mem::swap(&mut pending.inputs, &mut pending.outputs);
                }
                self.unlex(token);
                return Some((pending, true));
            }
        }
        Some((pending, false))
    }

    /// Whether `input` or `output` is meant where nothing is written.
    fn implied(&self, token: &Token, continued: bool, first: bool, ports: &Ports) -> bool {
        let nested = self.bodies.len() > 1 || self.groups > 0;
        let written = !ports.is_empty() || first;
        nested
            && match token.kind {
                Kind::Arrow | Kind::DoubleArrow => !continued && written,
                Kind::Char(',') => !ports.is_empty(),
                Kind::DoubleColon => false,
                _ => continued && written,
            }
    }

    fn no_element(&mut self, token: Token, continued: bool, first: bool, ports: &Ports) {
        if !ports.is_empty() {
            self.error(&token, "stranded port ignored");
        }
        if first && !continued {
            self.syntax_error(&token);
        } else {
            self.unlex(token);
        }
    }

    /// `:: Class`, the configuration and the ports behind; returns the token after it.
    fn element_rest(&mut self, pending: &mut Pending, implied: bool) -> Token {
        let mut token = self.lex();
        if implied {
            return token;
        }
        if token.kind == Kind::DoubleColon {
            pending.declared = Some(self.declared_class(&pending.token));
            pending.bare = false;
            token = self.lex();
        }
        if token.kind == Kind::Char('(') {
            if self.body().names.contains_key(&pending.name) {
                self.error(&token, "configuration string ignored on element reference");
            }
            let span = self.lexer.config();
            pending.config = self.lexer.source().text()[span].to_owned();
            self.expect(')');
            pending.bare = false;
            token = self.lex();
        }
        if token.kind == Kind::Char('[') {
            self.unlex(token);
            pending.outputs = self.ports();
            token = self.lex();
        }
        token
    }

    fn declared_class(&mut self, name: &Token) -> Class {
        let token = self.lex();
        match token.kind {
            Kind::Word => self.force_class(&token),
            Kind::Char('{') => self.compound(None, &token),
            _ => {
                self.error(&token, "missing element type in declaration");
                self.unlex(token);
                Class::Named(self.text(name).into())
            }
        }
    }

    /// Finds the element that is meant or makes it.
    fn settle(&mut self, pending: Pending) -> Item {
        let known = self.body().names.get(&pending.name).copied();
        let element = match known.filter(|_| pending.class.is_none()) {
            Some(index) => {
                self.redeclared(&pending, index);
                index
            }
            None => self.new_element(&pending),
        };
        Item {
            element,
            inputs: pending.inputs,
            outputs: pending.outputs,
        }
    }

    fn redeclared(&mut self, pending: &Pending, index: usize) {
        if pending.declared.is_none() {
            return;
        }
        let message = format!("redeclaration of element '{}'", pending.name);
        self.error(&pending.token, message);
        let element = &self.body().elements[index];
        if !matches!(element.class, Class::Tunnel) {
            let message = format!("element '{}' previously declared here", pending.name);
            let landmark = element.landmark.clone();
            self.problems.error(&landmark, message);
        }
    }

    fn new_element(&mut self, pending: &Pending) -> usize {
        let token = &pending.token;
        let mut class = pending.class.clone();
        if let Some(declared) = &pending.declared {
            if class.is_some() || pending.name == declared.name() {
                self.error(
                    token,
                    format!("class '{}' used as element name", pending.name),
                );
            }
        } else if class.is_none() {
            class = Some(self.undeclared(token));
        }
        let (name, class) = match (class, &pending.declared) {
            (Some(class), _) => (self.body().anonymous(&class_name(&class, pending)), class),
            (None, Some(declared)) => (pending.name.clone(), declared.clone()),
            (None, None) => (pending.name.clone(), Class::Named("Error".into())),
        };
        self.make_element(name, class, pending.config.clone(), token.span.clone())
    }

    /// `[0, 2-4]`, `[]`, `[1,]`.
    fn ports(&mut self) -> Ports {
        let mut ports = Ports::default();
        let token = self.lex();
        if token.kind != Kind::Char('[') {
            self.unlex(token);
            return ports;
        }
        loop {
            let token = self.lex();
            match token.kind {
                Kind::Char(']') => {
                    ports.open = true;
                    if ports.list.is_empty() {
                        ports.list.push(0);
                    }
                    return ports;
                }
                Kind::Word => self.port_range(&token, &mut ports),
                _ => {
                    self.error(&token, "syntax error: expected port number");
                    self.unlex(token);
                    return ports;
                }
            }
            let token = self.lex();
            match token.kind {
                Kind::Char(']') => return ports,
                Kind::Char(',') => {}
                _ => {
                    self.error(&token, "expected ']'");
                    self.unlex(token);
                    return ports;
                }
            }
        }
    }

    fn port_range(&mut self, token: &Token, ports: &mut Ports) {
        let Some(first) = self.port_number(token) else {
            return;
        };
        let next = self.lex();
        let mut last = first;
        if next.kind == Kind::Char('-') {
            let end = self.lex();
            last = self.port_number(&end).unwrap_or(first);
            if last < first {
                self.error(&end, "syntax error: port range is empty");
            }
        } else {
            self.unlex(next);
        }
        if ports.list.len() + (last + 1).saturating_sub(first) > MAX_PORTS {
            self.error(token, format!("more than {MAX_PORTS} ports"));
            return;
        }
        ports.list.extend(first..=last);
    }

    fn port_number(&mut self, token: &Token) -> Option<usize> {
        let text = self.text(token);
        let number = match text.strip_prefix("0x") {
            Some(digits) => usize::from_str_radix(digits, 16).ok(),
            None => text.parse().ok(),
        };
        if number.is_none() {
            self.error(token, "syntax error: port number should be integer");
        } else if number.is_some_and(|n| n >= MAX_PORTS) {
            self.error(
                token,
                format!("port number too large, at most {}", MAX_PORTS - 1),
            );
        }
        number.filter(|n| *n < MAX_PORTS)
    }

    /// `( statements )`: elements of this scope with ends of their own.
    fn group(&mut self, pending: &mut Pending) {
        let token = pending.token.clone();
        let name = self.body().anonymous("");
        let mut tunnel = |suffix: &str| {
            let name = format!("{name}{suffix}");
            self.make_element(name, Class::Tunnel, String::new(), token.span.clone())
        };
        let (outer, input, output) = (tunnel(""), tunnel("/input"), tunnel("/output"));
        let body = self.body();
        body.tunnels.extend([(outer, input), (output, outer)]);
        let old_input = body.names.insert("input".into(), input);
        let old_output = body.names.insert("output".into(), output);
        let since = body.edges.len();
        pending.name = name;
        self.groups += 1;
        if self.enter(&token) {
            while self.statement(Within::Group) {}
            self.expect(')');
        }
        self.leave();
        self.groups -= 1;
        self.restore("input", old_input);
        self.restore("output", old_output);
        let inputs = self.pseudo_ports(input, since, "<anonymous group>", &token);
        let outputs = self.pseudo_ports(output, since, "<anonymous group>", &token);
        if pending.inputs.is_empty() {
            pending.inputs.list = (0..inputs).collect();
        }
        pending.outputs.list = (0..outputs).collect();
    }

    fn restore(&mut self, name: &str, old: Option<usize>) {
        match old {
            Some(index) => self.body().names.insert(name.to_owned(), index),
            None => self.body().names.remove(name),
        };
    }
}

fn class_name(class: &Class, pending: &Pending) -> String {
    if pending.bare || !pending.name.is_empty() {
        pending.name.clone()
    } else {
        class.name().to_owned()
    }
}

/// `a, b, c :: Class(config)` alone declares all of them.
fn spread(items: &mut [Pending]) {
    let Some((last, others)) = items.split_last_mut() else {
        return;
    };
    if last.declared.is_some() && others.iter().all(|p| p.bare) {
        for item in others {
            item.declared = last.declared.clone();
            item.config = last.config.clone();
        }
    }
}
