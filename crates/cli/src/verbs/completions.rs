//! `telaio completions`.

use clap_complete::Shell;

use crate::args::{self, Common};
use crate::failure::Outcome;
use crate::ui;

const EXAMPLES: &str = "\
Examples:
  telaio completions bash >~/.local/share/bash-completion/completions/telaio
  telaio completions zsh >~/.zfunc/_telaio
  telaio completions fish >~/.config/fish/completions/telaio.fish";

/// Print completions for a shell
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

/// Does it.
pub(crate) fn run(args: &Args, _common: &Common) -> Outcome {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut args::command(), "telaio", &mut text);
    ui::out(&String::from_utf8_lossy(&text));
    Ok(0)
}
