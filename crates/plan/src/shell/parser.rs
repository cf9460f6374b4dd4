//! Commands and the constructs around them.

use std::mem;

use diag::Span;

use super::{Command, Script, Variables, Word};

/// How deep substitutions are followed.
const DEEPEST: usize = 8;

/// Programs whose success is a question, not a deed.
const QUESTIONS: &[&str] = &[
    "[", "[[", "test", "grep", "command", "which", "type", "hash", "pgrep", "pidof", "ping",
    "diff", "cmp", "false",
];

pub(super) struct Parser<'t, 'o> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    pub(super) end: usize,
    pub(super) variables: &'o mut Variables,
    script: &'o mut Script,
    depth: usize,
    frames: Vec<Frame>,
    /// The command that is being read.
    words: Vec<Word>,
    writes: Vec<Word>,
    input: Option<Word>,
    documents: Vec<Document>,
    /// The first command of the present `&&`/`||` list.
    list: usize,
    /// Whether a question or an `||` stands before in that list.
    guarded: bool,
    /// Whether an `||` was just read.
    or: bool,
    /// The name of a function whose body comes next.
    function: Option<String>,
    over: bool,
}

/// What is open around a command.
enum Frame {
    /// `if … then`, and `then … fi`.
    Condition,
    Branch,
    /// `while … do` and `until … do`: run at least once.
    Head,
    /// `do … done`.
    Body,
    /// `case … esac`; whether a pattern comes next.
    Case(bool),
    /// `{ … }` and `( … )`, of a function or not.
    Group(Option<String>),
}

/// A here-document whose text comes after the line: of which command.
struct Document {
    command: usize,
    delimiter: String,
    tabs: bool,
}

impl<'t, 'o> Parser<'t, 'o> {
    pub(super) fn new(
        text: &'t str,
        span: Span,
        variables: &'o mut Variables,
        script: &'o mut Script,
        depth: usize,
    ) -> Self {
        Self {
            text,
            at: span.start,
            end: span.end,
            variables,
            list: script.commands.len(),
            script,
            depth,
            frames: Vec::new(),
            words: Vec::new(),
            writes: Vec::new(),
            input: None,
            documents: Vec::new(),
            guarded: false,
            or: false,
            function: None,
            over: false,
        }
    }

    /// Reads to the end.
    pub(super) fn run(&mut self) {
        while !self.over {
            let Some(byte) = self.peek() else { break };
            match byte {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\\' if self.looking_at("\\\n") => self.at += 2,
                b'\\' if self.looking_at("\\\r\n") => self.at += 3,
                b'#' => self.skip_line(),
                b'\n' => {
                    self.end_list();
                    self.at += 1;
                    self.read_documents();
                }
                b';' => self.semicolon(),
                b'&' | b'|' => self.connect(),
                b'<' | b'>' => self.redirect(),
                b'(' | b')' => self.parenthesis(),
                _ => self.take_word(),
            }
        }
        self.end_list();
    }

    pub(super) fn peek(&self) -> Option<u8> {
        (self.at < self.end).then(|| self.text.as_bytes()[self.at])
    }

    pub(super) fn looking_at(&self, text: &str) -> bool {
        self.slice(self.at, self.end).starts_with(text.as_bytes())
    }

    pub(super) fn slice(&self, from: usize, to: usize) -> &'t [u8] {
        let to = to.min(self.end);
        &self.text.as_bytes()[from.min(to)..to]
    }

    /// Commands of a substitution.
    pub(super) fn inner(&mut self, span: Span) {
        if self.depth >= DEEPEST {
            return;
        }
        let first = self.script.commands.len();
        let (certain, function) = (self.is_certain(), self.in_function());
        Parser::new(self.text, span, self.variables, self.script, self.depth + 1).run();
        for command in &mut self.script.commands[first..] {
            command.certain &= certain;
            command.function = command.function.take().or_else(|| function.clone());
        }
    }

    fn skip_line(&mut self) {
        while self.peek().is_some_and(|b| b != b'\n') {
            self.at += 1;
        }
    }

    fn semicolon(&mut self) {
        self.end_list();
        if self.looking_at(";;") || self.looking_at(";&") {
            if let Some(Frame::Case(pattern)) = self.frames.last_mut() {
                *pattern = true;
            }
            self.at += 1;
        }
        self.at += 1;
    }

    fn connect(&mut self) {
        if self.looking_at("&>") {
            self.at += 1;
            return self.redirect();
        }
        if self.looking_at("||") {
            self.end_command();
            self.or = true;
            self.guarded = true;
            self.at += 2;
        } else if self.looking_at("&&") {
            self.end_command();
            let last = self.script.commands.last();
            self.guarded |= last.is_some_and(|c| QUESTIONS.contains(&c.name()));
            self.at += 2;
        } else if self.looking_at("|&") || self.looking_at("|") {
            self.end_command();
            self.at += if self.looking_at("|&") { 2 } else { 1 };
        } else {
            self.end_list();
            self.at += 1;
        }
    }

    fn redirect(&mut self) {
        // a number before it is a descriptor
        if let Some(last) = self.words.last()
            && last.span.end == self.at
            && last.text.bytes().all(|b| b.is_ascii_digit())
        {
            self.words.pop();
        }
        let start = self.at;
        while self.peek().is_some_and(|b| b"<>|&".contains(&b)) && self.at < start + 3 {
            self.at += 1;
        }
        let operator = &self.text[start..self.at];
        let tabs = operator == "<<" && self.peek() == Some(b'-');
        if tabs {
            self.at += 1;
        }
        while self.peek().is_some_and(|b| b == b' ' || b == b'\t') {
            self.at += 1;
        }
        let Some(word) = self.word() else { return };
        match operator {
            "<<" => self.documents.push(Document {
                command: self.script.commands.len(),
                delimiter: word.text,
                tabs,
            }),
            "<<<" => self.input = Some(word),
            ">" | ">>" | ">|" => self.writes.push(word),
            _ => {}
        }
    }

    /// The texts of here-documents, which begin where a line has just begun.
    fn read_documents(&mut self) {
        for document in mem::take(&mut self.documents) {
            let start = self.at;
            let mut end = self.at;
            while self.at < self.end {
                end = self.at;
                self.skip_line();
                let line = String::from_utf8_lossy(self.slice(end, self.at));
                let line = line.trim_end_matches('\r');
                let line = if document.tabs {
                    line.trim_start_matches('\t')
                } else {
                    line
                };
                self.at = (self.at + 1).min(self.end);
                if line == document.delimiter {
                    break;
                }
                end = self.at;
            }
            let text = String::from_utf8_lossy(self.slice(start, end)).into_owned();
            if let Some(command) = self.script.commands.get_mut(document.command) {
                command.input = Some(Word {
                    text,
                    span: start..end,
                    exact: true,
                });
            }
        }
    }

    fn parenthesis(&mut self) {
        let opens = self.peek() == Some(b'(');
        let names_function = opens && self.words.len() == 1 && self.words[0].span.end == self.at;
        if names_function || (opens && self.words.len() == 1 && self.looking_at("()")) {
            let name = self.words.pop().map(|w| w.text).unwrap_or_default();
            self.skip_to(b')');
            self.define(name);
            return;
        }
        if opens && self.looking_at("((") && self.words.is_empty() {
            let end = self.text[self.at..self.end]
                .find("))")
                .map(|i| self.at + i + 2);
            self.at = end.unwrap_or(self.end);
            return;
        }
        self.end_list();
        self.at += 1;
        match (opens, self.frames.last_mut()) {
            (_, Some(Frame::Case(pattern))) if *pattern => *pattern = opens,
            (true, _) => {
                let function = self.function.take();
                self.frames.push(Frame::Group(function));
            }
            (false, Some(Frame::Group(_))) => drop(self.frames.pop()),
            (false, _) => {}
        }
    }

    fn skip_to(&mut self, byte: u8) {
        while self.peek().is_some_and(|b| b != byte) {
            self.at += 1;
        }
        self.at = (self.at + 1).min(self.end);
    }

    fn define(&mut self, name: String) {
        self.script.functions.insert(name.clone());
        self.function = Some(name);
    }

    fn take_word(&mut self) {
        if matches!(self.frames.last(), Some(Frame::Case(true))) && !self.looking_at("esac") {
            self.word();
            return;
        }
        let start = self.at;
        let Some(word) = self.word() else {
            self.at += 1;
            return;
        };
        let plain = self.text[start..self.at] == word.text;
        if self.words.is_empty() && plain && self.reserved(&word.text) {
            return;
        }
        if self.words.is_empty() && word.text == "[[" {
            return self.double_bracket(word);
        }
        self.words.push(word);
    }

    fn double_bracket(&mut self, word: Word) {
        let start = word.span.start;
        let rest = &self.text[self.at..self.end];
        let end = rest.find("]]").map_or(self.end, |i| self.at + i + 2);
        for text in self.text[start..end].split_whitespace() {
            self.words.push(Word {
                text: text.into(),
                span: start..end,
                exact: true,
            });
        }
        self.at = end;
    }

    /// Whether it is a reserved word, which then is done with.
    fn reserved(&mut self, word: &str) -> bool {
        match word {
            "if" => self.frames.push(Frame::Condition),
            "elif" => self.turn(Frame::Condition),
            "then" | "else" => self.turn(Frame::Branch),
            "while" | "until" => self.frames.push(Frame::Head),
            "for" | "select" => self.for_head(),
            "do" => self.turn(Frame::Body),
            "case" => self.case_head(),
            "fi" | "done" | "esac" | "}" => drop(self.frames.pop()),
            "{" => {
                let function = self.function.take();
                self.frames.push(Frame::Group(function));
            }
            "function" => self.function_word(),
            "!" | "time" | "coproc" => {}
            _ => return false,
        }
        true
    }

    fn turn(&mut self, frame: Frame) {
        if let Some(last) = self.frames.last_mut() {
            *last = frame;
        }
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(|b| b == b' ' || b == b'\t') {
            self.at += 1;
        }
    }

    fn for_head(&mut self) {
        self.skip_blanks();
        if let Some(name) = self.word() {
            self.variables.remove(&name.text);
        }
        loop {
            self.skip_blanks();
            if self.word().is_none() {
                break;
            }
        }
        self.frames.push(Frame::Body);
        if self.looking_at("((") {
            self.skip_to(b')');
            self.skip_to(b')');
        }
    }

    fn case_head(&mut self) {
        self.skip_blanks();
        self.word();
        self.skip_blanks();
        while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            self.at += 1;
        }
        self.word();
        self.frames.push(Frame::Case(true));
    }

    fn function_word(&mut self) {
        self.skip_blanks();
        if let Some(name) = self.word() {
            self.define(name.text);
            self.skip_blanks();
            if self.looking_at("(") {
                self.skip_to(b')');
            }
        }
    }

    fn is_certain(&self) -> bool {
        let sure = |f: &Frame| matches!(f, Frame::Head | Frame::Group(_));
        !self.guarded && self.frames.iter().all(sure)
    }

    fn in_function(&self) -> Option<String> {
        self.frames.iter().rev().find_map(|f| match f {
            Frame::Group(function) => function.clone(),
            _ => None,
        })
    }

    fn end_list(&mut self) {
        self.end_command();
        self.list = self.script.commands.len();
        self.guarded = false;
        self.or = false;
    }

    fn end_command(&mut self) {
        let words = mem::take(&mut self.words);
        let certain = self.is_certain();
        let words = self.assign(words, certain);
        if words.is_empty() && self.writes.is_empty() {
            self.input = None;
            return;
        }
        let start = words.iter().chain(&self.writes).map(|w| w.span.start).min();
        let end = words.iter().chain(&self.writes).map(|w| w.span.end).max();
        let command = Command {
            span: start.unwrap_or(self.at)..end.unwrap_or(self.at),
            certain,
            function: self.in_function(),
            writes: mem::take(&mut self.writes),
            input: self.input.take(),
            words,
        };
        let leaves = matches!(command.name(), "exit" | "return");
        if mem::take(&mut self.or) && !leaves {
            for earlier in &mut self.script.commands[self.list..] {
                earlier.certain = false;
            }
            self.list = self.script.commands.len();
        }
        self.over = command.name() == "exit" && certain && command.function.is_none();
        self.script.commands.push(command);
    }

    /// Takes assignments off the front of a command; those that stand alone are remembered.
    fn assign(&mut self, words: Vec<Word>, certain: bool) -> Vec<Word> {
        let declares = |w: &Word| {
            matches!(
                w.text.as_str(),
                "export" | "local" | "declare" | "readonly" | "typeset"
            )
        };
        let rest_at = words
            .iter()
            .position(|w| split(w).is_none() && !declares(w));
        let rest = rest_at.map_or(Vec::new(), |i| words[i..].to_vec());
        if rest.is_empty() {
            for (name, value, exact) in words.iter().filter_map(split) {
                if exact && certain && self.frames.is_empty() {
                    self.variables.insert(name.into(), value.into());
                } else {
                    self.variables.remove(name);
                }
            }
        }
        rest
    }
}

/// Name, value, and whether the value is known, of an assignment.
fn split(word: &Word) -> Option<(&str, &str, bool)> {
    let (name, value) = word.text.split_once('=')?;
    let name = name.strip_suffix('+').unwrap_or(name);
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let fine =
        name.starts_with(first) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    fine.then_some((name, value, word.exact && !word.text.contains("+=")))
}
