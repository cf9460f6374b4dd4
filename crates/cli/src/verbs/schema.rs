//! `telaio schema`.

use std::path::PathBuf;

use crate::args::Common;
use crate::failure::Outcome;

use super::convert;

const EXAMPLES: &str = "\
Examples:
  telaio schema -o telaio.schema.json

An editor with the YAML language server completes and checks a telaio.yaml whose first line is
  # yaml-language-server: $schema=telaio.schema.json";

/// Print the JSON Schema of telaio.yaml
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// Write to this file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Does it.
pub(crate) fn run(args: &Args, _common: &Common) -> Outcome {
    let text = format!("{:#}\n", formats::schema());
    convert::write(&text, args.output.as_ref(), true)?;
    Ok(0)
}
