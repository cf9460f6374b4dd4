//! `telaio doctor`.

use std::path::PathBuf;

use sandbox::tools::layers;
use sys::features::Features;

use crate::args::Common;
use crate::failure::{FAILED, Failure, Outcome};
use crate::loaded::{self, How};
use crate::{doctor, ui};

const EXAMPLES: &str = "\
Examples:
  telaio doctor              what this host can do, as who you are
  sudo telaio doctor         as root
  telaio doctor labs/ospf    and whether that lab can run

Everything is tried, not guessed; each thing that does not work comes with what mends it. Exit
status: 0 labs (or the lab) can run, 1 they cannot.";

/// Try what this host can do for labs
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// A lab whose needs to compare
    #[arg(value_name = "LAB")]
    path: Option<PathBuf>,
    #[command(flatten)]
    how: How,
}

/// Does it.
pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let features = Features::try_all();
    let report = doctor::Report::of(&features);
    let mut document = report.json();
    let mut usable = report.usable();
    if !common.json {
        ui::out(&report.text(ui::color()));
    }
    if let Some(path) = &args.path {
        let read = loaded::read(path, &args.how)?;
        let layers = layers().map_err(|e| Failure::usage(e.to_string()))?;
        let (size, wanting) = doctor::of_lab(&read.lab, &read.snapshot, &features, &layers, &[]);
        usable &= !wanting.has_errors();
        document["lab"] = wanting.to_json();
        if !common.json {
            ui::out(&format!("\n{}", doctor::size_line(&size)));
            ui::out(&wanting.render(ui::color()));
        }
    }
    if common.json {
        ui::json(&document);
    }
    Ok(if usable { 0 } else { FAILED })
}
