//! `telaio validate`.

use std::path::PathBuf;

use diag::Level;
use serde_json::json;

use crate::args::Common;
use crate::failure::{Failure, Outcome};
use crate::loaded::{self, How};
use crate::ui;

const EXAMPLES: &str = "\
Examples:
  telaio validate                    the lab of the current folder
  telaio validate labs/*             several
  telaio validate labs/ospf --json   file, line, column, message and help of each mistake

Exit status: 0 no mistakes (there may be warnings), 2 mistakes. Whether this host can run the lab
is said by `telaio up --dry-run`.";

/// Read a lab and say what is wrong with it
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The labs' folders or main files
    #[arg(value_name = "LAB", default_value = ".")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    how: How,
}

/// Does it.
pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let mut status = 0;
    let mut documents = Vec::new();
    for path in &args.paths {
        let document = match loaded::read(path, &args.how) {
            Ok(read) => good(path, &read, common),
            Err(failure) => {
                status = failure.status;
                bad(path, &failure, common)
            }
        };
        documents.push(document);
    }
    if common.json {
        match documents.as_slice() {
            [one] => ui::json(one),
            all => ui::json(&all),
        }
    }
    Ok(status)
}

fn good(path: &std::path::Path, read: &formats::Read, common: &Common) -> serde_json::Value {
    if !common.json {
        loaded::tell(&read.diagnostics, true);
        let warnings = read.diagnostics.of(Level::Warning).count();
        let warnings = match warnings {
            0 => String::new(),
            n => format!(", {}", ui::count(n, "warning")),
        };
        let nodes = ui::count(read.lab.nodes.len(), "node");
        let language = loaded::language(read.dialect);
        ui::line(&format!(
            "{}: {nodes}, language {language}{warnings}",
            path.display()
        ));
    }
    json!({
        "path": path,
        "valid": true,
        "language": loaded::language(read.dialect),
        "nodes": read.lab.nodes.len(),
        "diagnostics": read.diagnostics.to_json(),
    })
}

fn bad(path: &std::path::Path, failure: &Failure, common: &Common) -> serde_json::Value {
    if !common.json {
        loaded::tell(&failure.diagnostics, true);
        ui::error(&failure.message, failure.help.as_deref());
    }
    json!({
        "path": path,
        "valid": false,
        "error": failure.message,
        "diagnostics": failure.diagnostics.to_json(),
    })
}
