//! The lines of a `lab.conf`, in the union of what its three dialects take:
//!
//! ```text
//! line    = blank* (assign | meta | "#" any | nothing)
//! assign  = machine "[" arg "]" blank* "=" blank* value
//! meta    = ("LAB_" word | "machines") blank* "=" blank* value
//! value   = ('"' any '"' | "'" any "'") blank* ["#" any] | any [blank "#" any]
//! ```
//!
//! Anything else is junk, which Netkit reads over and Kathara refuses.

use diag::{Source, Span};

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// `machine[arg]=value`.
    Assign {
        machine: Word,
        arg: Word,
        value: Value,
    },
    /// `LAB_NAME=value`, `machines=value`.
    Meta { key: Word, value: Value },
    /// A line that is none of these.
    Junk(Span),
    /// A line that starts as an assignment and then goes wrong.
    Broken { span: Span, why: Broken },
}

/// The right-hand side of an assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    /// Without quotes, comment and blanks around it.
    pub(crate) word: Word,
    /// Whether it stood in quotes.
    pub(crate) quoted: bool,
    /// Where a comment follows it.
    pub(crate) comment: Option<Span>,
    /// Whether there are blanks around the `=`.
    pub(crate) spaced: bool,
    /// Whether more follows on the same line, as a line of its own.
    pub(crate) more: bool,
}

/// How an assignment is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The quote that opens the value has no partner.
    Quote,
    /// Text follows the closing quote.
    Rest,
    /// A bracket is missing or misplaced.
    Bracket,
    /// There is no `=` after the bracket.
    Equals,
}

/// All lines that say something.
pub(crate) fn lines(source: &Source) -> Vec<Line> {
    let mut out = Vec::new();
    let mut start = 0;
    for text in source.text().split_inclusive('\n') {
        line(text, start, &mut out);
        start += text.len();
    }
    out
}

fn line(text: &str, start: usize, out: &mut Vec<Line>) {
    let word = trimmed(text, start);
    if word.text.is_empty() || word.text.starts_with('#') {
        return;
    }
    let Some(parsed) = meta(&word) else {
        out.push(assign(&word));
        return;
    };
    // an assignment on the same line, as an editor leaves it that lost a line end
    let more = match &parsed {
        Line::Meta { value, .. } if value.more => {
            let from = value.word.span.end + 1;
            Some(assign(&trimmed(&text[from - start..], from)))
        }
        _ => None,
    };
    out.push(parsed);
    out.extend(more);
}

fn trimmed(text: &str, start: usize) -> Word {
    let body = text.trim_start();
    let start = start + text.len() - body.len();
    let text = body.trim_end().to_string();
    Word {
        span: start..start + text.len(),
        text,
    }
}

/// `KEY=value` without brackets before the `=`.
fn meta(line: &Word) -> Option<Line> {
    let (left, right) = line.text.split_once('=')?;
    let key = trimmed(left, line.span.start);
    let known = key.text.starts_with("LAB_") || key.text == "machines";
    let word = key
        .text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !known || !word {
        return None;
    }
    let at = line.span.start + left.len() + 1;
    // what Kathara would refuse here harms nothing: text about the lab
    let spaced = left.len() > key.text.len();
    let value = value(right, at, spaced, true).unwrap_or_else(|_| Value {
        word: trimmed(right, at),
        quoted: false,
        comment: None,
        spaced: false,
        more: false,
    });
    Some(Line::Meta { key, value })
}

fn assign(line: &Word) -> Line {
    let (text, start) = (line.text.as_str(), line.span.start);
    let broken = |why| Line::Broken {
        span: line.span.clone(),
        why,
    };
    let equals = text.find('=');
    let Some(open) = text.find('[').filter(|o| equals.is_none_or(|e| *o < e)) else {
        // `r1 0]=A` was meant to be one, `see http://x/?a=b` was not
        return match equals {
            Some(e) if text[..e].trim_end().ends_with(']') => broken(Broken::Bracket),
            _ => Line::Junk(line.span.clone()),
        };
    };
    let machine = trimmed(&text[..open], start);
    let Some(close) = text[open..].find(']').map(|c| open + c) else {
        return match (equals, machine.text.contains(char::is_whitespace)) {
            (Some(_), false) => broken(Broken::Bracket),
            _ => Line::Junk(line.span.clone()),
        };
    };
    if equals.is_some_and(|e| e < close) {
        return broken(Broken::Bracket);
    }
    let after = &text[close + 1..];
    let Some(right) = after.trim_start().strip_prefix('=') else {
        return match open == 0 || text[..open].contains(char::is_whitespace) {
            true => Line::Junk(line.span.clone()),
            false => broken(Broken::Equals),
        };
    };
    let at = start + text.len() - right.len();
    match value(right, at, after.len() > right.len() + 1, false) {
        Ok(value) => Line::Assign {
            machine,
            arg: trimmed(&text[open + 1..close], start + open + 1),
            value,
        },
        Err(why) => broken(why),
    }
}

/// Reads what follows an `=` at byte `start`; whether an assignment may follow on the line.
fn value(text: &str, start: usize, spaced: bool, more_may: bool) -> Result<Value, Broken> {
    let body = trimmed(text, start);
    let spaced = spaced || text.starts_with([' ', '\t']);
    let Some(quote) = body.text.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        return Ok(plain(body, spaced));
    };
    let inner = &body.text[1..];
    let end = inner.find(quote).ok_or(Broken::Quote)?;
    let rest = trimmed(&inner[end + 1..], body.span.start + end + 2);
    let comment = rest.text.starts_with('#').then(|| rest.span.clone());
    let more = comment.is_none() && !rest.text.is_empty();
    if more && !(more_may && matches!(assign(&rest), Line::Assign { .. })) {
        return Err(Broken::Rest);
    }
    let at = body.span.start + 1;
    Ok(Value {
        word: Word {
            text: inner[..end].to_string(),
            span: at..at + end,
        },
        quoted: true,
        comment,
        spaced,
        more,
    })
}

/// A value without quotes; a `#` after a blank begins a comment.
fn plain(body: Word, spaced: bool) -> Value {
    let hash = body
        .text
        .match_indices('#')
        .map(|(i, _)| i)
        .find(|i| *i == 0 || body.text[..*i].ends_with([' ', '\t']));
    let (text, comment) = match hash {
        Some(i) => (&body.text[..i], Some(body.span.start + i..body.span.end)),
        None => (body.text.as_str(), None),
    };
    Value {
        word: trimmed(text, body.span.start),
        quoted: false,
        comment,
        spaced,
        more: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Line {
        let mut all = lines(&Source::new("lab.conf", text));
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    fn assigned(text: &str) -> (String, String, String) {
        match one(text) {
            Line::Assign {
                machine,
                arg,
                value,
            } => (machine.text, arg.text, value.word.text),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn assignments_of_all_dialects() {
        let is = |text: &str, m: &str, a: &str, v: &str| {
            assert_eq!(assigned(text), (m.into(), a.into(), v.into()), "{text}");
        };
        is("r1[0]=A\r\n", "r1", "0", "A");
        is("  r1[0] = \"A\"   # to r2", "r1", "0", "A");
        is("pc-A[mem]='64'", "pc-A", "mem", "64");
        is("r1[1]=B # comment", "r1", "1", "B");
        is("r1[exec]=\"echo '[x]=1'\"", "r1", "exec", "echo '[x]=1'");
        is("r1[sysctl]=net.a.b=1", "r1", "sysctl", "net.a.b=1");
        is("r1[1]=B#2", "r1", "1", "B#2");
        is("r1[0]=", "r1", "0", "");
    }

    #[test]
    fn junk_and_broken_lines_are_told_apart() {
        let broken = |text: &str, why| {
            assert!(
                matches!(one(text), Line::Broken { why: w, .. } if w == why),
                "{text}: {:?}",
                one(text)
            );
        };
        broken("r1[0]=\"A", Broken::Quote);
        broken("r1[0]=\"A\" B", Broken::Rest);
        broken("r1[0=A", Broken::Bracket);
        broken("r1 0]=A", Broken::Bracket);
        broken("r1[0=]A", Broken::Bracket);
        broken("r1[0]A", Broken::Equals);
        for junk in [
            "the routers",
            "see http://x/?a=b",
            "two [or more] routers",
            "=====",
        ] {
            assert!(matches!(one(junk), Line::Junk(_)), "{junk}");
        }
    }

    #[test]
    fn a_second_assignment_on_a_line_is_read() {
        let all = lines(&Source::new(
            "lab.conf",
            "LAB_AUTHOR=\"me\"r1[0]=A\nr1[1]=B",
        ));
        assert_eq!(all.len(), 3, "{all:?}");
        assert!(matches!(&all[1], Line::Assign { machine, .. } if machine.span == (15..17)));
    }

    #[test]
    fn spans_are_those_of_the_text() {
        let source = Source::new("lab.conf", "# é\n  r1[0]=\"A\"\n");
        let Line::Assign {
            machine,
            arg,
            value,
        } = &lines(&source)[0]
        else {
            panic!("no assignment");
        };
        for word in [machine, arg, &value.word] {
            assert_eq!(source.at(word.span.clone()).text(), word.text);
        }
    }
}
