//! What a source file may hold.

use std::path::Path;

use super::Broken;

/// Crates that are pure: time is passed in.
const PURE: &[&str] = &["diag", "lab", "formats", "plan", "packet", "click"];

/// Most lines of a file, its tests aside.
const LONGEST: usize = 800;

/// Words that no file holds, and what is to be done instead. Written in two parts, so that this
/// file does not hold them either.
const FORBIDDEN: &[(&str, &str, &str)] = &[
    ("TO", "DO", "do it, or file an issue"),
    ("FIX", "ME", "mend it, or file an issue"),
    ("unimple", "mented!", "write it"),
    ("todo", "!(", "write it"),
    ("dbg", "!(", "use tracing"),
    ("#[al", "low(", "mend it, or use #[expect(…, reason = …)]"),
];

pub(super) fn check(path: &Path, text: &str) -> Vec<Broken> {
    let mut out = Vec::new();
    let mut say =
        |line: usize, what: String| out.push(format!("{}:{line}: {what}", path.display()));
    if !text.starts_with("//!") && !is_test(path) {
        say(
            1,
            "begins without a `//!` header that says what it is".into(),
        );
    }
    let length = text
        .lines()
        .take_while(|l| !l.starts_with("#[cfg(test)]"))
        .count();
    if length > LONGEST {
        say(
            1,
            format!("has {length} lines; {LONGEST} are the most: what is it really two of?"),
        );
    }
    let name = crate_of(path);
    for (number, line) in (1..).zip(text.lines()) {
        for (a, b, instead) in FORBIDDEN {
            if line.contains(&format!("{a}{b}")) {
                say(number, format!("holds `{a}{b}`: {instead}"));
            }
        }
        let code = code(line);
        if name != "sys" && (has_word(&code, "unsafe") || has_word(&code, "libc")) {
            say(
                number,
                "system calls and `unsafe` are for crates/sys".into(),
            );
        }
        let reads_clock = code.contains("Instant::now") || code.contains("SystemTime::now");
        if PURE.contains(&name) && reads_clock && !is_test(path) {
            say(
                number,
                "reads the clock in a pure crate: take the time as an argument".into(),
            );
        }
    }
    out
}

/// Whether it is a file of tests: those are read beside what they test.
fn is_test(path: &Path) -> bool {
    path.ends_with("tests.rs") || path.components().any(|c| c.as_os_str() == "tests")
}

fn crate_of(path: &Path) -> &str {
    let mut parts = path.iter().filter_map(|p| p.to_str());
    match parts.next() {
        Some("crates") => parts.next().unwrap_or_default(),
        other => other.unwrap_or_default(),
    }
}

/// A line without comments and strings, as far as one line tells.
fn code(line: &str) -> String {
    let mut out = String::new();
    for (number, part) in line.replace("\\\"", "").split('"').enumerate() {
        if number % 2 == 0 {
            match part.split_once("//") {
                Some((before, _)) => return out + before,
                None => out.push_str(part),
            }
        }
    }
    out
}

fn has_word(code: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str, text: &str) -> usize {
        check(Path::new(path), text).len()
    }

    #[test]
    fn each_rule_is_seen() {
        assert_eq!(broken("crates/lab/src/a.rs", "//! a\nfn f() {}\n"), 0);
        assert_eq!(broken("crates/lab/src/a.rs", "fn f() {}\n"), 1);
        assert_eq!(broken("crates/lab/tests/a.rs", "fn f() {}\n"), 0);
        assert_eq!(broken("crates/lab/src/a.rs", "//! a\nunsafe { x }\n"), 1);
        assert_eq!(broken("crates/sys/src/a.rs", "//! a\nunsafe { x }\n"), 0);
        assert_eq!(
            broken(
                "crates/lab/src/a.rs",
                "//! a\n// unsafe libc\nlet x = \"unsafe\";\n"
            ),
            0
        );
        assert_eq!(
            broken("crates/plan/src/a.rs", "//! a\nlet t = Instant::now();\n"),
            1
        );
        assert_eq!(
            broken("crates/check/src/a.rs", "//! a\nlet t = Instant::now();\n"),
            0
        );
        let marked = format!("//! a\n// TO{}: later\n", "DO");
        assert_eq!(broken("crates/lab/src/a.rs", &marked), 1);
        let long = format!("//! a\n{}", "x\n".repeat(LONGEST));
        assert_eq!(broken("crates/lab/src/a.rs", &long), 1);
    }
}
