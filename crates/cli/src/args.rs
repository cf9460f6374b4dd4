//! The words of the command line.

use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand};

use crate::verbs;

/// Top of `telaio --help`: what there is, in groups, so that a first reader finds the few verbs
/// that a first lab takes.
const TEMPLATE: &str = "\
{about}

{usage-heading} {usage}

\x1b[1m\x1b[4mStart here:\x1b[0m
  telaio up examples/two-computers   start a lab: a folder or its main file
  telaio shell pc1                   a terminal on one of its machines
  telaio down                        end it; nothing is left behind

\x1b[1m\x1b[4mA lab's life:\x1b[0m
  up            Start a lab
  down          End a lab
  restart       Start one node again; its wires stay
  ls            List running labs
  ps            List a lab's nodes
  info          Tell about a lab, a node or a segment
  events        Show what happened in a lab

\x1b[1m\x1b[4mIn a lab:\x1b[0m
  shell         Open a terminal on a node
  exec          Run a command in a node
  logs          Show what a node's scripts wrote
  cp            Copy files into and out of nodes
  link          List cables; cut them and plug them in again
  capture       Record the frames of an interface or a segment
  check         Look whether a lab shows what it must

\x1b[1m\x1b[4mLab files:\x1b[0m
  validate      Read a lab and say what is wrong with it
  convert       Write any lab as telaio.yaml
  graph         Draw a lab
  schema        Print the JSON Schema of telaio.yaml

\x1b[1m\x1b[4mThis host:\x1b[0m
  doctor        Try what this host can do for labs
  setup         Do once, as root, what labs of users need
  tools         Add daemons and programs that nodes find, without root
  completions   Print completions for a shell
  man           Print the manual page

\x1b[1m\x1b[4mOptions:\x1b[0m
{options}{after-help}
";

const EXIT: &str = "\
\x1b[1m\x1b[4mExit status:\x1b[0m
  0  done
  1  a check failed, or the lab did
  2  bad input or usage
  exec and shell pass on the command's own; 125: Telaio could not run it,
  126 and 127: the node could not, as shells say it.

`telaio help VERB` (or VERB --help) explains a verb with examples.
`-v` explains what is done; RUST_LOG=debug shows all of it.";

/// Virtual networks from a file: labs of Netkit, Kathara and Telaio, without root, images or
/// containers
#[derive(Debug, Parser)]
#[command(
    name = "telaio",
    version,
    help_template = TEMPLATE,
    after_help = EXIT,
    arg_required_else_help = true,
    max_term_width = 100,
    subcommand_help_heading = "Verbs"
)]
pub(crate) struct Cli {
    /// What holds for every verb.
    #[command(flatten)]
    pub(crate) common: Common,
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What holds for every verb.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Common {
    /// The lab: its name, or the folder or file it was started from. By default the lab of the
    /// current folder, else the only one running
    #[arg(
        short,
        long,
        global = true,
        value_name = "NAME|PATH",
        display_order = 900
    )]
    pub(crate) lab: Option<String>,
    /// Write JSON for programs
    #[arg(long, global = true, display_order = 901)]
    pub(crate) json: bool,
    /// Explain what is done (twice: all of it)
    #[arg(short, long, global = true, action = ArgAction::Count, display_order = 902)]
    pub(crate) verbose: u8,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Up(verbs::up::Args),
    Down(verbs::down::Args),
    Ls(verbs::ls::Args),
    Ps(verbs::ps::Args),
    Info(verbs::info::Args),
    Exec(verbs::exec::Args),
    Shell(verbs::shell::Args),
    Logs(verbs::logs::Args),
    Cp(verbs::cp::Args),
    Restart(verbs::restart::Args),
    Link(verbs::link::Args),
    Capture(verbs::capture::Args),
    Check(verbs::check::Args),
    Events(verbs::events::Args),
    Graph(verbs::graph::Args),
    Convert(verbs::convert::Args),
    Validate(verbs::validate::Args),
    Doctor(verbs::doctor::Args),
    Setup(verbs::setup::Args),
    Tools(verbs::tools::Args),
    Schema(verbs::schema::Args),
    Completions(verbs::completions::Args),
    Man(verbs::man::Args),
}

/// The whole command line, for completions and the manual page.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn every_verb_stands_in_the_overview_with_its_own_words() {
        for verb in command().get_subcommands().filter(|v| !v.is_hide_set()) {
            let about = verb
                .get_about()
                .expect("every verb says what it does")
                .to_string();
            let line = format!("\n  {:<13} {about}\n", verb.get_name());
            assert!(TEMPLATE.contains(&line), "{line}");
        }
    }

    #[test]
    fn every_verb_teaches_by_example() {
        for verb in command().get_subcommands() {
            let help = verb
                .get_after_long_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(
                help.contains("telaio "),
                "{} has no example",
                verb.get_name()
            );
        }
    }

    #[test]
    fn a_command_of_exec_keeps_its_options() {
        let cli =
            Cli::try_parse_from(["telaio", "exec", "r1", "--", "ip", "-4", "a", "-l"]).unwrap();
        let Verb::Exec(args) = cli.verb else {
            panic!("exec")
        };
        assert_eq!(args.command, ["ip", "-4", "a", "-l"]);
        let cli =
            Cli::try_parse_from(["telaio", "exec", "-l", "x", "r1", "ip", "-4", "a"]).unwrap();
        assert_eq!(cli.common.lab.as_deref(), Some("x"));
        let Verb::Exec(args) = cli.verb else {
            panic!("exec")
        };
        assert_eq!(args.command, ["ip", "-4", "a"]);
    }
}
