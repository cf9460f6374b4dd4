//! `telaio down`.

use std::time::Duration;

use supervisor::client::Client;
use supervisor::place::Place;

use crate::args::Common;
use crate::failure::{Failure, Outcome};
use crate::{choose, span, ui};

const EXAMPLES: &str = "\
Examples:
  telaio down                the lab of this folder, or the only one
  telaio down -l ospf        the lab of that name
  telaio down --all --now    all labs of yours, without their shutdown scripts

Shutdown scripts get 10 seconds (--grace). Nothing of a lab is left behind: its processes,
namespaces, interfaces and files go away with it.";

/// How long a lab may take to be gone after its shutdown scripts.
const PATIENCE: Duration = Duration::from_secs(20);

/// End a lab
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The lab, as with --lab
    #[arg(value_name = "LAB", conflicts_with = "all")]
    name: Option<String>,
    /// End all labs of yours
    #[arg(short, long)]
    all: bool,
    /// Do not run shutdown scripts
    #[arg(long, conflicts_with = "grace")]
    now: bool,
    /// How long shutdown scripts may take
    #[arg(long, value_name = "DURATION", value_parser = span::parse, default_value = "10s")]
    grace: Duration,
}

/// Does it.
pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let places = match args.all {
        true => Place::list().into_iter().filter(Place::is_own).collect(),
        false => vec![choose::place(
            args.name.as_deref().or(common.lab.as_deref()),
        )?],
    };
    let grace = if args.now { Duration::ZERO } else { args.grace };
    for place in &places {
        end(place, grace)?;
        if !common.json {
            ui::err(&format!("{} is down\n", place.name()));
        }
    }
    if common.json {
        let names: Vec<&str> = places.iter().map(Place::name).collect();
        ui::json(&serde_json::json!({ "down": names }));
    } else if places.is_empty() {
        ui::err("no lab is running\n");
    }
    Ok(0)
}

/// Ends a lab and waits until it is gone.
pub(crate) fn end(place: &Place, grace: Duration) -> Result<(), Failure> {
    use supervisor::client::Error;
    match Client::new(place).down(grace.as_secs_f64()) {
        Ok(()) | Err(Error::Gone(_)) => {}
        Err(e) => return Err(e.into()),
    }
    match place.wait_gone(PATIENCE) {
        true => Ok(()),
        false => Err(
            Failure::failed(format!("the lab `{}` does not go away", place.name())).help(format!(
                "its broker may be stuck: see {}",
                place.log().display()
            )),
        ),
    }
}
