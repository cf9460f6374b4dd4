//! Which crate may use which: only those on lower floors.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Broken;

/// Each crate's floor (ARCHITECTURE.md).
const FLOORS: &[(&str, u32)] = &[
    ("diag", 0),
    ("lab", 1),
    ("packet", 1),
    ("sys", 1),
    ("click", 1),
    ("formats", 2),
    ("plan", 2),
    ("sandbox", 2),
    ("dataplane", 2),
    ("panel", 3),
    ("nodes", 4),
    ("check", 4),
    ("supervisor", 5),
    ("cli", 7),
];

/// For tests only: on no floor, used by nobody but as a development dependency.
const TESTKIT: &str = "testkit";

/// Crates that no crate but these may use: `libc` stays where `unsafe` is.
const KEPT: &[(&str, &str)] = &[("libc", "sys"), ("serde-saphyr", "diag")];

pub(super) fn check(root: &Path) -> Result<Vec<Broken>> {
    let floors: BTreeMap<&str, u32> = FLOORS.iter().copied().collect();
    let mut out = Vec::new();
    let mut seen = 0;
    for entry in fs::read_dir(root.join("crates"))? {
        let folder = entry?.path();
        let name = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let manifest = folder.join("Cargo.toml");
        let text = fs::read_to_string(&manifest)
            .with_context(|| format!("reading {}", manifest.display()))?;
        seen += 1;
        out.extend(edges(&name, &dependencies(&text), &floors));
    }
    if seen != FLOORS.len() + 1 {
        out.push(format!(
            "crates/ has {seen} crates, and xtask knows {}",
            FLOORS.len() + 1
        ));
    }
    Ok(out)
}

fn edges(name: &str, uses: &[String], floors: &BTreeMap<&str, u32>) -> Vec<Broken> {
    let mut out = Vec::new();
    let own = match floors.get(name) {
        Some(floor) => *floor,
        None if name == TESTKIT => u32::MAX,
        None => {
            return vec![format!(
                "crates/{name}: has no floor in xtask/src/tidy/floors.rs"
            )];
        }
    };
    for used in uses {
        let too_high = floors.get(used.as_str()).is_some_and(|floor| *floor >= own);
        if too_high || used == TESTKIT {
            out.push(format!(
                "crates/{name}: may not use `{used}`, which is on no lower floor"
            ));
        }
        for (kept, home) in KEPT {
            if used == kept && name != *home {
                out.push(format!(
                    "crates/{name}: may not use `{kept}`; only `{home}` does"
                ));
            }
        }
    }
    out
}

/// Names under `[dependencies]` and its like for targets; not those of tests.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut inside = false;
    let mut out = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            let section = section.trim_end_matches(']');
            inside = section == "dependencies" || section.ends_with(".dependencies");
        } else if inside && !line.starts_with('#') {
            let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
            if !name.is_empty() {
                out.push(name.to_string());
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_downwards() {
        let floors: BTreeMap<&str, u32> = FLOORS.iter().copied().collect();
        let of = |name: &str, manifest: &str| edges(name, &dependencies(manifest), &floors).len();
        assert_eq!(
            of("plan", "[dependencies]\nlab.workspace = true\ndiag = {}\n"),
            0
        );
        assert_eq!(of("plan", "[dependencies]\nformats.workspace = true\n"), 1);
        assert_eq!(
            of("plan", "[dev-dependencies]\nformats.workspace = true\n"),
            0
        );
        assert_eq!(of("lab", "[dependencies]\nlibc = \"1\"\n"), 1);
        assert_eq!(of("sys", "[dependencies]\nlibc = \"1\"\n"), 0);
        assert_eq!(of("nobody", ""), 1);
    }
}
