//! `telaio info`.

use std::fmt::Write;

use supervisor::client::Client;
use supervisor::proto::{NodeStatus, SegmentStatus, Status};

use crate::args::Common;
use crate::failure::{Failure, Outcome};
use crate::ui::Look;
use crate::{choose, problems, span, target, ui};

const EXAMPLES: &str = "\
Examples:
  telaio info          what the lab is about, what is in it, how it is
  telaio info r1       a node: its interfaces, scripts, routing
  telaio info A        a segment: who is plugged into it";

/// Tell about a lab, a node or a segment
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// A node or a segment; the whole lab without
    #[arg(value_name = "NODE|SEGMENT")]
    what: Option<String>,
}

/// Does it.
pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let client = choose::client(common.lab.as_deref())?;
    let status = client.status()?;
    let lab = client.lab()?;
    let Some(word) = &args.what else {
        return whole(&client, &status, &lab, common);
    };
    if let (Some(now), Some(node)) = (status.nodes.get(word), lab.nodes.get(word)) {
        match common.json {
            true => ui::json(&serde_json::json!({ "node": word, "status": now, "lab": node })),
            false => ui::out(&about_node(word, now, node)),
        }
        return Ok(0);
    }
    if let Some(segment) = status.segments.get(word) {
        match common.json {
            true => ui::json(&serde_json::json!({ "segment": word, "status": segment })),
            false => ui::out(&about_segment(word, segment)),
        }
        return Ok(0);
    }
    Err(
        Failure::usage(format!("this lab has no node or segment `{word}`")).help(format!(
            "nodes: {}; segments: {}",
            target::names(status.nodes.keys()),
            target::names(status.segments.keys())
        )),
    )
}

fn whole(client: &Client, status: &Status, lab: &lab::Lab, common: &Common) -> Outcome {
    if common.json {
        ui::json(&serde_json::json!({ "status": status, "lab": lab }));
        return Ok(0);
    }
    ui::out(&about_lab(client.name(), status, lab));
    Ok(0)
}

/// Lines of `title: text`.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn head(&mut self, text: &str) {
        let text = Look::Strong.paint(&ui::harmless(text), ui::color());
        let _ = writeln!(self.0, "{text}");
    }

    fn add(&mut self, title: &str, text: &str) {
        for (i, line) in text.trim_end().lines().enumerate() {
            let title = if i == 0 {
                format!("{title}:")
            } else {
                String::new()
            };
            let title = Look::Faint.paint(&format!("{title:<13}"), ui::color());
            let _ = writeln!(self.0, "  {title}{}", ui::harmless(line));
        }
    }
}

fn about_lab(name: &str, status: &Status, lab: &lab::Lab) -> String {
    let mut out = Lines::default();
    out.head(name);
    let info = &lab.info;
    for (title, text) in [
        ("about", &info.description),
        ("version", &info.version),
        ("author", &info.author),
        ("email", &info.email),
        ("web", &info.web),
    ] {
        out.add(title, text);
    }
    out.add("from", &status.source);
    let rights = if status.rootless { "a user" } else { "root" };
    out.add(
        "state",
        &format!(
            "{}, for {}, as {rights}",
            problems::lab_state(status).0,
            span::since(status.started)
        ),
    );
    out.add(
        "nodes",
        &format!(
            "{}: {}",
            status.nodes.len(),
            target::names(status.nodes.keys())
        ),
    );
    let interfaces: usize = status.nodes.values().map(|n| n.interfaces.len()).sum();
    out.add("interfaces", &interfaces.to_string());
    for (kind, what) in [
        ("wire", "wires"),
        ("bridge", "bridges"),
        ("open", "open ends"),
    ] {
        let number = status.segments.values().filter(|s| s.kind == kind).count();
        if number > 0 {
            out.add(what, &number.to_string());
        }
    }
    if !lab.checks.is_empty() {
        out.add(
            "checks",
            &format!("{} (`telaio check` runs them)", lab.checks.len()),
        );
    }
    out.0
}

fn about_node(name: &str, now: &NodeStatus, node: &lab::Node) -> String {
    let mut out = Lines::default();
    out.head(name);
    out.add("state", problems::state(now.state).0);
    out.add("note", &problems::note(now));
    out.add("image", node.image.as_deref().unwrap_or_default());
    out.add("needs first", &now.depends_on.join(", "));
    if now.restarts > 0 {
        out.add("restarts", &now.restarts.to_string());
    }
    for (name, interface) in &now.interfaces {
        let planned = node.interfaces.get(name);
        let addresses = planned
            .into_iter()
            .flat_map(|i| &i.addresses)
            .map(ToString::to_string);
        let words = [
            interface
                .segment
                .clone()
                .unwrap_or_else(|| "no segment".into()),
            interface.mac.clone(),
        ];
        let words: Vec<String> = words.into_iter().chain(addresses).collect();
        let pulled = if interface.plugged {
            ""
        } else {
            ", cable pulled out"
        };
        out.add(name, &format!("{}{pulled}", words.join(", ")));
    }
    for route in &node.routes {
        let via = route.via.map(|v| format!(" via {v}")).unwrap_or_default();
        out.add("route", &format!("{}{via}", route.to));
    }
    for script in &now.scripts {
        let text = match script.status {
            Some(status) => format!(
                "{}: status {status} after {}",
                script.title,
                span::show(script.seconds)
            ),
            None => format!("{}: runs", script.title),
        };
        out.add("script", &text);
        for failure in &script.failures {
            let text = format!(
                "line {}: `{}` ended with status {}",
                failure.line, failure.command, failure.status
            );
            out.add("", &text);
        }
    }
    out.0
}

fn about_segment(name: &str, segment: &SegmentStatus) -> String {
    let mut out = Lines::default();
    out.head(name);
    out.add("kind", &segment.kind);
    for member in &segment.members {
        out.add("member", member);
    }
    out.0
}
