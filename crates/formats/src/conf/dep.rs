//! `lab.dep`: which machine waits for which, in the rules of `make`.
//!
//! ```text
//! rule = target+ ":" [":"] need* ; a `\` at a line's end continues it, `#` begins a comment
//! ```

use diag::{Diagnostic, Diagnostics, Source};

use super::lex::Word;

/// One machine that waits for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dependency {
    pub(super) node: Word,
    pub(super) needs: Word,
}

/// Reads all rules; what else make would understand is a warning each.
pub(super) fn parse(source: &Source) -> (Vec<Dependency>, Diagnostics) {
    let mut out = Vec::new();
    let mut warnings = Diagnostics::new();
    for words in logical_lines(source.text()) {
        rule(source, &words, &mut out, &mut warnings);
    }
    (out, warnings)
}

fn rule(source: &Source, words: &[Word], out: &mut Vec<Dependency>, warnings: &mut Diagnostics) {
    let Some(first) = words.first() else { return };
    let colon = words.iter().position(|w| w.text == ":");
    let odd = words.iter().any(|w| w.text.contains(['$', '%', '=']));
    let (Some(colon), false) = (colon, odd) else {
        warnings.push(
            Diagnostic::warning("this line of lab.dep is ignored")
                .at(source.at(first.span.clone()))
                .help("write `machine: machines that it waits for`"),
        );
        return;
    };
    if first.text.starts_with('.') {
        return;
    }
    for node in &words[..colon] {
        for needs in words[colon + 1..]
            .iter()
            .filter(|w| !matches!(w.text.as_str(), ":" | "|"))
        {
            out.push(Dependency {
                node: node.clone(),
                needs: needs.clone(),
            });
        }
    }
}

/// Lines as make sees them, in words, colons being words of their own. Lines that begin with a
/// tab are commands of a rule.
fn logical_lines(text: &str) -> Vec<Vec<Word>> {
    let mut out: Vec<Vec<Word>> = Vec::new();
    let mut continued = false;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let body = line.trim_end_matches(['\n', '\r']);
        let command = body.starts_with('\t') && !continued && !body.trim().contains(':');
        let body = body.split('#').next().unwrap_or(body);
        let (body, goes_on) = match body.trim_end().strip_suffix('\\') {
            Some(body) => (body, true),
            None => (body, false),
        };
        if !continued {
            out.push(Vec::new());
        }
        if let (Some(last), false) = (out.last_mut(), command) {
            split(body, start, last);
        }
        continued = goes_on;
        start += line.len();
    }
    out
}

fn split(text: &str, start: usize, out: &mut Vec<Word>) {
    let mut from = None;
    let mut push = |range: std::ops::Range<usize>| {
        out.push(Word {
            text: text[range.clone()].to_string(),
            span: start + range.start..start + range.end,
        });
    };
    for (i, c) in text.char_indices() {
        if !(c == ':' || c.is_whitespace()) {
            from = from.or(Some(i));
            continue;
        }
        if let Some(from) = from.take() {
            push(from..i);
        }
        if c == ':' {
            push(i..i + 1);
        }
    }
    if let Some(from) = from {
        push(from..text.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let source = Source::new("lab.dep", text);
        let (all, _) = parse(&source);
        for d in &all {
            assert_eq!(source.at(d.node.span.clone()).text(), d.node.text);
            assert_eq!(source.at(d.needs.span.clone()).text(), d.needs.text);
        }
        all.into_iter()
            .map(|d| (d.node.text, d.needs.text))
            .collect()
    }

    #[test]
    fn rules_of_make() {
        let is = |text: &str, want: &[(&str, &str)]| {
            let want: Vec<_> = want
                .iter()
                .map(|(a, b)| ((*a).into(), (*b).into()))
                .collect();
            assert_eq!(pairs(text), want, "{text}");
        };
        is("a: b c # first\r\n", &[("a", "b"), ("a", "c")]);
        is("a:b c", &[("a", "b"), ("a", "c")]);
        is("a b: c", &[("a", "c"), ("b", "c")]);
        is(
            "a :: \\\n  b \\\r\n c\nd: a",
            &[("a", "b"), ("a", "c"), ("d", "a")],
        );
        is("# a: b\n\na:\n\techo hi\n.PHONY: a", &[]);
        is("X = 1\na: $(X)\n", &[]);
    }

    #[test]
    fn what_is_ignored_is_said() {
        let (_, warnings) = parse(&Source::new("lab.dep", "hello\na: $(X)\n"));
        assert_eq!(warnings.iter().count(), 2);
    }
}
