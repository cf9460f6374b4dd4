//! `telaio events`.

use supervisor::proto::{Event, What};

use crate::args::Common;
use crate::failure::Outcome;
use crate::ui::Look;
use crate::{choose, ui};

const EXAMPLES: &str = "\
Examples:
  telaio events                what happened so far, with seconds since the start
  telaio events -f             and what happens from now on
  telaio events -n r1          of one node
  telaio events -f --json      one JSON document a line, for programs";

/// Show what happened in a lab
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// Go on until the lab ends or Ctrl-C
    #[arg(short, long)]
    follow: bool,
    /// Only of this node (may be repeated)
    #[arg(short, long = "node", value_name = "NODE")]
    nodes: Vec<String>,
}

/// Does it.
pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let client = choose::client(common.lab.as_deref())?;
    for event in client.events(args.follow)? {
        let event = event?;
        let wanted = |node: &String| args.nodes.contains(node);
        if !args.nodes.is_empty() && !event.node.as_ref().is_some_and(wanted) {
            continue;
        }
        if common.json {
            ui::line(&serde_json::to_string(&event).unwrap_or_default());
        } else {
            ui::line(&line(&event, ui::color()));
        }
    }
    Ok(0)
}

fn line(event: &Event, color: bool) -> String {
    let time = Look::Faint.paint(&format!("{:>9.3}", event.at), color);
    let node = event
        .node
        .as_deref()
        .map(|n| format!("{} ", ui::harmless(n)))
        .unwrap_or_default();
    let node = Look::Strong.paint(&node, color);
    let (text, look) = words(&event.what);
    format!("{time}  {node}{}", look.paint(&ui::harmless(&text), color))
}

fn words(what: &What) -> (String, Look) {
    match what {
        What::Built => ("all nodes and wires are there".into(), Look::Plain),
        What::Broken { message } => (format!("cannot be made: {message}"), Look::Bad),
        What::Starting => ("startup begins".into(), Look::Plain),
        What::Script {
            title,
            status: 0,
            failures,
        } if failures.is_empty() => (format!("{title} ended"), Look::Plain),
        What::Script {
            title,
            status,
            failures,
        } => {
            let failed = match failures.len() {
                0 => String::new(),
                n => format!(", {} failed", ui::count(n, "command")),
            };
            let look = if *status == 0 { Look::Busy } else { Look::Bad };
            (format!("{title} ended with status {status}{failed}"), look)
        }
        What::Ready => ("ready".into(), Look::Good),
        What::Failed { message } => (format!("startup failed: {message}"), Look::Bad),
        What::Blocked { by } => (format!("does not start, for {by} failed"), Look::Bad),
        What::Stopped => ("ended".into(), Look::Bad),
        What::Restarted => ("started again".into(), Look::Plain),
        What::Plugged {
            interface,
            on: true,
        } => (format!("{interface} plugged in"), Look::Plain),
        What::Plugged {
            interface,
            on: false,
        } => (format!("{interface} cut"), Look::Busy),
        What::AllReady => ("every startup has ended".into(), Look::Good),
        What::Ending => ("the lab ends".into(), Look::Plain),
        What::Warning { message } => (format!("warning: {message}"), Look::Busy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_time_node_and_words() {
        let event = Event {
            at: 1.5,
            node: Some("r1".into()),
            what: What::Ready,
        };
        assert_eq!(line(&event, false), "    1.500  r1 ready");
        let what = What::Script {
            title: "s".into(),
            status: 2,
            failures: vec![Default::default()],
        };
        let event = Event {
            at: 0.0,
            node: None,
            what,
        };
        assert_eq!(
            line(&event, false),
            "    0.000  s ended with status 2, 1 command failed"
        );
    }
}
