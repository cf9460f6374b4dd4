//! Project chores: `cargo xtask NAME`. Each is a module of its own; this file only finds it.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal of whoever works on the project"
)]

mod bench;
mod schema;
mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
cargo xtask NAME [ARGUMENTS]

  test [--fast]      everything that must hold: rules, format, lints, tests, docs, real labs
  tidy               the rules of CONTRIBUTING.md
  schema [--check]   writes docs/telaio.schema.json, or says whether it is as it should be
  bench NAME         measures, see `cargo xtask bench`";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let Some((name, rest)) = arguments.split_first() else {
        bail!("{HELP}");
    };
    match name.as_str() {
        "test" => test::run(rest),
        "tidy" => tidy::run(),
        "schema" => schema::run(rest),
        "bench" => bench::run(rest),
        _ => bail!("there is no chore `{name}`\n\n{HELP}"),
    }
}

/// The workspace's folder.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}
