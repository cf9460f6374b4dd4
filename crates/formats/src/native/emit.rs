//! Writes YAML as a person would: short lists and mappings on one line, long texts as blocks.

use serde_json::Value;

/// Columns that a line should not go beyond.
const WIDTH: usize = 90;

/// A value as YAML text. Where `open` says so for the keys that lead to it, a mapping or a list
/// and the mappings in it are not put on one line.
pub(super) fn emit(value: &Value, open: &dyn Fn(&[&str]) -> bool) -> String {
    let mut out = Emitter {
        text: String::new(),
        open,
    };
    match value {
        Value::Object(map) if !map.is_empty() => out.map(map, 0, &mut Vec::new()),
        other => out.text.push_str(&flow(other)),
    }
    if !out.text.ends_with('\n') {
        out.text.push('\n');
    }
    out.text
}

struct Emitter<'a> {
    text: String,
    open: &'a dyn Fn(&[&str]) -> bool,
}

type Map = serde_json::Map<String, Value>;

impl Emitter<'_> {
    fn map<'v>(&mut self, map: &'v Map, indent: usize, path: &mut Vec<&'v str>) {
        for (i, (key, value)) in map.iter().enumerate() {
            if i > 0 || !self.text.ends_with("- ") {
                self.text.push_str(&" ".repeat(indent));
            }
            let key_text = scalar(key, false);
            self.text.push_str(&key_text);
            self.text.push(':');
            path.push(key);
            self.value(value, indent, indent + key_text.len() + 2, path);
            path.pop();
        }
    }

    /// A value after `key:` or `-`; `column` is where it would begin on this line.
    fn value<'v>(
        &mut self,
        value: &'v Value,
        indent: usize,
        column: usize,
        path: &mut Vec<&'v str>,
    ) {
        let open = (self.open)(path);
        match value {
            Value::Null => self.text.push('\n'),
            Value::String(text) if is_block(text) => self.block(text, indent + 2),
            Value::Object(map) if !map.is_empty() && (open || !fits(value, column)) => {
                self.text.push('\n');
                self.map(map, indent + 2, path);
            }
            Value::Array(list) if !list.is_empty() && (open || !fits(value, column)) => {
                self.text.push('\n');
                self.list(list, indent + 2, path);
            }
            other => {
                let text = match other {
                    Value::String(text) => scalar(text, false),
                    other => flow(other),
                };
                self.text.push(' ');
                self.text.push_str(&text);
                self.text.push('\n');
            }
        }
    }

    fn list<'v>(&mut self, list: &'v [Value], indent: usize, path: &mut Vec<&'v str>) {
        let open = (self.open)(path);
        for value in list {
            self.text.push_str(&" ".repeat(indent));
            self.text.push('-');
            match value {
                Value::Object(map) if !map.is_empty() && (open || !fits(value, indent + 2)) => {
                    self.text.push(' ');
                    self.map(map, indent + 2, path);
                }
                other => self.value(other, indent, indent + 2, path),
            }
        }
    }

    /// A text of several lines, which are kept as they are.
    fn block(&mut self, text: &str, indent: usize) {
        let (body, chomp) = match text.strip_suffix('\n') {
            Some(body) if body.ends_with('\n') => (body, "+"),
            Some(body) => (body, ""),
            None => (text, "-"),
        };
        self.text.push_str(" |");
        self.text.push_str(chomp);
        self.text.push('\n');
        for line in body.split('\n') {
            if !line.is_empty() {
                self.text.push_str(&" ".repeat(indent));
                self.text.push_str(line);
            }
            self.text.push('\n');
        }
    }
}

/// Whether a text can be written as a block: several lines, nothing that a block cannot hold,
/// and a first line that shows the block's depth.
fn is_block(text: &str) -> bool {
    let plain = |c: char| c == '\n' || c == '\t' || (!c.is_control() && !is_odd(c));
    text.trim_end_matches('\n').contains('\n')
        && text.chars().all(plain)
        && !text.starts_with([' ', '\n', '\t'])
}

/// Characters that YAML takes for line ends or does not print.
fn is_odd(c: char) -> bool {
    matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// Whether a value fits on the rest of a line, and is simple enough to be read there.
fn fits(value: &Value, column: usize) -> bool {
    depth(value) <= 2 && !has_lines(value) && column + flow(value).chars().count() <= WIDTH
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn has_lines(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.iter().any(has_lines),
        Value::Object(map) => map.values().any(has_lines),
        Value::String(text) => is_block(text),
        _ => false,
    }
}

/// A value on one line.
fn flow(value: &Value) -> String {
    match value {
        Value::Array(list) => {
            let parts: Vec<String> = list.iter().map(flow).collect();
            format!("[{}]", parts.join(", "))
        }
        Value::Object(map) => {
            let parts: Vec<String> = map
                .iter()
                .map(|(k, v)| match v {
                    Value::Null => format!("{}: null", scalar(k, true)),
                    v => format!("{}: {}", scalar(k, true), flow(v)),
                })
                .collect();
            format!("{{{}}}", parts.join(", "))
        }
        Value::String(text) => scalar(text, true),
        Value::Number(n) => {
            let text = n.to_string();
            text.strip_suffix(".0").unwrap_or(&text).to_string()
        }
        other => other.to_string(),
    }
}

/// A text as a scalar, in quotes where it would be read as something else without.
fn scalar(text: &str, in_flow: bool) -> String {
    match is_plain(text, in_flow) {
        true => text.to_string(),
        false => quoted(text),
    }
}

fn is_plain(text: &str, in_flow: bool) -> bool {
    let first = |c: char| c.is_alphanumeric() || "_./$(".contains(c);
    let inside = |c: char| {
        c.is_alphanumeric()
            || " _./+-=()@%^~$;<>|*&!?\\'".contains(c)
            || c == ':'
            || (!in_flow && ",[]{}\"#".contains(c))
    };
    let safe = text.starts_with(first)
        && text.chars().all(inside)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #");
    // in `{a: fd00::}` and the like a colon before a flow mark would end the scalar
    safe && !is_word_of_yaml(text) && text.len() < 400
}

/// Whether YAML readers take it for something else than text: numbers, truth values, nothing,
/// dates, sexagesimal numbers (which MAC addresses and times look like).
fn is_word_of_yaml(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let number = |c: char| c.is_ascii_digit() || "._:+-ex".contains(c) || ('a'..='f').contains(&c);
    matches!(
        lower.as_str(),
        "" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n" | "null" | ".nan" | ".inf"
    ) || lower.parse::<f64>().is_ok()
        || ((lower.starts_with(|c: char| c.is_ascii_digit()) || lower.starts_with('.'))
            && lower.chars().all(number)
            && lower.matches('.').count() < 3
            && !lower.contains("::"))
}

/// A text in double quotes.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() || is_odd(c) => out.push_str(&format!("\\U{:08x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn short_things_stay_on_a_line() {
        let value = json!({
            "a": {"b": 1, "c": ["x", "z"]},
            "text": "one\ntwo\n",
            "deep": {"a": {"b": {"c": {"d": 1}}}},
            "list": [{"long": "x".repeat(60), "longer": "y".repeat(60)}],
        });
        let (x, y) = ("x".repeat(60), "y".repeat(60));
        let want = format!(
            "a: {{b: 1, c: [x, z]}}\ntext: |\n  one\n  two\ndeep:\n  a:\n    b: {{c: {{d: 1}}}}\nlist:\n  - long: {x}\n    longer: {y}\n"
        );
        assert_eq!(emit(&value, &|_| false), want);
    }

    #[test]
    fn what_is_read_otherwise_is_quoted() {
        for text in [
            "",
            "1",
            "1.0",
            "true",
            "No",
            "~",
            "null",
            "02:00:00:00:00:01",
            "2020-01-01",
            "a: b",
            "a #b",
            " a",
            "a:",
            "- a",
            "*a",
            "\"",
            "0x10",
            "1e3",
            "é\u{85}",
        ] {
            assert!(scalar(text, false).starts_with('"'), "{text}");
        }
        for text in [
            "10.0.0.1/24",
            "fd00::1/64",
            "kathara/frr",
            "ip link set eth0 up",
            "r1",
        ] {
            assert_eq!(scalar(text, true), text);
        }
    }
}
