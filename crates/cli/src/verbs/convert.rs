//! `telaio convert`.

use std::path::PathBuf;

use crate::args::Common;
use crate::failure::{Failure, Outcome};
use crate::loaded::{self, How};
use crate::ui;

const EXAMPLES: &str = "\
Examples:
  telaio convert labs/ospf                                    on standard output
  telaio convert labs/ospf -o labs/ospf/telaio.yaml           beside the original
  telaio convert labs/ospf --json | jq '.nodes | keys'        the model as JSON

The result refers to the lab's files by paths relative to its folder: put it there. What could
not be kept is told as a warning.";

/// Write any lab as telaio.yaml
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The lab's folder or main file
    #[arg(value_name = "LAB", default_value = ".")]
    path: PathBuf,
    /// Write to this file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(short, long, requires = "output")]
    force: bool,
    #[command(flatten)]
    how: How,
}

/// Does it.
pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let read = loaded::read(&args.path, &args.how)?;
    loaded::tell(&read.diagnostics, common.verbose > 0);
    let text = match common.json {
        true => serde_json::to_string_pretty(&read.lab)
            .map(|t| t + "\n")
            .map_err(|e| e.to_string()),
        false => formats::to_yaml(&read.lab),
    };
    let text = text.map_err(|e| Failure::failed(format!("the lab cannot be written: {e}")))?;
    write(&text, args.output.as_ref(), args.force)?;
    Ok(0)
}

/// Writes to a file or standard output.
pub(crate) fn write(text: &str, output: Option<&PathBuf>, force: bool) -> Result<(), Failure> {
    use std::io::Write;
    let Some(path) = output else {
        ui::out(text);
        return Ok(());
    };
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    if !force {
        options.create_new(true);
    }
    let written = options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|e| match e.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::usage(format!("{} is there already", path.display()))
                .help("--force writes over it")
        }
        _ => Failure::io("writing", path.display(), &e),
    })
}
