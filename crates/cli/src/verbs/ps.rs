//! `telaio ps`.

use supervisor::proto::{NodeStatus, Status};

use crate::args::Common;
use crate::failure::Outcome;
use crate::table::{Cell, Table};
use crate::ui::Look;
use crate::{choose, problems, span, target, ui};

const EXAMPLES: &str = "\
Examples:
  telaio ps              all nodes of the lab
  telaio ps r1 r2        these nodes
  telaio ps -q           names only, for scripts
  telaio ps --json | jq '.nodes[].state'";

/// List a lab's nodes
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only these nodes
    #[arg(value_name = "NODE")]
    nodes: Vec<String>,
    /// Names only
    #[arg(short, long)]
    quiet: bool,
}

/// Does it.
pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let mut status = choose::client(common.lab.as_deref())?.status()?;
    for node in &args.nodes {
        target::node_of(node, &status)?;
    }
    if !args.nodes.is_empty() {
        status.nodes.retain(|name, _| args.nodes.contains(name));
    }
    if common.json {
        ui::json(&serde_json::json!({
            "lab": status.name,
            "ready": status.ready,
            "nodes": status.nodes,
        }));
    } else if args.quiet {
        status.nodes.keys().for_each(|n| ui::line(n));
    } else {
        ui::out(&table(&status).render(ui::color()));
    }
    Ok(0)
}

fn table(status: &Status) -> Table {
    let mut table = Table::new(["NODE", "STATE", "INTERFACES", "STARTUP", "RESTARTS", "NOTE"]);
    for (name, node) in &status.nodes {
        let (state, look) = problems::state(node.state);
        let restarts = if node.restarts > 0 {
            node.restarts.to_string()
        } else {
            String::new()
        };
        table.row([
            Cell::new(name.as_str(), Look::Strong),
            Cell::new(state, look),
            interfaces(node).into(),
            startup(node).into(),
            restarts.into(),
            problems::note(node).into(),
        ]);
    }
    table
}

/// `eth0=A eth1=B`; a pulled cable stands in brackets.
fn interfaces(node: &NodeStatus) -> String {
    let one = |(name, i): (&String, &supervisor::proto::InterfaceStatus)| {
        let segment = match &i.segment {
            // a link's name repeats the interfaces
            Some(segment) if !segment.contains(':') => format!("{name}={segment}"),
            _ => name.clone(),
        };
        if i.plugged {
            segment
        } else {
            format!("[{segment}]")
        }
    };
    const SHOWN: usize = 6;
    let mut list: Vec<String> = node.interfaces.iter().take(SHOWN).map(one).collect();
    if node.interfaces.len() > SHOWN {
        list.push(format!("+{}", node.interfaces.len() - SHOWN));
    }
    list.join(" ")
}

fn startup(node: &NodeStatus) -> String {
    let ended = node.scripts.iter().filter(|s| s.status.is_some());
    let seconds: f64 = ended.clone().map(|s| s.seconds).sum();
    match ended.count() {
        0 => String::new(),
        _ => span::show(seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use supervisor::proto::{InterfaceStatus, NodeState, ScriptRun};

    #[test]
    fn a_row_tells_wires_time_and_trouble() {
        let mut node = NodeStatus {
            state: NodeState::Failed,
            ..NodeStatus::default()
        };
        let segment = Some("A".to_string());
        let plugged = InterfaceStatus {
            segment,
            plugged: true,
            ..InterfaceStatus::default()
        };
        node.interfaces.insert("eth0".into(), plugged.clone());
        node.interfaces.insert(
            "eth1".into(),
            InterfaceStatus {
                plugged: false,
                ..plugged
            },
        );
        let script = ScriptRun {
            title: "s".into(),
            status: Some(3),
            seconds: 2.0,
            ..ScriptRun::default()
        };
        node.scripts.push(script);
        let mut status = Status::default();
        status.nodes.insert("r1".into(), node);
        assert_eq!(
            table(&status).render(false),
            "NODE  STATE   INTERFACES       STARTUP  NOTE\n\
             r1    failed  eth0=A [eth1=A]  2.00 s   s ended with status 3\n"
        );
    }
}
