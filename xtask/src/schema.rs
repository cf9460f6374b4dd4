//! The JSON Schema of `telaio.yaml`, as a file that editors can be pointed at.

use std::fs;

use anyhow::{Context, Result, bail};

const FILE: &str = "docs/telaio.schema.json";

/// Writes the schema; with `--check`, compares instead.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    match arguments {
        [] => {
            let path = crate::root().join(FILE);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&path, text()?).with_context(|| format!("writing {FILE}"))
        }
        [check] if check == "--check" => check_file(),
        other => bail!("schema takes `--check` or nothing, not {other:?}"),
    }
}

fn text() -> Result<String> {
    let mut text = serde_json::to_string_pretty(&formats::schema())?;
    text.push('\n');
    Ok(text)
}

fn check_file() -> Result<()> {
    let there = fs::read_to_string(crate::root().join(FILE)).unwrap_or_default();
    if there != text()? {
        bail!("{FILE} is not what the model says: run `cargo xtask schema`");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_file_is_what_the_model_says() {
        super::check_file().unwrap();
    }
}
