//! `telaio man`.

use std::io;
use std::path::{Path, PathBuf};

use clap_mangen::Man;

use crate::args::{self, Common};
use crate::failure::{Failure, Outcome};
use crate::ui;

const EXAMPLES: &str = "\
Examples:
  telaio man | man -l -          read it
  telaio man up | man -l -       of one verb
  telaio man --dir ~/.local/share/man/man1";

/// Print the manual page
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// Of this verb
    #[arg(value_name = "VERB")]
    verb: Option<String>,
    /// Write the pages of all verbs into this folder
    #[arg(long, value_name = "FOLDER", conflicts_with = "verb")]
    dir: Option<PathBuf>,
}

/// Does it.
pub(crate) fn run(args: &Args, _common: &Common) -> Outcome {
    let mut command = args::command();
    command.build();
    if let Some(dir) = &args.dir {
        return write_all(&command, dir)
            .map_err(|e| Failure::io("writing to", dir.display(), &e))
            .map(|()| 0);
    }
    let chosen = match &args.verb {
        None => &command,
        Some(verb) => command.find_subcommand(verb).ok_or_else(|| {
            Failure::usage(format!("there is no verb `{verb}`")).help("`telaio help` lists them")
        })?,
    };
    let page = page(chosen).map_err(|e| Failure::io("writing", "the page", &e))?;
    ui::out(&String::from_utf8_lossy(&page));
    Ok(0)
}

fn page(command: &clap::Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    Ok(page)
}

fn write_all(command: &clap::Command, dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    std::fs::write(dir.join("telaio.1"), page(command)?)?;
    for verb in command.get_subcommands().filter(|v| v.get_name() != "help") {
        std::fs::write(
            dir.join(format!("telaio-{}.1", verb.get_name())),
            page(verb)?,
        )?;
    }
    Ok(())
}
