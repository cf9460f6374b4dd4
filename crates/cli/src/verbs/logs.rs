//! `telaio logs`.

use std::time::Duration;

use supervisor::client::{Client, Error};
use supervisor::proto::ScriptRun;

use crate::args::Common;
use crate::failure::Outcome;
use crate::{choose, span, ui};

const EXAMPLES: &str = "\
Examples:
  telaio logs r1           what its startup (and shutdown) scripts wrote
  telaio logs r1 -f        and go on as they write more
  telaio logs r1 --json    with every script's status, duration and failed commands";

/// How often a followed log is asked for.
const PERIOD: Duration = Duration::from_millis(250);

/// Show what a node's scripts wrote
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The node
    node: String,
    /// Go on until the lab ends or Ctrl-C
    #[arg(short, long, conflicts_with = "json")]
    follow: bool,
}

/// Does it.
pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let client = choose::client(common.lab.as_deref())?;
    let (text, scripts) = client.log(&args.node)?;
    if common.json {
        ui::json(&serde_json::json!({ "node": args.node, "text": text, "scripts": scripts }));
        return Ok(0);
    }
    ui::out(&text);
    if args.follow {
        follow(&client, &args.node, text)?;
    } else {
        ui::err(&summary(&scripts));
    }
    Ok(0)
}

/// What became of each script, a line each.
fn summary(scripts: &[ScriptRun]) -> String {
    let line = |s: &ScriptRun| {
        let title = ui::harmless(&s.title);
        match s.status {
            None => format!("-- {title}: runs\n"),
            Some(status) => format!(
                "-- {title}: status {status} after {}\n",
                span::show(s.seconds)
            ),
        }
    };
    scripts.iter().map(line).collect()
}

fn follow(client: &Client, node: &str, mut seen: String) -> Outcome {
    loop {
        std::thread::sleep(PERIOD);
        let text = match client.log(node) {
            Ok((text, _)) => text,
            Err(Error::Gone(_)) => return Ok(0),
            Err(e) => return Err(e.into()),
        };
        ui::out(news(&seen, &text));
        seen = text;
    }
}

/// What is new in a log that may have lost its beginning, or begun anew.
fn news<'a>(seen: &str, text: &'a str) -> &'a str {
    if let Some(rest) = text.strip_prefix(seen) {
        return rest;
    }
    // the log is cut at its beginning: go on after the last lines that were shown
    let mut start = seen.len().saturating_sub(512);
    while !seen.is_char_boundary(start) {
        start += 1;
    }
    let tail = &seen[start..];
    match text.rfind(tail) {
        Some(at) if !tail.is_empty() => &text[at + tail.len()..],
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_new_lines_are_shown() {
        assert_eq!(news("a\n", "a\nb\n"), "b\n");
        assert_eq!(news("", "a\n"), "a\n");
        assert_eq!(news("a\nb\n", "b\nc\n"), "b\nc\n");
        let long: String = (0..400).map(|i| format!("line {i}\n")).collect();
        let cut = format!("{}new\n", &long[1000..]);
        assert_eq!(news(&long, &cut), "new\n");
    }
}
