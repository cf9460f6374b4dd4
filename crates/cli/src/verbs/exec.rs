//! `telaio exec`.

use indexmap::IndexMap;
use supervisor::client::Command;

use crate::args::Common;
use crate::failure::{EXEC, Failure, Outcome};
use crate::{choose, relay, target};

const EXAMPLES: &str = "\
Examples:
  telaio exec r1 -- ip route                one command
  telaio exec r1 -- vtysh -c 'show ip ospf neighbor'
  telaio exec pc1 -- sh -c 'ping -c1 10.0.0.2 && echo reached'
  telaio exec www -- tee /var/www/html/index.html <page.html
  telaio exec -t r1 -- vtysh                with a terminal

Standard input, output and error are passed through as they are, signals too. The exit status
is the command's own; 125: Telaio could not run it (no such lab or node), 126 and 127: the node
could not, as shells say it.";

/// Run a command in a node
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// Give it a terminal
    #[arg(short, long)]
    tty: bool,
    /// Set a variable of its environment (may be repeated)
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
    /// Its working folder
    #[arg(short = 'w', long, value_name = "FOLDER")]
    cwd: Option<String>,
    /// The node
    node: String,
    /// The command and its arguments
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        required = true,
        value_name = "COMMAND"
    )]
    pub(crate) command: Vec<String>,
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.into(), value.into())),
        _ => Err("write NAME=VALUE".into()),
    }
}

/// Does it.
pub(crate) fn run(args: Args, common: &Common) -> Outcome {
    let mut command = Command {
        node: args.node,
        argv: args.command,
        env: args.env.into_iter().collect(),
        cwd: args.cwd,
    };
    if args.tty {
        terminal_variables(&mut command.env);
    }
    perform(&command, args.tty, common)
}

/// Runs a command for `exec` and `shell`; what keeps it from being run has status 125.
pub(crate) fn perform(command: &Command, tty: bool, common: &Common) -> Outcome {
    let own = |f: Failure| match f.status {
        126 | 127 => f,
        _ => f.status(EXEC),
    };
    let client = choose::client(common.lab.as_deref()).map_err(own)?;
    let done = match tty {
        true => relay::terminal(&client, command),
        false => relay::pipes(&client, command),
    };
    let status = done.map_err(|failure| own(explain(failure, &client, &command.node)))?;
    Ok(u8::try_from(status).unwrap_or(u8::MAX))
}

/// Names the lab's nodes when the node is not one of them.
fn explain(failure: Failure, client: &supervisor::client::Client, node: &str) -> Failure {
    match client
        .status()
        .map(|status| target::node_of(node, &status).map(drop))
    {
        Ok(Err(unknown)) => unknown,
        _ => failure,
    }
}

/// What programs on a terminal need to know of it.
pub(crate) fn terminal_variables(env: &mut IndexMap<String, String>) {
    for name in ["TERM", "COLORTERM"] {
        if let Ok(value) = std::env::var(name)
            && !env.contains_key(name)
        {
            env.insert(name.into(), value);
        }
    }
}
