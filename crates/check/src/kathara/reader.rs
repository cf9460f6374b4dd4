//! Reads the values of a correction file and remembers what is wrong with them.

use std::net::IpAddr;
use std::str::FromStr;

use diag::yaml::{Key, Tree, Value};
use diag::{Diagnostic, Diagnostics, Place, Source, Span};
use ipnet::IpNet;
use lab::{Check, Test};

/// The checks and the diagnostics so far.
pub(super) struct Reader<'a> {
    source: &'a Source,
    out: Diagnostics,
    checks: Vec<Check>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a Source) -> Self {
        Self {
            source,
            out: Diagnostics::new(),
            checks: Vec::new(),
        }
    }

    pub(super) fn finish(self) -> (Vec<Check>, Diagnostics) {
        (self.checks, self.out)
    }

    /// Adds a check.
    pub(super) fn add(&mut self, name: String, test: Test) {
        self.checks.push(Check {
            name: Some(name),
            ..Check::new(test)
        });
    }

    /// The first line of a span.
    fn place(&self, span: &Span) -> Place {
        let place = self.source.at(span.clone());
        let text = &self.source.text()[place.span.clone()];
        let end = place.span.start + text.find('\n').unwrap_or(text.len());
        self.source.at(place.span.start..end)
    }

    pub(super) fn error(&mut self, at: &Tree, message: &str, help: &str) {
        let place = self.place(&at.span);
        self.out
            .push(Diagnostic::error(message).at(place).help(help));
    }

    pub(super) fn warn(&mut self, at: &Span, message: &str, help: &str) {
        let place = self.place(at);
        self.out
            .push(Diagnostic::warning(message).at(place).help(help));
    }

    pub(super) fn unknown(&mut self, key: &Key, known: &[&str]) {
        let message = format!("unknown key `{}`, which is passed over", key.text);
        let help = format!("known keys here: {}", known.join(", "));
        self.warn(&key.span, &message, &help);
    }

    /// The entries of a mapping; nothing is an empty one.
    pub(super) fn entries<'t>(&mut self, tree: &'t Tree, what: &str) -> &'t [(Key, Tree)] {
        match &tree.value {
            Value::Map(entries) => entries,
            _ if tree.is_null() => &[],
            _ => {
                let message = format!("`{what}` is a mapping");
                self.error(
                    tree,
                    &message,
                    "write `name: value` for each of its entries",
                );
                &[]
            }
        }
    }

    /// A mapping with known keys only; others are warned of.
    pub(super) fn fields<'t>(&mut self, tree: &'t Tree, what: &str, known: &[&str]) -> &'t Tree {
        for (key, _) in self.entries(tree, what) {
            if !known.contains(&key.text.as_str()) {
                self.unknown(key, known);
            }
        }
        tree
    }

    /// The items of a list; nothing is an empty one.
    pub(super) fn items<'t>(&mut self, tree: &'t Tree, what: &str) -> &'t [Tree] {
        match &tree.value {
            Value::List(items) => items,
            _ if tree.is_null() => &[],
            _ => {
                let message = format!("`{what}` is a list");
                self.error(tree, &message, "put its items into `[` and `]`");
                &[]
            }
        }
    }

    /// A mapping of lists (`device: [item, …]`) as pairs.
    pub(super) fn pairs<'t>(&mut self, tree: &'t Tree, what: &str) -> Vec<(&'t str, &'t Tree)> {
        let mut out = Vec::new();
        for (key, value) in self.entries(tree, what) {
            let items = self.items(value, &key.text);
            out.extend(items.iter().map(|item| (key.text.as_str(), item)));
        }
        out
    }

    /// As [`Self::pairs`], where the items are texts.
    pub(super) fn texts<'t>(
        &mut self,
        tree: &'t Tree,
        what: &str,
    ) -> Vec<(&'t str, &'t str, &'t Tree)> {
        let pairs = self.pairs(tree, what);
        let read = pairs
            .into_iter()
            .filter_map(|(key, item)| Some((key, self.text(item, "this")?, item)));
        read.collect()
    }

    /// A text or a number, not empty.
    pub(super) fn text<'t>(&mut self, tree: &'t Tree, what: &str) -> Option<&'t str> {
        let text = tree.text().filter(|t| !t.trim().is_empty());
        if text.is_none() {
            self.error(
                tree,
                &format!("`{what}` is a text"),
                "write one word or number here",
            );
        }
        text
    }

    /// As [`Self::text`], but nothing is no mistake.
    pub(super) fn optional<'t>(&mut self, tree: &'t Tree, what: &str) -> Option<&'t str> {
        match &tree.value {
            Value::Scalar { text, .. } if text.trim().is_empty() || tree.is_null() => None,
            _ => self.text(tree, what),
        }
    }

    /// The text of an entry that must be there.
    pub(super) fn needed<'t>(&mut self, tree: &'t Tree, key: &str) -> Option<&'t Tree> {
        let found = tree.get(key);
        if found.is_none() && matches!(tree.value, Value::Map(_)) {
            self.error(
                tree,
                &format!("`{key}` is missing"),
                &format!("add `{key}: …`"),
            );
        }
        found
    }

    /// A value of a type that reads itself; `what` says what it is (`an address`).
    pub(super) fn parse<T: FromStr>(&mut self, tree: &Tree, what: &str, help: &str) -> Option<T> {
        let text = self.text(tree, what)?;
        let read = text.trim().parse().ok();
        if read.is_none() {
            self.error(tree, &format!("`{text}` is not {what}"), help);
        }
        read
    }

    pub(super) fn address(&mut self, tree: &Tree) -> Option<IpAddr> {
        self.parse(tree, "an address", "such as 10.0.0.1 or 2001:db8::1")
    }

    /// A destination of routes, as text; `default` is one of IPv4.
    pub(super) fn prefix<'t>(&mut self, tree: &Tree, text: &'t str) -> Option<&'t str> {
        let text = text.trim();
        let right = text == "default" || net(text).is_some();
        if !right {
            let message = format!("`{text}` is no network");
            self.error(tree, &message, "such as 10.0.0.0/8 or 0.0.0.0/0");
        }
        right.then_some(text)
    }

    /// A regular expression.
    pub(super) fn regex<'t>(&mut self, tree: &'t Tree, what: &str) -> Option<&'t str> {
        let text = self.text(tree, what)?;
        if let Err(wrong) = crate::attempt::regex(text) {
            let help = "put a `\\` before a character that means itself";
            self.error(tree, &format!("`{what}`: {wrong}"), help);
            return None;
        }
        Some(text)
    }
}

/// The entries of a mapping that has been looked at, so that nothing is said of it twice.
pub(super) fn entries_of(tree: &Tree) -> &[(Key, Tree)] {
    match &tree.value {
        Value::Map(entries) => entries,
        _ => &[],
    }
}

/// The items of a list that has been looked at; anything else is one item.
pub(super) fn items_of(tree: &Tree) -> &[Tree] {
    match &tree.value {
        Value::List(items) => items,
        _ if tree.is_null() => &[],
        _ => std::slice::from_ref(tree),
    }
}

/// An address with its prefix length or, for IPv4, its mask; without either it stands alone.
pub(super) fn net(text: &str) -> Option<IpNet> {
    let Some((address, length)) = text.split_once('/') else {
        return text.parse::<IpAddr>().ok().map(IpNet::from);
    };
    let length = match length.parse() {
        Ok(length) => length,
        Err(_) => ipnet::ip_mask_to_prefix(length.parse().ok()?).ok()?,
    };
    IpNet::new(address.parse().ok()?, length).ok()
}

/// `!text` is the contrary of `text`.
pub(super) fn negated(text: &str) -> (&str, bool) {
    match text.trim().strip_prefix('!') {
        Some(rest) => (rest.trim_start(), true),
        None => (text.trim(), false),
    }
}

/// A text as one word of a shell.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
