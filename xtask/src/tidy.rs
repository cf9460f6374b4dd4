//! The rules of CONTRIBUTING.md that a program can check: which crate may use which, where
//! system calls and clocks are, how large files are, what no file holds.

mod floors;
mod sources;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// A broken rule: where and what.
pub(crate) type Broken = String;

/// Says which rules are broken; an error if any is.
pub(crate) fn run() -> Result<()> {
    let broken = check(&crate::root())?;
    if broken.is_empty() {
        return Ok(());
    }
    for line in &broken {
        println!("{line}");
    }
    bail!("{} rules are broken (see CONTRIBUTING.md)", broken.len());
}

fn check(root: &Path) -> Result<Vec<Broken>> {
    let mut out = floors::check(root)?;
    for folder in ["crates", "xtask"] {
        for file in sources(&root.join(folder))? {
            let text = std::fs::read_to_string(&file)?;
            let shown = file.strip_prefix(root).unwrap_or(&file);
            out.extend(sources::check(shown, &text));
        }
    }
    Ok(out)
}

/// All Rust files below a folder, sorted.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut out = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                if path.file_name().is_none_or(|n| n != "target") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|e| e == "rs") {
                out.push(path);
            }
        }
    }
    out.sort();
    Ok(out)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_rules_of_the_house_hold() {
        let broken = super::check(&crate::root()).unwrap();
        assert!(broken.is_empty(), "\n{}", broken.join("\n"));
    }
}
