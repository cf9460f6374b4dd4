//! Configurations of the corpus: all are read, and printed so that they read the same again.

#![expect(clippy::print_stderr, reason = "a skipped test must say so")]

use std::path::{Path, PathBuf};

use click::{Options, Router, parse};

fn corpus() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let folder = std::env::var_os("TELAIO_CORPUS").map_or(beside, PathBuf::from);
    let folder = folder.join("click");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no corpus folder");
    None
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
}

fn flatten(text: &str, name: &str) -> Result<Router, String> {
    parse(text, name, &Options::default()).map_err(|p| p.to_string())
}

#[test]
fn every_configuration_flattens_to_what_flattens_to_itself() {
    let Some(folder) = corpus() else { return };
    let mut failed = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(folder.join("conf")).unwrap() {
        let path = entry.unwrap().path();
        count += 1;
        match flatten(&read(&path), &path.to_string_lossy()) {
            Ok(router) => {
                let once = router.unparse(true);
                let again = flatten(&once, "again").expect("what was printed is read");
                assert_eq!(again.unparse(false), router.unparse(false), "{path:?}");
            }
            Err(problems) => failed.push(problems),
        }
    }
    assert!(count > 10, "{count} configurations");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// The sections of a test file whose header begins with these words, by name.
fn sections(text: &str, kind: &str) -> Vec<(String, String)> {
    let mut list: Vec<(String, String)> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        if let Some(header) = line.strip_prefix('%') {
            let mut words = header.split_whitespace();
            open = words.next() == Some(kind);
            if open {
                list.push((words.collect::<Vec<_>>().join(" "), String::new()));
            }
        } else if open && let Some((_, body)) = list.last_mut() {
            body.push_str(line);
            body.push('\n');
        }
    }
    list
}

/// Chains on one line, comments gone, sorted: as the tests compare them.
fn normal(text: &str) -> Vec<String> {
    let text = text.replace("\n    ", " ");
    let lines = text
        .lines()
        .filter(|l| !l.starts_with('#') && !l.is_empty());
    let mut lines: Vec<String> = lines.map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn lists_of_ports_connect_as_expected() {
    let Some(folder) = corpus() else { return };
    let text = read(&folder.join("test/tools/lexer-04.clicktest"));
    let expected = sections(&text, "expect");
    let mut said = String::new();
    let mut compared = 0;
    for (name, body) in sections(&text, "file") {
        let output = format!("{}O_TOOL", name.trim_end_matches(".click"));
        let wanted = expected.iter().find(|(n, _)| n.starts_with(&output));
        match flatten(&body, &name) {
            Ok(router) => {
                let (_, wanted) = wanted.expect("an expectation for a good file");
                assert_eq!(normal(&router.unparse(true)), normal(wanted), "{name}");
                compared += 1;
            }
            Err(problems) => said.push_str(&problems),
        }
    }
    assert!(compared >= 3);
    let (_, wanted) = expected.iter().find(|(n, _)| n == "stderr").unwrap();
    assert!(!said.is_empty());
    for line in wanted.lines() {
        assert!(said.contains(line), "{line} in {said}");
    }
}
