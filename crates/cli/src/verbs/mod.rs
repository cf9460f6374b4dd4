//! One file a verb: its words, and what it does.

pub(crate) mod capture;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod convert;
pub(crate) mod cp;
pub(crate) mod doctor;
pub(crate) mod down;
pub(crate) mod events;
pub(crate) mod exec;
pub(crate) mod graph;
pub(crate) mod info;
pub(crate) mod link;
pub(crate) mod logs;
pub(crate) mod ls;
pub(crate) mod man;
pub(crate) mod ps;
pub(crate) mod restart;
pub(crate) mod schema;
pub(crate) mod setup;
pub(crate) mod shell;
pub(crate) mod terminals;
pub(crate) mod tools;
pub(crate) mod up;
pub(crate) mod validate;

use crate::args::{Common, Verb};
use crate::failure::Outcome;

/// Does what the command line says.
pub(crate) fn run(verb: Verb, common: &Common) -> Outcome {
    match verb {
        Verb::Up(args) => up::run(&args, common),
        Verb::Down(args) => down::run(&args, common),
        Verb::Ls(args) => ls::run(&args, common),
        Verb::Ps(args) => ps::run(&args, common),
        Verb::Info(args) => info::run(&args, common),
        Verb::Exec(args) => exec::run(args, common),
        Verb::Shell(args) => shell::run(args, common),
        Verb::Logs(args) => logs::run(&args, common),
        Verb::Cp(args) => cp::run(&args, common),
        Verb::Restart(args) => restart::run(&args, common),
        Verb::Link(args) => link::run(&args, common),
        Verb::Capture(args) => capture::run(&args, common),
        Verb::Check(args) => check::run(&args, common),
        Verb::Events(args) => events::run(&args, common),
        Verb::Graph(args) => graph::run(&args, common),
        Verb::Convert(args) => convert::run(&args, common),
        Verb::Validate(args) => validate::run(&args, common),
        Verb::Doctor(args) => doctor::run(&args, common),
        Verb::Setup(args) => setup::run(&args, common),
        Verb::Tools(args) => tools::run(&args, common),
        Verb::Schema(args) => schema::run(&args, common),
        Verb::Completions(args) => completions::run(&args, common),
        Verb::Man(args) => man::run(&args, common),
    }
}
