//! `telaio graph`.

use std::path::PathBuf;

use clap::ValueEnum;
use lab::Lab;

use crate::args::Common;
use crate::failure::{Failure, Outcome};
use crate::loaded::{self, How};
use crate::{choose, graph, ui};

use super::convert;

const EXAMPLES: &str = "\
Examples:
  telaio graph | dot -Tpdf >lab.pdf          the running lab, drawn by Graphviz
  telaio graph labs/ospf -f svg -o ospf.svg  a lab that need not run, as a picture
  telaio graph labs/ospf -f mermaid          for Markdown pages";

/// Draw a lab
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The lab's folder or main file; a running lab without
    #[arg(value_name = "LAB")]
    path: Option<PathBuf>,
    /// As what; by default as the output file is called, else Graphviz
    #[arg(short, long, value_enum)]
    format: Option<Format>,
    /// Write to this file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    how: How,
}

/// A language of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Graphviz
    #[value(alias = "graphviz")]
    Dot,
    /// Mermaid
    Mermaid,
    /// A picture
    Svg,
}

/// Does it.
pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let lab = match &args.path {
        Some(path) => {
            let read = loaded::read(path, &args.how)?;
            loaded::tell(&read.diagnostics, common.verbose > 0);
            let name = loaded::name(None, &read)?;
            Lab { name, ..read.lab }
        }
        None => running_or_here(common, &args.how)?,
    };
    if common.json {
        ui::json(&serde_json::json!({ "name": lab.name, "segments": plan::segments(&lab) }));
        return Ok(0);
    }
    let text = match args.format.unwrap_or_else(|| by_name(args.output.as_ref())) {
        Format::Dot => graph::dot(&lab),
        Format::Mermaid => graph::mermaid(&lab),
        Format::Svg => graph::svg(&lab),
    };
    convert::write(&text, args.output.as_ref(), true)?;
    Ok(0)
}

/// The running lab that is meant; without one, the lab of the folder that is named or current.
fn running_or_here(common: &Common, how: &How) -> Result<Lab, Failure> {
    let missing = match choose::client(common.lab.as_deref()) {
        Ok(client) => return Ok(client.lab()?),
        Err(missing) => missing,
    };
    let path = PathBuf::from(common.lab.as_deref().unwrap_or("."));
    let is_lab = path.is_file()
        || ["lab.conf", "telaio.yaml"]
            .iter()
            .any(|f| path.join(f).is_file());
    match is_lab {
        true => loaded::read(&path, how).map(|read| read.lab),
        false => Err(missing),
    }
}

fn by_name(output: Option<&PathBuf>) -> Format {
    let ending = output.and_then(|o| o.extension()).and_then(|e| e.to_str());
    match ending {
        Some("svg") => Format::Svg,
        Some("mmd" | "mermaid" | "md") => Format::Mermaid,
        _ => Format::Dot,
    }
}
