//! `telaio shell`.

use std::io::{self, IsTerminal};

use indexmap::IndexMap;
use supervisor::client::Command;

use crate::args::Common;
use crate::failure::Outcome;

use super::exec;

const EXAMPLES: &str = "\
Examples:
  telaio shell pc1              a login shell of root's
  telaio shell r1 -l ospf       on a node of another lab
  telaio shell pc1 <script.sh   commands from a file

It is a terminal of its own, with job control and the size of yours; open as many as you like,
also several on one node. `exit` or Ctrl-D ends it.";

/// Open a terminal on a node
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The node
    node: String,
}

/// Does it.
pub(crate) fn run(args: Args, common: &Common) -> Outcome {
    let tty = io::stdin().is_terminal();
    let mut env = IndexMap::new();
    if tty {
        exec::terminal_variables(&mut env);
    }
    let command = Command {
        node: args.node,
        env,
        ..Command::default()
    };
    exec::perform(&command, tty, common)
}
