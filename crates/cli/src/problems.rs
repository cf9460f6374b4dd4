//! What went wrong in nodes' scripts, for people: where, which command, and what may mend it.

use lab::packages::package_of;
use supervisor::proto::{Failure, NodeState, NodeStatus, ScriptRun, Status};

use crate::ui::{self, Look};

/// Failed commands of a node that are shown at once.
const SHOWN: usize = 5;

/// A shell's status for a program that it does not find.
const NOT_FOUND: i32 = 127;

/// Shows what failed in a node's script.
pub(crate) fn tell(node: &str, title: &str, status: i32, failures: &[Failure]) {
    ui::err(&text(node, title, status, failures, ui::err_color()));
}

fn text(node: &str, title: &str, status: i32, failures: &[Failure], color: bool) -> String {
    let mark = match status {
        0 => Look::Busy.paint("warning:", color),
        _ => Look::Bad.paint("failed:", color),
    };
    let place = |line: Option<u32>| {
        let place = match line {
            Some(line) => format!("{node}: {title}:{line}"),
            None => format!("{node}: {title}"),
        };
        Look::Strong.paint(&ui::harmless(&place), color)
    };
    let mut out = String::new();
    for failure in failures.iter().take(SHOWN) {
        let command = ui::harmless(&failure.command);
        let (at, status) = (place(Some(failure.line)), failure.status);
        out.push_str(&format!(
            "{mark} {at}: `{command}` ended with status {status}\n"
        ));
        if let Some(mend) = mend(failure) {
            out.push_str(&format!(
                "{} {mend}\n",
                Look::Strong.paint("  help:", color)
            ));
        }
    }
    let more = failures.len().saturating_sub(SHOWN);
    if more > 0 {
        out.push_str(&format!("        and {more} more: `telaio logs {node}`\n"));
    }
    if failures.is_empty() && status != 0 {
        out.push_str(&format!(
            "{mark} {}: ended with status {status}\n",
            place(None)
        ));
    }
    out
}

/// What may mend a failed command.
fn mend(failure: &Failure) -> Option<String> {
    if failure.status != NOT_FOUND {
        return None;
    }
    let program = failure
        .command
        .split_whitespace()
        .find(|w| !w.contains('='))?;
    let program = program.rsplit('/').next().unwrap_or(program);
    Some(match package_of(program) {
        Some(package) => format!("`telaio tools add {package}` has `{program}`; no root needed"),
        None => format!(
            "no `{}` here: `telaio tools add PACKAGE` adds a package that has it",
            ui::harmless(program)
        ),
    })
}

/// A node's state as a word, with how it looks.
pub(crate) fn state(state: NodeState) -> (&'static str, Look) {
    match state {
        NodeState::Waiting => ("waiting", Look::Busy),
        NodeState::Starting => ("starting", Look::Busy),
        NodeState::Ready => ("ready", Look::Good),
        NodeState::Failed => ("failed", Look::Bad),
        NodeState::Stopped => ("stopped", Look::Bad),
    }
}

/// A lab's state as a word, with how it looks.
pub(crate) fn lab_state(status: &Status) -> (&'static str, Look) {
    let bad = |n: &NodeStatus| matches!(n.state, NodeState::Failed | NodeState::Stopped);
    match status {
        s if !s.built => ("building", Look::Busy),
        s if s.nodes.values().any(bad) => ("failed", Look::Bad),
        s if !s.ready => ("starting", Look::Busy),
        _ => ("ready", Look::Good),
    }
}

/// What a node's startup comes to in a few words.
pub(crate) fn note(node: &NodeStatus) -> String {
    let failed = node
        .scripts
        .iter()
        .find(|s| s.status.is_some_and(|s| s != 0) || !s.failures.is_empty());
    match (node.state, failed) {
        (NodeState::Waiting, _) if !node.depends_on.is_empty() => {
            format!("waits for {}", node.depends_on.join(", "))
        }
        (NodeState::Failed, None) if !node.depends_on.is_empty() => {
            format!(
                "did not start: one of {} failed",
                node.depends_on.join(", ")
            )
        }
        (NodeState::Starting, None) => node
            .scripts
            .last()
            .map(|s| format!("runs {}", s.title))
            .unwrap_or_default(),
        (_, Some(script)) => first_failure(script),
        _ => String::new(),
    }
}

fn first_failure(script: &ScriptRun) -> String {
    match script.failures.first() {
        Some(f) => format!(
            "{}:{}: `{}` ended with status {}",
            script.title, f.line, f.command, f.status
        ),
        None => format!(
            "{} ended with status {}",
            script.title,
            script.status.unwrap_or(0)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(line: u32, status: i32, command: &str) -> Failure {
        Failure {
            line,
            status,
            command: command.into(),
        }
    }

    #[test]
    fn a_failed_command_has_place_status_and_mend() {
        let shown = text(
            "r1",
            "r1.startup",
            127,
            &[failure(3, 127, "dig +short x")],
            false,
        );
        assert!(
            shown.starts_with("failed: r1: r1.startup:3: `dig +short x` ended with status 127\n"),
            "{shown}"
        );
        assert!(shown.contains("telaio tools add"), "{shown}");
    }

    #[test]
    fn what_did_not_end_the_script_is_a_warning() {
        let shown = text("r1", "r1.startup", 0, &[failure(3, 1, "false")], false);
        assert_eq!(
            shown,
            "warning: r1: r1.startup:3: `false` ended with status 1\n"
        );
    }

    #[test]
    fn many_failures_are_summed_up_and_cannot_drive_the_terminal() {
        let many = vec![failure(1, 2, "x\x1b[2J"); 9];
        let shown = text("r1", "s", 2, &many, false);
        assert_eq!(shown.lines().count(), 6);
        assert!(shown.contains("and 4 more: `telaio logs r1`"), "{shown}");
        assert!(!shown.contains('\x1b'));
    }

    #[test]
    fn a_lab_is_as_good_as_its_nodes() {
        let mut status = Status {
            built: true,
            ready: true,
            ..Status::default()
        };
        assert_eq!(lab_state(&status).0, "ready");
        let node = NodeStatus {
            state: NodeState::Failed,
            ..NodeStatus::default()
        };
        status.nodes.insert("r1".into(), node);
        assert_eq!(lab_state(&status).0, "failed");
    }
}
