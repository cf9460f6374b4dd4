//! `telaio link`.

use clap::Subcommand;
use supervisor::proto::{SegmentStatus, Status};

use crate::args::Common;
use crate::failure::{Failure, Outcome};
use crate::table::{Cell, Table};
use crate::ui::Look;
use crate::{choose, target, ui};

const EXAMPLES: &str = "\
Examples:
  telaio link                    all segments and links, and who is plugged in
  telaio link cut r1:eth0        pull the cable out of an interface: it loses its carrier
  telaio link cut A              pull out all cables of a segment
  telaio link plug r1:eth0       put it back; traffic goes on";

/// List cables; cut them and plug them in again
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
}

/// What to do with cables.
#[derive(Debug, Subcommand)]
enum What {
    /// List segments and links (the default)
    #[command(alias = "list")]
    Ls,
    /// Pull cables out
    Cut(Which),
    /// Put cables back
    Plug(Which),
}

/// Which cables.
#[derive(Debug, clap::Args)]
struct Which {
    /// Interfaces (`node:interface`), or segments for all in them
    #[arg(required = true, value_name = "NODE:IF|SEGMENT")]
    targets: Vec<String>,
}

/// Does it.
pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    match &args.what {
        None | Some(What::Ls) => list(common),
        Some(What::Cut(which)) => plug(&which.targets, false, common),
        Some(What::Plug(which)) => plug(&which.targets, true, common),
    }
}

fn list(common: &Common) -> Outcome {
    let status = choose::client(common.lab.as_deref())?.status()?;
    if common.json {
        let segments = status.segments.iter().map(|(name, segment)| {
            serde_json::json!({
                "name": name,
                "kind": segment.kind,
                "members": segment.members,
                "cut": pulled(segment, &status),
            })
        });
        ui::json(&segments.collect::<Vec<_>>());
    } else {
        ui::out(&table(&status).render(ui::color()));
    }
    Ok(0)
}

fn table(status: &Status) -> Table {
    let mut table = Table::new(["SEGMENT", "KIND", "MEMBERS", "CUT"]);
    for (name, segment) in &status.segments {
        let cut = pulled(segment, status).join(" ");
        table.row([
            Cell::new(name.as_str(), Look::Strong),
            segment.kind.as_str().into(),
            segment.members.join(" ").into(),
            Cell::new(cut, Look::Bad),
        ]);
    }
    table
}

/// Members whose cable is pulled out.
fn pulled<'a>(segment: &'a SegmentStatus, status: &Status) -> Vec<&'a str> {
    let is_out = |member: &&str| {
        let (node, interface) = member.split_once(':').unwrap_or_default();
        let interfaces = status.nodes.get(node).map(|n| &n.interfaces);
        interfaces
            .and_then(|i| i.get(interface))
            .is_some_and(|i| !i.plugged)
    };
    segment
        .members
        .iter()
        .map(String::as_str)
        .filter(is_out)
        .collect()
}

fn plug(targets: &[String], on: bool, common: &Common) -> Outcome {
    let client = choose::client(common.lab.as_deref())?;
    let status = client.status()?;
    let all: Result<Vec<_>, Failure> = targets
        .iter()
        .map(|t| target::interfaces(t, &status))
        .collect();
    let mut done = Vec::new();
    for (node, interface) in all?.concat() {
        client.plug(&node, &interface, on)?;
        done.push(format!("{node}:{interface}"));
    }
    match common.json {
        true => ui::json(&serde_json::json!({ "interfaces": done, "plugged": on })),
        false => {
            let what = if on { "plugged in" } else { "cut" };
            ui::err(&format!("{what}: {}\n", done.join(" ")));
        }
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use supervisor::proto::{InterfaceStatus, NodeStatus};

    #[test]
    fn a_cut_cable_is_seen() {
        let mut status = Status::default();
        for (name, plugged) in [("pc1", true), ("pc2", false)] {
            let mut node = NodeStatus::default();
            node.interfaces.insert(
                "eth0".into(),
                InterfaceStatus {
                    plugged,
                    ..InterfaceStatus::default()
                },
            );
            status.nodes.insert(name.into(), node);
        }
        let members = vec!["pc1:eth0".into(), "pc2:eth0".into()];
        status.segments.insert(
            "A".into(),
            SegmentStatus {
                kind: "wire".into(),
                members,
            },
        );
        assert_eq!(
            table(&status).render(false),
            "SEGMENT  KIND  MEMBERS            CUT\nA        wire  pc1:eth0 pc2:eth0  pc2:eth0\n"
        );
    }
}
