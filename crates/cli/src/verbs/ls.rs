//! `telaio ls`.

use serde::Serialize;
use supervisor::client::Client;
use supervisor::place::Place;

use crate::args::Common;
use crate::failure::Outcome;
use crate::table::{Cell, Table};
use crate::ui::Look;
use crate::{problems, span, ui};

const EXAMPLES: &str = "\
Examples:
  telaio ls           your labs, and root's
  telaio ls -q        names only
  sudo telaio ls      everybody's
  telaio ls --json    for programs";

/// List running labs
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// Names only
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Serialize)]
struct Row {
    name: String,
    /// None where the caller may not ask.
    state: Option<&'static str>,
    nodes: Option<usize>,
    owner: String,
    source: String,
    started: f64,
    #[serde(skip)]
    look: Look,
}

/// Does it.
pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let chosen = |p: &Place| common.lab.as_deref().is_none_or(|l| l == p.name());
    let rows: Vec<Row> = Place::list()
        .iter()
        .filter(|p| chosen(p))
        .map(row)
        .collect();
    if common.json {
        ui::json(&rows);
    } else if args.quiet {
        rows.iter().for_each(|r| ui::line(&r.name));
    } else if rows.is_empty() {
        ui::err("no lab is running; `telaio up PATH` starts one\n");
    } else {
        ui::out(&table(&rows).render(ui::color()));
    }
    Ok(0)
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(["LAB", "STATE", "NODES", "OWNER", "UP FOR", "FROM"]);
    for row in rows {
        table.row([
            Cell::new(row.name.as_str(), Look::Strong),
            Cell::new(row.state.unwrap_or("running"), row.look),
            row.nodes.map(|n| n.to_string()).unwrap_or_default().into(),
            row.owner.as_str().into(),
            span::since(row.started).into(),
            row.source.as_str().into(),
        ]);
    }
    table
}

fn row(place: &Place) -> Row {
    let note = place.note();
    let mut row = Row {
        name: place.name().into(),
        state: None,
        nodes: None,
        owner: user_name(place.owner()),
        source: note.source.display().to_string(),
        started: note.started,
        look: Look::Plain,
    };
    // another user's lab cannot be asked; one that ends just now does not answer
    if let Ok(status) = Client::new(place).status() {
        let (state, look) = problems::lab_state(&status);
        (row.state, row.look) = (Some(state), look);
        row.nodes = Some(status.nodes.len());
    }
    row
}

/// A user's name, else the number.
fn user_name(uid: u32) -> String {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    name_in(&users, uid).unwrap_or_else(|| uid.to_string())
}

fn name_in(users: &str, uid: u32) -> Option<String> {
    let uid = uid.to_string();
    let line = users.lines().find(|l| l.split(':').nth(2) == Some(&uid))?;
    line.split(':').next().map(str::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_called_by_name() {
        let users = "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n";
        assert_eq!(name_in(users, 1000).as_deref(), Some("ann"));
        assert_eq!(name_in(users, 1), None);
    }
}
