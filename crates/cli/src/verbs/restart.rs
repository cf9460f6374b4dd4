//! `telaio restart`.

use supervisor::client::{Client, Error};
use supervisor::proto::{Event, What};

use crate::args::Common;
use crate::failure::{FAILED, Failure, Outcome};
use crate::{choose, problems, target, ui};

const EXAMPLES: &str = "\
Examples:
  telaio restart r1              end r1 and start it anew, with the files of the lab
  telaio restart r1 r2           one after the other
  telaio restart r1 --no-wait    do not wait for its startup script

Its wires stay, and what is captured on them; the other nodes see its interfaces go down and
come up again.";

/// Start one node again; its wires stay
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The nodes
    #[arg(required = true, value_name = "NODE")]
    nodes: Vec<String>,
    /// Return as soon as it is started
    #[arg(long)]
    no_wait: bool,
}

/// Does it.
pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let client = choose::client(common.lab.as_deref())?;
    let status = client.status()?;
    for node in &args.nodes {
        target::node_of(node, &status)?;
    }
    let mut failed = Vec::new();
    for node in &args.nodes {
        if !restart(&client, node, args.no_wait)? {
            failed.push(node);
        } else if !common.json {
            ui::err(&format!("{node} is started again\n"));
        }
    }
    if common.json {
        ui::json(&serde_json::json!({ "restarted": args.nodes, "failed": failed }));
    }
    Ok(if failed.is_empty() { 0 } else { FAILED })
}

/// Restarts a node; whether its startup ended well.
fn restart(client: &Client, node: &str, no_wait: bool) -> Result<bool, Failure> {
    // what happened before is not what is waited for
    let before = client.events(false)?.count();
    let events = client.events(true)?;
    client.restart(node)?;
    if no_wait {
        return Ok(true);
    }
    wait(events.skip(before), node)
}

/// Waits for the end of the startup that follows a restart.
fn wait(events: impl Iterator<Item = Result<Event, Error>>, node: &str) -> Result<bool, Failure> {
    let mut restarted = false;
    for event in events {
        let event = event?;
        if event.node.as_deref() != Some(node) {
            continue;
        }
        match event.what {
            What::Restarted => restarted = true,
            What::Script {
                title,
                status,
                failures,
            } if restarted && status != 0 => {
                problems::tell(node, &title, status, &failures);
            }
            What::Ready if restarted => return Ok(true),
            What::Failed { .. } | What::Blocked { .. } if restarted => return Ok(false),
            What::Broken { message } => {
                return Err(Failure::failed(format!(
                    "{node} cannot be started again: {message}"
                )));
            }
            _ => {}
        }
    }
    Err(Failure::failed("the lab has ended meanwhile"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(node: &str, what: What) -> Result<Event, Error> {
        Ok(Event {
            at: 0.0,
            node: Some(node.into()),
            what,
        })
    }

    #[test]
    fn the_end_of_the_new_startup_counts() {
        let events = vec![
            event("r1", What::Stopped),
            event("r2", What::Ready),
            event("r1", What::Restarted),
            event("r1", What::Ready),
        ];
        assert!(wait(events.into_iter(), "r1").unwrap());
        let events = vec![
            event("r1", What::Restarted),
            event(
                "r1",
                What::Failed {
                    message: "x".into(),
                },
            ),
        ];
        assert!(!wait(events.into_iter(), "r1").unwrap());
        assert!(wait(std::iter::empty(), "r1").is_err());
    }
}
